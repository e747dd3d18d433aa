//! Applying once more what was applied before, perhaps on another floor or with another hold-down.

use super::payload::is_same_pin;
use super::state::StandingPin;
use super::{
    Algorithms, AnnouncedSet, Announcement, AnnouncementError, Authority, RotationState,
    SignedAnnouncement,
};
use crate::cert::Sha256Digest;
use crate::pin::{Pin, PinState, SpkiPin};
use crate::time::Timestamp;

/// The floor as announcements found it that its version replaces: what they reject is found out on it.
pub(crate) fn before_version(floor: &RotationState, version: u64) -> RotationState {
    let mut before = floor.clone();
    before.version = version.saturating_sub(1);
    before
}

/// The floor with what was rejected before it, unless it lists that as something else: only by name
/// does it lift a rejection.
pub(crate) fn with_rejections_of(floor: &RotationState, past: &RotationState) -> RotationState {
    let sets = &floor.floor.announcement().pin_sets;
    let lifted = |digest: &SpkiPin| {
        let mut pins = sets.iter().flat_map(|set| &set.pins);
        pins.any(|pin| pin.key == *digest && pin.state.can_be_accepted())
    };
    let mut after = floor.clone();
    let staying = past.rejected.iter().filter(|digest| !lifted(digest));
    after.rejected.extend(staying.copied());
    after
}

/// Rejects what the announcement rejects, though it does not hold itself; but never the last pin
/// that a host could accept.
pub(crate) fn reject_only(state: &mut RotationState, announcement: &Announcement) {
    let pins = announcement.pin_sets.iter().flat_map(|set| &set.pins);
    for pin in pins.filter(|pin| pin.state == PinState::Rejected) {
        let newly = state.rejected.insert(pin.key);
        if newly && !state.sets.iter().all(|set| has_usable(state, &set.pins)) {
            state.rejected.remove(&pin.key);
        }
    }
}

fn has_usable(state: &RotationState, pins: &[StandingPin]) -> bool {
    let mut pins = pins.iter().map(|pin| &pin.listed);
    pins.any(|pin| pin.is_usable(&state.rejected))
}

/// Whether they come to the same, but for the instants that were reached since.
pub(crate) fn is_alike(one: &RotationState, other: &RotationState) -> bool {
    let mut one = one.clone();
    one.latest = other.latest;
    one == *other
}

/// Opens an announcement that was applied at an instant, whoever of those ruled then that could
/// have: with another hold-down, an authority takes over earlier or later than it did.
pub(crate) fn open_again(
    bytes: &[u8],
    before: &RotationState,
    at: Timestamp,
    algorithms: Algorithms,
) -> Result<SignedAnnouncement, AnnouncementError> {
    let ruling = SignedAnnouncement::open(bytes, before.authority_at(at), algorithms);
    let Some(other) = other_authority(before, at) else {
        return ruling;
    };
    ruling.or_else(|error| SignedAnnouncement::open(bytes, other, algorithms).map_err(|_| error))
}

/// Lets the authority rule that did when it was applied, where that is the one that waits or the one
/// that has given way; or where only that signed it.
pub(super) fn let_rule(
    state: &mut RotationState,
    signed: &SignedAnnouncement,
    at: Timestamp,
    ruled: Option<Sha256Digest>,
) {
    let enough = |authority: &Authority| signed.signers(authority) >= authority.threshold();
    let Some(other) = other_authority(state, at).filter(|other| enough(other)) else {
        return;
    };
    let did = ruled.is_some_and(|ruled| ruled == other.fingerprint());
    if did || !enough(state.authority_at(at)) {
        state.authority = other.clone();
        state.next = None;
    }
}

/// The one that waits, or the one that has given way.
fn other_authority(state: &RotationState, at: Timestamp) -> Option<&Authority> {
    let ruling = state.authority_at(at);
    let next = state.next.as_ref().map(|next| &next.authority);
    let both = [Some(&state.authority), next];
    both.into_iter().flatten().find(|other| *other != ruling)
}

/// The announcement for the hosts of this floor: those that the floor does not have are left out, and
/// those that it has in addition keep their pins.
pub(super) fn for_hosts_of(state: &RotationState, said: &Announcement) -> Announcement {
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
