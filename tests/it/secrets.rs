//! No byte of a private key in anything that can be printed: every Debug and Display, every event,
//! error and report that keys, good and damaged ones, can give rise to. (A panic message would fail the
//! test, for any panic does.)

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use data_encoding::{BASE64, HEXLOWER};
use notafter::announce::{AnnouncementKey, PinFloor};
use notafter::cert::CertificateFacts;
use notafter::pin::{Pin, PinState};
use notafter::source::{CertificateScan, Containers, Passphrase, SourceContents};
use notafter::{
    Certificate, Event, Loader, Monitor, ReloadingKey, SelfCheck, SpkiPin, Target, TrustAnchors,
};
use rcgen::KeyPair;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;

use crate::support::pki::{self, NOW};
use crate::support::tls::{FixedTime, Recorder, providers, ring};

/// So many bytes of a key in a row, in any form, are a leak.
const WINDOW: usize = 8;

/// One private key in one encoding.
struct Secret {
    kind: &'static str,
    /// The label of its PEM.
    label: &'static str,
    der: Vec<u8>,
    /// The numbers in it that nobody may learn.
    private: Vec<Vec<u8>>,
    /// Its PKCS#8 form, to make a certificate with.
    pkcs8: Vec<u8>,
}

/// The elements of a DER SEQUENCE.
fn elements(der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (_, content, _) = element(der);
    let (mut rest, mut found) = (content, Vec::new());
    while !rest.is_empty() {
        let (tag, content, after) = element(rest);
        found.push((tag, content.to_vec()));
        rest = after;
    }
    found
}

fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, header) = match der[1] {
        short @ ..=0x7f => (usize::from(short), 2),
        0x81 => (usize::from(der[2]), 3),
        _ => (usize::from(u16::from_be_bytes([der[2], der[3]])), 4),
    };
    let (content, after) = der[header..].split_at(length);
    (der[0], content, after)
}

/// What PKCS#8 wraps (RFC 5958, 2).
fn inner(pkcs8: &[u8]) -> Vec<u8> {
    elements(pkcs8)[2].1.clone()
}

fn secrets() -> Vec<Secret> {
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let rsa = key.as_der().unwrap().as_ref().to_vec();
    // RFC 8017, A.1.2: version, modulus, publicExponent, and then what is private.
    let pkcs1 = inner(&rsa);
    let numbers = elements(&pkcs1).into_iter().skip(3);
    let rsa_private: Vec<_> = numbers.map(|(_, number)| number).collect();
    let mut secrets = vec![
        (
            "RSA in PKCS#1",
            "RSA PRIVATE KEY",
            pkcs1,
            rsa_private.clone(),
            rsa.clone(),
        ),
        (
            "RSA in PKCS#8",
            "PRIVATE KEY",
            rsa.clone(),
            rsa_private,
            rsa,
        ),
    ];
    for (kind, sec1, algorithm) in [
        (
            "P-256 in PKCS#8",
            "P-256 in SEC1",
            &rcgen::PKCS_ECDSA_P256_SHA256,
        ),
        (
            "P-384 in PKCS#8",
            "P-384 in SEC1",
            &rcgen::PKCS_ECDSA_P384_SHA384,
        ),
    ] {
        let pkcs8 = KeyPair::generate_for(algorithm).unwrap().serialize_der();
        // RFC 5915, 3: the second element is the private key.
        let private = vec![elements(&inner(&pkcs8))[1].1.clone()];
        secrets.push((
            sec1,
            "EC PRIVATE KEY",
            inner(&pkcs8),
            private.clone(),
            pkcs8.clone(),
        ));
        secrets.push((kind, "PRIVATE KEY", pkcs8.clone(), private, pkcs8));
    }
    let pkcs8 = KeyPair::generate_for(&rcgen::PKCS_ED25519)
        .unwrap()
        .serialize_der();
    let private = vec![element(&inner(&pkcs8)).1.to_vec()];
    secrets.push((
        "Ed25519 in PKCS#8",
        "PRIVATE KEY",
        pkcs8.clone(),
        private,
        pkcs8,
    ));
    let secrets = secrets.into_iter();
    let secrets = secrets.map(|(kind, label, der, private, pkcs8)| {
        assert!(private.iter().all(|number| number.len() >= 32), "{kind}");
        Secret {
            kind,
            label,
            der,
            private,
            pkcs8,
        }
    });
    secrets.collect()
}

