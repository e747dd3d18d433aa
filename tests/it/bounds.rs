//! The bounds that no other test shows: `docs/BOUNDS.md` names, for each, the test that does.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;

use notafter::alert::{Matter, Transitions};
use notafter::announce::{Announcement, AnnouncementError, Envelope, PinFloor};
use notafter::cert::DerProblem;
use notafter::endpoint::{EndpointAddress, EndpointError};
use notafter::event::Role;
use notafter::renewal::{RenewalInfo, RenewalInfoError};
use notafter::revocation::{StapleJudge, StapleStatus, UnreadableStaple};
use notafter::self_check::FindingCode;
use notafter::source::{CertificateScan, FailureReason, Scanned, SourceContents};
use notafter::time::TimestampParseError;
use notafter::{Band, Certificate, EventCode, Monitor, SelfCheck, Target};
use serde_json::{Value, json};

use crate::announcements::ground::{Draft, Ground, day, floor_draft, listed, pem, sign};
use crate::support::pki::{self, NOW};
use crate::support::tls::ring;

/// The largest that is read, and one more.
fn at_and_over(most: usize) -> [(usize, bool); 2] {
    [(most, true), (most + 1, false)]
}

#[test]
fn an_envelope_has_64_kib_and_32_signatures_at_the_most() {
    let draft = Draft::new(11, NOW, &[listed(b'O', "current")]);
    let whole = draft.signed(&[1, 2]);
    for (bytes, is_read) in at_and_over(Envelope::MAX_BYTES) {
        let mut padded = whole.clone();
        padded.resize(bytes, b' ');
        let expected = AnnouncementError::TooLarge {
            bytes,
            limit: 65_536,
        };
        assert_eq!(
            Envelope::parse(&padded).err(),
            (!is_read).then_some(expected)
        );
    }
    for (count, is_read) in at_and_over(32) {
        let signatures = vec![sign(&draft.payload(), 1); count];
        let envelope = crate::announcements::ground::envelope(&draft.payload(), &signatures);
        assert_eq!(Envelope::parse(&envelope).is_ok(), is_read, "{count}");
    }
}

#[test]
fn json_of_announcements_is_16_levels_deep_at_the_most() {
    // The payload itself is one.
    for (levels, is_read) in at_and_over(15) {
        let deep = (0..levels).fold(Value::Null, |inner, _| json!([inner]));
        let draft = Draft::new(11, NOW, &[listed(b'O', "current")]).with("unknown", deep);
        assert_eq!(
            Announcement::from_json(&draft.payload()).is_ok(),
            is_read,
            "{levels}"
        );
    }
}

#[test]
fn an_authority_has_32_keys_a_label_256_bytes_and_a_product_128_at_the_most() {
    for (count, is_read) in at_and_over(32) {
        let keys: Vec<_> = (1..=u8::try_from(count).unwrap()).map(pem).collect();
        let authority = json!({ "threshold": 2, "emergency_threshold": 3, "keys": keys });
        let floor = floor_draft().with("authority", authority);
        assert_eq!(
            PinFloor::from_json(&floor.payload()).is_ok(),
            is_read,
            "{count}"
        );
    }
    for (bytes, is_read) in at_and_over(256) {
        let mut pin = listed(b'O', "current");
        pin["label"] = "x".repeat(bytes).into();
        let draft = Draft::new(11, NOW, &[pin]);
        assert_eq!(
            Announcement::from_json(&draft.payload()).is_ok(),
            is_read,
            "{bytes}"
        );
    }
    for (bytes, is_read) in at_and_over(128) {
        let draft =
            Draft::new(11, NOW, &[listed(b'O', "current")]).with("product", "x".repeat(bytes));
        assert_eq!(
            Announcement::from_json(&draft.payload()).is_ok(),
            is_read,
            "{bytes}"
        );
    }
}

#[test]
fn a_version_rises_by_a_million_at_the_most() {
    for (step, is_applied) in at_and_over(1_000_000) {
        let ground = Ground::new();
        let version = 10 + u64::try_from(step).unwrap();
        let draft = Draft::new(
            version,
            NOW,
            &[listed(b'O', "current"), listed(b'B', "backup")],
        );
        assert_eq!(ground.apply(&draft, day(1)).is_ok(), is_applied, "{step}");
    }
}

#[test]
fn renewal_information_has_64_kib_and_its_url_2048_characters_at_the_most() {
    let body = |url: &str| {
        let window = json!({ "start": "2026-01-02T00:00:00Z", "end": "2026-01-03T00:00:00Z" });
        json!({ "suggestedWindow": window, "explanationURL": url })
            .to_string()
            .into_bytes()
    };
    for (bytes, is_read) in at_and_over(64 * 1024) {
        let mut padded = body("https://ca.example/");
        padded.resize(bytes, b' ');
        let expected = RenewalInfoError::TooLarge { bytes };
        assert_eq!(
            RenewalInfo::from_json(&padded).err(),
            (!is_read).then_some(expected)
        );
    }
    for (length, is_kept) in at_and_over(2_048) {
        let url = format!("{:x<length$}", "https://ca.example/");
        let info = RenewalInfo::from_json(&body(&url)).unwrap();
        assert_eq!(info.explanation_url.is_some(), is_kept, "{length}");
    }
    // Whatever a server asks for, it is asked again within a minute and a day.
    for (header, seconds) in [
        ("0", 60),
        ("999999999999", 86_400),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 60),
    ] {
        assert_eq!(
            RenewalInfo::ask_again_at(Some(header), NOW),
            NOW.saturating_add(seconds)
        );
    }
}

