//! `src/verifier/proof.rs`, `accepted.rs` and `src/session/client.rs`: a peer is verified, proves itself,
//! is remembered, and then its session is stored; meanwhile pins change, and others take sessions.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A chain, by whether it is accepted as it stands or only within a grace.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Chain {
    number: usize,
    is_within_grace: bool,
}

/// A session rests on the chain of its handshake.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Session(Chain);

#[derive(Default)]
struct Name {
    epoch: Option<usize>,
    chains: Vec<(Chain, usize)>,
    is_barred: bool,
}

#[derive(Default)]
struct Client {
    epoch: AtomicUsize,
    awaiting: Mutex<Vec<(Chain, usize)>>,
    accepted: Mutex<Name>,
    /// rustls's own store, which the guard is around.
    inner: Mutex<Option<Session>>,
}

impl Client {
    /// What pins say: before the change everything is pinned, after it only chains from 10 on.
    fn fits(chain: Chain, epoch: usize) -> bool {
        epoch == 0 || chain.number >= 10
    }

    /// As `HandshakeVerifier::verify`: the generation is loaded first.
    fn verify(&self, chain: Chain) -> bool {
        let epoch = self.epoch.load(Ordering::Acquire);
        let is_accepted = Self::fits(chain, epoch);
        if is_accepted {
            self.awaiting.lock().unwrap().push((chain, epoch));
        }
        is_accepted
    }

    /// As `signature_checked`.
    fn prove(&self, chain: Chain, is_good: bool) {
        let awaited = {
            let mut awaiting = self.awaiting.lock().unwrap();
            let place = awaiting.iter().rposition(|(other, _)| *other == chain);
            place.map(|place| awaiting.remove(place))
        };
        let Some((chain, epoch)) = awaited.filter(|_| is_good) else {
            return;
        };
        let mut name = self.accepted.lock().unwrap();
        name.epoch.get_or_insert(epoch);
        name.chains.push((chain, epoch));
    }

    fn handshake(&self, chain: Chain, is_good: bool) {
        if self.verify(chain) {
            self.prove(chain, is_good);
            if is_good {
                *self.inner.lock().unwrap() = Some(Session(chain));
            }
        }
    }

    /// As `sessions_pass`.
    fn sessions_pass(&self) -> bool {
        let (first, chains) = {
            let name = self.accepted.lock().unwrap();
            if name.is_barred || name.chains.is_empty() {
                return false;
            }
            (name.epoch, name.chains.clone())
        };
        let epoch = self.epoch.load(Ordering::Acquire);
        let passes = |(chain, accepted): &(Chain, usize)| {
            !chain.is_within_grace && (*accepted == epoch || Self::fits(*chain, epoch))
        };
        let all_pass = first == Some(epoch) && chains.iter().all(passes);
        if !all_pass {
            self.accepted.lock().unwrap().is_barred = true;
        }
        all_pass
    }

    /// As `take_tls13_ticket`: taken first, then asked about.
    fn take(&self) -> Option<Session> {
        let session = self.inner.lock().unwrap().take()?;
        self.sessions_pass().then_some(session)
    }

    /// The other way round.
    fn ask_then_take(&self) -> Option<Session> {
        if !self.sessions_pass() {
            return None;
        }
        self.inner.lock().unwrap().take()
    }
}

const OLD: Chain = Chain {
    number: 1,
    is_within_grace: false,
};
const NEW: Chain = Chain {
    number: 10,
    is_within_grace: false,
};
const GRACED: Chain = Chain {
    number: 11,
    is_within_grace: true,
};

/// A session is handed out only if its chain passes in the epoch at which it was asked about.
fn check(handed_out: Option<Session>, before: usize) {
    if let Some(Session(chain)) = handed_out {
        assert!(!chain.is_within_grace, "{chain:?} is resumed");
        assert!(
            Client::fits(chain, before),
            "{chain:?} is not pinned any more"
        );
    }
}

#[test]
fn a_session_is_handed_out_only_for_chains_that_pass_after_it_was_stored() {
    loom::model(|| {
        let client = Arc::new(Client::default());
        let handshake = {
            let client = client.clone();
            thread::spawn(move || client.handshake(OLD, true))
        };
        let change = {
            let client = client.clone();
            thread::spawn(move || client.epoch.store(1, Ordering::Release))
        };
        let before = client.epoch.load(Ordering::Acquire);
        check(client.take(), before);
        handshake.join().unwrap();
        change.join().unwrap();
        // Nothing of the epoch before is resumed in this one.
        check(client.take(), 1);
        client.handshake(NEW, true);
        assert_eq!(
            client.take().is_some(),
            client.accepted.lock().unwrap().epoch == Some(1)
        );
    });
}

#[test]
fn what_is_stored_meanwhile_is_asked_about_too() {
    loom::model(|| {
        let client = Arc::new(Client::default());
        client.handshake(NEW, true);
        let other = {
            let client = client.clone();
            thread::spawn(move || client.handshake(GRACED, true))
        };
        check(client.take(), 0);
        other.join().unwrap();
        check(client.take(), 0);
    });
}

#[test]
#[should_panic(expected = "is resumed")]
fn asked_before_it_is_taken_another_session_may_have_come_in_between() {
    loom::model(|| {
        let client = Arc::new(Client::default());
        client.handshake(NEW, true);
        let other = {
            let client = client.clone();
            thread::spawn(move || client.handshake(GRACED, true))
        };
        check(client.ask_then_take(), 0);
        other.join().unwrap();
    });
}

#[test]
fn who_proves_nothing_is_not_remembered_whoever_else_does() {
    loom::model(|| {
        let client = Arc::new(Client::default());
        let thief = {
            let client = client.clone();
            thread::spawn(move || client.handshake(OLD, false))
        };
        client.handshake(NEW, true);
        thief.join().unwrap();
        let name = client.accepted.lock().unwrap();
        assert_eq!(name.chains, [(NEW, 0)]);
        assert!(client.awaiting.lock().unwrap().is_empty());
    });
}