/// All windows of the private numbers, as they are and in base64, to be looked for in texts.
struct Needles {
    bytes: Windows,
    base64: Windows,
}

/// Numbers that windows are read as; most others are told apart by a glance at their last bits.
struct Windows {
    known: HashSet<u128>,
    last_bits: Vec<bool>,
}

impl Windows {
    fn of(known: HashSet<u128>) -> Self {
        let mut last_bits = vec![false; 1 << 16];
        known
            .iter()
            .for_each(|window| last_bits[Self::glance(*window)] = true);
        Self { known, last_bits }
    }

    fn glance(window: u128) -> usize {
        usize::try_from(window & 0xffff).unwrap()
    }

    /// Whether so many digits of so many bits in a row are one of the windows; whatever is no digit ends
    /// a row.
    fn are_in(&self, digits: impl Iterator<Item = Option<u8>>, count: u32, bits: u32) -> bool {
        let (mut window, mut length) = (0_u128, 0);
        let mask = (1_u128 << (count * bits)) - 1;
        digits.into_iter().any(|digit| {
            let Some(digit) = digit else {
                length = 0;
                return false;
            };
            window = ((window << bits) | u128::from(digit)) & mask;
            length += 1;
            length >= count && self.last_bits[Self::glance(window)] && self.known.contains(&window)
        })
    }
}

fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

impl Needles {
    fn of(private: &[Vec<u8>]) -> Self {
        let number = |digits: &[u8], bits: u32| {
            digits.iter().fold(0_u128, |number, digit| {
                (number << bits) | u128::from(*digit)
            })
        };
        let (mut bytes, mut base64) = (HashSet::new(), HashSet::new());
        for secret in private {
            bytes.extend(secret.windows(WINDOW).map(|window| number(window, 8)));
            for shift in 0..3 {
                let text = BASE64.encode(&secret[shift..]);
                let digits: Vec<_> = text.bytes().filter_map(base64_digit).collect();
                base64.extend(digits.windows(11).map(|window| number(window, 6)));
            }
        }
        Self {
            bytes: Windows::of(bytes),
            base64: Windows::of(base64),
        }
    }

    /// In which form something of a key stands in this text.
    fn found_in(&self, text: &str) -> Option<&'static str> {
        // What breaks lines, and what stands between bytes in hexadecimal, breaks nothing here.
        let text = text.replace("\\n", "").replace("\\r", "");
        let unbroken = || text.bytes().filter(|byte| !byte.is_ascii_whitespace());
        let hexadecimal = text.replace("0x", "").replace("\\x", "");
        let hexadecimal = hexadecimal.bytes();
        let hexadecimal =
            hexadecimal.filter(|byte| !byte.is_ascii_whitespace() && !b",:".contains(byte));
        let hexadecimal = hexadecimal.map(|byte| {
            char::from(byte)
                .to_digit(16)
                .map(|digit| u8::try_from(digit).unwrap())
        });
        let numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|number| !number.is_empty());
        if self.bytes.are_in(text.bytes().map(Some), 8, 8) {
            Some("as it is")
        } else if self.bytes.are_in(hexadecimal, 16, 4) {
            Some("in hexadecimal")
        } else if self
            .bytes
            .are_in(numbers.map(|number| number.parse().ok()), 8, 8)
        {
            Some("as a list of numbers")
        } else if self.base64.are_in(unbroken().map(base64_digit), 11, 6) {
            Some("in base64")
        } else {
            None
        }
    }
}

