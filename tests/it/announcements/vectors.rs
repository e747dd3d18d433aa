//! The test vectors of the document, byte for byte.

use data_encoding::{BASE64, HEXLOWER};
use notafter::announce::{Announcement, Envelope, PinFloor, PreviousAnnouncement};
use notafter::cert::Sha256Digest;
use notafter::pin::Acceptance;
use ring::signature::Ed25519KeyPair;
use serde_json::json;

use super::ground::{Draft, Ground, day, envelope, listed};
use crate::support::pki::NOW;

const DOCUMENT: &str = include_str!("../../../docs/ANNOUNCEMENTS.md");

/// The code blocks that follow this comment, each without its fences.
pub fn blocks(comment: &str) -> Vec<String> {
    let fence = format!("<!-- {comment} -->\n```");
    let after = DOCUMENT.split(&fence).skip(1);
    let blocks = after.map(|rest| {
        let (_, body) = rest.split_once('\n').unwrap();
        body.split_once("\n```").unwrap().0.to_owned()
    });
    blocks.collect()
}

fn vector(name: &str) -> String {
    let [only] = blocks(&format!("vector: {name}")).try_into().unwrap();
    only
}

#[test]
fn the_vectors_are_what_is_signed_and_what_is_applied() {
    let payload = vector("payload").into_bytes();
    assert_eq!(payload.len(), 309);
    let encoding = Envelope::pre_authentication_encoding(&payload);
    assert_eq!(HEXLOWER.encode(&encoding), vector("encoding"));

    // The secret key of RFC 8032, 7.1, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed = HEXLOWER.decode(seed.as_bytes()).unwrap();
    let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let signature = BASE64.encode(key.sign(&encoding).as_ref());
    assert_eq!(signature, vector("ed25519 signature"));

    for name in ["ed25519", "p256"] {
        let key = vector(&format!("{name} key"));
        let authority = json!({ "threshold": 1, "keys": [key] });
        let floor = Draft::new(10, NOW, &[listed(b'O', "current")]).with("authority", authority);
        let floor = PinFloor::from_json(&floor.payload()).unwrap();
        let ground = Ground::on(floor, None, NOW);
        let signed = |sig: &str| envelope(&payload, &[json!({ "sig": sig })]);
        ground
            .store
            .apply(&signed(&vector(&format!("{name} signature"))), NOW)
            .unwrap();
        assert_eq!(ground.from(b'P'), Acceptance::From(day(30)), "{name}");
    }
    let first = Announcement::from_json(&payload).unwrap();
    assert_eq!((first.version, first.previous), (11, None));
    let next = Announcement::from_json(vector("next payload").as_bytes()).unwrap();
    let previous = PreviousAnnouncement::new(11, Sha256Digest::of(&payload));
    assert_eq!((next.previous, next.emergency), (Some(previous), true));
}

#[test]
fn the_document_names_every_code() {
    let source = include_str!("../../../src/announce/error.rs");
    let codes = source
        .split("=> \"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0);
    let codes: Vec<_> = codes.collect();
    assert!(codes.len() >= 12);
    for code in codes {
        assert!(
            DOCUMENT.contains(&format!("`{code}`")),
            "{code} is not explained"
        );
    }
}
