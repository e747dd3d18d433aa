//! What pins and graces come to, said a second time and in another way: by the paths that the inner
//! verifier accepts one by one, and by a twin of each leaf that did not expire.

use notafter::pin::{PinMode, PinPosition, PinSetStanding, PinState, PinsInForce as _};
use notafter::verifier::PinnedGrace;
use notafter::{Certificate, PinSet, SpkiPin, Timestamp};
use rustls::pki_types::CertificateDer;

use super::ground::{Findings, play};
use super::inner::{Inner, Knowledge};
use super::pins::Pinning;
use super::question::{Question, Walk, said, server_name, unix};
use super::setup::{Setup, Shape};
use crate::support::world::NAMES;
use rustls::client::danger::ServerCertVerifier as _;

const STEPS: u32 = 25;

/// The keys of one path, the leaf's first, the anchor's last.
type Path = Vec<SpkiPin>;

/// Every path that the inner verifier accepts by itself.
fn accepted_paths(setup: &Setup, question: &Question, now: Timestamp) -> Vec<Path> {
    let count = question.intermediates.len();
    let alone = (0..count).map(|a| vec![a]);
    let pairs = (0..count).flat_map(|a| (0..a).map(move |b| vec![a, b]));
    let choices = std::iter::once(Vec::new()).chain(alone).chain(pairs);
    let mut accepted: Vec<Vec<usize>> = Vec::new();
    for choice in choices {
        // What needs none of them is another path.
        let has_less = accepted
            .iter()
            .any(|less| less.iter().all(|n| choice.contains(n)));
        let some: Vec<_> = choice
            .iter()
            .map(|n| question.intermediates[*n].clone())
            .collect();
        if !has_less && accepts(&setup.inner, question, &some, now) {
            accepted.push(choice);
        }
    }
    let keys = accepted.iter().map(|choice| {
        let some = choice.iter().map(|n| &question.intermediates[*n]);
        keys_of(setup, question.leaf, &some.collect::<Vec<_>>())
    });
    keys.collect()
}

