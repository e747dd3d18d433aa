//! Files, folders and bytes: what is found, and the place of everything that is not.

use std::path::Path;

use notafter::Loader;
use notafter::source::{FailureReason, SourceContents};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::support::pki;

fn block(label: &str) -> String {
    pki::pem(label, b"0123456789")
}

/// Reason, block, line and byte of every failure.
fn failures(contents: &SourceContents) -> Vec<(&'static str, Option<usize>, Option<usize>, usize)> {
    let failures = contents.failures.iter();
    let facts = failures.map(|f| {
        (
            f.reason.as_str(),
            f.place.block,
            f.place.line,
            f.place.offset,
        )
    });
    facts.collect()
}

#[test]
fn every_failure_has_its_block_line_and_byte() {
    let good = pki::pem_bundle([&pki::root("Root", -1, 1).der]);
    let lines = good.lines().count();
    let bad_der = block("CERTIFICATE");
    let bad_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    let wrong_end = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATION-----\n";
    let stray = "-----END CERTIFICATE-----\n";
    let damaged_begin = "-----BEGIN CERTIFICATE----\n";
    let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let cases = [
        (bad_der.clone(), "bad_der"),
        (bad_base64.to_owned(), "bad_pem"),
        (wrong_end.to_owned(), "bad_pem"),
        (stray.to_owned(), "bad_pem"),
        (damaged_begin.to_owned(), "bad_pem"),
        (cut.to_owned(), "bad_pem"),
    ];
    for newline in ["\n", "\r\n", "\r"] {
        for (bad, reason) in &cases {
            // Text around, a good block before and after.
            let text = format!("a comment\n{good}{bad}{good}");
            let text = text.replace('\n', newline);
            let contents = SourceContents::from_bytes("tls.crt", text.as_bytes());
            let offset = format!("a comment\n{good}").replace('\n', newline).len();
            let expected = [(*reason, Some(2), Some(lines + 2), offset)];
            assert_eq!(failures(&contents), expected, "{bad:?}");
            assert_eq!(contents.certificates.len(), 2, "{bad:?}");
            let display = contents.failures[0].to_string();
            assert!(
                display.starts_with(&format!("tls.crt, block 2, line {}: ", lines + 2)),
                "{display}"
            );
        }
    }
}

#[test]
fn other_blocks_and_keys_are_noted_by_their_places() {
    let text = [
        block("CERTIFICATE REQUEST"),
        block("EC PRIVATE KEY"),
        block("TRUSTED CERTIFICATE"),
        pki::pem_bundle([&pki::root("Root", -1, 1).der]),
    ]
    .concat();
    let contents = SourceContents::from_bytes("mixed.pem", text.as_bytes());
    assert_eq!(contents.certificates.len(), 1);
    assert_eq!(contents.private_keys.len(), 1);
    assert_eq!(contents.private_keys[0].block, Some(2));
    let labels: Vec<_> = contents
        .other_blocks
        .iter()
        .map(|b| b.label.as_str())
        .collect();
    assert_eq!(labels, ["CERTIFICATE REQUEST", "TRUSTED CERTIFICATE"]);
    assert!(contents.failures.is_empty());
    assert!(!format!("{contents:?}").contains("0123456789"));
}

#[test]
fn a_source_without_certificates_says_what_it_holds_instead() {
    let cases: [(&[u8], &str); 4] = [
        (b"", "the file is empty"),
        (b"hello\n", "there is no PEM block in it, and it is not DER"),
        (
            block("TRUSTED CERTIFICATE").leak().as_bytes(),
            "it holds PEM blocks such as 'TRUSTED CERTIFICATE', which rustls does not load as certificates",
        ),
        (
            block("PRIVATE KEY").leak().as_bytes(),
            "it holds a private key but no certificate",
        ),
    ];
    for (bytes, detail) in cases {
        let contents = SourceContents::from_bytes("x", bytes);
        assert_eq!(contents.failures.len(), 1, "{detail}");
        assert_eq!(
            contents.failures[0].reason,
            FailureReason::NoCertificateFound
        );
        assert_eq!(contents.failures[0].detail, detail);
    }
}

#[test]
fn der_is_read_and_a_der_key_is_only_noted() {
    let root = pki::root("Root", -1, 1);
    let contents = SourceContents::from_bytes("root.der", &root.der);
    assert_eq!(contents.certificates[0].certificate, root.certificate());
    let mut trailing = root.der.to_vec();
    trailing.push(0);
    let contents = SourceContents::from_bytes("root.der", &trailing);
    assert_eq!(contents.failures[0].reason, FailureReason::BadDer);
    assert!(contents.failures[0].detail.contains("1 bytes too many"));
    let key = root.leaf(&["a.example"], -1, 1).key_pair.serialize_der();
    let contents = SourceContents::from_bytes("leaf.key", &key);
    assert_eq!(
        (contents.private_keys.len(), contents.certificates.len()),
        (1, 0)
    );
}

