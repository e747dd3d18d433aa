//! What one certificate says.

use std::hint::black_box;

use notafter::cert::CertificateFacts;
use webpki::EndEntityCert;
use x509_cert::der::Decode as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::chains::Chain;
use super::measure::row;

pub(super) fn rows() {
    let chain = Chain::mint(&[400]);
    let leaf = chain.certificates.first().unwrap().der();
    row(
        "facts",
        "x509-parser",
        || {
            black_box(CertificateFacts::parse(black_box(leaf)).unwrap());
        },
        || {
            black_box(X509Certificate::from_der(black_box(leaf)).unwrap());
        },
    );
    row(
        "facts_x509_cert",
        "x509-cert",
        || {
            black_box(CertificateFacts::parse(black_box(leaf)).unwrap());
        },
        || {
            black_box(x509_cert::Certificate::from_der(black_box(leaf)).unwrap());
        },
    );
    row(
        "facts_webpki",
        "webpki's parse, which reads no dates",
        || {
            black_box(CertificateFacts::parse(black_box(leaf)).unwrap());
        },
        || {
            black_box(EndEntityCert::try_from(black_box(leaf)).unwrap());
        },
    );
}
