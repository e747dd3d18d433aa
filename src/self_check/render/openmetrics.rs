//! OpenMetrics text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::gauge_table::help;
use super::super::standing::{counted, readable};
use super::super::{ChainReport, Report, ReportedCertificate};
use super::labels::labels;
use super::series_text;
use crate::outlook::Outlook;
use crate::time::Timestamp;

pub(super) fn render(report: &Report) -> String {
    let mut not_after = Family::new("x509_cert_not_after");
    let mut not_before = Family::new("x509_cert_not_before");
    let mut effective = Family::new("notafter_effective_not_after");
    let mut verifies = Family::new("notafter_chain_verifies");
    for chain in &report.chains {
        for certificate in &chain.certificates {
            let labels = certificate_labels(chain, certificate);
            not_after.add(&labels, seconds(certificate.certificate.not_after()));
            not_before.add(&labels, seconds(certificate.certificate.not_before()));
        }
        for (relying_party, outlook) in [("rustls", &chain.rustls), ("strict", &chain.strict)] {
            let Some(outlook) = outlook else { continue };
            let labels = chain_labels(chain, relying_party);
            verifies.add(&labels, i64::from(outlook.verifies()));
            effective.add(&labels, effective_end(outlook));
        }
    }
    let mut found = Family::new("notafter_findings");
    for (kind, count) in counted(&report.findings) {
        let labels = labels(&[
            ("source", kind.source),
            ("code", kind.code),
            ("severity", kind.severity),
        ]);
        found.add(&labels, i64::from(count));
    }
    let mut read = Family::new("notafter_source_readable");
    for (source, is_readable) in readable(&report.chains, &report.findings) {
        read.add(&labels(&[("source", source)]), i64::from(is_readable));
    }
    let mut worst = Family::new("notafter_worst");
    worst.add("", i64::from(report.exit_code()));
    let mut evaluated = Family::new("notafter_last_evaluated_timestamp_seconds");
    evaluated.add("", seconds(report.at));
    let families = [
        not_after, not_before, effective, verifies, found, read, worst, evaluated,
    ];
    let mut text: String = families.iter().map(Family::render).collect();
    let names: Vec<_> = families.iter().map(|family| family.name).collect();
    text.push_str(&series_text::render(report, &names));
    text.push_str("# EOF\n");
    text
}

/// A chain that does not verify has no effective notAfter: 0, the year 1970, so that a rule which
/// compares it with the time fires rather than finds nothing.
fn effective_end(outlook: &Outlook) -> i64 {
    outlook.effective_not_after.map_or(0, seconds)
}

const fn seconds(t: Timestamp) -> i64 {
    t.as_unix_seconds()
}

struct Family {
    name: &'static str,
    help: &'static str,
    /// By labels: the same certificate twice in one source is one time series.
    samples: BTreeMap<String, i64>,
}

impl Family {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            help: help(name),
            samples: BTreeMap::new(),
        }
    }

    fn add(&mut self, labels: &str, value: i64) {
        self.samples.insert(labels.to_owned(), value);
    }

    fn render(&self) -> String {
        let (name, help) = (self.name, self.help);
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in &self.samples {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{name}{labels} {value}");
        }
        text
    }
}

fn certificate_labels(chain: &ChainReport, reported: &ReportedCertificate) -> String {
    let certificate = &reported.certificate;
    labels(&[
        ("source", &chain.source),
        ("position", &reported.position.to_string()),
        ("subject", &certificate.subject()),
        ("issuer", &certificate.issuer()),
        ("serial", &certificate.serial_hex()),
        ("sha256", &certificate.fingerprint().to_string()),
    ])
}

fn chain_labels(chain: &ChainReport, relying_party: &str) -> String {
    // Several certificates of one collection share a source: the first certificate tells them apart.
    let first = chain.certificates.first();
    let sha256 = first.map(|c| c.certificate.fingerprint().to_string());
    labels(&[
        ("source", &chain.source),
        ("relying_party", relying_party),
        ("sha256", &sha256.unwrap_or_default()),
    ])
}
