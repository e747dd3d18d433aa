//! What a self-check found.

use std::fmt;

use thiserror::Error;

use super::chain_report::ChainReport;
use super::finding::Finding;
use super::forecast::{self, CorrelatedExpiry, FirstFailure};
use super::gauge::ReportedGauge;
use crate::event::Severity;
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// Everything that a self-check found, as data; `to_text`, `to_json`, `to_nagios` and
/// `to_openmetrics` write it down, `to_svg` and `to_timeline` draw it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The instant that was asked about.
    pub at: Timestamp,
    /// The chains, in the order in which they were given.
    pub chains: Vec<ChainReport>,
    /// What a person should know, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// Numbers of what is no chain: pins, revocation lists, reloads.
    pub gauges: Vec<ReportedGauge>,
    /// The thresholds that made the bands.
    pub policy: ThresholdPolicy,
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

    /// The first instant at which the worst band becomes expired, with its cause: the first
    /// second at which one of the chains no longer verifies for rustls (for a certificate of a
    /// collection, the second after its end), or its leaf must staple and has no good staple.
    /// [`Report::at`] where that is so already; `None` where nothing was judged, or all that was
    /// has no end (9999-12-31T23:59:59Z, RFC 5280, 4.1.2.5).
    ///
    /// # Would this process start and be accepted at another time?
    /// Run the check with that instant in [`SelfCheckBuilder::at`](super::SelfCheckBuilder::at);
    /// until the first failure the answer does not change for the worse.
    pub fn first_failure(&self) -> Option<FirstFailure> {
        forecast::first_failure(&self.chains, self.at)
    }

    /// Groups of two or more distinct certificates whose ends lie within so many seconds of each
    /// other (86,400 is a good value): each group as large as it can be, none sharing a member.
    pub fn correlated_expiry(&self, window_seconds: i64) -> Vec<CorrelatedExpiry> {
        forecast::correlated_expiry(&self.chains, window_seconds)
    }

    /// The report itself, or an error where any finding is critical: for a service that would
    /// rather not start than serve what does not work.
    ///
    /// # Errors
    /// [`SelfCheckFailedError`], which lists the critical findings and holds the report.
    pub fn into_result(self) -> Result<Self, SelfCheckFailedError> {
        if self.severity() == Severity::Critical || self.chains.is_empty() {
            Err(SelfCheckFailedError {
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
pub struct SelfCheckFailedError {
    /// The whole report.
    pub report: Box<Report>,
}

impl fmt::Debug for SelfCheckFailedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SelfCheckFailedError {
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
