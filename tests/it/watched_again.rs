//! What is watched once more under its name, or by two names, and what hangs or panics meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use notafter::monitor::Evaluation;
use notafter::{Band, Monitor, Target, Timestamp};
use rustls::pki_types::CertificateDer;

use crate::monitor::{PATIENCE, Pki, told};
use crate::support::gauges::Gauges;
use crate::support::pki::{self, NOW};
use crate::support::tls::{FixedTime, Recorder};
use crate::support::tools::wait_until;

fn after(seconds: i64) -> Timestamp {
    NOW.saturating_add(seconds)
}

/// More than are asked at once.
const MANY: usize = 40;

fn watch_many(monitor: &Monitor) {
    for n in 0..MANY {
        let target = Target::from_endpoint(format!("e{n}.example:443"));
        monitor.watch(format!("{n}"), target.with_expected_name("a.example"));
    }
}

/// Of how many it was told, by code.
fn affected(recorder: &Recorder) -> BTreeMap<&'static str, usize> {
    let mut affected = BTreeMap::new();
    for event in recorder.take() {
        *affected.entry(event.code.as_str()).or_default() += event.affected;
    }
    affected
}

/// Series that say nothing any more.
fn forgotten(gauges: &Gauges) -> Vec<String> {
    let all = gauges.all().into_iter();
    let nan = all.filter(|(_, value)| value.is_nan());
    nan.map(|(series, _)| series).collect()
}

/// What answers with this chain, as long as it is told to.
fn answering(
    chain: Vec<CertificateDer<'static>>,
    is_up: &Arc<AtomicBool>,
) -> Arc<dyn notafter::monitor::Connector> {
    let is_up = Arc::clone(is_up);
    Arc::new(move |_: &str| match is_up.load(Ordering::Acquire) {
        true => Ok(chain.clone()),
        false => Err("no answer"),
    })
}

#[test]
fn forty_endpoints_in_alarm_that_are_watched_once_more_are_not_told_as_recovered() {
    let pki = Pki::new();
    let (recorder, gauges) = (Arc::<Recorder>::default(), Gauges::default());
    let is_up = Arc::new(AtomicBool::new(true));
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(answering(pki.chain(-85, 5), &is_up))
        .with_metrics()
        .build()
        .unwrap();
    let tick = |now| metrics::with_local_recorder(&gauges, || monitor.tick(now));
    watch_many(&monitor);
    tick(NOW);
    assert_eq!(affected(&recorder), [("expiring", MANY)].into());

    watch_many(&monitor);
    tick(after(60));
    assert_eq!(affected(&recorder), [].into());
    assert_eq!(forgotten(&gauges), [""; 0]);
    assert_eq!(monitor.snapshot().chains.len(), MANY);

    // Nor when none of them can be reached just then: what they showed last goes on being judged.
    is_up.store(false, Ordering::Release);
    watch_many(&monitor);
    tick(after(120));
    assert_eq!(affected(&recorder), [("source_failed", MANY)].into());
    assert_eq!(forgotten(&gauges), [""; 0]);
    let snapshot = monitor.snapshot();
    assert_eq!(
        (snapshot.chains.len(), snapshot.worst()),
        (MANY, Some(Band::Critical))
    );
}

#[test]
fn other_endpoints_under_the_old_names_are_asked_before_they_are_judged() {
    let pki = Pki::new();
    let recorder = Arc::<Recorder>::default();
    let is_up = Arc::new(AtomicBool::new(true));
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(answering(pki.chain(-85, 5), &is_up))
        .build()
        .unwrap();
    let watch = |host: &str| {
        for n in 0..MANY {
            let target = Target::from_endpoint(format!("{host}{n}.example:443"));
            monitor.watch(format!("{n}"), target.with_expected_name("a.example"));
        }
    };
    watch("old");
    monitor.tick(NOW);
    recorder.take();
    watch("new");
    monitor.tick(after(60));
    // The matters of the old ones are over, and those of the new ones are told, all at once.
    assert_eq!(
        affected(&recorder),
        [("expiring", MANY), ("recovered", MANY)].into()
    );
    monitor.tick(after(120));
    assert_eq!(told(&recorder), []);
    assert_eq!(monitor.snapshot().chains.len(), MANY);
}

#[test]
fn one_that_never_returns_has_one_thread_however_often_it_is_asked_for() {
    let pki = Pki::new();
    let recorder = Arc::<Recorder>::default();
    let asked = Arc::<AtomicUsize>::default();
    let connector = {
        let asked = Arc::clone(&asked);
        move |_: &str| -> Result<Vec<CertificateDer<'static>>, String> {
            asked.fetch_add(1, Ordering::AcqRel);
            loop {
                std::thread::park();
            }
        }
    };
    let monitor = pki
        .builder(recorder.clone())
        .with_connector(Arc::new(connector))
        .with_endpoint_deadline(Duration::from_millis(20))
        .build()
        .unwrap();
    monitor.watch("peer", Target::from_endpoint("db.example:5432"));
    for minute in 0..10 {
        monitor.tick(after(minute * 60));
        assert!(monitor.refresh("peer"));
    }
    assert_eq!(asked.load(Ordering::Acquire), 1);
    assert_eq!(told(&recorder), [("source_failed", "critical")]);
    // Another target under that name is asked.
    monitor.watch("peer", Target::from_endpoint("db2.example:5432"));
    monitor.tick(after(600));
    assert_eq!(asked.load(Ordering::Acquire), 2);
}

