//! Generated questions: a verifier with memory says what a fresh one says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notafter::pin::{ExpiryRule, Pin, PinMode, PinPosition, PinState};
use notafter::verifier::PinnedGrace;
use notafter::{Certificate, PinSet, SpkiPin, Timestamp, TrustAnchors, WatchingServerVerifier};
use rustls::CertificateError;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;

use super::{Changing, Knowing, ask, name, rounds, watching, webpki};
use crate::support::graph::{self, Dice, Graph};
use crate::support::proof::any_signature;

pub fn pick<'t, T>(dice: &mut Dice, of: &'t [T]) -> &'t T {
    &of[usize::try_from(dice.below(of.len() as u64)).unwrap()]
}

pub fn seconds(dice: &mut Dice, below: u64) -> i64 {
    i64::try_from(dice.below(below)).unwrap()
}

/// A graph that verifies at some instants, and those.
pub struct Verifying {
    pub seed: u64,
    pub graph: Graph,
    pub good: Vec<Timestamp>,
}

/// The first of them.
pub fn verifying(count: u64) -> impl Iterator<Item = Verifying> {
    let mint = |seed| {
        let graph = Graph::mint(seed, 0);
        let webpki = any_signature(webpki(&graph.anchors()));
        let chain: Vec<_> = std::iter::once(&graph.leaf)
            .chain(&graph.intermediates)
            .collect();
        let mut good = graph.breakpoints();
        good.retain(|now| ask(&*webpki, &chain, graph::NAME, *now).is_ok());
        Verifying { seed, graph, good }
    };
    let verifying = (0..).map(mint).filter(|minted| !minted.good.is_empty());
    verifying.take(usize::try_from(count).unwrap())
}

/// Near one of the dates of the graph, on either side.
pub fn any_time(dice: &mut Dice, graph: &Graph) -> Timestamp {
    let at = *pick(dice, &graph.breakpoints());
    match dice.below(4) {
        0 => at,
        1 => at.saturating_add(seconds(dice, 59)),
        2 => at.saturating_add(-seconds(dice, 86_400)),
        _ => at.saturating_add(seconds(dice, 400_000)),
    }
}

/// Pins of the leaf in any life, and with `paths` of any other key at any position.
pub fn any_set(dice: &mut Dice, graph: &Graph, paths: bool) -> PinSet {
    let chain = graph.chain();
    let leaf = SpkiPin::from_certificate(&chain[0]);
    let roots = graph
        .roots
        .iter()
        .map(|der| Certificate::from_der(der).unwrap());
    let keys: Vec<_> = chain.iter().cloned().chain(roots).collect();
    let nobody = SpkiPin::from_spki_der(b"nobody");
    loop {
        let mut set = PinSet::builder();
        if dice.below(8) == 0 {
            set = set.with_mode(PinMode::ReportOnly);
        }
        set = match dice.below(3) {
            0 => set.with_current(leaf),
            1 => set
                .with_current(nobody)
                .with_successor_from(leaf, any_time(dice, graph)),
            _ => set.with_current(nobody),
        };
        for _ in 0..dice.below(3) * u64::from(paths) {
            use PinState::{Announced, Current, Rejected, Retired};
            let key = SpkiPin::from_certificate(pick(dice, &keys));
            let state = *pick(dice, &[Current, Announced, Rejected, Retired]);
            let positions = [PinPosition::Ca, PinPosition::Anchor, PinPosition::Any];
            set = set.with_pin(Pin::new(key, state).with_position(*pick(dice, &positions)));
        }
        if dice.below(6) == 0 {
            let rule = [
                ExpiryRule::FailClosed,
                ExpiryRule::FailOpenLoudly,
                ExpiryRule::GraceThenClosed { seconds: 500_000 },
            ];
            set = set.with_expiry(any_time(dice, graph), *pick(dice, &rule));
        }
        if let Ok(set) = set.build() {
            return set;
        }
    }
}

/// All or some of what the graph presents.
pub fn any_chain<'g>(dice: &mut Dice, graph: &'g Graph) -> Vec<&'g CertificateDer<'static>> {
    let all = std::iter::once(&graph.leaf).chain(&graph.intermediates);
    let mut chain: Vec<_> = all.collect();
    if dice.below(7) == 0 {
        chain.truncate(1 + usize::try_from(dice.below(chain.len() as u64)).unwrap());
    }
    chain
}

