//! What a private CA issued is watched by a monitor whose anchors do not lead to it: its dates are told
//! either way, and nothing that may be broken is called fine.

use std::sync::{Arc, RwLock};

use notafter::outlook::{TrustGeneration, TrustInForce};
use notafter::self_check::Theme;
use notafter::{Band, Monitor, SelfCheck, Severity, Target, Timestamp, TrustAnchors};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::pki_types::CertificateDer;

use crate::command::json;
use crate::monitor::told;
use crate::support::pki::{self, Ca, NOW, days};
use crate::support::tls::{Recorder, ring};

type Chain = Vec<CertificateDer<'static>>;

/// A private CA, and a monitor that trusts another one.
struct Ground {
    issuing: Ca,
    root: Ca,
    recorder: Arc<Recorder>,
    monitor: Arc<Monitor>,
}

impl Ground {
    fn new() -> Self {
        Self::trusting(pki::anchors([&pki::root("Public root", -1000, 9000)]))
    }

    fn trusting(anchors: TrustAnchors) -> Self {
        let root = pki::root("Private root", -1000, 9000);
        let recorder = Arc::<Recorder>::default();
        let monitor = Monitor::builder()
            .with_trust_anchors(anchors)
            .with_provider(ring())
            .with_observer(recorder.clone())
            .with_jitter_seed(1)
            .build()
            .unwrap();
        Self {
            issuing: root.intermediate("Private issuing CA", -1000, 8000),
            root,
            recorder,
            monitor,
        }
    }

    fn chain(&self, from: i64, to: i64) -> Chain {
        let leaf = self.issuing.leaf(&["a.example"], from, to);
        vec![leaf.der, self.issuing.der.clone()]
    }

    fn watch(&self, chain: &[CertificateDer<'static>]) {
        let target = Target::from_chain(chain.to_vec()).with_expected_name("a.example");
        self.monitor.watch("served", target.dates_only());
    }

    fn tick(&self, now: Timestamp) -> Vec<(&'static str, &'static str)> {
        self.monitor.tick(now);
        told(&self.recorder)
    }

    fn findings(&self) -> Vec<&'static str> {
        let findings = self.monitor.snapshot().findings;
        findings
            .iter()
            .map(|finding| finding.code.as_str())
            .collect()
    }
}

#[test]
fn dates_are_judged_and_told_whoever_is_trusted() {
    let ground = Ground::new();
    let chain = ground.chain(-10, 80);
    let with_root = [chain.clone(), vec![ground.root.der.clone()]].concat();
    let alone = vec![chain[0].clone()];
    for chain in [chain, with_root, alone] {
        let ground = Ground::new();
        ground.watch(&chain);
        let next = ground.monitor.tick(NOW);
        assert_eq!(
            (told(&ground.recorder), ground.findings()),
            (vec![], vec![])
        );
        assert!(next <= days(50));
        let report = ground.monitor.snapshot();
        assert_eq!((report.worst(), report.exit_code()), (Some(Band::Ok), 0));
        assert!(report.chains[0].rustls.is_none() && report.chains[0].timeline.is_none());
        assert_eq!(report.chains[0].ends(), Some(days(80)));
        assert!(ground.monitor.health_at(NOW).ready);
        let steps = [
            (days(50), vec![("expiring", "info")], true),
            (days(60), vec![("expiring", "warning")], true),
            (days(70), vec![("expiring", "critical")], true),
            (
                days(80).saturating_add(1),
                vec![("expired", "critical")],
                false,
            ),
        ];
        for (now, expected, ready) in steps {
            assert_eq!(ground.tick(now), expected, "{now}");
            assert_eq!(ground.monitor.health_at(now).ready, ready, "{now}");
        }
        assert_eq!(ground.monitor.snapshot().exit_code(), 2);
    }
}

#[test]
fn an_intermediate_that_ends_first_is_told_of_by_its_dates_too() {
    let ground = Ground::new();
    let issuing = ground.root.intermediate("Ending CA", -345, 20);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    ground.watch(&[leaf.der, issuing.der.clone()]);
    assert_eq!(ground.tick(NOW), [("expiring", "critical")]);
    let report = ground.monitor.snapshot();
    assert_eq!(report.chains[0].ends(), Some(days(20)));
    let failure = report.first_failure().unwrap();
    assert_eq!(failure.at, days(20).saturating_add(1));
    assert!(
        failure.message.contains("'Ending CA'"),
        "{}",
        failure.message
    );
}

