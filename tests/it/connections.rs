//! Open connections end before what they rest on, in simulated time.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use notafter::cert::Sha256Digest;
use notafter::session::{ClosingPace, ConnectionPhase, OpenConnection, OpenConnections, RestsOn};
use notafter::{SpkiPin, Timestamp};

use crate::support::pki::{self, days};

const MANY: usize = 10_000;

fn pace(max_per_second: u32) -> ClosingPace {
    ClosingPace::default().with_max_per_second(max_per_second.try_into().unwrap())
}

fn spki(ca: &pki::Ca) -> Sha256Digest {
    ca.certificate().spki_sha256()
}

/// The second in which each of them is told, and is overdue, as the clock goes on from `now`.
fn told_at(
    connections: &OpenConnections,
    open: &[OpenConnection],
    now: Timestamp,
    until: Timestamp,
) -> Vec<Timestamp> {
    let mut told = vec![Timestamp::MAX; open.len()];
    let mut t = now;
    while t <= until {
        let tick = connections.tick(t);
        assert_eq!(tick.over_bound, 0, "{t}");
        for (connection, told) in open.iter().zip(&mut told) {
            if *told == Timestamp::MAX && connection.phase() >= ConnectionPhase::Closing {
                *told = t;
            }
        }
        t = t.saturating_add(1);
    }
    told
}

