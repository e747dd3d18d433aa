//! What a test over real handshakes knows of them, and pins that change in their midst.

use std::collections::HashSet;
use std::sync::Arc;

use notafter::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

use super::question::Accepted;
use super::setup::Setup;
use crate::support::graph::Dice;
use crate::support::tls::{Met, pump};

type Chain = Vec<CertificateDer<'static>>;

/// A peer as a guard tells it from others: its chain, and its name in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shown {
    pub chain: Chain,
    name: String,
}

impl Shown {
    pub fn by(connection: &CommonState, name: &str) -> Self {
        let chain = connection.peer_certificates().unwrap_or_default();
        Self {
            chain: chain.iter().map(|der| der.clone().into_owned()).collect(),
            name: name.to_lowercase(),
        }
    }
}

/// Full handshakes that began in an epoch, and what the inner verifier accepted when.
#[derive(Debug, Default)]
pub struct Known {
    begun: HashSet<(Shown, u64)>,
    accepted: Accepted<Shown>,
}

/// Asks a verifier about a chain.
type Ask<'a> = &'a dyn Fn(&[CertificateDer<'static>]) -> Result<(), Error>;

/// The inner verifier, a fresh one around it, and one around an inner verifier that accepts
/// everybody.
pub struct Asks<'a> {
    pub inner: Ask<'a>,
    pub fresh: Ask<'a>,
    pub own: Ask<'a>,
}

impl Known {
    /// Why this peer may not have been resumed now.
    pub fn objection(
        &self,
        setup: &Setup,
        shown: &Shown,
        now: Timestamp,
        asks: &Asks<'_>,
    ) -> Option<String> {
        let epoch = setup.epoch();
        if !self.begun.contains(&(shown.clone(), epoch)) {
            return Some(format!("none of its handshakes began in epoch {epoch}"));
        }
        let refusal = (asks.fresh)(&shown.chain).err()?;
        let lately = setup.inner_knows_more() && self.accepted.lately(shown, now);
        let remembered = lately && (asks.own)(&shown.chain).is_ok();
        (!remembered).then(|| format!("a fresh verifier says {refusal:.200?}"))
    }

    /// That a handshake with this peer began in this epoch.
    pub fn begin(&mut self, epoch: u64, shown: Shown) {
        self.begun.insert((shown, epoch));
    }

    /// That a guard may ask the inner verifier now about everybody known by this name.
    pub fn note(&mut self, name: &str, now: Timestamp, asks: &Asks<'_>) {
        let name = name.to_lowercase();
        let known: HashSet<_> = self.begun.iter().map(|(shown, _)| shown).collect();
        for shown in known.into_iter().filter(|shown| shown.name == name) {
            if (asks.inner)(&shown.chain).is_ok() {
                self.accepted.note(shown.clone(), now);
            }
        }
    }
}

/// Pins that come into force before one of the records, now and then. Also tells the epoch in which
/// the verifier was asked about the peer.
pub fn meet_while_pins_change(
    dice: &mut Dice,
    setup: &Setup,
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    name: &str,
) -> (Met, u64) {
    let mut other = match dice.below(6) {
        0 => setup.other_pins(dice),
        _ => None,
    };
    let (at, before) = (dice.below(12), setup.epoch());
    let mut asked_before = None;
    let met = pump(client, server, name, |count| {
        if let Some(sets) = (count == at).then(|| other.take()).flatten() {
            setup.pins.as_ref().unwrap().change(sets);
            asked_before = Some(setup.inner.asked());
        }
    });
    let asked_after = asked_before.is_some_and(|asked| setup.inner.asked() > asked);
    let epoch = if asked_after { setup.epoch() } else { before };
    (met, epoch)
}
