//! Random announcements as they arrive, and the floor that they arrive on.

use std::collections::BTreeSet;

use crate::announce::signers::Signers;
use crate::announce::{Announcement, AnnouncementKey, Authority, PreviousAnnouncement};
use crate::cert::Sha256Digest;
use crate::pin::{Acceptance, Pin, PinPosition, PinScope, PinState, SpkiPin};
use crate::time::Timestamp;

pub(super) const HOLD: u32 = 1000;
pub(super) const PRODUCT: &str = "app";
const HOSTS: [&str; 2] = ["a.example", "b.example"];

/// xorshift64*, so that a failure can be had again.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        let index = self.below(values.len() as u64);
        values[usize::try_from(index).unwrap()].clone()
    }
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(super) fn key(n: u8) -> AnnouncementKey {
    let prefix = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
    AnnouncementKey::from_spki_der(&[&prefix[..], &[n; 32]].concat()).unwrap()
}

pub(super) fn authority(keys: &[u8], threshold: usize, emergency: Option<usize>) -> Authority {
    Authority::new(keys.iter().map(|n| key(*n)), threshold, emergency).unwrap()
}

pub(super) fn digest(letter: u8) -> SpkiPin {
    SpkiPin::from_spki_der(&[letter])
}

pub(super) fn scopes() -> Vec<PinScope> {
    HOSTS.iter().map(|host| host.parse().unwrap()).collect()
}

/// An announcement as it arrives.
#[derive(Debug, Clone)]
pub(super) struct RandomArrival {
    pub(super) announcement: Announcement,
    pub(super) payload: Sha256Digest,
    pub(super) signed: BTreeSet<AnnouncementKey>,
    pub(super) at: Timestamp,
    pub(super) handovers: Vec<RandomHandover>,
}

/// A handover that came along.
#[derive(Debug, Clone)]
pub(super) struct RandomHandover {
    pub(super) announcement: Announcement,
    pub(super) payload: Sha256Digest,
    pub(super) signed: BTreeSet<AnnouncementKey>,
}

impl Signers for RandomArrival {
    fn signers(&self, authority: &Authority) -> usize {
        authority.keys().filter(|k| self.signed.contains(k)).count()
    }
}

impl Signers for RandomHandover {
    fn signers(&self, authority: &Authority) -> usize {
        authority.keys().filter(|k| self.signed.contains(k)).count()
    }
}

pub(super) fn listed<'a>(
    announcement: &'a Announcement,
    host: &PinScope,
    pin: &Pin,
) -> Option<&'a Pin> {
    let mut sets = announcement.pin_sets.iter();
    let set = sets.find(|set| set.hosts.contains(host))?;
    let mut pins = set.pins.iter();
    pins.find(|p| (p.key, p.position) == (pin.key, pin.position))
}

pub(super) fn random_pins(random: &mut Random) -> Vec<Pin> {
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

pub(super) fn random_arrival(
    random: &mut Random,
    clock: &mut i64,
    version: u64,
    head: Option<PreviousAnnouncement>,
) -> RandomArrival {
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
    RandomArrival {
        announcement,
        payload: Sha256Digest::of(&random.next().to_be_bytes()),
        signed,
        at: at(now),
        handovers,
    }
}

pub(super) fn random_handovers(
    random: &mut Random,
    version: u64,
    head: Option<PreviousAnnouncement>,
) -> Vec<RandomHandover> {
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
        handovers.push(RandomHandover {
            announcement: said,
            payload,
            signed: signers.iter().map(|n| key(*n)).collect(),
        });
    }
    handovers
}

pub(super) fn random_previous(
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

pub(super) fn floor() -> Announcement {
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