#[test]
fn what_a_chain_says_of_itself_is_judged_whoever_is_trusted() {
    let ground = Ground::new();
    // Of the same name, and with another key.
    let namesake = ground.root.intermediate("Private issuing CA", -1000, 8000);
    let leaf = ground.issuing.leaf(&["a.example"], -10, 80);
    let other = ground.issuing.leaf(&["b.example"], -10, 80);
    let client = ground.issuing.leaf_with(&["a.example"], -10, 80, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let issuing = || ground.issuing.der.clone();
    let cases: [(Chain, &str); 5] = [
        (vec![leaf.der, namesake.der], "bad_signature"),
        (vec![other.der.clone(), issuing()], "name_not_covered"),
        (vec![other.der], "name_not_covered"),
        (vec![client.der, issuing()], "wrong_usage"),
        (vec![issuing(), ground.root.der.clone()], "leaf_is_ca"),
    ];
    for (chain, finding) in cases {
        let ground = Ground::new();
        ground.watch(&chain);
        assert_eq!(ground.tick(NOW), [("broken", "critical")], "{finding}");
        let findings = ground.findings();
        assert!(findings.contains(&finding), "{finding}: {findings:?}");
        let report = ground.monitor.snapshot();
        assert_eq!(
            (report.worst(), report.exit_code()),
            (Some(Band::Broken), 2)
        );
        assert_eq!(report.chains[0].ends(), None);
        assert!(!ground.monitor.health_at(NOW).ready);
    }
}

#[test]
fn no_form_of_a_report_says_until_when_it_verifies() {
    let ground = Ground::new();
    ground.watch(&ground.chain(-10, 80));
    ground.tick(NOW);
    let report = ground.monitor.snapshot();
    let openmetrics = report.to_openmetrics();
    assert!(
        !openmetrics.contains("notafter_effective_not_after{"),
        "{openmetrics}"
    );
    assert!(
        openmetrics.contains("x509_cert_not_after{"),
        "{openmetrics}"
    );
    for text in [
        report.to_text(),
        report.to_nagios(),
        report.to_json(),
        report.to_timeline(100),
        report.to_svg(Theme::Light),
    ] {
        assert!(!text.contains("verifies until"), "{text}");
        assert!(text.contains("served"), "{text}");
    }
}

#[test]
fn where_no_anchor_leads_to_a_chain_it_is_broken_and_its_dates_are_told_besides() {
    let private = Ground::new();
    let whole = private.chain(-10, 80);
    let alone = vec![whole[0].clone()];
    // An intermediate that is missing looks the same, whoever is trusted.
    for chain in [whole, alone] {
        let ground = Ground::new();
        let target = Target::from_chain(chain).with_expected_name("a.example");
        ground.monitor.watch("served", target);
        ground.monitor.tick(NOW);
        let events = ground.recorder.take();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].code.as_str(), "broken");
        assert_eq!(events[0].severity.as_str(), "critical");
        let message = &events[0].message;
        assert!(
            message.contains("is neither among the certificates given"),
            "{message}"
        );
        assert!(message.contains("Target::dates_only"), "{message}");
        assert!(ground.findings().contains(&"unknown_issuer"));
        assert_eq!(ground.monitor.snapshot().exit_code(), 2);
        assert!(!ground.monitor.health_at(NOW).ready);
        let broken = ("broken", "critical");
        for (now, dates) in [
            (days(50), ("expiring", "info")),
            (days(60), ("expiring", "warning")),
            (days(70), ("expiring", "critical")),
        ] {
            let mut told = ground.tick(now);
            told.sort_unstable();
            assert_eq!(told, [broken, dates], "{now}");
        }
        // Over, it is over, whoever is trusted; and nobody is trusted because of that.
        let mut told = ground.tick(days(80).saturating_add(1));
        told.sort_unstable();
        assert_eq!(told, [broken, ("expired", "critical")]);
    }
}

/// Trust that a test changes.
#[derive(Debug)]
struct Changing(RwLock<Arc<TrustGeneration>>);

impl Changing {
    fn set(&self, epoch: u64, anchors: TrustAnchors) {
        *self.0.write().unwrap() = Arc::new(TrustGeneration::new(epoch, anchors));
    }
}

impl TrustInForce for Changing {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.0.read().unwrap())
    }
}

#[test]
fn once_its_anchor_is_there_a_chain_is_well_again_and_its_dates_go_on() {
    let ground = Ground::new();
    let nobody = TrustGeneration::new(0, TrustAnchors::builder().build());
    let trust = Arc::new(Changing(RwLock::new(Arc::new(nobody))));
    let monitor = Monitor::builder()
        .with_trust_in_force(trust.clone())
        .with_provider(ring())
        .with_observer(ground.recorder.clone())
        .build()
        .unwrap();
    let tick = |seconds| {
        monitor.tick(NOW.saturating_add(seconds));
        let mut told = told(&ground.recorder);
        told.sort_unstable();
        told
    };
    monitor.watch("served", Target::from_chain(ground.chain(-75, 15)));
    let (broken, recovered) = (("broken", "critical"), ("recovered", "info"));
    let expiring = ("expiring", "warning");
    let nobody = ("no_trust_anchors", "critical");
    assert_eq!(tick(0), [broken, expiring, nobody]);
    let first = &monitor.snapshot().findings[0];
    assert_eq!(
        (first.code.as_str(), &first.source),
        ("no_trust_anchors", &None)
    );
    assert_eq!(tick(60), []);
    // As long as it is so.
    assert_eq!(tick(3_600), [broken, nobody]);
    trust.set(1, pki::anchors([&ground.root]));
    assert_eq!(tick(3_660), [recovered, recovered]);
    let codes = monitor.snapshot().findings;
    let codes: Vec<_> = codes.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["expiring"]);
    // And it goes again.
    trust.set(2, pki::anchors([&pki::root("Public root", -1000, 9000)]));
    assert_eq!(tick(3_720), [broken]);
    assert!(!monitor.health_at(NOW).ready);
}

