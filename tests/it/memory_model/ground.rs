//! What every model test stands on: the pool of worlds, a configuration of which a verifier can be
//! built at any time, questions, and what is found.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use notafter::{
    CrlExpiration, Crls, InlineObserver, Observer, PinSets, PinnedGrace, PinsInForce, StapleRule, StapleStrictness,
    Timestamp, VerdictCache, WatchingClientVerifier, WatchingServerVerifier,
    WatchingVerifierBuilder,
};
use rustls::DigitallySignedStruct;
use rustls::Error;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::internal::msgs::codec::Codec as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;

use super::inner::{Inner, Knowledge, PROOF, Yes};
use super::pins::{ChangingPins, Pinning, any_sets};
use crate::support::graph::Dice;
use crate::support::pki::NOW;
use crate::support::tls::ring;
use crate::support::world::{NAMES, Peer, World};

/// How many questions all tests together ask.
pub fn questions() -> u64 {
    let asked = std::env::var("NOTAFTER_MODEL_QUESTIONS");
    asked.map_or(100_000, |text| text.parse().unwrap())
}

/// The one seed that was asked for.
fn only_seed() -> Option<u64> {
    let asked = std::env::var("NOTAFTER_MODEL_SEED");
    asked.ok().map(|text| text.parse().unwrap())
}

/// The world of this seed. Minting is costly, so there are less worlds than seeds.
pub fn world(seed: u64) -> &'static World {
    static POOL: OnceLock<Vec<OnceLock<World>>> = OnceLock::new();
    let size = (questions() / 1_500).clamp(64, 4_096);
    let pool = POOL.get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
    let number = seed % size;
    pool[usize::try_from(number).unwrap()].get_or_init(|| World::mint(number))
}

pub fn provider() -> Arc<CryptoProvider> {
    static RING: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    RING.get_or_init(ring).clone()
}

/// What the episodes of one test came to.
#[derive(Default)]
pub struct Findings {
    pub asked: u64,
    /// Questions answered with yes, or sessions handed out.
    pub passed: u64,
    /// Sessions that could have been handed out.
    pub could: u64,
    wrong: Vec<String>,
    wrong_count: u64,
    /// Whether the test looks at one seed only.
    replay: bool,
}

impl Findings {
    pub fn wrong(&mut self, seed: u64, what: String) {
        self.wrong_count += 1;
        let told = self.wrong.iter().filter(|w| w.contains("seed")).count();
        if told < 8 && !self.wrong.iter().any(|w| w.contains(&format!("seed {seed} "))) {
            self.wrong.push(format!("seed {seed} {what}"));
        }
    }

    /// Fails with the first disagreements.
    pub fn settle(self, name: &str) -> Self {
        println!(
            "{name}: asked {}, passed {}, could {}, wrong {}",
            self.asked, self.passed, self.could, self.wrong_count
        );
        assert!(
            self.wrong.is_empty(),
            "{name}: {} of {} are wrong. Replay one with NOTAFTER_MODEL_SEED (and the same \
             NOTAFTER_MODEL_QUESTIONS, {}):\n{}",
            self.wrong_count,
            self.asked,
            questions(),
            self.wrong.join("\n")
        );
        self
    }

    /// That at least one in `n` of those that could pass did.
    pub fn at_least_one_in(&self, n: u64) {
        let enough = self.replay || self.passed * n >= self.could && self.passed > 20;
        assert!(enough, "{} of {} passed", self.passed, self.could);
    }
}

/// Plays episodes until so many percent of the questions are asked.
pub fn play(name: &str, percent: u64, mut episode: impl FnMut(u64, &mut Dice, &mut Findings)) -> Findings {
    let mut findings = Findings::default();
    if let Some(seed) = only_seed() {
        findings.replay = true;
        episode(seed, &mut Dice::new(seed ^ 0xe91_50de), &mut findings);
        return findings.settle(name);
    }
    let mut seed = 1;
    while findings.asked < questions() * percent / 100 {
        episode(seed, &mut Dice::new(seed ^ 0xe91_50de), &mut findings);
        seed += 1;
    }
    findings.settle(name)
}

/// Of what kind the configurations of a test are.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub pinning: Option<Pinning>,
    pub knowledge: &'static [Knowledge],
    /// Whether the wrapper is given the inner verifier's lists.
    pub lists_are_given: bool,
    pub grace: bool,
    pub staples: bool,
    pub cached: bool,
    /// Whether some wrappers are given no trust anchors.
    pub may_lack_anchors: bool,
    pub meetings: Meetings,
}

