//! Why a TLSA record is no pin (RFC 6698, 2.1; RFC 7671, 4).

use thiserror::Error;

use crate::pin::PinParseError;

/// A TLSA record that is no pin of a key, or of which none can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoPinRecord {
    /// It asks for a path to a public CA as well (usages 0 and 1).
    #[error(
        "usage {usage} (PKIX) constrains what public CAs vouch for, and is no pin by itself: publish usage 3, or 2 \
         for a CA (RFC 7671, 4)"
    )]
    Pkix {
        /// The usage.
        usage: u8,
    },
    /// Its usage is none of RFC 6698.
    #[error("usage {usage} is not assigned: publish usage 3, or 2 for a CA")]
    UnknownUsage {
        /// The usage.
        usage: u8,
    },
    /// It is of a certificate, which another one replaces although the key stays.
    #[error(
        "selector {selector} is not of the key (1) but {}: publish it with selector 1", selected(*.selector)
    )]
    Selector {
        /// The selector.
        selector: u8,
    },
    /// Its digest is not SHA-256.
    #[error(
        "matching type {matching_type} is not SHA-256 (1) but {}: publish it with matching type 1", matched(*.matching_type)
    )]
    MatchingType {
        /// The matching type.
        matching_type: u8,
    },
    /// Its data are no SHA-256 digest.
    #[error(transparent)]
    Digest(#[from] PinParseError),
}

const fn selected(selector: u8) -> &'static str {
    match selector {
        0 => "of the certificate, which is replaced while the key stays",
        _ => "one that is not assigned",
    }
}

const fn matched(matching_type: u8) -> &'static str {
    match matching_type {
        0 => "all of it, undigested",
        2 => "SHA-512",
        _ => "one that is not assigned",
    }
}
