//! Two pieces of work, timed against each other.

use std::time::{Duration, Instant};

/// Rounds of each side, interleaved. The ratio is the median of the rounds' ratios, so that a
/// machine which slows down for a while slows both sides.
const ROUNDS: usize = 1_001;
/// The same for work that takes long.
const FEW_ROUNDS: usize = 15;
const SOME_ROUNDS: usize = 101;

/// The first line of the table.
pub(super) fn head() {
    println!("name\tours_ns\tpeer\tpeer_ns\tratio");
}

/// One line: ours and a peer's, in nanoseconds.
pub(super) fn row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    let batch = batch(&theirs);
    let [ours, theirs, ratio] = medians(ROUNDS, batch, ours, theirs);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}

/// One line of what takes long, of fewer rounds.
pub(super) fn short_row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    let batch = batch(&theirs);
    let [ours, theirs, ratio] = medians(SOME_ROUNDS, batch, ours, theirs);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}

/// One line of what takes many times as long as the peer's side.
pub(super) fn hostile_row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    let [ours, theirs, ratio] = medians(SOME_ROUNDS, 1, ours, theirs);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}

/// One line of which the peer's side takes seconds.
pub(super) fn slow_row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    let [ours, theirs, ratio] = medians(3, 1, ours, theirs);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.7}");
}

/// One line of work on so many bytes: ours and a peer's, in MB/s.
pub(super) fn rate_row(name: &str, peer: &str, bytes: usize, ours: impl Fn(), theirs: impl Fn()) {
    let [ours, theirs, _] = medians(FEW_ROUNDS, 1, ours, theirs);
    #[allow(clippy::cast_precision_loss)]
    let rate = |nanos: f64| bytes as f64 * 1e3 / nanos;
    let (ours, theirs) = (rate(ours), rate(theirs));
    println!(
        "{name}\t{ours:.0} MB/s\t{peer}\t{theirs:.0} MB/s\t{:.3}",
        ours / theirs
    );
}

/// Ours, theirs, and the ratio, of interleaved rounds.
fn medians(rounds: usize, batch: u32, ours: impl Fn(), theirs: impl Fn()) -> [f64; 3] {
    let (mut our_times, mut their_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // Who goes first alternates, so that neither side has the warmer cache every time.
        let (ours, theirs) = if round % 2 == 0 {
            let ours = time(&ours, batch);
            (ours, time(&theirs, batch))
        } else {
            let theirs = time(&theirs, batch);
            (time(&ours, batch), theirs)
        };
        our_times.push(ours);
        their_times.push(theirs);
        ratios.push(ours / theirs);
    }
    [our_times, their_times, ratios].map(median)
}

/// Both sides run often enough in a round that reading the clock does not count.
fn batch(work: &impl Fn()) -> u32 {
    let one = time(work, 10).max(1.0);
    let nanos = Duration::from_micros(200).as_secs_f64() * 1e9;
    // At least one, at most a thousand: within u32.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let batch = (nanos / one).clamp(1.0, 1000.0) as u32;
    batch
}

/// Nanoseconds of one piece of work.
fn time(work: &impl Fn(), batch: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..batch {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(batch)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
