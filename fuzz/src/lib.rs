//! What fuzz targets share. Each target reads like its question; what it takes to ask is here.

pub mod announcing;
pub mod proof;
pub mod tickets;
pub mod world;

use std::sync::Arc;

use notafter::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{SignatureVerificationAlgorithm, UnixTime};

pub fn ring() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub fn algorithms() -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    rustls::crypto::ring::default_provider()
        .signature_verification_algorithms
        .all
}

/// 2026-01-01T00:00:00Z, the instant that targets call now.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

pub fn unix(now: Timestamp) -> UnixTime {
    now.to_unix_time().expect("after 1970")
}

/// What is printed for people holds no character that could write lines of its own, or hide any.
pub fn assert_printable(text: &str) {
    let hidden = text.chars().find(|c| c.is_control() || is_invisible(*c));
    assert!(hidden.is_none(), "{hidden:?} in {text:?}");
}

fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
    )
}

/// One DER element with this tag.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = &length[zeros..];
    let mut der = vec![tag];
    match length {
        [] => der.push(0),
        [short @ ..=0x7f] => der.push(*short),
        _ => {
            der.push(0x80 | u8::try_from(length.len()).expect("at most 8"));
            der.extend(length);
        }
    }
    der.extend(content);
    der
}
