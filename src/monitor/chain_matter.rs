//! How a chain stands, by its dates and by whom it leads to, and what says so.

use std::collections::HashMap;

use crate::cert::Sha256Digest;
use crate::event::EventCode;
use crate::outlook::Refusal;
use crate::policy::{Band, ThresholdPolicy};
use crate::self_check::{ChainReport, Finding, FindingCode, ReportedCertificate};
use crate::time::Timestamp;

/// One matter of a chain, and its band.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChainMatter {
    /// [`EventCode::Broken`] for whom it leads to, [`EventCode::Expiring`] for all else.
    pub(super) topic: EventCode,
    pub(super) band: Band,
}

impl ChainMatter {
    /// Whether a finding is about that.
    pub(super) fn is_told_by(self, finding: &Finding) -> bool {
        match (self.topic, self.band) {
            (EventCode::Broken, _) => matches!(
                finding.code,
                FindingCode::UnknownIssuer | FindingCode::MissingIntermediate
            ),
            (_, Band::Broken) => true,
            (_, Band::Expired) => finding.code == FindingCode::Expired,
            (_, Band::NotYetValid) => finding.code == FindingCode::NotYetValid,
            _ => finding.code == FindingCode::Expiring,
        }
    }
}

/// Whether all that is wrong with a chain is that no anchor is found from it: an intermediate is
/// missing, or its CA is not among the anchors. Which of both cannot be told from what is presented,
/// so it is as grave.
pub(super) fn is_untrusted(chain: &ChainReport) -> bool {
    let refusal = chain.rustls.as_ref().and_then(|o| o.refusal.as_ref());
    chain.band == Band::Broken && matches!(refusal, Some(Refusal::UnknownIssuer { .. }))
}

/// The worst band of its certificates, whoever is trusted.
pub(super) fn dates_band(chain: &ChainReport, policy: &ThresholdPolicy, now: Timestamp) -> Band {
    let bands = chain
        .certificates
        .iter()
        .map(|c| policy.band(c.certificate.validity(), c.position, now));
    bands.max().unwrap_or(Band::Ok)
}

/// What was found in a source; in a collection, by certificate.
pub(super) struct OwnFindings<'f> {
    pub(super) is_collection: bool,
    by_certificate: HashMap<Option<Sha256Digest>, Vec<&'f Finding>>,
}

impl<'f> OwnFindings<'f> {
    pub(super) fn new(findings: &'f [Finding], is_collection: bool) -> Self {
        let mut by_certificate: HashMap<_, Vec<_>> = HashMap::new();
        for finding in findings {
            let certificate = finding.sha256.filter(|_| is_collection);
            by_certificate.entry(certificate).or_default().push(finding);
        }
        Self {
            is_collection,
            by_certificate,
        }
    }

    /// Whether no anchor is found from the chain of this source.
    pub(super) fn lack_anchor_of(&self, source: &str) -> bool {
        let all = self.by_certificate.values().flatten();
        let mut of_source = all.filter(|finding| finding.source.as_deref() == Some(source));
        of_source.any(|finding| finding.code == FindingCode::UnknownIssuer)
    }

    /// What speaks of this certificate; in a chain, everything.
    pub(super) fn of(&self, certificate: Sha256Digest) -> impl Iterator<Item = &'f Finding> {
        let certificate = Some(certificate).filter(|_| self.is_collection);
        let own = self.by_certificate.get(&certificate);
        own.into_iter().flatten().copied()
    }
}

pub(super) fn told(finding: &Finding) -> String {
    match finding.position {
        // Its sentence says whose issuer it is.
        Some(_) if finding.code == FindingCode::UnknownIssuer => finding.message.clone(),
        Some(position) => format!("{position} {}", finding.message),
        None => finding.message.clone(),
    }
}

/// The first of the gravest.
pub(super) fn worst<'f>(findings: impl Iterator<Item = &'f Finding>) -> Option<&'f Finding> {
    findings.reduce(|worst, finding| {
        if finding.severity > worst.severity {
            finding
        } else {
            worst
        }
    })
}

/// The certificate that the band is about: the one that ends the chain if it is in that band, else
/// the first that is, else the leaf.
pub(super) fn at_fault(
    chain: &ChainReport,
    band: Band,
    policy: &ThresholdPolicy,
    now: Timestamp,
) -> Option<ReportedCertificate> {
    let limiting = chain
        .rustls
        .as_ref()
        .and_then(|rustls| rustls.limiting.as_ref());
    let limiting = limiting.map(|limiting| ReportedCertificate {
        position: limiting.position,
        certificate: limiting.certificate.clone(),
    });
    let is_so = |reported: &ReportedCertificate| {
        policy.band(reported.certificate.validity(), reported.position, now) == band
    };
    let first = || chain.certificates.iter().find(|c| is_so(c)).cloned();
    let leaf = || chain.certificates.first().cloned();
    limiting.filter(is_so).or_else(first).or_else(leaf)
}
