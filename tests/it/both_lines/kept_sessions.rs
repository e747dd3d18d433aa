//! No session that anybody kept outlives a decision: over real handshakes that do resume before.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use notafter::pin::{PinsInForce, SwappablePins};
use notafter::testing::TestClock;
use notafter::verifier::PinnedGrace;
use notafter::{
    PinSet, SpkiPin, Timestamp, TrustAnchors, WatchingClientVerifier, WatchingServerVerifier,
};

use super::{NAME, pin_of};
use crate::support::line::{Anonymous, Client, Keeping, Line, Meeting, Server, Sessions, lines};
use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::shown::Shown;

/// Before a leaf's end at NOW: sessions live for hours, not for days.
const BEFORE: Timestamp = NOW.saturating_add(-100);
const AFTER: Timestamp = NOW.saturating_add(1);

struct World {
    root: Ca,
    anchors: TrustAnchors,
    /// Ends at NOW.
    leaf: Leaf,
    other: Leaf,
    clock: Arc<TestClock>,
}

fn world() -> World {
    let root = pki::root("root", -100, 3650);
    World {
        anchors: pki::anchors([&root]),
        leaf: root.leaf(&[NAME, "other.example"], -90, 0),
        other: root.leaf(&[NAME], -90, 90),
        root,
        clock: Arc::new(TestClock::at(BEFORE)),
    }
}

impl World {
    fn server(&self, line: &Line, leaf: &Leaf) -> Server {
        line.server(Shown::of(&[&leaf.der], leaf), &self.clock)
    }

    fn verifier(&self, line: &Line, pins: Arc<dyn PinsInForce>) -> Arc<WatchingServerVerifier> {
        WatchingServerVerifier::builder(line.webpki(&self.anchors))
            .with_provider(line.provider())
            .with_trust_anchors(self.anchors.clone())
            .with_pins(pins)
            .build()
            .unwrap()
    }

    /// A client whose sessions are guarded, or not.
    fn client(&self, line: &Line, pins: Arc<dyn PinsInForce>, sessions: Sessions) -> Client {
        line.client(&self.verifier(line, pins), sessions, &self.clock)
    }

    /// Both leaves.
    fn pins(&self) -> Arc<SwappablePins> {
        Arc::new(SwappablePins::new(set(
            pin_of(&self.leaf),
            pin_of(&self.other),
        )))
    }

    /// The pins without the key of `leaf`.
    fn without(&self) -> PinSet {
        let somebody = self.root.leaf(&["somebody.example"], -1, 1);
        set(pin_of(&self.other), pin_of(&somebody))
    }
}

fn set(current: SpkiPin, backup: SpkiPin) -> PinSet {
    let builder = PinSet::builder().with_current(current);
    builder.with_backup(backup).build().unwrap()
}

const BOTH: [Sessions; 2] = [Sessions::Guarded, Sessions::Unguarded];

#[test]
fn a_clients_session_does_not_survive_a_pin_change() {
    let world = world();
    for line in lines() {
        let server = world.server(&line, &world.leaf);
        for sessions in BOTH {
            let pins = world.pins();
            let client = world.client(&line, pins.clone(), sessions);
            assert!(!client.meet(&server, NAME).resumed());
            assert!(client.meet(&server, NAME).resumed());
            pins.replace(world.without());
            let met = client.meet(&server, NAME);
            // Without the guard rustls would have gone on with the key that is pinned no more.
            let is_unguarded = sessions == Sessions::Unguarded;
            assert_eq!(met.resumed(), is_unguarded, "{}", line.label);
            let is_refused = met.refusal().is_some_and(|refusal| refusal.pin().is_some());
            assert_eq!(is_refused, !is_unguarded, "{}", line.label);
        }
    }
}

#[test]
fn a_clients_session_does_not_survive_its_chains_end() {
    for line in lines() {
        for sessions in BOTH {
            let world = world();
            let server = world.server(&line, &world.leaf);
            let client = world.client(&line, world.pins(), sessions);
            assert!(!client.meet(&server, NAME).resumed());
            world.clock.set(NOW);
            let last = client.meet(&server, NAME);
            assert!(last.resumed(), "the last good second, {}", line.label);
            world.clock.set(AFTER);
            let met = client.meet(&server, NAME);
            let is_unguarded = sessions == Sessions::Unguarded;
            assert_eq!(met.resumed(), is_unguarded, "{}", line.label);
            let ended = met.refusal().and_then(|refusal| refusal.ended());
            assert_eq!(ended, (!is_unguarded).then_some(NOW), "{}", line.label);
        }
    }
}

/// Another leaf of the name that passes does not make up for one that does not: a ticket says not
/// whose it is.
#[test]
fn every_chain_accepted_under_a_name_must_pass() {
    let world = world();
    for line in lines() {
        let pins = world.pins();
        let client = world.client(&line, pins.clone(), Sessions::Guarded);
        let servers = [&world.leaf, &world.other].map(|leaf| world.server(&line, leaf));
        for server in &servers {
            assert!(client.meet(server, NAME).succeeded());
        }
        pins.replace(world.without());
        // The other leaf is still pinned, and its session is still in the store.
        for _ in 0..2 {
            let met = client.meet(&servers[1], NAME);
            assert!(met.succeeded() && !met.resumed(), "barred for good");
        }
    }
}

