//! Two pieces of work, timed against each other.

use std::time::{Duration, Instant};

/// Rounds of each side, interleaved. The ratio is the median of the rounds' ratios, so that a
/// machine which slows down for a while slows both sides.
const ROUNDS: usize = 1_001;

/// The first line of the table.
pub(super) fn head() {
    println!("name\tours_ns\tpeer\tpeer_ns\tratio");
}

/// One line: ours and a peer's, in nanoseconds.
pub(super) fn row(name: &str, peer: &str, ours: impl Fn(), theirs: impl Fn()) {
    // Both sides run often enough in a round that reading the clock does not count.
    let batch = batch(&theirs);
    let (mut our_times, mut their_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
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
    let [ours, theirs, ratio] = [our_times, their_times, ratios].map(median);
    println!("{name}\t{ours:.1}\t{peer}\t{theirs:.1}\t{ratio:.3}");
}

fn batch(work: &impl Fn()) -> u32 {
    let one = time(work, 100).max(1.0);
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
