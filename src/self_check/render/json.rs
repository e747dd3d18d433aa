//! The JSON document. Its shape is a contract: only add.

use serde::Serialize;

use super::super::forecast::DEFAULT_WINDOW_SECONDS;
use super::super::{
    ChainReport, CorrelatedExpiry, Finding, FirstFailure, Report, ReportedCertificate, StapleReport,
};
use crate::outlook::{
    LimitingCause, LimitingCertificate, Outlook, RelyingTimeline, Timeline, VerifyingPath,
};
use crate::text::visible_json;
use crate::time::Validity;
use crate::transparency::SctVerdict;

pub(super) fn render(report: &Report) -> String {
    let document = ReportDocument {
        at: report.at.to_string(),
        worst: report.worst().map(crate::policy::Band::as_str),
        severity: report.severity().as_str(),
        chains: report.chains.iter().map(ChainView::of).collect(),
        findings: report.findings.iter().map(FindingView::of).collect(),
        first_failure: report.first_failure().map(FailureView::of),
        correlated_expiry: (report.correlated_expiry(DEFAULT_WINDOW_SECONDS).iter())
            .map(CorrelatedView::of)
            .collect(),
    };
    // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
    visible_json(&serde_json::to_string_pretty(&document).unwrap_or_default())
}

#[derive(Serialize)]
struct ReportDocument<'r> {
    at: String,
    worst: Option<&'static str>,
    severity: &'static str,
    chains: Vec<ChainView<'r>>,
    findings: Vec<FindingView<'r>>,
    first_failure: Option<FailureView>,
    correlated_expiry: Vec<CorrelatedView>,
}

#[derive(Serialize)]
struct ChainView<'r> {
    source: &'r str,
    also_in: &'r [String],
    band: &'static str,
    certificates: Vec<CertificateView>,
    rustls: Option<OutlookView>,
    strict: Option<OutlookView>,
    timeline: Option<TimelineView>,
    staple: Option<StapleView>,
    /// Only where there is a list of logs to judge by.
    #[serde(skip_serializing_if = "Option::is_none")]
    scts: Option<SctsView<'r>>,
}

impl<'r> ChainView<'r> {
    fn of(chain: &'r ChainReport) -> Self {
        Self {
            source: &chain.source,
            also_in: &chain.also_in,
            band: chain.band.as_str(),
            certificates: chain.certificates.iter().map(CertificateView::of).collect(),
            rustls: chain.rustls.as_ref().map(OutlookView::of),
            strict: chain.strict.as_ref().map(OutlookView::of),
            timeline: chain.timeline.as_ref().map(TimelineView::of),
            staple: chain.staple.as_ref().map(StapleView::of),
            scts: chain.scts.as_ref().map(SctsView::of),
        }
    }
}

#[derive(Serialize)]
struct CertificateView {
    position: String,
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    sha256: String,
    spki_sha256: String,
    /// Only where a root states one (RFC 8649).
    #[serde(skip_serializing_if = "Option::is_none")]
    next_root_key: Option<String>,
}

impl CertificateView {
    fn of(reported: &ReportedCertificate) -> Self {
        let certificate = &reported.certificate;
        Self {
            position: reported.position.to_string(),
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
            sha256: certificate.fingerprint().to_string(),
            spki_sha256: certificate.spki_sha256().to_base64(),
            next_root_key: (certificate.next_root_key().ok().flatten()).map(|n| n.to_string()),
        }
    }
}

#[derive(Serialize)]
struct OutlookView {
    verifies: bool,
    effective_not_after: Option<String>,
    limiting: Option<LimitingView>,
    next_cliff: Option<String>,
    paths: usize,
    complete: bool,
    error: Option<String>,
}

impl OutlookView {
    fn of(outlook: &Outlook) -> Self {
        Self {
            verifies: outlook.verifies(),
            effective_not_after: outlook.effective_not_after.map(|t| t.to_string()),
            limiting: outlook.limiting.as_ref().map(LimitingView::of),
            next_cliff: outlook.next_cliff.map(|t| t.to_string()),
            paths: outlook.paths,
            complete: outlook.complete,
            error: outlook.refusal.as_ref().map(ToString::to_string),
        }
    }
}

#[derive(Serialize)]
struct LimitingView {
    position: String,
    sha256: String,
    /// Only where a revocation list ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    crl_next_update: Option<String>,
}

impl LimitingView {
    fn of(limiting: &LimitingCertificate) -> Self {
        Self {
            position: limiting.position.to_string(),
            sha256: limiting.sha256().to_string(),
            crl_next_update: match limiting.cause {
                LimitingCause::NotAfter => None,
                LimitingCause::RevocationList { next_update } => Some(next_update.to_string()),
            },
        }
    }
}

#[derive(Serialize)]
struct FindingView<'r> {
    severity: &'static str,
    code: &'static str,
    source: Option<&'r str>,
    position: Option<String>,
    message: &'r str,
}