#[test]
fn one_that_is_asked_for_again_while_it_is_asked_is_asked_once_more_then() {
    let pki = Pki::new();
    let (asked, is_open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let chain = pki.chain(-10, 80);
    let connector = {
        let (asked, is_open) = (Arc::clone(&asked), Arc::clone(&is_open));
        move |_: &str| {
            asked.fetch_add(1, Ordering::AcqRel);
            while !is_open.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok::<_, String>(chain.clone())
        }
    };
    let monitor = pki
        .builder(Arc::<Recorder>::default())
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_connector(Arc::new(connector))
        .with_endpoint_deadline(Duration::from_secs(600))
        .build()
        .unwrap();
    monitor.watch("peer", Target::from_endpoint("db.example:5432"));
    let handle = monitor.spawn().unwrap();
    wait_until("it is asked", || asked.load(Ordering::Acquire) == 1);
    for _ in 0..10 {
        assert!(monitor.refresh("peer"));
        // Whoever else would be asked has the time to be.
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(asked.load(Ordering::Acquire), 1);
    is_open.store(true, Ordering::Release);
    wait_until("it is known", || !monitor.snapshot().chains.is_empty());
    assert_eq!(asked.load(Ordering::Acquire), 2);
    assert!(handle.stop(PATIENCE));
}

#[test]
fn what_panicked_is_well_again_as_soon_as_it_does_not() {
    let pki = Pki::new();
    let recorder = Arc::<Recorder>::default();
    let monitor = pki.builder(recorder.clone()).build().unwrap();
    let licence = |now: Timestamp| {
        assert_ne!(now, after(60), "told by the monitor");
        Evaluation::new(Vec::new(), Some(after(60)))
    };
    monitor.watch("licence", Target::from_watched(Arc::new(licence)));
    monitor.tick(NOW);
    assert_eq!(told(&recorder), []);
    monitor.tick(after(60));
    assert_eq!(told(&recorder), [("source_failed", "critical")]);
    monitor.tick(after(61));
    assert_eq!(told(&recorder), [("source_recovered", "info")]);
}

#[test]
fn a_path_that_is_watched_by_two_names_is_shown_as_long_as_one_of_them_stays() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("served.pem");
    std::fs::write(&path, pki::pem_bundle(&pki.chain(-10, 80))).unwrap();
    let gauges = Gauges::default();
    let monitor = pki
        .builder(Arc::<Recorder>::default())
        .with_metrics()
        .build()
        .unwrap();
    let watch = |name: &str, expected: &str| {
        monitor.watch(name, Target::from_path(&path).with_expected_name(expected));
    };
    watch("mine", "a.example");
    watch("theirs", "b.example");
    metrics::with_local_recorder(&gauges, || monitor.tick(NOW));
    metrics::with_local_recorder(&gauges, || monitor.remove("theirs"));
    let band = format!("notafter_chain_band{{source={}}}", path.display());
    assert_eq!(gauges.gauge(&band), Some(0.0), "that of the one that stays");
    let gone: Vec<_> = forgotten(&gauges);
    let gone: Vec<_> = gone
        .iter()
        .map(|series| series.split('{').next().unwrap())
        .collect();
    assert_eq!(gone, ["notafter_evaluation_overdue", "notafter_findings"]);
}

#[test]
fn a_name_that_cannot_be_looked_for_is_one_finding_of_a_folder() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let bundle = pki::pem_bundle(&pki.chain(-10, 80));
        std::fs::write(Path::join(folder.path(), name), bundle).unwrap();
    };
    ["a.pem", "b.pem", "c.pem"].into_iter().for_each(write);
    let monitor = pki.builder(Arc::<Recorder>::default()).build().unwrap();
    let target = || Target::from_path(folder.path()).with_expected_name("a.example");
    monitor.watch("folder", target().with_expected_name("no name"));
    let unusable = |now| {
        monitor.tick(now);
        let findings = monitor.snapshot().findings.into_iter();
        let unusable = findings.filter(|finding| finding.code.as_str() == "unusable_name");
        let sources = unusable.map(|finding| finding.source.unwrap());
        sources.collect::<Vec<_>>()
    };
    assert_eq!(unusable(NOW), ["folder"]);
    write("b.pem");
    assert_eq!(unusable(after(60)), ["folder"]);
    assert_eq!(monitor.snapshot().chains.len(), 3);
    monitor.watch("folder", target());
    assert_eq!(unusable(after(120)), [""; 0]);
    monitor.watch(
        "chain",
        Target::from_chain(pki.chain(-10, 80)).with_expected_name("no name"),
    );
    assert_eq!(unusable(after(180)), ["chain"]);
}