#[test]
fn the_loaders_limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    };
    let pem = pki::pem_bundle([&pki::root("Root", -1, 1).der]);
    for name in ["a.pem", "b.pem", "c.pem", "deep/er/d.pem"] {
        write(name, &pem);
    }
    let reasons = |loaded: &[SourceContents]| -> Vec<&str> {
        loaded
            .iter()
            .flat_map(|c| &c.failures)
            .map(|f| f.reason.as_str())
            .collect()
    };
    let count =
        |loaded: &[SourceContents]| loaded.iter().map(|c| c.certificates.len()).sum::<usize>();
    let all = Loader::new().load(folder.path());
    assert_eq!((count(&all), reasons(&all)), (4, vec![]));
    let few = Loader::new().with_max_files(2).load(folder.path());
    assert_eq!((count(&few), reasons(&few)), (2, vec!["too_large"]));
    let shallow = Loader::new().with_max_depth(1).load(folder.path());
    assert_eq!((count(&shallow), reasons(&shallow)), (3, vec!["too_large"]));
    let size = u64::try_from(pem.len()).unwrap();
    let exact = Loader::new().with_max_file_bytes(size).load(folder.path());
    assert_eq!((count(&exact), reasons(&exact)), (4, vec![]));
    let small = Loader::new()
        .with_max_file_bytes(size - 1)
        .load_file(folder.path().join("a.pem"));
    assert_eq!(small.failures[0].reason, FailureReason::TooLarge);
    assert_eq!(
        small.failures[0].detail,
        format!("{size} bytes, the limit is {}", size - 1)
    );
}

#[test]
fn what_is_not_there_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Loader::new().load(folder.path().join("missing.pem"));
    assert_eq!(missing[0].failures[0].reason, FailureReason::NotFound);
    let empty = Loader::new().load(folder.path());
    assert_eq!(empty.len(), 1);
    assert_eq!(
        empty[0].failures[0].reason,
        FailureReason::NoCertificateFound
    );
    assert_eq!(Path::new(&*empty[0].source), folder.path());
    // In a folder, a file that is named like a certificate and holds none is worth a word.
    std::fs::write(folder.path().join("server.crt"), "").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "").unwrap();
    let loaded = Loader::new().load(folder.path());
    assert_eq!(loaded.len(), 1);
    assert!(loaded[0].source.ends_with("server.crt"));
}

#[test]
fn a_file_of_nothing_but_damage_stays_small() {
    let lines = "-----END CERTIFICATE-----\n".repeat(3_000);
    let good = pki::pem_bundle([&pki::root("Root", -1, 1).der]);
    let contents = SourceContents::from_bytes("x.pem", format!("{lines}{good}").as_bytes());
    assert_eq!(contents.failures.len(), 1_001);
    assert_eq!(
        contents.failures[1_000].detail,
        "2000 more blocks are damaged"
    );
    assert_eq!(contents.certificates.len(), 1, "what is good still counts");
}

#[test]
fn a_name_of_thousands_of_characters_is_cut_in_messages() {
    let certificate = pki::root(&"x".repeat(5_000), -1, 1).certificate();
    assert_eq!(certificate.short_name().chars().count(), 128);
    assert!(certificate.short_name().ends_with("x…"));
    assert!(
        certificate.subject().len() > 5_000,
        "the fact itself is whole"
    );
}

#[test]
fn containers_that_rustls_does_not_load_are_called_by_their_names() {
    let cases: [(&[u8], &str); 2] = [
        (
            include_bytes!("../data/formats/store.p12"),
            "store: it is PKCS#12 (.p12, .pfx), which rustls does not load; \
             to PEM by `openssl pkcs12 -in FILE -nokeys -out FILE.pem` (other_format); convert it to PEM",
        ),
        (
            include_bytes!("../data/formats/chain.p7b"),
            "store: it is PKCS#7 (.p7b, .p7c), which rustls does not load; \
             to PEM by `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem` (other_format); convert it to PEM",
        ),
    ];
    for (bytes, expected) in cases {
        for contents in [
            SourceContents::from_bytes("store", bytes),
            SourceContents::from_reader("store", bytes),
        ] {
            let failures: Vec<_> = contents.failures.iter().map(ToString::to_string).collect();
            assert_eq!(failures, [expected]);
        }
        // BER of no definite length, as some tools write it.
        let length = if bytes[1] == 0x82 { 4 } else { 3 };
        let indefinite = [&[0x30, 0x80], &bytes[length..], &[0, 0]].concat();
        let contents = SourceContents::from_bytes("store", &indefinite);
        assert_eq!(contents.failures[0].reason, FailureReason::OtherFormat);
    }
    // In a folder a key store is somebody else's, a PKCS#7 bundle is not.
    let folder = tempfile::tempdir().unwrap();
    for (name, (bytes, _)) in ["store.p12", "chain.p7b"].iter().zip(cases) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let loaded = Loader::new().load(folder.path());
    let sources: Vec<_> = loaded.iter().map(|contents| &*contents.source).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources[0].ends_with("chain.p7b"));
}

#[test]
fn a_vertical_tab_in_base64_is_white_space_as_for_rustls() {
    let root = pki::root("Root", -1, 1).der;
    let pem = pki::pem_bundle([&root]).replace("\nMII", "\n\u{b}MI\u{b}I");
    let contents = SourceContents::from_bytes("tab.pem", pem.as_bytes());
    assert_eq!(failures(&contents), []);
    assert_eq!(*contents.certificates[0].certificate.der(), root);
    let rustls: CertificateDer<'_> = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(rustls, root);
}
