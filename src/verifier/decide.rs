//! What was presented and what is known become an assessment: pure, no clock, no lock.

use pki_types::CertificateDer;

use crate::cert::{Certificate, CertificateFacts, CertificateParseError, Timestamp};
use crate::event::{EventCode, PeerReach, Subject};
use crate::outlook::{ChainJudge, Position};
use crate::pin::{PinError, SpkiPin};
use crate::policy::{Band, ThresholdPolicy};

/// How an accepted peer's chain stands, and for how long that holds.
#[derive(Debug, Clone)]
pub(super) struct Assessment {
    /// The certificate in the worst band (the nearest to the leaf of several).
    pub(super) subject: Subject,
    pub(super) band: Band,
    /// How many seconds before the subject's end the band began.
    pub(super) threshold: Option<i64>,
    pub(super) reach: PeerReach,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<crate::revocation::StapleOutlook>,
    /// The first instant at which the assessment may be another.
    pub(super) until: Timestamp,
}

/// The peer's key as pins see it.
pub(super) fn leaf_pin(
    leaf: &CertificateDer<'_>,
    raw: bool,
) -> Result<SpkiPin, CertificateParseError> {
    if raw {
        // RFC 7250: what comes in place of the certificate is the SubjectPublicKeyInfo.
        return Ok(SpkiPin::of_spki_der(leaf));
    }
    CertificateFacts::parse(leaf).map(|facts| SpkiPin::of_spki_der(facts.spki_der()))
}

/// Refuses a key that is none of the pinned ones; no pins at all pin nothing.
pub(super) fn check_pins(
    pins: &[SpkiPin],
    presented: Result<SpkiPin, CertificateParseError>,
    host: Option<&str>,
) -> Result<(), PinError> {
    if pins.is_empty() {
        return Ok(());
    }
    let host = host.map(str::to_owned);
    match presented {
        Ok(presented) if pins.contains(&presented) => Ok(()),
        Ok(presented) => Err(PinError::Mismatch {
            host,
            presented,
            expected: pins.to_vec(),
        }),
        Err(error) => Err(PinError::Unreadable {
            host,
            reason: error.to_string(),
        }),
    }
}

/// Assesses a chain that the inner verifier accepted.
pub(super) fn assess(
    leaf: &Certificate,
    intermediates: &[CertificateDer<'_>],
    judge: Option<&ChainJudge>,
    policy: &ThresholdPolicy,
    now: Timestamp,
) -> Assessment {
    // What our walk cannot read, webpki does not accept as an intermediate either.
    let intermediates = intermediates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok());
    let chain: Vec<_> = std::iter::once(leaf.clone()).chain(intermediates).collect();
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
        #[cfg(feature = "ocsp")]
        staple: None,
        until,
    }
}

/// Every certificate at hand with the name of the leaf's issuer.
#[cfg(feature = "ocsp")]
pub(super) fn issuers(
    leaf: &Certificate,
    intermediates: &[CertificateDer<'_>],
    judge: Option<&ChainJudge>,
) -> Vec<Certificate> {
    let name = leaf.facts().issuer_der();
    let bears_it = |certificate: &Certificate| certificate.facts().subject_der() == name;
    let presented = intermediates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok());
    let anchors = judge
        .into_iter()
        .flat_map(|judge| judge.anchors().certificates());
    let anchors = anchors.filter(|anchor| bears_it(anchor)).cloned();
    presented.filter(bears_it).chain(anchors).collect()
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
