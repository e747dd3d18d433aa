//! Long-lived connections: how many are open on chains that have ended since, and how they end before.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pace::ClosingPace;
use super::phase::{ConnectionPhase, PhaseReached, PhaseSignal};
use super::rests_on::{BasisKind, CurrentBases, RestsOn};
use super::schedule::ClosingSchedule;
use crate::cert::{Certificate, Sha256Digest, in_sequence};
use crate::outlook::TrustAnchors;
use crate::pin::SpkiPin;
use crate::time::Timestamp;

/// Counts open connections by the end of the chain that they were opened with, and tells them to
/// end before what they rest on.
///
/// TLS looks at certificates in handshakes only: a connection that stays open for weeks outlives
/// its peer's certificate, and one's own, unseen. Memory grows with the number of connections; each
/// takes less than 2 KiB.
///
/// Nothing ends by itself: the application calls [`Self::tick`], at [`Self::next_due`] at the
/// latest, once a second while some are due, and each connection waits for
/// [`OpenConnection::closing`].
///
/// # How many of my connections would not be accepted any more?
/// ```
/// use notafter::session::OpenConnections;
/// use notafter::Timestamp;
/// let connections = OpenConnections::new();
/// let end: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let connection = connections.open(end); // keep it as long as the connection
/// assert_eq!(connections.outliving(end), 0);
/// assert_eq!(connections.outliving(end.saturating_add(1)), 1);
/// drop(connection);
/// assert_eq!(connections.outliving(end.saturating_add(1)), 0);
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
///
/// # How do the connections of clients end whose root I removed?
/// ```
/// use notafter::cert::Sha256Digest;
/// use notafter::session::{ConnectionPhase, OpenConnections, RestsOn};
/// use notafter::{Timestamp, TrustAnchors};
/// let connections = OpenConnections::new();
/// let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let root = Sha256Digest::of(b"the SubjectPublicKeyInfo of a root");
/// let rests_on = RestsOn::until(now.saturating_add(86_400)).with_anchors([root]);
/// let connection = connections.open_on(rests_on, now);
///
/// let removal = connections.follow_anchors(&TrustAnchors::default(), now);
/// assert_eq!(removal.connections, 1);
/// connections.tick(removal.deadline.saturating_add(-10)); // as time goes by, each second
/// assert_eq!(connection.phase(), ConnectionPhase::Closing);
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenConnections {
    shared: Arc<Shared>,
}

/// What [`OpenConnections::tick`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosingTick {
    /// How many connections were told to end.
    pub told: usize,
    /// How many of the told had not ended by their deadline, and were told again.
    pub overdue: usize,
    /// How many were told beyond [`ClosingPace::with_max_per_second`], because they could not wait.
    pub over_bound: usize,
}

/// What rests on something that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removal {
    /// How many open connections end for it, or for a removal before it.
    pub connections: usize,
    /// The instant by which the last of them is told to be closed at once.
    pub deadline: Timestamp,
}

#[derive(Debug)]
struct Shared(Mutex<State>);

#[derive(Debug)]
struct State {
    pace: ClosingPace,
    ends: BTreeMap<Timestamp, usize>,
    members: HashMap<u64, Member>,
    schedule: ClosingSchedule,
    current: CurrentBases,
    next_number: u64,
}

#[derive(Debug)]
struct Member {
    rests_on: RestsOn,
    signal: Arc<PhaseSignal>,
}

impl OpenConnections {
    /// Counts no connection yet, with the pace as it comes. Clones count the same connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts no connection yet; those to come end at this pace.
    pub fn with_pace(pace: ClosingPace) -> Self {
        Self {
            shared: Arc::new(Shared::new(pace)),
        }
    }

    /// Counts a connection whose chain is good until `end`, its last good second (the earlier one,
    /// where both sides showed certificates), until the returned guard is dropped. Its end is
    /// planned as of the last [`Self::tick`].
    pub fn open(&self, end: Timestamp) -> OpenConnection {
        let mut state = self.shared.lock();
        let now = state.schedule.last_look();
        state.open(&self.shared, RestsOn::until(end), now)
    }

