//! Renewals under anchors: from verifying to not verifying is no renewal.

use notafter::outlook::{Refusal, RelyingParty};
use notafter::reload::{NoLongerVerifying, ReloadError, ReloadingAnchors, SelfSigned};
use notafter::{EventCode, Severity};
use rustls::pki_types::CertificateDer;

use super::renewals::{accepted, self_signed};
use super::scene::{Scene, at, code, error, serves};
use crate::support::pki::{self, Ca, Leaf};
use crate::support::tls::ring;

const DAY: i64 = 86_400;

fn deploy(scene: &Scene, leaf: &Leaf, issuers: &[&CertificateDer<'static>]) {
    let chain = [&leaf.der].into_iter().chain(issuers.iter().copied());
    scene.write("tls.crt", pki::pem_bundle(chain));
    scene.write("tls.key", leaf.key_pair.serialize_pem());
}

#[test]
fn what_verifies_is_not_replaced_by_what_does_not() {
    let scene = Scene::new();
    let staging_root = pki::root("(STAGING) Root", -1000, 3000);
    let staging = staging_root.intermediate("(STAGING) Issuing CA", -300, 1500);
    let second = scene.root.intermediate("Second CA", -300, 1500);
    let third = second.intermediate("Third CA", -300, 1500);
    let rekeyed = pki::root("Root", -10, 3000);
    let (of_staging, of_third) = (
        staging.leaf(&["a.example"], -1, 89),
        third.leaf(&["a.example"], -1, 89),
    );
    let of_rekeyed = rekeyed.leaf(&["a.example"], -1, 89);
    let cases: [(&str, &Leaf, Vec<_>, bool); 5] = [
        ("staging", &of_staging, vec![&staging.der], false),
        (
            "staging, whole",
            &of_staging,
            vec![&staging.der, &staging_root.der],
            false,
        ),
        (
            "without its second intermediate",
            &of_third,
            vec![&third.der],
            false,
        ),
        ("with it", &of_third, vec![&third.der, &second.der], true),
        ("a root of the same name", &of_rekeyed, vec![], false),
    ];
    for (what, bad, issuers, fits) in cases {
        // Anchors that were given, and those that the served chain sends along.
        for sends_root in [false, true] {
            let old = scene.leaf(-10, 80);
            match sends_root {
                true => deploy(&scene, &old, &[&scene.issuer.der, &scene.root.der]),
                false => scene.deploy(&old),
            }
            let key = scene.with(|builder| match sends_root {
                true => builder,
                false => builder.with_trust_anchors(pki::anchors([&scene.root])),
            });
            deploy(&scene, bad, &issuers);
            let summary = key.poll(at(1));
            assert_eq!(serves(&key, bad), fits, "{what} {sends_root}");
            assert!(accepted(&key, &scene.root), "{what} {sends_root}");
            if fits {
                continue;
            }
            let error = error(&summary);
            let ReloadError::NoLongerVerifies {
                relying_party,
                refusal,
                ..
            } = &error
            else {
                panic!("{what}: {error}");
            };
            assert_eq!(*relying_party, RelyingParty::Rustls);
            let known = matches!(
                **refusal,
                Refusal::UnknownIssuer { .. } | Refusal::BadSignature
            );
            assert!(known, "{what}: {refusal:?}");
        }
    }
}

#[test]
fn it_is_judged_for_relying_parties_that_count_the_anchors_dates_too() {
    let scene = Scene::new();
    let ending = pki::root("Ending Root", -1000, -1);
    let new = ending.leaf(&["a.example"], -1, 89);
    scene.deploy(&scene.leaf(-10, 80));
    let anchors = || pki::anchors([&scene.root, &ending]);
    let key = scene.with(|builder| builder.with_trust_anchors(anchors()));
    let telling = scene.with(|builder| {
        let builder = builder.with_trust_anchors(anchors());
        builder.with_no_longer_verifying(NoLongerVerifying::Tell)
    });
    deploy(&scene, &new, &[]);
    let error = error(&key.poll(at(1)));
    let expected = format!(
        "{}: it does not verify, and the served one does (strict): anchor 'Ending Root' expired at \
         2025-12-31T00:00:00Z: ",
        scene.path("tls.crt").display()
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    scene.events.take();
    assert_eq!(telling.poll(at(1)).swapped, 1);
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert_eq!(event.severity, Severity::Warning);
    assert!(event.message.contains("(strict)"), "{event}");
    // Where the served one is over, it does not verify either.
    assert_eq!(code(&key.poll(at(80 * DAY))), "no_longer_verifies");
    assert_eq!(key.poll(at(80 * DAY + 1)).swapped, 1);
}

/// A renewal by a new root is refused until those who connect trust that, and served without a restart then.
#[test]
fn a_renewal_by_another_root_is_served_once_it_is_trusted() {
    let scene = Scene::new();
    let next_root = pki::root("Next Root", -1, 3000);
    let pem = |roots: &[&Ca]| pki::pem_bundle(roots.iter().map(|root| &root.der));
    let bundle = pem(&[&scene.root]);
    let anchors = ReloadingAnchors::builder().with_bytes("bundle", bundle);
    let anchors = anchors.with_provider(ring()).build().unwrap();
    scene.deploy(&scene.leaf(-10, 80));
    let key = scene.with(|builder| builder.with_trust_in_force(anchors.clone()));
    let renewed = next_root.leaf(&["a.example"], 0, 90);
    deploy(&scene, &renewed, &[]);
    // It might be half-written at first.
    for seconds in [1, 20, 300] {
        assert_eq!(code(&key.poll(at(seconds))), "no_longer_verifies");
    }
    let both = pem(&[&scene.root, &next_root]);
    anchors
        .set_bytes("bundle", both.as_bytes(), at(301))
        .unwrap();
    assert_eq!(key.poll(at(302)).swapped, 1);
    assert!(serves(&key, &renewed));
}

#[test]
fn what_did_not_verify_is_renewed_all_the_same() {
    let scene = Scene::new();
    let (own, next) = (
        self_signed(&["a.example"], -10, 80),
        self_signed(&["a.example"], -1, 89),
    );
    deploy(&scene, &own, &[]);
    let key = scene.with(|builder| builder.with_trust_anchors(pki::anchors([&scene.root])));
    deploy(&scene, &next, &[]);
    assert_eq!(key.poll(at(1)).swapped, 1);
    // From then on, it verifies.
    scene.deploy(&scene.leaf(0, 90));
    assert_eq!(key.poll(at(2)).swapped, 1);
    let key = scene.with(|builder| {
        let builder = builder.with_trust_anchors(pki::anchors([&scene.root]));
        builder.with_self_signed(SelfSigned::Tell)
    });
    deploy(&scene, &self_signed(&["a.example"], 1, 91), &[]);
    assert_eq!(code(&key.poll(at(DAY))), "no_longer_verifies");
}

#[test]
fn a_changed_root_or_issuer_is_told() {
    let scene = Scene::new();
    let other_root = pki::root("Other Root", -1000, 3000);
    let other = other_root.intermediate("Other CA", -300, 1500);
    let sibling = scene.root.intermediate("Sibling CA", -300, 1500);
    let twin = scene.root.intermediate("Issuing CA", -300, 1500);
    let issuer = "; its issuer is 'Other CA', and that of the one before 'Issuing CA'";
    let root = "; it leads to the root 'Other Root' and no longer to 'Root': clients that trust the \
                latter alone will refuse it";
    let top = "; its chain ends at an issuer 'Other Root', and the one before at 'Root': see that \
               clients trust it, or say by with_trust_anchors what they trust";
    let sibling_told = "; its issuer is 'Sibling CA', and that of the one before 'Issuing CA'";
    let twin_told = "; its issuer 'Issuing CA' has another key than before";
    let cases = [
        (&other, true, Severity::Warning, format!("{root}{issuer}")),
        (&other, false, Severity::Warning, format!("{top}{issuer}")),
        (&sibling, true, Severity::Info, sibling_told.to_owned()),
        (&sibling, false, Severity::Info, sibling_told.to_owned()),
        (&twin, true, Severity::Info, twin_told.to_owned()),
        (&scene.issuer, true, Severity::Info, String::new()),
        (&scene.issuer, false, Severity::Info, String::new()),
    ];
    for (ca, is_known, severity, expected) in cases {
        scene.deploy(&scene.leaf(-10, 80));
        let key = scene.with(|builder| match is_known {
            true => builder.with_trust_anchors(pki::anchors([&scene.root, &other_root])),
            false => builder,
        });
        deploy(&scene, &ca.leaf(&["a.example"], -1, 89), &[&ca.der]);
        assert_eq!(key.poll(at(1)).swapped, 1);
        let event = scene.told_once(EventCode::ReloadSucceeded);
        let (_, said) = event
            .message
            .split_once("until 2026-03-31T00:00:00Z")
            .unwrap();
        assert_eq!((event.severity, said), (severity, expected.as_str()));
    }
}
