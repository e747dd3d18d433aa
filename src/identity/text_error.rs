//! Why a text is no identity.

use thiserror::Error;

/// A text that is no SPIFFE ID, or names no trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpiffeIdError {
    /// It does not begin with `spiffe://`.
    #[error("'{text}' is no SPIFFE ID: those begin with spiffe://, in lower case")]
    NoScheme {
        /// The text, at most 80 characters of it; invisible ones are escaped.
        text: String,
    },
    /// It is longer than a SPIFFE ID may be.
    #[error("a SPIFFE ID has 2048 bytes at the most, not {bytes}: shorten its path")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// No trust domain stands between `spiffe://` and the path.
    #[error(
        "a SPIFFE ID needs the name of its trust domain after spiffe://: spiffe://domain.example/path"
    )]
    NoTrustDomain,
    /// The name of the trust domain is longer than it may be.
    #[error("the name of a trust domain has 255 bytes at the most, not {bytes}: choose another")]
    TrustDomainTooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// The name of the trust domain has a character that none has.
    #[error(
        "'{text}' names no trust domain, for it has {found:?}: lower-case letters, digits, '.', '-' and '_' alone, \
         without a port"
    )]
    TrustDomainCharacter {
        /// The name, at most 80 characters of it; invisible ones are escaped.
        text: String,
        /// The first such character.
        found: char,
    },
    /// Two slashes follow each other in the path, or it ends with one.
    #[error(
        "the path '{path}' of a SPIFFE ID has an empty segment: write each slash once, and none at its end"
    )]
    EmptySegment {
        /// The path, at most 80 characters of it; invisible ones are escaped.
        path: String,
    },
    /// A segment of the path is `.` or `..`.
    #[error(
        "the path '{path}' of a SPIFFE ID has a segment '.' or '..': write the path that is meant"
    )]
    RelativeSegment {
        /// The path, at most 80 characters of it; invisible ones are escaped.
        path: String,
    },
    /// The path has a character that none has: those of a query or a fragment, or an escape, too.
    #[error(
        "the path '{path}' of a SPIFFE ID has {found:?}: letters, digits, '.', '-' and '_' alone, without escapes, \
         query or fragment"
    )]
    PathCharacter {
        /// The path, at most 80 characters of it; invisible ones are escaped.
        path: String,
        /// The first such character.
        found: char,
    },
}

/// A text that is no identity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PeerIdentityError {
    /// It is empty.
    #[error("an empty text identifies nobody")]
    Empty,
    /// It is longer than an identity may be.
    #[error("an identity has 2048 bytes at the most, not {bytes}: know peers by something shorter")]
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It has a character that cannot be seen.
    #[error("an identity has only characters that can be seen, and this one has {found:?}")]
    Hidden {
        /// The first such character.
        found: char,
    },
}