    /// Counts a connection and what it rests on, until the returned guard is dropped, and plans its
    /// end.
    ///
    /// One that rests on something that is removed already ends as after a removal `now`. One that
    /// is opened beyond the end of its chain was accepted all the same: it is counted, and not told.
    pub fn open_on(&self, rests_on: RestsOn, now: Timestamp) -> OpenConnection {
        self.shared.lock().open(&self.shared, rests_on, now)
    }

    /// Counts those that are open.
    pub fn len(&self) -> usize {
        self.shared.lock().members.len()
    }

    /// Says whether none is open.
    pub fn is_empty(&self) -> bool {
        self.shared.lock().members.is_empty()
    }

    /// Counts those that were told to end and are open still.
    pub fn closing(&self) -> usize {
        self.shared.lock().schedule.told()
    }

    /// Counts those open now that outlive their chain at `now`: a gauge, also of a future instant.
    pub fn outliving(&self, now: Timestamp) -> usize {
        let state = self.shared.lock();
        state.ends.range(..now).map(|(_, count)| count).sum()
    }

    /// Finds the earliest end of a chain among open connections that lies at or after `now`.
    pub fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        let state = self.shared.lock();
        state.ends.range(now..).next().map(|(end, _)| *end)
    }

    /// Tells those connections that are due at `now`: no more within one second than the pace
    /// allows, unless they could not wait. Call it at [`Self::next_due`], and once a second until
    /// that lies ahead. Wakes tasks, and so must not be called with their locks held.
    pub fn tick(&self, now: Timestamp) -> ClosingTick {
        let mut state = self.shared.lock();
        let due = state.schedule.due(now);
        let told = state.signals(&due.told);
        let overdue = state.signals(&due.overdue);
        drop(state);
        for signal in &told {
            signal.reach(ConnectionPhase::Closing);
        }
        for signal in &overdue {
            signal.reach(ConnectionPhase::Overdue);
        }
        ClosingTick {
            told: told.len(),
            overdue: overdue.len(),
            over_bound: due.over_bound,
        }
    }

    /// Says when [`Self::tick`] has something to do next; `None` while no connection has an end.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.shared.lock().schedule.next_due()
    }

    /// Takes these as all anchors that count: connections all of whose anchors are others end within
    /// [`ClosingPace::with_removal_seconds`]. Anchors are told apart by their keys. Connections that
    /// were opened without anchors stay. To be called with every generation of anchors.
    pub fn follow_anchors(&self, anchors: &TrustAnchors, now: Timestamp) -> Removal {
        let anchors = anchors.as_slice().iter();
        // webpki leaves the outer SEQUENCE out.
        let current = anchors.map(|anchor| {
            let spki = in_sequence(anchor.subject_public_key_info.as_ref());
            Sha256Digest::of(&spki)
        });
        self.follow(BasisKind::Anchor, current.collect(), now)
    }

    /// Takes these as all pins that count, as [`Self::follow_anchors`] does anchors. To be called
    /// with every epoch of the pins.
    pub fn follow_pins(&self, pins: impl IntoIterator<Item = SpkiPin>, now: Timestamp) -> Removal {
        let current = pins.into_iter().map(|pin| *pin.digest());
        self.follow(BasisKind::Pin, current.collect(), now)
    }

    /// Takes these as all leaves that we show: connections opened with another one end, as after a
    /// reload that rotates an identity. To be called after each reload.
    pub fn follow_identities<'a>(
        &self,
        leaves: impl IntoIterator<Item = &'a Certificate>,
        now: Timestamp,
    ) -> Removal {
        let current = leaves.into_iter().map(Certificate::fingerprint);
        self.follow(BasisKind::Identity, current.collect(), now)
    }

    fn follow(&self, kind: BasisKind, current: HashSet<Sha256Digest>, now: Timestamp) -> Removal {
        let mut state = self.shared.lock();
        let deadline = now.saturating_add(state.pace.removal_seconds);
        let connections = if state.current.replace(kind, current) {
            state.doom_unfounded(deadline, now)
        } else {
            0
        };
        Removal {
            connections,
            deadline,
        }
    }
}

/// One open connection; drop it when the connection closes.
#[derive(Debug)]
#[must_use = "the connection counts as closed when this is dropped"]
pub struct OpenConnection {
    shared: Arc<Shared>,
    signal: Arc<PhaseSignal>,
    number: u64,
    end: Timestamp,
}

