use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::*;
use crate::cert::Sha256Digest;
use crate::event::{Event, EventCode, Role, Severity};
use crate::policy::Band;
use crate::time::Timestamp;

fn matter(n: u8) -> Matter {
    Matter::new(EventCode::PeerExpiring, Role::PeerServer)
        .with_name("a.example".to_owned())
        .with_sha256(Sha256Digest::of(&[n]))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn capacity(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

#[test]
fn tells_each_band_once_and_repeats_at_its_interval() {
    let mut transitions = Transitions::new(NonZeroUsize::MIN);
    let steps = [
        (0, Band::Ok, None),
        (10, Band::Due, Some(None)),
        (900_000, Band::Due, None),
        (1_000_000, Band::Warning, Some(Some(Band::Due))),
        (1_086_399, Band::Warning, None),
        (1_086_400, Band::Warning, Some(Some(Band::Warning))),
        (1_086_401, Band::Warning, None),
        (1_100_000, Band::Critical, Some(Some(Band::Warning))),
        (1_103_599, Band::Critical, None),
        (1_103_600, Band::Critical, Some(Some(Band::Critical))),
        // The clock is set back by more than a day: no storm, and told again an hour from then.
        (1_000_000, Band::Critical, None),
        (1_003_599, Band::Critical, None),
        (1_003_600, Band::Critical, Some(Some(Band::Critical))),
        (1_003_601, Band::Critical, None),
        // Years ahead: once.
        (101_000_000, Band::Critical, Some(Some(Band::Critical))),
        (101_000_001, Band::Critical, None),
        (101_000_002, Band::Ok, Some(Some(Band::Critical))),
        (101_300_000, Band::Ok, None),
    ];
    for (now, band, expected) in steps {
        let told = transitions.observe(matter(1), band, at(now));
        let expected = expected.map(|before| Telling { before });
        assert_eq!(told, expected, "{band} at {now}");
    }
}

#[test]
fn a_clock_that_jumps_to_and_fro_neither_storms_nor_silences() {
    let mut transitions = Transitions::new(NonZeroUsize::MIN);
    let mut told = 0;
    // For ten hours, every ten seconds, the clock is right and then a day ahead.
    for step in 0..3_600 {
        let now = if step % 2 == 0 {
            step * 10
        } else {
            step * 10 + 86_400
        };
        told += usize::from(
            transitions
                .observe(matter(1), Band::Expired, at(now))
                .is_some(),
        );
    }
    assert!((10..=12).contains(&told), "{told}");
    // It only ever goes back, ten minutes forward and twenty back: still hourly.
    let mut told = 0;
    for step in 0..60 {
        let begin = -step * 600;
        for now in [begin, begin + 600] {
            told += usize::from(
                transitions
                    .observe(matter(1), Band::Expired, at(now))
                    .is_some(),
            );
        }
    }
    assert!((9..=10).contains(&told), "{told}");
}

#[test]
fn what_is_ok_is_forgotten_first_then_the_longest_unseen() {
    let mut transitions = Transitions::new(capacity(3));
    let now = at(0);
    for n in [1, 2, 3] {
        transitions.observe(matter(n), Band::Expired, now);
    }
    transitions.observe(matter(3), Band::Ok, now);
    transitions.observe(matter(4), Band::Expired, now);
    // 3 was ok: it went, though 1 was not seen for longer.
    assert_eq!((transitions.len(), transitions.evictions()), (3, 1));
    assert_eq!(transitions.band(&matter(3)), None);
    assert_eq!(transitions.band(&matter(1)), Some(Band::Expired));
    transitions.observe(matter(1), Band::Expired, now);
    transitions.observe(matter(5), Band::Due, now);
    assert_eq!(transitions.band(&matter(2)), None);
    assert_eq!((transitions.len(), transitions.evictions()), (3, 2));
    // Forgotten: told as if new.
    assert_eq!(
        transitions.observe(matter(2), Band::Expired, now),
        Some(Telling { before: None })
    );
    transitions.forget(&matter(2));
    assert_eq!(transitions.len(), 2);
}

#[test]
fn intervals_can_be_set_for_each_band() {
    let repeat = RepeatPolicy::default()
        .with_band(Band::Warning, Some(Duration::from_secs(60)))
        .with_band(Band::Expired, None)
        .with_band(Band::Ok, Some(Duration::from_secs(1)))
        .with_band(Band::Due, Some(Duration::ZERO));
    let bands = [
        (Band::Ok, None),
        (Band::Due, Some(1)),
        (Band::Warning, Some(60)),
        (Band::Critical, Some(3_600)),
        (Band::Expired, None),
    ];
    for (band, expected) in bands {
        assert_eq!(
            repeat.interval(band),
            expected.map(Duration::from_secs),
            "{band}"
        );
    }
    assert_eq!(
        RepeatPolicy::every_minutes(0).interval(Band::Due),
        Some(Duration::from_secs(60))
    );
    assert_eq!(RepeatPolicy::never().interval(Band::Broken), None);
    let mut transitions = Transitions::new(capacity(1)).with_repeat(repeat);
    transitions.observe(matter(1), Band::Warning, at(0));
    assert_eq!(transitions.next_repeat(&matter(1), at(10)), Some(at(60)));
    // The clock is back: sixty seconds from now.
    assert_eq!(
        transitions.next_repeat(&matter(1), at(-1000)),
        Some(at(-940))
    );
    assert!(
        transitions
            .observe(matter(1), Band::Warning, at(60))
            .is_some()
    );
}

fn condition(n: usize, band: Band, cause: Option<u8>) -> Condition {
    let name = format!("chain {n}");
    let event = Event::new(
        at(0),
        EventCode::Expiring,
        Severity::of_band(band),
        Role::OwnServer,
        format!("renew {name}"),
    )
    .with_source(name.clone())
    .with_time_left_seconds(1_000 - i64::try_from(n).unwrap());
    let matter = Matter::new(EventCode::Expiring, Role::OwnServer).with_name(name);
    Condition::new(matter, band, event).with_cause(cause.map(|n| Sha256Digest::of(&[n])))
}

#[test]
fn fifty_chains_that_end_with_one_intermediate_are_one_event() {
    let mut transitions = Transitions::new(capacity(100));
    let mut conditions: Vec<_> = (0..50)
        .map(|n| condition(n, Band::Warning, Some(1)))
        .collect();
    conditions.push(condition(50, Band::Warning, Some(2)));
    conditions.push(condition(51, Band::Critical, Some(1)));
    conditions.push(condition(52, Band::Warning, None));
    let events = transitions.tell(conditions.clone(), at(0));
    let seen: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.affected,
                event.source.as_deref(),
                event.message.as_str(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                50,
                None,
                "50 share this cause: chain 0, chain 1, chain 2 and 47 more; renew chain 49"
            ),
            (1, Some("chain 50"), "renew chain 50"),
            (1, Some("chain 52"), "renew chain 52"),
            (1, Some("chain 51"), "renew chain 51"),
        ]
    );
    assert_eq!(transitions.tell(conditions, at(1)), []);
}

