//! The memory of what each server showed last gives what looking again gives.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use notafter::pin::{PinGeneration, PinSets, PinsInForce};
use notafter::{Event, EventCode, PinSet, SpkiPin, TrustAnchors, WatchingServerVerifier};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::support::graph::Dice;
use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::{Recorder, ring};

/// In even epochs the first key is pinned, in odd ones the second.
#[derive(Debug)]
struct Alternating {
    epoch: AtomicU64,
    pins: [SpkiPin; 2],
}

impl PinsInForce for Alternating {
    fn generation(&self) -> Arc<PinGeneration> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let pin = self.pins[usize::from(epoch % 2 == 1)];
        let set = PinSet::builder().with_current(pin).build().unwrap();
        Arc::new(PinGeneration::new(epoch, PinSets::from(set)))
    }
}

struct World {
    anchors: TrustAnchors,
    pins: Arc<Alternating>,
    chains: Vec<[CertificateDer<'static>; 2]>,
}

impl World {
    fn new() -> Self {
        let root = pki::root("Root", -100, 3_000);
        let issuing = root.intermediate("Issuing", -50, 2_000);
        let leaves = [200, 220].map(|end| issuing.leaf(&["a.example", "b.example"], -10, end));
        let twin = root.cross_sign(&issuing, -50, 150);
        let pins = leaves
            .each_ref()
            .map(|leaf| SpkiPin::from_certificate(&leaf.certificate()));
        let [first, second] = leaves.map(|leaf| leaf.der);
        let stranger = pki::root("Nobody", -10, 10).der;
        Self {
            anchors: pki::anchors([&root]),
            pins: Arc::new(Alternating {
                epoch: AtomicU64::new(0),
                pins,
            }),
            chains: vec![
                [first.clone(), issuing.der.clone()],
                [first.clone(), twin],
                [first, stranger],
                [second, issuing.der],
            ],
        }
    }

    fn verifier(&self, told: &Arc<Recorder>) -> Arc<WatchingServerVerifier> {
        let roots = Arc::new(RootCertStore::from(&self.anchors));
        let inner = WebPkiServerVerifier::builder_with_provider(roots, ring())
            .build()
            .unwrap();
        WatchingServerVerifier::builder(any_signature(inner))
            .with_provider(ring())
            .with_trust_anchors(self.anchors.clone())
            .with_pins(self.pins.clone())
            .with_peer_memory(NonZeroUsize::new(64).unwrap())
            .with_observer(told.clone())
            .build()
            .unwrap()
    }
}

#[test]
fn what_is_remembered_is_what_looking_again_gives() {
    let world = World::new();
    let told = Arc::new(Recorder::default());
    let remembering = world.verifier(&told);
    let mut dice = Dice::new(7);
    let mut at = NOW;
    let (mut accepted, mut refused) = (0, 0);
    for step in 0..1_500 {
        // Mostly seconds, now and then days, to both sides of every end.
        at = match dice.below(40) {
            0 => pki::days(i64::try_from(dice.below(200)).unwrap() + 10),
            1 => at.saturating_add(-30),
            2 => NOW,
            _ => at.saturating_add(i64::try_from(dice.below(20)).unwrap()),
        };
        if dice.below(25) == 0 {
            world.pins.epoch.fetch_add(1, Ordering::Relaxed);
        }
        let chain = match dice.below(4) {
            0 => &world.chains[usize::try_from(dice.below(4)).unwrap()],
            // Most peers show what they showed before.
            _ => &world.chains[0],
        };
        let name = [
            "a.example",
            "a.example",
            "a.example",
            "b.example",
            "b.example",
            "c.example",
        ];
        let name = name[usize::try_from(dice.below(6)).unwrap()];
        let ask = |verifier: &WatchingServerVerifier| {
            let (leaf, rest) = chain.split_first().unwrap();
            let name = ServerName::try_from(name).unwrap();
            let now = at.to_unix_time().unwrap();
            meet_server(verifier, (leaf, rest), &name, &[], now)
        };
        let fresh = world.verifier(&Arc::new(Recorder::default()));
        let (ours, expected) = (ask(&remembering), ask(&fresh));
        assert_eq!(
            format!("{ours:?}"),
            format!("{expected:?}"),
            "step {step}, {name} at {at}"
        );
        *(if ours.is_ok() {
            &mut accepted
        } else {
            &mut refused
        }) += 1;
    }
    assert!(accepted > 300 && refused > 100, "{accepted} {refused}");
}

#[test]
fn what_is_to_be_repeated_is_repeated() {
    let world = World::new();
    let told = Arc::new(Recorder::default());
    let verifier = world.verifier(&told);
    let [leaf, issuing] = world.chains[0].clone();
    let name = ServerName::try_from("a.example").unwrap();
    // The leaf is critical: that is repeated hourly.
    for second in (0..2 * 86_400 + 120).step_by(30) {
        let now = pki::days(192)
            .saturating_add(second)
            .to_unix_time()
            .unwrap();
        let rest = [issuing.clone()];
        meet_server(&*verifier, (&leaf, &rest), &name, &[], now).unwrap();
    }
    let told: Vec<Event> = told.take();
    let expiring = told.into_iter();
    let expiring = expiring.filter(|event| event.code == EventCode::PeerExpiring);
    let told: Vec<_> = expiring.collect();
    let at = |event: &Event| event.at.seconds_since(pki::days(192));
    let gaps: Vec<_> = told
        .windows(2)
        .map(|pair| at(&pair[1]) - at(&pair[0]))
        .collect();
    assert!(told.len() >= 40, "{told:?}");
    assert!(gaps.iter().all(|gap| (0..=3_600).contains(gap)), "{gaps:?}");
}
