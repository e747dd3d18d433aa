//! What a report looks like: lines that fit a terminal, output that nagios does not cut, and roots
//! that lie in many files.

use std::path::Path;

use notafter::source::SourceContents;
use notafter::{Report, SelfCheck};
use rustls::pki_types::CertificateDer;

use crate::support::corpora;
use crate::support::pki::{self, NOW};
use crate::support::tls::ring;

fn check(root: &pki::Ca) -> notafter::self_check::SelfCheckBuilder {
    SelfCheck::builder()
        .with_trust_anchors(pki::anchors([root]))
        .with_provider(ring())
        .at(NOW)
}

fn run(
    root: &pki::Ca,
    chains: impl IntoIterator<Item = (String, Vec<CertificateDer<'static>>)>,
) -> Report {
    let mut builder = check(root);
    for (source, chain) in chains {
        builder = builder.with_chain(source, chain);
    }
    builder.build().unwrap().run()
}

#[test]
fn nagios_gets_no_more_than_it_takes_worst_first() {
    let root = pki::root("Root", -1000, 3000);
    let (ok, worse, worst) = (
        root.leaf(&["a.example"], -1, 89),
        root.leaf(&["a.example"], -80, 10),
        root.leaf(&["a.example"], -90, -1),
    );
    let chain = |leaf: &pki::Leaf, name: String| (name, vec![leaf.der.clone()]);
    let many = |count: usize| (0..count).map(|n| chain(&ok, format!("/etc/service/{n:05}.pem")));

    // What fits stays as it was, in the order in which it was given.
    let few = run(&root, many(50)).to_nagios();
    let (text, data) = few.split_once(" | ").unwrap();
    assert!(
        text.starts_with("NOTAFTER OK - 50 chains checked, the first to end is "),
        "{text}"
    );
    assert_eq!(data.split(' ').count(), 50);
    assert!(!few.contains("more"), "{few}");

    let graver = [
        chain(&worse, "/etc/service/worse.pem".to_owned()),
        chain(&worst, "/etc/service/worst.pem".to_owned()),
    ];
    let line = run(&root, many(10_000).chain(graver)).to_nagios();
    assert!(line.len() <= 4_000, "{}", line.len());
    assert_eq!(line.lines().count(), 1);
    let (text, data) = line.split_once(" | ").unwrap();
    let shown: Vec<_> = data.split(' ').collect();
    assert!(
        shown[0].starts_with("'/etc/service/worst.pem'=-86400s;"),
        "{}",
        shown[0]
    );
    assert!(
        shown[1].starts_with("'/etc/service/worse.pem'=864000s;"),
        "{}",
        shown[1]
    );
    assert!(shown.len() > 40, "{}", shown.len());
    let left = 10_002 - shown.len();
    let end = format!("(performance data of the worst chains, and {left} more)");
    assert!(
        text.starts_with("NOTAFTER CRITICAL - /etc/service/worst.pem: leaf 'a.example' expired"),
        "{text}"
    );
    assert!(text.ends_with(&end), "{text}");

    // A name that is too long for itself.
    let long = run(&root, [chain(&worst, "x".repeat(9_000))]).to_nagios();
    assert!(
        long.len() <= 4_000 && long.contains("xxx ..."),
        "{}",
        long.len()
    );
    assert!(
        long.ends_with(" (performance data of the worst chains, and 1 more)"),
        "{long}"
    );
}

/// The words of a text, however its lines are broken.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn lines_of_a_report_fit_a_terminal() {
    let folder = corpora::data("incidents/addtrust-2020-comodo-rsa/certs");
    let read = |name: &str| std::fs::read(folder.join(name).with_extension("pem")).unwrap();
    let served = [
        read("leaf"),
        read("comodo-rsa-ov"),
        read("comodo-rsa-ca-by-addtrust"),
    ]
    .concat();
    let root = SourceContents::from_bytes("root.pem", &read("addtrust-root"));
    let report = |at: &str| {
        SelfCheck::builder()
            .with_contents(SourceContents::from_bytes("served.pem", &served))
            .with_path("/missing/service.pem")
            .with_expected_name("b.example")
            .with_trust_anchors(notafter::TrustAnchors::builder().with_source(&root).build())
            .with_provider(ring())
            .at(at.parse().unwrap())
            .build()
            .unwrap()
            .run()
    };
    for at in [
        "2020-05-01T00:00:00Z",
        "2020-05-30T10:48:39Z",
        "2019-01-01T00:00:00Z",
    ] {
        let report = report(at);
        let text = report.to_text();
        for line in text.lines() {
            // A word alone on its line may be longer.
            let fits = line.chars().count() <= 80 || words(line).len() == 1;
            assert!(fits, "{line}");
        }
        let wide = report.to_text_within(1_000);
        assert_eq!(words(&text), words(&wide));
        assert!(wide.lines().count() < text.lines().count());
    }
    let text = report("2020-05-01T00:00:00Z").to_text();
    let (head, _) = text.split_once("\n\nfirst failure").unwrap();
    assert_eq!(
        head,
        "\
1 chain at 2020-05-01T00:00:00Z, worst: broken

served.pem: broken
  rustls  does not verify: the leaf does not cover 'b.example', only
          no-common-name.badssl.com: order a certificate with that name, or
          serve the right one
  strict  does not verify: the leaf does not cover 'b.example', only
          no-common-name.badssl.com: order a certificate with that name, or
          serve the right one
  openssl  verifies until 2020-05-30T10:48:37Z (in 29 d 10 h)
    position        not after                             name
    leaf            2020-06-22T23:59:59Z    in 52 d 23 h
      no-common-name.badssl.com
    intermediate 0  2029-02-11T23:59:59Z  in 3208 d 23 h
      COMODO RSA Organization Validation Secure Server CA
    intermediate 1  2020-05-30T10:48:38Z    in 29 d 10 h
      COMODO RSA Certification Authority"
    );
}

