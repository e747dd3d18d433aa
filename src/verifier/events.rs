//! What observers are told of peers: from what was made of a peer to events, each matter once, and
//! again at its interval. Nothing here decides anything.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bounds::PresentedError;
use super::dates::{DateFault, DateRefusal, DatesAssessment};
use super::epoch::Epoch;
use super::grace::GraceUse;
use super::judgement::{Assessment, PresentedLeaf, WrapperRefusal};
use super::messages;
use super::peer::{OwnedPeer, Peer};
use super::pin_statements::{PinStatement, pin_code, pin_statements, shown_subject};
#[cfg(feature = "ocsp")]
use super::staple::StapleAssessment;
use super::unproven::UnprovenCounts;
#[cfg(feature = "json")]
use crate::alert::SavedStateError;
use crate::alert::{Matter, Transitions};
use crate::cert::{Certificate, CertificateParseError, Sha256Digest};
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::identity::IdentityError;
use crate::observer::Outbox;
use crate::outlook::{Position, Refusal};
use crate::policy::{Band, ThresholdPolicy};
#[cfg(feature = "ocsp")]
use crate::revocation::{StapleOutlook, StapleStatus};

/// Tells of the peers of one wrapper.
#[derive(Debug)]
pub(super) struct PeerEvents {
    role: Role,
    policy: ThresholdPolicy,
    outbox: Outbox,
    transitions: Mutex<Transitions>,
    unproven: UnprovenCounts,
    /// Whether it was told that nobody guards the sessions.
    sessions_told: AtomicBool,
    /// The epoch of the trust of which it was told last that it leads nowhere.
    anchors_told: AtomicU64,
}

/// A matter that is to be told now, the band that was told before, and the one now.
struct PeerNews {
    matter: Matter,
    before: Option<Band>,
    band: Band,
}

impl PeerEvents {
    pub(super) fn new(
        role: Role,
        policy: ThresholdPolicy,
        outbox: Outbox,
        transitions: Transitions,
    ) -> Self {
        Self {
            role,
            policy,
            outbox,
            transitions: Mutex::new(transitions),
            unproven: UnprovenCounts::default(),
            sessions_told: AtomicBool::new(false),
            // No epoch is as late.
            anchors_told: AtomicU64::new(u64::MAX),
        }
    }

    /// Everything that is worth saying of a peer that the inner verifier accepted and that is known
    /// to be who it says.
    pub(super) fn tell_assessment(&self, peer: &Peer<'_>, assessment: &Assessment) {
        if let Some(pins) = &assessment.pins {
            for statement in pin_statements(peer, assessment, pins, &self.policy) {
                self.say(peer, statement);
            }
            if pins.enforced_refusal().is_some() {
                return;
            }
        }
        match &assessment.leaf {
            PresentedLeaf::Certificate(leaf) => {
                #[cfg(feature = "ocsp")]
                self.tell_staple(peer, leaf, &assessment.staple);
                let dates = assessment.dates.as_ref();
                if let Some(dates) = dates.filter(|_| assessment.refusal().is_none()) {
                    self.tell_dates(peer, leaf, dates);
                    if let Some(refusal) = &dates.led_nowhere {
                        self.tell_anchors_do_not_lead(peer, refusal, assessment.epoch);
                    }
                }
            }
            PresentedLeaf::Unreadable(error) => self.tell_unreadable(peer, error),
            PresentedLeaf::RawPublicKey => {}
        }
    }

    /// Pins or the staple refused a peer that the inner verifier accepted. One that is known to be
    /// who it says is told of in full, a stranger by number.
    pub(super) fn tell_refused(&self, peer: &Peer<'_>, assessment: &Assessment, is_known: bool) {
        if is_known {
            self.tell_assessment(peer, assessment);
            return;
        }
        let by_pins = match assessment.refusal() {
            Some(WrapperRefusal::ByPins(refusal)) => Some(refusal),
            _ => None,
        };
        let code = by_pins.map_or(EventCode::StapleNotGood, pin_code);
        self.tell_by_number(peer, code, || {
            let message = match by_pins {
                Some(refusal) => refusal.to_string(),
                None => messages::refused_by_staple(peer, assessment),
            };
            let event = self.event(peer, code, Severity::Unproven, message);
            event
                .with_subject(shown_subject(peer, assessment))
                .with_bands(None, Band::Broken)
        });
    }

    /// The inner verifier refused a peer for dates: says which certificate's.
    pub(super) fn tell_refused_for_dates(
        &self,
        peer: &Peer<'_>,
        refusal: DateRefusal,
        is_known: bool,
    ) {
        let Some(fault) = DateFault::find(peer, refusal) else {
            return;
        };
        let (code, band) = (fault.code, fault.band);
        let message = |name: &str, subject: &Subject| {
            messages::refused_for_dates(name, self.role, band, subject)
        };
        if !is_known {
            self.tell_by_number(peer, code, || {
                let message = message(peer.met_as(), &fault.subject);
                let event = self.event(peer, code, Severity::Unproven, message);
                event.with_subject(fault.subject).with_bands(None, band)
            });
        } else if let Some(news) = self.news(peer, code, fault.subject.sha256, band) {
            let message = message(&peer.name(), &fault.subject);
            let event = self.own_event(peer, code, Severity::Critical, message);
            self.deliver(event.with_subject(fault.subject), news);
        }
    }

