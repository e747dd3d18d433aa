//! The reference model. It keeps no state: it answers each question by going back through everything
//! that was ever applied.

use std::cell::RefCell;

use super::arrivals::{HOLD, PRODUCT, RandomArrival, listed, scopes};
use crate::announce::signers::Signers as _;
use crate::announce::{Announcement, Authority, PreviousAnnouncement};
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState};
use crate::time::Timestamp;

pub(super) struct HistoryModel {
    pub(super) floor: Announcement,
    pub(super) listed_again: bool,
    pub(super) history: Vec<RandomArrival>,
    /// Who ruled when each arrived: every answer asks that again and again.
    pub(super) ruled: RefCell<Vec<Authority>>,
}

impl HistoryModel {
    pub(super) fn before(&self, k: usize) -> &RandomArrival {
        &self.history[k - 1]
    }

    pub(super) fn announcement(&self, k: usize) -> &Announcement {
        match k {
            0 => &self.floor,
            _ => &self.before(k).announcement,
        }
    }

    pub(super) fn latest(&self, k: usize) -> Timestamp {
        match k {
            0 => self.floor.issued,
            _ => self.first_sight(k),
        }
    }

    pub(super) fn first_sight(&self, k: usize) -> Timestamp {
        let entry = self.before(k);
        let seen = entry.at.max(entry.announcement.issued);
        seen.max(self.latest(k - 1))
    }

    /// Who ruled when the k-th arrived.
    pub(super) fn ruled(&self, k: usize) -> Authority {
        let known = self.ruled.borrow().get(k - 1).cloned();
        known.unwrap_or_else(|| {
            let ruled = self.authority(k - 1, self.before(k).at);
            self.ruled.borrow_mut().truncate(k - 1);
            self.ruled.borrow_mut().push(ruled.clone());
            ruled
        })
    }

    pub(super) fn arrived(&mut self, entry: RandomArrival) {
        self.history.push(entry);
        self.ruled.borrow_mut().truncate(self.history.len() - 1);
        for k in 1..=self.history.len() {
            self.ruled(k);
        }
    }

    /// To whom who ruled then had handed over, where that one signed in its place; and whether at once.
    pub(super) fn delegate(&self, k: usize) -> Option<(Authority, bool)> {
        let (entry, mut now) = (self.before(k), self.ruled(k));
        if entry.signers(&now) >= now.threshold() {
            return None;
        }
        let floor = self.floor.authority.clone().unwrap();
        let (mut version, mut at_once, mut any) = (self.announcement(k - 1).version, true, false);
        for brought in &entry.handovers {
            let said = &brought.announcement;
            let known = k > 1 && self.before(k - 1).payload == brought.payload;
            let counts = said.version > version || (known && said.version == version);
            let Some(next) = said.authority.clone().filter(|next| *next != now) else {
                continue;
            };
            let signed = brought.signers(&now);
            if counts
                && said.version < entry.announcement.version
                && said.product == PRODUCT
                && signed >= now.threshold()
                && brought.signers(&next) >= next.threshold()
                && !is_weaker(&next, &floor)
            {
                let emergency = now.emergency_threshold().is_some_and(|e| signed >= e);
                at_once &= said.emergency && emergency;
                (version, any, now) = (said.version, true, next);
            }
        }
        (any && entry.signers(&now) >= now.threshold()).then_some((now, at_once))
    }

    /// Who judged the k-th.
    pub(super) fn judge(&self, k: usize) -> Authority {
        match self.delegate(k) {
            Some((delegate, true)) => delegate,
            _ => self.ruled(k),
        }
    }

    /// Whom the k-th names as the next authority.
    pub(super) fn carried(&self, k: usize) -> Option<Authority> {
        let delegate = || self.delegate(k).filter(|(_, at_once)| !at_once);
        let named = self.announcement(k).authority.clone();
        named.or_else(|| Some(delegate()?.0))
    }

