//! The first of the two relaxations: a pinned leaf that has just expired.

use thiserror::Error;

use super::epoch::Epoch;
use super::judgement::{HandshakeJudge, InnerAccepts, path_keys, set_for};
use super::peer::Peer;
use crate::cert::Certificate;
use crate::outlook::{ChainJudge, VerifiedCertificates};
use crate::pin::{
    self, KeysAbove, Pin, PinGeneration, PinSet, PinSetStanding, PinVerdict, ShownKeys, SpkiPin,
};
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

    /// Makes a grace of so many seconds after the leaf's notAfter.
    ///
    /// # Errors
    /// [`PinnedGraceError`] over [`PinnedGrace::MAX_SECONDS`].
    pub const fn from_seconds(seconds: u32) -> Result<Self, PinnedGraceError> {
        if seconds > Self::MAX_SECONDS {
            return Err(PinnedGraceError { seconds });
        }
        Ok(Self { seconds })
    }

    /// Returns how many seconds it lasts.
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
}

/// A grace beyond the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a grace of {seconds} s is over the bound of {} s: renew the certificate instead",
    PinnedGrace::MAX_SECONDS
)]
#[non_exhaustive]
pub struct PinnedGraceError {
    /// The seconds asked for.
    pub seconds: u32,
}

/// A handshake that needs the grace.
#[derive(Debug)]
pub(super) struct GraceUse {
    pub(super) leaf: Certificate,
    pub(super) pin: Pin,
    /// The last second of the grace.
    pub(super) until: Timestamp,
    /// The epoch that it was admitted in.
    pub(super) epoch: Epoch,
}

impl GraceUse {
    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.leaf.der().len()
    }
}

/// What is known of all that stands above the leaf, as of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownAbove {
    /// Its dates, the anchor's, and the lists that speak for it.
    Everything,
    /// The inner verifier knows more, and was asked as of the leaf's last second alone.
    Something,
}

impl PinnedGrace {
    /// Whether only the date of a pinned leaf stands in the way of a peer that the inner verifier
    /// refused because a certificate has expired.
    pub(super) fn admits(
        self,
        judge: &HandshakeJudge,
        pins: &PinGeneration,
        epoch: Epoch,
        peer: &Peer<'_>,
        inner: &InnerAccepts<'_>,
    ) -> Option<GraceUse> {
        if peer.raw {
            return None;
        }
        let (set, now) = (set_for(&pins.sets, peer)?, peer.at());
        let leaf = peer.leaf_certificate().ok()?;
        let is_expired = leaf.not_after() < now && leaf.not_before() <= now;
        if !is_expired || now > self.end(&leaf, self.seconds) {
            return None;
        }
        let pin = pin_of_leaf(set, &leaf, now)?;
        let chain = peer.chain(&leaf);
        let known = match &judge.chains {
            Some(chains) => above_on_a_path(judge, chains, set, &chain, now, inner)?,
            None => above_as_presented(set, peer, &chain, inner)?,
        };
        // Staples are judged now, not then.
        #[cfg(feature = "ocsp")]
        if judge.assess_staple(peer, &chain).refusal.is_some() {
            return None;
        }
        let until = match known {
            KnownAbove::Everything => self.end(&leaf, self.seconds),
            KnownAbove::Something => self.end(&leaf, self.seconds.min(Self::MAX_SECONDS_UNTOLD)),
        };
        (now <= until).then_some(GraceUse {
            leaf,
            pin,
            until,
            epoch,
        })
    }

    fn end(self, leaf: &Certificate, seconds: u32) -> Timestamp {
        leaf.not_after().saturating_add(i64::from(seconds))
    }
}

/// The pin that the leaf's key matches by itself, in a set that decides.
fn pin_of_leaf(set: &PinSet, leaf: &Certificate, now: Timestamp) -> Option<Pin> {
    if set.standing(now) == PinSetStanding::Open {
        return None;
    }
    let shown = ShownKeys {
        host: None,
        identity: None,
        leaf: Ok(SpkiPin::from_certificate(leaf)),
        above: KeysAbove::Nothing,
    };
    match pin::judge(set, &shown, now) {
        PinVerdict::Matches(pin) => Some(pin),
        PinVerdict::Undecided | PinVerdict::Refused(_) => None,
    }
}

/// A path that is good now but for its leaf's date, and that the inner verifier accepts by itself
/// at the leaf's last good second.
fn above_on_a_path(
    judge: &HandshakeJudge,
    chains: &ChainJudge,
    set: &PinSet,
    chain: &[Certificate],
    now: Timestamp,
    inner: &InnerAccepts<'_>,
) -> Option<KnownAbove> {
    let last_second = chain.first()?.not_after();
    let then = last_second.to_unix_time()?;
    let found = chains.find_path(chain, last_second, |path| {
        let known = known_on_path(judge, chains, set, &path, now)?;
        let above = path.certificates.iter().skip(1);
        let above: Vec<_> = above.map(|c| c.der().clone()).collect();
        inner(&above, then).then_some(known)
    });
    found.ok().flatten()
}

/// `None` where something on the path, but for its leaf's date, is not good now.
fn known_on_path(
    judge: &HandshakeJudge,
    chains: &ChainJudge,
    set: &PinSet,
    path: &VerifiedCertificates<'_>,
    now: Timestamp,
) -> Option<KnownAbove> {
    let is_good = |certificate: &Certificate| certificate.validity().contains(now);
    if !path.certificates.iter().skip(1).all(|c| is_good(c)) {
        return None;
    }
    pin::match_path(set, &path_keys(path), now)?;
    let anchors = chains.anchors().certificates();
    let mut anchors = anchors
        .filter(|anchor| anchor.facts().spki_der() == path.anchor_spki)
        .peekable();
    let anchor_is_dated = anchors.peek().is_some();
    if anchor_is_dated && !anchors.any(is_good) {
        return None;
    }
    let Some(crls) = &judge.crls else {
        return Some(KnownAbove::Something);
    };
    if !crls.are_current_for(&path.certificates, now) {
        return None;
    }
    Some(match anchor_is_dated {
        true => KnownAbove::Everything,
        false => KnownAbove::Something,
    })
}

/// Without anchors nobody knows the path: everything presented must be good now.
fn above_as_presented(
    set: &PinSet,
    peer: &Peer<'_>,
    chain: &[Certificate],
    inner: &InnerAccepts<'_>,
) -> Option<KnownAbove> {
    let then = chain.first()?.not_after().to_unix_time()?;
    let mut above = chain.iter().skip(1);
    let are_good = !set.needs_path() && above.all(|c| c.validity().contains(peer.at()));
    (are_good && inner(peer.intermediates, then)).then_some(KnownAbove::Something)
}
