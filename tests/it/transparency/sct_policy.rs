//! What browsers want of SCTs, to the day and the second.

use notafter::cert::{Sct, SctList};
use notafter::transparency::{
    LifetimeEnd, Log, LogKind, LogList, LogState, NotCountedReason, SctPolicy, SctStatus,
};
use notafter::{Certificate, Timestamp};
use time::OffsetDateTime;

use super::{embed, log_id, tls_list};
use crate::support::pki::{self, NOW, days};
use crate::support::{corpora, limbo};

const DAY: i64 = 86_400;

/// The millisecond in which the leaves of these tests were logged, an hour before their notBefore.
fn logged_ms() -> u64 {
    u64::try_from(NOW.saturating_add(-3_600).as_unix_seconds()).unwrap() * 1_000
}

/// A leaf from `NOW` on that lives so many seconds, and embeds SCTs of these logs and milliseconds.
fn leaf_of(seconds: i64, scts: &[(u8, u64)]) -> Certificate {
    let instant = |t: Timestamp| OffsetDateTime::from(t);
    let leaf = pki::root("Root", -10, 3000).leaf_with(&["a.example"], 0, 0, |params| {
        params.not_before = instant(NOW);
        params.not_after = instant(NOW.saturating_add(seconds));
        if !scts.is_empty() {
            embed(params, scts);
        }
    });
    leaf.certificate()
}

/// A leaf of 90 days with SCTs of these logs.
fn leaf(logs: &[u8]) -> Certificate {
    let scts: Vec<_> = logs.iter().map(|log| (*log, logged_ms())).collect();
    leaf_of(90 * DAY, &scts)
}

/// Usable logs by their number and operator; even ones are tiled.
fn list_of(logs: &[(u8, &str)]) -> LogList {
    let mut list = LogList::builder();
    for (log, operator) in logs {
        let kind = match log % 2 {
            0 => LogKind::StaticCtApi,
            _ => LogKind::Rfc6962,
        };
        let log = Log::new(log_id(*log), *operator).with_kind(kind);
        list = list.with_log(log.with_state(LogState::Usable, days(-1000)));
    }
    list.build().unwrap()
}

const LOGS: [(u8, &str); 6] = [(1, "A"), (2, "A"), (3, "A"), (4, "B"), (5, "B"), (6, "C")];

#[test]
fn the_number_wanted_changes_at_180_days_to_the_second() {
    let (chrome, apple) = (SctPolicy::chrome(), SctPolicy::apple());
    let cases = [
        (90 * DAY, 2, 2),
        (180 * DAY - 1, 2, 2),
        // 180 days for Chrome; with the second of notAfter, a second more.
        (180 * DAY, 2, 3),
        (180 * DAY + 1, 3, 3),
        (398 * DAY, 3, 3),
    ];
    for (seconds, for_chrome, for_apple) in cases {
        let leaf = leaf_of(seconds, &[]);
        assert_eq!(chrome.needed(&leaf), for_chrome, "{seconds}");
        assert_eq!(apple.needed(&leaf), for_apple, "{seconds}");
        assert_eq!(SctPolicy::browsers().needed(&leaf), for_apple, "{seconds}");
    }
    let own = SctPolicy::chrome()
        .with_short_lifetime(90, 1)
        .with_scts(5)
        .with_lifetime_end(LifetimeEnd::Included);
    assert_eq!(own.needed(&leaf_of(90 * DAY - 1, &[])), 1);
    assert_eq!(own.needed(&leaf_of(90 * DAY, &[])), 5);
}

#[test]
fn logs_and_operators_are_counted() {
    use SctStatus::{Met, Missing, TooFew, TooFewOperators, TooFewRfc6962};
    let list = list_of(&LOGS);
    let cases: [(&[u8], SctStatus, usize, &[&str]); 10] = [
        (&[], Missing, 0, &[]),
        (&[1], TooFew, 1, &["A"]),
        (&[1, 1], TooFew, 1, &["A"]),
        (&[1, 9], TooFew, 1, &["A"]),
        (&[8, 9], TooFew, 0, &[]),
        (&[1, 3], TooFewOperators, 2, &["A"]),
        (&[1, 2, 3], TooFewOperators, 3, &["A"]),
        (&[1, 4], Met, 2, &["A", "B"]),
        (&[4, 6], TooFewRfc6962, 2, &["B", "C"]),
        (&[1, 2, 5, 6, 9], Met, 4, &["A", "B", "C"]),
    ];
    for (logs, status, counted, operators) in cases {
        let verdict = SctPolicy::browsers().judge(&leaf(logs), &[], &list, NOW);
        assert_eq!(verdict.status, status, "{logs:?}");
        assert_eq!((verdict.counted, verdict.needed), (counted, 2), "{logs:?}");
        assert_eq!(verdict.operators, operators, "{logs:?}");
        assert_eq!(verdict.not_counted.len(), logs.len() - counted, "{logs:?}");
        assert_eq!(verdict.met_until, None);
        // Chrome does not ask how a log is read.
        let by_chrome = SctPolicy::chrome().judge(&leaf(logs), &[], &list, NOW);
        let expected = if status == TooFewRfc6962 { Met } else { status };
        assert_eq!(by_chrome.status, expected, "{logs:?}");
    }
    let verdict = SctPolicy::browsers().judge(&leaf(&[1, 1, 9]), &[], &list, NOW);
    let reasons: Vec<_> = verdict.not_counted.iter().map(|sct| sct.reason).collect();
    assert_eq!(
        reasons,
        [NotCountedReason::SameLog, NotCountedReason::UnknownLog]
    );
    assert_eq!(
        verdict.to_string(),
        "SCTs of 1 logs count, and browsers want 2; \
         that of AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=, of 2025-12-31T23:00:00Z, does not count: \
         another one is of the same log; \
         that of CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=, of 2025-12-31T23:00:00Z, does not count: \
         the log is not in the list"
    );
}

