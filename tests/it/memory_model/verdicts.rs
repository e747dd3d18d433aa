//! Verdicts: every family asks a verifier that is kept, and a fresh one, the same.

use notafter::Timestamp;

use super::ground::play;
use super::inner::Knowledge;
use super::pins::Pinning;
use super::question::{Accepted, Question, Walk, good_or_bad, said};
use super::setup::{Meetings, Setup, Shape};

const STEPS: u32 = 50;
fn of_servers(name: &str, shares: u64, shape: Shape) {
    let findings = play(name, shares, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape);
        let kept = setup.servers();
        let mut walk = Walk::start(dice, &setup);
        let mut accepted = Accepted::default();
        for step in 0..STEPS {
            if dice.below(12) == 0 {
                setup.change_pins(dice);
            }
            let now = walk.step(dice, &setup);
            let question = Question::any(dice, &setup);
            if setup.knowledge == Knowledge::Learning && dice.below(6) == 0 {
                setup.inner.turn(question.leaf);
            }
            let same = question.of_servers(&*kept, now);
            let fresh = question.of_servers(&*setup.fresh_servers(), now);
            findings.asked += 1;
            findings.could += 1;
            findings.passed += u64::from(fresh.is_ok());
            let asked = (question.canonical(), setup.epoch());
            if setup.inner_knows_more() && question.of_servers(&*setup.inner, now).is_ok() {
                accepted.note(asked, now);
            }
            let remembered = || {
                let allowed = setup.cache.is_some() && accepted.lately(&asked, now);
                let own = || question.of_servers(&*setup.own_opinion_of_servers(), now);
                allowed && said(&own()) == said(&same)
            };
            if said(&same) != said(&fresh) && !remembered() {
                findings.wrong(seed, differ(step, now, &setup, &same, &fresh));
            }
            if same.is_ok() {
                question.prove_server(&*kept, good_or_bad(dice));
            }
        }
    });
    findings.at_least_one_in(12);
}

fn of_clients(name: &str, shares: u64, shape: Shape) {
    let findings = play(name, shares, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape);
        let kept = setup.clients();
        let mut walk = Walk::start(dice, &setup);
        for step in 0..STEPS {
            if dice.below(12) == 0 {
                setup.change_pins(dice);
            }
            let now = walk.step(dice, &setup);
            let question = Question::any(dice, &setup);
            if setup.knowledge == Knowledge::Learning && dice.below(6) == 0 {
                setup.inner.turn(question.leaf);
            }
            let same = question.of_clients(&*kept, now);
            let fresh = question.of_clients(&*setup.fresh_clients(), now);
            findings.asked += 1;
            findings.could += 1;
            findings.passed += u64::from(fresh.is_ok());
            if said(&same) != said(&fresh) {
                findings.wrong(seed, differ(step, now, &setup, &same, &fresh));
            }
            if same.is_ok() {
                question.prove_client(&*kept, good_or_bad(dice));
            }
        }
    });
    findings.at_least_one_in(12);
}

fn differ(
    step: u32,
    now: Timestamp,
    setup: &Setup,
    same: &Result<(), rustls::Error>,
    fresh: &Result<(), rustls::Error>,
) -> String {
    format!(
        "step {step} at {now}, inner {:?}, grace {:?}, cache {:?}: with memory {:.300}, fresh {:.300}",
        setup.knowledge,
        setup.grace,
        setup.cache,
        said(same),
        said(fresh)
    )
}

#[test]
fn pins_on_leaves() {
    let may_lack_anchors = true;
    of_servers(
        "leaf pins",
        3,
        Shape {
            may_lack_anchors,
            ..Shape::PLAIN
        },
    );
}

#[test]
fn pins_on_paths() {
    let pinning = Some(Pinning::Paths);
    of_servers(
        "path pins",
        12,
        Shape {
            pinning,
            ..Shape::PLAIN
        },
    );
}