fn most_in_a_second(told: &[Timestamp]) -> usize {
    let mut seconds = BTreeMap::<Timestamp, usize>::new();
    for second in told {
        *seconds.entry(*second).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or(0)
}

#[test]
fn ten_thousand_whose_root_is_removed_end_within_the_bound_and_before_their_deadline() {
    let (a, b) = (pki::root("A", -10, 100), pki::root("B", -10, 100));
    let now = days(0);
    let connections = OpenConnections::with_pace(pace(220));
    connections.follow_anchors(&pki::anchors([&a, &b]), now);
    let mut open: BTreeMap<usize, OpenConnection> = BTreeMap::new();
    for client in 0..MANY {
        let rests_on = RestsOn::until(days(90)).with_anchors([spki(&a)]);
        open.insert(client, connections.open_on(rests_on, now));
    }
    let removal = connections.follow_anchors(&pki::anchors([&b]), now);
    assert_eq!(removal.connections, MANY);
    assert_eq!(removal.deadline, now.saturating_add(60));

    // A client has a request in flight, of up to 9 seconds, and comes back as soon as it is done.
    let mut busy: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    let (mut told, mut most, mut failed, mut returned) = (0, 0, 0, Vec::new());
    for second in 0..=60 {
        let t = now.saturating_add(second);
        let before: Vec<usize> = open.keys().copied().collect();
        let phase = |open: &BTreeMap<usize, OpenConnection>, c: &usize| open[c].phase();
        let was_open = |c: &&usize| phase(&open, c) == ConnectionPhase::Open;
        let waiting: Vec<usize> = before.iter().filter(was_open).copied().collect();
        let tick = connections.tick(t);
        assert_eq!(tick.over_bound, 0);
        told += tick.told;
        most = most.max(tick.told);
        for client in waiting {
            if phase(&open, &client) >= ConnectionPhase::Closing {
                let done = t.saturating_add(i64::try_from(client % 10).unwrap());
                busy.entry(done).or_default().push(client);
            }
        }
        for client in busy.remove(&t).unwrap_or_default() {
            failed += usize::from(phase(&open, &client) == ConnectionPhase::Overdue);
            open.remove(&client);
            let rests_on = RestsOn::until(days(90)).with_anchors([spki(&b)]);
            returned.push(connections.open_on(rests_on, t));
        }
    }
    assert_eq!((told, failed, open.len()), (MANY, 0, 0));
    assert!(most <= 220, "{most} in one second");
    assert_eq!((returned.len(), connections.closing()), (MANY, 0));
    let by_b = |c: &OpenConnection| c.phase() == ConnectionPhase::Open;
    assert!(returned.iter().all(by_b));
}

#[test]
fn ten_thousand_with_one_end_are_spread_before_it_and_the_same_in_each_run() {
    let end = days(1);
    let run = |seed| {
        let connections = OpenConnections::with_pace(pace(40).with_seed(seed));
        let open: Vec<_> = (0..MANY)
            .map(|_| connections.open_on(RestsOn::until(end), days(0)))
            .collect();
        let first = connections.next_due().unwrap();
        assert!(first >= end.saturating_add(-320), "{first}");
        let told = told_at(&connections, &open, end.saturating_add(-400), end);
        assert!(told.iter().all(|t| *t <= end.saturating_add(-10)));
        assert!(most_in_a_second(&told) <= 40);
        assert!(open.iter().all(|c| c.phase() == ConnectionPhase::Overdue));
        told
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn more_than_fit_are_spread_and_told_before_their_deadline_all_the_same() {
    let now = days(0);
    let leaf = pki::root("served", -10, 100).certificate();
    let connections = OpenConnections::with_pace(pace(10));
    let rests_on = RestsOn::until(Timestamp::MAX).with_identity(&leaf);
    let open: Vec<_> = (0..1_000)
        .map(|_| connections.open_on(rests_on.clone(), now))
        .collect();
    assert_eq!(connections.next_due(), None, "no end is known");
    assert_eq!(connections.follow_identities([&leaf], now).connections, 0);
    assert_eq!(connections.follow_identities([], now).connections, 1_000);
    let (mut told, mut over_bound, mut most) = (0, 0, 0);
    for second in 0..=50 {
        let tick = connections.tick(now.saturating_add(second));
        told += tick.told;
        over_bound += tick.over_bound;
        most = most.max(tick.told);
    }
    assert_eq!((told, over_bound), (1_000, 1_000 - 51 * 10));
    assert!(most < 50, "{most} in one second");
    drop(open);
}

#[test]
fn who_comes_back_before_the_end_is_told_once_more_and_not_over_and_over() {
    let end = days(1);
    let connections = OpenConnections::new();
    let mut told = 0;
    let mut open = connections.open_on(RestsOn::until(end), days(0));
    let mut t = end.saturating_add(-400);
    while t < end {
        connections.tick(t);
        if open.phase() == ConnectionPhase::Closing {
            told += 1;
            // It comes back with the same certificate.
            open = connections.open_on(RestsOn::until(end), t);
        }
        t = t.saturating_add(1);
    }
    // Half-way in the last ten seconds, again and again: 10, 5, 2, 1.
    assert!((2..=6).contains(&told), "{told}");
    drop(open);
    // Accepted beyond its end, it is counted and left alone.
    let open = connections.open_on(RestsOn::until(end), end.saturating_add(1));
    assert_eq!(connections.next_due(), None);
    assert_eq!(connections.outliving(end.saturating_add(1)), 1);
    assert!(open.outlives(end.saturating_add(1)));
}

#[test]
fn any_anchor_or_pin_of_several_keeps_a_connection_and_none_of_them_ends_it() {
    let (a, b) = (pki::root("A", -10, 100), pki::root("B", -10, 100));
    let now = days(0);
    let pins = [&a, &b].map(|ca| SpkiPin::from_certificate(&ca.certificate()));
    let both = RestsOn::until(days(9)).with_anchors([spki(&a), spki(&b)]);
    let pinned = RestsOn::until(days(9)).with_pins(pins);
    let bare = RestsOn::until(days(9));
    let connections = OpenConnections::new();
    let open = [both, pinned, bare].map(|rests_on| connections.open_on(rests_on, now));
    let ends = |anchors: &[&pki::Ca], pins: &[SpkiPin]| {
        connections.follow_anchors(&pki::anchors(anchors.iter().copied()), now);
        connections
            .follow_pins(pins.iter().copied(), now)
            .connections
    };
    assert_eq!(ends(&[&a, &b], &pins), 0);
    assert_eq!(ends(&[&b], &pins[..1]), 0);
    assert_eq!(ends(&[], &pins[1..]), 1, "no anchor, the other pin");
    assert_eq!(ends(&[], &[]), 2);
    // Opened by a handshake of before the removal, which is over.
    let late = RestsOn::until(days(9)).with_anchors([spki(&a)]);
    let late = connections.open_on(late, now);
    for second in 0..60 {
        connections.tick(now.saturating_add(second));
    }
    let phases = open.each_ref().map(OpenConnection::phase);
    let (closing, open) = (ConnectionPhase::Closing, ConnectionPhase::Open);
    assert_eq!(phases, [closing, closing, open]);
    assert_eq!(late.phase(), closing);
    assert_eq!(connections.tick(now.saturating_add(60)).overdue, 3);
    assert_eq!(late.phase(), ConnectionPhase::Overdue);
}

#[test]
fn after_a_sleep_what_can_wait_keeps_to_the_bound_and_what_cannot_does_not() {
    let end = days(1);
    let connections = OpenConnections::with_pace(pace(2));
    let open: Vec<_> = (0..20).map(|_| connections.open(end)).collect();
    // All are planned within 300 s before end - 10 s; the process slept until just before that.
    let mut told = Vec::new();
    for second in [-14, -14, -13, -12, -11, -10] {
        let tick = connections.tick(end.saturating_add(second));
        told.push((tick.told, tick.over_bound));
    }
    assert_eq!(told, [(2, 0), (0, 0), (2, 0), (2, 0), (2, 0), (12, 10)]);
    drop(open);
    assert!(connections.is_empty());
    assert_eq!(connections.next_due(), None);
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn each_future_of_a_connection_is_woken_once_and_dropped_ones_are_forgotten() {
    let now = days(0);
    let connections = OpenConnections::new();
    let open = connections.open_on(RestsOn::until(now.saturating_add(2)), now);
    let woken: [Arc<Woken>; 3] = std::array::from_fn(|_| Arc::default());
    let [first, second, third] = woken.each_ref().map(|w| Waker::from(Arc::clone(w)));
    let counts = || woken.each_ref().map(|w| w.0.load(Ordering::Relaxed));
    let mut closing = pin!(open.closing());
    let mut overdue = pin!(open.overdue());
    let mut dropped = Box::pin(open.closing());
    for _ in 0..3 {
        assert_eq!(
            closing.as_mut().poll(&mut Context::from_waker(&first)),
            Poll::Pending
        );
        assert_eq!(
            overdue.as_mut().poll(&mut Context::from_waker(&second)),
            Poll::Pending
        );
        assert_eq!(
            dropped.as_mut().poll(&mut Context::from_waker(&third)),
            Poll::Pending
        );
    }
    drop(dropped);
    assert_eq!(Arc::strong_count(&woken[2]), 2, "ours and `third`");
    connections.tick(now.saturating_add(1));
    assert_eq!(counts(), [1, 1, 0]);
    let mut context = Context::from_waker(&second);
    assert_eq!(closing.as_mut().poll(&mut context), Poll::Ready(()));
    assert_eq!(overdue.as_mut().poll(&mut context), Poll::Pending);
    connections.tick(now.saturating_add(2));
    assert_eq!(overdue.as_mut().poll(&mut context), Poll::Ready(()));
    drop(open);
    assert_eq!(connections.len(), 0);
}
