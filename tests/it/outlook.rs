//! Outlooks of minted chains: several paths, cliffs, paths that begin later, refusals.

use notafter::outlook::{ChainOutlook, Position, Refusal, Usage};
use notafter::{Certificate, ChainJudge, Timestamp, TrustAnchors};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::support::pki::{self, NOW, days};
use crate::support::tls::{providers, ring};

fn certificates<'c>(
    ders: impl IntoIterator<Item = &'c CertificateDer<'static>>,
) -> Vec<Certificate> {
    ders.into_iter()
        .map(|der| Certificate::from_der(der).unwrap())
        .collect()
}

fn judge(anchors: TrustAnchors) -> ChainJudge {
    ChainJudge::new(
        anchors,
        ring().signature_verification_algorithms.all,
        Usage::ServerAuth,
    )
}

fn report(anchors: &TrustAnchors, chain: &[Certificate], at: Timestamp) -> ChainOutlook {
    judge(anchors.clone()).report(chain, None, at)
}

/// Whether plain webpki accepts the chain at `at`.
fn webpki_accepts(anchors: &TrustAnchors, chain: &[Certificate], at: Timestamp) -> bool {
    let leaf = EndEntityCert::try_from(chain[0].der()).unwrap();
    let intermediates: Vec<_> = chain[1..].iter().map(|c| c.der().clone()).collect();
    let algorithms = ring().signature_verification_algorithms.all;
    let time = at.to_unix_time().unwrap();
    let usage = KeyUsage::server_auth();
    leaf.verify_for_usage(
        algorithms,
        anchors.as_slice(),
        &intermediates,
        time,
        usage,
        None,
        None,
    )
    .is_ok()
}

/// Every date of the chain, one second before and after, must agree with webpki; and where it
/// verifies, every breakpoint up to the effective notAfter must verify, and the second after not.
fn assert_agrees_with_webpki(anchors: &TrustAnchors, chain: &[Certificate]) {
    let dates = chain.iter().flat_map(|c| [c.not_before(), c.not_after()]);
    let mut instants: Vec<_> = dates
        .flat_map(|t| [-1, 0, 1].map(|d| t.saturating_add(d)))
        .collect();
    instants.sort();
    for at in &instants {
        let outlook = report(anchors, chain, *at).rustls;
        assert_eq!(
            outlook.verifies(),
            webpki_accepts(anchors, chain, *at),
            "at {at}"
        );
        if let Some(end) = outlook.effective_not_after {
            for later in instants.iter().filter(|t| (*at..=end).contains(t)) {
                assert!(
                    webpki_accepts(anchors, chain, *later),
                    "at {at}: {end} is too late"
                );
            }
            assert!(
                !webpki_accepts(anchors, chain, end.saturating_add(1)),
                "at {at}: {end} is too early"
            );
        }
    }
}

#[test]
fn the_longer_of_two_paths_decides_and_the_shorter_is_the_cliff() {
    let (old, new) = (pki::root("Old", -1000, 500), pki::root("New", -1000, 3000));
    let issuing = new.intermediate("Issuing", -300, 9);
    let twin = old.cross_sign(&issuing, -300, 700);
    let leaf = issuing.leaf(&["a.example"], -70, 20);
    let anchors = pki::anchors([&old, &new]);
    for order in [[&issuing.der, &twin], [&twin, &issuing.der]] {
        let chain = certificates([&leaf.der, order[0], order[1]]);
        let outlook = report(&anchors, &chain, NOW).rustls;
        assert_eq!((outlook.paths, outlook.complete), (2, true));
        assert_eq!(outlook.effective_not_after, Some(days(20)));
        assert_eq!(outlook.next_cliff, Some(days(9)));
        assert_eq!(outlook.limiting.unwrap().position, Position::Leaf);
        assert_agrees_with_webpki(&anchors, &chain);
    }
}

