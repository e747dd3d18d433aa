//! The first of the two relaxations: a pinned leaf that has just expired.

use rustls::Error;
use thiserror::Error as ThisError;

use super::assess::DateRefusal;
use super::conclude::Grounds;
use super::peer::{Peer, date_refusal};
use super::pins;
use super::watch::AskInner;
use crate::cert::Certificate;
use crate::outlook::ChainJudge;
use crate::pin::{LeafVerdict, Pin, PinGeneration, PinSet, PinSetStanding, SpkiPin};
use crate::time::Timestamp;

/// For how long a *pinned* peer is still accepted after its leaf expired, when nothing else is
/// wrong with it. Off unless given to a verifier; an event tells of every handshake that needed it,
/// and the sessions of those are never resumed.
///
/// It forgives one thing, the leaf's notAfter. The leaf's key must match an accepted leaf pin, the
/// inner verifier must accept the peer at the leaf's last good second, and everything else is
/// judged now: what stands above the leaf, its anchor included, must be within its dates, and the
/// revocation lists that speak for the path must be current where their ends count.
///
/// For the last two the wrapper must be told what the inner verifier knows, by
/// [`with_trust_anchors`](crate::verifier::WatchingVerifierBuilder::with_trust_anchors) and
/// [`with_crls`](crate::verifier::WatchingVerifierBuilder::with_crls) (an empty [`Crls`](crate::revocation::Crls) says
/// that it has none). What it was not told, the inner verifier judged as of the leaf's last second
/// alone, so a grace then ends after [`PinnedGrace::MAX_SECONDS_UNTOLD`]. And since CAs leave
/// expired certificates out of their lists (RFC 5280, 3.3), a revocation during the grace may stay
/// unseen: reject the key in the pin set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedGrace {
    seconds: u32,
}

impl PinnedGrace {
    /// The longest grace: 30 days.
    pub const MAX_SECONDS: u32 = 30 * 86_400;

    /// The longest that any grace lasts for a verifier that was not told the anchors, with their
    /// dates, and the revocation lists of the inner one: 7 days, less than a list may count for
    /// (CA/Browser Forum, Baseline Requirements, 4.9.7).
    pub const MAX_SECONDS_UNTOLD: u32 = 7 * 86_400;

    /// So many seconds after the leaf's notAfter.
    ///
    /// # Errors
    /// [`PinnedGraceTooLong`] over [`PinnedGrace::MAX_SECONDS`].
    pub const fn of_seconds(seconds: u32) -> Result<Self, PinnedGraceTooLong> {
        if seconds > Self::MAX_SECONDS {
            return Err(PinnedGraceTooLong { seconds });
        }
        Ok(Self { seconds })
    }

    /// How many seconds.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

/// A grace beyond the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error(
    "a grace of {seconds} s is over the bound of {} s: renew the certificate instead",
    PinnedGrace::MAX_SECONDS
)]
#[non_exhaustive]
pub struct PinnedGraceTooLong {
    /// The seconds asked for.
    pub seconds: u32,
}

/// A peer that a grace lets in.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) leaf: Certificate,
    pub(super) pin: Pin,
    /// The last second of the grace.
    pub(super) until: Timestamp,
    /// The epoch of the pins that it was pinned by.
    pub(super) epoch: u64,
}

