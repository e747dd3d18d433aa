//! Earlier announcements that came along with a later one, for a device that missed them.

use super::signers::{EnvelopeSigners, Signers};
use super::{Announcement, Authority, Envelope};
use crate::cert::Sha256Digest;
use crate::cert::SignatureAlgorithms;

/// An earlier announcement that names a next authority, brought along with a later one.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) announcement: Announcement,
    /// The digest of the payload's bytes, as signed.
    pub(super) payload: Sha256Digest,
    pub(super) signed: Box<dyn Signers>,
}

impl Handover {
    /// Opens those handovers of an envelope that lead on from this authority, each one believed only
    /// after its signatures; and gives the authority to which they lead.
    pub(super) fn open(
        envelope: &Envelope,
        authority: &Authority,
        algorithms: SignatureAlgorithms,
    ) -> (Vec<Self>, Authority) {
        let mut ruling = authority.clone();
        let mut handovers = Vec::new();
        for envelope in envelope.handovers() {
            let signed = EnvelopeSigners::new(envelope.clone(), algorithms);
            if signed.require(&ruling).is_err() {
                continue;
            }
            let Ok(announcement) = Announcement::from_json(envelope.payload()) else {
                continue;
            };
            if let Some(next) = &announcement.authority {
                if signed.require(next).is_ok() {
                    ruling = next.clone();
                }
            }
            handovers.push(Self {
                payload: Sha256Digest::of(envelope.payload()),
                announcement,
                signed: Box::new(signed),
            });
        }
        (handovers, ruling)
    }
}
