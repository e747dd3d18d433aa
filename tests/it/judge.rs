//! The judge of chains against somebody who means it: it never gives up before webpki does on what
//! webpki accepts, never says complete where rustls gives up, and is bounded.

use std::sync::Arc;

use notafter::outlook::{LimitingCause, Position, Refusal, Usage};
use notafter::pin::{Pin, PinPosition, PinState};
use notafter::revocation::{CrlExpiration, Crls};
use notafter::self_check::FindingCode;
use notafter::{
    Certificate, ChainJudge, PinSet, SelfCheck, SpkiPin, Timestamp, TrustAnchors,
    WatchingServerVerifier,
};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use webpki::{EndEntityCert, KeyUsage};

use crate::support::pki::{self, Ca, NOW, days};
use crate::support::tls::ring;

fn certificates<'c>(
    ders: impl IntoIterator<Item = &'c CertificateDer<'static>>,
) -> Vec<Certificate> {
    let ders = ders.into_iter();
    ders.map(|der| Certificate::from_der(der).unwrap())
        .collect()
}

fn judge(anchors: &TrustAnchors) -> ChainJudge {
    let algorithms = ring().signature_verification_algorithms.all;
    ChainJudge::new(anchors.clone(), algorithms, Usage::ServerAuth)
}

/// What plain webpki says of the chain now.
fn webpki_says(anchors: &TrustAnchors, chain: &[Certificate]) -> Result<(), webpki::Error> {
    let leaf = EndEntityCert::try_from(chain[0].der()).unwrap();
    let intermediates: Vec<_> = chain[1..].iter().map(|c| c.der().clone()).collect();
    let path = leaf.verify_for_usage(
        ring().signature_verification_algorithms.all,
        anchors.as_slice(),
        &intermediates,
        pki::now(),
        KeyUsage::server_auth(),
        None,
        None,
    );
    path.map(|_| ())
}

/// A CA certificate that anybody can make: right names, somebody's signature.
fn forged(subject: &str, issuer: &str, from: i64, to: i64) -> CertificateDer<'static> {
    pki::root(issuer, -1000, 3000)
        .intermediate(subject, from, to)
        .der
}

#[test]
fn roots_of_one_name_are_tried_for_as_long_as_webpki_tries_them() {
    for count in [2, 16, 17, 40, 100] {
        let roots: Vec<_> = (0..count)
            .map(|_| pki::root("cluster.local", -1000, 3000))
            .collect();
        let leaf = roots[count - 1].leaf(&["a.example"], -10, 80);
        let anchors = pki::anchors(&roots);
        let chain = certificates([&leaf.der]);
        assert_eq!(webpki_says(&anchors, &chain), Ok(()));
        let outlook = judge(&anchors).report(&chain, None, NOW).rustls;
        assert_eq!(outlook.effective_not_after, Some(days(80)), "{count} roots");
        assert!(outlook.complete, "{count} roots");
        let handshake = judge(&anchors).handshake(&chain, NOW).unwrap();
        assert_eq!(handshake.effective_not_after, days(80));

        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().map(|root| root.der.clone()));
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(store), ring()).build();
        let root = SpkiPin::from_certificate(&roots[count - 1].certificate());
        let pins = PinSet::builder()
            .with_pin(Pin::new(root, PinState::Current).with_position(PinPosition::Ca))
            .build()
            .unwrap();
        let verifier = WatchingServerVerifier::builder(inner.unwrap())
            .with_provider(ring())
            .with_trust_anchors(anchors)
            .with_pin_set(pins)
            .build()
            .unwrap();
        let name = ServerName::try_from("a.example").unwrap();
        let verdict = verifier.verify_server_cert(&leaf.der, &[], &name, &[], pki::now());
        assert!(verdict.is_ok(), "{count} roots: {verdict:?}");
    }
}

#[test]
fn the_real_issuer_behind_forged_ones_is_found_as_long_as_webpki_finds_it() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 900);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    for (count, accepted) in [(17, true), (98, true), (99, false)] {
        let forged: Vec<_> = (0..count)
            .map(|_| forged("Issuing", "Root", -300, 900))
            .collect();
        let chain = [&leaf.der].into_iter().chain(&forged).chain([&issuing.der]);
        let chain = certificates(chain);
        assert_eq!(webpki_says(&anchors, &chain).is_ok(), accepted, "{count}");
        let outlook = judge(&anchors).report(&chain, None, NOW).rustls;
        let handshake = judge(&anchors).handshake(&chain, NOW);
        if accepted {
            let end = Some(days(80));
            assert_eq!(
                (outlook.effective_not_after, outlook.complete),
                (end, true),
                "{count}"
            );
            assert_eq!(handshake.unwrap().effective_not_after, days(80));
        } else {
            assert!(!outlook.complete, "{count}");
        }
    }
}