/// Whether only the date of a pinned leaf stands in the way of a peer that the inner verifier
/// refused with `error`.
pub(super) fn candidate(
    grace: PinnedGrace,
    grounds: &Grounds,
    generation: &PinGeneration,
    peer: &Peer<'_>,
    error: &Error,
    ask: &AskInner<'_>,
) -> Option<Candidate> {
    let Some(DateRefusal::Expired(_)) = date_refusal(error).filter(|_| !peer.raw) else {
        return None;
    };
    let (set, now) = (pins::set_for(&generation.sets, peer)?, peer.at());
    let in_force = matches!(
        set.standing(now),
        PinSetStanding::InForce | PinSetStanding::InGrace { .. }
    );
    let leaf = Certificate::from_der(peer.leaf).ok()?;
    let is_expired = leaf.not_after() < now && leaf.not_before() <= now;
    if !in_force || !is_expired || now > grace.end(&leaf, grace.seconds) {
        return None;
    }
    let key = SpkiPin::of_certificate(&leaf);
    let pin = match set.judge_leaf(&key, now) {
        LeafVerdict::Matches(pin) => pin.clone(),
        LeafVerdict::AskPaths => set.match_leaf(&key, now)?.clone(),
        LeafVerdict::Rejected | LeafVerdict::NoMatch => return None,
    };
    let knowledge = match &grounds.judge {
        Some(judge) => above_on_a_path(grounds, judge, set, peer, &leaf, ask)?,
        None => above_as_presented(set, peer, &leaf, ask)?,
    };
    let until = match knowledge {
        Knowledge::Whole => grace.end(&leaf, grace.seconds),
        Knowledge::Partial => grace.end(&leaf, grace.seconds.min(PinnedGrace::MAX_SECONDS_UNTOLD)),
    };
    (now <= until).then_some(Candidate {
        leaf,
        pin,
        until,
        epoch: generation.epoch,
    })
}

/// What is known of all that stands above the leaf, as of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knowledge {
    /// Its dates, the anchor's, and the lists that speak for it.
    Whole,
    /// The inner verifier knows more, and was asked as of the leaf's last second alone.
    Partial,
}

impl PinnedGrace {
    fn end(self, leaf: &Certificate, seconds: u32) -> Timestamp {
        leaf.not_after().saturating_add(i64::from(seconds))
    }
}

/// A path that is good now but for its leaf's date, and that the inner verifier accepts by itself
/// at the leaf's last good second.
fn above_on_a_path(
    grounds: &Grounds,
    judge: &ChainJudge,
    set: &PinSet,
    peer: &Peer<'_>,
    leaf: &Certificate,
    ask: &AskInner<'_>,
) -> Option<Knowledge> {
    let (now, key) = (peer.at(), SpkiPin::of_certificate(leaf));
    let then = leaf.not_after().to_unix_time()?;
    let found = judge.find_path(&peer.chain(leaf), leaf.not_after(), |path| {
        let above = path.certificates.get(1..).unwrap_or_default();
        let is_good = above.iter().all(|c| c.validity().contains(now))
            && set.match_path(&pins::keys_of(key, &path), now).is_some();
        if !is_good {
            return None;
        }
        let anchors = judge.anchors().certificates();
        let mut anchors = anchors
            .filter(|a| a.facts().spki_der() == path.anchor_spki)
            .peekable();
        let anchor_is_dated = anchors.peek().is_some();
        if anchor_is_dated && !anchors.any(|anchor| anchor.validity().contains(now)) {
            return None;
        }
        let lists_are_current = match &grounds.lists {
            Some(lists) => lists.are_current_for(&path.certificates, now),
            None => true,
        };
        let above: Vec<_> = above.iter().map(|c| c.der().clone()).collect();
        if !lists_are_current || ask(&above, then).is_err() {
            return None;
        }
        Some(match anchor_is_dated && grounds.lists.is_some() {
            true => Knowledge::Whole,
            false => Knowledge::Partial,
        })
    });
    found.ok().flatten()
}

/// Without anchors nobody knows the path: everything presented must be good now.
fn above_as_presented(
    set: &PinSet,
    peer: &Peer<'_>,
    leaf: &Certificate,
    ask: &AskInner<'_>,
) -> Option<Knowledge> {
    let now = peer.at();
    let mut above = peer.readable_intermediates();
    let are_good = !set.needs_path() && above.all(|c| c.validity().contains(now));
    let then = leaf.not_after().to_unix_time()?;
    (are_good && ask(peer.intermediates, then).is_ok()).then_some(Knowledge::Partial)
}