#[test]
fn a_path_that_begins_in_time_carries_on_and_one_that_begins_late_does_not() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 10);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    // Ends at day 10; the next begins one second later, at day 10 + 1 s, or a day later.
    let touching = root.cross_sign(&issuing, 9, 40);
    let late = root.cross_sign(&issuing, 11, 40);
    let carried = certificates([&leaf.der, &issuing.der, &touching]);
    let outlook = report(&anchors, &carried, NOW).rustls;
    assert_eq!(outlook.effective_not_after, Some(days(40)));
    assert_eq!(outlook.next_cliff, Some(days(10)));
    assert_eq!(outlook.paths, 1);
    assert_eq!(
        outlook.limiting.as_ref().unwrap().position,
        Position::Intermediate(0)
    );
    assert_eq!(outlook.limiting.unwrap().certificate.der(), &touching);
    let gap = certificates([&leaf.der, &issuing.der, &late]);
    let outlook = report(&anchors, &gap, NOW).rustls;
    assert_eq!(outlook.effective_not_after, Some(days(10)));
    for chain in [carried, gap] {
        assert_agrees_with_webpki(&anchors, &chain);
    }
}

#[test]
fn a_path_that_comes_and_goes_before_the_first_end_is_the_next_cliff() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 60);
    let passing = root.cross_sign(&issuing, 5, 15);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let chain = certificates([&leaf.der, &issuing.der, &passing]);
    let outlook = report(&pki::anchors([&root]), &chain, NOW).rustls;
    assert_eq!(outlook.paths, 1);
    assert_eq!(outlook.next_cliff, Some(days(15)));
    assert_eq!(outlook.effective_not_after, Some(days(60)));
}

#[test]
fn strict_counts_the_anchors_dates_and_says_nothing_without_them() {
    let root = pki::root("Root", -1000, 30);
    let leaf = root.leaf(&["a.example"], -10, 80);
    let chain = certificates([&leaf.der]);
    let dated = report(&pki::anchors([&root]), &chain, NOW);
    assert_eq!(dated.rustls.effective_not_after, Some(days(80)));
    let strict = dated.strict.unwrap();
    assert_eq!(strict.effective_not_after, Some(days(30)));
    assert_eq!(strict.limiting.unwrap().position, Position::Anchor);

    let mut store = RootCertStore::empty();
    store.add(root.der.clone()).unwrap();
    let undated = report(&TrustAnchors::from(&store), &chain, NOW);
    assert_eq!(undated.rustls, dated.rustls);
    assert_eq!(undated.strict, None);
}

#[test]
fn a_root_issued_again_with_the_same_key_counts_for_strict_as_long_as_either_lives() {
    let old = pki::root("Root", -1000, 30);
    let new_der = old.cross_sign(&old, -5, 3000);
    let leaf = old.leaf(&["a.example"], -10, 80);
    let chain = certificates([&leaf.der]);
    let anchors = TrustAnchors::builder()
        .with_certificates([&old.der, &new_der])
        .build();
    // One name and key: one anchor for webpki, with two certificates for strict.
    assert_eq!(anchors.len(), 1);
    let outlook = report(&anchors, &chain, NOW);
    assert_eq!(outlook.rustls.paths, 1);
    let strict = outlook.strict.unwrap();
    assert_eq!(
        (strict.paths, strict.effective_not_after),
        (2, Some(days(80)))
    );
    assert_eq!(strict.next_cliff, Some(days(30)));
}

#[test]
fn certificates_sent_twice_count_once() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 60);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let once = certificates([&leaf.der, &issuing.der]);
    let twice = certificates([&leaf.der, &issuing.der, &issuing.der]);
    let anchors = pki::anchors([&root]);
    assert_eq!(report(&anchors, &once, NOW), report(&anchors, &twice, NOW));
}

