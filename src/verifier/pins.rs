//! What pins make of a peer that the inner verifier accepted: pure, no clock, no lock.

use std::cell::Cell;

use pki_types::CertificateDer;
use rustls::Error;

use super::peer::Peer;
use crate::cert::Certificate;
use crate::outlook::{ChainJudge, VerifiedCertificates};
use crate::pin::{
    LeafVerdict, PathKeys, Pin, PinError, PinSet, PinSetStanding, PinSets, PinState, PresentedKey,
    SpkiPin,
};
use crate::policy::Band;
use crate::time::Timestamp;

/// What the pins say of one peer at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ruling {
    /// Why they would refuse it.
    pub(super) refusal: Option<PinError>,
    /// Whether what they say is done, rather than told.
    pub(super) enforced: bool,
    /// The pin that it matched.
    pub(super) matched: Option<Pin>,
    pub(super) standing: PinSetStanding,
    /// The set's last good second.
    pub(super) ends: Option<Timestamp>,
    /// How near that is.
    pub(super) band: Band,
    /// How many distinct keys are or will be accepted, and how many the set names.
    pub(super) keys: (usize, usize),
    /// Whether a successor is announced that will be accepted.
    pub(super) has_successor: bool,
    /// The first instant at which the pins may say something else.
    pub(super) until: Option<Timestamp>,
}

impl Ruling {
    /// The refusal that is done.
    pub(super) fn enforced_refusal(&self) -> Option<&PinError> {
        self.refusal.as_ref().filter(|_| self.enforced)
    }
}

/// The set that counts for a peer.
pub(super) fn set_for<'s>(sets: &'s PinSets, peer: &Peer<'_>) -> Option<&'s PinSet> {
    match peer.pinned_as {
        Some(name) => sets.for_server(name),
        None => sets.for_every_peer(),
    }
}

/// The peer's own key, with its certificate unless it is a raw public key.
pub(super) enum PeerKey<'k> {
    Certificate(&'k Certificate),
    Raw(SpkiPin),
    Unreadable(String),
}

/// The inner verifier, asked about one peer as of one instant: what it says of the leaf with
/// other intermediates than were presented.
pub(super) struct Vouching<'v> {
    ask: &'v dyn Fn(&[CertificateDer<'_>]) -> Result<(), Error>,
    asked: Cell<bool>,
}

impl<'v> Vouching<'v> {
    pub(super) const fn by(ask: &'v dyn Fn(&[CertificateDer<'_>]) -> Result<(), Error>) -> Self {
        Self {
            ask,
            asked: Cell::new(false),
        }
    }

    /// Whether it was asked at all: then what was concluded rests on what only it knows.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.get()
    }

    /// Whether the inner verifier, too, accepts the peer over this path. It accepted everything
    /// that was presented, so it is asked again only where that holds more than the path, and an
    /// anchor sent along is not more. How many paths there are to ask about, the judge's budget
    /// bounds.
    fn accepts(&self, peer: &Peer<'_>, path: &VerifiedCertificates<'_>) -> bool {
        let is_on_path =
            |der: &CertificateDer<'_>| path.certificates.iter().any(|c| c.der() == der);
        let is_anchor = |der: &CertificateDer<'_>| {
            let certificate = Certificate::from_der(CertificateDer::clone(der));
            certificate.is_ok_and(|c| c.facts().spki_der() == path.anchor_spki)
        };
        let (on_path, others): (Vec<_>, Vec<_>) =
            peer.intermediates.iter().partition(|der| is_on_path(der));
        if others.iter().all(|der| is_anchor(der)) {
            return true;
        }
        self.asked.set(true);
        let on_path: Vec<_> = on_path.into_iter().cloned().collect();
        (self.ask)(&on_path).is_ok()
    }
}

/// What `set` says of a peer.
pub(super) fn rule(
    set: &PinSet,
    peer: &Peer<'_>,
    key: &PeerKey<'_>,
    judge: Option<&ChainJudge>,
    vouching: &Vouching<'_>,
) -> Ruling {
    let now = peer.at();
    let standing = set.standing(now);
    let verdict = match standing {
        // Where it decides no more, it still knows whose keys are in wrong hands.
        PinSetStanding::Open => match_rejected(set, peer, key, judge, vouching).map(|()| None),
        PinSetStanding::Closed => Err(PinError::SetExpired {
            host: peer.host(),
            not_after: set.expiry().map_or(now, |(end, _)| end),
        }),
        _ => match_key(set, peer, key, judge, vouching).map(Some),
    };
    let usable = |pin: &&Pin| pin.can_be_accepted() && !set.is_rejected(&pin.pin);
    let mut successors = set.pins().iter().filter(usable);
    Ruling {
        enforced: set.enforces(),
        matched: verdict.as_ref().ok().cloned().flatten(),
        refusal: verdict.err(),
        standing,
        ends: set.expiry().map(|(end, _)| end),
        band: set.band(now),
        keys: (set.usable_keys(), set.named_keys()),
        has_successor: successors.any(|pin| pin.state == PinState::Announced),
        until: set.next_change(now),
    }
}

