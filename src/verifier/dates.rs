//! How a peer's chain stands by its dates: the accepted one's outlook, and the certificate that a
//! refusal for dates speaks of.

use super::peer::Peer;
use crate::cert::Certificate;
use crate::event::{EventCode, PeerReach, Subject};
use crate::outlook::{ChainJudge, Position, Refusal};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// How an accepted peer's chain stands, and for how long that holds.
#[derive(Debug, Clone)]
pub(super) struct DatesAssessment {
    /// The certificate in the worst band (the nearest to the leaf of several).
    pub(super) subject: Subject,
    pub(super) band: Band,
    /// How many seconds before the subject's end the band began.
    pub(super) threshold: Option<i64>,
    pub(super) reach: PeerReach,
    /// Why the anchors that were given do not lead to the chain that the inner verifier accepted.
    pub(super) led_nowhere: Option<Refusal>,
    /// The first instant at which the assessment may be another.
    pub(super) until: Timestamp,
}

impl DatesAssessment {
    /// Of a chain that the inner verifier accepted: the leaf, and all of the chain that can be read.
    pub(super) fn from_chain(
        leaf: &Certificate,
        chain: &[Certificate],
        judge: Option<&ChainJudge>,
        policy: &ThresholdPolicy,
        now: Timestamp,
    ) -> Self {
        let judged = judge.map(|judge| judge.handshake(chain, now)).transpose();
        let (outlook, refusal) = match judged {
            Ok(outlook) => (outlook, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let (path, reach, end) = match outlook {
            Some(outlook) => {
                let end = outlook.effective_not_after;
                (outlook.path, PeerReach::Until(end), end)
            }
            None => {
                let leaf_not_after = leaf.not_after();
                let reach = PeerReach::UnknownBeyondLeaf { leaf_not_after };
                (vec![leaf.clone()], reach, leaf_not_after)
            }
        };
        // A path has a leaf, so there is a worst band.
        let mut worst = (Band::Ok, Position::Leaf, leaf);
        let mut until = end.saturating_add(1);
        for (index, certificate) in path.iter().enumerate() {
            let (validity, position) = (certificate.validity(), Position::in_chain(index));
            let band = policy.band(validity, position, now);
            if index == 0 || band > worst.0 {
                worst = (band, position, certificate);
            }
            if let Some(change) = policy.next_change(validity, position, now) {
                until = until.min(change);
            }
        }
        let (band, position, certificate) = worst;
        Self {
            subject: Subject::of(certificate, position),
            band,
            threshold: policy.threshold_seconds(band, certificate.validity(), position),
            reach,
            // What is too complex to be judged says nothing about the anchors.
            led_nowhere: refusal.filter(|r| !matches!(r, Refusal::TooComplex { .. })),
            until,
        }
    }
}

/// What an inner verifier's refusal says about dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateRefusal {
    /// A certificate has expired; with its notAfter where the error told it.
    Expired(Option<Timestamp>),
    /// A certificate is not valid yet; with its notBefore where the error told it.
    NotYetValid(Option<Timestamp>),
}

/// The presented certificate that a refusal for dates speaks of.
pub(super) struct DateFault {
    pub(super) code: EventCode,
    pub(super) band: Band,
    pub(super) subject: Subject,
}

impl DateFault {
    /// `None` where no presented certificate is outside of its dates.
    pub(super) fn find(peer: &Peer<'_>, refusal: DateRefusal) -> Option<Self> {
        let now = peer.at();
        let mut presented = peer.facts().iter().enumerate();
        let (index, facts) = presented.find_map(|(index, facts)| {
            let facts = facts.as_ref().ok()?;
            let validity = facts.validity();
            let fits = match refusal {
                DateRefusal::Expired(Some(told)) => validity.not_after == told,
                DateRefusal::Expired(None) => validity.not_after < now,
                DateRefusal::NotYetValid(Some(told)) => validity.not_before == told,
                DateRefusal::NotYetValid(None) => now < validity.not_before,
            };
            fits.then_some((index, facts))
        })?;
        let (code, band) = match refusal {
            DateRefusal::Expired(_) => (EventCode::PeerExpired, Band::Expired),
            DateRefusal::NotYetValid(_) => (EventCode::PeerNotYetValid, Band::NotYetValid),
        };
        let certificate = Certificate::from_facts(*facts);
        let subject = Subject::of(&certificate, Position::in_chain(index));
        Some(Self {
            code,
            band,
            subject,
        })
    }
}
