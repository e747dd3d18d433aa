//! Whose signatures count: the authority that rules, or one to which it has handed over.

use super::Arrival;
use crate::announce::{AnnouncementError, Authority, RotationState};
use crate::time::Timestamp;

/// Whose signatures count for an announcement.
pub(super) struct RulingAuthority {
    pub(super) ruling: Authority,
    /// To whom it has handed over, where that one signed in its place. It is held down.
    pub(super) successor: Option<Authority>,
}

impl RulingAuthority {
    pub(super) fn of(
        before: &RotationState,
        arrival: &Arrival<'_>,
        now: Timestamp,
    ) -> Result<Self, AnnouncementError> {
        let ruling = before.authority_at(now).clone();
        let (found, needed) = (arrival.signed.signers(&ruling), ruling.threshold());
        if found >= needed {
            return Ok(Self {
                ruling,
                successor: None,
            });
        }
        match SucceedingAuthority::of(before, arrival, now) {
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

/// The authority to which the one that rules has handed over, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SucceedingAuthority {
    authority: Authority,
    /// Whether each step was an emergency, so that none is held down.
    at_once: bool,
}

impl SucceedingAuthority {
    /// Follows the handovers that came along. As with TUF's roots, each step is signed by the
    /// authority before it and by its own, and its dates do not matter. One that the state has gone
    /// beyond does not count: it may have been withdrawn.
    fn of(before: &RotationState, arrival: &Arrival<'_>, now: Timestamp) -> Option<Self> {
        let mut successor = Self {
            authority: before.authority_at(now).clone(),
            at_once: true,
        };
        let (mut known, mut steps) = (before.version, 0);
        for handover in arrival.handovers {
            let said = &handover.announcement;
            let in_force = before.is_in_force(&handover.payload);
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
        let signed = arrival.signed.signers(&successor.authority);
        (steps > 0 && signed >= successor.authority.threshold()).then_some(successor)
    }
}
