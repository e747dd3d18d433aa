//! The rules against a reference model, on random histories. The model keeps no state: it answers
//! each question by going back through everything that was ever applied.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::cert::Sha256Digest;
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

const HOLD: u32 = 1000;
const PRODUCT: &str = "app";
const HOSTS: [&str; 2] = ["a.example", "b.example"];

/// xorshift64*, so that a failure can be had again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        let index = self.below(values.len() as u64);
        values[usize::try_from(index).unwrap()].clone()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn key(n: u8) -> AnnouncementKey {
    let prefix = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
    AnnouncementKey::from_spki_der(&[&prefix[..], &[n; 32]].concat()).unwrap()
}

fn authority(keys: &[u8], threshold: usize, emergency: Option<usize>) -> Authority {
    Authority::new(keys.iter().map(|n| key(*n)), threshold, emergency).unwrap()
}

fn digest(letter: u8) -> SpkiPin {
    SpkiPin::from_spki_der(&[letter])
}

fn scopes() -> Vec<PinScope> {
    HOSTS.iter().map(|host| host.parse().unwrap()).collect()
}

#[derive(Clone)]
struct Entry {
    announcement: Announcement,
    payload: Sha256Digest,
    signed: BTreeSet<AnnouncementKey>,
    at: Timestamp,
    handovers: Vec<Brought>,
}

/// A handover that came along.
#[derive(Debug, Clone)]
struct Brought {
    announcement: Announcement,
    payload: Sha256Digest,
    signed: BTreeSet<AnnouncementKey>,
}

impl Signers for Brought {
    fn signers(&self, authority: &Authority) -> usize {
        authority.keys().filter(|k| self.signed.contains(k)).count()
    }
}

impl Entry {
    fn signers(&self, authority: &Authority) -> usize {
        authority.keys().filter(|k| self.signed.contains(k)).count()
    }

    fn listed(&self, host: &PinScope, pin: &Pin) -> Option<&Pin> {
        listed(&self.announcement, host, pin)
    }
}

fn listed<'a>(announcement: &'a Announcement, host: &PinScope, pin: &Pin) -> Option<&'a Pin> {
    let mut sets = announcement.pin_sets.iter();
    let set = sets.find(|set| set.hosts.contains(host))?;
    let mut pins = set.pins.iter();
    pins.find(|p| (p.key, p.position) == (pin.key, pin.position))
}

struct Model {
    floor: Announcement,
    listed_again: bool,
    history: Vec<Entry>,
    /// Who ruled when each arrived: every answer asks that again and again.
    ruled: RefCell<Vec<Authority>>,
}

impl Model {
    fn before(&self, k: usize) -> &Entry {
        &self.history[k - 1]
    }

    fn announcement(&self, k: usize) -> &Announcement {
        match k {
            0 => &self.floor,
            _ => &self.before(k).announcement,
        }
    }

    fn latest(&self, k: usize) -> Timestamp {
        match k {
            0 => self.floor.issued,
            _ => self.first_sight(k),
        }
    }

    fn first_sight(&self, k: usize) -> Timestamp {
        let entry = self.before(k);
        let seen = entry.at.max(entry.announcement.issued);
        seen.max(self.latest(k - 1))
    }

    /// Who ruled when the k-th arrived.
    fn ruled(&self, k: usize) -> Authority {
        let known = self.ruled.borrow().get(k - 1).cloned();
        known.unwrap_or_else(|| {
            let ruled = self.authority(k - 1, self.before(k).at);
            self.ruled.borrow_mut().truncate(k - 1);
            self.ruled.borrow_mut().push(ruled.clone());
            ruled
        })
    }

    fn arrived(&mut self, entry: Entry) {
        self.history.push(entry);
        self.ruled.borrow_mut().truncate(self.history.len() - 1);
        for k in 1..=self.history.len() {
            self.ruled(k);
        }
    }

