//! What a store has to say.

use thiserror::Error;

use super::StateFile;
use crate::announce::{AnnouncementError, RootAnnouncementError};
use crate::cert::NextRootKey;
use crate::pin::{Pin, PinScope, SpkiPin};
use crate::time::Timestamp;

/// Something that a [`PinStore`](crate::PinStore) found or did. Printed as a sentence that says what
/// to do, where there is something to do. [`StoreNotice::to_event`] makes an event of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreNotice {
    /// What was kept is gone, so the compiled-in pins hold again.
    #[error(
        "what was remembered of announced pins is lost, so the compiled-in pins of version {floor} hold: \
         bring the newest announcement again, and look who can write the folder"
    )]
    StateLost {
        /// The floor's version.
        floor: u64,
    },
    /// What was kept grew from a floor that a newer one replaces.
    #[error(
        "what was remembered grew from the compiled-in pins of version {grown_from}, which those of version {floor} replace"
    )]
    StateDiscarded {
        /// The version of the floor that it grew from.
        grown_from: u64,
        /// The version of the floor that holds.
        floor: u64,
    },
    /// What was kept grew from a floor of a lower version: what is newer than the floor was applied
    /// again to it.
    #[error(
        "what was remembered above version {floor} was applied again to the compiled-in pins of that version: version {version} is in force"
    )]
    StateRebased {
        /// The version of the floor that holds.
        floor: u64,
        /// The version in force.
        version: u64,
    },
    /// Something that was kept cannot hold with this floor or configuration. It stays kept.
    #[error(
        "{count} kept announcements, up to version {version}, do not hold with this floor and configuration ({reason}): \
         they stay kept, and what is verified of them goes on rejecting; bring the newest announcement again, \
         or go back to the floor and configuration that they were applied under"
    )]
    StateDoesNotHold {
        /// How many.
        count: usize,
        /// The highest version that one of them claims.
        version: u64,
        /// Why the last of them does not hold.
        reason: AnnouncementError,
    },
    /// Somebody changed what was kept. It was not taken over, and is written again.
    #[error(
        "what lies in the folder does not continue version {in_force}, which is in force, so it was not taken over and is written again: \
         look who can write the folder"
    )]
    StateAltered {
        /// The version in force.
        in_force: u64,
    },
    /// What was kept was seen in the future, or says so.
    #[error(
        "what was remembered was seen until {latest}, {} s after {now}: hold-downs count from there; look at the clock, and who can write the folder",
        .latest.seconds_since(*.now)
    )]
    StateAhead {
        /// The latest instant in it.
        latest: Timestamp,
        /// The instant of opening.
        now: Timestamp,
    },
    /// Others than this process can write what it keeps.
    #[error(
        "others can write the pin state: {reason}; while no process runs they could put older signed state back: \
         give the folder to the service alone (chmod 700)"
    )]
    StateExposed {
        /// Who, or how.
        reason: String,
    },
    /// One copy is unusable. It is written again, unless it cannot even be read.
    #[error(
        "the copy {file} of the pin state cannot be used: {reason}; look who can write the folder, and at the disk"
    )]
    CopyDamaged {
        /// Which copy.
        file: StateFile,
        /// What is wrong with it.
        reason: String,
    },
    /// The disk refuses: what is in force would not survive a restart unharmed.
    #[error(
        "the pins in force are kept in {copies} of 2 copies ({reason}): make the folder writable; it is tried again"
    )]
    NotSaved {
        /// In how many copies they are safe.
        copies: u8,
        /// What the operating system says.
        reason: String,
    },
    /// Nothing keeps announced pins over a restart.
    #[error(
        "announced pins are not kept over a restart, so a hold-down may never end: give the store a folder, or compile the successor in"
    )]
    HoldDownCannotEnd,
    /// An announcement is in force.
    #[error("the announcement of version {version} is in force")]
    Applied {
        /// Its version.
        version: u64,
    },
    /// The announcement in force is an emergency: what it lists counts without a hold-down.
    #[error(
        "the announcement of version {version} is an emergency, signed as one, so its pins count without a hold-down: \
         if nobody here made it, ship a new floor with other announcing keys"
    )]
    Emergency {
        /// Its version.
        version: u64,
    },
    /// Announcements before it never arrived here.
    #[error(
        "the announcement of version {version} follows one that never arrived here (in force was {in_force}): \
         look at announcements more often, or why they do not arrive"
    )]
    AnnouncementsMissed {
        /// Its version.
        version: u64,
        /// The version in force before.
        in_force: u64,
    },
    /// Whoever signed it does not know of the one that was in force.
    #[error(
        "the announcement of version {version} does not follow the one of version {in_force} that was in force here, \
         so two that do not know of each other announce: find out who signed which"
    )]
    HistoryForked {
        /// Its version.
        version: u64,
        /// The version in force before.
        in_force: u64,
    },
    /// None has come since the one in force could be applied for the last time.
    #[error(
        "the announcement of version {version} could be applied until {expires}, and none has come since, so withdrawals may be kept away: \
         announce again, or look why announcements do not arrive"
    )]
    AnnouncementStale {
        /// The version in force.
        version: u64,
        /// Its last second.
        expires: Timestamp,
    },
    /// An announcement was refused.
    #[error("an announcement was refused ({}): {reason}", .reason.code())]
    Refused {
        /// Why.
        reason: AnnouncementError,
    },
    /// Another process applied announcements to the same folder.
    #[error("pins of version {version} were taken over from the folder")]
    TakenOver {
        /// The version that is in force now.
        version: u64,
    },
    /// A pin will count later.
    #[error("'{host}' gets the pin {pin}")]
    SuccessorPending {
        /// For which host.
        host: PinScope,
        /// The pin with the instant from which on it is accepted.
        pin: Pin,
    },
    /// A pin cannot count before another announcement lists it.
    #[error(
        "the pin {} of '{host}' cannot count under this announcement, which ends before the hold-down: announce it again, lasting longer",
        .pin.key
    )]
    SuccessorOutlasts {
        /// For which host.
        host: PinScope,
        /// The pin.
        pin: Pin,
    },
    /// A pin counts once it is listed again after its hold-down, as the store was asked to demand.
    #[error(
        "the pin {} of '{host}' counts once an announcement that is issued after its hold-down lists it again",
        .pin.key
    )]
    SuccessorAwaitsListing {
        /// For which host.
        host: PinScope,
        /// The pin.
        pin: Pin,
    },
    /// A pin is accepted now that was not before.
    #[error("'{host}' accepts the pin {} now", .pin.key)]
    SuccessorDue {
        /// For which host.
        host: PinScope,
        /// The pin.
        pin: Pin,
    },
    /// A successor was named current or backup.
    #[error("the successor {} of '{host}' is {} now", .pin.key, .pin.state)]
    SuccessorPromoted {
        /// For which host.
        host: PinScope,
        /// The pin.
        pin: Pin,
    },
    /// A successor is no longer one.
    #[error("the successor {} of '{host}' was withdrawn", .pin.key)]
    SuccessorWithdrawn {
        /// For which host.
        host: PinScope,
        /// The pin as it was.
        pin: Pin,
    },
    /// One key is left that is accepted.
    #[error("'{host}' has one usable pin left, {}: announce a backup", .pin.key)]
    OneUsablePinLeft {
        /// For which host.
        host: PinScope,
        /// The pin.
        pin: Pin,
    },
    /// A pinned root names its next key, which will count later.
    #[error(
        "the pinned root '{root}' names its next key, {pin}, which counts from {from} on: issue a newer certificate of that root if this is not meant"
    )]
    RootKeyPending {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// The pin that was made of it.
        pin: SpkiPin,
        /// From which second on it counts, where the root's own pin does.
        from: Timestamp,
    },
    /// A pinned root names its next key by a hash that is no pin.
    #[error(
        "the pinned root '{root}' names its next key by {next}, which can be a pin once that key is seen, and counts from {from} on: show a certificate of the next root"
    )]
    RootKeyAwaited {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// From which second on it could count.
        from: Timestamp,
    },
    /// A root's next key cannot count, for the root's certificate ends before.
    #[error(
        "the next key {next} of '{root}' cannot count, for the root's certificate ends at {not_after}, before the hold-down: pin the next root itself"
    )]
    RootKeyOutlasts {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// The certificate's last second.
        not_after: Timestamp,
    },
    /// A root names a next key that the pins retire or reject.
    #[error(
        "the pinned root '{root}' names its next key, {pin}, which is retired or rejected here, so it never counts: ask whoever runs that root"
    )]
    RootKeyOverruled {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// The pin.
        pin: SpkiPin,
    },
    /// A root's next key is accepted now.
    #[error("the next key of the pinned root '{root}', {pin}, is accepted now")]
    RootKeyDue {
        /// What the root is called.
        root: String,
        /// What its certificate says.
        next: NextRootKey,
        /// The pin.
        pin: SpkiPin,
    },
    /// A root names its next key no longer, another one, or is not pinned any more.
    #[error(
        "the next key {next} of '{root}' counts no longer: the root withdrew it, or its pin is retired or rejected"
    )]
    RootKeyWithdrawn {
        /// What the root is called.
        root: String,
        /// What its certificate said.
        next: NextRootKey,
    },
    /// A certificate announced no root's next key.
    #[error("a root's certificate announces nothing ({}): {reason}", .reason.code())]
    RootRefused {
        /// Why not.
        reason: RootAnnouncementError,
    },
    /// What was kept of roots is gone, so their next keys are held down anew.
    #[error(
        "what was remembered of pinned roots and their next keys is lost, so hold-downs begin anew: \
         show the roots' certificates again, pin next roots that are in use already, and look who can write the folder"
    )]
    RootStateLost,
    /// Other keys will announce.
    #[error(
        "from {from} on, other keys announce: withdraw this with a new announcement if it is not meant"
    )]
    AuthorityPending {
        /// From which second on.
        from: Timestamp,
    },
    /// Other keys announce.
    #[error("other keys announce from now on")]
    AuthorityChanged,
    /// No other keys will announce.
    #[error("the next authority was withdrawn")]
    AuthorityWithdrawn,
}

impl From<RootAnnouncementError> for StoreNotice {
    fn from(reason: RootAnnouncementError) -> Self {
        Self::RootRefused { reason }
    }
}

impl From<AnnouncementError> for StoreNotice {
    fn from(reason: AnnouncementError) -> Self {
        Self::Refused { reason }
    }
}
