//! Everything that is concluded of one peer at one instant, before anybody is told: a function of
//! what was presented, what is known, and now.

use pki_types::CertificateDer;
use rustls::Error;

use super::assess::{self, Assessment};
use super::peer::Peer;
use super::pins::{self, PeerKey, Ruling, Vouching};
use super::refuse;
#[cfg(feature = "ocsp")]
use super::staple::StapleWatch;
use crate::cert::{Certificate, CertificateParseError};
use crate::outlook::{ChainJudge, TrustAnchors};
use crate::pin::{PinGeneration, SpkiPin};
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleOutlook;
use crate::time::Timestamp;

/// What a peer that the inner verifier accepted comes to.
#[derive(Debug)]
pub(super) struct Conclusion {
    /// `None` where no pins are for this peer.
    pub(super) ruling: Option<Ruling>,
    /// `None` for raw public keys, which have no dates, and for leaves that cannot be read.
    pub(super) known: Option<Known>,
    /// Why the leaf cannot be read.
    pub(super) unreadable: Option<CertificateParseError>,
    /// The epoch of the pins that it was concluded by.
    pub(super) epoch: u64,
    /// The first instant at which it may be another: at which any input of it can change.
    pub(super) until: Timestamp,
    /// The refusal that all of this comes to.
    pub(super) refusal: Option<Error>,
}

/// What is known of a leaf with dates.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) leaf: Certificate,
    pub(super) assessment: Assessment,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<StapleOutlook>,
    #[cfg(feature = "ocsp")]
    pub(super) staple_refusal: Option<rustls::CertificateError>,
}

/// What conclusions are drawn by.
#[derive(Debug)]
pub(super) struct Grounds {
    pub(super) judge: Option<ChainJudge>,
    pub(super) policy: ThresholdPolicy,
    /// The inner verifier's revocation lists, where it was said which they are.
    pub(super) lists: Option<Crls>,
    /// When anchors begin and end, and lists are to be replaced.
    pub(super) changes: Changes,
    #[cfg(feature = "ocsp")]
    pub(super) staples: StapleWatch,
}

/// Instants at which what every conclusion rests on can change, in order.
#[derive(Debug)]
pub(super) struct Changes(Vec<Timestamp>);

impl Changes {
    pub(super) fn of(anchors: Option<&TrustAnchors>, crls: Option<&Crls>) -> Self {
        let anchors = anchors.into_iter().flat_map(TrustAnchors::certificates);
        let dates =
            anchors.flat_map(|anchor| [anchor.not_before(), anchor.not_after().saturating_add(1)]);
        // From nextUpdate on a list is over; whoever counts the second itself is asked once more.
        let lists = crls
            .into_iter()
            .flat_map(Crls::next_updates)
            .flat_map(|end| [end, end.saturating_add(1)]);
        let mut changes: Vec<_> = dates.chain(lists).collect();
        changes.sort_unstable();
        changes.dedup();
        Self(changes)
    }

    /// The first one after `now`.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let index = self.0.partition_point(|change| *change <= now);
        self.0.get(index).copied()
    }
}

/// An instant that does not come.
const FOREVER: Timestamp = Timestamp::from_unix_seconds(i64::MAX);

/// For so many seconds holds what only the inner verifier knows.
pub(super) const FRESH: i64 = 60;

impl Conclusion {
    /// About how many bytes it takes, its names at their longest.
    pub(super) fn size(&self) -> usize {
        let leaf = self
            .known
            .as_ref()
            .map_or(0, |known| known.leaf.der().len());
        size_of::<Self>() + leaf + 1024
    }
}

