//! Every file of the parser corpus: no panic, and the facts that other parsers read.

use std::collections::BTreeMap;

use notafter::cert::{CertificateFacts, KeyType};
use notafter::source::SourceContents;
use notafter::{Certificate, Loader, Timestamp};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::support::corpora;

/// DER of every certificate block that rustls-pki-types finds, well-formed or not.
fn blocks(bytes: &[u8]) -> Vec<Vec<u8>> {
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes).filter_map(Result::ok);
    let found: Vec<_> = sections
        .filter(|(kind, _)| *kind == SectionKind::Certificate)
        .map(|(_, der)| der)
        .collect();
    if found.is_empty() && bytes.first() == Some(&0x30) {
        return vec![bytes.to_vec()];
    }
    found
}

#[test]
fn every_file_is_read_and_what_rustls_finds_we_find() {
    let Some(folder) = corpora::folder("parser") else {
        return;
    };
    let (mut files, mut certificates, mut failures) = (0, 0, 0);
    let mut by_alternative_name = 0;
    for path in corpora::files_below(&folder) {
        let bytes = std::fs::read(&path).unwrap();
        let contents = Loader::new().load_file(&path);
        let name = path.display();
        let ours: Vec<_> = contents
            .certificates
            .iter()
            .map(|f| f.certificate.der().to_vec())
            .collect();
        for der in blocks(&bytes) {
            let readable = CertificateFacts::parse(&der).is_ok();
            assert_eq!(ours.contains(&der), readable, "{name}");
        }
        for found in &contents.certificates {
            // Nothing of a certificate may panic, whatever its extensions hold.
            let certificate = &found.certificate;
            let _ = (
                certificate.subject(),
                certificate.issuer(),
                certificate.short_name(),
            );
            let _ = (certificate.ari_cert_id(), certificate.is_ca());
            let details = certificate.details().ok();
            let first = details.and_then(|details| details.subject_alt_names.first());
            if let Some(first) = first.filter(|_| !certificate.subject().contains("CN=")) {
                let first: String = first.chars().take(100).collect();
                assert!(certificate.short_name().starts_with(&first), "{name}");
                by_alternative_name += 1;
            }
        }
        files += 1;
        certificates += contents.certificates.len();
        failures += contents.failures.len();
    }
    println!("{files} files, {certificates} certificates, {failures} failures told");
    assert!(certificates >= 1_399);
    println!("{by_alternative_name} are called by their alternative name");
    assert!(by_alternative_name >= 10);
}

#[test]
fn nothing_that_webpki_accepts_is_refused() {
    let Some(folder) = corpora::folder("parser") else {
        return;
    };
    let provider = rustls::crypto::ring::default_provider();
    let mut accepted = 0;
    for path in corpora::files_below(&folder) {
        for der in blocks(&std::fs::read(&path).unwrap()) {
            let der = CertificateDer::from(der);
            let Ok(leaf) = EndEntityCert::try_from(&der) else {
                continue;
            };
            // webpki reads dates only when it verifies.
            let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_767_225_600));
            let algorithms = provider.signature_verification_algorithms.all;
            let outcome = leaf.verify_for_usage(
                algorithms,
                &[],
                &[],
                now,
                KeyUsage::server_auth(),
                None,
                None,
            );
            let unreadable = matches!(
                outcome.err(),
                Some(
                    webpki::Error::BadDer
                        | webpki::Error::BadDerTime
                        | webpki::Error::TrailingData(_)
                )
            );
            if !unreadable {
                let facts = CertificateFacts::parse(&der);
                assert!(facts.is_ok(), "{}: {}", path.display(), facts.unwrap_err());
                accepted += 1;
            }
        }
    }
    println!("webpki reads {accepted} certificates, and so do we");
    assert!(accepted >= 1_225);
}

