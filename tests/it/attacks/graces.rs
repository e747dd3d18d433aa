//! The grace for a pinned leaf: nothing but the leaf's notAfter, and no longer than what is known.

use std::sync::Arc;

use notafter::revocation::{CrlExpiration, Crls};
use notafter::verifier::{PinnedGrace, WatchingVerifierBuilder};
use notafter::{Timestamp, TrustAnchors, WatchingServerVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::{CertificateError, RootCertStore};

use super::{Knowing, NAME, ask, pin_of, webpki};
use crate::support::pki::{self, Leaf, NOW, days};
use crate::support::proof::any_signature;
use crate::support::tls::ring;

const DAY: u32 = 86_400;

fn graceful(
    inner: Arc<dyn ServerCertVerifier>,
    leaf: &Leaf,
    days: u32,
) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
    WatchingServerVerifier::builder(any_signature(inner))
        .with_provider(ring())
        .with_leaf_pin(pin_of(leaf))
        .with_grace(PinnedGrace::from_seconds(days * DAY).unwrap())
}

/// What stands above the leaf includes its anchor, where its dates are known.
#[test]
fn a_grace_forgives_no_ended_anchor_to_a_strict_inner_verifier() {
    let root = pki::root("root", -100, 1);
    let anchors = pki::anchors([&root]);
    let [ended, healthy] = [0, 300].map(|end| root.leaf(&[NAME], -90, end));
    let strict = || {
        let ended = |now: Timestamp| (now > days(1)).then_some(CertificateError::Expired);
        Knowing::around(webpki(&anchors), ended)
    };
    let verifier = |leaf| {
        let builder = graceful(strict(), leaf, 20).with_crls(Crls::default());
        builder.with_trust_anchors(anchors.clone()).build().unwrap()
    };
    for (leaf, now, passes) in [
        (&healthy, days(1), true),
        (&healthy, days(1).saturating_add(1), false),
        (&ended, days(1), true),
        (&ended, days(1).saturating_add(1), false),
        (&ended, days(10), false),
    ] {
        let result = ask(&*verifier(leaf), &[&leaf.der], NAME, now);
        assert_eq!(result.is_ok(), passes, "{now}: {result:?}");
    }
}

/// A list that is over refuses a healthy leaf, so it refuses one within its grace: at once where
/// the wrapper was given the lists, and where it was not, after `MAX_SECONDS_UNTOLD`.
#[test]
fn a_grace_forgives_no_stale_revocation_list() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let [ended, healthy] = [25, 300].map(|end| root.leaf(&[NAME], -90, end));
    let list = pki::crl(&root, &[]);
    let inner = || {
        let roots = Arc::new(RootCertStore::from(&anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring());
        let inner = inner.with_crls([list.clone().into()]);
        inner.enforce_revocation_expiration().build().unwrap()
    };
    let next_update = days(30);
    for (is_told, last) in [
        (true, next_update.saturating_add(-1)),
        (false, days(25 + 7)),
    ] {
        let verifier = |leaf| {
            let builder = graceful(inner(), leaf, 30).with_trust_anchors(anchors.clone());
            let crls = Crls::builder().with_der(&list).unwrap();
            let crls = crls.with_expiration(CrlExpiration::Enforce).build();
            let builder = match is_told {
                true => builder.with_crls(crls),
                false => builder,
            };
            builder.build().unwrap()
        };
        for (leaf, now, passes) in [
            (&healthy, next_update.saturating_add(-1), true),
            (&healthy, days(40), false),
            (&ended, days(25).saturating_add(1), true),
            (&ended, last, true),
            (&ended, last.saturating_add(1), false),
            (&ended, days(40), false),
        ] {
            let result = ask(&*verifier(leaf), &[&leaf.der], NAME, now);
            assert_eq!(result.is_ok(), passes, "told: {is_told}, {now}: {result:?}");
        }
    }
}

/// A grace is as long as it was asked for only for a wrapper that knows the anchors and the lists.
#[test]
fn a_grace_lasts_a_week_where_the_wrapper_was_not_told_what_the_inner_verifier_knows() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let undated = TrustAnchors::builder().with_undated_anchors(RootCertStore::from(&anchors).roots);
    let undated = undated.build();
    let leaf = root.leaf(&[NAME], -90, 0);
    let untold = PinnedGrace::MAX_SECONDS_UNTOLD;
    assert_eq!(untold, 7 * DAY);
    let cases = [
        ("nothing told", None, None, 30, 7),
        ("anchors", Some(&anchors), None, 30, 7),
        ("lists", None, Some(Crls::default()), 30, 7),
        (
            "anchors without dates",
            Some(&undated),
            Some(Crls::default()),
            30,
            7,
        ),
        ("both", Some(&anchors), Some(Crls::default()), 30, 30),
        ("a short one, nothing told", None, None, 3, 3),
        (
            "a short one, both",
            Some(&anchors),
            Some(Crls::default()),
            3,
            3,
        ),
    ];
    for (label, told, lists, asked_for, lasts) in cases {
        let builder = graceful(webpki(&anchors), &leaf, asked_for);
        let builder = match told {
            Some(anchors) => builder.with_trust_anchors(anchors.clone()),
            None => builder,
        };
        let builder = match lists {
            Some(lists) => builder.with_crls(lists),
            None => builder,
        };
        let verifier = builder.build().unwrap();
        let end = days(lasts);
        for (now, passes) in [
            (NOW, true),
            (NOW.saturating_add(1), true),
            (end, true),
            (end.saturating_add(1), false),
        ] {
            let result = ask(&*verifier, &[&leaf.der], NAME, now);
            assert_eq!(result.is_ok(), passes, "{label}, {now}: {result:?}");
        }
    }
}
