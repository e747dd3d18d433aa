//! Verdicts that are remembered: no longer than what they rest on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notafter::pin::PinPosition;
use notafter::verifier::VerdictCache;
use notafter::{PinSet, SpkiPin, Timestamp, TrustAnchors, WatchingServerVerifier};
use rustls::CertificateError;
use rustls::pki_types::CertificateDer;

use super::{Agreeable, Changing, Knowing, NAME, ask, pin_of, pin_of_ca, pinned, watching, webpki};
use crate::pinning::refusal;
use crate::support::pki::{self, Ca, Leaf, NOW, days};
use crate::support::proof::any_signature;
use crate::support::tls::{Recorder, ring};

/// One intermediate key, cross-signed by a pinned root and by another.
pub struct Crossed {
    pub anchors: TrustAnchors,
    pub leaf: Leaf,
    pub by_pinned: CertificateDer<'static>,
    pub by_other: CertificateDer<'static>,
    pub pinned_root: Ca,
    pub other_root: Ca,
}

impl Crossed {
    /// The path to the pinned root is good between these days, the other for long.
    pub fn mint((from, to): (i64, i64)) -> Self {
        let pinned_root = pki::root("pinned root", -1000, 3650);
        let other_root = pki::root("other root", -1000, 3650);
        let issuing = pinned_root.intermediate("issuing", -10, 1000);
        Self {
            anchors: pki::anchors([&pinned_root, &other_root]),
            leaf: issuing.leaf(&[NAME], -10, 350),
            by_pinned: pinned_root.cross_sign(&issuing, from, to),
            by_other: other_root.cross_sign(&issuing, -10, 1000),
            pinned_root,
            other_root,
        }
    }

    pub fn chain(&self) -> [&CertificateDer<'static>; 3] {
        [&self.leaf.der, &self.by_pinned, &self.by_other]
    }

    fn verifier(&self, set: &PinSet) -> Arc<WatchingServerVerifier> {
        let builder = watching(webpki(&self.anchors), &self.anchors);
        builder.with_pin_set(set.clone()).build().unwrap()
    }
}

/// What was concluded of a pinned path, or of the way around a rejected one, counts no longer than
/// that path does, however long another lasts.
#[test]
fn a_ca_pin_is_matched_while_its_path_lasts_and_not_a_second_longer() {
    let second = |at: Timestamp, seconds| at.saturating_add(seconds);
    let ends = Crossed::mint((-10, 1));
    let begins = Crossed::mint((1, 1000));
    let pinned_ca = |crossed: &Crossed| pinned(pin_of_ca(&crossed.pinned_root), PinPosition::Ca);
    let around = PinSet::builder()
        .with_current(pin_of(&ends.leaf))
        .with_rejected(pin_of_ca(&ends.other_root));
    let cases = [
        (
            "the pinned path ends",
            &ends,
            pinned_ca(&ends),
            [
                (NOW, true),
                (days(1), true),
                (second(days(1), 1), false),
                (days(100), false),
            ],
        ),
        (
            "the pinned path begins",
            &begins,
            pinned_ca(&begins),
            [
                (NOW, false),
                (second(days(1), -1), false),
                (days(1), true),
                (days(100), true),
            ],
        ),
        (
            "the way around a rejected CA ends",
            &ends,
            around.build().unwrap(),
            [
                (NOW, true),
                (days(1), true),
                (second(days(1), 1), false),
                (days(100), false),
            ],
        ),
    ];
    for (label, crossed, set, asks) in cases {
        let remembering = crossed.verifier(&set);
        for (now, passes) in asks {
            let fresh = ask(&*crossed.verifier(&set), &crossed.chain(), NAME, now);
            for result in [fresh, ask(&*remembering, &crossed.chain(), NAME, now)] {
                assert_eq!(result.is_ok(), passes, "{label}, {now}: {result:?}");
                assert_eq!(refusal(&result).is_none(), passes, "{label}, {now}");
            }
        }
    }
}

