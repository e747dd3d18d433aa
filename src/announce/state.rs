//! What was announced so far comes to.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::previous::Link;
use super::{Announcement, Authority, PinFloor, PreviousAnnouncement};
use crate::cert::Sha256Digest;
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

/// All that decides which pins are accepted: the floor with the announcements applied to it.
/// Nothing in it says that a hold-down is over; that is computed for each instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RotationState {
    pub(super) floor: Arc<PinFloor>,
    pub(super) hold_down_seconds: i64,
    pub(super) successors: SuccessorRule,
    pub(super) version: u64,
    /// The latest instant that it knows of: no first sight lies before it.
    pub(super) latest: Timestamp,
    /// `None` while the floor alone holds.
    pub(super) last: Option<LastApplied>,
    pub(super) sets: Vec<ListedSet>,
    /// Digests that count nowhere, whoever calls them what.
    pub(super) rejected: BTreeSet<SpkiPin>,
    /// How many of them were added since the last emergency, by announcements that are none.
    pub(super) rejected_plainly: usize,
    pub(super) authority: Authority,
    pub(super) next: Option<NextAuthority>,
}

/// When a successor pin counts that an announcement listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SuccessorRule {
    /// Once its hold-down is over, if the announcement that listed it still lasts then.
    #[default]
    AfterHoldDown,
    /// Once an announcement that was issued after the end of its hold-down lists it again, as RFC
    /// 5011 (2.4.1) asks of trust anchors. Whoever keeps a withdrawal away then ripens nothing; but
    /// where no such announcement is made, or none arrives, no successor ever counts.
    ListedAgain,
}

/// The announcement in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LastApplied {
    /// The digest of its payload.
    pub(super) payload: Sha256Digest,
    pub(super) expires: Timestamp,
}

/// Hosts whose pins stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedSet {
    pub(super) hosts: Vec<PinScope>,
    pub(super) pins: Vec<ListedPin>,
}

/// A pin as an announcement or the floor lists it, and why it may count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ListedPin {
    /// The pin as it is listed.
    pub(super) listed: Pin,
    pub(super) trust: Trust,
}

impl ListedPin {
    pub(super) const fn new(listed: Pin, trust: Trust) -> Self {
        Self { listed, trust }
    }

    /// From now on nothing but a later announcement ends its acceptance.
    pub(super) const fn accept_for_good(&mut self) {
        self.trust = Trust::Always;
        self.listed.acceptance = Acceptance::Always;
    }
}

/// Why, and from when on, a pin may count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Compiled in, signed by an emergency quorum, or accepted before it was listed again.
    Always,
    /// Compiled in, from this instant on.
    From(Timestamp),
    /// Held down since it was first seen.
    HeldSince(Timestamp),
}

/// Who announces next, once its hold-down is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextAuthority {
    pub(super) authority: Authority,
    pub(super) first_sight: Timestamp,
}

impl RotationState {
    /// The floor alone.
    pub(super) fn of_floor(floor: Arc<PinFloor>, hold_down: Duration) -> Self {
        let sets = floor.announcement().pin_sets.iter();
        let sets = sets.map(|set| {
            let pins = set.pins.iter().map(|pin| {
                let trust = pin.acceptance.from().map_or(Trust::Always, Trust::From);
                ListedPin::new(pin.clone(), trust)
            });
            ListedSet {
                hosts: set.hosts.clone(),
                pins: pins.collect(),
            }
        });
        Self {
            hold_down_seconds: whole_seconds(hold_down),
            successors: SuccessorRule::default(),
            version: floor.version(),
            latest: floor.issued(),
            last: None,
            sets: sets.collect(),
            rejected: floor.rejected().map(|pin| pin.key).collect(),
            rejected_plainly: 0,
            authority: floor.authority().clone(),
            next: None,
            floor,
        }
    }

