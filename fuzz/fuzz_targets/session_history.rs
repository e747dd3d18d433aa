#![no_main]
//! Is every session that a guard hands out one that a fresh verifier would let begin now?

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use notafter::observer::InlineObserver;
use notafter::pin::{ExpiryRule, FixedPins, PinGeneration, PinsInForce};
use notafter::verifier::{PinnedGrace, WatchingVerifierBuilder};
use notafter::{
    Event, PinSet, SessionGuard, Severity, Timestamp, WatchingClientVerifier,
    WatchingServerVerifier,
};
use notafter_fuzz::proof::{Clients, GOOD, Moods, Servers, signature};
use notafter_fuzz::world::{NAMES, World};
use notafter_fuzz::{NOW, assert_printable, ring, tickets, unix};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};
use rustls::time_provider::TimeProvider;

#[derive(Arbitrary, Debug)]
struct History {
    has_anchors: bool,
    has_grace: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// A server is verified, and proves that it has its key, or not.
    Meet {
        chain: Chain,
        name: u8,
        good: bool,
    },
    Verify {
        chain: Chain,
        name: u8,
    },
    Prove {
        leaf: u8,
        good: bool,
    },
    Store {
        name: u8,
        older: bool,
    },
    Take {
        name: u8,
        older: bool,
    },
    MeetClient {
        chain: Chain,
        good: bool,
    },
    VerifyClient {
        chain: Chain,
    },
    ProveClient {
        leaf: u8,
        good: bool,
    },
    Put {
        key: u8,
        chain: Option<Chain>,
    },
    Get {
        key: u8,
        take: bool,
    },
    Pins {
        set: u8,
    },
    Clock {
        index: u8,
        back: bool,
    },
    /// The inner verifier changes its mind about a leaf.
    Mood {
        leaf: u8,
    },
}

#[derive(Arbitrary, Debug, Clone, Copy)]
struct Chain {
    leaf: u8,
    above: Option<u8>,
    further: Option<u8>,
}

impl Chain {
    fn ders(self) -> (CertificateDer<'static>, Vec<CertificateDer<'static>>) {
        let World {
            leaves,
            authorities,
            ..
        } = World::get();
        let above = [self.above, self.further].into_iter().flatten();
        let above = above.map(|n| authorities[usize::from(n) % authorities.len()].clone());
        (
            leaves[usize::from(self.leaf) % leaves.len()].clone(),
            above.collect(),
        )
    }
}

const SECONDS: [i64; 12] = [
    1,
    30,
    59,
    60,
    61,
    600,
    3_600,
    86_399,
    86_400,
    86_401,
    5 * 86_400,
    20 * 86_400,
];
const GRACE: u32 = 3 * 86_400;
/// For so long holds what only the inner verifier knows.
const FRESH: i64 = 60;

#[derive(Debug)]
struct Clock(AtomicI64);

impl Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Ordering::Relaxed))
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        self.now().to_unix_time()
    }
}

#[derive(Debug)]
struct Pins(Mutex<Arc<PinGeneration>>);

impl PinsInForce for Pins {
    fn generation(&self) -> Arc<PinGeneration> {
        self.0.lock().expect("no panic").clone()
    }
}

fn set(number: u8) -> PinSet {
    let world = World::get();
    let set = PinSet::builder();
    let set = match number % 6 {
        0 => set.with_current(world.pin(0)).with_backup(world.pin(1)),
        1 => set
            .with_current(world.pin(1))
            .with_successor_from(world.pin(0), NOW.saturating_add(5 * 86_400)),
        2 => set
            .with_current(world.pin(8))
            .with_current(world.pin(0))
            .with_rejected(world.pin(1)),
        3 => set
            .with_current(world.pin(0))
            .with_expiry(NOW.saturating_add(86_400), ExpiryRule::FailClosed),
        4 => set
            .with_current(world.pin(8))
            .with_expiry(NOW.saturating_add(60), ExpiryRule::FailOpenLoudly),
        _ => [0, 1, 4, 8]
            .into_iter()
            .fold(set, |set, leaf| set.with_current(world.pin(leaf))),
    };
    set.build().expect("there is a current pin")
}