#[test]
fn a_root_that_lies_in_many_files_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let roots: Vec<_> = (0..3)
        .map(|n| pki::root(&format!("Root {n}"), -1000, 3000))
        .collect();
    let old = pki::root("Old Root", -3000, -1);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, pem: String| std::fs::write(folder.path().join(name), pem).unwrap();
    for (n, root) in roots.iter().enumerate() {
        write(&format!("Root_{n}.pem"), pki::pem_bundle([&root.der]));
    }
    write("Old_Root.pem", pki::pem_bundle([&old.der]));
    // As Debian lays it out: names and hashes that are links, and everything once more in a bundle.
    #[cfg(unix)]
    for n in 0..3 {
        std::os::unix::fs::symlink(format!("Root_{n}.pem"), path(&format!("{n}bcdef01.0")))
            .unwrap();
    }
    let all = roots.iter().chain([&old]).map(|root| &root.der);
    write("ca-certificates.crt", pki::pem_bundle(all.clone()));
    write("copy.crt", pki::pem_bundle(all));

    let report = check(&roots[0])
        .with_path(folder.path())
        .build()
        .unwrap()
        .run();
    let expired: Vec<_> = report
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(expired, ["expired"]);
    assert_eq!(report.chains.len(), 4);
    for chain in &report.chains {
        assert!(
            chain.source.ends_with(".pem") || chain.source.ends_with(".0"),
            "{}",
            chain.source
        );
        assert_eq!(
            chain.also_in,
            [path("ca-certificates.crt"), path("copy.crt")]
        );
    }
    let text = report.to_text_within(1_000);
    assert!(text.starts_with("4 chains at "), "{text}");
    let old = format!(
        "{}: expired (also in {} and 1 more)",
        path("Old_Root.pem"),
        path("ca-certificates.crt")
    );
    assert!(text.contains(&old), "{text}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["chains"][0]["also_in"][1], path("copy.crt").as_str());
    // All files have been read.
    let metrics = report.to_openmetrics();
    let readable = metrics
        .lines()
        .filter(|line| line.starts_with("notafter_source_readable{"));
    assert_eq!(readable.count(), 6);

    // A leaf is judged with what lies beside it, so it is reported wherever it lies.
    let leaf = roots[1].leaf(&["a.example"], -10, 80);
    for name in ["leaf-1.pem", "leaf-2.pem"] {
        write(name, pki::pem_bundle([&leaf.der]));
    }
    let report = check(&roots[1])
        .with_path(folder.path())
        .build()
        .unwrap()
        .run();
    assert_eq!(report.chains.len(), 6);
}

#[test]
fn debians_own_store_has_each_root_once() {
    let store = Path::new("/etc/ssl/certs");
    let bundle = store.join("ca-certificates.crt");
    let Ok(pem) = std::fs::read(&bundle) else {
        assert!(std::env::var_os("CI").is_none(), "install ca-certificates");
        println!("skipped: there is no store of Debian here");
        return;
    };
    let bundle = SourceContents::from_bytes("bundle", &pem);
    let report = SelfCheck::builder()
        .with_path(store)
        .with_trust_anchors(notafter::TrustAnchors::builder().build())
        .with_provider(ring())
        .build()
        .unwrap()
        .run();
    let mut seen = std::collections::HashSet::new();
    for chain in report.chains.iter().filter(|chain| chain.rustls.is_none()) {
        let certificate = &chain.certificates[0].certificate;
        assert!(
            seen.insert(certificate.fingerprint()),
            "{certificate:?} twice"
        );
    }
    assert!(
        seen.len() >= bundle.certificates.len(),
        "{} of {}",
        seen.len(),
        bundle.certificates.len()
    );
}