#[test]
fn a_staple_has_64_kib_at_the_most_unless_told_otherwise() {
    let root = pki::root("root", -10, 100);
    let leaf = root.leaf(&["a.example"], -1, 50).certificate();
    let issuer = root.certificate();
    let algorithms = ring().signature_verification_algorithms.all;
    let status = |judge: &StapleJudge, bytes: usize| {
        judge
            .judge(&vec![0x30; bytes], &leaf, &issuer, algorithms, NOW)
            .status
    };
    let judge = StapleJudge::new();
    for (judge, limit) in [(judge.clone(), 65_536), (judge.with_max_bytes(10), 10)] {
        for (bytes, is_read) in at_and_over(limit) {
            let too_large = UnreadableStaple::TooLarge { bytes, limit };
            let is_too_large = status(&judge, bytes) == StapleStatus::from(too_large);
            assert_eq!(is_too_large, !is_read, "{bytes}");
        }
    }
}

#[test]
fn a_length_in_der_has_four_octets_at_the_most_and_what_it_promises_is_not_believed() {
    for (der, expected) in [
        (
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..],
            DerProblem::Truncated,
        ),
        (&[0x30, 0x85, 1, 0, 0, 0, 0], DerProblem::LengthTooLarge),
        (&[0x30, 0x80, 0, 0], DerProblem::IndefiniteLength),
    ] {
        assert_eq!(Certificate::from_der(der).unwrap_err().problem, expected);
    }
}

#[test]
fn a_scan_holds_one_block_of_16_mib_at_the_most() {
    let body = |bytes: usize| {
        let lines = "A".repeat(63) + "\n";
        lines.repeat(bytes / 64)
    };
    let block =
        |body: String| format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n");
    let leaf = pki::root("root", -1, 1);
    // Too long a block hides nothing behind it; so does a BEGIN line that does not end.
    let long = block(body(16 * 1024 * 1024 + 128 * 1024)) + &pki::pem_bundle([&leaf.der]);
    let line = format!("-----BEGIN {}\n", "A".repeat(80_000)) + &pki::pem_bundle([&leaf.der]);
    for text in [long, line] {
        let found: Vec<_> = CertificateScan::new("bundle", text.as_bytes()).collect();
        let [Scanned::Failure(failure), Scanned::Certificate(_)] = found.as_slice() else {
            panic!("{} were found", found.len());
        };
        assert_eq!(failure.reason, FailureReason::BadPem);
    }
    let failures = "-----END X-----\n".repeat(5_000);
    assert_eq!(
        SourceContents::from_bytes("bundle", failures.as_bytes())
            .failures
            .len(),
        1_001
    );
}

#[test]
fn what_is_repeated_in_a_message_is_short() {
    let long = "x".repeat(100_000);
    let error: TimestampParseError = long.parse::<notafter::Timestamp>().unwrap_err();
    assert_eq!(error.text.len(), 64);
    let error = long.parse::<notafter::PinScope>().unwrap_err();
    assert_eq!(error.text.len(), 80);
    // And shows what would hide, as fuzzers found it did not.
    let error = "2026-02\r29T00:00:00Z".parse::<notafter::Timestamp>();
    assert_eq!(error.unwrap_err().text, "2026-02\\r29T00:00:00Z");
    let window = json!({ "start": "2026\u{7f}", "end": "2026-01-03T00:00:00Z" });
    let body = json!({ "suggestedWindow": window }).to_string();
    let error = RenewalInfo::from_json(body.as_bytes()).unwrap_err();
    assert!(!error.to_string().contains('\u{7f}'), "{error}");
    let error = "a\0\u{202e}.example"
        .parse::<notafter::PinScope>()
        .unwrap_err();
    assert_eq!(error.text, "a\\0\\u{202e}.example");
    let address = EndpointAddress::new(format!("a\u{202e}'{long}"), 443);
    let shown = format!("a\\u{{202e}}\\'{}:443", "x".repeat(250));
    assert_eq!(address.to_string(), shown);
    let unresolved = EndpointError::Unresolved {
        host: address.host.clone(),
        source: std::io::Error::other("no"),
    };
    let incompatible = EndpointError::Incompatible {
        address,
        reason: "no".to_owned(),
    };
    for error in [unresolved, incompatible] {
        let said = error.to_string();
        assert!(
            said.len() < 400 && said.contains("a\\u{202e}\\'xxx"),
            "{said}"
        );
    }
    let root = pki::root("root", -1, 1);
    let leaf = root.leaf_with(&["a.example"], -1, 1, |params| {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, long.clone());
    });
    assert_eq!(leaf.certificate().short_name().chars().count(), 128);
}

