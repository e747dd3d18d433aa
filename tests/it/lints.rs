//! What a self-check says of chains that rustls accepts, of the clock, of revocation lists, and of
//! the time ahead.

use std::sync::Arc;
use std::time::Duration;

use notafter::cert::KeyType;
use notafter::outlook::Position;
use notafter::revocation::{CrlExpiration, Crls};
use notafter::self_check::{FindingCode, LifetimeLimits, SelfCheckBuilder};
use notafter::source::SourceContents;
use notafter::{
    Certificate, Report, SelfCheck, Severity, ThresholdPolicy, Timestamp, TrustAnchors,
};
use rcgen::{KeyPair, SanType};
use rustls::pki_types::CertificateDer;

use crate::support::corpora;
use crate::support::pki::{self, Ca, NOW, days};
use crate::support::tls::{FixedTime, ring};

fn check(anchors: TrustAnchors) -> SelfCheckBuilder {
    SelfCheck::builder()
        .with_trust_anchors(anchors)
        .with_provider(ring())
}

fn run(root: &Ca, chain: &[&CertificateDer<'static>]) -> Report {
    let chain = chain.iter().map(|der| (*der).clone());
    check(pki::anchors([root]))
        .with_chain("chain", chain)
        .at(NOW)
        .build()
        .unwrap()
        .run()
}

fn codes(report: &Report) -> Vec<(&'static str, Option<Position>)> {
    report
        .findings
        .iter()
        .map(|f| (f.code.as_str(), f.position))
        .collect()
}

#[test]
fn superfluous_and_unordered_certificates_are_told() {
    let root = pki::root("Root", -1000, 3000);
    let upper = root.intermediate("Upper", -300, 2000);
    let lower = upper.intermediate("Lower", -300, 2000);
    let leaf = lower.leaf(&["a.example"], -10, 80);
    let stranger = pki::root("Other", -1000, 3000).intermediate("Stranger", -300, 2000);
    let at = Position::Intermediate;
    let cases: [(&[&CertificateDer<'static>], Vec<(&str, Option<Position>)>); 6] = [
        (&[&leaf.der, &lower.der, &upper.der], vec![]),
        (
            &[&leaf.der, &upper.der, &lower.der],
            vec![("unordered_chain", Some(Position::Leaf))],
        ),
        (
            &[&leaf.der, &lower.der, &lower.der, &upper.der],
            vec![("duplicate_certificate", Some(at(1)))],
        ),
        (
            &[&leaf.der, &lower.der, &upper.der, &root.der],
            vec![("anchor_sent", Some(at(2)))],
        ),
        (
            &[&leaf.der, &lower.der, &upper.der, &stranger.der],
            vec![("unneeded_certificate", Some(at(2)))],
        ),
        (
            &[&leaf.der, &stranger.der, &lower.der, &upper.der],
            vec![("unneeded_certificate", Some(at(0)))],
        ),
    ];
    for (chain, expected) in cases {
        let report = run(&root, chain);
        assert_eq!(codes(&report), expected);
        assert_eq!(report.exit_code(), 0, "rustls minds none of this");
    }
}

#[test]
fn a_cross_sign_that_ends_first_is_told() {
    let (old, new) = (pki::root("Old", -1000, 500), pki::root("New", -1000, 3000));
    let issuing = new.intermediate("Issuing", -300, 2000);
    let twin = old.cross_sign(&issuing, -300, 9);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let chain = [leaf.der.clone(), issuing.der.clone(), twin];
    let report = check(pki::anchors([&old, &new]))
        .with_chain("chain", chain)
        .at(NOW);
    let report = report.build().unwrap().run();
    let finding = report
        .findings
        .iter()
        .find(|f| f.code == FindingCode::ExpiringCrossSign)
        .unwrap();
    assert_eq!(finding.position, Some(Position::Intermediate(1)));
    assert_eq!(
        finding.message,
        "the cross-sign 'Issuing' by 'Old' ends in 9 d, at 2026-01-10T00:00:00Z; rustls goes on by another \
         path, clients that follow only this one do not: leave it out, or replace it"
    );
    // The path that lasts longest decides the band.
    assert_eq!(
        (report.chains[0].band.as_str(), report.exit_code()),
        ("ok", 0)
    );
}

#[test]
fn a_source_s_name_cannot_turn_a_terminal_s_line_around() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -10, 80);
    let report = check(pki::anchors([&root]))
        .with_chain("a\u{202e}b\u{61c}c\u{e0041}\nd", [leaf.der])
        .at(NOW)
        .build()
        .unwrap()
        .run();
    let hidden = ['\u{202e}', '\u{61c}', '\u{e0041}'];
    let (text, nagios) = (report.to_text(), report.to_nagios());
    assert!(
        !text.contains(hidden) && !nagios.contains(hidden),
        "{text:?} {nagios:?}"
    );
    assert!(
        text.contains("a\\u{202e}b\\u{61c}c\\u{e0041}\\u{a}d"),
        "{text}"
    );
    assert!(
        nagios.contains("a\\u{202e}b\\u{61c}c\\u{e0041}\\u{a}d"),
        "{nagios}"
    );
}

/// Roots that browsers trust for what was issued until a date; the leaf is ten days old.
#[test]
fn what_a_distrusted_root_issued_too_late_is_told() {
    let (a, b) = (
        pki::root("Root A", -1000, 3000),
        pki::root("Root B", -1000, 3000),
    );
    let of_a = a.leaf(&["a.example"], -10, 80);
    let cross = b.cross_sign(&a, -500, 2000);
    let until = |root: &Ca, date| (root.certificate().fingerprint(), date);
    let issued = of_a.certificate().not_before();
    let late = ("issued_after_distrust", Severity::Warning);
    let ahead = ("distrust_ahead", Severity::Info);
    let cases = [
        (vec![], None),
        (vec![until(&a, issued.saturating_add(-1))], Some(late)),
        // Issued at that very second, it is trusted still.
        (vec![until(&a, issued)], Some(ahead)),
        (vec![until(&b, issued.saturating_add(-1))], None),
    ];
    for (dates, expected) in cases {
        let roots = [&a, &b].map(|root| root.der.clone());
        let anchors = || TrustAnchors::builder().with_certificates(&roots);
        let check_by = |anchors: TrustAnchors, chain: Vec<CertificateDer<'static>>| {
            let report = check(anchors)
                .with_chain("chain", chain)
                .at(NOW)
                .build()
                .unwrap()
                .run();
            assert!(report.chains[0].rustls.as_ref().unwrap().verifies());
            let found = report
                .findings
                .iter()
                .map(|f| (f.code.as_str(), f.severity));
            found
                .filter(|(code, _)| code.contains("distrust"))
                .collect::<Vec<_>>()
        };
        let alone = anchors().with_distrust_after(dates.clone()).build();
        let found = check_by(alone, vec![of_a.der.clone()]);
        assert_eq!(found, Vec::from_iter(expected), "{dates:?}");
        // A way to a root that is trusted without such a date is what browsers go by.
        let crossed = anchors().with_distrust_after(dates).build();
        assert_eq!(check_by(crossed, vec![of_a.der.clone(), cross.clone()]), []);
    }
}