impl Grounds {
    pub(super) fn conclude(
        &self,
        peer: &Peer<'_>,
        generation: Option<&PinGeneration>,
        vouching: &Vouching<'_>,
    ) -> Conclusion {
        let leaf = (!peer.raw).then(|| Certificate::from_der(CertificateDer::clone(peer.leaf)));
        let key = match &leaf {
            Some(Ok(leaf)) => PeerKey::Certificate(leaf),
            Some(Err(error)) => PeerKey::Unreadable(error.to_string()),
            // RFC 7250: what comes in place of the certificate is the SubjectPublicKeyInfo.
            None => PeerKey::Raw(SpkiPin::of_spki_der(peer.leaf)),
        };
        let set = generation.and_then(|generation| pins::set_for(&generation.sets, peer));
        let ruling = set.map(|set| pins::rule(set, peer, &key, self.judge.as_ref(), vouching));
        let pins_change = ruling.as_ref().and_then(|ruling| ruling.until);
        let changes = [
            pins_change,
            self.changes.next(peer.at()),
            peer.next_change(),
        ];
        let mut until = changes.into_iter().flatten().min().unwrap_or(FOREVER);
        if vouching.was_asked() {
            until = until.min(peer.at().saturating_add(FRESH));
        }
        let mut conclusion = Conclusion {
            epoch: generation.map_or(0, |generation| generation.epoch),
            until,
            refusal: None,
            ruling,
            known: None,
            unreadable: None,
        };
        match leaf {
            Some(Ok(leaf)) => {
                let (known, until) = self.know(peer, leaf);
                conclusion.until = conclusion.until.min(until);
                conclusion.known = Some(known);
            }
            Some(Err(error)) => conclusion.unreadable = Some(error),
            None => {}
        }
        conclusion.refusal = self.refusal(peer, &conclusion);
        conclusion
    }

    fn know(&self, peer: &Peer<'_>, leaf: Certificate) -> (Known, Timestamp) {
        let judge = self.judge.as_ref();
        let assessment = assess::assess(peer, &leaf, judge, &self.policy);
        let until = assessment.until;
        #[cfg(feature = "ocsp")]
        let (staple, until) = {
            let issuers = assess::issuers(peer, &leaf, judge);
            let staple = self.staples.look(peer.staple, &leaf, &issuers, peer.at());
            // What is not good is looked at again in the next second.
            let good = |staple: &StapleOutlook| staple.good_until().unwrap_or(peer.at());
            let end = staple.as_ref().map(|staple| good(staple).saturating_add(1));
            (staple, end.map_or(until, |end| end.min(until)))
        };
        let known = Known {
            assessment,
            #[cfg(feature = "ocsp")]
            staple_refusal: self.staples.refusal(&leaf, staple.as_ref()),
            #[cfg(feature = "ocsp")]
            staple,
            leaf,
        };
        (known, until)
    }

    /// Whether the staple of this leaf refuses it.
    #[cfg(feature = "ocsp")]
    pub(super) fn refuses_staple(&self, peer: &Peer<'_>, leaf: &Certificate) -> bool {
        let issuers = assess::issuers(peer, leaf, self.judge.as_ref());
        let staple = self.staples.look(peer.staple, leaf, &issuers, peer.at());
        self.staples.refusal(leaf, staple.as_ref()).is_some()
    }

    #[cfg_attr(not(feature = "ocsp"), allow(unused_variables))]
    fn refusal(&self, peer: &Peer<'_>, conclusion: &Conclusion) -> Option<Error> {
        let ruling = conclusion.ruling.as_ref();
        let by_pins = ruling.and_then(Ruling::enforced_refusal);
        let by_pins = by_pins.map(|refusal| refuse(refusal.clone()));
        #[cfg(feature = "ocsp")]
        let by_pins = by_pins.or_else(|| self.staple_refusal(peer, conclusion));
        by_pins
    }

    #[cfg(feature = "ocsp")]
    fn staple_refusal(&self, peer: &Peer<'_>, conclusion: &Conclusion) -> Option<Error> {
        let known = conclusion.known.as_ref();
        let by_staple = known.and_then(|known| known.staple_refusal.clone());
        // No staple can speak for a raw public key, nor for what is no certificate.
        let is_none = peer.raw || conclusion.unreadable.is_some();
        let missing = is_none && self.staples.refuses_everything_without();
        let missing = missing.then_some(rustls::CertificateError::InvalidOcspResponse);
        by_staple.or(missing).map(Error::InvalidCertificate)
    }
}