impl OpenConnection {
    /// Returns the last second at which its chain is good.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Says whether it outlives its chain at `now`.
    pub fn outlives(&self, now: Timestamp) -> bool {
        self.end < now
    }

    /// Says where it stands: for servers that ask between two requests.
    pub fn phase(&self) -> ConnectionPhase {
        self.signal.phase()
    }

    /// Waits until it is told to end: finish the requests in flight and take no more.
    ///
    /// # How does a connection end without a failed request?
    /// ```
    /// # async fn serve(open: notafter::session::OpenConnection) {
    /// open.closing().await; // beside the connection itself, in a select
    /// // hyper: connection.graceful_shutdown(), that is `Connection: close` or GOAWAY
    /// open.overdue().await; // beside it again
    /// // close it now
    /// # }
    /// ```
    pub fn closing(&self) -> PhaseReached {
        self.signal.wait(ConnectionPhase::Closing)
    }

    /// Waits until its deadline is reached: close it, whatever is in flight.
    pub fn overdue(&self) -> PhaseReached {
        self.signal.wait(ConnectionPhase::Overdue)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.schedule.remove(self.number);
        state.members.remove(&self.number);
        if let Some(count) = state.ends.get_mut(&self.end) {
            *count -= 1;
            if *count == 0 {
                state.ends.remove(&self.end);
            }
        }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(ClosingPace::default())
    }
}

impl Shared {
    fn new(pace: ClosingPace) -> Self {
        Self(Mutex::new(State {
            pace,
            ends: BTreeMap::new(),
            members: HashMap::new(),
            schedule: ClosingSchedule::new(pace),
            current: CurrentBases::default(),
            next_number: 0,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&mut self, shared: &Arc<Shared>, rests_on: RestsOn, now: Timestamp) -> OpenConnection {
        let (number, end) = (self.next_number, rests_on.end());
        self.next_number = self.next_number.wrapping_add(1);
        *self.ends.entry(end).or_default() += 1;
        self.schedule.add(number, end, now);
        if !self.current.hold(&rests_on) {
            let deadline = now.saturating_add(self.pace.removal_seconds);
            self.schedule.doom(number, deadline, now);
        }
        let signal = Arc::new(PhaseSignal::default());
        let member = Member {
            rests_on,
            signal: Arc::clone(&signal),
        };
        self.members.insert(number, member);
        OpenConnection {
            shared: Arc::clone(shared),
            signal,
            number,
            end,
        }
    }

    /// Ends what does not stand any more; counts them.
    fn doom_unfounded(&mut self, deadline: Timestamp, now: Timestamp) -> usize {
        let members = self.members.iter();
        let unfounded = members.filter(|(_, member)| !self.current.hold(&member.rests_on));
        let mut unfounded: Vec<u64> = unfounded.map(|(number, _)| *number).collect();
        // The same connections get the same seconds in every run.
        unfounded.sort_unstable();
        for number in &unfounded {
            self.schedule.doom(*number, deadline, now);
        }
        unfounded.len()
    }

    fn signals(&self, numbers: &[u64]) -> Vec<Arc<PhaseSignal>> {
        let members = numbers.iter().filter_map(|n| self.members.get(n));
        members.map(|member| Arc::clone(&member.signal)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_those_beyond_their_end_and_forgets_closed_ones() {
        let connections = OpenConnections::new();
        let t = Timestamp::from_unix_seconds;
        let (a, b, c) = (
            connections.open(t(100)),
            connections.open(t(100)),
            connections.open(t(200)),
        );
        let counts = |now| connections.outliving(t(now));
        assert_eq!((counts(100), counts(101), counts(201)), (0, 2, 3));
        assert_eq!(connections.next_end(t(100)), Some(t(100)));
        assert_eq!(connections.next_end(t(101)), Some(t(200)));
        assert!(!a.outlives(t(100)) && a.outlives(t(101)));
        drop(a);
        assert_eq!((counts(101), connections.len()), (1, 2));
        drop((b, c));
        assert!(connections.is_empty());
        assert_eq!(connections.shared.lock().ends.len(), 0);
    }
}