    pub(super) fn emergency(&self, k: usize) -> bool {
        self.announcement(k).emergency
    }

    /// What the announcement after the k-th names, if it follows.
    pub(super) fn head(&self, k: usize) -> Option<PreviousAnnouncement> {
        if k == 0 {
            return self.floor.previous;
        }
        let entry = self.before(k);
        let version = entry.announcement.version;
        Some(PreviousAnnouncement::new(version, entry.payload))
    }

    /// Whether hold-downs go on with the k-th.
    pub(super) fn unbroken(&self, k: usize) -> bool {
        let (next, before) = (self.announcement(k), self.announcement(k - 1));
        let since = next.unbroken_since.unwrap_or(0);
        next.previous == self.head(k - 1) || since <= before.version
    }

    pub(super) fn waiting(&self, k: usize) -> Option<Authority> {
        if k == 0 || self.emergency(k) {
            return None;
        }
        self.carried(k).filter(|next| *next != self.judge(k))
    }

    pub(super) fn authority(&self, k: usize, now: Timestamp) -> Authority {
        if k == 0 {
            return self.floor.authority.clone().unwrap();
        }
        if let Some(next) = self.waiting(k) {
            let mut first = k;
            while first > 1
                && self.unbroken(first)
                && self.waiting(first - 1).as_ref() == Some(&next)
            {
                first -= 1;
            }
            let rules = self.first_sight(first).saturating_add(i64::from(HOLD));
            if rules <= now && rules <= self.announcement(k).expires {
                return next;
            }
            return self.judge(k);
        }
        let carried = self.announcement(k).authority.clone();
        carried.unwrap_or_else(|| self.judge(k))
    }

    pub(super) fn rejected(&self, k: usize, pin: &Pin) -> bool {
        let all = self.announcement(k).pin_sets.iter().flat_map(|s| &s.pins);
        let states: Vec<_> = all.filter(|p| p.key == pin.key).map(|p| p.state).collect();
        if states.contains(&PinState::Rejected) {
            return true;
        }
        let lifted = states.iter().any(|state| state.can_be_accepted());
        k > 0 && !(lifted && self.emergency(k)) && self.rejected(k - 1, pin)
    }

    /// From when on it may count by its own history, `None` from ever; and whether that is a
    /// hold-down.
    pub(super) fn trusted(
        &self,
        k: usize,
        host: &PinScope,
        pin: &Pin,
    ) -> (Option<Timestamp>, bool) {
        if k == 0 {
            let listed = listed(&self.floor, host, pin).unwrap();
            return (listed.acceptance.from(), false);
        }
        if self.emergency(k) {
            return (None, false);
        }
        let anew = self.first_sight(k).saturating_add(i64::from(HOLD));
        let known = listed(self.announcement(k - 1), host, pin);
        let known = known.filter(|known| known.state.can_be_accepted());
        if known.is_none() || self.rejected(k - 1, pin) {
            return (Some(anew), true);
        }
        let label = listed(&self.before(k).announcement, host, pin)
            .unwrap()
            .state;
        let held = self.acceptance(k - 1, host, pin).holds(self.before(k).at);
        if (held && label != PinState::Announced) || self.rescued(k - 1, host, pin) {
            return (None, false);
        }
        let (from, is_hold_down) = self.trusted(k - 1, host, pin);
        if is_hold_down && !held && !self.unbroken(k) {
            return (Some(anew), true);
        }
        let entry = self.before(k);
        let over = from.is_some_and(|from| from <= entry.announcement.issued.min(entry.at));
        (from, is_hold_down && !(self.listed_again && over))
    }

    pub(super) fn plain(&self, k: usize, host: &PinScope, pin: &Pin) -> Acceptance {
        let Some(listed) = listed(self.announcement(k), host, pin) else {
            return Acceptance::Never;
        };
        if !listed.state.can_be_accepted() || self.rejected(k, pin) {
            return Acceptance::Never;
        }
        let (trusted, is_hold_down) = self.trusted(k, host, pin);
        if is_hold_down && self.listed_again {
            return Acceptance::Never;
        }
        match trusted.max(listed.acceptance.from()) {
            None => Acceptance::Always,
            Some(from) if k > 0 && from > self.announcement(k).expires => Acceptance::Never,
            Some(from) => Acceptance::From(from),
        }
    }

