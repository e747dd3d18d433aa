//! Large bundles of PEM, in MB/s.

use std::hint::black_box;

use data_encoding::BASE64;
use notafter::source::{CertificateScan, Scanned, SourceContents};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::pem::Pem;

use super::chains::Chain;
use super::measure::rate_row;

const MEGABYTES: usize = 32;

pub(super) fn rows() {
    let bundle = bundle();
    let count = certificates(&bundle);
    rate_row(
        "pem_scan",
        "x509-parser",
        bundle.len(),
        || assert_eq!(certificates(black_box(&bundle)), count),
        || {
            let theirs = Pem::iter_from_buffer(black_box(&bundle)).flatten().count();
            assert_eq!(theirs, count);
        },
    );
    rate_row(
        "pem_scan_pki_types",
        "rustls-pki-types",
        bundle.len(),
        || assert_eq!(certificates(black_box(&bundle)), count),
        || {
            let theirs = CertificateDer::pem_slice_iter(black_box(&bundle));
            assert_eq!(theirs.flatten().count(), count);
        },
    );
    rate_row(
        "pem_contents",
        "rustls-pki-types",
        bundle.len(),
        || {
            let contents = SourceContents::from_bytes("bundle.pem", black_box(&bundle));
            assert_eq!(contents.certificates.len(), count);
        },
        || {
            let theirs = CertificateDer::pem_slice_iter(black_box(&bundle));
            drop(black_box(theirs.flatten().collect::<Vec<_>>()));
        },
    );
}

/// Ours also walks each certificate for its facts; the peers only decode.
fn certificates(bundle: &[u8]) -> usize {
    let scan = CertificateScan::new("bundle.pem", bundle);
    let certificates = scan.filter(|found| matches!(black_box(found), Scanned::Certificate(_)));
    certificates.count()
}

/// Certificates of different lengths, with a line of text before each.
fn bundle() -> Vec<u8> {
    let chain = Chain::mint(&[9, 10, 11, 400]);
    let mut bundle = String::new();
    while bundle.len() < MEGABYTES * 1_000_000 {
        for certificate in &chain.certificates {
            let base64 = BASE64.encode(certificate.der());
            bundle.push_str("# subject\n-----BEGIN CERTIFICATE-----\n");
            for line in base64.as_bytes().chunks(64) {
                bundle.push_str(std::str::from_utf8(line).unwrap());
                bundle.push('\n');
            }
            bundle.push_str("-----END CERTIFICATE-----\n");
        }
    }
    bundle.into_bytes()
}
