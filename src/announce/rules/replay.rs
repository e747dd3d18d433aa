//! Applying once more what was applied before, perhaps on another floor or with another hold-down.

use super::apply::apply;
use super::{Arrival, WhenEmpty};
use crate::announce::payload::is_same_pin;
use crate::announce::signers::Signers as _;
use crate::announce::{
    AnnouncedSet, Announcement, AnnouncementError, Authority, RotationState, SignedAnnouncement,
};
use crate::cert::Sha256Digest;
use crate::cert::SignatureAlgorithms;
use crate::pin::{Pin, PinState};
use crate::time::Timestamp;

/// How an announcement was applied, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::announce) struct AppliedBefore {
    /// When.
    pub(in crate::announce) at: Timestamp,
    /// The instant from which its hold-downs count.
    pub(in crate::announce) first_sight: Timestamp,
    /// The fingerprint of the authority that ruled then. It says which of two that could have ruled
    /// did, where another hold-down would have it otherwise; it makes nobody rule.
    pub(in crate::announce) ruled: Option<Sha256Digest>,
}

/// Opens an announcement that was applied at an instant, whoever of those ruled then that could
/// have: with another hold-down, an authority takes over earlier or later than it did.
pub(in crate::announce) fn open_again(
    bytes: &[u8],
    before: &RotationState,
    at: Timestamp,
    algorithms: SignatureAlgorithms,
) -> Result<SignedAnnouncement, AnnouncementError> {
    let ruling = SignedAnnouncement::open(bytes, before.authority_at(at), algorithms);
    let Some(other) = before.other_authority_at(at) else {
        return ruling;
    };
    ruling.or_else(|error| SignedAnnouncement::open(bytes, other, algorithms).map_err(|_| error))
}

/// Applies an announcement once more, as it was applied at an instant, perhaps on another floor or with
/// another hold-down: what was applied holds as far as it can.
///
/// # Errors
/// [`AnnouncementError`] with what it cannot hold for here.
pub(in crate::announce) fn apply_again(
    signed: &SignedAnnouncement,
    before: &RotationState,
    applied: AppliedBefore,
) -> Result<RotationState, AnnouncementError> {
    let mut before = before.clone();
    before.was_seen(applied.first_sight, signed.announcement().expires);
    let_rule(&mut before, signed, applied);
    let fitting = for_hosts_of(&before, signed.announcement());
    let arrival = Arrival {
        announcement: &fitting,
        ..Arrival::of(signed)
    };
    apply(&before, arrival, WhenEmpty::KeepAccepted, applied.at)
}

/// Lets the authority rule that did when it was applied, where that is the one that waits or the one
/// that has given way; or where only that signed it.
fn let_rule(state: &mut RotationState, signed: &SignedAnnouncement, applied: AppliedBefore) {
    let enough =
        |authority: &Authority| signed.signed().signers(authority) >= authority.threshold();
    let Some(other) = state
        .other_authority_at(applied.at)
        .filter(|other| enough(other))
    else {
        return;
    };
    let did = applied
        .ruled
        .is_some_and(|ruled| ruled == other.fingerprint());
    if did || !enough(state.authority_at(applied.at)) {
        state.authority = other.clone();
        state.next = None;
    }
}

/// The announcement for the hosts of this floor: those that the floor does not have are left out, and
/// those that it has in addition keep their pins.
fn for_hosts_of(state: &RotationState, said: &Announcement) -> Announcement {
    let known: Vec<_> = state.floor.announcement().hosts().collect();
    if known.len() == said.hosts().count() && known.iter().all(|k| said.hosts().any(|h| h == *k)) {
        return said.clone();
    }
    let pins = said.pin_sets.iter().flat_map(|set| &set.pins);
    let newly = pins.filter(|pin| pin.state == PinState::Rejected);
    let newly: Vec<&Pin> = newly.collect();
    let is_rejected = |pin: &Pin| {
        state.rejected.contains(&pin.key) || newly.iter().any(|newly| newly.key == pin.key)
    };
    let mut fitting = said.clone();
    for set in &mut fitting.pin_sets {
        set.hosts.retain(|host| known.contains(&host));
    }
    fitting.pin_sets.retain(|set| !set.hosts.is_empty());
    for host in known {
        if said.hosts().any(|said| said == host) {
            continue;
        }
        let pins = state.standing(host).iter().map(|standing| {
            let mut pin = standing.listed.clone();
            if is_rejected(&pin) {
                pin.state = PinState::Rejected;
            }
            pin
        });
        fitting.pin_sets.push(AnnouncedSet {
            hosts: vec![host.clone()],
            pins: pins.collect(),
        });
    }
    // Rejected is rejected everywhere, also where it was listed for a host of another floor.
    if let Some(first) = fitting.pin_sets.first_mut() {
        for pin in newly {
            if !first.pins.iter().any(|listed| is_same_pin(listed, pin)) {
                first.pins.push(pin.clone());
            }
        }
    }
    fitting
}