#[test]
fn repetitions_that_webpki_spends_its_budget_on_are_not_called_complete() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 900);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    let forged = forged("Issuing", "Root", -300, 900);
    for (copies, accepted) in [(1, true), (10, true), (101, false), (400, false)] {
        let copies = vec![forged.clone(); copies];
        let chain = [&leaf.der].into_iter().chain(&copies).chain([&issuing.der]);
        let chain = certificates(chain);
        let theirs = webpki_says(&anchors, &chain);
        assert_eq!(theirs.is_ok(), accepted, "{theirs:?}");
        let outlook = judge(&anchors).report(&chain, None, NOW).rustls;
        assert_eq!(outlook.complete, accepted, "{}", copies.len());
        let timeline = judge(&anchors).timeline(&chain, None).unwrap();
        assert_eq!(timeline.complete, accepted, "{}", copies.len());
    }

    // Within the default bounds of what a peer may present: sixteen, at most four of a subject.
    let mut ladder = Vec::new();
    let top = pki::root("Root", -1000, 3000);
    let levels = [("D3", 3), ("D2", 4), ("D1", 4), ("D0", 3)];
    let (mut below, mut above) = (None, top);
    for (name, copies) in levels {
        let ca = above.intermediate(name, -300, 900);
        ladder.extend(vec![ca.der.clone(); copies]);
        below = Some(ca);
        above = below.take().unwrap();
    }
    let genuine = root.cross_sign(&above, -300, 900);
    let leaf = above.leaf(&["a.example"], -10, 80);
    let chain = [&leaf.der].into_iter().chain(&ladder).chain([&genuine]);
    let chain = certificates(chain);
    assert!(below.is_none() && chain.len() == 16);
    assert_eq!(
        webpki_says(&anchors, &chain),
        Err(webpki::Error::MaximumSignatureChecksExceeded)
    );
    assert!(!judge(&anchors).report(&chain, None, NOW).rustls.complete);
    let handshake = judge(&anchors).handshake(&chain, NOW).unwrap();
    assert!(!handshake.complete);
}

#[test]
fn a_root_that_is_sent_twice_leaves_the_search_complete() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 900);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let parts = [
        &leaf.der,
        &issuing.der,
        &root.der,
        &root.der,
        &root.der,
        &issuing.der,
    ];
    let chain = certificates(parts);
    let outlook = judge(&pki::anchors([&root]))
        .report(&chain, None, NOW)
        .rustls;
    assert_eq!(
        (outlook.effective_not_after, outlook.complete),
        (Some(days(80)), true)
    );
}

/// A mesh with more than 128 ways by name, of which the one that verifies now ends first.
fn mesh(root: &Ca, real: bool) -> Vec<Certificate> {
    let x = root.intermediate("X", -300, 500);
    let leaf = x.leaf(&["a.example"], -10, 80);
    let mut ders = vec![leaf.der];
    for n in 0..3 {
        ders.push(forged("X", "Y", 50, 900 + n));
        ders.push(forged("Y", "X", 50, 900));
    }
    ders.push(forged("Y", "Root", 50, 900));
    if real {
        ders.push(x.der);
    }
    certificates(&ders)
}

#[test]
fn a_handshake_finds_the_path_that_webpki_finds_among_many_ways() {
    let root = pki::root("Root", -1000, 3000);
    let anchors = pki::anchors([&root]);
    let chain = mesh(&root, true);
    assert_eq!(webpki_says(&anchors, &chain), Ok(()));
    let outlook = judge(&anchors).handshake(&chain, NOW).unwrap();
    assert_eq!(outlook.effective_not_after, days(80));
    assert!(judge(&anchors).handshake(&mesh(&root, false), NOW).is_err());
}

