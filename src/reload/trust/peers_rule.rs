//! Whether anybody who is known would be accepted under other anchors.

use std::sync::Arc;

use super::error::TrustReloadError;
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::outlook::{ChainJudge, KnownPeers, TrustAnchors, Usage};
use crate::time::Timestamp;

/// How many peers are named in what is told.
const MAX_NAMED: usize = 3;

/// What becomes of anchors under which no known peer would verify any more, though some do under those in
/// force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AllPeersFail {
    /// They are refused: a bundle that shuts everybody out is most likely a mistake.
    #[default]
    Refuse,
    /// They are taken, and told as a warning.
    Tell,
}

/// The peers that must not all fail.
#[derive(Debug)]
pub(super) struct PeersRule {
    pub(super) peers: Arc<KnownPeers>,
    pub(super) usage: Usage,
}

impl PeersRule {
    /// What there is to say where peers verify under the anchors in force, and none of them would under
    /// these.
    pub(super) fn failure(
        &self,
        anchors: &Arc<TrustAnchors>,
        in_force: &Arc<TrustAnchors>,
        algorithms: SignatureAlgorithms,
        place: &str,
        now: Timestamp,
    ) -> Option<TrustReloadError> {
        let peers = self.peers.readable();
        let judge =
            |anchors: &Arc<TrustAnchors>| ChainJudge::new(anchors.clone(), algorithms, self.usage);
        let (next, before) = (judge(anchors), judge(in_force));
        let verifies =
            |judge: &ChainJudge, chain: &Vec<Certificate>| judge.handshake(chain, now).is_ok();
        // One is enough, so this is where it ends but for a mistake.
        if peers.iter().any(|chain| verifies(&next, chain)) {
            return None;
        }
        let failing: Vec<_> = peers
            .iter()
            .filter(|chain| verifies(&before, chain))
            .collect();
        let named = failing.iter().take(MAX_NAMED);
        let named: Vec<_> = named
            .filter_map(|chain| Some(format!("'{}'", chain.first()?.short_name())))
            .collect();
        (!failing.is_empty()).then(|| TrustReloadError::AllPeersFail {
            place: place.to_owned(),
            peers: failing.len(),
            named: named.join(", "),
        })
    }
}
