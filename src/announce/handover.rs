//! Following authorities from one to the next, for a device that was offline while they changed.

use std::fmt;

use super::{
    Algorithms, Announcement, AnnouncementError, Arrival, Authority, Counted, Envelope,
    RotationState,
};
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

/// An earlier announcement that names a next authority, brought along with a later one.
#[derive(Debug)]
pub(crate) struct Handover {
    pub(crate) announcement: Announcement,
    /// Of the payload's bytes, as signed.
    pub(crate) payload: Sha256Digest,
    pub(crate) signed: Box<dyn Signers>,
}

/// Who signed something.
pub(crate) trait Signers: fmt::Debug + Send + Sync {
    /// How many distinct keys of the authority did.
    fn signers(&self, authority: &Authority) -> usize;
}

impl Signers for Counted {
    fn signers(&self, authority: &Authority) -> usize {
        self.count(authority)
    }
}

impl Handover {
    /// Those handovers of an envelope that lead on from this authority, each one believed only after
    /// its signatures; and the authority to which they lead.
    pub(super) fn open(
        envelope: &Envelope,
        authority: &Authority,
        algorithms: Algorithms,
    ) -> (Vec<Self>, Authority) {
        let mut ruling = authority.clone();
        let mut handovers = Vec::new();
        for envelope in envelope.handovers() {
            let signed = Counted::new(envelope.clone(), algorithms);
            if signed.count(&ruling) < ruling.threshold() {
                continue;
            }
            let Ok(announcement) = Announcement::from_json(envelope.payload()) else {
                continue;
            };
            if let Some(next) = &announcement.authority {
                if signed.count(next) >= next.threshold() {
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

/// The authority to which the one that rules has handed over, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Successor {
    authority: Authority,
    /// Whether each step was an emergency, so that none is held down.
    at_once: bool,
}

impl Successor {
    /// Follows the handovers that came along. As with TUF's roots, each step is signed by the
    /// authority before it and by its own, and its dates do not matter. One that the state has gone
    /// beyond does not count: it may have been withdrawn.
    pub(super) fn of(
        before: &RotationState,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut successor = Self {
            authority: before.authority_at(now).clone(),
            at_once: true,
        };
        let (mut known, mut steps) = (before.version, 0);
        for handover in arrival.handovers {
            let said = &handover.announcement;
            let in_force = before.last.as_ref().map(|last| last.payload) == Some(handover.payload);
            let newer = said.version > known || (in_force && said.version == known);
            let fits = newer
                && said.version < arrival.announcement.version
                && said.product == before.floor.product();
            let ruling = &successor.authority;
            let signers = handover.signed.signers(ruling);
            let Some(next) = said.authority.as_ref().filter(|next| *next != ruling) else {
                continue;
            };
            let own = handover.signed.signers(next);
            if !fits
                || signers < ruling.threshold()
                || own < next.threshold()
                || next.is_not_below(before.floor.authority()).is_err()
            {
                continue;
            }
            successor = Self {
                at_once: successor.at_once && said.emergency && ruling.is_emergency(signers),
                authority: next.clone(),
            };
            (known, steps) = (said.version, steps + 1);
        }
        let signed = (arrival.signers)(&successor.authority);
        (steps > 0 && signed >= successor.authority.threshold()).then_some(successor)
    }
}

/// Whose signatures count.
pub(super) struct Judges {
    pub(super) ruling: Authority,
    /// To whom it has handed over, where that one signed in its place. It is held down.
    pub(super) successor: Option<Authority>,
}

impl Judges {
    pub(super) fn of(
        before: &RotationState,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Result<Self, AnnouncementError> {
        let ruling = before.authority_at(now).clone();
        let (found, needed) = ((arrival.signers)(&ruling), ruling.threshold());
        if found >= needed {
            return Ok(Self {
                ruling,
                successor: None,
            });
        }
        match Successor::of(before, arrival, now) {
            None => Err(AnnouncementError::Threshold { found, needed }),
            Some(successor) if successor.at_once => Ok(Self {
                ruling: successor.authority,
                successor: None,
            }),
            Some(successor) => Ok(Self {
                ruling,
                successor: Some(successor.authority),
            }),
        }
    }
}
