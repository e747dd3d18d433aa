//! A report as the CCADB writes it, of roots minted here.

use notafter::testing::TestCa;
use notafter::{Certificate, SelfCheck, Severity, Timestamp, TrustAnchors};
use notafter_recipes::distrust_dates::with_mozillas_dates;

/// The columns of IncludedCACertificateReportPEMCSV in November 2026.
const COLUMNS: [&str; 33] = [
    "Owner",
    "Certificate Issuer Organization",
    "Certificate Issuer Organizational Unit",
    "Common Name or Certificate Name",
    "Certificate Serial Number",
    "SHA-256 Fingerprint",
    "Subject + SPKI SHA256",
    "Valid From [GMT]",
    "Valid To [GMT]",
    "Public Key Algorithm",
    "Signature Hash Algorithm",
    "Trust Bits",
    "Distrust for TLS After Date",
    "Distrust for S/MIME After Date",
    "EV Policy OID(s)",
    "Approval Bug",
    "NSS Release When First Included",
    "Firefox Release When First Included",
    "Test Website - Valid",
    "Test Website - Expired",
    "Test Website - Revoked",
    "Mozilla Applied Constraints",
    "Company Website",
    "Geographic Focus",
    "Certificate Policy (CP)",
    "Certification Practice Statement (CPS)",
    "Standard Audit",
    "BR Audit",
    "EV Audit",
    "Auditor",
    "Standard Audit Type",
    "Standard Audit Statement Dt",
    "PEM Info",
];

/// A row of which only what the recipe looks at says anything.
fn row(root: &TestCa, distrust: &str) -> String {
    let fingerprint = certificate(root).fingerprint().to_string();
    let pem = "'-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----'";
    let cells = COLUMNS.map(|column| match column {
        "SHA-256 Fingerprint" => format!("\"{}\"", fingerprint.to_uppercase()),
        "Distrust for TLS After Date" => format!("\"{distrust}\""),
        "Trust Bits" => "\"Websites;Email\"".to_owned(),
        "PEM Info" => format!("\"{pem}\""),
        _ => "\"Some, or none\"".to_owned(),
    });
    cells.join(",")
}

fn certificate(root: &TestCa) -> Certificate {
    root.anchors().certificates().next().unwrap().clone()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_leaf_that_mozilla_does_not_take_any_more_is_told() {
    let (from, to) = (at("2020-01-01T00:00:00Z"), at("2040-01-01T00:00:00Z"));
    let trusted = TestCa::root("Trusted", from, to).unwrap();
    let ending = TestCa::root("Ending", from, to).unwrap();
    let header = COLUMNS.map(|column| format!("\"{column}\"")).join(",");
    let rows = [row(&trusted, ""), row(&ending, "2024.11.30")];
    let report = format!("{header}\n{}\n", rows.join("\n"));
    let roots = [&trusted, &ending].map(|root| certificate(root).der().clone());
    let anchors = TrustAnchors::builder().with_certificates(&roots).build();
    let anchors = with_mozillas_dates(&anchors, report.as_bytes()).unwrap();
    // The last second of the day counts still.
    let (last, first) = (at("2024-11-30T23:59:59Z"), at("2024-12-01T00:00:00Z"));
    let late = ("issued_after_distrust", Severity::Warning);
    let cases = [
        (&trusted, first, None),
        (&ending, last, Some(("distrust_ahead", Severity::Info))),
        (&ending, first, Some(late)),
    ];
    for (root, issued, expected) in cases {
        let until = issued.saturating_add(90 * 86_400);
        let leaf = root.leaf(&["a.example"], issued, until).unwrap();
        let report = SelfCheck::builder()
            .with_chain("leaf", leaf.chain())
            .with_trust_anchors(anchors.clone())
            .with_provider(rustls::crypto::ring::default_provider().into())
            .at(issued.saturating_add(86_400))
            .build()
            .unwrap()
            .run();
        let found = report
            .findings
            .iter()
            .map(|f| (f.code.as_str(), f.severity));
        assert_eq!(found.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
    let torn = report.rsplit_once(",").unwrap().0;
    assert!(with_mozillas_dates(&anchors, torn.as_bytes()).is_err());
}
