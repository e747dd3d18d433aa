//! What keeps an announcement out, before anything of it counts.

use std::collections::{HashMap, HashSet};

use super::{Arrival, WhenEmpty};
use crate::announce::{Announcement, AnnouncementError, Authority, RotationState};
use crate::pin::{Pin, PinPosition, PinScope, SpkiPin};
use crate::text::visible;
use crate::time::Timestamp;

/// How far the clocks of who announces and who applies may lie apart.
const CLOCK_TOLERANCE: i64 = 5 * 60;

/// No version rises further at once: the numbers would run out.
const MAX_VERSION_STEP: u64 = 1_000_000;

/// What it says of itself must fit: product, emergency, version, dates, hosts, in this order.
pub(super) fn check_claims(
    before: &RotationState,
    arrival: &Arrival<'_>,
    ruling: &Authority,
    now: Timestamp,
) -> Result<(), AnnouncementError> {
    let announcement = arrival.announcement;
    check_product(before, announcement)?;
    check_emergency(announcement, ruling, arrival.signed.signers(ruling))?;
    check_version(before, arrival)?;
    check_dates(announcement, now)?;
    check_hosts(before, announcement)
}

fn check_product(
    before: &RotationState,
    announcement: &Announcement,
) -> Result<(), AnnouncementError> {
    let product = before.floor.product();
    if announcement.product == product {
        return Ok(());
    }
    Err(AnnouncementError::OtherProduct {
        announced: visible(&announcement.product),
        product: product.to_owned(),
    })
}

/// An emergency is what both the payload and the signatures say: neither who takes signatures away
/// nor who adds some makes one, or makes one end as something else.
fn check_emergency(
    announcement: &Announcement,
    authority: &Authority,
    signers: usize,
) -> Result<(), AnnouncementError> {
    if !announcement.emergency || authority.is_emergency(signers) {
        return Ok(());
    }
    Err(AnnouncementError::EmergencyThreshold {
        found: signers,
        needed: authority.emergency_threshold(),
    })
}

fn check_version(before: &RotationState, arrival: &Arrival<'_>) -> Result<(), AnnouncementError> {
    let (in_force, version) = (before.version, arrival.announcement.version);
    if version == in_force && before.last.is_some() {
        return Err(AnnouncementError::Forked { version });
    }
    if version <= in_force {
        return Err(AnnouncementError::Rollback { version, in_force });
    }
    if version - in_force > MAX_VERSION_STEP {
        return Err(AnnouncementError::FastForward {
            version,
            in_force,
            limit: MAX_VERSION_STEP,
        });
    }
    let previous = arrival.announcement.previous;
    if previous.is_some_and(|previous| previous.version == version) {
        let reason = "it is not below 'version'";
        return Err(AnnouncementError::malformed(
            "payload.previous.version",
            reason,
        ));
    }
    Ok(())
}

fn check_dates(announcement: &Announcement, now: Timestamp) -> Result<(), AnnouncementError> {
    let (issued, expires) = (announcement.issued, announcement.expires);
    if issued > now.saturating_add(CLOCK_TOLERANCE) {
        return Err(AnnouncementError::NotYetIssued { issued, now });
    }
    if now > expires {
        return Err(AnnouncementError::Expired { expires, now });
    }
    Ok(())
}

/// The hosts are the floor's, each once.
fn check_hosts(
    before: &RotationState,
    announcement: &Announcement,
) -> Result<(), AnnouncementError> {
    let known = before.floor.announcement();
    let all: HashSet<&PinScope> = known.hosts().collect();
    let mut seen = HashSet::new();
    for host in announcement.hosts() {
        let name = || host.to_string();
        if !all.contains(host) {
            return Err(AnnouncementError::UnknownHost { host: name() });
        }
        if !seen.insert(host) {
            return Err(AnnouncementError::DuplicateHost { host: name() });
        }
    }
    match known.hosts().find(|known| !seen.contains(known)) {
        Some(missing) => Err(AnnouncementError::EmptySet {
            host: missing.to_string(),
        }),
        None => Ok(()),
    }
}

/// A key that is known for a host counts at no further position of a path.
pub(super) fn check_positions(
    before: &RotationState,
    announcement: &Announcement,
    when_empty: WhenEmpty,
) -> Result<(), AnnouncementError> {
    for set in &announcement.pin_sets {
        for host in &set.hosts {
            let known = before.standing(host).iter().map(|pin| &pin.listed);
            let known = positions(known);
            let floor = positions(before.floor.pins_of(host));
            for pin in set.pins.iter().filter(|p| p.state.can_be_accepted()) {
                // What was applied already may have found more before it than there is now: then the
                // floor alone says, where it lists the key.
                if when_empty == WhenEmpty::Refuse || !floor.contains_key(&pin.key) {
                    check_position(host, pin, &known)?;
                }
                check_position(host, pin, &floor)?;
            }
        }
    }
    Ok(())
}

/// At which positions each key is listed.
fn positions<'p>(pins: impl Iterator<Item = &'p Pin>) -> HashMap<SpkiPin, Vec<PinPosition>> {
    let mut positions = HashMap::<_, Vec<_>>::new();
    for pin in pins {
        positions.entry(pin.key).or_default().push(pin.position);
    }
    positions
}

fn check_position(
    host: &PinScope,
    pin: &Pin,
    known: &HashMap<SpkiPin, Vec<PinPosition>>,
) -> Result<(), AnnouncementError> {
    let Some(positions) = known.get(&pin.key) else {
        return Ok(());
    };
    let covered: Vec<_> = positions.iter().flat_map(|p| places(*p)).collect();
    let widened = places(pin.position).iter().any(|p| !covered.contains(&p));
    match positions.first() {
        Some(from) if widened => Err(AnnouncementError::Widened {
            host: host.to_string(),
            pin: pin.key,
            from: *from,
            to: pin.position,
        }),
        _ => Ok(()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PathPlace {
    Leaf,
    Intermediate,
    Anchor,
}

/// The places of a path at which a pin of this position is looked for.
const fn places(position: PinPosition) -> &'static [PathPlace] {
    match position {
        PinPosition::Leaf => &[PathPlace::Leaf],
        PinPosition::Ca => &[PathPlace::Intermediate, PathPlace::Anchor],
        PinPosition::Anchor => &[PathPlace::Anchor],
        PinPosition::Any => &[PathPlace::Leaf, PathPlace::Intermediate, PathPlace::Anchor],
    }
}