/// A DER element whose length has four octets.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

#[test]
fn what_a_finding_repeats_of_names_and_urls_is_short() {
    // RFC 5280, 4.2.2.1.
    let ca_issuers = [1, 3, 6, 1, 5, 5, 7, 1, 1];
    let of_issuer = [6, 8, 43, 6, 1, 5, 5, 7, 48, 2];
    let url = format!("http://ca.example/{}", "x".repeat(60_000));
    let description = [&of_issuer[..], &element(0x86, url.as_bytes())].concat();
    let access = element(0x30, &element(0x30, &description));
    let root = pki::root("root", -100, 1000);
    let leaf =
        root.intermediate("issuing", -100, 1000)
            .leaf_with(&["a.example"], -10, 80, |params| {
                let extension = rcgen::CustomExtension::from_oid_content(&ca_issuers, access);
                params.custom_extensions.push(extension);
            });
    let name = format!("no name {}", "y".repeat(60_000));
    let report = SelfCheck::builder()
        .with_chain("served", [leaf.der.clone()])
        .with_expected_name(name.as_str())
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .at(NOW)
        .build()
        .unwrap()
        .run();
    let message = |code: FindingCode| {
        let found = report.findings.iter().find(|finding| finding.code == code);
        found.unwrap().message.as_str()
    };
    let (start, _) = url.split_at(256);
    let fetched = message(FindingCode::MissingIntermediate);
    assert!(fetched.ends_with(&format!("it can be fetched from {start}")));
    let (start, _) = name.split_at(256);
    let unusable = message(FindingCode::UnusableName);
    assert!(unusable.starts_with(&format!("'{start}' is neither")));

    let monitor = Monitor::builder()
        .with_trust_anchors(pki::anchors([&root]))
        .with_provider(ring())
        .build()
        .unwrap();
    monitor.watch(
        "served",
        Target::from_chain([leaf.der]).with_expected_name(name),
    );
    monitor.tick(NOW);
    let messages = monitor.snapshot().findings.into_iter();
    assert!(messages.map(|finding| finding.message.len()).max() < Some(600));
}

#[test]
fn what_was_told_takes_the_room_that_it_was_given() {
    let room = NonZeroUsize::new(8).unwrap();
    let mut transitions = Transitions::new(room);
    for number in 0..100 {
        let matter = Matter::new(EventCode::PeerExpiring, Role::PeerServer)
            .with_name(Some(number.to_string()));
        transitions.observe(matter, Band::Critical, NOW);
    }
    assert_eq!((transitions.len(), transitions.evictions()), (8, 92));
    let mut large = Transitions::new(NonZeroUsize::new(100).unwrap());
    for number in 0..100 {
        let matter = Matter::new(EventCode::PeerExpiring, Role::PeerServer)
            .with_name(Some(number.to_string()));
        large.observe(matter, Band::Critical, NOW);
    }
    assert_eq!(Transitions::restore(&large.save(), room).unwrap().len(), 8);
}

const TABLE: &str = include_str!("../../docs/BOUNDS.md");

/// The words between backticks in a cell.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_table_of_bounds_names_every_constant_with_its_value_and_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let tests = crate::security_model::tests_below("tests");
    let mut named = BTreeSet::new();
    let rows = TABLE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    for row in rows.filter(|row| !row.starts_with("| input |")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, _, _, constants, test] = cells.as_slice() else {
            panic!("a row has five cells: {row}");
        };
        for test in words(test) {
            assert!(tests.contains(test), "there is no {test}");
        }
        assert!(
            words(test).next().is_some() || test.contains("none of its own"),
            "{row}"
        );
        let mut file = None;
        let mut words = words(constants);
        while let Some(word) = words.next() {
            if word.starts_with("src/") || word.starts_with("examples/") {
                file = Some(word);
                continue;
            }
            let (file, value) = (file.unwrap(), words.next().unwrap());
            let code = read(&root.join(file));
            let start = format!("const {word}: ");
            let (_, rest) = code
                .split_once(&start)
                .unwrap_or_else(|| panic!("{file} has no {word}"));
            let (_, rest) = rest.split_once("= ").unwrap();
            let rest = rest.trim_start_matches("match ");
            let is = rest.split([';', '{']).next().unwrap().trim();
            assert_eq!(is, value, "{file}: {word}");
            named.insert((file.to_owned(), word.to_owned()));
        }
    }
    for path in crate::support::corpora::files_below(&root.join("src")) {
        let file = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        for line in read(&path).lines() {
            let Some((_, rest)) = line.split_once("const MAX_") else {
                continue;
            };
            let (name, value) = rest.split_once(':').unwrap();
            // A name for a constant that is private elsewhere in the same file is not another one.
            let is_alias = value.contains(&format!("= MAX_{name};"));
            let is_named = named.contains(&(file.clone(), format!("MAX_{name}")));
            assert!(
                is_named || is_alias,
                "docs/BOUNDS.md does not name MAX_{name} of {file}"
            );
        }
    }
}
