//! What somebody makes the judge do who means it: 512 certificates, and as many as a handshake
//! lets through, next to what webpki spends on the same chain until it accepts it.

use std::hint::black_box;

use notafter::outlook::Usage;
use notafter::{ChainJudge, SelfCheck};

use super::chains::{Chain, algorithms};
use super::measure::hostile_row;

pub(super) fn rows() {
    let many = [
        ("hostile_512_crowd", Chain::crowd()),
        ("hostile_512_labyrinth", Chain::labyrinth()),
    ];
    for (name, chain) in many {
        let judge = ChainJudge::new(chain.anchors.clone(), algorithms(), Usage::ServerAuth);
        let ders = chain.certificates.iter().map(|c| c.der().clone());
        let check = SelfCheck::builder()
            .with_chain("served", ders)
            .with_trust_anchors(chain.anchors.clone())
            .with_provider(rustls::crypto::ring::default_provider().into())
            .at(chain.now)
            .build()
            .unwrap();
        let timeline = || drop(black_box(judge.timeline(&chain.certificates, None)));
        row(&format!("{name}_report"), &chain, || chain.report(&judge));
        row(&format!("{name}_timeline"), &chain, timeline);
        row(&format!("{name}_self_check"), &chain, || {
            drop(black_box(check.run()));
        });
    }
    let few = [
        ("hostile_bounds_ladder", Chain::ladder_within_bounds()),
        ("hostile_bounds_labyrinth", Chain::labyrinth_within_bounds()),
    ];
    for (name, chain) in few {
        let judge = ChainJudge::new(chain.anchors.clone(), algorithms(), Usage::ServerAuth);
        row(&format!("{name}_handshake"), &chain, || {
            chain.handshake(&judge);
        });
    }
}

fn row(name: &str, chain: &Chain, ours: impl Fn()) {
    let theirs = || chain.verify(algorithms());
    hostile_row(name, "webpki verify of the same chain", ours, theirs);
}