/// What x509-parser says of the facts that our own walk finds.
fn facts_of_x509_parser(parsed: &X509Certificate<'_>) -> BTreeMap<&'static str, String> {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let time = |seconds| Timestamp::from_unix_seconds(seconds).to_string();
    let mut facts = BTreeMap::from([
        ("not_before", time(parsed.validity().not_before.timestamp())),
        ("not_after", time(parsed.validity().not_after.timestamp())),
        ("serial", hex(parsed.raw_serial())),
        ("subject", parsed.subject().to_string()),
        ("issuer", parsed.issuer().to_string()),
        ("subject_der", hex(parsed.subject().as_raw())),
        ("issuer_der", hex(parsed.issuer().as_raw())),
        ("spki", hex(parsed.public_key().raw)),
        ("is_ca", parsed.is_ca().to_string()),
    ]);
    let mut lines = Vec::new();
    for extension in parsed.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(aki) => {
                let id = aki.key_identifier.as_ref();
                facts
                    .entry("aki")
                    .or_insert_with(|| id.map(|id| hex(id.0)).unwrap_or_default());
            }
            ParsedExtension::SubjectKeyIdentifier(ski) => {
                facts.entry("ski").or_insert_with(|| hex(ski.0));
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                let named = names.general_names.iter().filter_map(name_text);
                lines.extend(named);
            }
            _ => {}
        }
    }
    // Ours are by kind.
    let kind = |line: &String| {
        ["dns", "ip", "uri", "email"]
            .iter()
            .position(|k| line.starts_with(k))
    };
    lines.sort_by_key(kind);
    facts.insert("names", lines.concat());
    facts
}

/// A line for a name of a kind that we list.
fn name_text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(format!("dns {name}\n")),
        GeneralName::URI(name) => Some(format!("uri {name}\n")),
        GeneralName::RFC822Name(name) => Some(format!("email {name}\n")),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(std::net::IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*octets).map(std::net::IpAddr::from);
            Some(format!("ip {}\n", v4.or(v6).ok()?))
        }
        _ => None,
    }
}

fn our_facts(certificate: &Certificate) -> BTreeMap<&'static str, String> {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let facts = certificate.facts();
    let mut ours = BTreeMap::from([
        ("not_before", certificate.not_before().to_string()),
        ("not_after", certificate.not_after().to_string()),
        ("serial", certificate.serial_hex()),
        ("subject", certificate.subject()),
        ("issuer", certificate.issuer()),
        ("subject_der", hex(&sequence(facts.subject_der()))),
        ("issuer_der", hex(&sequence(facts.issuer_der()))),
        ("spki", hex(facts.spki_der())),
        ("is_ca", certificate.is_ca().to_string()),
    ]);
    if let Some(aki) = facts.authority_key_id() {
        ours.insert("aki", hex(aki));
    }
    if let Some(ski) = facts.subject_key_id() {
        ours.insert("ski", hex(ski));
    }
    let names = certificate.subject_alt_names();
    let mut lines: Vec<_> = names
        .dns
        .iter()
        .map(|name| format!("dns {name}\n"))
        .collect();
    lines.extend(names.ip.iter().map(|name| format!("ip {name}\n")));
    lines.extend(names.uri.iter().map(|name| format!("uri {name}\n")));
    lines.extend(names.email.iter().map(|name| format!("email {name}\n")));
    ours.insert("names", lines.concat());
    ours
}

/// Content with the header of a SEQUENCE before it.
fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = match length {
        0..=0x7f => vec![0x30, u8::try_from(length).unwrap()],
        0x80..=0xff => vec![0x30, 0x81, u8::try_from(length).unwrap()],
        _ => vec![
            0x30,
            0x82,
            u8::try_from(length >> 8).unwrap(),
            u8::try_from(length & 0xff).unwrap(),
        ],
    };
    der.extend(content);
    der
}