    /// The state with another rule for successors.
    pub(super) const fn with_successors(mut self, rule: SuccessorRule) -> Self {
        self.successors = rule;
        self
    }

    /// The floor as announcements found it that its version replaces: what they reject is found out
    /// on it.
    pub(super) fn before_version(&self, version: u64) -> Self {
        Self {
            version: version.saturating_sub(1),
            ..self.clone()
        }
    }

    /// The floor with what was rejected before it, unless it lists that as something else: only by
    /// name does it lift a rejection.
    pub(super) fn with_rejections_of(&self, past: &Self) -> Self {
        let sets = &self.floor.announcement().pin_sets;
        let lifted = |digest: &SpkiPin| {
            let mut pins = sets.iter().flat_map(|set| &set.pins);
            pins.any(|pin| pin.key == *digest && pin.state.can_be_accepted())
        };
        let mut after = self.clone();
        let staying = past.rejected.iter().filter(|digest| !lifted(digest));
        after.rejected.extend(staying.copied());
        after
    }

    /// Rejects what the announcement rejects, though it does not hold itself; but never the last pin
    /// that a host could accept.
    pub(super) fn reject_only(&mut self, announcement: &Announcement) {
        let pins = announcement.pin_sets.iter().flat_map(|set| &set.pins);
        for pin in pins.filter(|pin| pin.state == PinState::Rejected) {
            let newly = self.rejected.insert(pin.key);
            if newly && !self.sets.iter().all(|set| self.leaves_usable(&set.pins)) {
                self.rejected.remove(&pin.key);
            }
        }
    }

    fn leaves_usable(&self, pins: &[ListedPin]) -> bool {
        let mut pins = pins.iter().map(|pin| &pin.listed);
        pins.any(|pin| pin.state.can_be_accepted() && !self.rejected.contains(&pin.key))
    }

