//! What metrics show: the same series in OpenMetrics text and in the facade, of leaves, intermediates,
//! anchors, lists, pins and reloads, each with its label of what is watched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::outlook::{TrustGeneration, TrustInForce};
use notafter::pin::{ExpiryRule, FixedPins};
use notafter::policy::Band;
use notafter::reload::{ReloadingAnchors, ReloadingCrls, ReloadingKey};
use notafter::revocation::Crls;
use notafter::{Monitor, PinSet, SelfCheck, SpkiPin, Target, Timestamp};

use crate::support::gauges::Gauges;
use crate::support::pki::{self, Ca, NOW, days};
use crate::support::promtool;
use crate::support::tls::{Recorder, ring};

fn unix(t: Timestamp) -> f64 {
    notafter::monitor::Gauge::from_timestamp("", t).value
}

/// A root, an intermediate of ten years, and what is below it.
struct Pki {
    root: Ca,
    issuer: Ca,
}

impl Pki {
    fn new() -> Self {
        let root = pki::root("Root", -1000, 3000);
        let issuer = root.intermediate("Issuing CA", -345, 1500);
        Self { root, issuer }
    }

    fn chain(&self, from: i64, to: i64) -> Vec<rustls::pki_types::CertificateDer<'static>> {
        let leaf = self.issuer.leaf(&["a.example"], from, to);
        vec![leaf.der, self.issuer.der.clone()]
    }

    fn crls(&self, next_update: Timestamp) -> Crls {
        let list = pki::crl_between(&self.issuer, days(-1), next_update, &[]);
        Crls::builder().with_der(&list).unwrap().build()
    }

    fn pins(&self) -> PinSet {
        let pin = |ca: &Ca| SpkiPin::from_certificate(&ca.certificate());
        PinSet::builder()
            .with_current(pin(&self.root))
            .with_successor_from(pin(&self.issuer), days(50))
            .with_scope("a.example".parse().unwrap())
            .with_expiry(days(60), ExpiryRule::FailClosed)
            .build()
            .unwrap()
    }

    /// A monitor over one of everything.
    fn monitor(&self) -> Arc<Monitor> {
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .with_metrics()
            .build()
            .unwrap();
        monitor.watch("served", Target::from_chain(self.chain(-10, 80)));
        let old = pki::root("Old root", -1000, 90);
        let anchors = pki::anchors([&self.root, &old]);
        monitor.watch("roots", Target::from_anchors(anchors));
        monitor.watch("lists", Target::from_crls(self.crls(days(29))));
        let pins = Arc::new(FixedPins::new(self.pins()));
        monitor.watch("pins", Target::from_pins(pins));
        monitor
    }
}

/// Each sample of OpenMetrics text as the facade's recorder writes it, `name{label=value,...}`.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.replace('"', ""), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

#[test]
fn both_outputs_show_the_same_series() {
    let pki = Pki::new();
    let monitor = pki.monitor();
    let gauges = Gauges::default();
    for now in [NOW, days(55), days(61), days(81)] {
        metrics::with_local_recorder(&gauges, || monitor.tick(now));
        let text = samples(&monitor.snapshot().to_openmetrics());
        let of_monitor = [
            "notafter_watched",
            "notafter_last_evaluated_timestamp_seconds",
        ];
        // These have more labels in the text, of the certificate.
        let detailed = [
            "x509_cert_not_before{",
            "x509_cert_not_after{",
            "notafter_effective_not_after{",
        ];
        let mut compared = 0;
        for (series, value) in gauges.all() {
            // How the monitor itself goes on is no matter of a report.
            let of_watching = series.starts_with("notafter_evaluation_overdue{")
                // It counts what is told of pins and of the application's own, which is no finding.
                || series == "notafter_worst"
                // What is gone: the facade cannot forget.
                || value.is_nan();
            if of_watching || of_monitor.contains(&series.as_str()) {
                continue;
            }
            compared += 1;
            if detailed.iter().any(|name| series.starts_with(name)) {
                let labels = series.trim_end_matches('}');
                let found: Vec<_> = text
                    .iter()
                    .filter(|(other, _)| other.starts_with(&format!("{labels},")))
                    .map(|(_, value)| *value)
                    .collect();
                assert!(found.contains(&value), "{now}: {series} {value}, {found:?}");
            } else {
                assert_eq!(text.get(&series), Some(&value), "{now}: {series}");
            }
        }
        assert!(compared >= 30, "{compared}");
        // And the other way around.
        let known = gauges.all();
        for series in text.keys() {
            let is_detailed = detailed.iter().any(|name| series.starts_with(name))
                || series.starts_with("notafter_chain_verifies{");
            assert!(is_detailed || known.contains_key(series), "{now}: {series}");
        }
    }
}