#[test]
fn pins_for_some_names() {
    let pinning = Some(Pinning::Scopes);
    of_servers(
        "scopes",
        5,
        Shape {
            pinning,
            ..Shape::PLAIN
        },
    );
}

#[test]
fn pins_for_identities() {
    let pinning = Some(Pinning::Identities);
    of_servers(
        "identities",
        4,
        Shape {
            pinning,
            grace: true,
            ..Shape::PLAIN
        },
    );
}

#[test]
fn inner_verifiers_that_know_more() {
    let shape = Shape {
        pinning: Some(Pinning::Leaves),
        knowledge: &[
            Knowledge::AnchorDates,
            Knowledge::Lists,
            Knowledge::Learning,
            Knowledge::FewerAnchors,
        ],
        lists_are_given: false,
        ..Shape::PLAIN
    };
    of_servers("inner knowledge", 4, shape);
}

#[test]
fn revocation_lists_that_the_wrapper_has_too() {
    let shape = Shape {
        pinning: Some(Pinning::Paths),
        knowledge: &[Knowledge::Lists],
        ..Shape::PLAIN
    };
    of_servers("given lists", 6, shape);
}

#[test]
fn graces() {
    let shape = Shape {
        pinning: Some(Pinning::Leaves),
        knowledge: &[Knowledge::Same, Knowledge::Lists, Knowledge::AnchorDates],
        grace: true,
        cached: true,
        ..Shape::PLAIN
    };
    of_servers("graces", 4, shape);
}

#[test]
fn staples() {
    let shape = Shape {
        pinning: Some(Pinning::Leaves),
        staples: true,
        ..Shape::PLAIN
    };
    of_servers("staples", 4, shape);
}

#[test]
fn a_verdict_cache_inside() {
    let shape = Shape {
        pinning: Some(Pinning::Leaves),
        staples: true,
        cached: true,
        ..Shape::PLAIN
    };
    of_servers("cache", 4, shape);
}

#[test]
fn a_verdict_cache_around_revocation_lists_that_it_has_too() {
    let shape = Shape {
        pinning: None,
        knowledge: &[Knowledge::Lists],
        cached: true,
        ..Shape::PLAIN
    };
    of_servers("cache of lists", 3, shape);
}

fn cache_of(name: &str, shares: u64, knowledge: &'static [Knowledge]) {
    let shape = Shape {
        pinning: None,
        knowledge,
        lists_are_given: false,
        cached: true,
        meetings: Meetings::Regular,
        ..Shape::PLAIN
    };
    of_servers(name, shares, shape);
}

#[test]
fn a_verdict_cache_around_an_inner_verifier_that_learns() {
    cache_of("cache, learning", 2, &[Knowledge::Learning]);
}

#[test]
fn a_verdict_cache_around_an_inner_verifier_that_counts_anchor_dates() {
    cache_of("cache, anchor dates", 4, &[Knowledge::AnchorDates]);
}

#[test]
fn a_verdict_cache_around_revocation_lists_of_the_inner_verifier() {
    cache_of("cache, inner lists", 2, &[Knowledge::Lists]);
}

#[test]
fn clients_with_pins_on_leaves() {
    let shape = Shape {
        knowledge: &[Knowledge::Same, Knowledge::Learning, Knowledge::AnchorDates],
        grace: true,
        ..Shape::PLAIN
    };
    of_clients("clients' leaf pins", 4, shape);
}

#[test]
fn clients_with_pins_on_paths() {
    let pinning = Some(Pinning::Paths);
    of_clients(
        "clients' path pins",
        6,
        Shape {
            pinning,
            ..Shape::PLAIN
        },
    );
}

#[test]
fn clients_with_pins_for_identities() {
    let pinning = Some(Pinning::Identities);
    of_clients(
        "clients' identities",
        3,
        Shape {
            pinning,
            ..Shape::PLAIN
        },
    );
}
