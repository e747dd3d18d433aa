//! What a self-check found.

use std::cmp::Reverse;
use std::fmt;

use thiserror::Error;

use super::chain_report::ChainReport;
use super::finding::Finding;
use super::forecast::{self, CorrelatedExpiry, FirstFailure};
use super::gauge::ReportedGauge;
use super::standing::Standing;
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

    /// The findings, the gravest first and what does not work now before what is near its end, else
    /// in the order in which they were found.
    pub(super) fn findings_by_severity(&self) -> Vec<&Finding> {
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| Reverse((finding.severity, finding.is_failure())));
        findings
    }

    /// The exit code of the `self_check` command, which is also a nagios state: 0 ok or due,
    /// 1 warning, 2 critical, 3 something could not be read or judged and nothing was critical.
    pub fn exit_code(&self) -> u8 {
        self.exit_code_from(Severity::Warning)
    }

    /// The exit code where nothing below this severity counts: 0 then.
    pub fn exit_code_from(&self, least: Severity) -> u8 {
        self.exit_code_by(Bar::Least(least))
    }

    /// The exit code where only what does not work now counts ([`Finding::is_failure`]): 2, or 3 where all
    /// that is wrong is that something could not be read or judged. It is 0 where
    /// [`Report::into_result`] is `Ok`.
    pub fn exit_code_of_failures(&self) -> u8 {
        self.exit_code_by(Bar::Failure)
    }

    fn exit_code_by(&self, bar: Bar) -> u8 {
        let mut standing = Standing::default();
        let findings = self.findings.iter();
        findings
            .filter(|finding| bar.is_met_by(finding))
            .for_each(|finding| standing.add_finding(finding));
        let bands = self.chains.iter().map(|chain| chain.band);
        bands
            .filter(|band| bar.is_met_by_band(*band))
            .for_each(|band| standing.add_band(band));
        if self.chains.is_empty() {
            standing.add_blindness();
        }
        standing.exit_code()
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

    /// The report itself, or an error where something does not work *now*: expired, not yet valid,
    /// not verifying, a key that belongs to another certificate, anything that could not be read or
    /// judged, or nothing judged at all. What is merely near its end is in the report, and stops
    /// nothing: a restart must not turn a certificate that still works into an outage.
    ///
    /// # Errors
    /// [`SelfCheckFailedError`], which lists what does not work and holds the report.
    ///
    /// # What stops the start, and what is only told?
    /// [`Finding::is_failure`] says it of each finding; [`Report::into_result_from`] is stricter.
    pub fn into_result(self) -> Result<Self, SelfCheckFailedError> {
        self.into_result_by(Bar::Failure)
    }

    /// The report itself, or an error where any finding is of this severity or a graver one, or
    /// nothing was judged at all.
    ///
    /// # How do I fail a deployment whose certificate is about to end?
    /// A pipeline, other than a service that starts, may well stop at what is near its end.
    /// ```
    /// # fn gate(report: notafter::Report) -> Result<(), notafter::self_check::SelfCheckFailedError> {
    /// use notafter::Severity;
    /// report.into_result_from(Severity::Warning)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SelfCheckFailedError`], which lists those findings and holds the report.
    pub fn into_result_from(self, least: Severity) -> Result<Self, SelfCheckFailedError> {
        self.into_result_by(Bar::Least(least))
    }

    fn into_result_by(self, bar: Bar) -> Result<Self, SelfCheckFailedError> {
        if self.chains.is_empty() || self.findings.iter().any(|f| bar.is_met_by(f)) {
            Err(SelfCheckFailedError {
                report: Box::new(self),
                bar,
            })
        } else {
            Ok(self)
        }
    }
}

/// What makes a report a failure.
#[derive(Debug, Clone, Copy)]
enum Bar {
    /// What does not work now.
    Failure,
    /// This severity, or a graver one.
    Least(Severity),
}

impl Bar {
    fn is_met_by(self, finding: &Finding) -> bool {
        match self {
            Self::Failure => finding.is_failure(),
            Self::Least(least) => finding.severity >= least,
        }
    }

    fn is_met_by_band(self, band: Band) -> bool {
        match self {
            Self::Failure => matches!(band, Band::NotYetValid | Band::Expired | Band::Broken),
            Self::Least(least) => Severity::of_band(band) >= least,
        }
    }
}

/// A self-check that found what it must not find, by [`Report::into_result`] or
/// [`Report::into_result_from`].
///
/// Its `Debug` is its `Display`: it is what `fn main() -> Result<(), Box<dyn Error>>` prints, and
/// somebody has to read it at 3 a.m.
#[derive(Clone, Error)]
#[non_exhaustive]
pub struct SelfCheckFailedError {
    /// The whole report.
    pub report: Box<Report>,
    bar: Bar,
}

impl fmt::Debug for SelfCheckFailedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SelfCheckFailedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.report.findings.iter();
        let failures: Vec<_> = findings
            .filter(|finding| self.bar.is_met_by(finding))
            .collect();
        match failures.as_slice() {
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