#[test]
fn refusals_say_what_is_wrong_in_the_most_specific_terms() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Issuing", -300, 60);
    let other = pki::root("Issuing", -300, 60);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let client_only = issuing.leaf_with(&["a.example"], -10, 80, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let forged = other.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    let refusal = |chain: &[&CertificateDer<'static>], at| {
        let refusal = report(&anchors, &certificates(chain.iter().copied()), at)
            .rustls
            .refusal
            .unwrap();
        (refusal.code(), refusal.position())
    };
    let cases: [(
        &[&CertificateDer<'static>],
        Timestamp,
        &str,
        Option<Position>,
    ); 8] = [
        (
            &[&leaf.der, &issuing.der],
            days(80).saturating_add(1),
            "expired",
            Some(Position::Leaf),
        ),
        (
            &[&leaf.der, &issuing.der],
            days(61),
            "expired",
            Some(Position::Intermediate(0)),
        ),
        (
            &[&leaf.der, &issuing.der],
            days(-11),
            "not_yet_valid",
            Some(Position::Leaf),
        ),
        (&[&leaf.der], NOW, "unknown_issuer", Some(Position::Leaf)),
        (&[&forged.der, &issuing.der], NOW, "bad_signature", None),
        (&[&client_only.der, &issuing.der], NOW, "wrong_usage", None),
        (&[&issuing.der], NOW, "leaf_is_ca", Some(Position::Leaf)),
        (
            &[&leaf.der, &issuing.der],
            Timestamp::from_unix_seconds(-1),
            "before_epoch",
            None,
        ),
    ];
    for (chain, at, code, position) in cases {
        assert_eq!(refusal(chain, at), (code, position), "{code}");
    }
    assert_eq!(
        report(&anchors, &[], NOW).rustls.refusal,
        Some(Refusal::NoCertificate)
    );

    let name = ServerName::try_from("b.example").unwrap();
    let chain = certificates([&leaf.der, &issuing.der]);
    let outlook = judge(anchors.clone())
        .report(&chain, Some(&name), NOW)
        .rustls;
    let expected = Refusal::NameNotCovered {
        expected: "b.example".to_owned(),
        presented: vec!["a.example".to_owned()],
    };
    // The enum is non_exhaustive, its variants are not: the exact refusal can be compared.
    assert_eq!(outlook.refusal, Some(expected));
}

#[test]
fn client_certificates_are_judged_for_their_use() {
    let root = pki::root("Root", -1000, 3000);
    let client = root.leaf_with(&["a.example"], -10, 80, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let chain = certificates([&client.der]);
    for (_, provider) in providers() {
        let algorithms = provider.signature_verification_algorithms.all;
        for (usage, verifies) in [(Usage::ClientAuth, true), (Usage::ServerAuth, false)] {
            let judge = ChainJudge::new(pki::anchors([&root]), algorithms, usage);
            assert_eq!(judge.report(&chain, None, NOW).rustls.verifies(), verifies);
            assert_eq!(judge.handshake(&chain, NOW).is_ok(), verifies);
        }
    }
}

#[test]
fn the_handshake_form_says_the_same_as_the_report() {
    let (old, new) = (pki::root("Old", -1000, 500), pki::root("New", -1000, 3000));
    let issuing = new.intermediate("Issuing", -300, 9);
    let twin = old.cross_sign(&issuing, -300, 15);
    let later = old.cross_sign(&issuing, 12, 18);
    let leaf = issuing.leaf(&["a.example"], -70, 20);
    let judge = judge(pki::anchors([&old, &new]));
    let parts = [&issuing.der, &twin, &later];
    for skip in 0..=parts.len() {
        let kept = parts
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != skip)
            .map(|(_, der)| *der);
        let chain = certificates(std::iter::once(&leaf.der).chain(kept));
        for day in [-80, -1, 0, 9, 10, 14, 16, 19, 21] {
            let report = judge.report(&chain, None, days(day)).rustls;
            let handshake = judge.handshake(&chain, days(day));
            let end = handshake
                .as_ref()
                .ok()
                .map(|outlook| outlook.effective_not_after);
            assert_eq!(end, report.effective_not_after, "without {skip}, day {day}");
            if let Ok(outlook) = handshake {
                assert_eq!(Some(outlook.limiting), report.limiting);
            }
        }
    }
}

#[test]
fn a_search_over_budget_is_never_called_complete() {
    // Six levels of same-named CAs, each level's certificates all signed by the level above:
    // more signatures than webpki's budget of 100 for one search.
    let root = pki::root("Root", -1000, 3000);
    let mut level: Vec<pki::Ca> = (0..3).map(|_| root.intermediate("L0", -300, 300)).collect();
    let mut ders: Vec<_> = level.iter().map(|ca| ca.der.clone()).collect();
    for depth in 1..4 {
        let below: Vec<_> = (0..3)
            .map(|_| level[0].intermediate(&format!("L{depth}"), -300, 300))
            .collect();
        for (ca, issuer) in below
            .iter()
            .flat_map(|ca| level[1..].iter().map(move |i| (ca, i)))
        {
            ders.push(issuer.cross_sign(ca, -300, 300));
        }
        ders.extend(below.iter().map(|ca| ca.der.clone()));
        level = below;
    }
    let leaf = level[0].leaf(&["a.example"], -10, 80);
    let chain = certificates(std::iter::once(&leaf.der).chain(&ders));
    let outlook = report(&pki::anchors([&root]), &chain, NOW).rustls;
    assert!(!outlook.complete, "{outlook:?}");
    if let Some(end) = outlook.effective_not_after {
        assert_eq!(end, days(80), "what was found holds");
    }
}

#[test]
fn an_anchor_that_webpki_takes_without_readable_dates_stays_an_anchor() {
    // webpki does not read an anchor's dates; break them.
    let root = pki::root("Root", -1000, 3000);
    let leaf = root.leaf(&["a.example"], -10, 80);
    let mut der = root.der.to_vec();
    // Validity ::= SEQUENCE { UTCTime, UTCTime }
    let validity = [0x30, 0x1e, 0x17, 0x0d];
    let time = der.windows(4).position(|w| w == validity).unwrap() + 4;
    der[time] = b'x';
    let damaged = CertificateDer::from(der);
    let anchors = TrustAnchors::builder()
        .with_certificates([&damaged])
        .build();
    assert_eq!((anchors.len(), anchors.errors().len()), (1, 0));
    let outlook = report(&anchors, &certificates([&leaf.der]), NOW);
    assert!(outlook.rustls.verifies());
    assert_eq!(outlook.strict, None);
    let _: Option<&TrustAnchor<'_>> = anchors.as_slice().first();
    let _: UnixTime = pki::now();
}

/// Levels of same-named CAs, each certificate signed by anybody; the first level bears the name
/// that signs the leaf, the last is issued by `top`.
fn ladder(top: &str, levels: usize, variants: usize) -> Vec<CertificateDer<'static>> {
    let mut ders = Vec::new();
    for level in 0..levels {
        let issuer = if level + 1 == levels {
            top.to_owned()
        } else {
            format!("Level {}", level + 1)
        };
        let issuer = pki::root(&issuer, -100, 1000);
        for _ in 0..variants {
            ders.push(
                issuer
                    .intermediate(&format!("Level {level}"), -100, 1000)
                    .der,
            );
        }
    }
    ders
}

