//! Until when Mozilla trusts what a root issues, from the CCADB's report, which `ccadb-csv` reads.

use std::io::Read;

use ccadb_csv::mozilla_included_roots::read_csv;
use notafter::cert::Sha256Digest;
use notafter::{Timestamp, TrustAnchors};

use crate::BoxError;

/// These anchors' certificates again, with the dates of `report`: what
/// `https://ccadb.my.salesforce-sites.com/mozilla/IncludedCACertificateReportPEMCSV` gives, fetched by you.
///
/// A date is a day; its last second is taken. A row that cannot be read is an error: better no dates than half of
/// them.
pub fn with_mozillas_dates(
    anchors: &TrustAnchors,
    report: impl Read,
) -> Result<TrustAnchors, BoxError> {
    let mut dates = Vec::new();
    for row in read_csv(report) {
        let root = row?;
        let day = root.distrust_for_tls_after_date.replace('.', "-");
        if !day.is_empty() {
            let fingerprint: Sha256Digest = root.sha256_fingerprint.parse()?;
            let until: Timestamp = format!("{day}T23:59:59Z").parse()?;
            dates.push((fingerprint, until));
        }
    }
    let certificates = anchors.certificates();
    Ok(TrustAnchors::builder()
        .with_certificates(certificates.map(notafter::Certificate::der))
        .with_distrust_after(dates)
        .build())
}
