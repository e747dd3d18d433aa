//! Findings as time series: what cannot be read, or does not fit, is not silent.

use std::collections::BTreeMap;
use std::path::PathBuf;

use notafter::{Monitor, Report, SelfCheck, Target};

use crate::support::gauges::Gauges;
use crate::support::pki::{self, NOW};
use crate::support::promtool::{is_there, promtool};
use crate::support::tls::ring;

struct Ground {
    folder: tempfile::TempDir,
    root: pki::Ca,
}

impl Ground {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            root: pki::root("Root", -1000, 3000),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn chain(&self, name: &str, from: i64, to: i64) -> pki::Leaf {
        let leaf = self.root.leaf(&["a.example"], from, to);
        std::fs::write(self.path(name), pki::pem_bundle([&leaf.der])).unwrap();
        leaf
    }

    fn check(&self, certificates: &[&str], key: Option<&str>) -> Report {
        let mut builder = SelfCheck::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .at(NOW);
        for name in certificates {
            builder = builder.with_path(self.path(name));
        }
        if let Some(key) = key {
            builder = builder.with_key_file(self.path(key));
        }
        builder.build().unwrap().run()
    }
}

/// The samples of these families, by their labels without the folder.
fn samples(text: &str, ground: &Ground, family: &str) -> BTreeMap<String, String> {
    let folder = format!("{}/", ground.folder.path().to_str().unwrap());
    let lines = text.lines().filter(|line| {
        let rest = line.strip_prefix(family);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    lines
        .map(|line| {
            let (labels, value) = line[family.len()..].rsplit_once(' ').unwrap();
            (labels.replace(&folder, ""), value.to_owned())
        })
        .collect()
}

#[test]
fn what_cannot_be_read_and_what_does_not_fit_have_series() {
    let ground = Ground::new();
    let leaf = ground.chain("good.pem", -10, 80);
    ground.chain("ending.pem", -85, 5);
    std::fs::write(ground.path("good.key"), leaf.key_pair.serialize_pem()).unwrap();
    let other = ground.root.leaf(&["b.example"], -1, 80);
    std::fs::write(ground.path("other.key"), other.key_pair.serialize_pem()).unwrap();
    std::fs::write(
        ground.path("twice.pem"),
        "-----END X-----\n-----END X-----\n",
    )
    .unwrap();

    type Rows<'r> = &'r [(&'r str, &'r str)];
    let cases: [(&[&str], Option<&str>, Rows<'_>, Rows<'_>, &str); 5] = [
        (
            &["good.pem"],
            Some("good.key"),
            &[],
            &[("{source=\"good.pem\"}", "1")],
            "0",
        ),
        (
            &["good.pem"],
            Some("other.key"),
            &[(
                "{source=\"good.pem\",code=\"key_mismatch\",severity=\"critical\"}",
                "1",
            )],
            &[("{source=\"good.pem\"}", "1")],
            "2",
        ),
        (
            &["missing.pem", "good.pem", "twice.pem"],
            Some("missing.key"),
            &[
                (
                    "{source=\"missing.key\",code=\"unreadable\",severity=\"critical\"}",
                    "1",
                ),
                (
                    "{source=\"missing.pem\",code=\"unreadable\",severity=\"critical\"}",
                    "1",
                ),
                (
                    "{source=\"twice.pem\",code=\"unreadable\",severity=\"critical\"}",
                    "2",
                ),
            ],
            &[
                ("{source=\"good.pem\"}", "1"),
                ("{source=\"missing.key\"}", "0"),
                ("{source=\"missing.pem\"}", "0"),
                ("{source=\"twice.pem\"}", "0"),
            ],
            "3",
        ),
        (
            &["ending.pem"],
            None,
            &[(
                "{source=\"ending.pem\",code=\"expiring\",severity=\"critical\"}",
                "1",
            )],
            &[("{source=\"ending.pem\"}", "1")],
            "2",
        ),
        (&[], None, &[], &[], "3"),
    ];
    let has_promtool = is_there("promtool");
    for (certificates, key, findings, readable, worst) in cases {
        let report = ground.check(certificates, key);
        let text = report.to_openmetrics();
        let expected = |rows: Rows<'_>| -> BTreeMap<_, _> {
            let rows = rows.iter();
            rows.map(|(labels, value)| ((*labels).to_owned(), (*value).to_owned()))
                .collect()
        };
        let found = samples(&text, &ground, "notafter_findings");
        assert_eq!(found, expected(findings), "{certificates:?}");
        let read = samples(&text, &ground, "notafter_source_readable");
        assert_eq!(read, expected(readable), "{certificates:?}");
        let all = samples(&text, &ground, "notafter_worst");
        assert_eq!(all, expected(&[("", worst)]), "{certificates:?}");
        assert_eq!(worst, report.exit_code().to_string());
        if has_promtool {
            assert_eq!(
                promtool(&["check", "metrics"], &text),
                (true, String::new())
            );
        }
    }
}

#[test]
fn hostile_names_are_labels_that_prometheus_reads() {
    if !is_there("promtool") {
        return;
    }
    let ground = Ground::new();
    let name = "a\"b\\c\nd{e=\"f\"} 1\n# EOF\u{202e}\u{1b}.pem";
    ground.chain(name, -85, 5);
    let text = ground
        .check(&[name, &format!("{name}.missing")], None)
        .to_openmetrics();
    assert_eq!(
        promtool(&["check", "metrics"], &text),
        (true, String::new())
    );
    assert_eq!(
        samples(&text, &ground, "notafter_source_readable").len(),
        2,
        "{text}"
    );
}

#[test]
fn a_source_that_can_no_longer_be_read_keeps_a_series_that_says_so() {
    let ground = Ground::new();
    std::fs::create_dir(ground.path("tls")).unwrap();
    ground.chain("tls/a.pem", -10, 80);
    ground.chain("tls/b.pem", -10, 80);
    let gauges = Gauges::default();
    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&ground.root]))
        .with_provider(ring())
        .with_metrics()
        .build()
        .unwrap();
    let tick = |minutes: i64| {
        metrics::with_local_recorder(&gauges, || monitor.tick(NOW.saturating_add(minutes * 60)));
    };
    let (a, b) = (ground.name("tls/a.pem"), ground.name("tls/b.pem"));
    let readable =
        |source: &str| gauges.gauge(&format!("notafter_source_readable{{source={source}}}"));
    let findings = |source: &str, kind: &str| {
        gauges.gauge(&format!("notafter_findings{{source={source},{kind}}}"))
    };
    let unreadable = "code=unreadable,severity=critical";
    let worst = || gauges.gauge("notafter_worst");

    tick(0);
    assert_eq!(
        worst(),
        Some(3.0),
        "nothing is watched, so nothing is known"
    );
    monitor.watch("tls", Target::from_path(ground.path("tls")));
    tick(1);
    assert_eq!(
        (readable(&a), readable(&b), worst()),
        (Some(1.0), Some(1.0), Some(0.0))
    );
    assert_eq!(findings(&a, unreadable), None);

    std::fs::write(ground.path("tls/a.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    tick(2);
    assert_eq!(
        (readable(&a), readable(&b), worst()),
        (Some(0.0), Some(1.0), Some(3.0))
    );
    assert_eq!(findings(&a, unreadable), Some(1.0));
    // What was read last is judged on.
    let end = gauges.gauge(&format!("x509_cert_not_after{{source={a},position=leaf}}"));
    assert!(end.unwrap() > 0.0);

    let missing = ground.name("none.pem");
    monitor.watch("none", Target::from_path(&missing));
    tick(3);
    assert_eq!(
        (readable(&missing), findings(&missing, unreadable)),
        (Some(0.0), Some(1.0))
    );

    ground.chain("tls/a.pem", -70, 18);
    assert!(monitor.remove("none"));
    tick(4);
    assert_eq!((readable(&a), worst()), (Some(1.0), Some(1.0)));
    assert!(findings(&a, unreadable).unwrap().is_nan());
    assert_eq!(findings(&a, "code=expiring,severity=warning"), Some(1.0));
}
