//! What is made of a peer that the inner verifier accepted, before anybody is told: a function of what
//! was presented, what is known, and now.

use std::cell::Cell;
use std::time::Duration;

use pki_types::{CertificateDer, UnixTime};

use super::dates::DatesAssessment;
use super::epoch::Epoch;
use super::peer::Peer;
#[cfg(feature = "ocsp")]
use super::staple::{StapleAssessment, StapleCheck, StapleRefusal};
use crate::cert::{Certificate, CertificateParseError};
use crate::outlook::{ChainJudge, TrustAnchors, VerifiedCertificates};
use crate::pin::{
    self, KeysAbove, PathKeys, PinError, PinGeneration, PinMode, PinSet, PinSetStanding, PinSets,
    PinState, PinVerdict, ShownKeys, SpkiPin, VerifiedPaths,
};
use crate::policy::{Band, ThresholdPolicy};
use crate::revocation::Crls;
use crate::time::Timestamp;

/// For so many seconds holds what only the inner verifier knows, and no longer whatever is asked for.
pub(super) const MAX_TRUST_AGE_SECONDS: i64 = 60;

/// A span in seconds for which what only the inner verifier knows may hold; `None` where that is too long.
pub(super) fn trust_age_seconds(age: Duration) -> Option<i64> {
    let seconds = i64::try_from(age.as_secs()).ok();
    seconds.filter(|seconds| *seconds <= MAX_TRUST_AGE_SECONDS)
}

/// An instant that does not come.
const FOREVER: Timestamp = Timestamp::from_unix_seconds(i64::MAX);

/// Whether the inner verifier accepts one peer's leaf with these intermediates at this instant.
pub(super) type InnerAccepts<'a> = dyn Fn(&[CertificateDer<'_>], UnixTime) -> bool + 'a;

/// What is made of an accepted peer.
#[derive(Debug)]
pub(super) struct Assessment {
    pub(super) leaf: PresentedLeaf,
    /// `None` where no pins are for this peer.
    pub(super) pins: Option<PinAssessment>,
    /// `None` for raw public keys, which have no dates, and for leaves that cannot be read.
    pub(super) dates: Option<DatesAssessment>,
    #[cfg(feature = "ocsp")]
    pub(super) staple: StapleAssessment,
    /// The epoch of the pins and of the trust that it rests on.
    pub(super) epoch: Epoch,
    /// The first instant at which it may be another: at which any input of it can change.
    pub(super) until: Timestamp,
}

/// The certificate, or the key, that a peer says is its own.
#[derive(Debug)]
pub(super) enum PresentedLeaf {
    Certificate(Certificate),
    Unreadable(CertificateParseError),
    /// RFC 7250.
    RawPublicKey,
}

/// What the pins say of a peer, and how their set stands.
#[derive(Debug)]
pub(super) struct PinAssessment {
    pub(super) verdict: PinVerdict,
    /// Whether what they say is done, rather than told.
    pub(super) enforced: bool,
    pub(super) standing: PinSetStanding,
    /// The set's last good second.
    pub(super) ends: Option<Timestamp>,
    /// How near that is.
    pub(super) band: Band,
    /// How many distinct keys are or will be accepted.
    pub(super) usable_keys: usize,
    /// How many distinct keys the set names.
    pub(super) named_keys: usize,
    /// Whether a successor is announced that will be accepted.
    pub(super) has_successor: bool,
}

/// Why a peer that the inner verifier accepted is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum WrapperRefusal<'a> {
    ByPins(&'a PinError),
    #[cfg(feature = "ocsp")]
    ByStaple(StapleRefusal),
}

impl Assessment {
    /// The refusal that all of it comes to.
    pub(super) fn refusal(&self) -> Option<WrapperRefusal<'_>> {
        if let Some(refusal) = self.pins.as_ref().and_then(PinAssessment::enforced_refusal) {
            return Some(WrapperRefusal::ByPins(refusal));
        }
        #[cfg(feature = "ocsp")]
        if let Some(refusal) = self.staple.refusal {
            return Some(WrapperRefusal::ByStaple(refusal));
        }
        None
    }

    /// The leaf's certificate, where it can be read.
    pub(super) const fn certificate(&self) -> Option<&Certificate> {
        self.leaf.certificate()
    }

    /// About how many bytes it takes, its names at their longest.
    pub(super) fn size(&self) -> usize {
        let leaf = self.certificate().map_or(0, |leaf| leaf.der().len());
        size_of::<Self>() + leaf + 1024
    }
}

impl PinAssessment {
    fn new(set: &PinSet, verdict: PinVerdict, now: Timestamp) -> Self {
        Self {
            verdict,
            enforced: set.mode() == PinMode::Enforce,
            standing: set.standing(now),
            ends: set.expiry().map(|(end, _)| end),
            band: set.band(now),
            usable_keys: set.usable_keys(),
            named_keys: set.named_keys(),
            has_successor: set.usable().any(|pin| pin.state == PinState::Announced),
        }
    }

