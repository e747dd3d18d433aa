//! An announcement that enough keys signed.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::replay::{for_hosts_of, let_rule};
use super::{
    Algorithms, Announcement, AnnouncementError, Arrival, Authority, Envelope, RotationState,
    WhenEmpty, apply,
};
use crate::cert::{Sha256Digest, Timestamp};

/// An envelope whose payload was read after its signatures were counted.
pub(crate) struct SignedAnnouncement {
    bytes: Vec<u8>,
    digest: Sha256Digest,
    payload: Sha256Digest,
    envelope: Envelope,
    announcement: Announcement,
    algorithms: Algorithms,
    /// By authority: the same few are asked for again and again.
    counted: Mutex<Vec<(Sha256Digest, usize)>>,
}

impl SignedAnnouncement {
    /// Believes nothing of the payload before the authority's threshold is reached.
    pub(crate) fn open(
        bytes: &[u8],
        authority: &Authority,
        algorithms: Algorithms,
    ) -> Result<Self, AnnouncementError> {
        let envelope = Envelope::parse(bytes)?;
        let signers = envelope.signers(authority, algorithms);
        envelope.require(signers, authority.threshold())?;
        Ok(Self {
            bytes: bytes.to_vec(),
            digest: Sha256Digest::of(bytes),
            payload: Sha256Digest::of(envelope.payload()),
            announcement: Announcement::from_json(envelope.payload())?,
            envelope,
            algorithms,
            counted: Mutex::new(vec![(authority.fingerprint(), signers)]),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    pub(crate) const fn announcement(&self) -> &Announcement {
        &self.announcement
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
            envelope: self.digest,
            payload: self.payload,
            signers: &|authority| self.signers(authority),
        };
        apply(before, arrival, when_empty, now)
    }

    pub(super) fn signers(&self, authority: &Authority) -> usize {
        let fingerprint = authority.fingerprint();
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.iter().find(|(known, _)| *known == fingerprint);
        if let Some((_, signers)) = known {
            return *signers;
        }
        let signers = self.envelope.signers(authority, self.algorithms);
        counted.push((fingerprint, signers));
        signers
    }
}

impl fmt::Debug for SignedAnnouncement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedAnnouncement")
            .field("digest", &self.digest)
            .field("announcement", &self.announcement)
            .finish_non_exhaustive()
    }
}
