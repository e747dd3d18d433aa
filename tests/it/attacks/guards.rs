//! Generated histories: a guard hands out exactly the sessions that stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::pin::{ExpiryRule, PinsInForce as _};
use notafter::verifier::PinnedGrace;
use notafter::{
    PinSet, SessionGuard, SpkiPin, Timestamp, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ServerSessionMemoryCache;
use rustls::server::danger::ClientCertVerifier as _;

use super::oracles::{Recipe, Verifying, any_chain, any_set, any_time, pick, seconds, verifying};
use super::stored::session;
use super::{Changing, ask, name, pin_of, rounds, webpki_of_clients};
use crate::support::graph::{self, Dice};
use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature_of_clients, meet_client};
use crate::support::tls::{SetTime, ring};

/// An inner store that only counts whether the guard asks it for a session.
#[derive(Debug, Default)]
pub struct Probe(AtomicUsize);

impl ClientSessionStore for Probe {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.fetch_add(1, Ordering::Relaxed);
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// A chain that was accepted, as the model remembers it.
struct Accepted<'g> {
    chain: Vec<&'g CertificateDer<'static>>,
    is_within_grace: bool,
}

/// A client's guard hands out a session exactly where all chains accepted under the name so far
/// pass a fresh verifier without a grace, none was accepted within one, the epoch is that of the
/// first, and all of that held whenever it was asked before.
fn clients_guard(paths: bool, count: u64) {
    let (mut handed_out, mut kept_back) = (0, 0);
    for Verifying { seed, graph, good } in verifying(count) {
        let mut dice = Dice::new(seed ^ 0x0123_4567);
        let recipe = Recipe::any(&mut dice, &graph, paths);
        let (clock, probe) = (SetTime::at(NOW), Arc::new(Probe::default()));
        let guarded = |verifier: &Arc<WatchingServerVerifier>| {
            SessionGuard::new(clock.clone()).client(verifier, probe.clone())
        };
        let mut verifier = recipe.fresh();
        let mut guard = guarded(&verifier);
        let mut accepted: Vec<Accepted<'_>> = Vec::new();
        let mut first_epoch = None;
        let mut is_barred = false;
        let mut now = NOW;
        for step in 0..60 {
            now = match dice.below(4) {
                0 => any_time(&mut dice, &graph),
                1 => *pick(&mut dice, &good),
                _ => now.saturating_add(seconds(&mut dice, 60)),
            };
            clock.set(now);
            if dice.below(15) == 0 {
                recipe.pins.change(any_set(&mut dice, &graph, paths));
            }
            let epoch = recipe.pins.generation().epoch;
            if is_barred || first_epoch.is_some_and(|first| first != epoch && dice.below(2) == 0) {
                verifier = verifier.renewed();
                guard = guarded(&verifier);
                (accepted, first_epoch, is_barred) = (Vec::new(), None, false);
            }
            if dice.below(2) == 0 {
                let chain = any_chain(&mut dice, &graph);
                if ask(&*verifier, &chain, graph::NAME, now).is_ok() {
                    first_epoch.get_or_insert(epoch);
                    let strictly = ask(&*recipe.verifier(None), &chain, graph::NAME, now);
                    let is_within_grace = strictly.is_err();
                    accepted.push(Accepted {
                        chain,
                        is_within_grace,
                    });
                }
                continue;
            }
            let passes = |accepted: &Accepted<'_>| {
                let strictly = recipe.verifier(None);
                !accepted.is_within_grace
                    && ask(&*strictly, &accepted.chain, graph::NAME, now).is_ok()
            };
            let expected = first_epoch == Some(epoch) && accepted.iter().all(passes);
            is_barred = first_epoch.is_some() && !expected;
            let before = probe.0.load(Ordering::Relaxed);
            guard.tls12_session(&name(graph::NAME));
            let was_asked = probe.0.load(Ordering::Relaxed) > before;
            assert_eq!(was_asked, expected, "seed {seed}, step {step} at {now}");
            handed_out += usize::from(expected);
            kept_back += usize::from(first_epoch.is_some() && !expected);
        }
    }
    // Enough of both, or it shows nothing.
    assert!(
        handed_out > 50 && kept_back > 50,
        "{handed_out} {kept_back}"
    );
}

#[test]
fn a_clients_guard_hands_out_what_stands_for_leaf_pins() {
    clients_guard(false, rounds(30));
}

#[test]
fn a_clients_guard_hands_out_what_stands_for_path_pins() {
    clients_guard(true, rounds(30));
}