    /// Whether it was what the host had left when it was applied.
    pub(super) fn rescued(&self, k: usize, host: &PinScope, pin: &Pin) -> bool {
        if k == 0 || !self.plain(k, host, pin).holds(self.before(k).at) {
            return false;
        }
        let mut sets = self.announcement(k).pin_sets.iter();
        let set = sets.find(|set| set.hosts.contains(host)).unwrap();
        let mut pins = set.pins.iter();
        pins.all(|other| self.plain(k, host, other) != Acceptance::Always)
    }

    pub(super) fn acceptance(&self, k: usize, host: &PinScope, pin: &Pin) -> Acceptance {
        match self.rescued(k, host, pin) {
            true => Acceptance::Always,
            false => self.plain(k, host, pin),
        }
    }

    /// The code of the refusal of the last entry.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let k = self.history.len();
        let (entry, next) = (self.before(k), self.announcement(k));
        let judge = self.judge(k);
        if entry.signers(&judge) < judge.threshold() && self.delegate(k).is_none() {
            return Some("threshold");
        }
        if next.product != PRODUCT {
            return Some("other_product");
        }
        let needed = judge.emergency_threshold().unwrap_or(usize::MAX);
        if next.emergency && entry.signers(&judge) < needed {
            return Some("emergency_threshold");
        }
        let version = self.announcement(k - 1).version;
        if next.version == version && k > 1 {
            return Some("forked");
        }
        if next.version <= version {
            return Some("rollback");
        }
        if next.version > version + 1_000_000 {
            return Some("fast_forward");
        }
        if next.previous.is_some_and(|p| p.version == next.version) {
            return Some("malformed");
        }
        if next.issued > entry.at.saturating_add(300) {
            return Some("not_yet_issued");
        }
        if entry.at > next.expires {
            return Some("expired");
        }
        if let Some(carried) = self.carried(k).filter(|next| *next != judge) {
            let floor = self.floor.authority.clone().unwrap();
            if is_weaker(&carried, &floor) || entry.signers(&carried) < carried.threshold() {
                return Some("authority");
            }
        }
        let places = |position| match position {
            PinPosition::Leaf => 1,
            PinPosition::Ca => 6,
            PinPosition::Anchor => 4,
            _ => 7,
        };
        for (host, pin) in every(next).filter(|(_, pin)| pin.state.can_be_accepted()) {
            for earlier in [self.announcement(k - 1), &self.floor] {
                let same = every(earlier).filter(|(h, p)| *h == host && p.key == pin.key);
                let covered = same.fold(0, |all, (_, p)| all | places(p.position));
                if covered != 0 && places(pin.position) & !covered != 0 {
                    return Some("widened");
                }
            }
        }
        let empty = scopes().iter().any(|host| {
            let mut pins = every(next).filter(|(h, _)| *h == host);
            !pins.any(|(_, pin)| self.plain(k, host, pin).holds(entry.at))
        });
        empty.then_some("empty_set")
    }
}

fn is_weaker(authority: &Authority, floor: &Authority) -> bool {
    let weaker = |emergency| {
        let least = floor.emergency_threshold();
        least.is_none_or(|least| emergency < least)
    };
    authority.threshold() < floor.threshold() || authority.emergency_threshold().is_some_and(weaker)
}

fn every(announcement: &Announcement) -> impl Iterator<Item = (&PinScope, &Pin)> {
    let sets = announcement.pin_sets.iter();
    sets.flat_map(|set| {
        set.hosts
            .iter()
            .flat_map(|h| set.pins.iter().map(move |p| (h, p)))
    })
}
