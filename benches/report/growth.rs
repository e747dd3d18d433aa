//! How the cost of an outlook grows: with anchors, with paths, with what a hostile peer presents.

use notafter::ChainJudge;
use notafter::outlook::Usage;

use super::chains::{Chain, algorithms};
use super::measure::short_row;

pub(super) fn rows() {
    for roots in [1, 10, 150, 1_000] {
        let chain = Chain::mint(&[400]).with_anchors(roots);
        against_webpki(&format!("outlook_roots_{roots}"), &chain);
    }
    for paths in [1, 2, 5, 10, 20, 50] {
        let ends: Vec<_> = (0..paths).map(|n| 100 + n).collect();
        against_webpki(&format!("outlook_paths_{paths}"), &Chain::mint(&ends));
    }
    for presented in [1, 4, 16, 64, 256] {
        let chain = Chain::dead_ends(presented);
        against_webpki(&format!("hostile_dead_ends_{presented}"), &chain);
    }
}

fn against_webpki(name: &str, chain: &Chain) {
    let judge = ChainJudge::new(chain.anchors.clone(), algorithms(), Usage::ServerAuth);
    short_row(
        name,
        "webpki verify",
        || chain.report(&judge),
        || chain.verify(algorithms()),
    );
}
