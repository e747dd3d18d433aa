//! Applying an announcement.

use std::collections::{BTreeSet, HashMap};

use super::admission::{check_claims, check_positions};
use super::ruling::RulingAuthority;
use super::{Arrival, WhenEmpty};
use crate::announce::payload::{identity, is_same_pin};
use crate::announce::state::{LastApplied, ListedPin, NextAuthority, Trust};
use crate::announce::{Announcement, AnnouncementError, Authority, RotationState};
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

/// So many digests can be rejected without an emergency since the last one: all of them fit into one
/// announcement, which then takes the place of those that rejected them one by one.
const MAX_REJECTED_PLAINLY: usize = 512;

/// Applies an announcement. One that is in force already changes nothing.
///
/// # Errors
/// [`AnnouncementError`] with the rule that it breaks.
pub(in crate::announce) fn apply(
    before: &RotationState,
    arrival: Arrival<'_>,
    when_empty: WhenEmpty,
    now: Timestamp,
) -> Result<RotationState, AnnouncementError> {
    let announcement = arrival.announcement;
    let authorities = RulingAuthority::of(before, &arrival, now)?;
    if before.is_in_force(&arrival.payload) {
        return Ok(before.clone());
    }
    check_claims(before, &arrival, &authorities.ruling, now)?;
    let step = RotationStep {
        before,
        unbroken: before.is_continued_by(announcement),
        emergency: announcement.emergency,
        issued: announcement.issued,
        first_sight: before.latest.max(now).max(announcement.issued),
        now,
    };
    let (authority, next) = step.authorities(authorities, &arrival)?;
    check_positions(before, announcement, when_empty)?;
    let rejected = step.rejected(announcement);
    let rejected_plainly = step.rejected_plainly(&rejected);
    if rejected_plainly > MAX_REJECTED_PLAINLY && when_empty == WhenEmpty::Refuse {
        return Err(AnnouncementError::TooManyRejected {
            rejected: rejected_plainly,
            limit: MAX_REJECTED_PLAINLY,
        });
    }
    let mut after = RotationState {
        floor: before.floor.clone(),
        hold_down_seconds: before.hold_down_seconds,
        successors: before.successors,
        version: announcement.version,
        latest: step.first_sight,
        last: Some(LastApplied {
            payload: arrival.payload,
            expires: announcement.expires,
        }),
        sets: Vec::new(),
        rejected,
        rejected_plainly,
        authority,
        next,
    };
    for set in &announcement.pin_sets {
        for host in &set.hosts {
            let pins = step.pins(&after, host, &set.pins, when_empty)?;
            after.add(host, pins);
        }
    }
    Ok(after)
}

/// One announcement on its way into the state.
struct RotationStep<'a> {
    before: &'a RotationState,
    /// Whether hold-downs go on.
    unbroken: bool,
    emergency: bool,
    issued: Timestamp,
    first_sight: Timestamp,
    now: Timestamp,
}

