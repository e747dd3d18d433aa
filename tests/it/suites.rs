//! Suites without recorded intervals: at every date, one second before and after, our timeline
//! says what plain webpki says.

use std::path::Path;
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use notafter::cert::CertificateFacts;
use notafter::revocation::{CrlExpiration, Crls};
use notafter::{Certificate, Loader, Timestamp};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use webpki::{BorrowedCertRevocationList, CertRevocationList};

use crate::limbo::{judge, webpki_accepts};
use crate::support::corpora;
use crate::support::limbo::Case;

fn ders(path: &Path) -> Vec<CertificateDer<'static>> {
    let contents = Loader::new().load_file(path);
    contents
        .certificates
        .iter()
        .map(|found| found.certificate.der().clone())
        .collect()
}

/// The leaf and all that it leads to by names.
fn leaf_and_issuers(
    mut chain: Vec<CertificateDer<'static>>,
    intermediates: &[CertificateDer<'static>],
) -> Vec<CertificateDer<'static>> {
    let mut next = 0;
    while let Some(der) = chain.get(next) {
        next += 1;
        let certificate = Certificate::from_der(der).unwrap();
        let issuers = intermediates.iter().filter(|der| {
            let facts = CertificateFacts::parse(der).unwrap();
            facts.subject_der() == certificate.facts().issuer_der() && !chain.contains(der)
        });
        chain.extend(issuers.cloned().collect::<Vec<_>>());
    }
    chain
}

/// How many instants were compared, and how many of them verify.
fn compare(case: &Case) -> (usize, usize) {
    let Some(chain) = &case.chain else {
        return (0, 0);
    };
    let judge = judge(case);
    let timeline = judge.timeline(chain, None);
    let (mut asked, mut lit) = (0, 0);
    for date in case.dates() {
        for t in [-1, 0, 1].map(|d| date.saturating_add(d)) {
            let theirs = webpki_accepts(case, t);
            let ours = timeline
                .as_ref()
                .is_ok_and(|timeline| timeline.rustls.at(t).is_some());
            assert_eq!(ours, theirs, "{} at {t}", case.id);
            assert_eq!(
                judge.report(chain, None, t).rustls.verifies(),
                theirs,
                "{} at {t}",
                case.id
            );
            asked += 1;
            lit += usize::from(theirs);
        }
    }
    (asked, lit)
}

fn total(cases: &[Case]) -> (usize, usize) {
    let counts = cases.iter().map(compare);
    counts.fold((0, 0), |(asked, lit), (a, l)| (asked + a, lit + l))
}

#[test]
fn boringssls_chain_tests() {
    let Some(folder) = corpora::folder("chains/boringssl/verify_certificate_chain_unittest") else {
        return;
    };
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    for path in corpora::files_below(&folder) {
        if path.extension().is_none_or(|extension| extension != "test") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let field = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_default().trim().to_owned()
        };
        let mut chain = ders(&path.parent().unwrap().join(field("chain")));
        if chain.is_empty() {
            continue;
        }
        let root = if chain.len() > 1 {
            chain.pop()
        } else {
            chain.first().cloned()
        };
        let id = path.strip_prefix(&folder).unwrap().display().to_string();
        let trusted = field("last_cert_trust").starts_with("TRUSTED_ANCHOR");
        let roots = root.into_iter().filter(|_| trusted).collect();
        let usage = if field("key_purpose").starts_with("CLIENT") {
            "CLIENT"
        } else {
            "SERVER"
        };
        let no_errors = text
            .split("expected_errors:")
            .nth(1)
            .unwrap_or_default()
            .trim()
            .is_empty();
        expected.push((field("utc_time"), no_errors));
        cases.push(Case::of_ders(&id, usage, roots, chain, Vec::new()));
    }
    let (asked, lit) = total(&cases);
    // webpki has no policies and its own mind about key usages: its verdict is ours, not theirs.
    let agree = cases.iter().zip(&expected).filter(|(case, (time, valid))| {
        let t: Timestamp = match time.strip_suffix('Z') {
            Some(time) => {
                let part = |n: usize| &time[n..n + 2];
                let parts = [part(0), part(2), part(4), part(6), part(8), part(10)];
                let [y, mo, d, h, mi, s] = parts;
                format!("20{y}-{mo}-{d}T{h}:{mi}:{s}Z").parse().unwrap()
            }
            // BoringSSL's default instant for these tests.
            None => "2021-10-05T12:00:00Z".parse().unwrap(),
        };
        webpki_accepts(case, t) == *valid
    });
    println!(
        "{} chains, {asked} instants, {lit} lit; webpki shares {} of BoringSSL's verdicts",
        cases.len(),
        agree.count()
    );
    assert!(cases.len() >= 108 && asked > 700 && lit > 200);
}