#[test]
fn more_of_a_kind_than_anybody_reads_are_one_event() {
    let mut transitions = Transitions::new(capacity(10_000));
    let conditions = |band| (0..5_000).map(move |n| condition(n, band, None));
    // The clock jumps a year ahead and back again: two events, not ten thousand.
    for band in [Band::Expired, Band::Ok] {
        let events = transitions.tell(conditions(band), at(0));
        let affected: Vec<_> = events.iter().map(|event| event.affected).collect();
        assert_eq!(affected, [5_000], "{band}");
    }
    let events = transitions.tell(conditions(Band::Due).take(10), at(0));
    assert_eq!(events.len(), 10);
}

/// The least that could be right: the whole history, looked through from the start every time.
#[derive(Default)]
struct Model {
    history: HashMap<Matter, Vec<(i64, Band, bool)>>,
}

impl Model {
    fn observe(&mut self, matter: Matter, band: Band, now: i64) -> Option<Telling> {
        let history = self.history.entry(matter).or_default();
        let last = history.iter().rposition(|(.., told)| *told);
        let telling = match last {
            None => (band != Band::Ok).then_some(Telling { before: None }),
            Some(last) => {
                let (told_at, before, _) = history[last];
                let mut quiet = now - told_at;
                if quiet < 0 {
                    // Back behind it: the forward steps since the latest look from before it.
                    let behind = history[last..]
                        .iter()
                        .rposition(|(t, ..)| *t >= told_at)
                        .unwrap();
                    let mut instants: Vec<_> = history[last + behind + 1..]
                        .iter()
                        .map(|(t, ..)| *t)
                        .collect();
                    instants.push(now);
                    quiet = instants.windows(2).map(|w| (w[1] - w[0]).max(0)).sum();
                    // Seconds that had gone by before the clock went back count too.
                    quiet += history[last + behind].0 - told_at;
                }
                let again = RepeatPolicy::default()
                    .interval(band)
                    .is_some_and(|interval| quiet >= i64::try_from(interval.as_secs()).unwrap());
                (band != before || again).then_some(Telling {
                    before: Some(before),
                })
            }
        };
        history.push((now, band, telling.is_some()));
        telling
    }
}