/// What only the inner verifier knows, an anchor's end say, is asked of it after a minute.
#[test]
fn a_verdict_does_not_count_after_the_end_of_an_anchor_that_the_inner_verifier_counts() {
    let root = pki::root("root", -100, 0);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    let strict = || {
        let ended = |now| (now > NOW).then_some(CertificateError::Expired);
        any_signature(Knowing::around(webpki(&anchors), ended))
    };
    let untold = VerdictCache::builder(strict()).with_ttl(Duration::from_secs(3600));
    let untold = untold.build().unwrap();
    let told = VerdictCache::builder(strict()).with_ttl(Duration::from_secs(3600));
    let told = told.with_trust_anchors(&anchors).build().unwrap();
    for (cache, counts_until) in [(untold, 59), (told, 0)] {
        assert!(ask(&*cache, &[&leaf.der], NAME, NOW).is_ok());
        for (seconds, passes) in [
            (counts_until, true),
            (counts_until + 1, false),
            (3000, false),
        ] {
            let result = ask(&*cache, &[&leaf.der], NAME, NOW.saturating_add(seconds));
            assert_eq!(result.is_ok(), passes, "{seconds}: {result:?}");
        }
    }
}

/// DNS compares without case (RFC 4343): nobody fills memory, or is told again, by writing a name
/// in other letters.
#[test]
fn names_in_other_case_share_one_memory() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -80, 10);
    let told = Arc::new(Recorder::default());
    let verifier = watching(webpki(&anchors), &anchors)
        .with_observer(told.clone())
        .with_peer_memory(std::num::NonZeroUsize::MIN)
        .build()
        .unwrap();
    for host in [
        NAME,
        "SERVICE.example",
        "service.EXAMPLE",
        "sErViCe.ExAmPlE",
    ] {
        assert!(ask(&*verifier, &[&leaf.der], host, NOW).is_ok());
        let expected = usize::from(host == NAME);
        assert_eq!(told.take().len(), expected, "{host}");
    }
    assert_eq!(verifier.peer_evictions(), 0);
}

/// Once a change of pins, or `forget_all`, has returned, nothing of before counts.
#[test]
fn changes_count_at_once_under_load() {
    let root = pki::root("root", -100, 3650);
    let leaves = [(); 2].map(|()| root.leaf(&[NAME], -90, 300));
    let set = |leaf| {
        PinSet::builder()
            .with_current(pin_of(leaf))
            .build()
            .unwrap()
    };
    let is_revoked = Arc::new(AtomicBool::new(false));
    let asked = is_revoked.clone();
    let inner = Knowing::around(Arc::new(Agreeable::default()), move |_| {
        let is_revoked = asked.load(Ordering::SeqCst);
        is_revoked.then_some(CertificateError::Revoked)
    });
    let pins = Changing::new(set(&leaves[0]));
    let cache = VerdictCache::builder(inner).with_pins(pins.clone());
    let cache = cache.build().unwrap();
    let verifier = WatchingServerVerifier::builder(cache.clone())
        .with_provider(ring())
        .with_trust_anchors(pki::anchors([&root]))
        .with_pins(pins.clone())
        .build()
        .unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (verifier, stop, leaves) = (&verifier, &stop, &leaves);
            scope.spawn(move || {
                for asked in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let now = NOW.saturating_add(asked / 1000 % 5 + thread);
                    for leaf in leaves {
                        let _ = ask(&**verifier, &[&leaf.der], NAME, now);
                    }
                }
            });
        }
        let now = NOW.saturating_add(6);
        for round in 0..super::rounds(400) {
            let [yes, no] = match round % 2 {
                0 => [&leaves[1], &leaves[0]],
                _ => [&leaves[0], &leaves[1]],
            };
            pins.change(set(yes));
            assert!(ask(&*verifier, &[&no.der], NAME, now).is_err());
            assert!(ask(&*verifier, &[&yes.der], NAME, now).is_ok());
            is_revoked.store(true, Ordering::SeqCst);
            cache.forget_all();
            assert!(ask(&*verifier, &[&yes.der], NAME, now).is_err());
            is_revoked.store(false, Ordering::SeqCst);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Room that nobody can fill is not asked for ahead of time.
#[test]
fn a_huge_memory_does_not_panic_when_it_is_built() {
    let many = std::num::NonZeroUsize::MAX;
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let leaf = root.leaf(&[NAME], -90, 300);
    let cache = VerdictCache::builder(any_signature(webpki(&anchors))).with_capacity(many);
    let verifier = WatchingServerVerifier::builder(cache.build().unwrap())
        .with_peer_memory(many)
        .with_leaf_pin(pin_of(&leaf))
        .with_successor_pin(SpkiPin::from_spki_der(b"next"))
        .build()
        .unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&*verifier, &[&leaf.der], NAME, NOW), Ok(()));
    }
}