#[test]
fn nothing_is_resumed_for_a_name_of_which_something_was_forgotten() {
    let world = world();
    for line in lines() {
        let server = world.server(&line, &world.leaf);
        let verifier = WatchingServerVerifier::builder(line.webpki(&world.anchors))
            .with_trust_age(Duration::from_secs(60))
            .with_peer_memory(NonZeroUsize::MIN)
            .build()
            .unwrap();
        let client = line.client(&verifier, Sessions::Guarded, &world.clock);
        for name in [NAME, "other.example"] {
            assert!(!client.meet(&server, name).resumed());
            assert!(client.meet(&server, name).resumed());
        }
        for _ in 0..3 {
            let met = client.meet(&server, NAME);
            assert!(met.succeeded() && !met.resumed(), "{}", line.label);
        }
    }
}

#[test]
fn a_session_within_a_grace_is_never_resumed() {
    for line in lines() {
        let world = world();
        let server = world.server(&line, &world.leaf);
        let verifier = WatchingServerVerifier::builder(line.webpki(&world.anchors))
            .with_leaf_pin(pin_of(&world.leaf))
            .with_grace(PinnedGrace::from_seconds(600).unwrap())
            .build()
            .unwrap();
        let client = line.client(&verifier, Sessions::Guarded, &world.clock);
        assert!(!client.meet(&server, NAME).resumed());
        assert!(client.meet(&server, NAME).resumed());
        world.clock.set(AFTER);
        for _ in 0..3 {
            let met = client.meet(&server, NAME);
            assert!(met.succeeded() && !met.resumed(), "{}", line.label);
        }
    }
}

/// A ticket that is sent late finds another verifier: rustls's own check catches it.
#[test]
fn a_fresh_configuration_for_each_epoch_resumes_again_and_nothing_of_before() {
    for line in lines() {
        let world = world();
        let pins = world.pins();
        let configs = line.configs(world.verifier(&line, pins.clone()), &world.clock);
        let server = world.server(&line, &world.other);
        let before = configs.current();
        assert!(!before.meet(&server, NAME).resumed());
        assert!(configs.current().meet(&server, NAME).resumed());
        assert!(before.is(&configs.current()));
        pins.replace(world.without());
        let after = configs.current();
        assert!(!before.is(&after));
        let met = after.meet(&server, NAME);
        assert!(met.succeeded() && !met.resumed(), "{}", line.label);
        assert!(configs.current().meet(&server, NAME).resumed());
        // A chain that came to its end makes a fresh one too.
        let ending = world.server(&line, &world.leaf);
        pins.replace(set(pin_of(&world.leaf), pin_of(&world.other)));
        assert!(configs.current().meet(&ending, NAME).succeeded());
        let before = configs.current();
        world.clock.set(AFTER);
        let met = before.meet(&ending, NAME);
        assert_eq!(met.refusal().unwrap().ended(), Some(NOW));
        let after = configs.current();
        assert!(!before.is(&after));
        assert!(after.meet(&server, NAME).succeeded());
        assert!(configs.current().meet(&server, NAME).resumed());
    }
}

/// A server that pins its clients, and a client with the leaf that ends at NOW.
struct Mutual {
    server: Server,
    client: Client,
}

impl Mutual {
    fn new(world: &World, line: &Line, pins: Arc<dyn PinsInForce>, keeping: Keeping) -> Self {
        let inner = line.webpki_of_clients(&world.anchors, Anonymous::Refused);
        let verifier = WatchingClientVerifier::builder(inner)
            .with_provider(line.provider())
            .with_trust_anchors(world.anchors.clone())
            .with_pins(pins)
            .build()
            .unwrap();
        let shown = Shown::of(&[&world.other.der], &world.other);
        let client = Shown::of(&[&world.leaf.der], &world.leaf);
        Self {
            server: line.mutual_server(shown, &verifier, keeping, &world.clock),
            client: line.plain_client(&world.anchors, Some(client), &world.clock),
        }
    }

    fn meet(&self) -> Meeting {
        self.client.meet(&self.server, NAME)
    }
}

const KEPT: [Keeping; 3] = [Keeping::Unguarded, Keeping::Store, Keeping::Tickets];

#[test]
fn a_servers_session_does_not_survive_a_pin_change() {
    let world = world();
    for line in lines() {
        for keeping in KEPT {
            let pins = world.pins();
            let mutual = Mutual::new(&world, &line, pins.clone(), keeping);
            let label = format!("{} {keeping:?}", line.label);
            assert!(!mutual.meet().resumed(), "{label}");
            assert!(mutual.meet().resumed(), "{label}");
            pins.replace(world.without());
            let met = mutual.meet();
            // Without a guard rustls asks nobody; `recheck` does.
            let is_unguarded = keeping == Keeping::Unguarded;
            assert_eq!(met.resumed(), is_unguarded, "{label}");
            let refusal = met.servers_refusal();
            let is_refused = refusal.is_some_and(|refusal| refusal.pin().is_some());
            assert_eq!(is_refused, !is_unguarded, "{label}");
        }
    }
}

#[test]
fn a_servers_session_does_not_survive_its_clients_chains_end() {
    for line in lines() {
        for keeping in KEPT {
            let world = world();
            let mutual = Mutual::new(&world, &line, world.pins(), keeping);
            let label = format!("{} {keeping:?}", line.label);
            assert!(!mutual.meet().resumed(), "{label}");
            world.clock.set(NOW);
            assert!(mutual.meet().resumed(), "{label}");
            world.clock.set(AFTER);
            let met = mutual.meet();
            let is_unguarded = keeping == Keeping::Unguarded;
            assert_eq!(met.resumed(), is_unguarded, "{label}");
            let ended = met.servers_refusal().and_then(|refusal| refusal.ended());
            assert_eq!(ended, (!is_unguarded).then_some(NOW), "{label}");
        }
    }
}