    /// A peer presented more than the bounds allow.
    pub(super) fn tell_too_much(&self, peer: &Peer<'_>, error: &PresentedError) {
        let code = EventCode::PeerPresentedTooMuch;
        self.tell_by_number(peer, code, || {
            let message = format!("{} was refused: {error}", peer.met_as());
            self.event(peer, code, Severity::Unproven, message)
        });
    }

    /// The inner verifier accepted a peer whose leaf does not say who it is.
    pub(super) fn tell_unidentified(&self, peer: &Peer<'_>, error: &IdentityError) {
        let code = EventCode::PeerUnidentified;
        self.tell_by_number(peer, code, || {
            let message = format!("{} was refused: {error}", peer.met_as());
            let leaf = peer.leaf_certificate().ok().filter(|_| !peer.raw);
            let subject = leaf.map(|leaf| Subject::of(&leaf, Position::Leaf));
            self.event(peer, code, Severity::Unproven, message)
                .with_subject(subject)
        });
    }

    /// An accepted peer failed to prove that it has the key, or was given up.
    pub(super) fn tell_unproven(&self, peer: &OwnedPeer) {
        let met = peer.as_met();
        self.tell_by_number(&met, EventCode::PeerUnproven, || self.unproven_event(&met));
    }

    /// A handshake needed the grace. Told of every time, for it is a relaxation.
    pub(super) fn tell_grace(&self, peer: &Peer<'_>, grace: &GraceUse) {
        let message = messages::within_grace(peer, grace);
        let event = self.own_event(peer, EventCode::PinGraceUsed, Severity::Critical, message);
        let subject = Subject::of(&grace.leaf, Position::Leaf);
        self.outbox
            .deliver(&event.with_subject(subject).with_bands(None, Band::Expired));
    }

    /// A peer was accepted by pins, and nobody guards the sessions of this wrapper. Told of once.
    pub(super) fn tell_sessions_unguarded(&self, peer: &Peer<'_>) {
        if self.sessions_told.swap(true, Ordering::Relaxed) {
            return;
        }
        let message = messages::sessions_unguarded(&peer.name(), self.role);
        let code = EventCode::SessionsUnguarded;
        self.outbox
            .deliver(&self.own_event(peer, code, Severity::Warning, message));
    }

    /// Counts a peer whose proof is awaited; hands back the event where it is time to tell.
    pub(super) fn count_unproven(&self, peer: &OwnedPeer) -> Option<Event> {
        let met = peer.as_met();
        let make = || self.unproven_event(&met);
        self.unproven.count(EventCode::PeerUnproven, met.at(), make)
    }

    /// Tells these, and what was only counted so far, then waits for the observers.
    pub(super) fn flush(&self, first: Vec<Event>, patience: Duration) -> bool {
        for event in first.into_iter().chain(self.unproven.take_waiting()) {
            self.outbox.deliver(&event);
        }
        self.outbox.flush(patience)
    }

    /// Whether anything was told of this leaf's end.
    pub(super) fn has_told_of(&self, peer: &Peer<'_>) -> bool {
        let leaf = Sha256Digest::of(peer.leaf);
        let matter = self.matter(peer, EventCode::PeerExpiring, leaf);
        self.transitions().band(&matter).is_some()
    }

    /// How many times an observer panicked instead of observing.
    pub(super) fn panics(&self) -> u64 {
        self.outbox.panics()
    }

    /// How many events were dropped because an observer's queue was full.
    pub(super) fn lost(&self) -> u64 {
        self.outbox.lost()
    }

    /// How many matters were forgotten for lack of room.
    pub(super) fn evictions(&self) -> u64 {
        self.transitions().evictions()
    }

    #[cfg(feature = "json")]
    pub(super) fn save(&self) -> String {
        self.transitions().save()
    }

    #[cfg(feature = "json")]
    pub(super) fn restore(&self, saved: &str) -> Result<(), SavedStateError> {
        self.transitions().restore_from(saved)
    }

    fn tell_dates(&self, peer: &Peer<'_>, leaf: &Certificate, dates: &DatesAssessment) {
        // One standing for each leaf: what ends its chain may change without being news.
        let (band, code) = (dates.band, EventCode::PeerExpiring);
        let Some(news) = self.news(peer, code, leaf.fingerprint(), band) else {
            return;
        };
        let code = match band {
            Band::Ok => EventCode::PeerRecovered,
            _ => code,
        };
        let message = messages::nears_its_end(peer, dates);
        let event = self.own_event(peer, code, Severity::of_band(band), message);
        let event = event
            .with_subject(dates.subject.clone())
            .with_threshold_seconds(dates.threshold)
            .with_reach(dates.reach);
        self.deliver(event, news);
    }