#[test]
fn a_monitor_without_anchors_says_so_where_something_is_judged_by_them() {
    let ground = Ground::trusting(TrustAnchors::builder().build());
    assert_eq!(ground.tick(NOW), []);
    // By its dates alone, it takes none.
    ground.watch(&ground.chain(-75, 15));
    let now = NOW.saturating_add(60);
    assert_eq!(ground.tick(now), [("expiring", "warning")]);
    assert_eq!(ground.findings(), ["expiring"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pki::pem_bundle(&ground.chain(-10, 80))).unwrap();
    ground.monitor.watch("file", Target::from_path(file.path()));
    let mut told = ground.tick(NOW.saturating_add(120));
    told.sort_unstable();
    assert_eq!(
        told,
        [("broken", "critical"), ("no_trust_anchors", "critical")]
    );
    ground.monitor.remove("file");
    assert_eq!(
        ground.tick(NOW.saturating_add(180)),
        [("recovered", "info")]
    );
}

#[test]
fn a_monitor_tells_that_the_list_of_its_anchors_grows_old_and_that_a_newer_one_came() {
    let ground = Ground::new();
    let dated = |date| {
        let anchors = pki::anchors([&ground.root]);
        anchors.with_list_date(date)
    };
    let trust = TrustGeneration::new(0, dated(days(-179)));
    let trust = Arc::new(Changing(RwLock::new(Arc::new(trust))));
    let monitor = Monitor::builder()
        .with_trust_in_force(trust.clone())
        .with_provider(ring())
        .with_observer(ground.recorder.clone())
        .build()
        .unwrap();
    monitor.watch("served", Target::from_chain(ground.chain(-10, 380)));
    let tick = |now| {
        monitor.tick(now);
        told(&ground.recorder)
    };
    let findings = || {
        let findings = monitor.snapshot().findings.into_iter();
        let findings = findings.map(|finding| (finding.code.as_str(), finding.severity));
        findings.collect::<Vec<_>>()
    };
    assert_eq!(tick(days(1).saturating_add(-1)), []);
    assert_eq!(findings(), []);
    assert_eq!(tick(days(1)), [("anchor_list_old", "info")]);
    assert_eq!(findings(), [("anchor_list_old", Severity::Info)]);
    assert_eq!(tick(days(2)), []);
    assert_eq!(tick(days(186)), [("anchor_list_old", "warning")]);
    assert_eq!(tick(days(186).saturating_add(3_600)), []);
    assert_eq!(tick(days(187)), [("anchor_list_old", "warning")]);
    let gauges = monitor.snapshot().gauges;
    assert_eq!(gauges[0].gauge.name, "notafter_anchor_list_date");
    trust.set(1, dated(days(187)));
    assert_eq!(tick(days(187).saturating_add(60)), [("recovered", "info")]);
    assert_eq!(findings(), []);
}

#[test]
fn a_check_by_dates_alone_needs_nobody_to_trust() {
    let ground = Ground::new();
    let check = |chain: Chain, now| {
        let check = SelfCheck::builder()
            .with_chain("served", chain)
            .with_expected_name("a.example")
            .with_provider(ring())
            .dates_only()
            .at(now)
            .build()
            .unwrap();
        let report = check.run();
        let codes = report.findings.iter().map(|finding| finding.code.as_str());
        (report.exit_code(), codes.collect::<Vec<_>>())
    };
    let chain = || ground.chain(-10, 80);
    assert_eq!(check(chain(), NOW), (0, vec![]));
    assert_eq!(check(chain(), days(60)), (1, vec!["expiring"]));
    assert_eq!(check(chain(), days(81)), (2, vec!["expired"]));
    let namesake = ground.root.intermediate("Private issuing CA", -1000, 8000);
    let unfit = vec![chain().remove(0), namesake.der];
    assert_eq!(check(unfit, NOW), (2, vec!["bad_signature"]));
}

#[test]
fn the_command_judges_a_private_chain_by_its_dates_where_it_is_told_to() {
    let ground = Ground::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pki::pem_bundle(&ground.chain(-10, 80))).unwrap();
    let path = file.path().to_str().unwrap();
    for (now, code, codes) in [
        (NOW, 0, vec![]),
        (days(60), 1, vec!["expiring"]),
        (days(81), 2, vec!["expired"]),
    ] {
        let report = json(&["--dates-only", "--at", &now.to_string(), path]);
        assert_eq!((report.code, report.codes()), (code, codes), "{now}");
        assert!(report.chain(0)["rustls"].is_null());
    }
}