#[test]
fn the_age_of_a_list_of_anchors_is_told_where_its_date_is_known() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -10, 80).der;
    let policy = ThresholdPolicy::builder();
    let [fortnight, month] = [14, 30].map(|days| Duration::from_secs(days * 86_400));
    let strict = policy.with_anchor_list(fortnight, month).build().unwrap();
    let default = ThresholdPolicy::default();
    let cases = [
        (default, days(-180).saturating_add(1), None),
        (default, days(-180), Some(Severity::Info)),
        (default, days(-365).saturating_add(1), Some(Severity::Info)),
        (default, days(-365), Some(Severity::Warning)),
        (default, days(-9000), Some(Severity::Warning)),
        // A date to come is the clock's matter, or a mistake of who wrote it.
        (default, days(1), None),
        (strict, days(-14).saturating_add(1), None),
        (strict, days(-14), Some(Severity::Info)),
        (strict, days(-30), Some(Severity::Warning)),
    ];
    for (policy, date, expected) in cases {
        // The oldest of several lists counts.
        let anchors = pki::anchors([&root]).with_list_date(date);
        let report = check(anchors.with_list_date(days(2)))
            .with_chain("chain", [leaf.clone()])
            .with_policy(policy)
            .at(NOW)
            .build()
            .unwrap()
            .run();
        let found = report.findings.iter();
        let found = found.map(|f| (f.code.as_str(), f.severity));
        let expected = expected.map(|severity| ("anchor_list_old", severity));
        assert_eq!(
            found.collect::<Vec<_>>(),
            Vec::from_iter(expected),
            "{date}"
        );
        let gauge = report.gauges.iter().map(|g| (&*g.source, g.gauge.name));
        assert_eq!(
            gauge.collect::<Vec<_>>(),
            [("anchors", "notafter_anchor_list_date")]
        );
        let line = format!(
            "\nnotafter_anchor_list_date{{source=\"anchors\"}} {}\n",
            date.as_unix_seconds()
        );
        assert!(report.to_openmetrics().contains(&line), "{line}");
    }
    let undated = check(pki::anchors([&root]))
        .with_chain("chain", [leaf])
        .at(NOW)
        .build()
        .unwrap()
        .run();
    assert!(undated.findings.is_empty() && undated.gauges.is_empty());
}