    /// The refusal that is done.
    pub(super) fn enforced_refusal(&self) -> Option<&PinError> {
        self.verdict.refusal().filter(|_| self.enforced)
    }
}

/// What peers are judged by.
#[derive(Debug)]
pub(super) struct HandshakeJudge {
    pub(super) chains: Option<ChainJudge>,
    pub(super) policy: ThresholdPolicy,
    /// For so many seconds holds what only the inner verifier knows.
    pub(super) trust_age_seconds: i64,
    /// The inner verifier's revocation lists, where it was said which they are.
    pub(super) crls: Option<Crls>,
    /// When anchors begin and end, and lists are to be replaced.
    pub(super) changes: InputChanges,
    #[cfg(feature = "ocsp")]
    pub(super) staples: StapleCheck,
}

impl HandshakeJudge {
    /// Judges a peer that the inner verifier accepted as it presented itself. Where pins ask for
    /// paths, `inner` is asked about each path by itself.
    pub(super) fn evaluate(
        &self,
        peer: &Peer<'_>,
        pins: Option<&PinGeneration>,
        epoch: Epoch,
        inner: &InnerAccepts<'_>,
    ) -> Assessment {
        let now = peer.at();
        let leaf = PresentedLeaf::from_peer(peer);
        let chain = leaf.chain(peer);
        let judge = self.chains.as_ref();
        let paths = judge.map(|judge| VouchedPaths {
            judge,
            peer,
            chain: &chain,
            inner,
            inner_was_asked: Cell::new(false),
        });
        let set = pins.and_then(|pins| set_for(&pins.sets, peer));
        let judged_by_pins = set.map(|set| {
            let verdict = pin::judge(set, &leaf.shown_keys(peer, paths.as_ref()), now);
            PinAssessment::new(set, verdict, now)
        });
        let dates = leaf
            .certificate()
            .map(|leaf| DatesAssessment::from_chain(leaf, &chain, judge, &self.policy, now));
        #[cfg(feature = "ocsp")]
        let staple = self.assess_staple(peer, &chain);
        let inner_was_asked = paths.is_some_and(|paths| paths.inner_was_asked.get());
        let changes = [
            set.and_then(|set| set.next_change(now)),
            inner_was_asked.then(|| now.saturating_add(self.trust_age_seconds)),
            self.changes.after(now),
            peer.next_change(),
            dates.as_ref().map(|dates| dates.until),
            #[cfg(feature = "ocsp")]
            staple.until(now),
        ];
        Assessment {
            until: changes.into_iter().flatten().min().unwrap_or(FOREVER),
            leaf,
            pins: judged_by_pins,
            dates,
            #[cfg(feature = "ocsp")]
            staple,
            epoch,
        }
    }

    /// What the staple comes to of a peer that presented this, as far as it can be read.
    #[cfg(feature = "ocsp")]
    pub(super) fn assess_staple(&self, peer: &Peer<'_>, chain: &[Certificate]) -> StapleAssessment {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return self.staples.assess_no_certificate();
        };
        let judge = self.chains.iter();
        let anchors = judge.flat_map(|judge| judge.anchors().certificates());
        let issuers = intermediates.iter().chain(anchors);
        self.staples.assess(peer.staple, leaf, issuers, peer.at())
    }
}

/// The set that counts for a peer: one for its identity before one for its name. But the identity is in
/// the leaf's own words, so a set for it that refuses nobody now does not stand in for one that does.
pub(super) fn set_for<'s>(sets: &'s PinSets, peer: &Peer<'_>) -> Option<&'s PinSet> {
    let by_name = match peer.pinned_as {
        Some(name) => sets.for_server(name),
        None => sets.for_every_peer(),
    };
    let Some(by_identity) = peer.identity().and_then(|i| sets.for_identity(i)) else {
        return by_name;
    };
    let refuses = |set: &PinSet| {
        set.mode() == PinMode::Enforce && set.standing(peer.at()) != PinSetStanding::Open
    };
    match by_name {
        Some(by_name) if !refuses(by_identity) && refuses(by_name) => Some(by_name),
        _ => Some(by_identity),
    }
}

/// The keys of a path that webpki accepted.
pub(super) fn path_keys(path: &VerifiedCertificates<'_>) -> PathKeys {
    let mut keys = path
        .certificates
        .iter()
        .map(|c| SpkiPin::from_certificate(c));
    let anchor = SpkiPin::from_spki_der(&path.anchor_spki);
    PathKeys {
        // A path begins with its leaf.
        leaf: keys.next().unwrap_or(anchor),
        intermediates: keys.collect(),
        anchor,
    }
}

