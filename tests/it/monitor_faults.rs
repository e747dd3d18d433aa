//! A monitor whose files are removed, replaced, cut and torn: no alarm is lost, none is made up.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notafter::{Band, EventCode, Loader, Monitor, Severity, Target, Timestamp};

use crate::monitor::{Pki, told};
use crate::support::pki::{NOW, pem_bundle};
use crate::support::tls::Recorder;

const MINUTE: Duration = Duration::from_secs(60);

/// A monitor of one path, a minute between polls.
struct Watching {
    recorder: Arc<Recorder>,
    monitor: Arc<Monitor>,
    now: Timestamp,
}

impl Watching {
    fn path(pki: &Pki, path: &Path) -> Self {
        let recorder = Arc::new(Recorder::default());
        let builder = pki.builder(recorder.clone()).with_poll_interval(MINUTE);
        let loader = Loader::new().with_max_file_bytes(100_000);
        let monitor = builder.with_loader(loader).build().unwrap();
        monitor.watch("disk", Target::from_path(path));
        let mut watching = Self {
            recorder,
            monitor,
            now: NOW.saturating_add(-60),
        };
        watching.tick();
        watching
    }

    fn tick(&mut self) {
        self.now = self.now.saturating_add(60);
        let next = self.monitor.tick(self.now).seconds_since(self.now);
        assert!((1..=60).contains(&next), "polled within the minute: {next}");
    }

    fn told(&mut self) -> Vec<(&'static str, &'static str)> {
        told(&self.recorder)
    }

    fn worst(&self) -> Option<Band> {
        self.monitor.snapshot().worst()
    }
}

const FAILED: (&str, &str) = ("source_failed", "warning");
const READ_AGAIN: (&str, &str) = ("source_recovered", "info");
const CRITICAL: (&str, &str) = ("expiring", "critical");

#[test]
fn whatever_happens_to_the_file_the_alarm_goes_on() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tls.crt");
    let good = pem_bundle(&pki.chain(-85, 5));
    let faults: [(&str, fn(&Path)); 6] = [
        ("not_found", |_| {}),
        ("not_a_file", |path| fs::create_dir(path).unwrap()),
        ("no_certificate_found", |path| fs::write(path, "").unwrap()),
        ("broken_symlink", |path| {
            std::os::unix::fs::symlink("/nowhere", path).unwrap();
        }),
        ("too_large", |path| {
            fs::write(path, " ".repeat(200_000)).unwrap();
        }),
        ("bad_pem", |path| {
            fs::write(path, "-----BEGIN CERTIFICATE-----\nMII\n").unwrap();
        }),
    ];
    for (reason, fault) in faults {
        fs::write(&path, &good).unwrap();
        let mut watching = Watching::path(&pki, &path);
        assert_eq!(watching.told(), [CRITICAL], "{reason}");
        fs::remove_file(&path).unwrap();
        fault(&path);
        watching.tick();
        let events = watching.recorder.take();
        let short: Vec<_> = events
            .iter()
            .map(|event| (event.code, event.severity))
            .collect();
        let failed = (EventCode::SourceFailed, Severity::Warning);
        assert_eq!(short, [failed], "{reason}");
        assert!(
            events[0].message.contains("what was read last is judged"),
            "{events:?}"
        );
        assert_eq!(watching.worst(), Some(Band::Critical), "{reason}");
        let reasons = watching.monitor.health_at(watching.now).reasons;
        let reasons: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(reasons, ["source_failed", "critical"], "{reason}");
        let errors = watching.monitor.source_errors();
        let counted: Vec<_> = errors.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted.len(), 1, "{counted:?}");
        let seen = if reason == "not_a_file" {
            "no_certificate_found"
        } else {
            reason
        };
        assert_eq!(counted[0].0.as_str(), seen);
        // The alarm is repeated, the failure not before a day has passed.
        (0..59).for_each(|_| watching.tick());
        assert_eq!(watching.told(), [CRITICAL], "{reason}");
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir(&path);
        fs::write(&path, &good).unwrap();
        watching.tick();
        assert_eq!(watching.told(), [READ_AGAIN], "{reason}");
        let renewed = pem_bundle(&pki.chain(-1, 89));
        fs::write(&path, renewed).unwrap();
        watching.tick();
        assert_eq!(watching.told(), [("recovered", "info")], "{reason}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_that_was_never_read_is_critical() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tls.crt");
    let mut watching = Watching::path(&pki, &path);
    assert_eq!(watching.told(), [("source_failed", "critical")]);
    let health = watching.monitor.health_at(watching.now);
    assert_eq!(
        (health.ready, health.reasons[0].code),
        (false, "nothing_to_judge")
    );
    fs::write(&path, pem_bundle(&pki.chain(-1, 89))).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [READ_AGAIN]);
    assert!(watching.monitor.health_at(watching.now).ready);
}