#[test]
fn keys_signatures_names_and_lifetimes_are_looked_at() {
    let root = pki::root("Root", -1000, 3000);
    let nameless = root.leaf_with(&[], -10, 80, |params| {
        params.subject_alt_names = vec![SanType::URI("spiffe://a/b".try_into().unwrap())];
    });
    assert_eq!(
        codes(&run(&root, &[&nameless.der])),
        [("no_subject_alt_name", Some(Position::Leaf))]
    );

    // A dNSName without a character is no name.
    let empty = root.leaf_with(&[], -10, 80, |params| {
        params.subject_alt_names = vec![SanType::DnsName("".try_into().unwrap())];
    });
    let report = run(&root, &[&empty.der]);
    assert_eq!(
        codes(&report),
        [("no_subject_alt_name", Some(Position::Leaf))]
    );
    let certificate = empty.certificate();
    assert_ne!(certificate.short_name(), "");
    assert_eq!(
        certificate.details().unwrap().subject_alt_names.first(),
        None
    );

    // An RSA key restricted to PSS has a size, and a curve without a name is none.
    let cases: [(&[u8], _, _, _); 2] = [
        (
            include_bytes!("../data/formats/rsa-pss-1024.der"),
            KeyType::RsaPss { hash: None },
            1024,
            "its RSA key has 1024 bits",
        ),
        (
            include_bytes!("../data/formats/explicit-ec.der"),
            KeyType::EcExplicit,
            256,
            "its EC key states the parameters",
        ),
    ];
    for (der, key_type, bits, message) in cases {
        let der = CertificateDer::from(der);
        let details = Certificate::from_der(&der).unwrap().details().unwrap();
        assert_eq!((details.key_type, details.key_bits), (key_type, bits));
        let report = run(&root, &[&der]);
        let weak = report
            .findings
            .iter()
            .find(|f| f.code == FindingCode::WeakKey);
        assert!(weak.unwrap().message.starts_with(message), "{weak:?}");
    }

    // Issued in December 2025, when 398 days were the limit: both ends are good seconds.
    for (from, to, over) in [(-10, 388, true), (-10, 387, false)] {
        let leaf = root.leaf(&["a.example"], from, to);
        let builder = || {
            check(pki::anchors([&root]))
                .with_chain("chain", [leaf.der.clone()])
                .at(NOW)
        };
        let private = builder().build().unwrap().run();
        assert!(
            private.findings.is_empty(),
            "a private CA may do as it likes"
        );
        let limited = builder()
            .with_lifetime_limits(LifetimeLimits::ForAll)
            .build()
            .unwrap()
            .run();
        let codes = codes(&limited);
        assert_eq!(
            codes.contains(&("lifetime_over_limit", Some(Position::Leaf))),
            over
        );
    }

    // An RSA key of 512 bits, and an intermediate signed with SHA-1.
    let Some(folder) = corpora::folder("chains/boringssl/verify_certificate_chain_unittest") else {
        return;
    };
    let cases = [
        (
            "target-has-512bit-rsa-key",
            FindingCode::WeakKey,
            Position::Leaf,
        ),
        (
            "intermediate-signed-with-sha1",
            FindingCode::WeakSignature,
            Position::Intermediate(0),
        ),
    ];
    for (case, code, position) in cases {
        let bytes = std::fs::read(folder.join(case).join("chain.pem")).unwrap();
        let contents = SourceContents::from_bytes(case, &bytes);
        let report = check(TrustAnchors::default())
            .with_contents(contents)
            .at(NOW)
            .build()
            .unwrap()
            .run();
        let found = report.findings.iter().find(|f| f.code == code).expect(case);
        assert_eq!(
            (found.position, found.severity),
            (Some(position), Severity::Warning)
        );
    }
}

