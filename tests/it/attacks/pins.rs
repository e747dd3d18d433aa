//! Pins: what no peer can make them match, and what stays refused.

use std::sync::Arc;

use notafter::pin::{ExpiryRule, PinPosition};
use notafter::revocation::Crls;
use notafter::verifier::{NameCheck, StapleRule, StapleStrictness};
use notafter::{PinOnlyVerifier, PinScope, PinSet};
use rcgen::CertificateParams;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error, RootCertStore};

use super::{Agreeable, Knowing, NAME, ask, name, pin_of, pin_of_ca, pinned, watching, webpki};
use crate::pinning::refusal;
use crate::support::pki::{self, NOW, days};
use crate::support::proof::any_signature;
use crate::support::tls::ring;

/// "A key known to be in wrong hands: never accepted, at no position."
#[test]
fn a_rejected_key_stays_refused_in_every_standing_of_its_set() {
    let (root, other) = (
        pki::root("root", -100, 3650),
        pki::root("other", -100, 3650),
    );
    let anchors = pki::anchors([&root, &other]);
    let [good, stolen] = [(); 2].map(|()| root.leaf(&[NAME], -90, 300));
    let elsewhere = other.leaf(&[NAME], -90, 300);
    let rules = [
        (ExpiryRule::FailOpenLoudly, true),
        (ExpiryRule::FailClosed, false),
        (
            ExpiryRule::GraceThenClosed {
                seconds: 86_400 * 5,
            },
            true,
        ),
    ];
    for (rule, lets_good_in) in rules {
        let set = PinSet::builder()
            .with_current(pin_of(&good))
            .with_backup(pin_of(&elsewhere))
            .with_rejected(pin_of(&stolen))
            .with_rejected(pin_of_ca(&other))
            .with_expiry(days(1), rule);
        let builder = watching(webpki(&anchors), &anchors);
        let verifier = builder.with_pin_set(set.build().unwrap()).build().unwrap();
        for now in [NOW, days(2)] {
            for leaf in [&stolen, &elsewhere] {
                let result = ask(&*verifier, &[&leaf.der], NAME, now);
                assert!(refusal(&result).is_some(), "{rule:?} {now}: {result:?}");
            }
            let result = ask(&*verifier, &[&good.der], NAME, now);
            assert_eq!(result.is_ok(), now == NOW || lets_good_in, "{rule:?} {now}");
        }
    }
}

/// A CA pin counts on no path that the inner verifier would not go, whether or not the wrapper was
/// given its lists.
#[test]
fn a_ca_pin_is_not_matched_on_a_path_that_the_inner_verifier_holds_for_revoked() {
    let (revoking, other) = (pki::root("p", -100, 3650), pki::root("q", -100, 3650));
    let anchors = pki::anchors([&revoking, &other]);
    let issuing = revoking.intermediate("issuing", -10, 1000);
    let by_other = other.cross_sign(&issuing, -10, 1000);
    let leaf = issuing.leaf(&[NAME], -10, 300);
    let lists = [
        pki::crl(&revoking, &[&issuing.certificate()]),
        pki::crl(&other, &[]),
        pki::crl(&issuing, &[]),
    ];
    let inner = || {
        let roots = Arc::new(RootCertStore::from(&anchors));
        let lists = lists.each_ref().map(|list| list.clone().into());
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring()).with_crls(lists);
        inner.build().unwrap()
    };
    let chain = [&leaf.der, &issuing.der, &by_other];
    let alone = any_signature(inner());
    assert!(ask(&*alone, &chain[..2], NAME, NOW).is_err());
    assert!(ask(&*alone, &chain, NAME, NOW).is_ok());
    for is_told in [false, true] {
        for (ca, passes) in [(&revoking, false), (&other, true)] {
            let builder = watching(inner(), &anchors);
            let crls = lists
                .iter()
                .fold(Crls::builder(), |crls, list| crls.with_der(list).unwrap());
            let builder = match is_told {
                true => builder.with_crls(crls.build()),
                false => builder,
            };
            let set = pinned(pin_of_ca(ca), PinPosition::Ca);
            let verifier = builder.with_pin_set(set).build().unwrap();
            let result = ask(&*verifier, &chain, NAME, NOW);
            assert_eq!(result.is_ok(), passes, "told: {is_told}: {result:?}");
        }
    }
}

