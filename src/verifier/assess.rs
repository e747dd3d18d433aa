//! What was presented and what is known become an assessment: pure, no clock, no lock.

use pki_types::CertificateDer;

use super::peer::Peer;
use crate::cert::Certificate;
use crate::event::{EventCode, PeerReach, Subject};
use crate::outlook::{ChainJudge, Position};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// How an accepted peer's chain stands, and for how long that holds.
#[derive(Debug, Clone)]
pub(super) struct Assessment {
    /// The certificate in the worst band (the nearest to the leaf of several).
    pub(super) subject: Subject,
    pub(super) band: Band,
    /// How many seconds before the subject's end the band began.
    pub(super) threshold: Option<i64>,
    pub(super) reach: PeerReach,
    /// The first instant at which the assessment may be another.
    pub(super) until: Timestamp,
}

/// Assesses a chain that the inner verifier accepted.
pub(super) fn assess(
    peer: &Peer<'_>,
    leaf: &Certificate,
    judge: Option<&ChainJudge>,
    policy: &ThresholdPolicy,
) -> Assessment {
    let (chain, now) = (peer.chain(leaf), peer.at());
    let outlook = judge.and_then(|judge| judge.handshake(&chain, now).ok());
    let (path, reach) = match outlook {
        Some(outlook) => (outlook.path, PeerReach::Until(outlook.effective_not_after)),
        None => {
            let leaf_not_after = leaf.not_after();
            (
                vec![leaf.clone()],
                PeerReach::UnknownBeyondLeaf { leaf_not_after },
            )
        }
    };
    let mut worst: Option<(Band, Position, &Certificate)> = None;
    let mut until = match reach {
        PeerReach::Until(end) => end.saturating_add(1),
        PeerReach::UnknownBeyondLeaf { leaf_not_after } => leaf_not_after.saturating_add(1),
    };
    for (index, certificate) in path.iter().enumerate() {
        let position = Position::in_chain(index);
        let band = policy.band(certificate.validity(), position, now);
        if worst.is_none_or(|(known, ..)| band > known) {
            worst = Some((band, position, certificate));
        }
        if let Some(change) = policy.next_change(certificate.validity(), position, now) {
            until = until.min(change);
        }
    }
    // A path has a leaf, so there is a worst band.
    let (band, position, certificate) = worst.unwrap_or((Band::Ok, Position::Leaf, leaf));
    Assessment {
        subject: Subject::of(certificate, position),
        band,
        threshold: policy.threshold_seconds(band, certificate.validity(), position),
        reach,
        until,
    }
}

/// Every certificate at hand with the name of the leaf's issuer.
#[cfg(feature = "ocsp")]
pub(super) fn issuers(
    peer: &Peer<'_>,
    leaf: &Certificate,
    judge: Option<&ChainJudge>,
) -> Vec<Certificate> {
    let name = leaf.facts().issuer_der();
    let bears_it = |certificate: &Certificate| certificate.facts().subject_der() == name;
    let anchors = judge
        .into_iter()
        .flat_map(|judge| judge.anchors().certificates());
    let anchors = anchors.filter(|anchor| bears_it(anchor)).cloned();
    let presented = peer.readable_intermediates().filter(bears_it);
    presented.chain(anchors).collect()
}

/// Which presented certificate an expiry refusal speaks of.
pub(super) struct DateFault {
    pub(super) code: EventCode,
    pub(super) band: Band,
    pub(super) subject: Subject,
}

/// What the inner verifier said about dates, its twin variants made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateRefusal {
    /// A certificate has expired; with its notAfter where the error told it.
    Expired(Option<Timestamp>),
    /// A certificate is not valid yet; with its notBefore where the error told it.
    NotYetValid(Option<Timestamp>),
}

/// Finds the certificate that a refusal for its dates speaks of; `None` where no presented
/// certificate is outside of its dates.
pub(super) fn date_fault(
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    refusal: DateRefusal,
    now: Timestamp,
) -> Option<DateFault> {
    let presented = std::iter::once(leaf).chain(intermediates);
    let readable = presented
        .enumerate()
        .filter_map(|(n, der)| Some((Position::in_chain(n), Certificate::from_der(der).ok()?)));
    let fits = |certificate: &Certificate| match refusal {
        DateRefusal::Expired(Some(told)) => certificate.not_after() == told,
        DateRefusal::Expired(None) => certificate.not_after() < now,
        DateRefusal::NotYetValid(Some(told)) => certificate.not_before() == told,
        DateRefusal::NotYetValid(None) => now < certificate.not_before(),
    };
    let (position, certificate) = readable.into_iter().find(|(_, c)| fits(c))?;
    let (code, band) = match refusal {
        DateRefusal::Expired(_) => (EventCode::PeerExpired, Band::Expired),
        DateRefusal::NotYetValid(_) => (EventCode::PeerNotYetValid, Band::NotYetValid),
    };
    Some(DateFault {
        code,
        band,
        subject: Subject::of(&certificate, position),
    })
}