#[test]
fn four_that_do_not_count_are_named() {
    let logs: Vec<_> = (20..27).collect();
    let verdict = SctPolicy::browsers().judge(&leaf(&logs), &[], &list_of(&LOGS), NOW);
    assert_eq!(verdict.not_counted.len(), 7);
    let said = verdict.to_string();
    assert_eq!(
        said.matches("the log is not in the list").count(),
        4,
        "{said}"
    );
    assert!(said.ends_with("; 3 more do not count either"), "{said}");
}

#[test]
fn a_retired_log_counts_for_what_it_gave_before_to_the_millisecond() {
    let retired = days(10);
    let log = |log, operator: &str, states: &[(LogState, Timestamp)]| {
        let states = states.iter();
        states.fold(Log::new(log_id(log), operator), |log, (state, since)| {
            log.with_state(*state, *since)
        })
    };
    let usable = (LogState::Usable, days(-1000));
    let list = LogList::builder()
        .with_log(log(1, "A", &[usable]))
        .with_log(log(3, "B", &[(LogState::Retired, retired)]))
        .with_log(log(5, "C", &[(LogState::Pending, days(-5))]))
        .with_log(log(7, "D", &[(LogState::Rejected, days(-5))]))
        .with_log(log(9, "E", &[]))
        .build()
        .unwrap();
    let retired_ms = u64::try_from(retired.as_unix_seconds()).unwrap() * 1_000;
    let usable_sct = (1, logged_ms());
    let met = None;
    let is_retired = Some(NotCountedReason::Retired { since: retired });
    let included = |state| Some(NotCountedReason::NotIncluded { state });
    let cases = [
        (3, retired_ms - 1, retired, met),
        (3, retired_ms, retired, is_retired),
        (3, retired_ms + 1, retired, is_retired),
        // A second before it is retired, nothing is wrong with it yet.
        (3, logged_ms(), retired.saturating_add(-1), met),
        (
            3,
            retired_ms,
            retired.saturating_add(-1),
            Some(NotCountedReason::OfTheFuture),
        ),
        (3, retired_ms - 1, retired.saturating_add(-1), met),
        (5, logged_ms(), NOW, included(LogState::Pending)),
        (7, logged_ms(), NOW, included(LogState::Rejected)),
        (9, logged_ms(), NOW, Some(NotCountedReason::NoState)),
    ];
    for (log, timestamp_ms, at, expected) in cases {
        let leaf = leaf_of(90 * DAY, &[usable_sct, (log, timestamp_ms)]);
        let verdict = SctPolicy::browsers().judge(&leaf, &[], &list, at);
        let reason = verdict.not_counted.first().map(|sct| sct.reason);
        assert_eq!(reason, expected, "{log} {timestamp_ms} {at}");
        assert_eq!(verdict.status == SctStatus::Met, expected.is_none());
    }
}

#[test]
fn what_is_met_now_ends_when_the_last_log_that_is_in_force_is_retired() {
    let retiring = |log, operator: &str, since| {
        Log::new(log_id(log), operator)
            .with_state(LogState::Usable, days(-1000))
            .with_state(LogState::Retired, since)
    };
    let list = |first, second| {
        let builder = LogList::builder().with_log(retiring(1, "A", first));
        builder.with_log(retiring(3, "B", second)).build().unwrap()
    };
    let leaf = leaf(&[1, 3]);
    let end = leaf.not_after();
    let cases = [
        // One of two may be retired: the other is in force.
        (list(days(10), days(20)), Some(days(20).saturating_add(-1))),
        (list(days(20), days(10)), Some(days(20).saturating_add(-1))),
        (list(days(10), end), Some(end.saturating_add(-1))),
        // After the leaf's end nobody asks.
        (list(days(10), end.saturating_add(1)), None),
    ];
    for (list, until) in cases {
        let judge = |at| SctPolicy::browsers().judge(&leaf, &[], &list, at);
        let verdict = judge(NOW);
        assert_eq!((verdict.status, verdict.met_until), (SctStatus::Met, until));
        if let Some(until) = until {
            assert_eq!(judge(until).status, SctStatus::Met);
            let after = judge(until.saturating_add(1));
            assert_eq!(
                (after.status, after.met_until),
                (SctStatus::NoCurrentLog, None)
            );
            assert_eq!((after.counted, after.current), (2, 0));
        }
    }
}