#[test]
fn boringssls_path_builder_certificates() {
    let Some(folder) = corpora::folder("chains/boringssl/path_builder_unittest") else {
        return;
    };
    let mut cases = Vec::new();
    for entry in corpora::files_below(&folder) {
        let name = entry.file_name().unwrap().to_str().unwrap();
        if name != "target.pem" && name != "precertificate.pem" {
            continue;
        }
        let (mut roots, mut chain) = (Vec::new(), ders(&entry));
        for file in corpora::files_below(entry.parent().unwrap()) {
            let is_root = file
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("root");
            if file != entry {
                if is_root { &mut roots } else { &mut chain }.extend(ders(&file));
            }
        }
        let id = entry.parent().unwrap().display().to_string();
        cases.push(Case::of_ders(&id, "SERVER", roots, chain, Vec::new()));
    }
    // Several roots, each certifying the next: every certificate once as the trusted one.
    let multi = [
        "B-by-C", "B-by-F", "C-by-D", "C-by-E", "D-by-D", "E-by-E", "F-by-E",
    ];
    let file = |name: &str| ders(&folder.join(format!("multi-root-{name}.pem")));
    for trusted in multi {
        let chain = [
            file("A-by-B"),
            multi.iter().flat_map(|name| file(name)).collect(),
        ]
        .concat();
        cases.push(Case::of_ders(
            trusted,
            "SERVER",
            file(trusted),
            chain,
            Vec::new(),
        ));
    }
    let (asked, lit) = total(&cases);
    println!("{} sets, {asked} instants, {lit} lit", cases.len());
    assert!(cases.len() >= 12 && lit > 30);
}

#[test]
fn real_chains_with_real_revocation_lists() {
    let Some(folder) = corpora::folder("chains/webpki-real") else {
        return;
    };
    let mut cases = Vec::new();
    for site in ["netflix", "cloudflare_dns", "sanofi", "wpt"] {
        let file = |name: &str| {
            let path = folder.join(site).join(name);
            if path.exists() {
                ders(&path)
            } else {
                Vec::new()
            }
        };
        let chain = [file("ee.der"), file("inter.der")].concat();
        cases.push(Case::of_ders(
            site,
            "SERVER",
            file("ca.der"),
            chain,
            Vec::new(),
        ));
    }
    let (mut roots, mut intermediates, mut leaves, mut lists) = (vec![], vec![], vec![], vec![]);
    for file in corpora::files_below(&folder.join("amazon")) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".crl") {
            lists.push(CertificateRevocationListDer::from(
                std::fs::read(&file).unwrap(),
            ));
        } else if name.starts_with("AmazonRootCA") {
            roots.extend(ders(&file));
        } else if name.contains(".demo.") {
            leaves.push((name, ders(&file)));
        } else {
            intermediates.extend(ders(&file));
        }
    }
    for (name, leaf) in leaves {
        // What the site would have served, and the lists of who is in it.
        let chain = leaf_and_issuers(leaf, &intermediates);
        let issued: Vec<_> = chain
            .iter()
            .map(|der| Certificate::from_der(der).unwrap())
            .collect();
        let own = lists.iter().filter(|list| {
            let list = BorrowedCertRevocationList::from_der(list).unwrap();
            let list = CertRevocationList::from(list);
            issued
                .iter()
                .any(|c| c.facts().issuer_der() == list.issuer())
        });
        for lists in [Vec::new(), own.cloned().collect()] {
            cases.push(Case::of_ders(
                &name,
                "SERVER",
                roots.clone(),
                chain.clone(),
                lists,
            ));
        }
    }
    let (asked, lit) = total(&cases);
    println!("{} chains, {asked} instants, {lit} lit", cases.len());
    assert!(cases.len() >= 28 && lit > 50);

    // x509-parser reads the same nextUpdate in every list.
    let mut lists = 0;
    for der in cases.iter().flat_map(|case| &case.crls) {
        let Ok(crls) = Crls::builder().with_der(der) else {
            continue;
        };
        let (_, theirs) = CertificateRevocationList::from_der(der).unwrap();
        let theirs = theirs.next_update().map(|t| t.timestamp());
        let ours = crls.build().next_updates().next().unwrap();
        assert_eq!(Some(ours.as_unix_seconds()), theirs);
        lists += 1;
    }
    assert!(lists >= 20, "{lists} lists");

    // With expiry enforced, a list's nextUpdate ends what it speaks for: as webpki has it.
    let crls = |lists: &[CertificateRevocationListDer<'_>]| {
        let builder = lists
            .iter()
            .fold(Crls::builder(), |b, der| b.with_der(der).unwrap());
        builder.with_expiration(CrlExpiration::Enforce).build()
    };
    let valid = cases
        .iter()
        .find(|case| case.id.starts_with("valid.rootca1") && !case.crls.is_empty());
    let valid = valid.unwrap();
    let crls = crls(&valid.crls);
    let updates: Vec<_> = crls.next_updates().collect();
    let timeline = judge(valid)
        .with_crls(crls)
        .timeline(valid.chain.as_ref().unwrap(), None)
        .unwrap();
    let end = timeline.rustls.lit().last().unwrap().not_after;
    assert!(
        updates.contains(&end.saturating_add(1)),
        "{end} is not the second before a nextUpdate"
    );
}