/// A chain that proved itself.
struct Proven {
    chain: Chain,
    epoch: u64,
}

struct Pending {
    chain: Chain,
    name: String,
    epoch: u64,
}

struct Scene<'h> {
    history: &'h History,
    clock: Arc<Clock>,
    pins: Arc<Pins>,
    moods: Arc<Moods>,
    somebody_proved: Arc<AtomicBool>,
    servers: Arc<WatchingServerVerifier>,
    client_sessions: Arc<dyn ClientSessionStore>,
    clients: Arc<WatchingClientVerifier>,
    server_sessions: Arc<dyn StoresServerSessions>,
    pending: Option<Pending>,
    proven: HashMap<String, Vec<Proven>>,
    pending_clients: Vec<(Chain, u64)>,
    proven_clients: HashMap<u8, u64>,
    put: HashMap<u8, (Option<Chain>, Timestamp)>,
}

fuzz_target!(|history: History| {
    let mut scene = Scene::new(&history);
    for step in history.steps.iter().take(64) {
        scene.step(step);
    }
});

impl<'h> Scene<'h> {
    fn new(history: &'h History) -> Self {
        let clock = Arc::new(Clock(AtomicI64::new(NOW.as_unix_seconds())));
        let pins = Arc::new(Pins(Mutex::new(Arc::new(PinGeneration::new(
            0,
            set(5).into(),
        )))));
        let (moods, somebody_proved) =
            (Arc::new(Moods::default()), Arc::new(AtomicBool::new(false)));
        let servers = watched(
            WatchingServerVerifier::builder(Servers::new(moods.clone())),
            history,
            pins.clone(),
            &somebody_proved,
        );
        let servers = servers.build().expect("it can be built");
        let clients = watched(
            WatchingClientVerifier::builder(Clients::new(moods.clone())),
            history,
            pins.clone(),
            &somebody_proved,
        );
        let clients = clients.build().expect("it can be built");
        let guard = SessionGuard::new(clock.clone());
        Self {
            client_sessions: guard.client(&servers, Arc::new(ClientSessionMemoryCache::new(16))),
            server_sessions: guard.server(&clients, ServerSessionMemoryCache::new(64)),
            history,
            clock,
            pins,
            moods,
            somebody_proved,
            servers,
            clients,
            pending: None,
            proven: HashMap::new(),
            pending_clients: Vec::new(),
            proven_clients: HashMap::new(),
            put: HashMap::new(),
        }
    }

