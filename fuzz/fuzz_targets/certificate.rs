#![no_main]
//! Are our facts those that webpki and x509-parser read, and is nothing refused that webpki accepts?

use libfuzzer_sys::fuzz_target;
use notafter::cert::{CertificateFacts, DerProblem};
use notafter::{Certificate, Timestamp};
use notafter_fuzz::{NOW, algorithms, assert_printable, element, unix};
use rustls::pki_types::CertificateDer;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer as _, X509Certificate};

fuzz_target!(|data: &[u8]| {
    let facts = CertificateFacts::parse(data);
    let der = CertificateDer::from(data);
    if let Ok(facts) = &facts {
        everything_can_be_said(data);
        as_x509_parser_reads(data, facts);
    }
    if let Ok(leaf) = EndEntityCert::try_from(&der) {
        // webpki reads dates only when it verifies.
        let verified = leaf.verify_for_usage(
            algorithms(),
            &[],
            &[],
            unix(NOW),
            KeyUsage::server_auth(),
            None,
            None,
        );
        match (verified.err(), &facts) {
            (
                Some(
                    webpki::Error::BadDer
                    | webpki::Error::BadDerTime
                    | webpki::Error::TrailingData(_),
                ),
                _,
            ) => {}
            // Dates that refuse a certificate end its reading: what stands behind them is not looked at.
            (
                Some(
                    webpki::Error::CertExpired { .. }
                    | webpki::Error::CertNotValidYet { .. }
                    | webpki::Error::InvalidCertValidity,
                ),
                Err(error),
            ) if matches!(error.problem, DerProblem::TrailingBytes { .. }) => {}
            (_, facts) => {
                let facts = facts.as_ref().expect("webpki reads it");
                let spki = leaf.subject_public_key_info();
                assert_eq!(facts.spki_der(), spki.as_ref());
            }
        }
    }
    if let (Ok(anchor), Ok(facts)) = (anchor_from_trusted_cert(&der), &facts) {
        assert_eq!(facts.subject_der(), anchor.subject.as_ref());
        assert_eq!(
            facts.spki_der(),
            element(0x30, &anchor.subject_public_key_info)
        );
    }
});

fn everything_can_be_said(der: &[u8]) {
    let certificate = Certificate::from_der(der).expect("facts were read");
    for text in [
        certificate.subject(),
        certificate.issuer(),
        certificate.short_name(),
        certificate.issuer_short_name(),
        certificate.serial_hex(),
        format!("{certificate:?}"),
        certificate.ari_cert_id().unwrap_or_default(),
    ] {
        assert_printable(&text);
    }
    assert!(certificate.short_name().chars().count() <= 128);
    let _ = (
        certificate.is_ca(),
        certificate.facts().must_staple(),
        certificate.facts().subject_key_id(),
    );
    match certificate.next_root_key() {
        Ok(next) => assert_printable(&next.map_or_else(String::new, |next| next.to_string())),
        Err(error) => assert_printable(&error.to_string()),
    }
    match certificate.embedded_scts() {
        Ok(list) => list
            .damaged
            .iter()
            .for_each(|error| assert_printable(&error.to_string())),
        Err(error) => assert_printable(&error.to_string()),
    }
    let _ = certificate.is_precertificate();
    if let Err(error) = certificate.details() {
        assert_printable(&error.to_string());
    }
}

/// Where both read a list, and each extension is there once, they read the same.
fn as_x509_parser_reads_scts(facts: &CertificateFacts<'_>, parsed: &X509Certificate<'_>) {
    let lists =
        parsed
            .extensions()
            .iter()
            .filter_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SCT(list) => Some(list),
                _ => None,
            });
    let lists: Vec<_> = lists.collect();
    let (Ok(ours), [theirs]) = (facts.embedded_scts(), lists.as_slice()) else {
        return;
    };
    let same_count = ours.scts.len() + ours.unknown_versions + ours.damaged.len() == theirs.len();
    if ours.unknown_versions == 0 && ours.damaged.is_empty() && same_count {
        for (ours, theirs) in ours.scts.iter().zip(theirs.iter()) {
            assert_eq!(
                ours.log_id.as_bytes().as_slice(),
                theirs.id.key_id.as_slice()
            );
            assert_eq!(ours.timestamp_ms, theirs.timestamp);
        }
    }
}

fn as_x509_parser_reads(der: &[u8], facts: &CertificateFacts<'_>) {
    let Ok((rest, parsed)) = X509Certificate::from_der(der) else {
        return;
    };
    if !rest.is_empty() {
        return;
    }
    let time = |seconds| Timestamp::from_unix_seconds(seconds);
    let validity = parsed.validity();
    assert_eq!(
        facts.validity().not_before,
        time(validity.not_before.timestamp())
    );
    assert_eq!(
        facts.validity().not_after,
        time(validity.not_after.timestamp())
    );
    assert_eq!(facts.serial(), parsed.raw_serial());
    as_x509_parser_reads_scts(facts, &parsed);
    // It stops where the key's BIT STRING ends, and leaves out what stands behind.
    assert!(facts.spki_der().starts_with(parsed.public_key().raw));
}
