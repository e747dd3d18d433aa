//! Until when a chain works, next to one plain webpki verification of the same chain.

use std::hint::black_box;

use notafter::ChainJudge;
use notafter::outlook::Usage;

use super::chains::{Chain, algorithms};
use super::measure::row;

pub(super) fn rows() {
    let one = Chain::mint(&[400]);
    let two = Chain::mint(&[9, 400]);
    let eight = Chain::mint(&[9, 10, 11, 12, 13, 14, 15, 400]);
    let algorithms = algorithms();
    let chains = [
        ("outlook_one_path", &one),
        ("outlook_two_paths", &two),
        ("outlook_eight_paths", &eight),
    ];
    for (name, chain) in chains {
        let judge = ChainJudge::new(chain.anchors.clone(), algorithms, Usage::ServerAuth);
        row(
            name,
            "webpki verify",
            || chain.report(&judge),
            || chain.verify(algorithms),
        );
        let handshake = format!("{name}_handshake");
        row(
            &handshake,
            "webpki verify",
            || chain.handshake(&judge),
            || chain.verify(algorithms),
        );
    }
    // Nobody in it is trusted: webpki looks for a path as long as we do.
    let hopeless = eight.without_anchors();
    let judge = ChainJudge::new(hopeless.anchors.clone(), algorithms, Usage::ServerAuth);
    row(
        "outlook_hopeless",
        "webpki verify",
        || hopeless.report(&judge),
        || hopeless.refuse(algorithms),
    );
    let ladder = Chain::ladder();
    let judge = ChainJudge::new(ladder.anchors.clone(), algorithms, Usage::ServerAuth);
    // webpki needs seconds to give the ladder up: against one verification of an ordinary chain.
    row(
        "hostile_ladder_report",
        "webpki verify of an ordinary chain",
        || ladder.report(&judge),
        || one.verify(algorithms),
    );
    row(
        "hostile_ladder_handshake",
        "webpki verify of an ordinary chain",
        || drop(black_box(judge.handshake(&ladder.certificates, ladder.now))),
        || one.verify(algorithms),
    );
    row(
        "hostile_ladder_same_chain",
        "webpki verify of the same chain",
        || ladder.report(&judge),
        || ladder.refuse(algorithms),
    );
    let dead_ends = Chain::dead_ends(256);
    let judge = ChainJudge::new(dead_ends.anchors.clone(), algorithms, Usage::ServerAuth);
    row(
        "hostile_dead_ends",
        "webpki verify",
        || dead_ends.report(&judge),
        || dead_ends.verify(algorithms),
    );
}
