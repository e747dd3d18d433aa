//! What one answer may cost: counted in units of work, never timed.
//!
//! Anyone can present anything, and webpki's own bounds hold for one search at one instant. An
//! answer asks at many instants, so it has one budget over all that it makes webpki do: parses,
//! signatures and instants. A unit is about ten nanoseconds on the machine of
//! `docs/PERFORMANCE.md`; the prices below are the worst that was measured there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::TrustAnchors;
use super::names::MAX_INTERMEDIATES;
use crate::cert::Certificate;

/// What an answer may cost: about 20 milliseconds.
const WHOLE_ANSWER: u64 = 2_000_000;

/// What every answer of a collection may cost, whatever the answers before it did.
#[cfg(feature = "monitor")]
const ONE_OF_MANY: u64 = 20_000;

/// So many times what it took to find the first path, a handshake looks for a better one.
const HANDSHAKE_FACTOR: u64 = 6;

/// A search that has found no path may use one of so many parts of what is left, if its own part
/// is less.
const PARTS_WITHOUT_A_PATH: u64 = 8;

/// One search at one instant, whatever it finds.
const SEARCH: u64 = 200;

/// One path that was found.
const PATH: u64 = 100;

/// A look at one certificate: webpki parses it, and goes on to it where its name fits. And for each of
/// its extensions.
const PARSE: u64 = 30;
const EXTENSION: u64 = 3;

/// Looking up a signature that was checked before, and all that webpki does around it.
pub(super) const KNOWN_SIGNATURE: u64 = 50;

/// One more purpose of an extended key usage.
pub(super) const PURPOSE: u64 = 2;

/// Comparing one name with one constraint.
const COMPARISON: u64 = 2;

/// So many comparisons a path are in the price of its signatures; real chains have a few dozen.
const FREE_COMPARISONS: usize = 2_000;

/// webpki makes no more of them in one search.
const WEBPKI_COMPARISONS: usize = 250_000;

/// The budget of one answer, or of several that share it.
#[derive(Debug)]
pub(crate) struct Budget {
    left: AtomicU64,
    /// What the search in progress must leave.
    floor: AtomicU64,
    /// The same from its first path on.
    floor_with_a_path: AtomicU64,
    /// Whether a path was found in the search in progress.
    found: AtomicBool,
    /// For a handshake: not bounded by us before its first path.
    unbounded: AtomicBool,
}

/// Far more than webpki's own bounds let one search cost.
const UNBOUNDED: u64 = u64::MAX / 2;

impl Budget {
    /// For a report or a timeline, or both.
    pub(crate) const fn of_report() -> Self {
        Self::with(WHOLE_ANSWER, false)
    }

    /// For a chain that a handshake accepted: until the first path as much as webpki spends, and
    /// from then on a few times of that.
    pub(super) const fn of_handshake() -> Self {
        Self::with(UNBOUNDED, true)
    }

    const fn with(left: u64, unbounded: bool) -> Self {
        Self {
            left: AtomicU64::new(left),
            floor: AtomicU64::new(0),
            floor_with_a_path: AtomicU64::new(0),
            found: AtomicBool::new(false),
            unbounded: AtomicBool::new(unbounded),
        }
    }

    /// Sees that the next answer of a collection has at least its own share.
    #[cfg(feature = "monitor")]
    pub(crate) fn refill(&self) {
        self.left.fetch_max(ONE_OF_MANY, Ordering::Relaxed);
    }

    /// Begins a search that may use one of so many equal parts of what is left, and more until it
    /// has found a path.
    pub(super) fn begin(&self, parts: u64) {
        self.charge(SEARCH);
        let without = self.left_but_one_of(parts.min(PARTS_WITHOUT_A_PATH));
        self.floor.store(without, Ordering::Relaxed);
        let with = self.left_but_one_of(parts);
        self.floor_with_a_path.store(with, Ordering::Relaxed);
        self.found.store(false, Ordering::Relaxed);
    }

    /// Notes that a path was found. From a search's first path on, half of what is left is kept for
    /// what comes after it.
    pub(super) fn found(&self) {
        if !self.found.swap(true, Ordering::Relaxed) {
            if self.unbounded.swap(false, Ordering::Relaxed) {
                let spent = UNBOUNDED - self.left.load(Ordering::Relaxed);
                let more = spent.saturating_mul(HANDSHAKE_FACTOR).min(WHOLE_ANSWER);
                self.left.store(more, Ordering::Relaxed);
                self.floor_with_a_path.store(0, Ordering::Relaxed);
            }
            let floor = self.floor_with_a_path.load(Ordering::Relaxed);
            let floor = floor.max(self.left_but_one_of(2));
            self.floor.store(floor, Ordering::Relaxed);
        }
        self.charge(PATH);
    }

    fn left_but_one_of(&self, parts: u64) -> u64 {
        let left = self.left.load(Ordering::Relaxed);
        left - left / parts.max(1)
    }

    pub(super) fn charge(&self, units: u64) {
        let left = self.left.load(Ordering::Relaxed);
        self.left
            .store(left.saturating_sub(units), Ordering::Relaxed);
    }

    /// Whether the search in progress has used up its part.
    pub(super) fn is_over(&self) -> bool {
        self.left.load(Ordering::Relaxed) <= self.floor.load(Ordering::Relaxed)
    }
}

/// What webpki's parse of a certificate costs.
pub(super) fn price_of_parse(certificate: &Certificate) -> u64 {
    let extensions = u64::try_from(certificate.facts().extension_count()).unwrap_or(u64::MAX);
    PARSE.saturating_add(EXTENSION.saturating_mul(extensions))
}

/// What verifying a signature over these bytes with such a public key costs. The length of the
/// key tells what it is.
pub(super) fn price_of_signature(public_key: &[u8], message: &[u8]) -> u64 {
    let of_key = match public_key.len() {
        // Ed25519, P-256.
        0..=65 => 5_500,
        // P-384, P-521.
        66..=140 => 75_000,
        // ML-DSA-44, -65, -87; an RSA key of such a length is longer than any provider takes.
        1312 => 8_000,
        1952 => 12_000,
        2592 => 20_000,
        // RSA: by the square of the modulus, and by the exponent, 65537 nearly always.
        length => {
            let exponent = if public_key.ends_with(&[1, 0, 1]) {
                8
            } else {
                24
            };
            (length / 16).saturating_pow(2).saturating_mul(exponent)
        }
    };
    u64::try_from(of_key.saturating_add(message.len() / 8)).unwrap_or(u64::MAX)
}

/// What checking the name constraints of one path of these certificates can cost.
pub(super) fn price_of_names(
    leaf: &Certificate,
    candidates: &[&Certificate],
    anchors: &TrustAnchors,
) -> u64 {
    let of_candidates = candidates.iter().map(|c| c.facts().constraint_count());
    let constraints = of_candidates.chain(anchors.constraint_counts()).max();
    let Some(constraints) = constraints.filter(|count| *count > 0) else {
        return 0;
    };
    let above = candidates.iter().map(|c| c.facts().name_count()).max();
    let above = above.unwrap_or(0).saturating_mul(MAX_INTERMEDIATES);
    let names = leaf.facts().name_count().saturating_add(above);
    match constraints.saturating_mul(names) {
        0..=FREE_COMPARISONS => 0,
        comparisons => {
            let comparisons = comparisons.min(WEBPKI_COMPARISONS);
            u64::try_from(comparisons)
                .unwrap_or(u64::MAX)
                .saturating_mul(COMPARISON)
        }
    }
}
