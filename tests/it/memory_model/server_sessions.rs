//! Sessions of servers: what the guard opens, from a store or a ticket, rests on a client's chain
//! that a fresh verifier accepts now, and on a handshake of this epoch. Without TLS, in the order of
//! rustls's calls, with sessions in rustls's own encoding.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use notafter::{SessionGuard, Timestamp, WatchingClientVerifier};
use rustls::internal::msgs::codec::Codec as _;
use rustls::internal::msgs::persist::ServerSessionValue;
use rustls::server::{ProducesTickets, StoresServerSessions};

use super::ground::play;
use super::inner::Knowledge;
use super::pins::Pinning;
use super::question::{Accepted, Question, Walk, good_or_bad, unix};
use super::setup::{Meetings, Setup, Shape};
use crate::support::graph::Dice;
use crate::support::tls::SetTime;

const STEPS: u32 = 60;

/// A store without limits.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<HashMap<Vec<u8>, Vec<u8>>>);

impl StoresServerSessions for Shelf {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.0.lock().unwrap().insert(key, value);
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.lock().unwrap().remove(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// Tickets that hide nothing.
#[derive(Debug)]
struct Plain;

impl ProducesTickets for Plain {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        7 * 86_400
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        Some(plain.to_vec())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        Some(cipher.to_vec())
    }
}

/// A session of this client as rustls stores it, made at `now`.
pub fn session(question: &Question, now: Timestamp) -> Vec<u8> {
    let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
    let chain = std::iter::once(question.leaf).chain(question.intermediates);
    let chain = chain.flat_map(|der| [length(der.len()), der.to_vec()].concat());
    let chain: Vec<u8> = chain.collect();
    let bytes = [
        // No server name; TLS 1.2 with ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; a master secret of 48
        // bytes; extended; a chain follows.
        &[0, 3, 3, 0xc0, 0x2b, 48][..],
        &[7; 48],
        &[1, 1],
        &length(chain.len()),
        &chain,
        // No ALPN, no data of the application.
        &[0, 0, 0],
        &unix(now).as_secs().to_be_bytes(),
        &[0; 4],
    ];
    let bytes = bytes.concat();
    let read = ServerSessionValue::read_bytes(&bytes).expect("rustls's encoding");
    assert_eq!(read.get_encoding(), bytes);
    bytes
}

/// A session that was given to the guard.
struct Stored {
    question: Question,
    epoch: u64,
    session: Vec<u8>,
    /// Its key in the store, or the ticket.
    handle: Handle,
}

pub enum Handle {
    Key(Vec<u8>),
    Ticket(Vec<u8>),
}

pub struct Server {
    pub verifier: Arc<WatchingClientVerifier>,
    store: Arc<dyn StoresServerSessions>,
    tickets: Arc<dyn ProducesTickets>,
}

impl Server {
    pub fn new(setup: &Setup, clock: &Arc<SetTime>) -> Self {
        let (guard, verifier) = (SessionGuard::new(clock.clone()), setup.clients());
        Self {
            store: guard.server(&verifier, Arc::new(Shelf::default())),
            tickets: guard.tickets(&verifier, Arc::new(Plain)),
            verifier,
        }
    }

    pub fn store(&self, number: usize, session: &[u8], dice: &mut Dice) -> Option<Handle> {
        let key = number.to_be_bytes().to_vec();
        match dice.below(2) {
            0 => {
                let stored = self.store.put(key.clone(), session.to_vec());
                stored.then_some(Handle::Key(key))
            }
            _ => self.tickets.encrypt(session).map(Handle::Ticket),
        }
    }

    pub fn open(&self, handle: &Handle, dice: &mut Dice) -> Option<Vec<u8>> {
        match handle {
            Handle::Key(key) if dice.below(4) == 0 => self.store.take(key),
            Handle::Key(key) => self.store.get(key),
            Handle::Ticket(ticket) => self.tickets.decrypt(ticket),
        }
    }
}

struct Episode<'e> {
    setup: &'e Setup,
    strict: Setup,
    stored: Vec<Stored>,
    accepted: Accepted<Question>,
}