/// Why we may differ from x509-parser in one fact; `None` is a bug.
fn reason(fact: &str, ours: &str, theirs: &str) -> Option<&'static str> {
    let is_name = matches!(fact, "subject" | "issuer");
    let dotted = theirs
        .replace("OID(2.5.4.97)", "organizationIdentifier")
        .replace("OID(2.5.4.65)", "pseudonym")
        .replace("OID(", "")
        .replace(")=", "=");
    if fact.ends_with("_der") {
        // 31 00: a SET OF without members.
        return (ours.contains("3100") && !theirs.contains("3100"))
            .then_some("x509-parser leaves an empty relative name out of a name's raw bytes");
    }
    if fact == "is_ca" {
        return (ours == "true")
            .then_some("x509-parser ignores basicConstraints whose path length is over 32 bits");
    }
    if !is_name {
        return None;
    }
    if theirs.starts_with("<X509Error") {
        return Some("x509-parser gives a name up for one string that is not UTF-8");
    }
    if ours == dotted {
        return Some("more short forms; other OIDs are dotted numbers (RFC 4514, 2.3)");
    }
    if ours
        .strip_prefix(theirs)
        .is_some_and(|rest| rest.starts_with(", "))
    {
        return Some("x509-parser reads no further than an empty relative name");
    }
    if ours.contains("\\u{") && theirs.chars().any(char::is_control) {
        return Some("control characters are escaped");
    }
    let utf32: String = ours
        .rsplit('=')
        .next()?
        .chars()
        .map(|c| format!("{:08x}", u32::from(c)))
        .collect();
    if !utf32.is_empty() && theirs.ends_with(&utf32) {
        return Some("x509-parser does not decode UniversalString");
    }
    let plain = |text: &str| text.to_lowercase().replace('#', "");
    if ours.contains('#')
        && plain(ours).contains(&plain(theirs).rsplit('=').next().unwrap().to_owned())
    {
        return Some("values without a string form are '#' and hexadecimal (RFC 4514, 2.4)");
    }
    None
}

/// Certificates that x509-parser accepts and we refuse, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "boringssl-parse/parse_certificate_unittest/bad_validity.pem",
        TIME,
    ),
    (
        "boringssl-parse/parse_certificate_unittest/v1_explicit_version.pem",
        TIME,
    ),
    ("cryptography-vectors/custom/invalid_version.pem", VERSION),
    (
        "pkilint/integration_certificate/tls_br/root_ca/validity_period_no_seconds.crttest",
        TIME,
    ),
    ("zlint/certVersion4NoExtensions.pem", VERSION),
    ("zlint/commonNameInSAN.pem", TIME),
    ("zlint/generalizedNoSeconds.pem", TIME),
    ("zlint/generalizedTimeNoSeconds.pem", TIME),
    ("zlint/utcNoSeconds.pem", TIME),
    ("zlint/utcNotZulu.pem", TIME),
];
const TIME: &str =
    "a time without seconds or not in Zulu is no DER (RFC 5280, 4.1.2.5); webpki refuses it too";
const VERSION: &str = "there is no version above 3 (RFC 5280, 4.1.2.1); webpki refuses it too";

#[test]
fn our_facts_equal_those_of_x509_parser() {
    let Some(folder) = corpora::folder("parser") else {
        return;
    };
    let (mut compared, mut reasons, mut unexplained) = (0, BTreeMap::new(), Vec::new());
    let mut refused = Vec::new();
    for path in corpora::files_below(&folder) {
        let file = path.strip_prefix(&folder).unwrap().display().to_string();
        for der in blocks(&std::fs::read(&path).unwrap()) {
            let Ok((rest, parsed)) = X509Certificate::from_der(&der) else {
                continue;
            };
            if !rest.is_empty() {
                continue;
            }
            let ours = match Certificate::from_der(der.as_slice()) {
                Ok(certificate) => our_facts(&certificate),
                Err(error) => {
                    refused.push((file.clone(), error.to_string()));
                    continue;
                }
            };
            for (fact, theirs) in facts_of_x509_parser(&parsed) {
                let ours = ours.get(fact).map(String::as_str).unwrap_or_default();
                if ours != theirs {
                    match reason(fact, ours, &theirs) {
                        Some(reason) => *reasons.entry(reason).or_insert(0) += 1,
                        None => unexplained.push((file.clone(), fact, ours.to_owned(), theirs)),
                    }
                }
            }
            compared += 1;
        }
    }
    println!("{compared} certificates compared with x509-parser; differences: {reasons:#?}");
    assert!(compared >= 1_399);
    assert!(
        unexplained.is_empty(),
        "unexplained differences: {unexplained:#?}"
    );
    let unlisted: Vec<_> = refused
        .iter()
        .filter(|(file, _)| !REFUSED.iter().any(|(f, _)| f == file))
        .collect();
    assert!(unlisted.is_empty(), "unlisted refusals: {unlisted:#?}");
    for (file, _) in REFUSED {
        assert!(
            refused.iter().any(|(f, _)| f == file),
            "{file} is listed for nothing"
        );
    }
}

