//! What files and operators give, changed anyhow: every reader says what is wrong, and none panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use notafter::announce::PinFloor;
use notafter::pin::ExpiryRule;
use notafter::renewal::RenewalInfo;
use notafter::revocation::{Crls, StapleJudge};
use notafter::source::{CertificateScan, SourceContents};
use notafter::{Certificate, PinScope, PinStore, SpkiPin, Timestamp};

use super::mutations::{any_unix_time, mutate, tweak};
use super::{NAME, ask, rounds, watching, webpki};
use crate::support::corpora::data;
use crate::support::graph::Dice;
use crate::support::pki::{self, NOW};
use crate::support::tls::ring;

/// Something that reads bytes, and bytes that it takes.
type Reader<'r> = (&'r str, Vec<u8>, Box<dyn Fn(&[u8], Timestamp) + 'r>);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The key of the documents: RFC 8032, 7.1, test 1.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\\n-----END PUBLIC KEY-----\\n";

fn floor(version: u32) -> String {
    format!(
        r#"{{"product":"app","version":{version},"issued":"2026-01-01T00:00:00Z","expires":"2026-03-01T00:00:00Z","authority":{{"threshold":1,"keys":["{KEY}"]}},"pin_sets":[{{"hosts":["api.example.com"],"pins":[{{"pin":"sha256/T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT08=","state":"current"}},{{"pin":"sha256/UFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFA=","state":"announced"}}]}}]}}"#
    )
}

fn envelope() -> String {
    let payload = data_encoding::BASE64.encode(floor(12).as_bytes());
    format!(
        r#"{{"payloadType":"application/vnd.notafter.pins.v2+json","payload":"{payload}","signatures":[{{"keyid":"","sig":"pVUKzDi30eBpUmfsAB9TG0ScEtCRNIWYk/QC9WaFmNAKSIhqSC+XIIYoCfp0+qv3TaHPJT5oq0/r2MrJaJ6lCw=="}}]}}"#
    )
}

#[test]
fn nothing_that_a_file_or_an_operator_gives_panics() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let algorithms = ring().signature_verification_algorithms.all;
    let staples = data("staples");
    let certificate = |file: &Path| -> Certificate {
        let contents = SourceContents::from_bytes("", &std::fs::read(file).unwrap());
        contents.certificates[0].certificate.clone()
    };
    let leaf = certificate(&staples.join("leaf.pem"));
    let issuer = certificate(&staples.join("issuer.pem"));
    let parsed = PinFloor::from_json(floor(11).as_bytes()).unwrap();
    let store = PinStore::builder(parsed, ExpiryRule::FailClosed, algorithms);
    let (store, _) = store.open(NOW).unwrap();
    let verifier = watching(webpki(&anchors), &anchors).build().unwrap();
    let due = root.leaf(&[NAME], -80, 2);
    ask(&*verifier, &[&due.der], NAME, NOW).unwrap();
    let judge = StapleJudge::new();
    let ari = br#"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"},"explanationURL":"https://x.example"}"#;
    let pin = b"sha256/T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT08=";
    let pem = pki::pem_bundle([&root.der]).into_bytes();
    let readers: Vec<Reader<'_>> = vec![
        (
            "pem",
            pem,
            Box::new(|bytes, _| {
                let contents = SourceContents::from_bytes("x", bytes);
                let _ = format!("{contents:?}");
                let _ = (
                    CertificateScan::new("x", bytes).count(),
                    SpkiPin::from_pem(bytes),
                );
            }),
        ),
        (
            "crl",
            pki::crl(&root, &[&root.certificate()]),
            Box::new(|bytes, _| {
                if let Ok(crls) = Crls::builder().with_der(bytes) {
                    let crls = crls.build();
                    let _ = (
                        crls.next_updates().count(),
                        crls.revokes(&root.certificate()),
                    );
                }
            }),
        ),
        (
            "staple",
            std::fs::read(staples.join("good.der")).unwrap(),
            Box::new(|bytes, now| {
                let outlook = judge.judge(bytes, &leaf, &issuer, algorithms, now);
                let _ = (outlook.to_string(), outlook.good_until());
            }),
        ),
        (
            "floor",
            floor(11).into_bytes(),
            Box::new(|bytes, _| {
                let _ = PinFloor::from_json(bytes).map_err(|error| error.to_string());
            }),
        ),
        (
            "envelope",
            envelope().into_bytes(),
            Box::new(|bytes, now| {
                let _ = store.apply(bytes, now).map_err(|error| error.to_string());
            }),
        ),
        (
            "saved state",
            verifier.save().into_bytes(),
            Box::new(|bytes, _| {
                let _ = verifier
                    .restore(&text(bytes))
                    .map_err(|error| error.to_string());
            }),
        ),
        (
            "ari",
            ari.to_vec(),
            Box::new(|bytes, now| {
                if let Ok(info) = RenewalInfo::from_json(bytes) {
                    let _ = (info.renew_at(u64::MAX, now), info.chosen(0));
                }
            }),
        ),
        (
            "pin",
            pin.to_vec(),
            Box::new(|bytes, _| {
                let _ = text(bytes)
                    .parse::<SpkiPin>()
                    .map_err(|error| error.to_string());
                let _ = SpkiPin::parse_list(&text(bytes)).map_err(|error| error.to_string());
            }),
        ),
        (
            "scope",
            b"**.a.example".to_vec(),
            Box::new(|bytes, _| {
                let _ = text(bytes)
                    .parse::<PinScope>()
                    .map_err(|error| error.to_string());
            }),
        ),
        (
            "timestamp",
            b"2020-05-30T10:48:38.5+23:59".to_vec(),
            Box::new(|bytes, _| {
                let _ = text(bytes)
                    .parse::<Timestamp>()
                    .map_err(|error| error.to_string());
            }),
        ),
        (
            "retry-after",
            b"Wed, 21 Oct 2015 07:28:00 GMT".to_vec(),
            Box::new(|bytes, now| {
                let _ = RenewalInfo::ask_again_at(Some(&text(bytes)), now);
            }),
        ),
    ];
    for seed in 0..rounds(800) {
        for (reader, sample, read) in &readers {
            let mut dice = Dice::new(seed ^ 0x009a_95e5);
            let mut bytes = sample.clone();
            match dice.below(3) {
                0 => tweak(&mut dice, &mut bytes),
                _ => mutate(&mut dice, &mut bytes),
            }
            let now = any_unix_time(&mut dice).into();
            let run = catch_unwind(AssertUnwindSafe(|| read(&bytes, now)));
            assert!(run.is_ok(), "{reader}, seed {seed}");
        }
    }
}
