//! Sessions of clients: what the guard hands out rests on a chain that a fresh verifier accepts now,
//! and on a handshake of this epoch. Without TLS, in the order of rustls's calls.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};

use notafter::{SessionGuard, Timestamp, WatchingServerVerifier};
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, NamedGroup, RootCertStore, ServerConfig};

use super::ground::{play, provider};
use super::inner::{Knowledge, PROOF};
use super::pins::Pinning;
use super::question::{Accepted, Question, Walk, good_or_bad, server_name};
use super::setup::{Meetings, Setup, Shape, identity_of};
use crate::support::graph::Dice;
use crate::support::pki::{self, NOW};
use crate::support::tls::{SetTime, meet};
use crate::support::world::NAMES;

const STEPS: u32 = 60;

/// A store that knows which handshake each of its sessions is of.
#[derive(Debug, Default)]
pub struct Shelf {
    sessions: Mutex<HashMap<ServerName<'static>, (usize, Tls12ClientSessionValue)>>,
    /// The handshake of which a session is being stored.
    storing: Mutex<usize>,
    /// The one of the session that was read last.
    read: Mutex<Option<usize>>,
}

impl Shelf {
    fn holds(&self, name: &str) -> bool {
        let sessions = self.sessions.lock().unwrap();
        sessions.contains_key(&server_name(name))
    }
}

impl ClientSessionStore for Shelf {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        let number = *self.storing.lock().unwrap();
        self.sessions.lock().unwrap().insert(name, (number, value));
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        let sessions = self.sessions.lock().unwrap();
        let (number, value) = sessions.get(&name.to_owned())?;
        *self.read.lock().unwrap() = Some(*number);
        Some(value.clone())
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.sessions.lock().unwrap().remove(name);
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// Some session as rustls makes it: its bytes do not matter to a guard.
fn session() -> Tls12ClientSessionValue {
    static SESSION: OnceLock<Tls12ClientSessionValue> = OnceLock::new();
    let made = SESSION.get_or_init(|| {
        let root = pki::root("root", -1, 1);
        let leaf = root.leaf(&["any.example"], -1, 1);
        let version = &[&rustls::version::TLS12];
        let clock = SetTime::at(NOW);
        let server = ServerConfig::builder_with_details(provider(), clock.clone())
            .with_protocol_versions(version)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
            .unwrap();
        let roots = RootCertStore::from(&pki::anchors([&root]));
        let mut client = ClientConfig::builder_with_details(provider(), clock)
            .with_protocol_versions(version)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let shelf = Arc::new(Shelf::default());
        client.resumption = Resumption::store(shelf.clone());
        meet(&Arc::new(client), &Arc::new(server), "any.example")
            .client
            .unwrap();
        shelf.tls12_session(&server_name("any.example")).unwrap()
    });
    made.clone()
}

/// A handshake that the peer finished.
pub struct Handshake {
    pub question: Question,
    pub epoch: u64,
}

/// A client with its guard, from the beginning or since it was renewed.
pub struct Client {
    pub verifier: Arc<WatchingServerVerifier>,
    shelf: Arc<Shelf>,
    guard: Arc<dyn ClientSessionStore>,
    /// Names of which a guard may have come to refuse everything.
    spoilt: HashSet<String>,
}

impl Client {
    pub fn new(verifier: Arc<WatchingServerVerifier>, clock: &Arc<SetTime>) -> Self {
        let shelf = Arc::new(Shelf::default());
        Self {
            guard: SessionGuard::new(clock.clone()).client(&verifier, shelf.clone()),
            verifier,
            shelf,
            spoilt: HashSet::new(),
        }
    }

    /// That a session of this handshake arrived.
    pub fn store(&self, number: usize, handshake: &Handshake) {
        *self.shelf.storing.lock().unwrap() = number;
        let name = server_name(handshake.question.name);
        self.guard.set_tls12_session(name, session());
    }

    /// The handshake of the session that is handed out.
    pub fn resume(&self, name: &str) -> Option<usize> {
        *self.shelf.read.lock().unwrap() = None;
        self.guard.tls12_session(&server_name(name))?;
        *self.shelf.read.lock().unwrap()
    }
}

struct Episode<'e> {
    setup: &'e Setup,
    strict: Setup,
    handshakes: Vec<Handshake>,
    /// When the inner verifier was asked and accepted.
    accepted: Accepted<Question>,
}