/// Everything that was printed, and where.
#[derive(Default)]
struct Printed(Vec<(&'static str, String)>);

impl Printed {
    fn debug(&mut self, place: &'static str, value: &dyn Debug) {
        self.0.push((place, format!("{value:?}")));
        self.0.push((place, format!("{value:#?}")));
    }

    fn text(&mut self, place: &'static str, text: impl Into<String>) {
        self.0.push((place, text.into()));
    }

    fn result<T: Debug, E: std::error::Error>(
        &mut self,
        place: &'static str,
        result: &Result<T, E>,
    ) {
        self.debug(place, result);
        let mut source: Option<&dyn std::error::Error> = match result {
            Ok(_) => None,
            Err(error) => Some(error),
        };
        while let Some(error) = source {
            self.text(place, error.to_string());
            source = error.source();
        }
    }

    fn events(&mut self, place: &'static str, events: &[Event]) {
        for event in events {
            self.debug(place, event);
            self.text(place, event.to_string());
            self.text(place, event.to_json());
        }
    }
}

/// The key's files: whole ones, and what hasty hands and broken disks make of them.
fn files(secret: &Secret) -> Vec<Vec<u8>> {
    let Secret { der, label, .. } = secret;
    let pem = pki::pem(label, der);
    let container = container(&secret.pkcs8);
    let mut damaged = container.clone();
    let place = container.len() / 2;
    damaged.remove(place);
    let mut files = vec![der.clone(), pem.clone().into_bytes(), container, damaged];
    for label in [
        "CERTIFICATE",
        "PUBLIC KEY",
        "PRIVATE KEY",
        "X509 CRL",
        "KEY",
        "",
    ] {
        files.push(pki::pem(label, der).into_bytes());
    }
    let lines: Vec<_> = pem.lines().collect();
    let begin = lines[0];
    for broken in [
        pem.replace('\n', "\r\n"),
        pem.replace('\n', ""),
        pem.replace('\n', " "),
        pem.replacen('\n', "", 1),
        pem.replacen("-----\n", "", 1),
        pem.replacen("-----BEGIN", "-----BEGIN CERTIFICATE-----\n-----BEGIN", 1),
        lines[1..].join("\n"),
        lines[..lines.len() - 1].join("\n"),
        format!("-----BEGIN {}-----", lines[1..lines.len() - 1].concat()),
        format!("-----BEGIN {}\n", lines[1..lines.len() - 1].concat()),
        format!("{begin}\n-----END {}-----\n", lines[1]),
        format!("{begin}\n{}*{}", lines[1], lines[2..].join("\n")),
        format!("-----BEGIN CERTIFICATE-----\n{}", lines[1..].join("\n")),
        pem.replace("-----END", "-----END OTHER"),
        format!("{}{pem}", pki::pem("CERTIFICATE", b"no certificate")),
    ] {
        files.push(broken.into_bytes());
    }
    for part in 1..8 {
        files.push(pem.as_bytes()[..pem.len() * part / 8].to_vec());
        let cut = &der[..der.len() * part / 8];
        files.push(cut.to_vec());
        files.push(pki::pem(label, cut).into_bytes());
        files.push(pki::pem("CERTIFICATE", cut).into_bytes());
        let mut damaged = der.clone();
        let place = der.len() * part / 8;
        damaged[place] ^= 0x55;
        files.push(pki::pem(label, &damaged).into_bytes());
        files.push(damaged);
    }
    files
}

/// PKCS#12 (RFC 7292) without encryption, and with nothing but the key.
fn container(pkcs8: &[u8]) -> Vec<u8> {
    const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    const KEY_BAG: &[u8] = &[
        0x06, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 10, 1, 1,
    ];
    let put = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x84][..], &length, &content].concat()
    };
    let data = |content: &[u8]| {
        let content = put(0xa0, &[&put(0x04, &[content])]);
        put(0x30, &[DATA, &content])
    };
    let bag = put(0x30, &[KEY_BAG, &put(0xa0, &[pkcs8])]);
    let safe = put(0x30, &[&data(&put(0x30, &[&bag]))]);
    put(0x30, &[&[2, 1, 3], &data(&safe)])
}