/// Whom the episodes of a test meet, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meetings {
    Mixed,
    /// Everybody, under names in any case.
    Everybody,
    /// Nearly always the same peer, and time goes forward.
    Regular,
}

impl Shape {
    pub const PLAIN: Self = Self {
        pinning: Some(Pinning::Leaves),
        knowledge: &[Knowledge::Same],
        lists_are_given: true,
        grace: false,
        staples: false,
        cached: false,
        may_lack_anchors: false,
        meetings: Meetings::Mixed,
    };
}

/// A configuration.
#[derive(Clone)]
pub struct Setup {
    pub world: &'static World,
    pub inner: Arc<Inner>,
    pub knowledge: Knowledge,
    pub pinning: Option<Pinning>,
    pub pins: Option<Arc<ChangingPins>>,
    pub grace: Option<PinnedGrace>,
    pub lists: Option<Crls>,
    pub staple_rule: StapleRule,
    /// The `ttl` of a cache around the inner verifier.
    pub cache: Option<Duration>,
    pub memory: NonZeroUsize,
    is_observed: bool,
    /// Whether the same peer is met most of the time.
    is_focused: bool,
    has_anchors: bool,
    pub meetings: Meetings,
    observer: Option<Arc<dyn Observer>>,
}

impl Setup {
    pub fn any(seed: u64, dice: &mut Dice, shape: Shape) -> Self {
        let world = world(seed);
        let knowledge = *dice.pick(shape.knowledge);
        let grace = *dice.pick(&[59, 60, 3_600, 86_400, 12 * 86_400]);
        let strictness = *dice.pick(&[StapleStrictness::Soft, StapleStrictness::Hard]);
        let ttl = *dice.pick(&[1, 30, 60, 300, 3_600]);
        let lists = || {
            let lists = Crls::builder().with_expiration(CrlExpiration::Enforce);
            let mut all = world.lists.iter();
            all.try_fold(lists, |lists, der| lists.with_der(der)).unwrap().build()
        };
        let given = shape.lists_are_given && knowledge == Knowledge::Lists;
        let pins = shape.pinning;
        Self {
            world,
            inner: Inner::new(world, knowledge),
            knowledge,
            pinning: shape.pinning,
            pins: pins.map(|pinning| ChangingPins::new(any_sets(dice, world, pinning))),
            grace: shape.grace.then(|| PinnedGrace::of_seconds(grace).unwrap()),
            lists: given.then(lists),
            staple_rule: match (shape.staples, dice.below(3)) {
                (true, 0) => StapleRule::WhenMustStaple(strictness),
                (true, _) => StapleRule::Always(strictness),
                (false, _) => StapleRule::Observe,
            },
            cache: shape.cached.then(|| Duration::from_secs(ttl)),
            memory: NonZeroUsize::new(*dice.pick(&[1, 3, 16, 1_024])).unwrap(),
            is_observed: dice.below(2) == 0,
            is_focused: match shape.meetings {
                Meetings::Mixed => dice.below(2) == 0,
                meetings => meetings == Meetings::Regular,
            },
            has_anchors: !(shape.may_lack_anchors && dice.below(3) == 0),
            meetings: shape.meetings,
            observer: None,
        }
    }

    /// The same without a grace: sessions of those within one are never resumed.
    pub fn without_grace(&self) -> Self {
        Self {
            grace: None,
            ..self.clone()
        }
    }

    /// The same with room for everybody.
    pub fn with_room(self) -> Self {
        let memory = NonZeroUsize::new(1_024).unwrap();
        Self { memory, ..self }
    }