impl Episode<'_> {
    fn note(&mut self, question: Question, now: Timestamp) {
        if question.of_servers(&*self.setup.inner, now).is_ok() {
            self.accepted.note(question.canonical(), now);
        }
    }

    /// Why a session of this handshake may not be resumed now.
    fn objection(&self, handshake: &Handshake, now: Timestamp) -> Option<String> {
        if handshake.epoch != self.setup.epoch() {
            return Some(format!(
                "its handshake began in epoch {}, now is {}",
                handshake.epoch,
                self.setup.epoch()
            ));
        }
        let question = handshake.question;
        let fresh = question.of_servers(&*self.strict.fresh_servers(), now);
        let refusal = fresh.err()?;
        let lately = self.accepted.lately(&question.canonical(), now);
        let own = || question.of_servers(&*self.strict.own_opinion_of_servers(), now);
        let remembered = self.setup.inner_knows_more() && lately && own().is_ok();
        (!remembered).then(|| format!("a fresh verifier says {refusal:.200?}"))
    }
}

/// How often and when the pins change.
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
        let mut client = Client::new(setup.servers(), &clock);
        let mut episode = Episode {
            setup: &setup,
            strict: setup.without_grace(),
            handshakes: Vec::new(),
            accepted: Accepted::default(),
        };
        for step in 0..STEPS {
            let now = walk.step(dice, &setup);
            clock.set(now);
            let question = Question::any(dice, &setup).with_known_name();
            findings.asked += 1;
            if changes != Changes::Never && dice.below(20) == 0 {
                setup.change_pins(dice);
                if dice.below(2) == 0 {
                    client = Client::new(client.verifier.renewed(), &clock);
                }
            }
            // Everybody is to be met by the same guard for long.
            let patience = if setup.meetings == Meetings::Everybody {
                24
            } else {
                4
            };
            if !client.spoilt.is_empty() && dice.below(patience) == 0 {
                client = Client::new(client.verifier.renewed(), &clock);
            }
            if setup.knowledge == Knowledge::Learning && dice.below(8) == 0 {
                setup.inner.turn(question.leaf);
            }
            match dice.below(5) {
                0..2 => full_handshake(dice, &mut episode, &client, question, now, changes),
                _ => {
                    let found = resumption(dice, &mut episode, &mut client, question.name, now);
                    findings.could += u64::from(found.could);
                    findings.passed += u64::from(found.passed);
                    if let Some(wrong) = found.wrong {
                        let context = format!("step {step} at {now}, inner {:?}", setup.knowledge);
                        findings.wrong(seed, format!("{context}, {:?}: {wrong}", question.name));
                    }
                }
            }
        }
    });
    findings.at_least_one_in(4);
}

fn full_handshake(
    dice: &mut Dice,
    episode: &mut Episode<'_>,
    client: &Client,
    question: Question,
    now: Timestamp,
    changes: Changes,
) {
    let epoch = episode.setup.epoch();
    let verified = question.of_servers(&*client.verifier, now);
    episode.note(question, now);
    if verified.is_err() || !question.prove_server(&*client.verifier, good_or_bad(dice)) {
        return;
    }
    episode.handshakes.push(Handshake { question, epoch });
    if changes == Changes::AtAnyTime && dice.below(10) == 0 {
        episode.setup.change_pins(dice);
    }
    let number = episode.handshakes.len() - 1;
    client.store(number, &episode.handshakes[number]);
}

#[derive(Default)]
struct Found {
    could: bool,
    passed: bool,
    wrong: Option<String>,
}

fn resumption(
    dice: &mut Dice,
    episode: &mut Episode<'_>,
    client: &mut Client,
    name: &str,
    now: Timestamp,
) -> Found {
    let key = name.to_lowercase();
    let is_stored = client.shelf.holds(name);
    let named = |question: &Question| question.name.to_lowercase() == key;
    let chains: HashSet<_> = episode.handshakes.iter().map(|h| h.question).collect();
    let chains: Vec<_> = chains.into_iter().filter(named).collect();
    for question in &chains {
        episode.note(*question, now);
    }
    let objects = |h: &Handshake| named(&h.question) && episode.objection(h, now).is_some();
    let identities = chains.iter().map(|q| identity_of(episode.setup, q.leaf));
    let identities: HashSet<_> = identities.collect();
    if identities.len() > 1 || chains.len() > 4 || episode.handshakes.iter().any(objects) {
        client.spoilt.insert(key.clone());
    }
    let handed_out = client.resume(name);
    let roomy = episode.setup.memory.get() >= 16;
    let mut found = Found {
        could: is_stored && roomy && !client.spoilt.contains(&key),
        ..Found::default()
    };
    if let Some(number) = handed_out {
        let handshake = &episode.handshakes[number];
        found.wrong = episode.objection(handshake, now);
        found.passed = found.could;
        if dice.below(2) == 0 {
            // The server sends another ticket in the resumed connection; no verifier is asked.
            client.store(number, handshake);
        }
    }
    found
}