impl Episode<'_> {
    fn note(&mut self, question: Question, now: Timestamp) {
        if question.of_clients(&*self.setup.inner, now).is_ok() {
            self.accepted.note(question.canonical(), now);
        }
    }

    fn objection(&self, stored: &Stored, now: Timestamp) -> Option<String> {
        if stored.epoch != self.setup.epoch() {
            return Some(format!(
                "its handshake began in epoch {}, now is {}",
                stored.epoch,
                self.setup.epoch()
            ));
        }
        let question = stored.question;
        let refusal = question
            .of_clients(&*self.strict.fresh_clients(), now)
            .err()?;
        let lately = self.accepted.lately(&question.canonical(), now);
        let own = || question.of_clients(&*self.strict.own_opinion_of_clients(), now);
        let remembered = self.setup.inner_knows_more() && lately && own().is_ok();
        (!remembered).then(|| format!("a fresh verifier says {refusal:.200?}"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Changes {
    Never,
    BetweenHandshakes,
    AtAnyTime,
}

fn guarded(name: &str, shares: u64, shape: Shape, changes: Changes) {
    let findings = play(name, shares, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape);
        let mut walk = Walk::start(dice, &setup);
        let clock = SetTime::at(walk.now);
        let server = Server::new(&setup, &clock);
        let mut episode = Episode {
            setup: &setup,
            strict: setup.without_grace(),
            stored: Vec::new(),
            accepted: Accepted::default(),
        };
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            findings.asked += 1;
            if changes != Changes::Never && dice.below(20) == 0 {
                setup.change_pins(dice);
            }
            let question = Question::any(dice, &setup).about_a_client();
            if setup.knowledge == Knowledge::Learning && dice.below(8) == 0 {
                setup.inner.turn(question.leaf);
            }
            if dice.below(5) < 2 {
                full_handshake(dice, &mut episode, &server, question, now, changes);
                continue;
            }
            // Late sessions are tried more often than those of long ago.
            let count = episode.stored.len() as u64;
            let ago = dice.below(count.max(1));
            let ago = ago.min(dice.below(2 * count.max(1)));
            let Some(number) = count.checked_sub(1 + ago) else {
                continue;
            };
            let number = usize::try_from(number).unwrap();
            episode.note(episode.stored[number].question, now);
            let stored = &episode.stored[number];
            let objection = episode.objection(stored, now);
            findings.could += u64::from(objection.is_none());
            let Some(opened) = server.open(&stored.handle, dice) else {
                continue;
            };
            findings.passed += 1;
            assert_eq!(opened, stored.session);
            if let Some(wrong) = objection {
                let context = format!("step {step} at {now}, inner {:?}", setup.knowledge);
                findings.wrong(seed, format!("{context}: {wrong}"));
            }
        }
    });
    findings.at_least_one_in(20);
}

fn full_handshake(
    dice: &mut Dice,
    episode: &mut Episode<'_>,
    server: &Server,
    question: Question,
    now: Timestamp,
    changes: Changes,
) {
    let epoch = episode.setup.epoch();
    episode.note(question, now);
    if question.of_clients(&*server.verifier, now).is_err() {
        return;
    }
    let is_held_back = changes == Changes::AtAnyTime && dice.below(6) == 0;
    if is_held_back && dice.below(2) == 0 {
        episode.setup.change_pins(dice);
    }
    if !question.prove_client(&*server.verifier, good_or_bad(dice)) {
        return;
    }
    if is_held_back && episode.setup.epoch() == epoch {
        episode.setup.change_pins(dice);
    }
    let session = session(&question, now);
    if let Some(handle) = server.store(episode.stored.len(), &session, dice) {
        episode.stored.push(Stored {
            question,
            epoch,
            session,
            handle,
        });
    }
}

#[test]
fn dates_under_clocks_that_go_both_ways() {
    let shape = Shape {
        pinning: None,
        may_lack_anchors: true,
        meetings: Meetings::Everybody,
        ..Shape::PLAIN
    };
    guarded("server sessions", 4, shape, Changes::Never);
}

#[test]
fn pins_that_change_between_handshakes() {
    guarded(
        "server sessions by leaf pins",
        2,
        Shape::PLAIN,
        Changes::BetweenHandshakes,
    );
}

#[test]
fn pins_that_change_within_handshakes() {
    guarded(
        "server sessions over epochs",
        3,
        Shape::PLAIN,
        Changes::AtAnyTime,
    );
}

#[test]
fn pins_on_paths() {
    let pinning = Some(Pinning::Paths);
    let shape = Shape {
        pinning,
        ..Shape::PLAIN
    };
    guarded("server sessions by path pins", 3, shape, Changes::Never);
}

#[test]
fn pins_for_identities() {
    let pinning = Some(Pinning::Identities);
    let shape = Shape {
        pinning,
        ..Shape::PLAIN
    };
    let name = "server sessions of identities";
    guarded(name, 2, shape, Changes::BetweenHandshakes);
}

#[test]
fn inner_verifiers_that_know_more() {
    let shape = Shape {
        pinning: None,
        knowledge: &[
            Knowledge::AnchorDates,
            Knowledge::Lists,
            Knowledge::Learning,
            Knowledge::FewerAnchors,
        ],
        lists_are_given: false,
        ..Shape::PLAIN
    };
    guarded(
        "server sessions by inner knowledge",
        3,
        shape,
        Changes::Never,
    );
}

#[test]
fn graces() {
    let shape = Shape {
        grace: true,
        ..Shape::PLAIN
    };
    guarded("server sessions with graces", 2, shape, Changes::Never);
}
