//! An announcement that enough keys signed.

use std::fmt;

use super::handover::Handover;
use super::signers::EnvelopeSigners;
use super::state::RotationState;
use super::{Announcement, AnnouncementError, Authority, Envelope};
use crate::cert::Sha256Digest;
use crate::cert::SignatureAlgorithms;
use crate::time::Timestamp;

/// An envelope whose payload was read after its signatures were counted.
pub(super) struct SignedAnnouncement {
    bytes: Vec<u8>,
    payload: Sha256Digest,
    announcement: Announcement,
    handovers: Vec<Handover>,
    signed: EnvelopeSigners,
}

impl SignedAnnouncement {
    /// Opens an envelope, and believes nothing of the payload before the authority's threshold is reached, or that of one to
    /// which the authority has handed over by what came along.
    pub(super) fn open(
        bytes: &[u8],
        authority: &Authority,
        algorithms: SignatureAlgorithms,
    ) -> Result<Self, AnnouncementError> {
        let signed = EnvelopeSigners::new(Envelope::parse(bytes)?, algorithms);
        let envelope = signed.envelope();
        let mut handovers = Vec::new();
        if let Err(too_few) = signed.require(authority) {
            let (found, successor) = Handover::open(envelope, authority, algorithms);
            if signed.require(&successor).is_err() {
                return Err(too_few);
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

    /// The envelope, as it is kept.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it says.
    pub(super) const fn announcement(&self) -> &Announcement {
        &self.announcement
    }

    /// The announcement as it is kept: with the signatures alone by which it is judged. Others cost each time
    /// that it is read, and whoever carries it can add some.
    pub(super) fn trimmed(self, before: &RotationState, now: Timestamp) -> Self {
        let next = before.next_authority().map(|(next, _)| next);
        let handovers = self.handovers.iter();
        let named = handovers.filter_map(|handover| handover.announcement.authority.as_ref());
        let authorities = [
            Some(before.authority_at(now)),
            next,
            self.announcement.authority.as_ref(),
        ];
        let authorities = authorities.into_iter().flatten().chain(named);
        let keys = authorities.flat_map(Authority::keys).cloned().collect();
        let handovers: Vec<_> = self.handovers.iter().map(|h| h.payload).collect();
        let envelope = self.signed.trimmed(&keys, &handovers);
        Self {
            bytes: envelope.to_json(),
            ..self
        }
    }

    /// The digest of the payload's bytes, as signed.
    pub(super) const fn payload(&self) -> Sha256Digest {
        self.payload
    }

    /// Whether it is the announcement in force, in whatever envelope.
    pub(super) fn is_in_force(&self, state: &RotationState) -> bool {
        state.is_in_force(&self.payload)
    }

    pub(super) fn handovers(&self) -> &[Handover] {
        &self.handovers
    }

    pub(super) const fn signed(&self) -> &EnvelopeSigners {
        &self.signed
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