/// One configuration of a wrapper, made anew as often as it is needed.
pub struct Recipe {
    inner: Arc<dyn ServerCertVerifier>,
    anchors: TrustAnchors,
    pub pins: Arc<Changing>,
    grace: Option<PinnedGrace>,
}

impl Recipe {
    pub fn any(dice: &mut Dice, graph: &Graph, paths: bool) -> Self {
        let grace = (dice.below(2) == 0).then(|| u32::try_from(dice.below(30 * 86_400)).unwrap());
        let anchors = graph.anchors();
        Self {
            inner: webpki(&anchors),
            anchors,
            pins: Changing::new(any_set(dice, graph, paths)),
            grace: grace.map(|seconds| PinnedGrace::from_seconds(seconds).unwrap()),
        }
    }

    pub fn verifier(&self, grace: Option<PinnedGrace>) -> Arc<WatchingServerVerifier> {
        let builder = watching(self.inner.clone(), &self.anchors).with_pins(self.pins.clone());
        match grace {
            Some(grace) => builder.with_grace(grace).build().unwrap(),
            None => builder.build().unwrap(),
        }
    }

    pub fn fresh(&self) -> Arc<WatchingServerVerifier> {
        self.verifier(self.grace)
    }
}

/// Questions at any instant, forwards and backwards, by peers who prove themselves and who do not,
/// while pins change and the inner verifier learns.
fn memory_is_as_good_as_none(paths: bool, count: u64) {
    let (mut accepted, mut refused) = (0, 0);
    for Verifying { seed, graph, .. } in verifying(count) {
        let mut dice = Dice::new(seed ^ 0x00ab_cdef);
        let mut recipe = Recipe::any(&mut dice, &graph, paths);
        let is_revoked = Arc::new(AtomicBool::new(false));
        let asked = is_revoked.clone();
        recipe.inner = Knowing::around(recipe.inner, move |_| {
            let is_revoked = asked.load(Ordering::Relaxed);
            is_revoked.then_some(CertificateError::Revoked)
        });
        let remembering = recipe.fresh();
        for _ in 0..60 {
            if dice.below(12) == 0 {
                recipe.pins.change(any_set(&mut dice, &graph, paths));
            }
            is_revoked.store(dice.below(20) == 0, Ordering::Relaxed);
            let now = any_time(&mut dice, &graph);
            let chain = any_chain(&mut dice, &graph);
            let hosts = [
                graph::NAME,
                graph::NAME,
                graph::NAME,
                "A.EXAMPLE",
                "b.example",
            ];
            let host = *pick(&mut dice, &hosts);
            if dice.below(5) == 0 {
                let (leaf, rest) = chain.split_first().unwrap();
                let rest: Vec<_> = rest.iter().map(|der| (*der).clone()).collect();
                let at = now.to_unix_time().unwrap();
                let _ = remembering.verify_server_cert(leaf, &rest, &name(host), &[], at);
            }
            let ours = ask(&*remembering, &chain, host, now);
            let expected = ask(&*recipe.fresh(), &chain, host, now);
            assert_eq!(
                format!("{ours:?}"),
                format!("{expected:?}"),
                "seed {seed}, {host} at {now}"
            );
            let inner = recipe.inner.verify_server_cert(
                chain[0],
                &chain[1..]
                    .iter()
                    .map(|der| (*der).clone())
                    .collect::<Vec<_>>(),
                &name(host),
                &[],
                now.to_unix_time().unwrap(),
            );
            let is_weaker = ours.is_ok() && inner.is_err() && recipe.grace.is_none();
            assert!(!is_weaker, "seed {seed}, {host} at {now}");
            *(if ours.is_ok() {
                &mut accepted
            } else {
                &mut refused
            }) += 1;
        }
    }
    assert!(
        accepted > refused / 20 && refused > accepted / 20,
        "{accepted} {refused}"
    );
}

#[test]
fn memory_is_as_good_as_none_for_leaf_pins() {
    memory_is_as_good_as_none(false, rounds(30));
}

#[test]
fn memory_is_as_good_as_none_for_path_pins() {
    memory_is_as_good_as_none(true, rounds(60));
}