    /// The wrapper's anchors do not lead to what the inner verifier accepted. Told of once for each
    /// epoch of the trust.
    fn tell_anchors_do_not_lead(&self, peer: &Peer<'_>, refusal: &Refusal, epoch: Epoch) {
        if self.anchors_told.swap(epoch.trust, Ordering::Relaxed) == epoch.trust {
            return;
        }
        let message = messages::anchors_do_not_lead(&peer.name(), refusal);
        let code = EventCode::AnchorsDoNotLead;
        self.outbox
            .deliver(&self.own_event(peer, code, Severity::Warning, message));
    }

    /// Tells of a staple that is not good.
    #[cfg(feature = "ocsp")]
    fn tell_staple(&self, peer: &Peer<'_>, leaf: &Certificate, staple: &StapleAssessment) {
        let outlook = staple.outlook.as_ref();
        let band = match outlook {
            _ if staple.refusal.is_some() => Band::Broken,
            Some(outlook) if matches!(outlook.status, StapleStatus::Revoked { .. }) => Band::Broken,
            Some(outlook) if !outlook.is_good() => Band::Warning,
            _ => Band::Ok,
        };
        let code = EventCode::StapleNotGood;
        let Some(news) = self.news(peer, code, leaf.fingerprint(), band) else {
            return;
        };
        let code = match band {
            Band::Ok => EventCode::StapleRecovered,
            _ => code,
        };
        let left = outlook.and_then(StapleOutlook::good_until);
        let message = messages::staple(peer, staple, band);
        let event = self.own_event(peer, code, Severity::of_band(band), message);
        let event = event
            .with_subject(Subject::of(leaf, Position::Leaf))
            .with_time_left_seconds(left.map(|end| end.seconds_since(peer.at())));
        self.deliver(event, news);
    }

    fn tell_unreadable(&self, peer: &Peer<'_>, error: &CertificateParseError) {
        let code = EventCode::PeerUnreadable;
        let sha256 = Sha256Digest::of(peer.leaf);
        if let Some(news) = self.news(peer, code, sha256, Band::Warning) {
            let name = peer.name();
            let message = format!("{name} was accepted, but its leaf's dates are unknown: {error}");
            let event = self.own_event(peer, code, Severity::Warning, message);
            self.deliver(event, news);
        }
    }

    /// Says it if it is news, or due again; nothing of what is ok.
    fn say(&self, peer: &Peer<'_>, statement: PinStatement) {
        let PinStatement {
            code,
            sha256,
            band,
            subject,
            message,
        } = statement;
        let news = self.news(peer, code, sha256, band);
        let Some(news) = news.filter(|_| band != Band::Ok) else {
            return;
        };
        let event = self.own_event(peer, code, Severity::of_band(band), message);
        self.deliver(event.with_subject(subject), news);
    }

    /// Counts a peer that proved nothing, and tells how many of its kind there were.
    fn tell_by_number(&self, peer: &Peer<'_>, code: EventCode, make: impl FnOnce() -> Event) {
        if let Some(event) = self.unproven.count(code, peer.at(), make) {
            self.outbox.deliver(&event);
        }
    }

    fn unproven_event(&self, peer: &Peer<'_>) -> Event {
        let leaf = Certificate::from_der(peer.leaf).ok();
        let message = messages::unproven(peer, leaf.as_ref());
        let subject = leaf.map(|leaf| Subject::of(&leaf, Position::Leaf));
        self.event(peer, EventCode::PeerUnproven, Severity::Unproven, message)
            .with_subject(subject)
    }

    fn news(
        &self,
        peer: &Peer<'_>,
        code: EventCode,
        sha256: Sha256Digest,
        band: Band,
    ) -> Option<PeerNews> {
        let matter = self.matter(peer, code, sha256);
        let telling = self
            .transitions()
            .observe(matter.clone(), band, peer.at())?;
        Some(PeerNews {
            matter,
            before: telling.before,
            band,
        })
    }

    fn deliver(&self, event: Event, news: PeerNews) {
        let event = event.with_matter(news.matter);
        self.outbox
            .deliver(&event.with_bands(news.before, news.band));
    }

    fn matter(&self, peer: &Peer<'_>, code: EventCode, sha256: Sha256Digest) -> Matter {
        Matter::new(code, self.role)
            .with_name(peer.known_as().map(Cow::into_owned))
            .with_sha256(sha256)
    }

    /// An event of a peer that proved that it is who it says.
    fn own_event(
        &self,
        peer: &Peer<'_>,
        code: EventCode,
        severity: Severity,
        message: String,
    ) -> Event {
        let event = self.event(peer, code, severity, message);
        event.with_identity(peer.identity().cloned())
    }

    fn event(
        &self,
        peer: &Peer<'_>,
        code: EventCode,
        severity: Severity,
        message: String,
    ) -> Event {
        let host = peer.host.map(str::to_owned);
        Event::new(peer.at(), code, severity, self.role, message).with_host(host)
    }

    fn transitions(&self) -> MutexGuard<'_, Transitions> {
        // No code of ours panics under the lock, and the state is whole between any two calls.
        self.transitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