#[test]
fn both_outputs_say_the_same_of_what_the_numbers_are() {
    let pki = Pki::new();
    let gauges = Gauges::default();
    let monitor = metrics::with_local_recorder(&gauges, || pki.monitor());
    monitor.tick(NOW);
    let text = monitor.snapshot().to_openmetrics();
    let helps = text.lines().filter_map(|line| line.strip_prefix("# HELP "));
    let mut compared = 0;
    for help in helps {
        let (name, help) = help.split_once(' ').unwrap();
        if name != "notafter_chain_verifies" {
            assert_eq!(gauges.help(name).as_deref(), Some(help), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn a_list_that_is_out_of_date_is_no_worse_than_what_is_told_of_it() {
    let pki = Pki::new();
    let gauges = Gauges::default();
    let recorder = Arc::new(Recorder::default());
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&pki.root]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .with_metrics()
        .build()
        .unwrap();
    monitor.watch("served", Target::from_chain(pki.chain(-10, 80)));
    monitor.watch("lists", Target::from_crls(pki.crls(days(29))));
    metrics::with_local_recorder(&gauges, || monitor.tick(days(30)));
    let told = recorder.take();
    let told: Vec<_> = told.iter().map(|event| event.severity.as_str()).collect();
    assert_eq!(told, ["warning"]);
    assert_eq!(gauges.gauge("notafter_worst"), Some(1.0));
    assert_eq!(monitor.snapshot().exit_code(), 1);
}

/// Lists that are replaced whenever somebody has asked for them.
#[derive(Debug)]
struct Turning {
    asked: AtomicUsize,
    generations: [Arc<TrustGeneration>; 2],
}

impl TrustInForce for Turning {
    fn generation(&self) -> Arc<TrustGeneration> {
        let turn = self.asked.fetch_add(1, Ordering::AcqRel);
        Arc::clone(&self.generations[turn % 2])
    }
}

#[test]
fn a_check_judges_and_shows_the_lists_of_one_generation() {
    let pki = Pki::new();
    let generation = |epoch, next_update| {
        let generation = TrustGeneration::new(epoch, pki::anchors([&pki.root]));
        Arc::new(generation.with_crls(pki.crls(next_update)))
    };
    let trust = Turning {
        asked: AtomicUsize::new(0),
        generations: [generation(0, days(29)), generation(1, days(9))],
    };
    let check = SelfCheck::builder()
        .with_chain("served", pki.chain(-10, 80))
        .with_trust_in_force(Arc::new(trust))
        .with_provider(ring())
        .at(days(20))
        .build()
        .unwrap();
    for (is_out_of_date, next_update) in [(false, days(29)), (true, days(9))] {
        let report = check.run();
        let codes: Vec<_> = report.findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes.contains(&"crl_expired"), is_out_of_date, "{codes:?}");
        let shown = samples(&report.to_openmetrics());
        let series = "notafter_crl_next_update{source=crls}";
        assert_eq!(shown[series], unix(next_update));
    }
}

#[test]
fn instants_and_bands_are_those_of_the_policy() {
    let pki = Pki::new();
    let monitor = pki.monitor();
    let gauges = Gauges::default();
    let at = |now: Timestamp| {
        metrics::with_local_recorder(&gauges, || monitor.tick(now));
        gauges.all()
    };
    let of = |name: &str, label: &str| format!("{name}{{source={label}}}");
    let shown = at(NOW);
    // 90 days: due 30 and a warning 20 days before the end. CAs: 180 and 90 days.
    let expected = [
        (
            "x509_cert_not_before",
            "served,position=leaf",
            unix(days(-10)),
        ),
        (
            "x509_cert_not_after",
            "served,position=leaf",
            unix(days(80)),
        ),
        ("notafter_cert_due", "served,position=leaf", unix(days(50))),
        (
            "notafter_cert_warning",
            "served,position=leaf",
            unix(days(60)),
        ),
        ("notafter_cert_band", "served,position=leaf", 0.0),
        (
            "x509_cert_not_before",
            "served,position=intermediate 0",
            unix(days(-345)),
        ),
        (
            "notafter_cert_due",
            "served,position=intermediate 0",
            unix(days(1320)),
        ),
        (
            "notafter_cert_warning",
            "served,position=intermediate 0",
            unix(days(1410)),
        ),
        ("notafter_chain_band", "served", 0.0),
        // Of two anchors, the one to end first, and the worse band.
        (
            "x509_cert_not_after",
            "roots,position=anchor",
            unix(days(90)),
        ),
        (
            "notafter_cert_due",
            "roots,position=anchor",
            unix(days(-90)),
        ),
        (
            "notafter_cert_warning",
            "roots,position=anchor",
            unix(days(0)),
        ),
        ("notafter_cert_band", "roots,position=anchor", 2.0),
        ("notafter_chain_band", "roots", 2.0),
        // 30 days, to the second before nextUpdate: due at a third, a warning at two ninths.
        ("notafter_crl_this_update", "lists", unix(days(-1))),
        ("notafter_crl_next_update", "lists", unix(days(29))),
        ("notafter_crl_due", "lists", unix(days(19))),
        (
            "notafter_crl_warning",
            "lists",
            unix(days(29)) - 1.0 - 575_999.0,
        ),
        ("notafter_crl_band", "lists", 0.0),
        ("notafter_pins_usable", "pins,hosts=a.example", 2.0),
        ("notafter_pins_accepted", "pins,hosts=a.example", 1.0),
        (
            "notafter_pin_set_not_after",
            "pins,hosts=a.example",
            unix(days(60)),
        ),
        ("notafter_pin_set_band", "pins,hosts=a.example", 0.0),
        ("notafter_pin_epoch", "pins", 0.0),
    ];
    for (name, label, value) in expected {
        assert_eq!(shown.get(&of(name, label)), Some(&value), "{name} {label}");
    }

    let (leaf, chain, list) = (
        of("notafter_cert_band", "served,position=leaf"),
        of("notafter_chain_band", "served"),
        of("notafter_crl_band", "lists"),
    );
    let (accepted, set) = (
        of("notafter_pins_accepted", "pins,hosts=a.example"),
        of("notafter_pin_set_band", "pins,hosts=a.example"),
    );
    let before = |t: Timestamp| t.saturating_add(-1);
    let after = |t: Timestamp| t.saturating_add(1);
    let number = |band: Band| f64::from(band.as_number());
    for (now, series, band) in [
        (before(days(19)), &list, 0.0),
        (days(19), &list, number(Band::Due)),
        (before(days(29)), &list, number(Band::Critical)),
        (days(29), &list, number(Band::Expired)),
        (before(days(50)), &leaf, 0.0),
        (before(days(50)), &accepted, 1.0),
        (days(50), &leaf, number(Band::Due)),
        (days(50), &chain, number(Band::Due)),
        (days(50), &set, number(Band::Critical)),
        (days(50), &accepted, 2.0),
        (after(days(60)), &leaf, number(Band::Warning)),
        (after(days(60)), &set, number(Band::Expired)),
        // The set is closed: it accepts nobody.
        (after(days(60)), &accepted, 0.0),
        (days(80), &leaf, number(Band::Critical)),
        (after(days(80)), &leaf, number(Band::Expired)),
        (after(days(80)), &chain, number(Band::Expired)),
    ] {
        assert_eq!(at(now).get(series), Some(&band), "{now}: {series}");
    }
}

#[test]
fn a_renewal_goes_on_in_the_same_series() {
    let pki = Pki::new();
    let monitor = pki.monitor();
    let gauges = Gauges::default();
    let tick = |now| metrics::with_local_recorder(&gauges, || monitor.tick(now));
    tick(NOW);
    let before: Vec<_> = gauges.all().into_keys().collect();
    assert!(monitor.replace("served", pki.chain(50, 140)));
    monitor.watch("lists", Target::from_crls(pki.crls(days(100))));
    tick(days(51));
    let after = gauges.all();
    assert_eq!(after.keys().cloned().collect::<Vec<_>>(), before);
    let due = after["notafter_cert_due{source=served,position=leaf}"];
    assert!((due - unix(days(110))).abs() < 1.0);
    assert!(after.values().all(|value| !value.is_nan()));
}

#[test]
fn bands_have_stable_numbers_from_best_to_worst() {
    let numbers = Band::ALL.map(Band::as_number);
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_check_shows_its_lists() {
    let pki = Pki::new();
    let check = |crls: Crls| {
        let check = SelfCheck::builder()
            .with_chain("served", pki.chain(-10, 80))
            .with_trust_anchors(pki::anchors([&pki.root]))
            .with_provider(ring())
            .with_crls(crls)
            .at(days(20))
            .build()
            .unwrap();
        samples(&check.run().to_openmetrics())
    };
    let shown = check(pki.crls(days(29)));
    assert_eq!(shown["notafter_crl_band{source=crls}"], 1.0);
    assert_eq!(
        shown["notafter_crl_next_update{source=crls}"],
        unix(days(29))
    );
    let shown = check(Crls::default());
    assert!(shown.keys().all(|series| !series.contains("crl")));
}

#[test]
fn promtool_finds_nothing_to_say_about_a_report_of_everything() {
    if !promtool::is_there("promtool") {
        return;
    }
    let pki = Pki::new();
    let monitor = pki.monitor();
    let of_its_own = |_: Timestamp| {
        let gauge = notafter::monitor::Gauge::new("licence_seats", 2.5);
        let gauge = gauge.with_label("plan", "a \"good\" one\\\n");
        notafter::monitor::Evaluation::new(Vec::new(), None).with_gauge(gauge)
    };
    monitor.watch("licence", Target::from_watched(Arc::new(of_its_own)));
    monitor.tick(NOW);
    let text = monitor.snapshot().to_openmetrics();
    let said = promtool::promtool(&["check", "metrics"], &text);
    assert_eq!(said, (true, String::new()), "{text}");
    let escaped = "licence_seats{source=\"licence\",plan=\"a \\\"good\\\" one\\\\\\\\u{a}\"} 2.5\n";
    assert!(text.contains(escaped), "{text}");
    // It does look.
    let broken = text.replace("# HELP notafter_crl_due", "# nothing");
    let (_, said) = promtool::promtool(&["check", "metrics"], &broken);
    assert!(said.contains("notafter_crl_due no help text"), "{said}");
}

#[test]
fn reloads_are_counted_by_the_name_that_they_are_watched_by() {
    let (a, b) = (
        pki::root("root A", -100, 3650),
        pki::root("root B", -100, 3650),
    );
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| {
        // As a whole: another file takes its place.
        std::fs::write(path("new"), bytes).unwrap();
        std::fs::rename(path("new"), path(name)).unwrap();
    };
    let deploy = |ca: &Ca| {
        let leaf = ca.leaf(&["a.example"], -10, 80);
        write("tls.crt", pki::pem_bundle([&leaf.der]).as_bytes());
        write("tls.key", leaf.key_pair.serialize_pem().as_bytes());
    };
    deploy(&a);
    write("roots.pem", pki::pem_bundle([&a.der]).as_bytes());
    write("a.crl", &pki::crl(&a, &[]));
    let gauges = Gauges::default();
    let clock = || crate::support::tls::SetTime::at(NOW);
    let (key, anchors, lists) = metrics::with_local_recorder(&gauges, || {
        let key = ReloadingKey::builder()
            .with_pair(path("tls.crt"), path("tls.key"))
            .with_provider(ring())
            .with_clock(clock())
            .with_settle_seconds(0)
            .with_metrics("served");
        let anchors = ReloadingAnchors::builder()
            .with_path(path("roots.pem"))
            .with_clock(clock())
            .with_settle_seconds(0)
            .with_metrics("roots");
        let lists = ReloadingCrls::builder()
            .with_path(path("a.crl"))
            .with_clock(clock())
            .with_settle_seconds(0)
            .with_metrics("lists");
        (
            key.build().unwrap(),
            anchors.build().unwrap(),
            lists.build().unwrap(),
        )
    });
    let numbers = |source: &str| {
        let counter = |name: &str| {
            gauges
                .counter(&format!("{name}{{source={source}}}"))
                .unwrap()
        };
        let gauge = |name: &str| {
            let series = format!("notafter_reload_{name}_timestamp_seconds{{source={source}}}");
            gauges.gauge(&series).unwrap()
        };
        (
            counter("notafter_reloads_total"),
            counter("notafter_reload_failures_total"),
            gauge("stale_since"),
            gauge("last_polled"),
        )
    };
    let poll = |seconds: i64| {
        let now = NOW.saturating_add(seconds);
        key.poll(now);
        anchors.poll(now);
        lists.poll(now);
        unix(now)
    };
    let all = ["served", "roots", "lists"];
    for source in all {
        assert_eq!(numbers(source), (0, 0, 0.0, unix(NOW)), "{source}");
    }
    deploy(&b);
    write("roots.pem", pki::pem_bundle([&a.der, &b.der]).as_bytes());
    write("a.crl", &pki::crl_between(&a, NOW, days(40), &[]));
    let polled = poll(60);
    for source in all {
        assert_eq!(numbers(source), (1, 0, 0.0, polled), "{source}");
    }
    // Broken: counted once, however often it is looked at.
    for name in ["tls.crt", "roots.pem", "a.crl"] {
        write(name, b"nonsense");
    }
    let stale = poll(120);
    let polled = poll(180);
    for source in all {
        assert_eq!(numbers(source), (1, 1, stale, polled), "{source}");
    }
}

#[test]
fn reloaded_anchors_and_lists_are_watched_as_they_are_in_force() {
    let (a, b) = (
        pki::root("root A", -1000, 400),
        pki::root("root B", -1000, 20),
    );
    let recorder = Arc::new(Recorder::default());
    let anchors = ReloadingAnchors::builder()
        .with_bytes("vault", pki::pem_bundle([&a.der]))
        .with_clock(crate::support::tls::SetTime::at(NOW))
        .build()
        .unwrap();
    let lists = |next_update| pki::crl_between(&a, days(-1), next_update, &[]);
    let of_lists = |observed: bool| {
        let builder = ReloadingCrls::builder()
            .with_bytes("vault", lists(days(2)))
            .with_clock(crate::support::tls::SetTime::at(NOW));
        let builder = match observed {
            true => builder.with_observer(recorder.clone()),
            false => builder,
        };
        builder.build().unwrap()
    };
    let (told_itself, told_here) = (of_lists(true), of_lists(false));
    recorder.take();
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&a]))
        .with_provider(ring())
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    monitor.watch("roots", Target::from_watched(anchors.clone()));
    monitor.watch("lists", Target::from_watched(told_itself.clone()));
    let shown = |now| {
        monitor.tick(now);
        samples(&monitor.snapshot().to_openmetrics())
    };
    let first = shown(NOW);
    assert_eq!(
        first["notafter_cert_band{source=vault,position=anchor}"],
        0.0
    );
    assert_eq!(
        first["notafter_crl_next_update{source=lists}"],
        unix(days(2))
    );
    assert_eq!(recorder.take().len(), 0);

    // Other anchors and lists come into force.
    anchors
        .set_bytes("vault", pki::pem_bundle([&a.der, &b.der]).as_bytes(), NOW)
        .unwrap();
    told_itself
        .set_bytes("vault", &lists(days(9)), NOW)
        .unwrap();
    recorder.take();
    assert!(monitor.refresh("roots") && monitor.refresh("lists"));
    let next = shown(NOW);
    assert_eq!(
        next["notafter_cert_band{source=vault,position=anchor}"],
        3.0
    );
    assert_eq!(
        next["notafter_crl_next_update{source=lists}"],
        unix(days(9))
    );
    let told: Vec<_> = recorder
        .take()
        .iter()
        .map(|event| event.code.as_str())
        .collect();
    assert_eq!(told, ["expiring"]);

    // Lists that nobody else tells of.
    monitor.watch("others", Target::from_watched(told_here));
    monitor.tick(days(2));
    let told = recorder.take();
    let told: Vec<_> = told
        .iter()
        .map(|event| (event.code.as_str(), event.role.as_str()))
        .collect();
    assert!(told.contains(&("expired", "crl")), "{told:?}");
}
