//! Questions, the instants at which they are asked, and what the inner verifier said lately.

use std::collections::HashMap;

use notafter::Timestamp;
use notafter::verifier::StapleRule;
use rustls::client::danger::ServerCertVerifier;
use rustls::internal::msgs::codec::Codec as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::{DigitallySignedStruct, Error};

use super::inner::PROOF;
use super::setup::{Meetings, Setup};
use crate::support::graph::Dice;
use crate::support::pki::NOW;
use crate::support::world::{NAMES, Peer};

/// What only the inner verifier knows may be remembered for so many seconds.
const MINUTE: i64 = 60;

/// At which instants the inner verifier accepted what.
#[derive(Debug)]
pub struct Accepted<Q>(HashMap<Q, Vec<Timestamp>>);

impl<Q> Default for Accepted<Q> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<Q: std::hash::Hash + Eq> Accepted<Q> {
    pub fn note(&mut self, question: Q, now: Timestamp) {
        self.0.entry(question).or_default().push(now);
    }

    /// Whether it accepted this at most a minute ago.
    pub fn lately(&self, question: &Q, now: Timestamp) -> bool {
        let times = self.0.get(question).into_iter().flatten();
        let mut ages = times.map(|then| now.seconds_since(*then));
        ages.any(|age| (0..=MINUTE).contains(&age))
    }
}

/// What a verifier is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question {
    pub leaf: &'static CertificateDer<'static>,
    pub intermediates: &'static [CertificateDer<'static>],
    pub name: &'static str,
    pub staple: &'static [u8],
}

/// Names as they are asked for: in any case, and one that no leaf is for.
const ASKED: [&str; 8] = [
    NAMES[0],
    NAMES[0],
    NAMES[0],
    "service.EXAMPLE",
    "SERVICE.example",
    NAMES[1],
    "Other.Example",
    STRANGER,
];
const STRANGER: &str = "stranger.example";

impl Question {
    pub fn any(dice: &mut Dice, setup: &Setup) -> Self {
        if setup.is_focused && dice.below(6) > 0 {
            let peer = &setup.world.peers[0];
            let staple = usize::from(setup.staple_rule != StapleRule::Observe);
            return Self {
                leaf: &peer.leaf,
                intermediates: &peer.chains[0],
                name: NAMES[0],
                staple: &peer.staples[staple],
            };
        }
        let peer: &Peer = dice.pick(&setup.world.peers);
        let staple = match setup.staple_rule {
            StapleRule::Observe if dice.below(8) > 0 => 0,
            _ => *dice.pick(&[0, 1, 1, 1, 2]),
        };
        let chain = match dice.below(4) {
            0 => dice.pick(&peer.chains),
            _ => &peer.chains[0],
        };
        Self {
            leaf: &peer.leaf,
            intermediates: chain,
            name: *dice.pick(&ASKED),
            staple: &peer.staples[staple],
        }
    }

    /// The same question under the name in its usual case.
    pub fn canonical(mut self) -> Self {
        let same = |name: &&&str| name.eq_ignore_ascii_case(self.name);
        self.name = NAMES.iter().find(same).unwrap_or(&self.name);
        self
    }

    /// Of a client, which has no name and no staple.
    pub fn about_a_client(self) -> Self {
        let (name, staple) = (NAMES[0], &[][..]);
        Self {
            name,
            staple,
            ..self
        }
    }

    /// For a guard of servers' names only those that some leaf is for.
    pub fn with_known_name(mut self) -> Self {
        if self.name == STRANGER {
            self.name = NAMES[0];
        }
        self
    }

    pub fn of_servers(
        &self,
        verifier: &dyn ServerCertVerifier,
        now: Timestamp,
    ) -> Result<(), Error> {
        let name = server_name(self.name);
        let verified = verifier.verify_server_cert(
            self.leaf,
            self.intermediates,
            &name,
            self.staple,
            unix(now),
        );
        verified.map(drop)
    }

