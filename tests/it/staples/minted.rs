//! Responses minted to order: every status, every boundary.

use std::time::Duration;

use notafter::Timestamp;
use notafter::revocation::{RevocationReason, StapleJudge, StapleStatus, UnreadableStaple};
use x509_cert::ext::pkix::CrlReason;

use super::scene::Scene;
use crate::support::ocsp::{Hash, answer, good, revoked, unknown};
use crate::support::pki::{NOW, days};

const DAY: i64 = 86_400;
const SKEW: i64 = 300;

#[test]
fn a_good_staple_is_good_to_the_very_second() {
    let scene = Scene::new();
    let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let until = days(7);
    let good = StapleStatus::Good { until };
    let cases = [
        (NOW, good.clone()),
        (NOW.saturating_add(-SKEW), good.clone()),
        (
            NOW.saturating_add(-SKEW - 1),
            StapleStatus::NotYetValid {
                this_update: NOW,
                seconds: SKEW + 1,
            },
        ),
        (until, good),
        (
            until.saturating_add(1),
            StapleStatus::Stale { until, seconds: 1 },
        ),
        (
            until.saturating_add(DAY),
            StapleStatus::Stale {
                until,
                seconds: DAY,
            },
        ),
        (
            Timestamp::MAX,
            StapleStatus::Stale {
                until,
                seconds: Timestamp::MAX.seconds_since(until),
            },
        ),
        (
            Timestamp::MIN,
            StapleStatus::NotYetValid {
                this_update: NOW,
                seconds: NOW.seconds_since(Timestamp::MIN),
            },
        ),
    ];
    for (now, status) in cases {
        let outlook = scene.judge(&staple, now);
        assert_eq!(outlook.status, status, "{now}");
        assert_eq!(outlook.is_good(), outlook.code() == "good");
        assert_eq!(outlook.good_until().is_some(), outlook.is_good());
        assert_eq!(outlook.judged_at, now);
        assert_eq!(outlook.produced_at, Some(NOW));
        assert_eq!(outlook.this_update, Some(NOW));
        assert_eq!(outlook.next_update, Some(until));
    }
}

#[test]
fn a_maximum_age_ends_a_staple_and_stands_in_for_a_missing_next_update() {
    let scene = Scene::new();
    let pair = (&scene.leaf, &scene.issuer);
    let open = answer(pair, Hash::Sha1, good(), (NOW, None));
    let open = scene.staple(vec![open]);
    let closed = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let judge = StapleJudge::new();
    let capped = judge.clone().with_max_age(Duration::from_secs(3 * 86_400));
    let generous = judge.clone().with_max_age(Duration::from_secs(30 * 86_400));
    let cases = [
        (&judge, &open, 10),
        (&capped, &open, 3),
        (&generous, &open, 30),
        (&judge, &closed, 7),
        (&capped, &closed, 3),
        (&generous, &closed, 7),
    ];
    for (judge, staple, end) in cases {
        let until = days(end);
        assert_eq!(
            scene.judge_with(judge, staple, until).good_until(),
            Some(until)
        );
        let after = scene.judge_with(judge, staple, until.saturating_add(1));
        assert_eq!(after.status, StapleStatus::Stale { until, seconds: 1 });
    }
    let at_once = judge
        .with_max_age(Duration::ZERO)
        .with_skew_tolerance(Duration::ZERO);
    assert!(scene.judge_with(&at_once, &open, NOW).is_good());
    for (now, code) in [(-1, "not_yet_valid"), (1, "stale")] {
        let outlook = scene.judge_with(&at_once, &open, NOW.saturating_add(now));
        assert_eq!(outlook.code(), code);
    }
}

#[test]
fn a_revocation_is_final_but_a_hold_ends_with_its_answer() {
    let scene = Scene::new();
    let since = days(-3);
    let reasons = [
        (None, None),
        (Some(CrlReason::Unspecified), "unspecified".into()),
        (Some(CrlReason::KeyCompromise), "keyCompromise".into()),
        (Some(CrlReason::CaCompromise), "cACompromise".into()),
        (
            Some(CrlReason::AffiliationChanged),
            "affiliationChanged".into(),
        ),
        (Some(CrlReason::Superseded), "superseded".into()),
        (
            Some(CrlReason::CessationOfOperation),
            "cessationOfOperation".into(),
        ),
        (
            Some(CrlReason::PrivilegeWithdrawn),
            "privilegeWithdrawn".into(),
        ),
        (Some(CrlReason::AaCompromise), "aACompromise".into()),
    ];
    for (reason, name) in reasons {
        let staple = scene.staple(vec![scene.answer(revoked(since, reason), days(0), days(7))]);
        for now in [days(-1), days(0), days(7), days(8), Timestamp::MAX] {
            let outlook = scene.judge(&staple, now);
            let StapleStatus::Revoked {
                since: told,
                reason,
            } = outlook.status
            else {
                panic!("{outlook}");
            };
            assert_eq!(told, since);
            assert_eq!(reason.map(RevocationReason::name), name);
        }
    }
    let hold = revoked(since, Some(CrlReason::CertificateHold));
    let staple = scene.staple(vec![scene.answer(hold, days(0), days(7))]);
    for (now, code) in [
        (-1, "not_yet_valid"),
        (0, "revoked"),
        (7, "revoked"),
        (8, "stale"),
    ] {
        assert_eq!(scene.judge(&staple, days(now)).code(), code, "{now}");
    }
    let staple = scene.staple(vec![scene.answer(unknown(), days(0), days(7))]);
    for (now, code) in [
        (-1, "not_yet_valid"),
        (0, "unknown"),
        (7, "unknown"),
        (8, "stale"),
    ] {
        assert_eq!(scene.judge(&staple, days(now)).code(), code, "{now}");
    }
}