#[test]
fn dates_and_serials_equal_those_of_pyca_cryptography() {
    let Some(folder) = corpora::folder("parser") else {
        return;
    };
    let mut compared = 0;
    for path in corpora::files_below(&folder) {
        if path.file_name().unwrap() != "manifest.json" {
            continue;
        }
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (name, entries) in manifest.as_object().unwrap() {
            let file = path.parent().unwrap().join(name);
            let certificates: BTreeMap<_, _> = Loader::new()
                .load_file(&file)
                .certificates
                .into_iter()
                .map(|found| {
                    (
                        found.certificate.fingerprint().to_string(),
                        found.certificate,
                    )
                })
                .collect();
            for entry in entries.as_array().unwrap() {
                let sha256 = entry["der_sha256"].as_str().unwrap_or_default();
                let (Some(certificate), Some("ok")) =
                    (certificates.get(sha256), entry["pyca"].as_str())
                else {
                    continue;
                };
                let seconds = |key: &str| entry[key].as_i64();
                assert_eq!(
                    seconds("not_before"),
                    Some(certificate.not_before().as_unix_seconds()),
                    "{name}"
                );
                assert_eq!(
                    seconds("not_after"),
                    Some(certificate.not_after().as_unix_seconds()),
                    "{name}"
                );
                let serial = certificate.serial_hex();
                let theirs = entry["serial_hex"].as_str().unwrap_or_default();
                if !theirs.starts_with('-') {
                    let plain = |hex: &str| {
                        hex.trim_start_matches("0x")
                            .trim_start_matches('0')
                            .to_owned()
                    };
                    assert_eq!(plain(theirs), plain(&serial), "{name}");
                }
                compared += 1;
            }
        }
    }
    println!("{compared} certificates compared with pyca-cryptography");
    assert!(compared >= 1_381);
}

#[test]
fn truncation_at_every_byte_and_every_flipped_byte_is_survived() {
    let pem = std::fs::read(corpora::data("incidents/dst-root-x3-2021/certs/leaf.pem")).unwrap();
    let contents = SourceContents::from_bytes("leaf.pem", &pem);
    let certificate = &contents.certificates[0].certificate;
    let der = certificate.der().to_vec();
    for length in 0..der.len() {
        assert!(
            Certificate::from_der(&der[..length]).is_err(),
            "{length} bytes"
        );
    }
    for position in 0..der.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = der.clone();
            damaged[position] ^= flip;
            if let Ok(certificate) = Certificate::from_der(damaged) {
                let _ = (
                    certificate.subject(),
                    certificate.details().is_ok(),
                    certificate.ari_cert_id(),
                );
            }
        }
    }
    for length in 0..pem.len() {
        let contents = SourceContents::from_bytes("leaf.pem", &pem[..length]);
        let whole = contents.certificates.len() == 1;
        assert!(whole != contents.certificates.is_empty());
        assert!(
            whole || !contents.failures.is_empty(),
            "{length} bytes of PEM say nothing"
        );
    }
    assert_eq!(certificate.details().unwrap().key_type, KeyType::Rsa);
}