#[test]
fn a_renewal_cut_at_every_byte_is_never_taken_for_the_chain() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tls.crt");
    fs::write(&path, pem_bundle(&pki.chain(-85, 5))).unwrap();
    let mut watching = Watching::path(&pki, &path);
    assert_eq!(watching.told(), [CRITICAL]);
    let renewed = pem_bundle(&pki.chain(-1, 89));
    let (mut failures, mut broken) = (0, 0);
    // The last two bytes are the dash and line feed that end the last block's last line.
    for length in 0..renewed.len() - 2 {
        fs::write(&path, &renewed[..length]).unwrap();
        watching.tick();
        let told = watching.told();
        for (code, severity) in &told {
            match (*code, *severity) {
                ("source_failed", _) => failures += 1,
                // Cut between its blocks, the file is a whole chain without its intermediate: that
                // its dates are fine is said together with that, and does not take it back.
                ("broken", _) => broken += 1,
                ("recovered", _) if told.contains(&("broken", "critical")) => {}
                ("expiring" | "source_recovered", _) => {}
                other => panic!("{other:?} at {length}"),
            }
        }
        assert!(watching.worst() >= Some(Band::Critical), "{length}");
    }
    assert!(
        (1..=40).contains(&failures),
        "told once and daily: {failures}"
    );
    assert!(broken <= 30, "{broken}");
    fs::write(&path, &renewed).unwrap();
    watching.tick();
    let told = watching.told();
    assert!(told.contains(&("recovered", "info")), "{told:?}");
    assert_eq!(watching.worst(), Some(Band::Ok));
}

#[test]
fn a_folder_keeps_what_it_cannot_look_for_and_drops_what_was_deleted() {
    let pki = Pki::new();
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("certs");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("a.pem"), pem_bundle(&pki.chain(-85, 5))).unwrap();
    fs::write(folder.join("b.pem"), pem_bundle(&pki.chain(-85, 5))).unwrap();
    let mut watching = Watching::path(&pki, &folder);
    assert_eq!(watching.told(), [CRITICAL, CRITICAL]);
    // The folder cannot be found for a while.
    let aside = outer.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [("source_failed", "critical")]);
    assert_eq!(watching.monitor.snapshot().chains.len(), 2);
    fs::rename(&aside, &folder).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [READ_AGAIN]);
    // One of them is deleted: that settles its matter.
    fs::remove_file(folder.join("a.pem")).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [("recovered", "info")]);
    assert_eq!(watching.monitor.snapshot().chains.len(), 1);
    // The other is replaced by a whole bundle of CA certificates: each is its own matter.
    fs::write(folder.join("b.pem"), pem_bundle([&pki.root.der])).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [("recovered", "info")]);
    assert_eq!(watching.worst(), Some(Band::Ok));
}

#[test]
fn a_clock_set_back_does_not_stop_the_polls() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tls.crt");
    fs::write(&path, pem_bundle(&pki.chain(-85, 5))).unwrap();
    let mut watching = Watching::path(&pki, &path);
    assert_eq!(watching.told(), [CRITICAL]);
    (0..300).for_each(|_| watching.tick());
    watching.told();
    watching.now = NOW.saturating_add(-3_600);
    fs::remove_file(&path).unwrap();
    watching.tick();
    assert_eq!(watching.told(), [FAILED]);
}

#[test]
fn nothing_grows_however_often_it_is_renewed() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.pem");
    let bundle = |n: i64| {
        let expiring = crate::support::pki::root("Old", -900, 10 + n);
        pem_bundle([&pki.root.der, &expiring.der])
    };
    fs::write(&path, bundle(0)).unwrap();
    let mut watching = Watching::path(&pki, &path);
    watching
        .monitor
        .watch("served", Target::from_chain(pki.chain(-85, 5)));
    watching.tick();
    let remembered = |monitor: &Monitor| monitor.save().matches("topic").count();
    let size = remembered(&watching.monitor);
    for n in 1..100 {
        fs::write(&path, bundle(n % 5)).unwrap();
        watching.monitor.replace("served", pki.chain(-85, 5));
        watching.tick();
        assert_eq!(remembered(&watching.monitor), size, "{n}");
        assert_eq!(watching.monitor.snapshot().chains.len(), 3);
    }
    assert!(watching.monitor.remove("disk"));
    assert!(remembered(&watching.monitor) < size);
}