fn match_key(
    set: &PinSet,
    peer: &Peer<'_>,
    key: &PeerKey<'_>,
    judge: Option<&ChainJudge>,
    vouching: &Vouching<'_>,
) -> Result<Pin, PinError> {
    let now = peer.at();
    let (leaf, certificate) = match key {
        PeerKey::Certificate(leaf) => (SpkiPin::of_certificate(leaf), Some(*leaf)),
        PeerKey::Raw(pin) => (*pin, None),
        PeerKey::Unreadable(reason) => {
            return Err(PinError::Unreadable {
                host: peer.host(),
                reason: reason.clone(),
            });
        }
    };
    let mismatch = |presented: Vec<PresentedKey>| PinError::Mismatch {
        host: peer.host(),
        expected: set.accepted(now).cloned().collect(),
        near_misses: set.near_misses(&presented, now),
        presented,
    };
    match (set.judge_leaf(&leaf, now), certificate) {
        (LeafVerdict::Matches(pin), _) => Ok(pin.clone()),
        (LeafVerdict::Rejected, _) => Err(PinError::Rejected {
            host: peer.host(),
            key: leaf,
        }),
        // A raw public key has no path above it, so its own match is all there is.
        (LeafVerdict::AskPaths, None) => {
            let alone = set.match_leaf(&leaf, now).cloned();
            alone.ok_or_else(|| mismatch(vec![PresentedKey::leaf(leaf)]))
        }
        (LeafVerdict::NoMatch, _) => Err(mismatch(vec![PresentedKey::leaf(leaf)])),
        (LeafVerdict::AskPaths, Some(certificate)) => {
            let no_path = |reason: String| PinError::NoPath {
                host: peer.host(),
                reason,
            };
            let judge = judge.ok_or_else(|| no_path("it was given none".to_owned()))?;
            let mut shown = None;
            let found = judge.find_path(&peer.chain(certificate), now, |path| {
                let keys = keys_of(leaf, &path);
                shown.get_or_insert_with(|| keys.presented());
                let matched = set.match_path(&keys, now)?;
                vouching.accepts(peer, &path).then(|| matched.clone())
            });
            let found = found.map_err(|refusal| no_path(refusal.to_string()))?;
            let presented = || shown.unwrap_or_else(|| vec![PresentedKey::leaf(leaf)]);
            found.ok_or_else(|| mismatch(presented()))
        }
    }
}

/// # Errors
/// The rejected key that the peer has, or that every path of it goes over.
fn match_rejected(
    set: &PinSet,
    peer: &Peer<'_>,
    key: &PeerKey<'_>,
    judge: Option<&ChainJudge>,
    vouching: &Vouching<'_>,
) -> Result<(), PinError> {
    let rejected = |key| PinError::Rejected {
        host: peer.host(),
        key,
    };
    let (leaf, certificate) = match key {
        PeerKey::Certificate(leaf) => (SpkiPin::of_certificate(leaf), Some(*leaf)),
        PeerKey::Raw(pin) => (*pin, None),
        // Nobody knows whether its key is one of those in wrong hands.
        PeerKey::Unreadable(reason) if set.rejects_any() => {
            return Err(PinError::Unreadable {
                host: peer.host(),
                reason: reason.clone(),
            });
        }
        PeerKey::Unreadable(_) => return Ok(()),
    };
    if set.is_rejected(&leaf) {
        return Err(rejected(leaf));
    }
    let (Some(certificate), Some(judge)) = (certificate.filter(|_| set.rejects_above()), judge)
    else {
        return Ok(());
    };
    let mut first_rejected = None;
    let found = judge.find_path(&peer.chain(certificate), peer.at(), |path| {
        match set.rejected_on(&keys_of(leaf, &path)) {
            Some(key) => {
                first_rejected.get_or_insert(key);
                None
            }
            None => vouching.accepts(peer, &path).then_some(()),
        }
    });
    match (found, first_rejected) {
        (Ok(Some(())), _) => Ok(()),
        (Ok(None), Some(key)) => Err(rejected(key)),
        (Ok(None), None) => Err(PinError::NoPath {
            host: peer.host(),
            reason: "the inner verifier accepts none of its paths by itself".to_owned(),
        }),
        (Err(refusal), _) => Err(PinError::NoPath {
            host: peer.host(),
            reason: refusal.to_string(),
        }),
    }
}

/// The keys of a path that webpki accepted.
pub(super) fn keys_of(leaf: SpkiPin, path: &VerifiedCertificates<'_>) -> PathKeys {
    let above = path.certificates.iter().skip(1);
    PathKeys {
        leaf,
        intermediates: above.map(|c| SpkiPin::of_certificate(c)).collect(),
        anchor: SpkiPin::of_spki_der(&path.anchor_spki),
    }
}