/// A server's guard opens a session exactly where its client proved itself before it was stored, in
/// the epoch of now, and would be let in now without a grace; whatever the clock did meanwhile.
#[test]
fn a_servers_guard_opens_what_stands() {
    let (mut opened, mut refused) = (0, 0);
    for seed in 0..rounds(60) {
        let mut dice = Dice::new(seed ^ 0x777);
        let root = pki::root("root", -1000, 3650);
        let anchors = pki::anchors([&root]);
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let day = |dice: &mut Dice| seconds(dice, 7);
                let issuing = root.intermediate("issuing", -10, day(&mut dice));
                let leaf = issuing.leaf(&["client"], -10, day(&mut dice));
                (leaf, issuing)
            })
            .collect();
        let any_set = |dice: &mut Dice| {
            let mut set = PinSet::builder().with_current(SpkiPin::from_spki_der(b"nobody"));
            for (leaf, _) in &clients {
                if dice.below(4) > 0 {
                    set = set.with_backup(pin_of(leaf));
                }
            }
            if dice.below(3) == 0 {
                let end = NOW.saturating_add(seconds(dice, 6 * 86_400));
                set = set.with_expiry(end, ExpiryRule::FailClosed);
            }
            set.build().unwrap()
        };
        let pins = Changing::new(any_set(&mut dice));
        let knows_anchors = dice.below(2) == 0;
        let verifier = |grace: Option<u32>| {
            let inner = any_signature_of_clients(webpki_of_clients(&anchors));
            let mut builder = WatchingClientVerifier::builder(inner).with_pins(pins.clone());
            if knows_anchors {
                builder = builder
                    .with_provider(ring())
                    .with_trust_anchors(anchors.clone());
            }
            if let Some(seconds) = grace {
                builder = builder.with_grace(PinnedGrace::from_seconds(seconds).unwrap());
            }
            builder.build().unwrap()
        };
        let remembering = verifier(Some(86_400));
        let clock = SetTime::at(NOW);
        let guard = SessionGuard::new(clock.clone());
        let store = guard.server(&remembering, ServerSessionMemoryCache::new(4096));
        // Whose it is, its epoch, and when it was stored.
        let mut sessions: Vec<(Vec<u8>, usize, u64, Timestamp)> = Vec::new();
        let mut proved_in = [None; 4];
        let mut now = NOW;
        for step in 0..80_u32 {
            now = match dice.below(8) {
                0 => now.saturating_add(-seconds(&mut dice, 40_000)),
                _ => now.saturating_add(seconds(&mut dice, 12_000)),
            };
            clock.set(now);
            let at = now.to_unix_time().unwrap();
            if dice.below(15) == 0 {
                pins.change(any_set(&mut dice));
            }
            let who = usize::try_from(dice.below(4)).unwrap();
            let (leaf, issuing) = &clients[who];
            let rest = [issuing.der.clone()];
            match dice.below(4) {
                0 => {
                    let met = meet_client(&*remembering, (&leaf.der, &rest), at);
                    if met.is_ok() {
                        proved_in[who] = Some(pins.generation().epoch);
                    }
                }
                1 => {
                    let key = step.to_be_bytes().to_vec();
                    let was_put = store.put(key.clone(), session(&[&leaf.der, &issuing.der]));
                    assert_eq!(
                        was_put,
                        proved_in[who].is_some(),
                        "seed {seed}, step {step}"
                    );
                    if let Some(epoch) = proved_in[who] {
                        sessions.push((key, who, epoch, now));
                    }
                }
                _ if !sessions.is_empty() => {
                    let n = usize::try_from(dice.below(sessions.len() as u64)).unwrap();
                    let (key, who, epoch, stored) = &sessions[n];
                    let (leaf, issuing) = &clients[*who];
                    let rest = [issuing.der.clone()];
                    let strictly = verifier(None).verify_client_cert(&leaf.der, &rest, at);
                    let expected =
                        *epoch == pins.generation().epoch && *stored <= now && strictly.is_ok();
                    let found = store.get(key).is_some();
                    assert_eq!(found, expected, "seed {seed}, step {step} at {now}");
                    *(if expected { &mut opened } else { &mut refused }) += 1;
                    if !expected {
                        sessions.remove(n);
                    }
                }
                _ => {}
            }
        }
    }
    assert!(
        opened > refused / 20 && refused > opened / 20,
        "{opened} {refused}"
    );
}