    /// The same, watched by this observer.
    pub fn observed_by(&self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self.clone()
        }
    }

    /// Other pins, to be put into force later.
    pub fn other_pins(&self, dice: &mut Dice) -> Option<PinSets> {
        let pinning = self.pinning?;
        Some(any_sets(dice, self.world, pinning))
    }

    pub fn change_pins(&self, dice: &mut Dice) {
        if let (Some(pins), Some(pinning)) = (&self.pins, self.pinning) {
            pins.change(any_sets(dice, self.world, pinning));
        }
    }

    pub fn epoch(&self) -> u64 {
        self.pins.as_ref().map_or(0, |pins| pins.generation().epoch)
    }

    /// Whether the inner verifier knows what neither wrapper nor cache do.
    pub fn inner_knows_more(&self) -> bool {
        self.inner.knows_more(self.lists.is_some())
    }

    fn finish<V: ?Sized>(
        &self,
        builder: WatchingVerifierBuilder<V>,
        memory: NonZeroUsize,
    ) -> WatchingVerifierBuilder<V> {
        let mut builder = builder
            .with_provider(provider())
            .with_peer_memory(memory);
        if self.has_anchors {
            builder = builder.with_trust_anchors(self.world.anchors.clone());
        }
        if let Some(observer) = &self.observer {
            builder = builder.with_observer(observer.clone());
        }
        if let Some(pins) = &self.pins {
            builder = builder.with_pins(pins.clone());
        }
        if let Some(grace) = self.grace.filter(|_| self.pins.is_some()) {
            builder = builder.with_grace(grace);
        }
        if let Some(lists) = &self.lists {
            builder = builder.with_crls(lists.clone());
        }
        if self.is_observed {
            builder = builder.with_observer(Arc::new(InlineObserver(|_: &notafter::Event| ())));
        }
        builder
    }

    fn servers_by(
        &self,
        inner: Arc<dyn ServerCertVerifier>,
        memory: NonZeroUsize,
    ) -> Arc<WatchingServerVerifier> {
        let builder = WatchingServerVerifier::builder(inner).with_staple_rule(self.staple_rule);
        self.finish(builder, memory).build().unwrap()
    }

    /// The verifier of servers that is asked again and again.
    pub fn servers(&self) -> Arc<WatchingServerVerifier> {
        let inner: Arc<dyn ServerCertVerifier> = match self.cache {
            None => self.inner.clone(),
            Some(ttl) => {
                let mut cache = VerdictCache::builder(self.inner.clone()).with_ttl(ttl);
                if let Some(lists) = &self.lists {
                    cache = cache.with_crls(lists.clone());
                }
                if let Some(pins) = &self.pins {
                    cache = cache.with_pins(pins.clone());
                }
                cache.build().unwrap()
            }
        };
        self.servers_by(inner, self.memory)
    }

    /// One that was never asked anything.
    pub fn fresh_servers(&self) -> Arc<WatchingServerVerifier> {
        self.servers_by(self.inner.clone(), NonZeroUsize::MIN)
    }

    /// The same around an inner verifier that accepts everybody.
    pub fn own_opinion_of_servers(&self) -> Arc<WatchingServerVerifier> {
        self.servers_by(Arc::new(Yes), NonZeroUsize::MIN)
    }

    fn clients_by(
        &self,
        inner: Arc<dyn ClientCertVerifier>,
        memory: NonZeroUsize,
    ) -> Arc<WatchingClientVerifier> {
        let builder = WatchingClientVerifier::builder(inner);
        self.finish(builder, memory).build().unwrap()
    }

    pub fn clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(self.inner.clone(), self.memory)
    }

    pub fn fresh_clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(self.inner.clone(), NonZeroUsize::MIN)
    }

    pub fn own_opinion_of_clients(&self) -> Arc<WatchingClientVerifier> {
        self.clients_by(Arc::new(Yes), NonZeroUsize::MIN)
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

    /// For a guard of servers' names only those that some leaf is for.
    pub fn with_known_name(mut self) -> Self {
        if self.name == STRANGER {
            self.name = NAMES[0];
        }
        self
    }

    pub fn of_servers(&self, verifier: &dyn ServerCertVerifier, now: Timestamp) -> Result<(), Error> {
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

    pub fn of_clients(&self, verifier: &dyn ClientCertVerifier, now: Timestamp) -> Result<(), Error> {
        let verified = verifier.verify_client_cert(self.leaf, self.intermediates, unix(now));
        verified.map(drop)
    }

    /// The peer proves, or fails to prove, that it has the leaf's key.
    pub fn prove_server(&self, verifier: &dyn ServerCertVerifier, proof: &[u8]) -> bool {
        let signed = signed(proof);
        verifier.verify_tls13_signature(b"message", self.leaf, &signed).is_ok()
    }

    pub fn prove_client(&self, verifier: &dyn ClientCertVerifier, proof: &[u8]) -> bool {
        let signed = signed(proof);
        verifier.verify_tls12_signature(b"message", self.leaf, &signed).is_ok()
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
            true => NOW.saturating_add(first.min(0).max(-86_400)),
            false => NOW,
        };
        Self { now, only_forward }
    }

    pub fn step(&mut self, dice: &mut Dice, setup: &Setup) -> Timestamp {
        let below = |dice: &mut Dice, n: u64| i64::try_from(dice.below(n)).unwrap();
        let grace = setup.grace.map_or(60, |grace| i64::from(grace.seconds()));
        self.now = if self.only_forward {
            let shift = *dice.pick(&[0, 0, 0, grace]);
            let turns = setup.world.instants.iter().map(|turn| turn.saturating_add(shift));
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