/// Everything that reads bytes without a file.
fn in_memory(printed: &mut Printed, file: &[u8]) {
    let contents = SourceContents::from_bytes("tls.key", file);
    printed.debug("contents", &contents);
    for failure in &contents.failures {
        printed.text("failure", failure.to_string());
    }
    let containers = Containers::new().with_passphrase(Passphrase::new("changeit"));
    let opened = SourceContents::from_bytes_opening("tls.p12", file, &containers);
    printed.debug("opened", &opened);
    for failure in &opened.failures {
        printed.text("opened", failure.to_string());
    }
    if let Err(failure) = containers.private_key("tls.p12", file) {
        printed.debug("key of container", &failure);
        printed.text("key of container", failure.to_string());
    }
    printed.debug("reader", &SourceContents::from_reader("tls.key", file));
    let scan = CertificateScan::new("tls.key", file);
    printed.debug("scan", &scan);
    printed.debug("scanned", &scan.collect::<Vec<_>>());
    printed.result("facts", &CertificateFacts::parse(file));
    printed.result("certificate", &Certificate::from_der(file));
    let anchors = TrustAnchors::builder().with_source(&contents).build();
    printed.debug("anchors", &anchors);
    anchors
        .errors()
        .iter()
        .for_each(|error| printed.text("anchors", error.to_string()));
    printed.result("pin of PEM", &SpkiPin::from_pem(file));
    printed.result("announcing key", &AnnouncementKey::from_spki_der(file));
    for (_, provider) in providers() {
        printed.result(
            "pin of key",
            &SpkiPin::from_private_key_pem(file, &provider),
        );
        if let Ok(key) = PrivateKeyDer::try_from(file.to_vec()) {
            if let Ok(key) = provider.key_provider.load_private_key(key) {
                printed.result("pin of signing key", &SpkiPin::from_signing_key(&*key));
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(file) {
        printed.result("announcing key", &AnnouncementKey::from_pem(text));
        let floor = floor_with(text);
        printed.result("floor", &PinFloor::from_json(floor.as_bytes()));
        printed.result("pin", &text.parse::<SpkiPin>());
        printed.result("pins", &SpkiPin::parse_list(text));
    }
}

/// A floor that has this text in the place of an announcing key.
fn floor_with(key: &str) -> String {
    let pin = Pin::new(SpkiPin::from_spki_der(b"a key"), PinState::Current);
    let pin = pin.key.to_string();
    let floor = json!({
        "product": "app",
        "version": 1,
        "issued": "2026-01-01T00:00:00Z",
        "expires": "2027-01-01T00:00:00Z",
        "pin_sets": [{ "hosts": ["a.example"], "pins": [{ "pin": pin, "state": "current" }] }],
        "authority": { "threshold": 1, "keys": [key] },
    });
    floor.to_string()
}

/// Everything that reads files.
fn on_disk(printed: &mut Printed, folder: &Path, secret: &Secret, file: &[u8]) {
    let (key_file, certificate_file) = (folder.join("tls.key"), folder.join("tls.crt"));
    std::fs::write(&key_file, pki::pem(secret.label, &secret.der)).unwrap();
    let told = Arc::new(Recorder::default());
    let key = ReloadingKey::builder()
        .with_pair(&certificate_file, &key_file)
        .with_provider(ring())
        .with_clock(Arc::new(FixedTime(pki::now())))
        .with_observer(told.clone())
        .with_settle_seconds(0)
        .build()
        .unwrap();
    printed.debug("reloading key", &key);
    std::fs::write(&key_file, file).unwrap();
    // The certificate's file, too, may have been mistaken for the key's.
    for certificates in [None, Some(file)] {
        if let Some(certificates) = certificates {
            std::fs::write(&certificate_file, certificates).unwrap();
        }
        for seconds in [100, 200] {
            let summary = key.poll(NOW.saturating_add(seconds));
            printed.debug("reload", &summary);
            summary
                .refused
                .iter()
                .for_each(|error| printed.text("reload", error.to_string()));
        }
        let at_start = ReloadingKey::builder()
            .with_pair(&certificate_file, &key_file)
            .with_provider(ring())
            .with_clock(Arc::new(FixedTime(pki::now())))
            .build();
        printed.result("reload at start", &at_start);
        let monitor = Monitor::builder()
            .with_provider(ring())
            .with_trust_anchors(pki::anchors([&pki::root("Root", -100, 100)]))
            .with_observer(told.clone())
            .build()
            .unwrap();
        monitor.watch("folder", Target::from_path(folder));
        monitor.watch("key", Target::from_path(&key_file));
        monitor.tick(NOW);
        printed.debug("monitor", &monitor);
        printed.debug("snapshot", &monitor.snapshot());
        printed.text("saved", monitor.save());
        let check = SelfCheck::builder()
            .with_path(&certificate_file)
            .with_path(folder)
            .with_key_file(&key_file)
            .with_provider(ring())
            .at(NOW);
        let check = match PrivateKeyDer::try_from(file.to_vec()) {
            Ok(key) => check.with_key("memory", key),
            Err(_) => check,
        };
        printed.debug("self-check", &check);
        let check = check.build();
        printed.debug("self-check", &check);
        if let Ok(check) = check {
            let report = check.run();
            for text in [
                report.to_text(),
                report.to_json(),
                report.to_nagios(),
                report.to_openmetrics(),
            ] {
                printed.text("report", text);
            }
            printed.debug("report", &report);
            printed.result("report", &report.into_result());
        }
    }
    printed.debug("loaded", &Loader::new().load(folder));
    printed.debug("reloading key", &key);
    printed.debug("served", &key.served());
    printed.events("event", &told.take());
}

#[test]
fn no_byte_of_a_private_key_is_ever_printed() {
    let (mut texts, mut places) = (0, HashSet::new());
    for secret in secrets() {
        let needles = Needles::of(&secret.private);
        // What is looked for is found.
        let Secret {
            der, label, kind, ..
        } = &secret;
        for (form, text) in [
            ("in base64", pki::pem(label, der)),
            ("in base64", format!("{:?}", pki::pem(label, der))),
            ("as a list of numbers", format!("{der:#?}")),
            ("in hexadecimal", format!("{der:02X?}").replace(", ", ":")),
            ("in hexadecimal", HEXLOWER.encode(der).to_ascii_uppercase()),
        ] {
            assert_eq!(needles.found_in(&text), Some(form), "{kind}");
        }

        let folder = tempfile::tempdir().unwrap();
        let pkcs8 = PrivatePkcs8KeyDer::from(secret.pkcs8.clone());
        let certificate = certificate_of(&pkcs8);
        for (number, file) in files(&secret).iter().enumerate() {
            let mut printed = Printed::default();
            in_memory(&mut printed, file);
            // Signing takes its time: files that differ by a cut alone are for memory.
            if number < 24 {
                std::fs::write(folder.path().join("tls.crt"), &certificate).unwrap();
                on_disk(&mut printed, folder.path(), &secret, file);
            }
            for (place, text) in printed.0 {
                let found = needles.found_in(&text);
                assert_eq!(
                    found, None,
                    "{}, file {number}, {place}: {text}",
                    secret.kind
                );
                texts += 1;
                places.insert(place);
            }
        }
    }
    println!(
        "{texts} texts of {} kinds hold nothing of a key",
        places.len()
    );
    assert!(places.len() >= 25, "{places:?}");
}

/// A certificate for this key, in PEM. Who signed it does not matter here.
fn certificate_of(key: &PrivatePkcs8KeyDer<'_>) -> String {
    let key = KeyOf::new(key);
    let root = pki::root("Root", -100, 100);
    let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    pki::validity(&mut params, -1, 50);
    let certificate = params.signed_by(&key, &root.issuer()).unwrap();
    pki::pem_bundle([certificate.der(), &root.der])
}

/// The public half, as rcgen takes it.
struct KeyOf {
    bits: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl KeyOf {
    fn new(key: &PrivatePkcs8KeyDer<'_>) -> Self {
        let loaded = ring()
            .key_provider
            .load_private_key(key.clone_key().into())
            .unwrap();
        let spki = loaded.public_key().unwrap();
        let bits = elements(&spki)[1].1[1..].to_vec();
        let algorithm = match (loaded.algorithm(), bits.len()) {
            (rustls::SignatureAlgorithm::RSA, _) => &rcgen::PKCS_RSA_SHA256,
            (rustls::SignatureAlgorithm::ECDSA, 65) => &rcgen::PKCS_ECDSA_P256_SHA256,
            (rustls::SignatureAlgorithm::ECDSA, _) => &rcgen::PKCS_ECDSA_P384_SHA384,
            _ => &rcgen::PKCS_ED25519,
        };
        Self { bits, algorithm }
    }
}

impl rcgen::PublicKeyData for KeyOf {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}