    fn epoch(&self) -> u64 {
        self.pins.generation().epoch
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Meet { chain, name, good } => {
                if self.verify(chain, name) {
                    self.prove(chain.leaf, good);
                }
            }
            Step::Verify { chain, name } => drop(self.verify(chain, name)),
            Step::Prove { leaf, good } => self.prove(leaf, good),
            Step::Store { name, older: false } => {
                self.client_sessions
                    .insert_tls13_ticket(server_name(name), tickets::ticket());
            }
            Step::Store { name, older: true } => {
                self.client_sessions
                    .set_tls12_session(server_name(name), tickets::session());
            }
            Step::Take { name, older: false } => {
                if let Some(ticket) = self.client_sessions.take_tls13_ticket(&server_name(name)) {
                    tickets::give_back(ticket);
                    self.may_be_resumed(name);
                }
            }
            Step::Take { name, older: true } => {
                if self
                    .client_sessions
                    .tls12_session(&server_name(name))
                    .is_some()
                {
                    self.may_be_resumed(name);
                }
            }
            Step::MeetClient { chain, good } => {
                if self.verify_client(chain) {
                    self.prove_client(chain.leaf, good);
                }
            }
            Step::VerifyClient { chain } => drop(self.verify_client(chain)),
            Step::ProveClient { leaf, good } => self.prove_client(leaf, good),
            Step::Put { key, chain } => self.put(key, chain),
            Step::Get { key, take } => self.get(key, take),
            Step::Pins { set: number } => {
                let mut generation = self.pins.0.lock().expect("no panic");
                *generation =
                    Arc::new(PinGeneration::new(generation.epoch + 1, set(number).into()));
            }
            Step::Clock { index, back } => {
                let seconds = SECONDS[usize::from(index) % SECONDS.len()];
                let seconds = if back { -seconds } else { seconds };
                let now = self.clock.now().saturating_add(seconds);
                self.clock.0.store(now.as_unix_seconds(), Ordering::Relaxed);
            }
            Step::Mood { leaf } => self.moods.toggle(&leaf_der(leaf)),
        }
    }

    fn verify(&mut self, chain: Chain, name: u8) -> bool {
        let (leaf, above) = chain.ders();
        let (server, now) = (server_name(name), unix(self.clock.now()));
        let epoch = self.epoch();
        let verdict = self
            .servers
            .verify_server_cert(&leaf, &above, &server, &[], now);
        // After a refusal rustls checks no signature; one that came all the same would be that of who
        // was verified before.
        if verdict.is_ok() {
            self.pending = Some(Pending {
                chain,
                name: folded(name),
                epoch,
            });
        }
        verdict.is_ok()
    }

    fn prove(&mut self, leaf: u8, good: bool) {
        let pending = self
            .pending
            .take_if(|pending| leaf_der(pending.chain.leaf) == leaf_der(leaf));
        if let Some(pending) = pending.filter(|_| good) {
            self.somebody_proved.store(true, Ordering::Relaxed);
            let Pending { chain, name, epoch } = pending;
            self.proven
                .entry(name)
                .or_default()
                .push(Proven { chain, epoch });
        }
        let message = if good { GOOD } else { b"bad" };
        let _ = self
            .servers
            .verify_tls13_signature(message, &leaf_der(leaf), &signature());
    }

    /// A session under this name was handed out.
    fn may_be_resumed(&self, name: u8) {
        let proven = self
            .proven
            .get(&folded(name))
            .expect("somebody proved itself under this name");
        for Proven { chain, epoch } in proven {
            assert_eq!(*epoch, self.epoch(), "it began under other pins");
            let (leaf, above) = chain.ders();
            let now = self.clock.now();
            let fresh = watched(
                WatchingServerVerifier::builder(Servers::new(Arc::default())),
                self.history,
                self.fixed(),
                &self.somebody_proved,
            );
            let fresh = fresh.build().expect("it can be built");
            let verdict =
                fresh.verify_server_cert(&leaf, &above, &server_name(name), &[], unix(now));
            assert_eq!(verdict.map(drop), Ok(()), "{chain:?} at {now}");
            let webpki = Servers::new(Arc::default());
            let verdict =
                webpki.verify_server_cert(&leaf, &above, &server_name(name), &[], unix(now));
            assert!(verdict.is_ok(), "only a grace lets {chain:?} in at {now}");
            self.inner_agreed(&leaf, now);
        }
    }

    fn verify_client(&mut self, chain: Chain) -> bool {
        let (leaf, above) = chain.ders();
        let epoch = self.epoch();
        let verdict = self
            .clients
            .verify_client_cert(&leaf, &above, unix(self.clock.now()));
        if verdict.is_ok() {
            self.pending_clients.push((chain, epoch));
        }
        verdict.is_ok()
    }

    fn prove_client(&mut self, leaf: u8, good: bool) {
        let mut pending = self.pending_clients.iter();
        let last = pending.rposition(|(chain, _)| leaf_der(chain.leaf) == leaf_der(leaf));
        if let Some(index) = last {
            let (_, epoch) = self.pending_clients.remove(index);
            if good {
                self.somebody_proved.store(true, Ordering::Relaxed);
                self.proven_clients.insert(leaf_index(leaf), epoch);
            }
        }
        let message = if good { GOOD } else { b"bad" };
        let _ = self
            .clients
            .verify_tls13_signature(message, &leaf_der(leaf), &signature());
    }

    fn put(&mut self, key: u8, chain: Option<Chain>) {
        if self.server_sessions.put(vec![key], session(chain)) {
            let chain = chain.expect("anonymous clients are not let in");
            assert!(
                self.proven_clients.contains_key(&leaf_index(chain.leaf)),
                "it proved nothing"
            );
            self.put.insert(key, (Some(chain), self.clock.now()));
        }
    }

    fn get(&self, key: u8, take: bool) {
        let found = match take {
            true => self.server_sessions.take(&[key]),
            false => self.server_sessions.get(&[key]),
        };
        let Some(found) = found else {
            return;
        };
        let (chain, stored) = self.put.get(&key).expect("it was put");
        let now = self.clock.now();
        assert!(found == session(*chain) && *stored <= now);
        let chain = chain.expect("anonymous clients are not let in");
        let epoch = self.proven_clients.get(&leaf_index(chain.leaf));
        assert_eq!(epoch, Some(&self.epoch()), "it began under other pins");
        let (leaf, above) = chain.ders();
        let fresh = watched(
            WatchingClientVerifier::builder(Clients::new(Arc::default())),
            self.history,
            self.fixed(),
            &self.somebody_proved,
        );
        let fresh = fresh.build().expect("it can be built");
        let verdict = fresh.verify_client_cert(&leaf, &above, unix(now));
        assert_eq!(verdict.map(drop), Ok(()), "{chain:?} at {now}");
        let verdict = Clients::new(Arc::default()).verify_client_cert(&leaf, &above, unix(now));
        assert!(verdict.is_ok(), "only a grace lets {chain:?} in at {now}");
        self.inner_agreed(&leaf, now);
    }

    /// The inner verifier, which may have changed its mind, was asked a minute ago at the most.
    fn inner_agreed(&self, leaf: &CertificateDer<'_>, now: Timestamp) {
        let agreed = self
            .moods
            .agreed(leaf, |at| at <= now && now.seconds_since(at) < FRESH);
        assert!(
            agreed || !self.moods.refuses(leaf),
            "refused at {now}, and not asked"
        );
    }

    fn fixed(&self) -> Arc<dyn PinsInForce> {
        let generation = self.pins.generation();
        Arc::new(FixedPins::new(generation.sets.clone()))
    }
}

