//! The trust that is in force: anchors and revocation lists of one moment, and the generations that
//! follow each other.

use std::fmt;
use std::sync::Arc;

use super::TrustAnchors;
use crate::identity::PeerIdentity;
use crate::revocation::Crls;

/// The trust anchors and revocation lists as they are in force, all of one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TrustGeneration {
    /// Another number than that of any generation before. What was decided in an older epoch
    /// is decided again.
    pub epoch: u64,
    /// The anchors.
    pub anchors: Arc<TrustAnchors>,
    /// The revocation lists with their rules; none where nothing is looked up.
    pub crls: Crls,
}

impl TrustGeneration {
    /// Makes a generation of these anchors, without revocation lists.
    pub fn new(epoch: u64, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self {
            epoch,
            anchors: anchors.into(),
            crls: Crls::default(),
        }
    }

    /// Looks certificates up in these lists.
    #[must_use]
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }
}

/// Where a wrapper finds what its inner verifier rests on now. It is asked in every handshake and
/// must not block, and never answers an older generation than before.
///
/// A verifier of the caller's own that changes its anchors while it runs implements this, so that
/// nothing remembered outlives them. It must ask by the generation that it tells, or by a later one.
///
/// # How does my own verifier say that its anchors changed?
/// ```
/// use std::sync::{Arc, RwLock};
/// use notafter::outlook::{TrustGeneration, TrustInForce};
/// #[derive(Debug)]
/// struct Own(RwLock<Arc<TrustGeneration>>);
/// impl TrustInForce for Own {
///     fn generation(&self) -> Arc<TrustGeneration> {
///         Arc::clone(&self.0.read().unwrap())
///     }
/// }
/// ```
pub trait TrustInForce: fmt::Debug + Send + Sync {
    /// Tells the generation in force now.
    fn generation(&self) -> Arc<TrustGeneration>;

    /// Tells what peers of this identity are verified by, where that is not the same for all: the
    /// bundle of their trust domain. It is a part of the generation in force, and has its epoch; the
    /// same `Arc` as long as that one is in force. All of the generation, unless overridden.
    fn generation_for(&self, identity: &PeerIdentity) -> Arc<TrustGeneration> {
        let _ = identity;
        self.generation()
    }
}