#[test]
fn hostile_chains_are_judged_without_losing_the_real_path() {
    let root = pki::root("Root", -1000, 3000);
    let issuing = root.intermediate("Level 0", -300, 900);
    let leaf = issuing.leaf(&["a.example"], -10, 80);
    let anchors = pki::anchors([&root]);
    let dead_ends: Vec<_> = (0..256)
        .map(|n| {
            pki::root("Nowhere", -1, 900)
                .intermediate(&format!("Dead {n}"), -1, 900)
                .der
        })
        .collect();
    let shapes = [
        ("dead ends", dead_ends, true),
        ("a ladder to nowhere", ladder("Nowhere", 6, 8), false),
        ("a shorter ladder", ladder("Nowhere", 5, 8), true),
        ("a ladder to the root's name", ladder("Root", 6, 8), false),
        ("many of one name", ladder("Root", 1, 101), false),
    ];
    for (shape, hostile, complete) in shapes {
        for real in [true, false] {
            let own = real.then_some(&issuing.der);
            let chain = certificates([&leaf.der].into_iter().chain(&hostile).chain(own));
            let outlook = report(&anchors, &chain, NOW).rustls;
            assert_eq!(outlook.complete, complete, "{shape}");
            // webpki itself may give up where we say that the search was not complete.
            // (It needs seconds to give up on the first ladder: not asked.)
            let theirs = if shape == "a ladder to nowhere" {
                real
            } else {
                webpki_accepts(&anchors, &chain, NOW)
            };
            assert!(outlook.verifies() == theirs || !complete, "{shape}");
            assert!(
                outlook.verifies() || !theirs,
                "{shape}: what webpki accepts, we see"
            );
            assert!(real || !outlook.verifies());
            let timeline = judge(anchors.clone()).timeline(&chain, None).unwrap();
            assert_eq!(timeline.complete, complete, "{shape}");
        }
    }
}
