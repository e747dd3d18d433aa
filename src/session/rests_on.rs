//! What an open connection rests on.

use std::collections::{HashMap, HashSet};

use crate::cert::{Certificate, Sha256Digest};
use crate::pin::SpkiPin;
use crate::time::Timestamp;

/// How many anchors, and how many pins, of one connection are remembered.
const MAX_ALTERNATIVES: usize = 4;

/// What a connection rests on: until when its chains are good, and by which anchors, pins and own
/// identity it was accepted.
///
/// Of anchors, and of pins, any one is enough: a connection ends where *all* of its anchors are
/// removed, or all of its pins, or its identity. At most four of each are remembered; where one of
/// these still counts, the connection stays, and where none does, it ends, though a fifth might do.
///
/// # What does a connection of a client with a certificate rest on?
/// ```
/// use notafter::session::RestsOn;
/// use notafter::Certificate;
/// # fn rests_on(client: &Certificate, root: &Certificate, served: &Certificate) -> RestsOn {
/// let end = client.not_after().min(served.not_after());
/// RestsOn::until(end)
///     .with_anchors([root.spki_sha256()])
///     .with_identity(served)
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RestsOn {
    end: Timestamp,
    bases: Vec<(BasisKind, Sha256Digest)>,
}

/// Of what kind something is that a connection rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum BasisKind {
    Anchor,
    Pin,
    Identity,
}

impl RestsOn {
    /// Begins with the last good second: the earlier one of the effective notAfter of the peer's
    /// chain and of ours. [`Timestamp::MAX`] where nobody knows: then it has no deadline by itself.
    pub const fn until(end: Timestamp) -> Self {
        Self {
            end,
            bases: Vec::new(),
        }
    }

    /// Adds the anchors that the peer's chain verifies by, each as the SHA-256 digest of its
    /// SubjectPublicKeyInfo: [`PathAnchor::spki_sha256`](crate::outlook::PathAnchor) or
    /// [`Certificate::spki_sha256`].
    pub fn with_anchors(mut self, anchors: impl IntoIterator<Item = Sha256Digest>) -> Self {
        self.add(BasisKind::Anchor, anchors);
        self
    }

    /// Adds the pins that the peer's path matches.
    pub fn with_pins(mut self, pins: impl IntoIterator<Item = SpkiPin>) -> Self {
        self.add(BasisKind::Pin, pins.into_iter().map(|pin| *pin.digest()));
        self
    }

    /// Sets the leaf that we showed.
    pub fn with_identity(mut self, leaf: &Certificate) -> Self {
        self.bases.retain(|(kind, _)| *kind != BasisKind::Identity);
        self.add(BasisKind::Identity, [leaf.fingerprint()]);
        self
    }

    /// Returns the last good second.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    fn add(&mut self, kind: BasisKind, digests: impl IntoIterator<Item = Sha256Digest>) {
        for digest in digests {
            let of_kind = self.bases.iter().filter(|(other, _)| *other == kind);
            if of_kind.count() >= MAX_ALTERNATIVES {
                return;
            }
            if !self.bases.contains(&(kind, digest)) {
                self.bases.push((kind, digest));
            }
        }
    }

    fn of_kind(&self, kind: BasisKind) -> impl Iterator<Item = &Sha256Digest> {
        let bases = self.bases.iter();
        bases.filter_map(move |(other, digest)| (*other == kind).then_some(digest))
    }
}

/// What counts now, of each kind that was ever told.
#[derive(Debug, Default)]
pub(super) struct CurrentBases(HashMap<BasisKind, HashSet<Sha256Digest>>);

impl CurrentBases {
    /// Takes this as all that counts of this kind. Says whether it is something else than before.
    pub(super) fn replace(&mut self, kind: BasisKind, current: HashSet<Sha256Digest>) -> bool {
        match self.0.insert(kind, current) {
            Some(before) => Some(&before) != self.0.get(&kind),
            None => true,
        }
    }

    /// Says whether a connection still stands.
    pub(super) fn hold(&self, rests_on: &RestsOn) -> bool {
        self.0.iter().all(|(kind, current)| {
            let mut own = rests_on.of_kind(*kind).peekable();
            own.peek().is_none() || own.any(|digest| current.contains(digest))
        })
    }
}