#[test]
fn of_several_answers_the_freshest_counts_and_among_equals_the_worst() {
    let scene = Scene::new();
    let other = scene.ca.leaf(&["b.example"], -10, 80).certificate();
    let other = answer(
        (&other, &scene.issuer),
        Hash::Sha1,
        revoked(days(-3), None),
        (days(1), Some(days(9))),
    );
    let revoked = || revoked(days(-3), None);
    let cases = [
        (vec![(good(), 0), (good(), -1)], "good"),
        (vec![(unknown(), -1), (good(), 0)], "good"),
        (vec![(revoked(), -1), (good(), 0)], "good"),
        (vec![(good(), -1), (revoked(), 0)], "revoked"),
        (vec![(revoked(), 0), (good(), 0)], "revoked"),
        (vec![(good(), 0), (revoked(), 0)], "revoked"),
        (vec![(good(), 0), (unknown(), 0)], "unknown"),
    ];
    for (answers, code) in cases {
        let answers = answers
            .into_iter()
            .map(|(status, from)| scene.answer(status, days(from), days(7)))
            .chain([other.clone()]);
        let staple = scene.staple(answers.collect());
        assert_eq!(scene.judge(&staple, NOW).code(), code);
    }
    let staple = scene.staple(vec![other]);
    let outlook = scene.judge(&staple, NOW);
    let (serial, answers) = (scene.leaf.serial_hex(), 1);
    assert_eq!(
        outlook.status,
        StapleStatus::WrongCertificate { serial, answers }
    );
    assert_eq!(outlook.produced_at, Some(NOW));
    assert_eq!(
        scene.judge(&scene.staple(Vec::new()), NOW).code(),
        "wrong_certificate"
    );
}

#[test]
fn what_is_no_response_is_absent_or_unreadable() {
    let scene = Scene::new();
    assert_eq!(scene.judge(&[], NOW).status, StapleStatus::Absent);
    let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let small = StapleJudge::new().with_max_bytes(staple.len() - 1);
    let (bytes, limit) = (staple.len(), staple.len() - 1);
    let problem = UnreadableStaple::TooLarge { bytes, limit };
    let status = scene.judge_with(&small, &staple, NOW).status;
    assert_eq!(status, StapleStatus::Unreadable { problem });
    let exact = StapleJudge::new().with_max_bytes(staple.len());
    assert!(scene.judge_with(&exact, &staple, NOW).is_good());
    let mut longer = staple.clone();
    longer.push(0);
    let certificate = scene.leaf.der().to_vec();
    for bytes in [longer, certificate, b"<html>".to_vec(), vec![0x30; 70_000]] {
        assert_eq!(scene.judge(&bytes, NOW).code(), "unreadable");
    }
}

#[test]
fn every_status_says_what_to_do() {
    let scene = Scene::new();
    let staple = |status| scene.staple(vec![scene.answer(status, days(0), days(7))]);
    let hold = revoked(days(-1), Some(CrlReason::KeyCompromise));
    let cases = [
        (staple(good()), NOW, "until 2026-01-08T00:00:00Z"),
        (
            staple(good()),
            days(8),
            "ended at 2026-01-08T00:00:00Z, 86400 s ago",
        ),
        (
            staple(good()),
            days(-1),
            "not valid before 2026-01-01T00:00:00Z, in 86400 s",
        ),
        (
            staple(hold),
            NOW,
            "revoked since 2025-12-31T00:00:00Z (keyCompromise)",
        ),
        (staple(unknown()), NOW, "ask the CA"),
        (scene.staple(Vec::new()), NOW, "0 answers"),
        (Vec::new(), NOW, "there is no staple"),
        (
            vec![0x30, 0x03, 0x0a, 0x01, 0x03],
            NOW,
            "try_later: ask again later",
        ),
        (vec![0x30, 0x03, 0x0a, 0x01, 0x00], NOW, "holds no answer"),
    ];
    for (staple, now, words) in cases {
        let text = scene.judge(&staple, now).to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.contains(": "), "{text} says not what to do");
    }
}
