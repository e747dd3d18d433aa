//! What is known of why a connection failed, as data.

use crate::outlook::Position;
use crate::pin::PinError;
use crate::time::{ClockSuspicion, Timestamp};
use crate::verifier::{PresentedError, RefusalReason};

/// Why a connection failed. Printed as a sentence that says what to do; [`Explanation::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Whose certificate, key or staple was refused, and so by whom.
    pub whose: Whose,
    /// For what reason, in the words in which verifiers count; `None` where none was refused, and where
    /// none was shown.
    pub reason: Option<RefusalReason>,
    /// What else the error says.
    pub detail: Detail,
    /// Which certificate of the chain it was, where that is known: a name is the leaf's matter, anything
    /// else needs [`Explanation::with_chain`].
    pub position: Option<Position>,
    /// What people call that certificate.
    pub subject: Option<String>,
    /// Why a clock is at fault, rather than a certificate.
    pub clock: Option<ClockDoubt>,
    pub(super) code: &'static str,
    /// The sentence for an alert, which needs nothing else.
    pub(super) sentence: Option<&'static str>,
}

/// Whose certificate, key or staple was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Whose {
    /// The peer's: it was refused here, by this machine's clock, trust anchors, lists and pins.
    Peer,
    /// Our own: the peer refused it, by its clock and by what it trusts.
    Own,
    /// Nobody's: the two do not speak TLS with each other.
    Neither,
}

impl Whose {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Own => "own",
            Self::Neither => "neither",
        }
    }
}

/// What an error says besides its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// Nothing.
    Nothing,
    /// When the certificate expired, and at which instant it was judged.
    Expired {
        /// Its last good second.
        not_after: Timestamp,
        /// The instant, by the clock of whoever judged.
        at: Timestamp,
    },
    /// When the certificate begins, and at which instant it was judged.
    NotYetValid {
        /// Its first good second.
        not_before: Timestamp,
        /// The instant, by the clock of whoever judged.
        at: Timestamp,
    },
    /// Before when a revocation list was to be replaced, and at which instant it was judged.
    CrlExpired {
        /// Its nextUpdate.
        next_update: Timestamp,
        /// The instant, by this machine's clock.
        at: Timestamp,
    },
    /// Which name was asked for, and which the leaf has.
    Names {
        /// The name that the connection was made to.
        expected: String,
        /// Those of the leaf.
        presented: Vec<String>,
    },
    /// Which extended key usage was needed, and which there is.
    Usages {
        /// The one that was needed.
        required: String,
        /// Those of the certificate.
        presented: Vec<String>,
    },
    /// How pins refused it.
    Pin(PinError),
    /// Which bound does not hold.
    Presented(PresentedError),
    /// The alert that the peer sent, by its number (RFC 8446, 6.2, and the registry of IANA).
    Alert(u8),
    /// What rustls, or a verifier, says in its own words.
    Words(String),
}

/// Why a clock is at fault, rather than a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockDoubt {
    /// This machine's is wrong.
    Own(ClockSuspicion),
    /// The peer's may be: by this machine's, the whole chain that it refused is within its dates.
    Peer {
        /// What this machine's clock says.
        at: Timestamp,
    },
}

impl Explanation {
    pub(super) const fn new(whose: Whose, code: &'static str) -> Self {
        Self {
            whose,
            reason: None,
            detail: Detail::Nothing,
            position: None,
            subject: None,
            clock: None,
            code,
            sentence: None,
        }
    }

    /// A peer that was refused here.
    pub(super) const fn of_peer(reason: RefusalReason, detail: Detail) -> Self {
        Self {
            whose: Whose::Peer,
            reason: Some(reason),
            detail,
            position: None,
            subject: None,
            clock: None,
            code: reason.code_of_peer(),
            sentence: None,
        }
    }

    pub(super) fn with_words(mut self, words: String) -> Self {
        self.detail = Detail::Words(words);
        self
    }

    /// The stable code, in snake case: `peer_expired`, `own_expired`, `pin_mismatch`, ... Codes of peers
    /// that were refused are those of their events, where there is one.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}