fn accepts(
    inner: &Inner,
    question: &Question,
    intermediates: &[CertificateDer<'static>],
    now: Timestamp,
) -> bool {
    let name = server_name(question.name);
    let leaf = question.leaf;
    inner
        .verify_server_cert(leaf, intermediates, &name, question.staple, unix(now))
        .is_ok()
}

/// From the leaf upwards by names, which are unique in a world.
fn keys_of(
    setup: &Setup,
    leaf: &CertificateDer<'static>,
    above: &[&CertificateDer<'static>],
) -> Path {
    let read = |der: &CertificateDer<'static>| Certificate::from_der(der).unwrap();
    let all = above.iter().copied().chain(&setup.world.roots);
    let all: Vec<_> = all.map(read).collect();
    let mut path = vec![read(leaf)];
    while path.len() < above.len() + 2 {
        let issuer = path.last().unwrap().issuer();
        let next = all.iter().find(|c| c.subject() == issuer).unwrap();
        path.push(next.clone());
    }
    path.iter().map(SpkiPin::from_certificate).collect()
}

fn includes(position: PinPosition, index: usize, length: usize) -> bool {
    match position {
        PinPosition::Leaf => index == 0,
        PinPosition::Ca => index > 0,
        PinPosition::Anchor => index + 1 == length,
        _ => true,
    }
}

fn is_blocked(set: &PinSet, path: &Path) -> bool {
    let rejected = set
        .pins()
        .iter()
        .filter(|pin| pin.state == PinState::Rejected);
    rejected.into_iter().any(|pin| {
        let mut places = path.iter().enumerate().filter(|(_, key)| **key == pin.key);
        // A leaf's rejected key counts whatever the position of its pin.
        places.any(|(n, _)| n == 0 || includes(pin.position, n, path.len()))
    })
}

fn is_pinned(set: &PinSet, path: &Path, now: Timestamp) -> bool {
    let mut accepted = set.accepted(now);
    accepted.any(|pin| {
        let mut places = path.iter().enumerate().filter(|(_, key)| **key == pin.key);
        places.any(|(n, _)| includes(pin.position, n, path.len()))
    })
}

/// Whether a peer with these paths is to be accepted.
fn expected(set: Option<&PinSet>, paths: &[Path], now: Timestamp) -> bool {
    let Some(set) = set.filter(|set| set.mode() == PinMode::Enforce) else {
        return !paths.is_empty();
    };
    let mut good = paths.iter().filter(|path| !is_blocked(set, path));
    match set.standing(now) {
        PinSetStanding::Closed => false,
        PinSetStanding::Open => good.next().is_some(),
        _ => good.any(|path| is_pinned(set, path, now)),
    }
}

/// Which disagreements a test looks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    /// Accepted, but should not be.
    TooWide,
    TooNarrow,
    /// Accepted although the leaf's key is rejected.
    RejectedLeaf,
    /// Accepted although every path has a rejected key above the leaf.
    RejectedAbove,
}

fn as_expected(name: &str, shares: u64, shape: Shape, looks: Looks) {
    let findings = play(name, shares, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape);
        let mut walk = Walk::start(dice, &setup);
        for step in 0..STEPS {
            setup.change_pins(dice);
            let now = walk.step(dice, &setup);
            let question = Question::any(dice, &setup);
            let generation = setup.pins.as_ref().unwrap().generation();
            let set = generation.sets.for_server(&server_name(question.name));
            let paths = accepted_paths(&setup, &question, now);
            let answer = question.of_servers(&*setup.fresh_servers(), now);
            findings.asked += 1;
            findings.could += u64::from(!paths.is_empty());
            findings.passed += u64::from(answer.is_ok());
            let enforced = set.filter(|set| set.mode() == PinMode::Enforce);
            let leaf = SpkiPin::from_certificate(&Certificate::from_der(question.leaf).unwrap());
            let leaf_rejected = enforced.is_some_and(|set| set.is_rejected(&leaf));
            let all_rejected =
                enforced.is_some_and(|set| paths.iter().all(|path| is_blocked(set, path)));
            let is_open = set.is_some_and(|set| set.standing(now) == PinSetStanding::Open);
            let is_wrong = match looks {
                Looks::TooWide => answer.is_ok() && !is_open && !expected(set, &paths, now),
                Looks::TooNarrow => answer.is_err() && expected(set, &paths, now),
                Looks::RejectedLeaf => answer.is_ok() && leaf_rejected,
                Looks::RejectedAbove => answer.is_ok() && all_rejected && !leaf_rejected,
            };
            if is_wrong {
                let standing = set.map(|set| set.standing(now));
                findings.wrong(
                    seed,
                    format!(
                        "step {step} at {now}, the set is {standing:?}: {:.200}",
                        said(&answer)
                    ),
                );
            }
        }
    });
    findings.at_least_one_in(8);
}

const PATHS: Shape = Shape {
    pinning: Some(Pinning::Paths),
    ..Shape::PLAIN
};

const REJECTIONS: Shape = Shape {
    pinning: Some(Pinning::Rejections),
    ..Shape::PLAIN
};

#[test]
fn a_rejected_leaf_key_is_refused_in_every_standing_of_its_set() {
    as_expected("rejected leaf keys", 3, REJECTIONS, Looks::RejectedLeaf);
}

#[test]
fn a_rejected_key_above_the_leaf_is_refused_in_every_standing_of_its_set() {
    as_expected("rejected keys above", 3, REJECTIONS, Looks::RejectedAbove);
}

#[test]
fn whoever_shows_no_accepted_key_is_refused() {
    as_expected("pins too wide", 2, PATHS, Looks::TooWide);
}

#[test]
fn whoever_shows_an_accepted_key_is_accepted() {
    as_expected("pins too narrow", 2, PATHS, Looks::TooNarrow);
}

#[test]
fn a_pin_counts_only_on_paths_that_the_inner_verifiers_lists_leave() {
    let shape = Shape {
        knowledge: &[Knowledge::Lists],
        lists_are_given: false,
        ..PATHS
    };
    as_expected("pins under inner lists", 2, shape, Looks::TooWide);
}

#[test]
fn a_pin_counts_only_on_paths_that_the_given_lists_leave() {
    let shape = Shape {
        knowledge: &[Knowledge::Lists],
        ..PATHS
    };
    as_expected("pins under given lists", 2, shape, Looks::TooWide);
}