#[test]
fn a_public_anchor_brings_the_limits_with_it() {
    let folder = corpora::data("incidents/addtrust-2020-comodo-rsa/certs");
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let served = [file("leaf.pem"), file("comodo-rsa-ov.pem")].concat();
    let run = |anchors: TrustAnchors| {
        let contents = SourceContents::from_bytes("served.pem", &served);
        let at = "2018-01-01T00:00:00Z".parse().unwrap();
        check(anchors)
            .with_contents(contents)
            .at(at)
            .build()
            .unwrap()
            .run()
    };
    let public = run(TrustAnchors::from_mozilla());
    let root = SourceContents::from_bytes("root", &file("comodo-rsa-ca-root.pem"));
    let given = run(TrustAnchors::builder().with_source(&root).build());
    for report in [&public, &given] {
        let timeline = report.chains[0].timeline.as_ref().unwrap();
        assert_eq!(timeline.rustls.paths.len(), 1);
    }
    // Issued in 2017, before there was a limit: three years are fine.
    assert_eq!(codes(&public), []);
    let is_public = |report: &Report| {
        report.chains[0].timeline.as_ref().unwrap().rustls.paths[0]
            .anchor
            .is_public
    };
    assert!(is_public(&public) && !is_public(&given));
}

#[test]
fn a_wrong_clock_is_blamed_instead_of_the_certificates() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -10, 80);
    let run = |clock: Timestamp, known: Option<Timestamp>| {
        let builder = check(pki::anchors([&root])).with_chain("chain", [leaf.der.clone()]);
        let builder = builder.with_clock(Arc::new(FixedTime(clock.to_unix_time().unwrap())));
        let builder = known
            .into_iter()
            .fold(builder, SelfCheckBuilder::with_known_past);
        builder.build().unwrap().run()
    };
    // The clock woke up in 1970: nothing else is worth saying.
    let report = run(Timestamp::from_unix_seconds(60), None);
    let first = &report.findings[0];
    assert_eq!(
        (first.code, first.severity),
        (FindingCode::ClockSuspect, Severity::Critical)
    );
    assert!(
        report
            .findings
            .iter()
            .all(|f| f.code != FindingCode::NotYetValid)
    );
    assert_eq!(
        (report.at, report.exit_code()),
        (Timestamp::from_unix_seconds(60), 2)
    );
    // After this version was released, before the application was built.
    let after_release = "2027-01-01T00:00:00Z".parse().unwrap();
    let built = "2027-02-01T00:00:00Z".parse().unwrap();
    assert!(
        !codes(&run(after_release, None))
            .iter()
            .any(|(code, _)| *code == "clock_suspect")
    );
    assert_eq!(
        run(after_release, Some(built)).findings[0].code,
        FindingCode::ClockSuspect
    );
    // An instant that was asked for is no clock.
    let asked = check(pki::anchors([&root]))
        .with_chain("chain", [leaf.der.clone()])
        .with_known_past(built);
    let asked = asked
        .at(Timestamp::from_unix_seconds(60))
        .build()
        .unwrap()
        .run();
    assert_eq!(asked.findings[0].code, FindingCode::NotYetValid);
}