/// Also where the inner verifier accepts everything.
#[test]
fn appended_and_supplied_certificates_match_no_pin() {
    let [trusted, pinned_root, foreign] =
        ["trusted", "pinned", "pinned"].map(|name| pki::root(name, -10, 3650));
    let issuing = trusted.intermediate("issuing", -10, 1000);
    let leaf = issuing.leaf(&[NAME], -1, 300);
    let pinned_issuing = pinned_root.intermediate("issuing", -10, 1000);
    // Signed by somebody else under the pinned CA's name, and the pinned CA below an untrusted root.
    let crossed = foreign.cross_sign(&pinned_root, -10, 1000);
    let by_untrusted = foreign.cross_sign(&issuing, -10, 1000);
    let all = [
        &leaf.der,
        &issuing.der,
        &pinned_root.der,
        &pinned_issuing.der,
        &crossed,
        &foreign.der,
        &by_untrusted,
    ];
    for anchors in [
        pki::anchors([&trusted]),
        pki::anchors([&trusted, &pinned_root]),
    ] {
        for inner in [webpki(&anchors), Arc::new(Agreeable::default())] {
            for position in [PinPosition::Ca, PinPosition::Anchor, PinPosition::Any] {
                let verifier = |ca| {
                    let set = pinned(pin_of_ca(ca), position);
                    let builder = watching(inner.clone(), &anchors).with_pin_set(set);
                    builder.build().unwrap()
                };
                for ca in [&pinned_root, &pinned_issuing, &foreign] {
                    let verifier = verifier(ca);
                    for n in 2..=all.len() {
                        let mut chain = all[..n].to_vec();
                        assert!(ask(&*verifier, &chain, NAME, NOW).is_err());
                        chain[1..].reverse();
                        assert!(ask(&*verifier, &chain, NAME, NOW).is_err());
                    }
                }
                let control = ask(&*verifier(&trusted), &all, NAME, NOW);
                assert_eq!(control, Ok(()), "{position:?}");
            }
        }
    }
}

/// "For every server": who has no certificate has no staple either.
#[test]
fn a_hard_staple_rule_for_every_server_refuses_raw_public_keys() {
    let root = pki::root("root", -100, 3650);
    let leaf = root.leaf(&[NAME], -90, 300).certificate();
    let key = CertificateDer::from(leaf.facts().spki_der().to_vec());
    let missing = Error::InvalidCertificate(CertificateError::InvalidOcspResponse);
    for (rule, expected) in [
        (StapleRule::Observe, Ok(())),
        (StapleRule::WhenMustStaple(StapleStrictness::Hard), Ok(())),
        (StapleRule::Always(StapleStrictness::Soft), Ok(())),
        (StapleRule::Always(StapleStrictness::Hard), Err(missing)),
    ] {
        let raw: Arc<dyn ServerCertVerifier> = Arc::new(Knowing {
            inner: Arc::new(Agreeable::default()),
            refuses: Box::new(|_| None),
            raw: true,
        });
        let verifier = watching(raw, &pki::anchors([&root])).with_staple_rule(rule);
        let verifier = verifier.build().unwrap();
        assert_eq!(ask(&*verifier, &[&key], NAME, NOW), expected, "{rule:?}");
    }
}

/// What pin-only trust does not look at, since nobody vouches for it: the certificate's signature.
/// Names and dates are the word of whoever has a pinned key.
#[test]
fn pin_only_names_and_dates_are_the_key_holders_word() {
    let root = pki::root("root", -100, 3650);
    let [a, b] = ["a.example", "b.example"].map(|name| root.leaf(&[name], -90, 300));
    let set = PinSet::builder()
        .with_current(pin_of(&a))
        .with_backup(pin_of(&b));
    let only = PinOnlyVerifier::builder(set.build().unwrap().into()).with_provider(ring());
    let only = any_signature(only.with_name_check(NameCheck::Required).build().unwrap());
    let mut params = CertificateParams::new(["b.example".to_owned()]).unwrap();
    pki::validity(&mut params, -1, 3650);
    let mut forged = params.self_signed(&a.key_pair).unwrap().der().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = CertificateDer::from(forged);
    let later = days(3000);
    assert_eq!(ask(&*only, &[&forged], "b.example", later), Ok(()));
    // The key and the date are still looked at.
    let stranger = params
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap();
    assert!(ask(&*only, &[stranger.der()], "b.example", later).is_err());
    assert!(ask(&*only, &[&forged], "a.example", later).is_err());
    assert!(ask(&*only, &[&b.der], "b.example", later).is_err());
}

#[test]
fn a_scope_covers_what_it_says_and_nothing_else() {
    let covers = |scope: &str, host| scope.parse::<PinScope>().unwrap().covers(&name(host));
    for (scope, host, expected) in [
        ("a.example", "A.Example.", true),
        ("A.EXAMPLE.", "a.example", true),
        ("*.example", "a.example", true),
        ("*.example", "example", false),
        ("*.example", "a.b.example", false),
        ("**.example", "example", true),
        ("**.example", "a.b.example.", true),
        ("**.example", "notexample", false),
        ("*.example", "aexample", false),
        ("**.b.example", "ab.example", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("2001:db8::1", "2001:db8:0::1", true),
        ("xn--bcher-kva.example", "XN--BCHER-KVA.example", true),
        // An IPv4 address in IPv6's clothes is another host, and not pinned.
        ("192.0.2.1", "::ffff:192.0.2.1", false),
        ("**.example", "192.0.2.1", false),
    ] {
        assert_eq!(covers(scope, host), expected, "{scope} {host}");
    }
    for bad in [
        "",
        ".",
        "*",
        "**",
        "*.",
        "**.",
        "*.*.example",
        "a..example",
        "bücher.example",
        " a.example",
        "a.example ",
        "[::1]",
        "fe80::1%eth0",
        "*.192.0.2.1",
    ] {
        assert!(bad.parse::<PinScope>().is_err(), "{bad:?}");
    }
}
