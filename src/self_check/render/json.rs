//! The JSON document. Its shape is a contract: only add.

use serde::Serialize;

use super::super::{ChainReport, Finding, Report, ReportedCertificate};
use crate::outlook::{LimitingCertificate, Outlook};

pub(super) fn render(report: &Report) -> String {
    let document = Document {
        at: report.at.to_string(),
        worst: report.worst().map(crate::policy::Band::as_str),
        chains: report.chains.iter().map(Chain::of).collect(),
        findings: report.findings.iter().map(FindingView::of).collect(),
    };
    // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

#[derive(Serialize)]
struct Document<'r> {
    at: String,
    worst: Option<&'static str>,
    chains: Vec<Chain<'r>>,
    findings: Vec<FindingView<'r>>,
}

#[derive(Serialize)]
struct Chain<'r> {
    source: &'r str,
    band: &'static str,
    certificates: Vec<CertificateView>,
    rustls: Option<OutlookView>,
    strict: Option<OutlookView>,
}

impl<'r> Chain<'r> {
    fn of(chain: &'r ChainReport) -> Self {
        Self {
            source: &chain.source,
            band: chain.band.as_str(),
            certificates: chain.certificates.iter().map(CertificateView::of).collect(),
            rustls: chain.rustls.as_ref().map(OutlookView::of),
            strict: chain.strict.as_ref().map(OutlookView::of),
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
}

impl LimitingView {
    fn of(limiting: &LimitingCertificate) -> Self {
        Self {
            position: limiting.position.to_string(),
            sha256: limiting.sha256().to_string(),
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