#[test]
fn the_first_failure_and_ends_that_fall_together_are_foretold() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 60);
    let leaves = [
        issuing.leaf(&["a.example"], -10, 80),
        root.leaf(&["b.example"], -10, 81),
        root.leaf(&["c.example"], -10, 200),
    ];
    let builder = check(pki::anchors([&root]))
        .with_chain("a", [leaves[0].der.clone(), issuing.der.clone()])
        .with_chain("b", [leaves[1].der.clone()])
        .with_chain("c", [leaves[2].der.clone()]);
    let report = builder.at(NOW).build().unwrap().run();
    let failure = report.first_failure().unwrap();
    assert_eq!(failure.at, days(60).saturating_add(1));
    assert_eq!(
        (failure.source.as_str(), failure.position),
        ("a", Some(Position::Intermediate(0)))
    );
    assert_eq!(
        failure.message,
        "a goes dark when its intermediate 0 'Issuing' ends at 2026-03-02T00:00:00Z"
    );
    let groups = report.correlated_expiry(86_400);
    assert_eq!(groups.len(), 1);
    let names: Vec<_> = groups[0]
        .certificates
        .iter()
        .map(|c| c.subject.as_str())
        .collect();
    assert_eq!(names, ["a.example", "b.example"]);
    assert!(report.correlated_expiry(86_399).is_empty());

    // Asked right there, it has failed; asked a second earlier, it has not.
    for (at, dark) in [(failure.at, true), (failure.at.saturating_add(-1), false)] {
        let chain = [leaves[0].der.clone(), issuing.der.clone()];
        let report = check(pki::anchors([&root]))
            .with_chain("a", chain)
            .at(at)
            .build()
            .unwrap()
            .run();
        assert_eq!(report.first_failure().unwrap().at, failure.at);
        assert_eq!(report.chains[0].rustls.as_ref().unwrap().verifies(), !dark);
        assert_eq!(report.clone().into_result().is_err(), dark);
        let error = report.into_result_from(Severity::Critical).unwrap_err();
        // What `main` prints of it is made for people.
        let debug = format!("{error:?}");
        assert!(debug.starts_with("the self-check at 2026-0"), "{debug}");
        assert!(debug.lines().all(|line| line.len() < 400), "{debug}");
    }
}

#[test]
fn gaps_in_the_dark_are_shown() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 10);
    let later = root.cross_sign(&issuing, 20, 100);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let report = run(&root, &[&leaf.der, &issuing.der, &later]);
    let timeline = &report.chains[0].timeline.as_ref().unwrap().rustls;
    let dark = timeline.dark();
    assert_eq!(dark.len(), 1);
    assert_eq!(dark[0].not_before, days(10).saturating_add(1));
    assert_eq!(dark[0].not_after, days(20).saturating_add(-1));
    assert!(timeline.at(days(10)).is_some() && timeline.at(days(15)).is_none());
    let text = report.to_text_within(200);
    assert!(
        text.contains(
            "rustls  dark from 2026-01-11T00:00:01Z to 2026-01-20T23:59:59Z, then verifies again"
        ),
        "{text}"
    );
}