#[test]
fn a_refusal_says_when_the_search_was_not_complete() {
    let root = pki::root("Root", -1000, 3000);
    let leaf = root
        .intermediate("Issuing", -300, 900)
        .leaf(&["a.example"], -10, 80);
    let forged: Vec<_> = (0..150)
        .map(|_| forged("Issuing", "Root", -300, 900))
        .collect();
    let chain = certificates([&leaf.der].into_iter().chain(&forged));
    let anchors = pki::anchors([&root]);
    let error = webpki::Error::MaximumSignatureChecksExceeded;
    let refusal = Refusal::TooComplex { error };
    let report = judge(&anchors).report(&chain, None, NOW).rustls;
    assert_eq!(
        (report.refusal, report.complete),
        (Some(refusal.clone()), false)
    );
    assert_eq!(judge(&anchors).handshake(&chain, NOW), Err(refusal));

    // More than is looked at.
    let many = vec![chain[1].clone(); 600];
    let chain: Vec<_> = [chain[0].clone()].into_iter().chain(many).collect();
    let refused = judge(&anchors).handshake(&chain, NOW);
    assert!(
        matches!(refused, Err(Refusal::TooComplex { .. })),
        "{refused:?}"
    );
}

/// CAs of three levels that lead to one that may not issue for servers, so that webpki's own
/// search takes its 200,000 steps without verifying a signature: nobody's key is needed for it.
fn labyrinth(width: i64, begins: i64) -> Vec<CertificateDer<'static>> {
    let mut ders = Vec::new();
    for level in 0..3 {
        let subject = if level == 0 {
            "Issuing".to_owned()
        } else {
            format!("Level {level}")
        };
        let issuer = pki::root(&format!("Level {}", level + 1), -1000, 3000);
        for n in 0..width {
            ders.push(issuer.intermediate(&subject, -10 + n * begins, 3000).der);
        }
    }
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Level 3");
    pki::validity(&mut params, -1000, 3000);
    let root = pki::root("Root", -1000, 3000);
    let top = params.signed_by(&KeyPair::generate().unwrap(), &root.issuer());
    ders.push(top.unwrap().der().clone());
    ders
}

#[test]
fn five_hundred_hostile_certificates_are_given_up_by_count() {
    // Without the budget each of these takes minutes.
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 900);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    let crowd: Vec<_> = (0..510)
        .map(|n| forged("Issuing", "Issuing", -10 + n % 70, 900 + n))
        .collect();
    let shapes = [
        ("a labyrinth", labyrinth(169, 0)),
        ("a labyrinth that grows", labyrinth(64, 1)),
        ("a crowd", crowd),
    ];
    for (shape, hostile) in shapes {
        let ders = [leaf.der.clone(), issuing.der.clone()];
        let ders: Vec<_> = ders.into_iter().chain(hostile).collect();
        let chain = certificates(&ders);
        assert!(chain.len() <= 513);
        assert_eq!(webpki_says(&anchors, &chain), Ok(()), "{shape}");
        let outlook = judge(&anchors).report(&chain, None, NOW).rustls;
        let said = (outlook.effective_not_after, outlook.complete);
        assert_eq!(said, (Some(days(80)), false), "{shape}");
        let again = judge(&anchors).report(&chain, None, NOW).rustls;
        assert_eq!(outlook, again, "{shape}: the same on every machine");
        let timeline = judge(&anchors).timeline(&chain, None).unwrap();
        assert!(!timeline.complete, "{shape}");
        assert!(timeline.rustls.at(NOW).is_some(), "{shape}");
        let handshake = judge(&anchors).handshake(&chain, NOW).unwrap();
        assert_eq!(handshake.effective_not_after, days(80), "{shape}");

        let report = SelfCheck::builder()
            .with_chain("served", ders)
            .with_trust_anchors(anchors.clone())
            .with_provider(ring())
            .at(NOW)
            .build()
            .unwrap()
            .run();
        let codes: Vec<_> = report.findings.iter().map(|f| f.code).collect();
        assert!(codes.contains(&FindingCode::SearchIncomplete), "{shape}");
        let needless = FindingCode::UnneededCertificate;
        assert!(
            !codes.contains(&needless),
            "{shape}: nobody knows that it is needless"
        );
        assert_eq!(report.exit_code(), 0, "{shape}");
    }
}

#[test]
fn a_strict_cliff_counts_an_anchor_that_begins_after_its_path() {
    let old = pki::root("Old", -1000, -1);
    let new = pki::root("New", 15, 1000);
    let lasting = pki::root("Lasting", -1000, 1000);
    let issuing = lasting.intermediate("Issuing", -300, 500);
    let by_old = old.cross_sign(&issuing, -300, 5);
    let by_new = new.cross_sign(&issuing, 10, 20);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let chain = certificates([&leaf.der, &issuing.der, &by_old, &by_new]);
    let anchors = pki::anchors([&old, &new, &lasting]);
    let outlook = judge(&anchors).report(&chain, None, NOW);
    let strict = outlook.strict.unwrap();
    assert_eq!(outlook.rustls.next_cliff, Some(days(5)));
    assert_eq!((strict.next_cliff, strict.complete), (Some(days(20)), true));
}