    /// To whom who ruled then had handed over, where that one signed in its place; and whether at once.
    fn delegate(&self, k: usize) -> Option<(Authority, bool)> {
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
    fn judge(&self, k: usize) -> Authority {
        match self.delegate(k) {
            Some((delegate, true)) => delegate,
            _ => self.ruled(k),
        }
    }

    /// Whom the k-th names as the next authority.
    fn carried(&self, k: usize) -> Option<Authority> {
        let delegate = || self.delegate(k).filter(|(_, at_once)| !at_once);
        let named = self.announcement(k).authority.clone();
        named.or_else(|| Some(delegate()?.0))
    }

    fn emergency(&self, k: usize) -> bool {
        self.announcement(k).emergency
    }

    /// What the announcement after the k-th names, if it follows.
    fn head(&self, k: usize) -> Option<PreviousAnnouncement> {
        if k == 0 {
            return self.floor.previous;
        }
        let entry = self.before(k);
        let version = entry.announcement.version;
        Some(PreviousAnnouncement::new(version, entry.payload))
    }

    /// Whether hold-downs go on with the k-th.
    fn unbroken(&self, k: usize) -> bool {
        let (next, before) = (self.announcement(k), self.announcement(k - 1));
        let since = next.unbroken_since.unwrap_or(0);
        next.previous == self.head(k - 1) || since <= before.version
    }

    fn waiting(&self, k: usize) -> Option<Authority> {
        if k == 0 || self.emergency(k) {
            return None;
        }
        self.carried(k).filter(|next| *next != self.judge(k))
    }

    fn authority(&self, k: usize, now: Timestamp) -> Authority {
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

    fn rejected(&self, k: usize, pin: &Pin) -> bool {
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
    fn trusted(&self, k: usize, host: &PinScope, pin: &Pin) -> (Option<Timestamp>, bool) {
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
        let label = self.before(k).listed(host, pin).unwrap().state;
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

    fn plain(&self, k: usize, host: &PinScope, pin: &Pin) -> Acceptance {
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
    fn rescued(&self, k: usize, host: &PinScope, pin: &Pin) -> bool {
        if k == 0 || !self.plain(k, host, pin).holds(self.before(k).at) {
            return false;
        }
        let mut sets = self.announcement(k).pin_sets.iter();
        let set = sets.find(|set| set.hosts.contains(host)).unwrap();
        let mut pins = set.pins.iter();
        pins.all(|other| self.plain(k, host, other) != Acceptance::Always)
    }

    fn acceptance(&self, k: usize, host: &PinScope, pin: &Pin) -> Acceptance {
        match self.rescued(k, host, pin) {
            true => Acceptance::Always,
            false => self.plain(k, host, pin),
        }
    }

    /// The code of the refusal of the last entry.
    fn refusal(&self) -> Option<&'static str> {
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

fn random_pins(random: &mut Random) -> Vec<Pin> {
    let states = [
        PinState::Current,
        PinState::Current,
        PinState::Backup,
        PinState::Announced,
        PinState::Announced,
        PinState::Retired,
        PinState::Rejected,
    ];
    let mut pins: Vec<Pin> = Vec::new();
    for letter in *b"OBPQ" {
        let likely = if letter == b'O' { 85 } else { 60 };
        if !random.chance(likely) {
            continue;
        }
        let mut state = random.pick(&states);
        let settled = if letter == b'O' { 80 } else { 10 };
        if random.chance(settled) || (state == PinState::Rejected && random.chance(70)) {
            state = PinState::Current;
        }
        let mut pin = Pin::new(digest(letter), state);
        if random.chance(3) {
            pin = pin.with_position(random.pick(&[PinPosition::Ca, PinPosition::Any]));
        }
        if state == PinState::Announced && random.chance(25) {
            let after = i64::try_from(random.below(8000)).unwrap();
            pin = pin.with_acceptance(Acceptance::From(at(after)));
        }
        pins.push(pin);
    }
    pins
}

fn random_entry(
    random: &mut Random,
    clock: &mut i64,
    version: u64,
    head: Option<PreviousAnnouncement>,
) -> Entry {
    *clock += i64::try_from(random.below(900)).unwrap();
    let wrong = i64::try_from(random.below(3000)).unwrap() - 1500;
    let now = if random.chance(15) {
        *clock + wrong
    } else {
        *clock
    };
    let early = if random.chance(30) { -400 } else { 500 };
    let issued = *clock - i64::try_from(random.below(500)).unwrap() * early / 500;
    // Often as long as a hold-down takes from about now, to the second.
    let lasting = match random.below(4) {
        0 => i64::try_from(random.below(2000)).unwrap(),
        1 => now - issued + i64::from(HOLD) + random.pick(&[-1, 0, 1]),
        _ => 4000,
    };
    let step = random.pick(&[0, 1, 1, 1, 1, 1, 2, 3, 7, 1_000_000, 1_000_001]);
    let product = if random.chance(2) { "other" } else { PRODUCT };
    let mut announcement =
        Announcement::new(product, version + step, at(issued), at(issued + lasting));
    announcement.previous = random_previous(random, announcement.version, head);
    announcement.emergency = random.chance(12);
    if random.chance(30) {
        announcement.unbroken_since = Some(version + random.below(2));
    }
    if random.chance(50) {
        announcement = announcement.with_pins(scopes(), random_pins(random));
    } else {
        for scope in scopes() {
            announcement = announcement.with_pins([scope], random_pins(random));
        }
    }
    if random.chance(15) {
        let candidates = [
            authority(&[1, 2, 3, 4], 2, Some(3)),
            authority(&[3, 4, 5], 2, Some(3)),
            authority(&[4, 5, 6], 2, None),
            authority(&[1, 2, 3], 1, Some(3)),
        ];
        announcement = announcement.with_authority(random.pick(&candidates));
    }
    let handovers = random_handovers(random, version, head);
    let signers = random.pick(&[
        &[1, 2][..],
        &[1, 2],
        &[1, 2],
        &[2, 4],
        &[1, 2, 3],
        &[1, 2, 3, 4, 5, 6],
        &[1, 2, 4, 5],
        &[3, 4],
        &[4, 5],
        &[5],
    ]);
    let mut signed: BTreeSet<_> = signers.iter().map(|n| key(*n)).collect();
    if let Some(last) = handovers.last().filter(|_| random.chance(80)) {
        let next = last.announcement.authority.as_ref();
        signed = next
            .into_iter()
            .flat_map(Authority::keys)
            .cloned()
            .collect();
    }
    Entry {
        announcement,
        payload: Sha256Digest::of(&random.next().to_be_bytes()),
        signed,
        at: at(now),
        handovers,
    }
}

fn random_handovers(
    random: &mut Random,
    version: u64,
    head: Option<PreviousAnnouncement>,
) -> Vec<Brought> {
    let count = random.pick(&[0, 0, 0, 0, 1, 1, 2, 3]);
    let mut handovers = Vec::new();
    for n in 0..count {
        let version = version + random.pick(&[0, n, n + 1]);
        let product = if random.chance(5) { "other" } else { PRODUCT };
        let mut said = Announcement::new(product, version, at(0), at(10));
        said.emergency = random.chance(50);
        let next = [
            authority(&[3, 4, 5], 2, Some(3)),
            authority(&[4, 5, 6], 2, None),
            authority(&[7, 8, 9], 2, Some(3)),
            authority(&[7, 8, 9], 1, Some(3)),
            authority(&[1, 2, 3, 4], 2, Some(3)),
        ];
        said.authority = Some(random.pick(&next));
        let signers: Vec<u8> = (1..10).filter(|_| random.chance(90)).collect();
        let mut payload = Sha256Digest::of(&random.next().to_be_bytes());
        if let Some(head) = head.filter(|_| random.chance(30)) {
            payload = head.sha256;
        }
        handovers.push(Brought {
            announcement: said,
            payload,
            signed: signers.iter().map(|n| key(*n)).collect(),
        });
    }
    handovers
}

fn random_previous(
    random: &mut Random,
    version: u64,
    head: Option<PreviousAnnouncement>,
) -> Option<PreviousAnnouncement> {
    let other = Sha256Digest::of(b"another one");
    match random.below(10) {
        0 => None,
        1 => Some(PreviousAnnouncement::new(version, other)),
        2..4 => Some(PreviousAnnouncement::new(version - 1, other)),
        _ => head,
    }
}

fn floor() -> Announcement {
    let pins = [
        Pin::new(digest(b'O'), PinState::Current),
        Pin::new(digest(b'B'), PinState::Announced).with_acceptance(Acceptance::From(at(2500))),
    ];
    let other = [
        Pin::new(digest(b'O'), PinState::Backup).with_position(PinPosition::Any),
        Pin::new(digest(b'Q'), PinState::Retired),
    ];
    let [first, second] = scopes().try_into().unwrap();
    Announcement::new(PRODUCT, 5, at(100), at(1_000_000))
        .with_pins([first], pins)
        .with_pins([second], other)
        .with_authority(authority(&[1, 2, 3, 4], 2, Some(3)))
}

fn universe() -> Vec<Pin> {
    let positions = [PinPosition::Leaf, PinPosition::Ca, PinPosition::Any];
    let pins = b"OBPQ".iter().flat_map(|letter| {
        positions.map(|p| Pin::new(digest(*letter), PinState::Current).with_position(p))
    });
    pins.collect()
}

fn accepted_by_rules(state: &RotationState, host: &PinScope, pin: &Pin, now: Timestamp) -> bool {
    let mut sets = state.in_force();
    let set = sets.find(|(hosts, _)| hosts.contains(host));
    let pins = set.map(|(_, pins)| pins).unwrap_or_default();
    let same = |p: &&Pin| (p.key, p.position) == (pin.key, pin.position);
    pins.iter().find(same).is_some_and(|p| p.is_accepted(now))
}

#[test]
fn random_histories_come_to_what_the_model_says() {
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for seed in 1..=500_u64 {
        let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut model = Model {
            floor: floor(),
            listed_again: seed % 3 == 0,
            history: Vec::new(),
            ruled: RefCell::default(),
        };
        let floor = Arc::new(PinFloor::new(floor()).unwrap());
        let mut state = RotationState::of_floor(floor, HOLD);
        if model.listed_again {
            state = state.with_successors(SuccessorRule::ListedAgain);
        }
        let mut clock = 1000;
        for step in 0..24 {
            let entry = random_entry(random, &mut clock, state.version(), state.head());
            model.arrived(entry.clone());
            let handovers = entry.handovers.iter().map(|brought| Handover {
                announcement: brought.announcement.clone(),
                payload: brought.payload,
                signed: Box::new(brought.clone()),
            });
            let handovers: Vec<_> = handovers.collect();
            let arrival = Arrival {
                announcement: &entry.announcement,
                payload: entry.payload,
                signers: &|authority| entry.signers(authority),
                handovers: &handovers,
            };
            let outcome = apply(&state, arrival, WhenEmpty::Refuse, entry.at);
            let code = outcome.as_ref().err().map(AnnouncementError::code);
            assert_eq!(code, model.refusal(), "seed {seed} step {step}");
            *seen.entry(code.unwrap_or("applied")).or_default() += 1;
            let followed = outcome.is_ok().then(|| model.delegate(model.history.len()));
            match followed.flatten() {
                Some((_, true)) => *seen.entry("followed at once").or_default() += 1,
                Some((_, false)) => *seen.entry("followed").or_default() += 1,
                None => {}
            }
            match outcome {
                Ok(next) => state = next,
                Err(_) => drop(model.history.pop()),
            }
            if model.history.len() >= 7 {
                break;
            }
        }
        let k = model.history.len();
        let hold = i64::from(HOLD);
        let mut edges = vec![at(-500), at(2500), at(9000)];
        for entry in &model.history {
            for edge in [
                entry.at,
                entry.announcement.issued,
                entry.announcement.expires,
            ] {
                edges.extend([
                    edge,
                    edge.saturating_add(hold),
                    edge.saturating_add(hold - 1),
                ]);
            }
        }
        for now in (0..8).map(|_| random.pick(&edges)).collect::<Vec<_>>() {
            assert_eq!(
                *state.authority_at(now),
                model.authority(k, now),
                "seed {seed} at {now}"
            );
            for host in scopes() {
                let mut any = false;
                for pin in universe() {
                    let ours = accepted_by_rules(&state, &host, &pin, now);
                    let theirs = model.acceptance(k, &host, &pin).holds(now);
                    assert_eq!(ours, theirs, "seed {seed}: {host} {pin} at {now}");
                    any |= ours;
                }
                let last = model.history.last().map_or(at(100), |entry| entry.at);
                assert!(any || now < last, "seed {seed}: {host} has no pin at {now}");
            }
        }
    }
    let all = [
        "applied",
        "followed",
        "followed at once",
        "threshold",
        "emergency_threshold",
        "other_product",
        "forked",
        "malformed",
        "rollback",
        "fast_forward",
        "not_yet_issued",
        "expired",
        "authority",
        "widened",
        "empty_set",
    ];
    for code in all {
        assert!(
            seen.get(code).is_some_and(|n| *n > 15),
            "{code} is rare: {seen:?}"
        );
    }
}