impl<'r> FindingView<'r> {
    fn of(finding: &'r Finding) -> Self {
        Self {
            severity: finding.severity.as_str(),
            code: finding.code.as_str(),
            source: finding.source.as_deref(),
            position: finding.position.map(|position| position.to_string()),
            message: &finding.message,
        }
    }
}

#[derive(Serialize)]
struct StapleView {
    code: &'static str,
    good_until: Option<String>,
    this_update: Option<String>,
    next_update: Option<String>,
    must_staple: bool,
    message: String,
}

impl StapleView {
    fn of(staple: &StapleReport) -> Self {
        Self {
            code: staple.code,
            good_until: staple.good_until.map(|t| t.to_string()),
            this_update: staple.this_update.map(|t| t.to_string()),
            next_update: staple.next_update.map(|t| t.to_string()),
            must_staple: staple.must_staple,
            message: staple.message.clone(),
        }
    }
}

#[derive(Serialize)]
struct SctsView<'r> {
    status: &'static str,
    counted: usize,
    needed: usize,
    current: usize,
    operators: &'r [String],
    needed_operators: usize,
    not_counted: Vec<NotCountedView<'r>>,
    met_until: Option<String>,
}

#[derive(Serialize)]
struct NotCountedView<'r> {
    log: &'r str,
    log_id: String,
    timestamp: String,
    reason: String,
}

impl<'r> SctsView<'r> {
    fn of(verdict: &'r SctVerdict) -> Self {
        let not_counted = verdict.not_counted.iter().map(|sct| NotCountedView {
            log: &sct.log,
            log_id: sct.log_id.to_base64(),
            timestamp: sct.timestamp.to_string(),
            reason: sct.reason.to_string(),
        });
        Self {
            status: verdict.status.as_str(),
            counted: verdict.counted,
            needed: verdict.needed,
            current: verdict.current,
            operators: &verdict.operators,
            needed_operators: verdict.needed_operators,
            not_counted: not_counted.collect(),
            met_until: verdict.met_until.map(|t| t.to_string()),
        }
    }
}

#[derive(Serialize)]
struct TimelineView {
    complete: bool,
    rustls: RelyingView,
    strict: Option<RelyingView>,
    openssl: Option<Vec<WindowView>>,
}

#[derive(Serialize)]
struct WindowView {
    first: String,
    last: String,
}

impl WindowView {
    fn of(window: &Validity) -> Self {
        Self {
            first: window.not_before.to_string(),
            last: window.not_after.to_string(),
        }
    }
}

impl TimelineView {
    fn of(timeline: &Timeline) -> Self {
        Self {
            complete: timeline.complete,
            rustls: RelyingView::of(&timeline.rustls),
            strict: timeline.strict.as_ref().map(RelyingView::of),
            openssl: (timeline.openssl.as_ref())
                .map(|windows| windows.iter().map(WindowView::of).collect()),
        }
    }
}

#[derive(Serialize)]
struct RelyingView {
    intervals: Vec<IntervalView>,
    paths: Vec<PathView>,
}

impl RelyingView {
    fn of(timeline: &RelyingTimeline) -> Self {
        let intervals = timeline.intervals.iter().map(|interval| IntervalView {
            first: interval.first.to_string(),
            last: interval.last.to_string(),
            paths: interval.paths.clone(),
        });
        Self {
            intervals: intervals.collect(),
            paths: timeline.paths.iter().map(PathView::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct IntervalView {
    first: String,
    last: String,
    paths: Vec<usize>,
}

#[derive(Serialize)]
struct PathView {
    certificates: Vec<LimitingView>,
    anchor: String,
    anchor_spki_sha256: String,
    first: String,
    last: String,
}

impl PathView {
    fn of(path: &VerifyingPath) -> Self {
        Self {
            certificates: path.certificates.iter().map(LimitingView::of).collect(),
            anchor: path.anchor.subject.clone(),
            anchor_spki_sha256: path.anchor.spki_sha256.to_base64(),
            first: path.window.not_before.to_string(),
            last: path.window.not_after.to_string(),
        }
    }
}

#[derive(Serialize)]
struct FailureView {
    at: String,
    source: String,
    position: Option<String>,
    message: String,
}

impl FailureView {
    fn of(failure: FirstFailure) -> Self {
        Self {
            at: failure.at.to_string(),
            source: failure.source,
            position: failure.position.map(|position| position.to_string()),
            message: failure.message,
        }
    }
}

#[derive(Serialize)]
struct CorrelatedView {
    first: String,
    last: String,
    certificates: Vec<ExpiringView>,
}

#[derive(Serialize)]
struct ExpiringView {
    source: String,
    position: String,
    sha256: String,
    not_after: String,
}

impl CorrelatedView {
    fn of(group: &CorrelatedExpiry) -> Self {
        let certificates = group.certificates.iter().map(|certificate| ExpiringView {
            source: certificate.source.clone(),
            position: certificate.position.to_string(),
            sha256: certificate.sha256.to_string(),
            not_after: certificate.not_after.to_string(),
        });
        Self {
            first: group.first.to_string(),
            last: group.last.to_string(),
            certificates: certificates.collect(),
        }
    }
}