/// A revocation list of this CA that must be followed by the next at this day.
fn list(ca: &Ca, to: i64) -> Vec<u8> {
    let at = |day| time::OffsetDateTime::from_unix_timestamp(days(day).as_unix_seconds()).unwrap();
    let params = rcgen::CertificateRevocationListParams {
        this_update: at(-1),
        next_update: at(to),
        crl_number: rcgen::SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    params.signed_by(&ca.issuer()).unwrap().der().to_vec()
}

#[test]
fn a_list_that_ends_a_chain_is_named_and_others_do_not_cut_it() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 900);
    let elsewhere = pki::root("Elsewhere", -1000, 3000);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let crls = |of_leaf: i64, of_issuing: i64| {
        Crls::builder()
            .with_der(&list(&elsewhere, 2))
            .and_then(|crls| crls.with_der(&list(&issuing, of_leaf)))
            .and_then(|crls| crls.with_der(&list(&root, of_issuing)))
            .unwrap()
            .with_expiration(CrlExpiration::Enforce)
            .build()
    };
    let cases = [
        (7, 30, Position::Leaf, Some(7)),
        (30, 9, Position::Intermediate(0), Some(9)),
        (100, 200, Position::Leaf, None),
    ];
    for (of_leaf, of_issuing, position, day) in cases {
        let anchors = pki::anchors([&root]);
        let judge = judge(&anchors).with_crls(crls(of_leaf, of_issuing));
        let chain = certificates([&leaf.der, &issuing.der]);
        let outlook = judge.report(&chain, None, NOW).rustls;
        let (end, cause) = match day {
            Some(day) => (
                days(day).saturating_add(-1),
                LimitingCause::RevocationList {
                    next_update: days(day),
                },
            ),
            None => (days(80), LimitingCause::NotAfter),
        };
        let limiting = outlook.limiting.unwrap();
        assert_eq!(outlook.effective_not_after, Some(end));
        assert_eq!(outlook.next_cliff, Some(end));
        assert_eq!((limiting.position, limiting.cause), (position, cause));
        let timeline = judge.timeline(&chain, None).unwrap().rustls;
        assert_eq!((timeline.intervals.len(), timeline.paths.len()), (1, 1));
        assert_eq!(timeline.intervals[0].last, end);

        let report = SelfCheck::builder()
            .with_chain("served", [leaf.der.clone(), issuing.der.clone()])
            .with_trust_anchors(anchors)
            .with_crls(crls(of_leaf, of_issuing))
            .with_provider(ring())
            .at(NOW)
            .build()
            .unwrap()
            .run();
        let failure = report.first_failure().unwrap();
        assert_eq!(failure.at, end.saturating_add(1));
        assert_eq!(
            failure.message.contains("revocation list"),
            day.is_some(),
            "{}",
            failure.message
        );
    }
}

#[test]
fn what_has_no_end_is_lit_to_the_last_second() {
    let far = (Timestamp::MAX.as_unix_seconds() - NOW.as_unix_seconds()) / 86_400;
    let to_the_end = |params: &mut rcgen::CertificateParams| {
        params.not_after =
            time::OffsetDateTime::from_unix_timestamp(Timestamp::MAX.as_unix_seconds()).unwrap();
    };
    let root = pki::root("Root", -1000, far);
    let leaf = root.leaf_with(&["a.example"], -10, 80, to_the_end);
    let anchors = pki::anchors([&root]);
    let chain = certificates([&leaf.der]);
    assert_eq!(chain[0].not_after(), Timestamp::MAX);
    let timeline = judge(&anchors).timeline(&chain, None).unwrap().rustls;
    assert_eq!(timeline.lit()[0].not_after, Timestamp::MAX);
    assert!(timeline.at(Timestamp::MAX).is_some());
    let outlook = judge(&anchors).report(&chain, None, Timestamp::MAX).rustls;
    assert_eq!(outlook.effective_not_after, Some(Timestamp::MAX));

    let report = SelfCheck::builder()
        .with_chain("served", [leaf.der.clone()])
        .with_trust_anchors(anchors)
        .with_provider(ring())
        .at(NOW)
        .build()
        .unwrap()
        .run();
    assert_eq!(report.first_failure(), None, "it never fails");
}