fn watched<V: ?Sized>(
    builder: WatchingVerifierBuilder<V>,
    history: &History,
    pins: Arc<dyn PinsInForce>,
    somebody_proved: &Arc<AtomicBool>,
) -> WatchingVerifierBuilder<V> {
    let somebody_proved = somebody_proved.clone();
    let observer = InlineObserver(move |event: &Event| {
        assert_printable(&event.to_string());
        let is_told_as_its_own = event.severity != Severity::Unproven;
        assert!(
            !is_told_as_its_own || somebody_proved.load(Ordering::Relaxed),
            "{event}"
        );
    });
    let mut builder = builder
        .with_provider(ring())
        .with_pins(pins)
        .with_observer(Arc::new(observer));
    if history.has_anchors {
        builder = builder.with_trust_anchors(World::get().anchors.clone());
    }
    if history.has_grace {
        builder = builder.with_grace(PinnedGrace::from_seconds(GRACE).expect("three days"));
    }
    builder
}

/// A session as rustls's server would store it: certificates lie somewhere in it.
fn session(chain: Option<Chain>) -> Vec<u8> {
    let opaque = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
        [&length[1..], bytes].concat()
    };
    let list = chain.map(|chain| {
        let (leaf, above) = chain.ders();
        let all = std::iter::once(leaf).chain(above);
        opaque(&all.flat_map(|der| opaque(&der)).collect::<Vec<_>>())
    });
    [b"session ".to_vec(), list.unwrap_or_default(), vec![0; 16]].concat()
}

fn server_name(number: u8) -> ServerName<'static> {
    ServerName::try_from(NAMES[usize::from(number) % NAMES.len()]).expect("a name")
}

fn folded(number: u8) -> String {
    NAMES[usize::from(number) % NAMES.len()].to_ascii_lowercase()
}

fn leaf_index(number: u8) -> u8 {
    let leaves = u8::try_from(World::get().leaves.len()).expect("few");
    number % leaves
}

fn leaf_der(number: u8) -> CertificateDer<'static> {
    World::get().leaves[usize::from(leaf_index(number))].clone()
}