#[test]
fn an_sct_is_of_whoever_operated_its_log_then() {
    let sold = days(-1);
    let log = Log::new(log_id(1), "B").with_previous_operator("A", sold);
    let list = LogList::builder()
        .with_log(log.with_state(LogState::Usable, days(-1000)))
        .with_log(Log::new(log_id(3), "B").with_state(LogState::Usable, days(-1000)))
        .build()
        .unwrap();
    let sold_ms = u64::try_from(sold.as_unix_seconds()).unwrap() * 1_000;
    let cases = [
        (sold_ms - 1, SctStatus::Met),
        (sold_ms, SctStatus::TooFewOperators),
    ];
    for (timestamp_ms, status) in cases {
        let leaf = leaf_of(90 * DAY, &[(1, timestamp_ms), (3, sold_ms)]);
        let verdict = SctPolicy::browsers().judge(&leaf, &[], &list, NOW);
        assert_eq!(verdict.status, status, "{timestamp_ms}");
    }
}

fn delivered(logs: &[u8]) -> Vec<Sct> {
    if logs.is_empty() {
        return Vec::new();
    }
    let scts: Vec<_> = logs.iter().map(|log| (*log, logged_ms())).collect();
    SctList::from_tls(&tls_list(&scts)).unwrap().scts
}

#[test]
fn what_is_delivered_beside_the_leaf_counts_while_its_log_is_in_force() {
    let mut logs = LogList::builder();
    for (log, operator) in LOGS {
        let log = Log::new(log_id(log), operator).with_state(LogState::Usable, days(-1000));
        logs = logs.with_log(log);
    }
    let gone = Log::new(log_id(11), "D").with_state(LogState::Retired, days(0));
    let list = logs.with_log(gone).build().unwrap();
    let cases: [(&[u8], &[u8], SctStatus); 7] = [
        (&[], &[1, 4], SctStatus::Met),
        (&[], &[1, 2], SctStatus::TooFewOperators),
        (&[], &[1, 11], SctStatus::TooFew),
        // With one that is delivered two are enough, also for a leaf of a year.
        (&[1], &[4], SctStatus::Met),
        (&[11], &[4], SctStatus::TooFew),
        (&[1, 4], &[11], SctStatus::TooFew),
        (&[1, 4, 11], &[], SctStatus::Met),
    ];
    for (embedded, others, status) in cases {
        let embedded: Vec<_> = embedded.iter().map(|log| (*log, logged_ms())).collect();
        let leaf = leaf_of(365 * DAY, &embedded);
        let verdict = SctPolicy::browsers().judge(&leaf, &delivered(others), &list, NOW);
        assert_eq!(verdict.status, status, "{embedded:?} {others:?}");
    }
}

/// The leaf of the incident of 2021, by the list that Chrome had then.
#[test]
fn a_real_leaf_is_judged_by_the_list_of_its_time() {
    let list = include_bytes!("../../data/transparency/log_list-2021.json");
    let list = LogList::from_json(list).unwrap();
    let leaf = super::sct_facts::incident_leaf();
    let verdict = SctPolicy::browsers().judge(&leaf, &[], &list, leaf.not_before());
    // It was logged an hour after its notBefore, which CAs date back.
    assert_eq!((verdict.status, verdict.counted), (SctStatus::TooFew, 0));
    let at = "2021-10-05T00:00:00Z".parse().unwrap();
    let verdict = SctPolicy::browsers().judge(&leaf, &[], &list, at);
    assert_eq!((verdict.status, verdict.counted), (SctStatus::Met, 2));
    assert_eq!(verdict.operators, ["Cloudflare", "Google"]);
}

/// Leaves of well-known sites of 2026, which browsers took.
#[test]
fn what_well_known_sites_served_in_2026_is_what_browsers_want() {
    let Some(folder) = corpora::folder("chains") else {
        return;
    };
    let list = include_bytes!("../../data/transparency/log_list-2026.json");
    let list = LogList::from_json(list).unwrap();
    let cases = limbo::load(&folder.join("online-history-dev.json.gz"));
    let mut judged = 0;
    for case in cases {
        let Some(leaf) = case.chain.as_deref().and_then(<[_]>::first) else {
            continue;
        };
        if leaf.not_before() < NOW {
            continue;
        }
        let at = leaf.not_before().saturating_add(7 * DAY);
        let verdict = SctPolicy::browsers().judge(leaf, &[], &list, at);
        assert_eq!(verdict.status, SctStatus::Met, "{}: {verdict}", case.id);
        assert_eq!(verdict.not_counted, [], "{}", case.id);
        judged += 1;
    }
    println!("{judged} leaves of 2026");
    assert!(judged >= 20);
}
