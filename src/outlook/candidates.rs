//! Which of the presented certificates can be part of a path at all, by their names: the rest is
//! not worth webpki's time. Anyone may present anything.

use std::collections::BTreeSet;

use super::TrustAnchors;
use super::names::{MAX_INTERMEDIATES, NameGraph};
use crate::cert::Certificate;

/// The most presented certificates that are looked at: rustls takes no handshake message over
/// 64 KiB, which holds fewer.
const MAX_PRESENTED: usize = 512;

/// The most bytes of them together, likewise.
const MAX_PRESENTED_BYTES: usize = 1 << 20;

/// webpki takes no more steps than this in one search.
const WEBPKI_BUILD_CALLS: usize = 200_000;

/// webpki verifies no more signatures than this in one search.
const WEBPKI_SIGNATURES: usize = 100;

/// What is looked at of the certificates that came behind a leaf.
pub(crate) fn looked_at(presented: &[Certificate]) -> &[Certificate] {
    let mut bytes = 0_usize;
    let count = (presented.iter().take(MAX_PRESENTED))
        .take_while(|certificate| {
            bytes = bytes.saturating_add(certificate.der().len());
            bytes <= MAX_PRESENTED_BYTES
        })
        .count();
    presented.get(..count).unwrap_or(presented)
}

/// The intermediates that can be part of a path.
pub(super) struct Candidates<'a> {
    pub(super) certificates: Vec<&'a Certificate>,
    /// Whether all that was presented could use up webpki's own budgets where the candidates
    /// alone do not, or is more than is looked at: then rustls may refuse what is accepted here.
    pub(super) exhausting: bool,
    /// Whether there is one way by names at the most: who found a path need not look for more.
    pub(super) one_way: bool,
}

impl<'a> Candidates<'a> {
    /// Keeps, each once and in their order, the certificates that lie on some way by names from
    /// the leaf to an anchor that is no longer than webpki goes: it compares the same bytes, so no
    /// path of its is lost.
    pub(super) fn choose(
        leaf: &'a Certificate,
        presented: &'a [Certificate],
        anchors: &TrustAnchors,
    ) -> Self {
        let all = looked_at(presented);
        let names = NameGraph::of(leaf, all, anchors);
        let (below, above) = (names.steps_from_leaf(), names.steps_to_anchor());
        let leads_somewhere = |index: usize| {
            let ways = below.get(index).zip(above.get(index));
            ways.is_some_and(|(below, above)| below + above <= MAX_INTERMEDIATES + 1)
        };
        let on_a_way: Vec<bool> = (0..all.len()).map(leads_somewhere).collect();
        let mut distinct = BTreeSet::new();
        let kept: Vec<bool> = (all.iter().zip(&on_a_way))
            .map(|(certificate, on_a_way)| *on_a_way && distinct.insert(certificate.der().as_ref()))
            .collect();
        let certificates: Vec<_> = (all.iter().zip(&kept))
            .filter(|(_, kept)| **kept)
            .map(|(certificate, _)| certificate)
            .collect();
        let dead_ends = certificates.len() < all.len();
        let repeated = kept != on_a_way;
        let exhausting = all.len() < presented.len()
            || (dead_ends && names.count_steps() > WEBPKI_BUILD_CALLS)
            || (repeated && names.may_verify_more_than(WEBPKI_SIGNATURES, &on_a_way));
        Self {
            exhausting,
            one_way: names.count_ways(&kept) <= 1,
            certificates,
        }
    }
}