/// A revocation list of this CA: current between these days, with these serial numbers.
fn crl(ca: &Ca, from: i64, to: i64, serials: &[&[u8]]) -> Vec<u8> {
    let at = |day| time::OffsetDateTime::from_unix_timestamp(days(day).as_unix_seconds()).unwrap();
    let revoked = serials.iter().map(|serial| rcgen::RevokedCertParams {
        serial_number: rcgen::SerialNumber::from_slice(serial),
        revocation_time: at(from),
        reason_code: Some(rcgen::RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = rcgen::CertificateRevocationListParams {
        this_update: at(from),
        next_update: at(to),
        crl_number: rcgen::SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    params.signed_by(&ca.issuer()).unwrap().der().to_vec()
}

#[test]
fn revocation_lists_take_part_as_rustls_has_them() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -10, 80);
    let serial = leaf.certificate().facts().serial().to_vec();
    let crls = |der: &[u8], expiration| {
        Crls::builder()
            .with_der(der)
            .unwrap()
            .with_expiration(expiration)
            .build()
    };
    let run = |crls: Crls| {
        let builder = check(pki::anchors([&root])).with_chain("chain", [leaf.der.clone()]);
        builder.with_crls(crls).at(NOW).build().unwrap().run()
    };
    let current = crl(&root, -1, 7, &[]);
    let ignored = run(crls(&current, CrlExpiration::Ignore));
    let outlook = ignored.chains[0].rustls.as_ref().unwrap();
    assert_eq!(
        (outlook.effective_not_after, codes(&ignored)),
        (Some(days(80)), vec![])
    );

    // rustls refuses from nextUpdate on: the last good second is the one before.
    let enforced = run(crls(&current, CrlExpiration::Enforce));
    let outlook = enforced.chains[0].rustls.as_ref().unwrap();
    assert_eq!(
        outlook.effective_not_after,
        Some(days(7).saturating_add(-1))
    );
    assert_eq!(outlook.next_cliff, outlook.effective_not_after);
    assert_eq!(codes(&enforced), [("crl_expiring", None)]);
    let timeline = &enforced.chains[0].timeline.as_ref().unwrap().rustls;
    assert_eq!(
        timeline.lit().last().unwrap().not_after,
        days(7).saturating_add(-1)
    );

    let stale = run(crls(&crl(&root, -9, -1, &[]), CrlExpiration::Enforce));
    assert!(codes(&stale).contains(&("crl_expired", None)));
    assert_eq!(stale.exit_code(), 2);

    let revoked = run(crls(&crl(&root, -1, 7, &[&serial]), CrlExpiration::Ignore));
    assert_eq!(codes(&revoked), [("revoked", Some(Position::Leaf))]);
    assert_eq!(
        (revoked.chains[0].band.as_str(), revoked.exit_code()),
        ("broken", 2)
    );

    assert!(Crls::builder().with_der(b"no list").is_err());
    let _: Option<KeyPair> = None;
}

#[test]
fn a_file_of_thousands_of_same_named_certificates_is_judged_in_bounds() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 2000);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    // All of one name and issued by that name; their signatures are anything.
    let looping = pki::root("Issuing", -300, 2000)
        .intermediate("Issuing", -300, 2000)
        .der;
    let variant = |n: u32| {
        let mut der = looping.to_vec();
        let end = der.len();
        der[end - 4..].copy_from_slice(&n.to_be_bytes());
        CertificateDer::from(der)
    };
    let crowd: Vec<_> = (0..6_000).map(variant).collect();
    let chain = [leaf.der.clone(), issuing.der.clone()]
        .into_iter()
        .chain(crowd.clone());
    let run = |chain: Vec<CertificateDer<'static>>| {
        let builder = check(pki::anchors([&root]))
            .with_chain("chain", chain)
            .at(NOW);
        builder.build().unwrap().run()
    };
    // The real intermediate is among the first: found, and not called complete.
    let report = run(chain.collect());
    let outlook = report.chains[0].rustls.as_ref().unwrap();
    assert_eq!((outlook.verifies(), outlook.complete), (true, false));
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.code == FindingCode::SearchIncomplete)
    );
    // Without it: refused, and said why.
    let report = run([leaf.der.clone()]
        .into_iter()
        .chain(crowd.clone())
        .collect());
    assert!(!report.chains[0].rustls.as_ref().unwrap().verifies());
    // As a collection: by dates, each.
    let bundle = pki::pem_bundle(crowd.iter().chain([&leaf.der]));
    let contents = SourceContents::from_bytes("bundle.pem", bundle.as_bytes());
    let report = check(pki::anchors([&root]))
        .with_contents(contents)
        .at(NOW)
        .build()
        .unwrap()
        .run();
    assert_eq!(report.chains.len(), 6_001);
}