impl RotationStep<'_> {
    /// Who announces after it, and who shall follow.
    fn authorities(
        &self,
        authorities: RulingAuthority,
        arrival: &Arrival<'_>,
    ) -> Result<(Authority, Option<NextAuthority>), AnnouncementError> {
        let RulingAuthority { ruling, successor } = authorities;
        let carried = arrival.announcement.authority.as_ref();
        let carried = carried.or(successor.as_ref());
        let Some(next) = carried.filter(|next| **next != ruling) else {
            return Ok((ruling, None));
        };
        next.is_not_below(self.before.floor.authority())?;
        let (own, needed) = (arrival.signed.signers(next), next.threshold());
        if own < needed {
            return Err(AnnouncementError::authority(format!(
                "{own} of its own keys signed, {needed} must, so that nobody is locked out"
            )));
        }
        if self.emergency {
            return Ok((next.clone(), None));
        }
        let waiting = self.before.next.as_ref();
        let waiting = waiting.filter(|waiting| self.unbroken && waiting.authority == *next);
        let next = NextAuthority {
            authority: next.clone(),
            first_sight: waiting.map_or(self.first_sight, |waiting| waiting.first_sight),
        };
        Ok((ruling, Some(next)))
    }

    fn rejected(&self, announcement: &Announcement) -> BTreeSet<SpkiPin> {
        let pins = || announcement.pin_sets.iter().flat_map(|set| &set.pins);
        let mut rejected = self.before.rejected.clone();
        if self.emergency {
            for pin in pins().filter(|pin| pin.state.can_be_accepted()) {
                rejected.remove(&pin.key);
            }
        }
        let newly = pins().filter(|pin| pin.state == PinState::Rejected);
        rejected.extend(newly.map(|pin| pin.key));
        rejected
    }

    /// How many of them no emergency vouches for.
    fn rejected_plainly(&self, rejected: &BTreeSet<SpkiPin>) -> usize {
        if self.emergency {
            return 0;
        }
        let newly = rejected.len().saturating_sub(self.before.rejected.len());
        self.before.rejected_plainly.saturating_add(newly)
    }

    /// The host's pins as they stand afterwards; never none that is accepted now.
    fn pins(
        &self,
        after: &RotationState,
        host: &PinScope,
        listed: &[Pin],
        when_empty: WhenEmpty,
    ) -> Result<Vec<ListedPin>, AnnouncementError> {
        let standing = self.before.standing(host).iter();
        let standing = standing.map(|pin| (identity(&pin.listed), pin)).collect();
        let mut pins: Vec<_> = listed
            .iter()
            .map(|pin| ListedPin::new(pin.clone(), self.trust(&standing, pin)))
            .collect();
        let accepted = |pin: &ListedPin| after.acceptance(pin).holds(self.now);
        if !pins.iter().any(accepted) && when_empty == WhenEmpty::KeepAccepted {
            for kept in self.kept(after, host, listed) {
                pins.retain(|pin| !is_same_pin(&pin.listed, &kept.listed));
                pins.push(kept);
            }
        }
        if !pins.iter().any(accepted) {
            let host = host.to_string();
            return Err(AnnouncementError::EmptySet { host });
        }
        // The clock may turn out to have run ahead: what it has just been judged by must last.
        let lasts = |pin: &ListedPin| after.acceptance(pin) == Acceptance::Always;
        if !pins.iter().any(lasts) {
            for pin in pins.iter_mut().filter(|pin| accepted(pin)) {
                pin.accept_for_good();
            }
        }
        Ok(pins)
    }

    /// What the host has left where the announcement itself leaves it nothing.
    fn kept(&self, after: &RotationState, host: &PinScope, listed: &[Pin]) -> Vec<ListedPin> {
        let usable = |pin: &&Pin| pin.is_usable(&after.rejected);
        let standing = self.before.standing(host).iter();
        let accepted = standing.filter(|pin| self.before.acceptance(pin).holds(self.now));
        let mut kept: Vec<_> = accepted.map(|pin| &pin.listed).filter(usable).collect();
        if kept.is_empty() {
            let floor = self.before.floor.pins_of(host);
            kept = floor
                .filter(|pin| pin.is_accepted(self.now))
                .filter(usable)
                .collect();
        }
        // It was applied once, so what it lists was accepted then.
        for announced in [false, true] {
            let of_state = |pin: &&Pin| (pin.state == PinState::Announced) == announced;
            if kept.is_empty() {
                kept = listed.iter().filter(of_state).filter(usable).collect();
            }
        }
        let lasting = kept.into_iter().map(|pin| {
            let mut lasting = ListedPin::new(pin.clone(), Trust::Always);
            lasting.accept_for_good();
            lasting
        });
        lasting.collect()
    }

    /// Whether this announcement, made after the hold-down, is what the pin was waiting for.
    fn is_listed_again(&self, since: Timestamp) -> bool {
        let over = since.saturating_add(self.before.hold_down_seconds);
        self.before.asks_for_listing() && over <= self.issued && over <= self.now
    }

    /// A pin is held down unless it is accepted already, whatever the announcement calls it.
    fn trust(&self, standing: &HashMap<(SpkiPin, PinPosition), &ListedPin>, pin: &Pin) -> Trust {
        if self.emergency {
            return Trust::Always;
        }
        let known = standing.get(&identity(pin));
        let known = known.filter(|old| old.listed.state.can_be_accepted());
        match known {
            None => Trust::HeldSince(self.first_sight),
            Some(old) => {
                let accepted = self.before.acceptance(old).holds(self.now);
                // Only announced, it goes on being computed for each instant.
                if accepted && pin.state != PinState::Announced {
                    return Trust::Always;
                }
                match old.trust {
                    Trust::HeldSince(_) if !accepted && !self.unbroken => {
                        Trust::HeldSince(self.first_sight)
                    }
                    Trust::HeldSince(since) if self.is_listed_again(since) => {
                        Trust::From(since.saturating_add(self.before.hold_down_seconds))
                    }
                    trust => trust,
                }
            }
        }
    }
}