#[test]
fn agrees_with_the_model_on_random_lives() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        // xorshift64: the same lives in every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut told = 0;
    for life in 0..200 {
        let (mut transitions, mut model) = (Transitions::new(capacity(8)), Model::default());
        let mut now = 0_i64;
        for step in 0..400 {
            now += match next(40) {
                0 => -86_400,
                1 => 365 * 86_400,
                2 => -365 * 86_400,
                3 => -600,
                _ => i64::try_from(next(2_000)).unwrap(),
            };
            // A band that seldom changes.
            let band = if next(30) == 0 { next(7) } else { 5 };
            let band = Band::ALL[usize::try_from(band).unwrap()];
            let matter = matter(u8::try_from(next(8)).unwrap());
            let expected = model.observe(matter.clone(), band, now);
            let seen = transitions.observe(matter.clone(), band, at(now));
            assert_eq!(seen, expected, "life {life}, step {step}");
            told += usize::from(seen.is_some());
            if next(50) == 0 {
                // A restart in between changes nothing.
                #[cfg(feature = "json")]
                {
                    let saved = transitions.save();
                    transitions = Transitions::restore(&saved, capacity(8)).unwrap();
                }
            }
        }
    }
    assert!(told > 5_000, "{told}");
}

#[cfg(feature = "json")]
mod saving {
    use super::*;

    #[test]
    fn a_restart_neither_repeats_nor_forgets() {
        let mut transitions = Transitions::new(capacity(10));
        transitions.observe(matter(1), Band::Expired, at(0));
        transitions.observe(matter(2), Band::Critical, at(0));
        let mut after = Transitions::restore(&transitions.save(), capacity(10)).unwrap();
        assert_eq!(after.observe(matter(1), Band::Expired, at(3_599)), None);
        assert!(after.observe(matter(1), Band::Expired, at(3_600)).is_some());
        assert_eq!(
            after.observe(matter(2), Band::Ok, at(10)),
            Some(Telling {
                before: Some(Band::Critical)
            })
        );
    }

    #[test]
    fn a_damaged_state_is_an_error_at_every_length() {
        let mut transitions = Transitions::new(capacity(10));
        transitions.observe(matter(1), Band::Expired, at(0));
        let saved = transitions.save();
        for length in 0..saved.len() {
            let cut: String = saved.chars().take(length).collect();
            let cut = Transitions::restore(&cut, capacity(10));
            assert!(
                matches!(cut, Err(SavedStateError::Damaged { .. })),
                "{length}"
            );
        }
        let error = |text: &str| Transitions::restore(text, capacity(10)).unwrap_err();
        assert_eq!(
            error(&saved.replace("ns\":1", "ns\":2")),
            SavedStateError::UnknownVersion { version: 2 }
        );
        for (known, unknown) in [
            ("\"expired\"", "\"elapsed\""),
            ("peer_expiring", "peer_sleeping"),
            ("peer_server", "peer_waiter"),
            ("1970-01-01", "1970-13-01"),
        ] {
            let error = error(&saved.replace(known, unknown));
            assert_eq!(error, SavedStateError::BadEntry { number: 0 }, "{unknown}");
        }
    }
}
