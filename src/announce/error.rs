//! Why an announcement is not applied.

use thiserror::Error;

use crate::pin::{PinPosition, SpkiPin};
use crate::text::visible;
use crate::time::Timestamp;

/// Why an announcement was refused. The pins in force stay as they were.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnnouncementError {
    /// The envelope is larger than any announcement needs to be.
    #[error(
        "the announcement has more than {limit} bytes ({bytes}): name fewer pins, or shorter labels"
    )]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The bytes do not follow the format.
    #[error("{place}: {reason}; docs/ANNOUNCEMENTS.md gives the format")]
    Malformed {
        /// Where, like `payload.pin_sets[0].pins[2].state`.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// No signature is one of the keys that may announce.
    #[error(
        "none of the {signatures} signatures was made over these bytes by a key that may announce: \
         sign it with the authority's keys, or treat this as an attack"
    )]
    BadSignature {
        /// How many signatures the envelope holds.
        signatures: usize,
    },
    /// Fewer distinct keys signed than must.
    #[error(
        "{found} of the keys that may announce signed it, {needed} must: add signatures of other keys"
    )]
    Threshold {
        /// How many distinct keys signed.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// The announcement says that it is an emergency, and too few signed it for that.
    #[error(
        "it says that it is an emergency, which {} keys that may announce must sign, and {found} did: \
         add signatures of other keys, or treat this as an attack", needed_in_words(*.needed)
    )]
    EmergencyThreshold {
        /// How many distinct keys signed.
        found: usize,
        /// How many must; `None` where the authority has no emergency threshold.
        needed: Option<usize>,
    },
    /// The announcement was made for another product.
    #[error(
        "it was made for the product '{announced}', this is '{product}': publish it where only that product looks"
    )]
    OtherProduct {
        /// Its product, with invisible characters escaped.
        announced: String,
        /// The floor's product.
        product: String,
    },
    /// Two announcements were signed for one version.
    #[error(
        "another announcement of the same version {version} is in force: find out who signed which, \
         and announce what is right with a higher version"
    )]
    Forked {
        /// The version of both.
        version: u64,
    },
    /// The version is not above the one in force.
    #[error(
        "its version {version} is not above {in_force}, the one in force: announce with a higher version"
    )]
    Rollback {
        /// The announcement's version.
        version: u64,
        /// The version in force.
        in_force: u64,
    },
    /// The version rises so far that it could be meant to block all that follow.
    #[error(
        "its version {version} is more than {limit} above {in_force}, the one in force: announce with a version nearer to it"
    )]
    FastForward {
        /// The announcement's version.
        version: u64,
        /// The version in force.
        in_force: u64,
        /// By how much a version may rise.
        limit: u64,
    },
    /// The announcement was issued in the future.
    #[error(
        "it was issued at {issued}, which is {} s after {now}: if the clock here is right, announce again later",
        .issued.seconds_since(*.now)
    )]
    NotYetIssued {
        /// When it says that it was issued.
        issued: Timestamp,
        /// The instant of judgement.
        now: Timestamp,
    },
    /// The announcement is too old to be applied.
    #[error("it could be applied until {expires}, {} s before {now}: announce again", .now.seconds_since(*.expires))]
    Expired {
        /// The last second at which it could be applied.
        expires: Timestamp,
        /// The instant of judgement.
        now: Timestamp,
    },
    /// The announcement names a host that the floor does not.
    #[error("it names the host '{host}', which is not compiled in: announcements cannot add hosts")]
    UnknownHost {
        /// The host.
        host: String,
    },
    /// The announcement names a host twice.
    #[error("it names the host '{host}' more than once: put each host into one set")]
    DuplicateHost {
        /// The host.
        host: String,
    },
    /// The announcement would leave a host without a pin that is accepted now.
    #[error(
        "it would leave '{host}' without a pin that is accepted now: keep an accepted pin until the new one's hold-down is over"
    )]
    EmptySet {
        /// The host.
        host: String,
    },
    /// The announcement would let a key count in more places of a path than before.
    #[error(
        "it widens the pin {pin} of '{host}' from position {from} to {to}: pin another key there, or ship a new floor"
    )]
    Widened {
        /// The host.
        host: String,
        /// The pin.
        pin: SpkiPin,
        /// The widest position that it had.
        from: PinPosition,
        /// The position that it was to get.
        to: PinPosition,
    },
    /// The next authority that it names cannot follow the present one.
    #[error("its next authority cannot be taken over: {reason}")]
    Authority {
        /// Why not.
        reason: String,
    },
    /// More digests are rejected than announcements without an emergency may reject.
    #[error(
        "{rejected} digests would be rejected by announcements that are no emergency, {limit} may be: \
         sign it as an emergency, or reject them in a new floor; if nobody here rejected so many, announcing keys are in wrong hands"
    )]
    TooManyRejected {
        /// How many there would be since the last emergency.
        rejected: usize,
        /// How many there may be.
        limit: usize,
    },
    /// What is remembered has grown over what can be kept.
    #[error(
        "what must be remembered since the last emergency has grown to {announcements} announcements with {bytes} bytes, \
         and 128 with {limit} bytes can be kept: list the rejected pins together in one announcement, \
         sign it as an emergency, or ship a new floor"
    )]
    HistoryFull {
        /// How many announcements it would be.
        announcements: usize,
        /// How many bytes it would have.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The file cannot be read.
    #[error("it cannot be read: {reason}")]
    Unreadable {
        /// What the operating system says.
        reason: String,
    },
}

impl AnnouncementError {
    /// The stable code, in snake case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Malformed { .. } => "malformed",
            Self::BadSignature { .. } => "bad_signature",
            Self::Threshold { .. } => "threshold",
            Self::EmergencyThreshold { .. } => "emergency_threshold",
            Self::OtherProduct { .. } => "other_product",
            Self::Forked { .. } => "forked",
            Self::Rollback { .. } => "rollback",
            Self::FastForward { .. } => "fast_forward",
            Self::NotYetIssued { .. } => "not_yet_issued",
            Self::Expired { .. } => "expired",
            Self::UnknownHost { .. } => "unknown_host",
            Self::DuplicateHost { .. } => "duplicate_host",
            Self::EmptySet { .. } => "empty_set",
            Self::Widened { .. } => "widened",
            Self::Authority { .. } => "authority",
            Self::TooManyRejected { .. } => "too_many_rejected",
            Self::HistoryFull { .. } => "history_full",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    pub(super) fn malformed(place: &str, reason: impl Into<String>) -> Self {
        let (place, reason) = (place.to_owned(), visible(&reason.into()));
        Self::Malformed { place, reason }
    }

    pub(super) fn authority(reason: impl Into<String>) -> Self {
        let reason = visible(&reason.into());
        Self::Authority { reason }
    }
}

fn needed_in_words(needed: Option<usize>) -> String {
    needed.map_or_else(
        || "no number of the".to_owned(),
        |needed| needed.to_string(),
    )
}