impl PresentedLeaf {
    fn from_peer(peer: &Peer<'_>) -> Self {
        if peer.raw {
            return Self::RawPublicKey;
        }
        match peer.leaf_certificate() {
            Ok(certificate) => Self::Certificate(certificate),
            Err(error) => Self::Unreadable(error),
        }
    }

    const fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Certificate(certificate) => Some(certificate),
            Self::Unreadable(_) | Self::RawPublicKey => None,
        }
    }

    /// The certificate with everything readable that came along; nothing without one.
    fn chain(&self, peer: &Peer<'_>) -> Vec<Certificate> {
        match self {
            Self::Certificate(leaf) => peer.chain(leaf),
            Self::Unreadable(_) | Self::RawPublicKey => Vec::new(),
        }
    }

    fn shown_keys<'k>(
        &'k self,
        peer: &'k Peer<'_>,
        paths: Option<&'k VouchedPaths<'_, '_>>,
    ) -> ShownKeys<'k> {
        let (leaf, above) = match (self, paths) {
            (Self::RawPublicKey, _) => (Ok(SpkiPin::from_spki_der(peer.leaf)), KeysAbove::Nothing),
            (Self::Unreadable(error), _) => (Err(error), KeysAbove::Nothing),
            (Self::Certificate(leaf), None) => {
                (Ok(SpkiPin::from_certificate(leaf)), KeysAbove::Unknown)
            }
            (Self::Certificate(leaf), Some(paths)) => (
                Ok(SpkiPin::from_certificate(leaf)),
                KeysAbove::Verified(paths),
            ),
        };
        ShownKeys {
            host: peer.host,
            identity: peer.identity(),
            leaf,
            above,
        }
    }
}

/// The verified paths of a peer, of which only those count by which the inner verifier, too,
/// accepts it. How many paths there are to ask about, the judge's budget bounds.
struct VouchedPaths<'v, 'p> {
    judge: &'v ChainJudge,
    peer: &'v Peer<'p>,
    /// All of what it presented that can be read, leaf first.
    chain: &'v [Certificate],
    inner: &'v InnerAccepts<'v>,
    /// Then what is made of the peer rests on what only the inner verifier knows.
    inner_was_asked: Cell<bool>,
}

impl VerifiedPaths for VouchedPaths<'_, '_> {
    fn any(&self, fits: &mut dyn FnMut(&PathKeys) -> bool) -> Result<bool, String> {
        let found = self.judge.find_path(self.chain, self.peer.at(), |path| {
            (fits(&path_keys(&path)) && self.inner_accepts(&path)).then_some(())
        });
        match found {
            Ok(found) => Ok(found.is_some()),
            Err(refusal) => Err(refusal.to_string()),
        }
    }
}

impl VouchedPaths<'_, '_> {
    /// The inner verifier accepted everything that was presented, so it is asked again only where
    /// that holds more than the path, and an anchor sent along is not more.
    fn inner_accepts(&self, path: &VerifiedCertificates<'_>) -> bool {
        let is_on_path =
            |der: &CertificateDer<'_>| path.certificates.iter().any(|c| c.der() == der);
        let is_anchor = |der: &CertificateDer<'_>| {
            let mut anchors = self
                .chain
                .iter()
                .filter(|c| c.facts().spki_der() == path.anchor_spki);
            anchors.any(|anchor| anchor.der() == der)
        };
        let intermediates = self.peer.intermediates.iter();
        let (on_path, others): (Vec<_>, Vec<_>) = intermediates.partition(|der| is_on_path(der));
        if others.iter().all(|der| is_anchor(der)) {
            return true;
        }
        self.inner_was_asked.set(true);
        let on_path: Vec<_> = on_path.into_iter().cloned().collect();
        (self.inner)(&on_path, self.peer.now)
    }
}

/// Instants at which what every judgement rests on can change, in order.
#[derive(Debug)]
pub(super) struct InputChanges(Vec<Timestamp>);

impl InputChanges {
    pub(super) fn new(anchors: Option<&TrustAnchors>, crls: Option<&Crls>) -> Self {
        let mut changes = Vec::new();
        for anchor in anchors.into_iter().flat_map(TrustAnchors::certificates) {
            changes.extend([anchor.not_before(), anchor.not_after().saturating_add(1)]);
        }
        // From nextUpdate on a list is over; whoever counts the second itself is asked once more.
        for end in crls.into_iter().flat_map(Crls::next_updates) {
            changes.extend([end, end.saturating_add(1)]);
        }
        changes.sort_unstable();
        changes.dedup();
        Self(changes)
    }

    /// The first one after `now`.
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let index = self.0.partition_point(|change| *change <= now);
        self.0.get(index).copied()
    }
}