    /// Whether both come to the same, but for the instants that were reached since.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let mut one = self.clone();
        one.latest = other.latest;
        one == *other
    }

    /// Whether no hold-down ends by time alone.
    pub(super) fn asks_for_listing(&self) -> bool {
        self.successors == SuccessorRule::ListedAgain
    }

    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// The last second at which the announcement in force could be applied.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.expires)
    }

    pub(super) const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Whether this very payload is the one in force.
    pub(super) fn is_in_force(&self, payload: &Sha256Digest) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| last.payload == *payload)
    }

    /// Remembers that `now` was reached. A clock that runs ahead cannot move it further than the
    /// announcement in force lasts, so what follows is held down too long by no more than that.
    pub(super) fn reach(&mut self, now: Timestamp) {
        if let Some(last) = &self.last {
            self.latest = self.latest.max(now.min(last.expires));
        }
    }

    /// Before an announcement that lasts until `expires` is applied once more: it was first seen
    /// at this instant. No clock that ran ahead could have made it later than what was signed.
    pub(super) fn was_seen(&mut self, first_sight: Timestamp, expires: Timestamp) {
        let before = self.last.as_ref().map_or(expires, |last| last.expires);
        let seen = first_sight.min(expires.max(before));
        self.latest = self.latest.max(seen);
    }

    /// Whose announcements count at `now`.
    pub(super) fn authority_at(&self, now: Timestamp) -> &Authority {
        match &self.next {
            Some(next) if self.next_authority_rules(next).holds(now) => &next.authority,
            _ => &self.authority,
        }
    }

    /// The authority that waits while another rules, or the one that has given way.
    pub(super) fn other_authority_at(&self, at: Timestamp) -> Option<&Authority> {
        let ruling = self.authority_at(at);
        let next = self.next.as_ref().map(|next| &next.authority);
        let both = [Some(&self.authority), next];
        both.into_iter().flatten().find(|other| *other != ruling)
    }

    /// From when on the next authority rules; `None` where there is none.
    pub(super) fn next_authority(&self) -> Option<(&Authority, Acceptance)> {
        let next = self.next.as_ref()?;
        Some((&next.authority, self.next_authority_rules(next)))
    }

    fn next_authority_rules(&self, next: &NextAuthority) -> Acceptance {
        self.maturing(Some(
            next.first_sight.saturating_add(self.hold_down_seconds),
        ))
    }

    /// What matures does so only while the announcement that lists it still lasts: whoever holds
    /// its successor back gains nothing by waiting.
    fn maturing(&self, from: Option<Timestamp>) -> Acceptance {
        match (from, &self.last) {
            (None, _) => Acceptance::Always,
            (Some(from), Some(last)) if from > last.expires => Acceptance::Never,
            (Some(from), _) => Acceptance::From(from),
        }
    }

    pub(super) fn acceptance(&self, pin: &ListedPin) -> Acceptance {
        if !pin.listed.is_usable(&self.rejected) {
            return Acceptance::Never;
        }
        let trusted = match pin.trust {
            Trust::Always => None,
            Trust::From(from) => Some(from),
            Trust::HeldSince(_) if self.asks_for_listing() => return Acceptance::Never,
            Trust::HeldSince(first_sight) => {
                Some(first_sight.saturating_add(self.hold_down_seconds))
            }
        };
        self.maturing(trusted.max(pin.listed.acceptance.from()))
    }

    /// The pins with the instants from which on they really count: the hosts of each set, and its
    /// pins. Digests in wrong hands are in every set, so that they are refused wherever they stand.
    pub(super) fn in_force(&self) -> impl Iterator<Item = (&[PinScope], Vec<Pin>)> {
        self.sets.iter().map(|set| {
            let listed = set.pins.iter().map(|standing| {
                let mut pin = standing.listed.clone();
                pin.acceptance = self.acceptance(standing);
                if self.rejected.contains(&pin.key) {
                    pin.state = PinState::Rejected;
                }
                pin
            });
            let named: HashSet<_> = set.pins.iter().map(|pin| pin.listed.key).collect();
            let others = self.rejected.iter();
            let others = others.filter(|digest| !named.contains(digest));
            let others = others.map(|digest| {
                Pin::new(*digest, PinState::Rejected).with_position(PinPosition::Any)
            });
            (set.hosts.as_slice(), listed.chain(others).collect())
        })
    }

    pub(super) fn standing<'a>(&'a self, host: &PinScope) -> &'a [ListedPin] {
        let set = self.sets.iter().find(|set| set.hosts.contains(host));
        set.map_or(&[], |set| &set.pins)
    }

    /// What an announcement must name as `previous` to follow.
    pub(super) fn head(&self) -> Option<PreviousAnnouncement> {
        match &self.last {
            Some(last) => Some(PreviousAnnouncement::new(self.version, last.payload)),
            None => self.floor.previous(),
        }
    }

    /// Whether what is listed now and then was listed in between too. Which announcements were
    /// missed is not known here; whoever signed says since when nothing was withdrawn in them.
    pub(super) fn is_continued_by(&self, announcement: &Announcement) -> bool {
        let follows = Link::between(self.head(), announcement.previous) == Link::Follows;
        follows
            || announcement
                .unbroken_since
                .is_none_or(|since| since <= self.version)
    }

    /// Hosts that were announced together stay together as long as their pins stand alike.
    pub(super) fn add(&mut self, host: &PinScope, pins: Vec<ListedPin>) {
        match self.sets.last_mut() {
            Some(set) if set.pins == pins => set.hosts.push(host.clone()),
            _ => self.sets.push(ListedSet {
                hosts: vec![host.clone()],
                pins,
            }),
        }
    }
}

/// Rounded up, so that nothing is held down for less than was asked.
pub(super) fn whole_seconds(span: Duration) -> i64 {
    let started = u64::from(span.subsec_nanos() > 0);
    i64::try_from(span.as_secs().saturating_add(started)).unwrap_or(i64::MAX)
}