/// The grace forgives the leaf's notAfter alone: whoever is let in by it would be let in without
/// it, were its leaf not over.
fn forgives_the_leafs_end_alone(
    name: &str,
    knowledge: &'static [Knowledge],
    lists_are_given: bool,
) -> Findings {
    let shape = Shape {
        knowledge,
        lists_are_given,
        grace: true,
        staples: true,
        ..Shape::PLAIN
    };
    play(name, 2, |seed, dice, findings| {
        let setup = Setup::any(seed, dice, shape);
        let (grace, strict) = (setup.grace.unwrap(), setup.without_grace());
        for step in 0..STEPS {
            if dice.below(4) == 0 {
                setup.change_pins(dice);
            }
            let peer = dice.pick(&setup.world.peers);
            let question = Question {
                leaf: &peer.leaf,
                intermediates: &peer.chains[0],
                name: NAMES[0],
                staple: &peer.staples[usize::from(dice.below(2) == 0)],
            };
            let twin = Question {
                leaf: &peer.twin,
                ..question
            };
            let leaf = Certificate::from_der(&peer.leaf).unwrap();
            let seconds = i64::from(grace.seconds());
            let late = i64::try_from(dice.below(u64::from(grace.seconds()) + 3)).unwrap();
            let now =
                leaf.not_after()
                    .saturating_add(*dice.pick(&[late, 0, 1, 2, seconds, seconds + 1]));
            let answer = question.of_servers(&*setup.fresh_servers(), now);
            let healthy = twin.of_servers(&*strict.fresh_servers(), now);
            let generation = setup.pins.as_ref().unwrap().generation();
            let set = generation.sets.for_every_peer().unwrap();
            let mut accepted = set.accepted(now);
            let pinned = accepted.any(|pin| pin.key == peer.pin && pin.position.includes_leaf());
            let in_force = matches!(
                set.standing(now),
                PinSetStanding::InForce | PinSetStanding::InGrace { .. }
            );
            let within = leaf.not_after() < now && now <= leaf.not_after().saturating_add(seconds);
            findings.asked += 1;
            let could = within && pinned && in_force && healthy.is_ok();
            let could = could && question.of_servers(&*setup.inner, leaf.not_after()).is_ok();
            findings.could += u64::from(could);
            let without = question.of_servers(&*strict.fresh_servers(), now);
            if answer.is_ok() && without.is_err() {
                findings.passed += 1;
                // Lists that it was not told of are those of the leaf's last second, for a week.
                let week = i64::from(PinnedGrace::MAX_SECONDS_UNTOLD);
                let excused = !lists_are_given
                    && setup.knowledge == Knowledge::Lists
                    && now <= leaf.not_after().saturating_add(week)
                    && question.of_servers(&*setup.inner, leaf.not_after()).is_ok()
                    && twin
                        .of_servers(&*strict.own_opinion_of_servers(), now)
                        .is_ok();
                if !(within && pinned && (healthy.is_ok() || excused)) {
                    findings.wrong(
                        seed,
                        format!(
                            "step {step} at {now}, inner {:?}, leaf over at {}, grace {seconds} s: let in, \
                             but a twin that is not over would meet {:.200}",
                            setup.knowledge,
                            leaf.not_after(),
                            said(&healthy)
                        ),
                    );
                }
            }
        }
    })
}

#[test]
fn a_grace_around_webpki() {
    let name = "grace around webpki";
    forgives_the_leafs_end_alone(name, &[Knowledge::Same], true).at_least_one_in(2);
}

#[test]
fn a_grace_around_a_verifier_that_counts_anchor_dates() {
    let name = "grace around anchor dates";
    forgives_the_leafs_end_alone(name, &[Knowledge::AnchorDates], true).at_least_one_in(2);
}

#[test]
fn a_grace_around_revocation_lists_that_the_wrapper_has_too() {
    let name = "grace around given lists";
    forgives_the_leafs_end_alone(name, &[Knowledge::Lists], true);
}

#[test]
fn a_grace_of_a_week_around_revocation_lists_that_the_wrapper_was_not_told_of() {
    let name = "grace around inner lists";
    forgives_the_leafs_end_alone(name, &[Knowledge::Lists], false);
}
