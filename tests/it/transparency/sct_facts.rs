//! What certificates and OCSP responses embed, as others read it too.

use std::collections::BTreeMap;
use std::process::Command;

use notafter::cert::{SctList, SctProblem};
use notafter::revocation::scts_of_staple;
use notafter::source::SourceContents;
use notafter::{Certificate, Loader};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use x509_parser::extensions::{CtVersion, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{embed, extension, log_id};
use crate::support::tools::{run_with, tool};
use crate::support::{corpora, limbo, pki};

pub fn incident_leaf() -> Certificate {
    let pem = include_bytes!("../../data/incidents/dst-root-x3-2021/certs/leaf.pem");
    SourceContents::from_bytes("leaf.pem", pem).certificates[0]
        .certificate
        .clone()
}

/// Log ids and milliseconds, in hexadecimal and decimal.
fn written(list: &SctList) -> Vec<(String, u64)> {
    let scts = list.scts.iter();
    scts.map(|sct| (sct.log_id.to_string(), sct.timestamp_ms))
        .collect()
}

/// Real leaves, with what pyca-cryptography 48 reads of them.
#[test]
fn log_ids_and_timestamps_are_those_that_pyca_reads() {
    let list = incident_leaf().embedded_scts().unwrap();
    let expected = [
        (
            "4494652eb0eeceafc44007d8a8fe28c0dae682bed8cb31b53fd33396b5b681a8",
            1_632_843_988_765,
        ),
        (
            "f65c942fd1773022145418083094568ee34d131933bfdf0c2f200bcc4ef164e3",
            1_632_843_988_740,
        ),
    ];
    assert_eq!(written(&list), expected.map(|(id, ms)| (id.to_owned(), ms)));
    assert!(list.scts.iter().all(|sct| sct.signature_scheme == 0x0403));
    assert!(list.scts.iter().all(|sct| sct.extensions.is_empty()));
    assert_eq!((list.unknown_versions, list.damaged.len()), (0, 0));
    assert!(!incident_leaf().is_precertificate());
}

/// What OpenSSL prints of a certificate's SCTs: `Log ID : AB:CD:..` in two lines, and
/// `Timestamp : Sep 28 15:46:28.765 2021 GMT`.
fn by_openssl(openssl: &std::path::Path, pem: &str) -> Vec<(String, u64)> {
    let mut command = Command::new(openssl);
    let (is_read, text) = run_with(command.args(["x509", "-noout", "-text"]), pem);
    assert!(is_read, "{text}");
    let mut scts = Vec::new();
    for entry in text.split("Signed Certificate Timestamp:").skip(1) {
        let (_, rest) = entry.split_once("Log ID    : ").unwrap();
        let (id, rest) = rest.split_once("Timestamp : ").unwrap();
        let hex = id.chars().filter(char::is_ascii_hexdigit);
        let hex: String = hex.map(|digit| digit.to_ascii_lowercase()).collect();
        let words: Vec<_> = rest.lines().next().unwrap().split_whitespace().collect();
        let [month, day, time, year, "GMT"] = words.as_slice() else {
            panic!("{rest}")
        };
        let (time, milliseconds) = time.split_once('.').unwrap();
        let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let month = months.find(month).unwrap() / 3 + 1;
        let instant = format!("{year}-{month:02}-{day:0>2}T{time}Z");
        let seconds: notafter::Timestamp = instant.parse().unwrap();
        let seconds = u64::try_from(seconds.as_unix_seconds()).unwrap();
        scts.push((hex, seconds * 1_000 + milliseconds.parse::<u64>().unwrap()));
    }
    scts
}

#[test]
fn openssl_prints_the_same_logs_and_milliseconds() {
    let Some(openssl) = tool("openssl") else {
        return;
    };
    let mut leaves = vec![incident_leaf()];
    if let Some(folder) = corpora::folder("chains") {
        let cases = limbo::load(&folder.join("online-history-dev.json.gz"));
        let chains = cases.into_iter().filter_map(|case| case.chain);
        leaves.extend(chains.step_by(4).map(|mut chain| chain.swap_remove(0)));
    }
    for leaf in &leaves {
        let ours = written(&leaf.embedded_scts().unwrap());
        assert!(ours.len() >= 2);
        let pem = pki::pem("CERTIFICATE", leaf.der());
        assert_eq!(ours, by_openssl(&openssl, &pem), "{}", leaf.short_name());
    }
    println!("{} leaves", leaves.len());
}

/// Every certificate of others: as many as pyca counted, and what x509-parser reads.
#[test]
fn every_certificate_of_the_corpora_embeds_what_others_read() {
    let Some(folder) = corpora::folder("parser") else {
        return;
    };
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for path in corpora::files_below(&folder) {
        if path.file_name().unwrap() == "manifest.json" {
            let manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let entries = manifest.as_object().unwrap().values();
            for entry in entries.flat_map(|entries| entries.as_array().unwrap()) {
                if let Some(count) = entry["sct_count"].as_u64() {
                    let sha256 = entry["der_sha256"].as_str().unwrap();
                    counted.insert(sha256.to_owned(), count);
                }
            }
        }
    }
    let (mut embedding, mut poisoned, mut refused) = (0, 0, 0);
    for path in corpora::files_below(&folder) {
        for found in Loader::new().load_file(&path).certificates {
            let certificate = found.certificate;
            poisoned += usize::from(certificate.is_precertificate());
            let ours = certificate.embedded_scts();
            refused += usize::from(ours.is_err());
            let name = path.display();
            let by_pyca = counted.get(&certificate.fingerprint().to_string());
            if let (Ok(ours), Some(count)) = (&ours, by_pyca) {
                assert_eq!(u64::try_from(ours.scts.len()).unwrap(), *count, "{name}");
            }
            let Ok((_, parsed)) = X509Certificate::from_der(certificate.der()) else {
                continue;
            };
            for extension in parsed.extensions() {
                let ParsedExtension::SCT(theirs) = extension.parsed_extension() else {
                    continue;
                };
                let theirs: Vec<_> = theirs
                    .iter()
                    // It reads those of other versions as if they were of the first.
                    .filter(|sct| sct.version == CtVersion::V1)
                    .map(|sct| (base16(sct.id.key_id), sct.timestamp))
                    .collect();
                let ours = ours.as_ref().unwrap();
                assert_eq!(written(ours), theirs, "{name}");
                embedding += 1;
            }
        }
    }
    println!("{embedding} embed SCTs, {poisoned} are precertificates, {refused} hold no list");
    assert!(embedding >= 50 && counted.len() >= 50 && poisoned >= 1);
}

fn base16(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A real response of SwissSign, with what pyca-cryptography reads of it.
#[test]
fn an_ocsp_response_delivers_scts_for_its_serial_alone() {
    let Some(folder) = corpora::folder("ocsp") else {
        return;
    };
    let response = folder.join("cryptography-vectors/resp-sct-extension.der");
    let response = std::fs::read(response).unwrap();
    let serial = "23bf9a6c2bf9a2f0db5ecb4143caab63ad3871d3";
    let leaf_of = |serial: &[u8]| {
        let leaf = pki::root("Root", -10, 10).leaf_with(&["a.example"], -10, 10, |params| {
            params.serial_number = Some(serial.to_vec().into());
        });
        leaf.certificate()
    };
    let bytes: Vec<_> = (0..serial.len() / 2)
        .map(|n| u8::from_str_radix(&serial[2 * n..2 * n + 2], 16).unwrap())
        .collect();
    let list = scts_of_staple(&response, &leaf_of(&bytes));
    let expected = [
        (
            "4494652eb0eeceafc44007d8a8fe28c0dae682bed8cb31b53fd33396b5b681a8",
            1_573_833_093_992,
        ),
        (
            "6f5376ac31f03119d89900a45115ff77151c11d902c10029068db2089a37d913",
            1_573_833_093_997,
        ),
        (
            "bbd9dfbc1f8a71b593942397aa927b473857950aab52e81a909664368e1ed185",
            1_573_833_094_247,
        ),
        (
            "ee4bbdb775ce60bae142691fabe19e66a30f7e5fb072d88300c47b897aa8fdcb",
            1_573_833_093_853,
        ),
    ];
    assert_eq!(written(&list), expected.map(|(id, ms)| (id.to_owned(), ms)));
    assert_eq!(
        scts_of_staple(&response, &leaf_of(&[1])),
        SctList::default()
    );
    assert_eq!(
        scts_of_staple(&response[1..], &leaf_of(&bytes)),
        SctList::default()
    );
}

#[test]
fn a_damaged_extension_loses_nothing_else_of_the_certificate() {
    let root = pki::root("Root", -10, 10);
    let cases: [(Vec<u8>, usize, SctProblem); 2] = [
        (vec![4, 2, 0, 0], 4, SctProblem::Empty),
        (vec![4, 3, 0, 9, 0], 2, SctProblem::Truncated),
    ];
    for (value, offset, problem) in cases {
        let leaf = root.leaf_with(&["a.example"], -10, 10, |params| {
            params.custom_extensions.push(extension(2, value));
        });
        let leaf = leaf.certificate();
        let error = leaf.embedded_scts().unwrap_err();
        assert_eq!((error.offset, error.problem), (offset, problem));
        assert_eq!(leaf.short_name(), "a.example");
    }
    let none = root.leaf(&["a.example"], -10, 10);
    assert_eq!(none.certificate().embedded_scts(), Ok(SctList::default()));
    // As long as its length can say: 1,260 SCTs of 52 bytes.
    let many: Vec<_> = (0..1_260_u64).map(|n| (n.to_be_bytes()[7], n)).collect();
    let leaf = root.leaf_with(&["a.example"], -10, 10, |params| embed(params, &many));
    let der: CertificateDer<'_> = leaf.der.clone();
    let list = Certificate::from_der(der).unwrap().embedded_scts().unwrap();
    assert_eq!((list.scts.len(), list.scts[7].log_id), (1_260, log_id(7)));
}
