//! An announcement that enough keys signed.

use std::fmt;

use super::replay::{for_hosts_of, let_rule};
use super::{
    Algorithms, Announcement, AnnouncementError, Arrival, Authority, Counted, Envelope, Handover,
    RotationState, WhenEmpty, apply,
};
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

/// An envelope whose payload was read after its signatures were counted.
pub(crate) struct SignedAnnouncement {
    bytes: Vec<u8>,
    payload: Sha256Digest,
    announcement: Announcement,
    handovers: Vec<Handover>,
    signed: Counted,
}

impl SignedAnnouncement {
    /// Believes nothing of the payload before the authority's threshold is reached, or that of one to
    /// which the authority has handed over by what came along.
    pub(crate) fn open(
        bytes: &[u8],
        authority: &Authority,
        algorithms: Algorithms,
    ) -> Result<Self, AnnouncementError> {
        let envelope = Envelope::parse(bytes)?;
        let signed = Counted::new(envelope.clone(), algorithms);
        let (signers, needed) = (signed.count(authority), authority.threshold());
        let mut handovers = Vec::new();
        if signers < needed {
            let (found, successor) = Handover::open(&envelope, authority, algorithms);
            if signed.count(&successor) < successor.threshold() {
                envelope.require(signers, needed)?;
            }
            handovers = found;
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            payload: Sha256Digest::of(envelope.payload()),
            announcement: Announcement::from_json(envelope.payload())?,
            handovers,
            signed,
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    pub(crate) const fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// The same as it is kept: with the signatures alone by which it is judged. Others cost each time
    /// that it is read, and whoever carries it can add some.
    pub(crate) fn trimmed(self, before: &RotationState, now: Timestamp) -> Self {
        let next = before.next_authority().map(|(next, _)| next);
        let handovers = self.handovers.iter();
        let named = handovers.filter_map(|handover| handover.announcement.authority.as_ref());
        let authorities = [
            Some(before.authority_at(now)),
            next,
            self.announcement.authority.as_ref(),
        ];
        let keys = authorities
            .into_iter()
            .flatten()
            .chain(named)
            .flat_map(Authority::keys);
        let handovers: Vec<_> = self.handovers.iter().map(|h| h.payload).collect();
        let envelope = self.signed.trimmed(&keys.cloned().collect(), &handovers);
        Self {
            bytes: envelope.to_json(),
            ..self
        }
    }

    /// Whether it is the announcement in force, in whatever envelope.
    pub(crate) fn is_in_force(&self, state: &RotationState) -> bool {
        state.is_in_force(&self.payload)
    }

    /// Applies it.
    pub(crate) fn apply_to(
        &self,
        before: &RotationState,
        now: Timestamp,
    ) -> Result<RotationState, AnnouncementError> {
        self.apply(before, &self.announcement, WhenEmpty::Refuse, now)
    }

    /// Applies it once more, as it was applied at `now`, first seen then or later, and under the
    /// authority with this fingerprint; perhaps on another floor or with another hold-down: what was
    /// applied holds as far as it can.
    pub(crate) fn apply_again(
        &self,
        before: &RotationState,
        now: Timestamp,
        first_sight: Timestamp,
        ruled: Option<Sha256Digest>,
    ) -> Result<RotationState, AnnouncementError> {
        let mut before = before.clone();
        before.was_seen(first_sight, self.announcement.expires);
        let_rule(&mut before, self, now, ruled);
        let fitting = for_hosts_of(&before, &self.announcement);
        self.apply(&before, &fitting, WhenEmpty::KeepAccepted, now)
    }

    fn apply(
        &self,
        before: &RotationState,
        announcement: &Announcement,
        when_empty: WhenEmpty,
        now: Timestamp,
    ) -> Result<RotationState, AnnouncementError> {
        let arrival = Arrival {
            announcement,
            payload: self.payload,
            signers: &|authority| self.signers(authority),
            handovers: &self.handovers,
        };
        apply(before, arrival, when_empty, now)
    }

    pub(super) fn signers(&self, authority: &Authority) -> usize {
        self.signed.count(authority)
    }
}

impl fmt::Debug for SignedAnnouncement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedAnnouncement")
            .field("payload", &self.payload)
            .field("announcement", &self.announcement)
            .finish_non_exhaustive()
    }
}
