//! Clocks that are wrong, and what is remembered against them.

use notafter::pin::Acceptance;

use super::ground::{DAY, Draft, Ground, day, listed, second};
use crate::support::pki::NOW;

fn announcing(version: u64, issued: notafter::Timestamp) -> Draft {
    let pins = [listed(b'O', "current"), listed(b'P', "announced")];
    Draft::new(version, issued, &pins)
}

#[test]
fn a_clock_set_back_at_first_sight_and_corrected_later_shortens_nothing_that_is_known() {
    // Before the announcement's own date: it is not believed at all.
    let ground = Ground::new();
    let early = ground.apply(&announcing(11, day(10)), NOW).unwrap_err();
    assert_eq!(early.code(), "not_yet_issued");
    // Before the floor's date: the floor's date counts.
    let ground = Ground::new();
    ground
        .apply(&announcing(11, day(-400)).expiring(day(60)), day(-400))
        .unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
    // Before an announcement that was applied: its instant counts.
    let ground = Ground::new();
    ground
        .apply(&Draft::new(11, NOW, &[listed(b'O', "current")]), day(20))
        .unwrap();
    ground.apply(&announcing(12, NOW), day(2)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(50)));
    assert_eq!(ground.accepted(second(50 * DAY - 1)), "O");
    // Before an instant at which the store was told the time: that counts.
    let ground = Ground::new();
    ground
        .apply(&Draft::new(11, NOW, &[listed(b'O', "current")]), NOW)
        .unwrap();
    ground.store.tick(day(25));
    ground.apply(&announcing(12, NOW), day(1)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(55)));
}

#[test]
fn a_clock_that_ran_ahead_ripens_nothing_for_good_and_delays_by_no_more_than_was_signed() {
    // While it is ahead the pin counts; corrected, it does not.
    let ground = Ground::new();
    ground.apply(&announcing(11, NOW), NOW).unwrap();
    ground.store.tick(day(60));
    assert_eq!(
        (ground.accepted(day(60)), ground.accepted(day(1))),
        ("OP".into(), "O".into())
    );
    // A refresh that still only announces it does not change that.
    ground.apply(&announcing(12, day(1)), day(60)).unwrap();
    assert_eq!(
        (ground.from(b'P'), ground.accepted(day(2))),
        (Acceptance::From(day(30)), "O".into())
    );
    // Years ahead, the store remembers no further than the announcement in force lasts.
    let ground = Ground::new();
    ground
        .apply(
            &Draft::new(11, NOW, &[listed(b'O', "current")]).expiring(day(40)),
            NOW,
        )
        .unwrap();
    ground.store.tick(day(40_000));
    ground.apply(&announcing(12, day(2)), day(2)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(70)));
    // With the floor alone, it remembers nothing of it.
    let ground = Ground::new();
    ground.store.tick(day(40_000));
    ground.apply(&announcing(11, day(2)), day(2)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(32)));
    // An announcement that is over cannot be applied, however far ahead the clock is.
    let ground = Ground::new();
    assert_eq!(
        ground
            .apply(&announcing(11, NOW), day(91))
            .unwrap_err()
            .code(),
        "expired"
    );
    assert!(ground.apply(&announcing(11, NOW), day(2)).is_ok());
}

/// While the clock is ahead, the new pin takes over and the old one goes. The clock is corrected:
/// the host must not be without a pin.
#[test]
fn a_corrected_clock_takes_no_pin_away_that_an_announcement_was_judged_by() {
    for state in ["current", "backup", "announced"] {
        let ground = Ground::new();
        ground.apply(&announcing(11, NOW), NOW).unwrap();
        let taking_over = Draft::new(12, day(1), &[listed(b'P', state), listed(b'O', "retired")]);
        assert_eq!(
            ground.apply(&taking_over, day(1)).unwrap_err().code(),
            "empty_set"
        );
        ground.apply(&taking_over, day(60)).unwrap();
        assert_eq!(ground.accepted(day(1)), "P", "{state}");
    }
}

#[test]
fn a_clock_set_back_after_a_pin_matured_only_makes_it_wait_again() {
    let ground = Ground::new();
    ground.apply(&announcing(11, NOW), NOW).unwrap();
    assert_eq!(ground.accepted(day(31)), "OP");
    assert_eq!(ground.accepted(day(29)), "O");
    // And the announcement that follows finds it where it was.
    ground.apply(&announcing(12, NOW), day(29)).unwrap();
    assert_eq!(ground.from(b'P'), Acceptance::From(day(30)));
}
