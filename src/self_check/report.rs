//! What a self-check found.

use std::fmt;

use thiserror::Error;

use super::{Finding, StapleReport};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{Outlook, Position, Timeline};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// Everything that a self-check found, as data; `to_text`, `to_json`, `to_nagios` and
/// `to_openmetrics` write it down.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The instant that was asked about.
    pub at: Timestamp,
    /// The chains, in the order in which they were given.
    pub chains: Vec<ChainReport>,
    /// What a person should know, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// The thresholds that made the bands.
    pub policy: ThresholdPolicy,
}

/// One chain, or one certificate of a collection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChainReport {
    /// The file or endpoint that it came from.
    pub source: String,
    /// How it stands: the worst band of the certificates on the path that lasts longest (of all
    /// certificates where no path verifies), or broken.
    pub band: Band,
    /// The certificates as they were presented.
    pub certificates: Vec<ReportedCertificate>,
    /// Its outlook for rustls; `None` for a certificate of a collection that no outlook fits.
    pub rustls: Option<Outlook>,
    /// Its outlook for relying parties that count anchors' dates; also `None` where an anchor's
    /// dates are unknown.
    pub strict: Option<Outlook>,
    /// When it verifies, gaps included, whatever the expected names; `None` for certificates of a
    /// collection, and where webpki does not take the leaf.
    pub timeline: Option<Timeline>,
    /// Its stapled OCSP response; `None` where none is known of, or the feature `ocsp` is off.
    pub staple: Option<StapleReport>,
}

/// A presented certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedCertificate {
    /// Its position among the presented ones.
    pub position: Position,
    /// The certificate.
    pub certificate: Certificate,
}

impl ChainReport {
    /// The last second until which rustls accepts it, or, where only dates were judged, the
    /// first certificate's notAfter. `None` where it does not verify.
    pub fn ends(&self) -> Option<Timestamp> {
        match &self.rustls {
            Some(outlook) => outlook.effective_not_after,
            None => Some(self.certificates.first()?.certificate.not_after()),
        }
    }

    /// The last second until which OpenSSL accepts it, from `now` on without a gap: of several
    /// issuers it takes the first that fits and does not go back, and it refuses the very second of
    /// notAfter. `Some(None)` where it refuses it now; `None` where that cannot be foreseen (see
    /// [`Timeline::openssl`]).
    ///
    /// # Until when do curl, Python and nginx accept this chain?
    /// By default they verify with OpenSSL: ask for this end besides the others. Like the timeline,
    /// it does not look at names.
    pub fn openssl_ends(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let windows = self.timeline.as_ref()?.openssl.as_ref()?;
        let lit = windows.iter().find(|window| window.contains(now));
        Some(lit.map(|window| window.not_after))
    }
}

impl Report {
    /// The worst band of all chains; `None` where no chain could be judged: silence is not health.
    pub fn worst(&self) -> Option<Band> {
        self.chains.iter().map(|chain| chain.band).max()
    }

    /// The worst severity of all findings.
    pub fn severity(&self) -> Severity {
        let severities = self.findings.iter().map(|finding| finding.severity);
        severities.max().unwrap_or(Severity::Info)
    }

    /// The exit code of the `self_check` command, which is also a nagios state: 0 ok or due,
    /// 1 warning, 2 critical, 3 something could not be read or judged and nothing was critical.
    pub fn exit_code(&self) -> u8 {
        let blind = |finding: &&Finding| finding.code.is_blindness();
        let others = self.findings.iter().filter(|finding| !blind(finding));
        let worst_finding = others.map(|finding| finding.severity).max();
        let worst_band = self.worst().map(Severity::of_band);
        match worst_finding.max(worst_band) {
            Some(Severity::Critical) => 2,
            _ if self.findings.iter().any(|finding| blind(&finding)) || self.chains.is_empty() => 3,
            Some(Severity::Warning) => 1,
            _ => 0,
        }
    }

    /// The report itself, or an error where any finding is critical: for a service that would
    /// rather not start than serve what does not work.
    ///
    /// # Errors
    /// [`FailedSelfCheck`], which lists the critical findings and holds the report.
    pub fn into_result(self) -> Result<Self, FailedSelfCheck> {
        if self.severity() == Severity::Critical || self.chains.is_empty() {
            Err(FailedSelfCheck {
                report: Box::new(self),
            })
        } else {
            Ok(self)
        }
    }
}

/// A self-check with critical findings.
///
/// Its `Debug` is its `Display`: it is what `fn main() -> Result<(), Box<dyn Error>>` prints, and
/// somebody has to read it at 3 a.m.
#[derive(Clone, Error)]
#[non_exhaustive]
pub struct FailedSelfCheck {
    /// The whole report.
    pub report: Box<Report>,
}

impl fmt::Debug for FailedSelfCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FailedSelfCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let critical = self.report.findings.iter();
        let critical: Vec<_> = critical
            .filter(|finding| finding.severity == Severity::Critical)
            .collect();
        match critical.as_slice() {
            [] => f.write_str(
                "the self-check judged no certificate: give it a chain, a file or a folder",
            ),
            findings => {
                write!(f, "the self-check at {} found", self.report.at)?;
                findings
                    .iter()
                    .try_for_each(|finding| write!(f, "\n  {finding}"))
            }
        }
    }
}