#[test]
fn openssl_which_does_not_go_back_has_a_line_and_a_lint_of_its_own() {
    // As with AddTrust in 2020: the first issuer outlives its root.
    let (old, new) = (pki::root("Old", -1000, 20), pki::root("New", -1000, 3000));
    let issuing = new.intermediate("Issuing", -300, 60);
    let by_old = old.cross_sign(&issuing, -300, 60);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&old, &new]);
    let run = |chain: [&CertificateDer<'static>; 3], at| {
        let check = SelfCheck::builder()
            .with_chain("served", chain.map(Clone::clone))
            .with_trust_anchors(anchors.clone())
            .with_provider(ring());
        check.at(at).build().unwrap().run()
    };
    let (first, last) = (
        [&leaf.der, &by_old, &issuing.der],
        [&leaf.der, &issuing.der, &by_old],
    );
    let told = [FindingCode::OpensslEndsEarlier, FindingCode::OpensslRefuses];
    let second = |day| days(day).saturating_add(-1);
    let (early, late) = (Some(Some(second(20))), Some(Some(second(60))));
    let cases = [
        (first, NOW, early, Some(FindingCode::OpensslEndsEarlier)),
        (
            first,
            second(20),
            early,
            Some(FindingCode::OpensslEndsEarlier),
        ),
        (
            first,
            days(20),
            Some(None),
            Some(FindingCode::OpensslRefuses),
        ),
        (last, NOW, late, None),
        (last, days(20), late, None),
    ];
    for (chain, at, end, code) in cases {
        let report = run(chain, at);
        let chain = &report.chains[0];
        assert_eq!(
            chain.strict.as_ref().unwrap().effective_not_after,
            Some(days(60))
        );
        assert_eq!(chain.openssl_ends(at), end, "{at}");
        let codes = report.findings.iter().map(|finding| finding.code);
        let codes: Vec<_> = codes.filter(|code| told.contains(code)).collect();
        assert_eq!(codes, code.into_iter().collect::<Vec<_>>(), "{at}");
        let line = match end {
            Some(Some(end)) => format!("  openssl  verifies until {end} ("),
            _ => "  openssl  does not verify\n".to_owned(),
        };
        assert!(report.to_text().contains(&line), "{}", report.to_text());
    }
    let json: serde_json::Value = serde_json::from_str(&run(first, NOW).to_json()).unwrap();
    assert_eq!(
        json["chains"][0]["timeline"]["openssl"][0]["last"],
        "2026-01-20T23:59:59Z"
    );
}

#[test]
fn thousands_of_names_and_constraints_are_given_up_by_count() {
    // Every path costs webpki all of its 250,000 comparisons, and every instant as much again.
    let constraint = |n: usize| rcgen::GeneralSubtree::DnsName(format!("{n}.example"));
    let constrained = |params: &mut rcgen::CertificateParams| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: Vec::new(),
            excluded_subtrees: (0..600).map(constraint).collect(),
        });
    };
    let root = pki::root_with("Root", -1000, 3000, constrained);
    let issuing = root.intermediate("Issuing", -300, 900);
    let names: Vec<_> = (0..400).map(|n| format!("{n}.a.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let leaf = issuing.leaf(&names, -10, 80);
    let later = (-9..60).map(|day| root.cross_sign(&issuing, day, 900 - day));
    let ders: Vec<_> = [leaf.der.clone(), issuing.der.clone()]
        .into_iter()
        .chain(later)
        .collect();
    let (anchors, chain) = (pki::anchors([&root]), certificates(&ders));
    assert_eq!(webpki_says(&anchors, &chain), Ok(()));
    let outlook = judge(&anchors).report(&chain, None, NOW).rustls;
    let said = (outlook.effective_not_after, outlook.complete);
    assert_eq!(said, (Some(days(80)), false));
    assert!(!judge(&anchors).timeline(&chain, None).unwrap().complete);

    // With as many as real chains have, everything is looked at.
    let root = pki::root("Root", -1000, 3000);
    let few = |params: &mut rcgen::CertificateParams| {
        params.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("a.test".to_owned())],
            excluded_subtrees: (0..20).map(constraint).collect(),
        });
    };
    let root_with_few = pki::root_with("Root", -1000, 3000, few);
    let leaf = root_with_few.leaf(&["1.a.test", "2.a.test"], -10, 80);
    let anchors = pki::anchors([&root, &root_with_few]);
    let outlook = judge(&anchors).report(&certificates([&leaf.der]), None, NOW);
    assert_eq!(
        (outlook.rustls.effective_not_after, outlook.rustls.complete),
        (Some(days(80)), true)
    );
}