#[test]
fn pins_on_leaves() {
    guarded(
        "client sessions",
        3,
        Shape::PLAIN,
        Changes::BetweenHandshakes,
    );
}

#[test]
fn pins_on_paths() {
    let shape = Shape {
        pinning: Some(Pinning::Paths),
        meetings: Meetings::Regular,
        ..Shape::PLAIN
    };
    guarded("client sessions by path pins", 5, shape, Changes::Never);
}

#[test]
fn pins_that_change_at_any_time() {
    let pinning = Some(Pinning::Scopes);
    let shape = Shape {
        pinning,
        ..Shape::PLAIN
    };
    guarded("client sessions over epochs", 4, shape, Changes::AtAnyTime);
}

#[test]
fn pins_for_identities() {
    let shape = Shape {
        pinning: Some(Pinning::Identities),
        meetings: Meetings::Regular,
        ..Shape::PLAIN
    };
    let name = "client sessions of identities";
    guarded(name, 3, shape, Changes::BetweenHandshakes);
}

/// Without pins or other knowledge: what is left are dates, and names in any case.
#[test]
fn names_and_dates() {
    let shape = Shape {
        pinning: None,
        may_lack_anchors: true,
        meetings: Meetings::Everybody,
        ..Shape::PLAIN
    };
    guarded("client sessions by name", 4, shape, Changes::Never);
}

fn inner_knowledge(name: &str, knowledge: &'static [Knowledge]) {
    let shape = Shape {
        pinning: None,
        knowledge,
        lists_are_given: false,
        ..Shape::PLAIN
    };
    guarded(name, 2, shape, Changes::Never);
}

#[test]
fn inner_revocation_lists() {
    inner_knowledge("client sessions under lists", &[Knowledge::Lists]);
}

#[test]
fn inner_verifiers_with_fewer_anchors() {
    inner_knowledge("client sessions, fewer anchors", &[Knowledge::FewerAnchors]);
}

#[test]
fn inner_verifiers_that_learn() {
    inner_knowledge("client sessions, learning", &[Knowledge::Learning]);
}

#[test]
fn inner_verifiers_that_count_anchor_dates() {
    inner_knowledge("client sessions, anchor dates", &[Knowledge::AnchorDates]);
}

#[test]
fn graces() {
    let shape = Shape {
        grace: true,
        cached: true,
        knowledge: &[Knowledge::Same, Knowledge::Lists],
        ..Shape::PLAIN
    };
    guarded(
        "client sessions with graces",
        2,
        shape,
        Changes::BetweenHandshakes,
    );
}

#[test]
fn staples() {
    let shape = Shape {
        staples: true,
        ..Shape::PLAIN
    };
    guarded("client sessions with staples", 2, shape, Changes::Never);
}

#[test]
fn a_session_of_a_proven_peer_is_handed_out() {
    let shape = Shape {
        pinning: None,
        ..Shape::PLAIN
    };
    let found = (0..64).find_map(|seed| {
        let setup = Setup::any(seed, &mut Dice::new(seed), shape);
        let peer = &setup.world.peers[0];
        let question = Question {
            leaf: &peer.leaf,
            intermediates: &peer.chains[0],
            name: NAMES[0],
            staple: &[],
        };
        let client = Client::new(setup.servers(), &SetTime::at(NOW));
        question.of_servers(&*client.verifier, NOW).ok()?;
        assert!(question.prove_server(&*client.verifier, PROOF));
        client.store(7, &Handshake { question, epoch: 0 });
        Some(client.resume(NAMES[0]))
    });
    assert_eq!(found, Some(Some(7)));
}