    pub fn of_clients(
        &self,
        verifier: &dyn ClientCertVerifier,
        now: Timestamp,
    ) -> Result<(), Error> {
        let verified = verifier.verify_client_cert(self.leaf, self.intermediates, unix(now));
        verified.map(drop)
    }

    /// The peer proves, or fails to prove, that it has the leaf's key.
    pub fn prove_server(&self, verifier: &dyn ServerCertVerifier, proof: &[u8]) -> bool {
        let signed = signed(proof);
        verifier
            .verify_tls13_signature(b"message", self.leaf, &signed)
            .is_ok()
    }

    pub fn prove_client(&self, verifier: &dyn ClientCertVerifier, proof: &[u8]) -> bool {
        let signed = signed(proof);
        verifier
            .verify_tls12_signature(b"message", self.leaf, &signed)
            .is_ok()
    }
}

pub fn server_name(name: &str) -> ServerName<'static> {
    ServerName::try_from(name.to_owned()).unwrap()
}

pub fn unix(at: Timestamp) -> UnixTime {
    at.to_unix_time().unwrap()
}

/// A handshake signature with these bytes. rustls makes them from the wire only.
fn signed(proof: &[u8]) -> DigitallySignedStruct {
    let length = u16::try_from(proof.len()).unwrap().to_be_bytes();
    // ecdsa_secp256r1_sha256 (RFC 8446, 4.2.3).
    let bytes = [&[4, 3], &length[..], proof].concat();
    DigitallySignedStruct::read_bytes(&bytes).unwrap()
}

pub fn good_or_bad(dice: &mut Dice) -> &'static [u8] {
    match dice.below(8) {
        0 => b"somebody else's",
        _ => PROOF,
    }
}

/// Walks over the instants at which something may change: in half of the episodes only forward.
pub struct Walk {
    pub now: Timestamp,
    only_forward: bool,
}

impl Walk {
    pub fn start(dice: &mut Dice, setup: &Setup) -> Self {
        let only_forward = match setup.meetings {
            Meetings::Regular => true,
            _ => dice.below(2) == 0,
        };
        let first = dice.pick(&setup.world.instants).seconds_since(NOW);
        let now = match only_forward {
            true => NOW.saturating_add(first.clamp(-86_400, 0)),
            false => NOW,
        };
        Self { now, only_forward }
    }

    pub fn step(&mut self, dice: &mut Dice, setup: &Setup) -> Timestamp {
        let below = |dice: &mut Dice, n: u64| i64::try_from(dice.below(n)).unwrap();
        let grace = setup.grace.map_or(60, |grace| i64::from(grace.seconds()));
        self.now = if self.only_forward {
            let shift = *dice.pick(&[0, 0, 0, grace]);
            let turns = setup
                .world
                .instants
                .iter()
                .map(|turn| turn.saturating_add(shift));
            let next = turns.map(|turn| turn.saturating_add(below(dice, 3) - 1));
            let next = next.filter(|turn| *turn > self.now).min();
            match (dice.below(8), next) {
                (0, Some(next)) => next,
                (1, _) => self.now.saturating_add(below(dice, 4_000)),
                (2, _) if setup.meetings != Meetings::Regular && dice.below(2) == 0 => {
                    self.now.saturating_add(below(dice, 16 * 86_400))
                }
                (_, _) => self.now.saturating_add(below(dice, 45)),
            }
        } else {
            let turn = *dice.pick(&setup.world.instants);
            match dice.below(16) {
                0..4 => turn.saturating_add(below(dice, 3) - 1),
                4 => turn.saturating_add(grace + below(dice, 3) - 1),
                5 => turn.saturating_add(below(dice, 200) - 100),
                6 => self.now.saturating_add(-below(dice, 130)),
                7 => self.now.saturating_add(below(dice, 86_400)),
                _ => self.now.saturating_add(below(dice, 70)),
            }
        };
        self.now
    }
}

/// As a report shows an answer; errors with other errors inside are never equal to each other.
pub fn said(answer: &Result<(), Error>) -> String {
    format!("{answer:?}")
}
