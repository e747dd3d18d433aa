//! The first of the two relaxations: a pinned leaf that has just expired.

use pki_types::UnixTime;
use rustls::Error;
use thiserror::Error as ThisError;

use super::assess::DateRefusal;
use super::conclude::Grounds;
use super::peer::{Peer, date_refusal};
use super::pins;
use crate::cert::{Certificate, Timestamp};
use crate::pin::{LeafVerdict, Pin, PinSet, PinSetStanding, SpkiPin};

/// For how long a *pinned* peer is still accepted after its leaf expired, when nothing else is
/// wrong with it. Off unless given to a verifier; an event tells of every handshake that needed it,
/// and the sessions of those are never resumed.
///
/// It holds for an expired leaf alone: its key must match an accepted leaf pin, the inner verifier
/// must accept the peer at the leaf's last good second, and everything above the leaf must be
/// within its dates now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedGrace {
    seconds: u32,
}

impl PinnedGrace {
    /// The longest grace: 30 days.
    pub const MAX_SECONDS: u32 = 30 * 86_400;

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

/// A peer that a grace may let in, if the inner verifier accepts it at `at`.
pub(super) struct Candidate {
    pub(super) leaf: Certificate,
    pub(super) pin: Pin,
    /// The leaf's last good second.
    pub(super) at: UnixTime,
    /// The last second of the grace.
    pub(super) until: Timestamp,
}

/// Whether only the dates of a pinned leaf stand in the way, as far as can be said without the
/// inner verifier.
pub(super) fn candidate(
    grace: PinnedGrace,
    grounds: &Grounds,
    set: &PinSet,
    peer: &Peer<'_>,
    error: &Error,
) -> Option<Candidate> {
    let Some(DateRefusal::Expired(_)) = date_refusal(error).filter(|_| !peer.raw) else {
        return None;
    };
    let now = peer.at();
    let in_force = matches!(
        set.standing(now),
        PinSetStanding::InForce | PinSetStanding::InGrace { .. }
    );
    let leaf = Certificate::from_der(peer.leaf).ok()?;
    let until = leaf.not_after().saturating_add(i64::from(grace.seconds));
    let expired = leaf.not_after() < now && leaf.not_before() <= now;
    if !in_force || !expired || now > until {
        return None;
    }
    let key = SpkiPin::of_certificate(&leaf);
    let pin = match set.judge_leaf(&key, now) {
        LeafVerdict::Matches(pin) => pin.clone(),
        LeafVerdict::AskPaths => set.match_leaf(&key, now)?.clone(),
        LeafVerdict::Rejected | LeafVerdict::NoMatch => return None,
    };
    let is_good = |certificate: &Certificate| certificate.validity().contains(now);
    let others_are_good = match &grounds.judge {
        None => !set.needs_path() && peer.readable_intermediates().all(|c| is_good(&c)),
        Some(judge) => {
            let found = judge.find_path(&peer.chain(&leaf), leaf.not_after(), |path| {
                let mut above = path.certificates.iter().skip(1);
                let keys = pins::keys_of(key, &path);
                let is_good = above.all(|c| is_good(c)) && set.match_path(&keys, now).is_some();
                is_good.then_some(())
            });
            matches!(found, Ok(Some(())))
        }
    };
    let at = leaf.not_after().to_unix_time()?;
    others_are_good.then_some(Candidate {
        leaf,
        pin,
        at,
        until,
    })
}
