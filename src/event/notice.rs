//! What a pin store has to say, as events.

use super::{Event, EventCode, Role, Severity, Subject};
use crate::announce::{RootAnnouncementError, StoreNotice};
use crate::outlook::Position;
use crate::pin::{Pin, PinPosition, PinScope, SpkiPin};
use crate::time::Timestamp;

impl StoreNotice {
    /// The stable code, in snake case: that of its event.
    pub const fn as_str(&self) -> &'static str {
        self.code().as_str()
    }

    const fn code(&self) -> EventCode {
        match self {
            Self::StateLost { .. } => EventCode::StateLost,
            Self::StateDiscarded { .. } => EventCode::StateDiscarded,
            Self::StateRebased { .. } => EventCode::StateRebased,
            Self::StateDoesNotHold { .. } => EventCode::StateDoesNotHold,
            Self::StateAltered { .. } => EventCode::StateAltered,
            Self::StateAhead { .. } => EventCode::StateAhead,
            Self::StateExposed { .. } => EventCode::StateExposed,
            Self::CopyDamaged { .. } => EventCode::StateCopyDamaged,
            Self::NotSaved { .. } => EventCode::StateNotSaved,
            Self::HoldDownCannotEnd => EventCode::HoldDownCannotEnd,
            Self::Applied { .. } => EventCode::AnnouncementApplied,
            Self::Emergency { .. } => EventCode::AnnouncementEmergency,
            Self::AnnouncementStale { .. } => EventCode::AnnouncementStale,
            Self::AnnouncementsMissed { .. } => EventCode::AnnouncementMissed,
            Self::HistoryForked { .. } => EventCode::AnnouncementForked,
            Self::Refused { .. } => EventCode::AnnouncementRefused,
            Self::TakenOver { .. } => EventCode::AnnouncementTakenOver,
            Self::SuccessorPending { .. } => EventCode::PinSuccessorPending,
            Self::SuccessorOutlasts { .. } => EventCode::PinSuccessorOutlasts,
            Self::SuccessorAwaitsListing { .. } => EventCode::PinSuccessorAwaitsListing,
            Self::SuccessorDue { .. } => EventCode::PinSuccessorDue,
            Self::SuccessorPromoted { .. } => EventCode::PinSuccessorPromoted,
            Self::SuccessorWithdrawn { .. } => EventCode::PinSuccessorWithdrawn,
            Self::OneUsablePinLeft { .. } => EventCode::PinOnlyOneUsable,
            Self::RootKeyPending { .. } => EventCode::PinSuccessorPending,
            Self::RootKeyAwaited { .. } => EventCode::PinSuccessorAwaitsKey,
            Self::RootKeyOutlasts { .. } => EventCode::PinSuccessorOutlasts,
            Self::RootKeyDue { .. } => EventCode::PinSuccessorDue,
            Self::RootKeyWithdrawn { .. } => EventCode::PinSuccessorWithdrawn,
            Self::RootRefused {
                reason: RootAnnouncementError::Conflict { .. },
            } => EventCode::AnnouncementForked,
            Self::RootRefused { .. } | Self::RootKeyOverruled { .. } => {
                EventCode::AnnouncementRefused
            }
            Self::RootStateLost => EventCode::StateLost,
            Self::AuthorityPending { .. } => EventCode::AuthorityPending,
            Self::AuthorityChanged => EventCode::AuthorityChanged,
            Self::AuthorityWithdrawn => EventCode::AuthorityWithdrawn,
        }
    }

    const fn severity(&self) -> Severity {
        match self {
            Self::StateLost { .. } | Self::RootStateLost | Self::NotSaved { copies: 0, .. } => {
                Severity::Critical
            }
            Self::CopyDamaged { .. }
            | Self::StateDoesNotHold { .. }
            | Self::StateAltered { .. }
            | Self::StateAhead { .. }
            | Self::StateExposed { .. }
            | Self::NotSaved { .. }
            | Self::HoldDownCannotEnd
            | Self::Refused { .. }
            | Self::Emergency { .. }
            | Self::HistoryForked { .. }
            | Self::AnnouncementStale { .. }
            | Self::SuccessorOutlasts { .. }
            | Self::RootKeyOutlasts { .. }
            | Self::RootRefused { .. }
            | Self::RootKeyOverruled { .. }
            | Self::OneUsablePinLeft { .. }
            | Self::AuthorityPending { .. }
            | Self::AuthorityChanged => Severity::Warning,
            Self::StateDiscarded { .. }
            | Self::StateRebased { .. }
            | Self::Applied { .. }
            | Self::AnnouncementsMissed { .. }
            | Self::TakenOver { .. }
            | Self::SuccessorPending { .. }
            | Self::RootKeyPending { .. }
            | Self::RootKeyAwaited { .. }
            | Self::RootKeyDue { .. }
            | Self::RootKeyWithdrawn { .. }
            | Self::SuccessorAwaitsListing { .. }
            | Self::SuccessorDue { .. }
            | Self::SuccessorPromoted { .. }
            | Self::SuccessorWithdrawn { .. }
            | Self::AuthorityWithdrawn => Severity::Info,
        }
    }

    /// The host and pin that it is about, if any.
    const fn pin(&self) -> Option<(&PinScope, &Pin)> {
        match self {
            Self::SuccessorPending { host, pin }
            | Self::SuccessorOutlasts { host, pin }
            | Self::SuccessorAwaitsListing { host, pin }
            | Self::SuccessorDue { host, pin }
            | Self::SuccessorPromoted { host, pin }
            | Self::SuccessorWithdrawn { host, pin }
            | Self::OneUsablePinLeft { host, pin } => Some((host, pin)),
            _ => None,
        }
    }

    /// The root's next key that it is about, if any.
    const fn root_key(&self) -> Option<&SpkiPin> {
        match self {
            Self::RootKeyPending { pin, .. }
            | Self::RootKeyOverruled { pin, .. }
            | Self::RootKeyDue { pin, .. } => Some(pin),
            _ => None,
        }
    }

    /// The event that tells it.
    ///
    /// # How do I send what the store says to my observer?
    /// ```
    /// use notafter::announce::{AnnouncementError, StoreNotice};
    /// use notafter::{Observer, PinStore, Timestamp};
    /// fn carry(store: &PinStore, envelope: &[u8], now: Timestamp, observer: &dyn Observer) {
    ///     let notices = match store.apply(envelope, now) {
    ///         Ok(applied) => applied.notices,
    ///         Err(refused) => vec![StoreNotice::from(refused)],
    ///     };
    ///     for notice in notices {
    ///         observer.observe(&notice.to_event(now));
    ///     }
    /// }
    /// ```
    pub fn to_event(&self, now: Timestamp) -> Event {
        let role = match (self.pin(), self.root_key()) {
            (None, None) => Role::Announcement,
            _ => Role::Pin,
        };
        let event = Event::new(now, self.code(), self.severity(), role, self.to_string());
        if let Some(key) = self.root_key() {
            return event.with_subject(Subject::of_pin(key, Position::Anchor, None));
        }
        let Some((host, pin)) = self.pin() else {
            return event;
        };
        let position = match pin.position {
            PinPosition::Leaf | PinPosition::Any => Position::Leaf,
            PinPosition::Ca => Position::Intermediate(0),
            PinPosition::Anchor => Position::Anchor,
        };
        let subject = Subject::of_pin(&pin.key, position, None);
        event.with_host(host.to_string()).with_subject(subject)
    }
}
