//! Why a form was not read, and where in it.

use std::fmt;

use thiserror::Error;

use super::no_pin_record::NoPinRecord;
use crate::cert::Sha256Digest;
use crate::pin::{PinParseError, PinScopeError, PinSetError};
use crate::text::quoted;

/// Where in a form something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormPlace {
    /// No part of it, but the whole.
    Whole,
    /// A line and a column, both counted from 1; columns are characters.
    Position {
        /// The line.
        line: u32,
        /// The column.
        column: u32,
    },
    /// The path of a value, like `fingerprints[2].name`; its foreign names are short and escaped.
    Path(String),
}

impl fmt::Display for FormPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("these pins"),
            Self::Position { line, column } => write!(f, "line {line}, column {column}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

/// A form that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place}: {problem}")]
#[non_exhaustive]
pub struct FormReadError {
    /// Where it stands.
    pub place: FormPlace,
    /// What is wrong there.
    pub problem: FormProblem,
}

/// What is wrong with a form, or cannot be said by a pin set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormProblem {
    /// The text is too long.
    #[error("it has {bytes} bytes, and {limit} are read: give the pins alone")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// There are too many of something.
    #[error("it has more than {limit} {what}: split it")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// It is not well-formed.
    #[error("it is not well-formed ({reason}): write it again from its source")]
    Syntax {
        /// What the parser says, at most 200 characters of it.
        reason: String,
    },
    /// An XML document declares entities, which could become any text.
    #[error("it declares entities, which are not expanded: write their text where they stand")]
    Entities,
    /// It is a binary property list.
    #[error("it is a binary property list: convert it by 'plutil -convert xml1'")]
    BinaryPlist,
    /// Something else is expected.
    #[error("'{found}' stands where {expected} is expected")]
    Unexpected {
        /// What is there, at most 80 characters of it.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// Something is missing.
    #[error("{what} is missing: add it")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// Something stands twice that may stand once.
    #[error("'{what}' stands twice, so that nobody can say which one counts: keep one")]
    Repeated {
        /// What, at most 80 characters of it.
        what: String,
    },
    /// It is no pin.
    #[error(transparent)]
    Pin(#[from] PinParseError),
    /// It names no hosts.
    #[error(transparent)]
    Scope(#[from] PinScopeError),
    /// The pins cannot be a set.
    #[error(transparent)]
    Set(#[from] PinSetError),
    /// The digest is not SHA-256's.
    #[error("a digest by '{name}' is no pin, only SHA-256 is: compute the pin again from the key")]
    DigestAlgorithm {
        /// What is named, at most 80 characters of it.
        name: String,
    },
    /// There are fewer pins than the form asks for.
    #[error(
        "this form asks for {least} distinct pins, and it has {pins}: add the pin of a key kept offline"
    )]
    TooFewPins {
        /// How many there are.
        pins: usize,
        /// How many there must be.
        least: usize,
    },
    /// Nothing is pinned.
    #[error("it pins no key of any host: there is nothing to go by")]
    NoPins,
    /// `max-age` is 0: clients are to forget the pins (RFC 7469, 2.1.2).
    #[error("max-age=0 tells clients to forget the pins of this host: there is nothing to go by")]
    Forgotten,
    /// Certificates may override the pins, which a pin set cannot say.
    #[error(
        "overridePins lets chains of these anchors past the pins, which a pin set cannot say: take it out, \
         or leave its hosts unpinned"
    )]
    PinsOverridden,
    /// A host is taken out of no policy.
    #[error(
        "no policy of a domain above it includes it, so there is nothing to exclude it from: take it out"
    )]
    NothingToExcludeFrom,
    /// A TLSA record is no pin.
    #[error(transparent)]
    NoPinRecord(#[from] NoPinRecord),
    /// One host has records of several ports or transports, which a scope cannot tell apart.
    #[error(
        "its host has records of another port or transport too, which a pin set cannot tell apart: read them one \
         by one"
    )]
    SeveralServices,
    /// A certificate's fingerprint says nothing of its key.
    #[error(
        "{fingerprint} is the fingerprint of a whole certificate, and none of those given: give the certificate, \
         so that its key can be pinned"
    )]
    UnknownCertificate {
        /// The fingerprint.
        fingerprint: Sha256Digest,
    },
    /// Pins of one host end at different instants, and a pin set has one end.
    #[error(
        "it ends at another instant than another one of the same name, and a pin set has one end: read them one by \
         one, or take out the one that ends first"
    )]
    SeveralEnds,
}

impl FormProblem {
    /// With the place where it stands.
    pub(super) const fn at(self, place: FormPlace) -> FormReadError {
        FormReadError {
            place,
            problem: self,
        }
    }

    pub(super) fn syntax(reason: impl fmt::Display) -> Self {
        Self::Syntax {
            reason: quoted(&reason.to_string(), 200),
        }
    }

    pub(super) fn unexpected(found: &str, expected: &'static str) -> Self {
        let found = quoted(found, 80);
        Self::Unexpected { found, expected }
    }

    pub(super) fn repeated(what: &str) -> Self {
        Self::Repeated {
            what: quoted(what, 80),
        }
    }
}

impl FormPlace {
    /// A part of a path, so that nobody's name makes it long or writes lines.
    pub(super) fn path(text: &str) -> Self {
        Self::Path(quoted(text, 200))
    }
}
