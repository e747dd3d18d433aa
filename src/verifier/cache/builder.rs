//! Building a [`VerdictCache`].

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lru::LruCache;
use rustls::client::danger::ServerCertVerifier;

use super::super::error::VerdictCacheError;
use super::super::judgement::{MAX_TRUST_AGE_SECONDS, trust_age_seconds};
use super::super::proof::AwaitingProof;
use super::{SHARDS, VerdictCache, VerdictShard};
use crate::cert::Certificate;
use crate::event::Role;
use crate::outlook::{TrustAnchors, TrustInForce};
use crate::pin::PinsInForce;
use crate::revocation::Crls;
use crate::time::Timestamp;

const DEFAULT_TTL: Duration = Duration::from_secs(5 * 60);
const MAX_TTL: Duration = Duration::from_secs(60 * 60);

/// How many verdicts are remembered unless told otherwise.
const DEFAULT_CAPACITY: NonZeroUsize = match NonZeroUsize::new(1024) {
    Some(verdicts) => verdicts,
    None => NonZeroUsize::MIN,
};

/// Builds a [`VerdictCache`].
#[must_use]
pub struct VerdictCacheBuilder {
    inner: Arc<dyn ServerCertVerifier>,
    ttl: Duration,
    anchor_ends: Option<Vec<Timestamp>>,
    capacity: NonZeroUsize,
    crls: Crls,
    pins: Option<Arc<dyn PinsInForce>>,
    trust: Option<Arc<dyn TrustInForce>>,
    trust_age: Option<Duration>,
}

impl VerdictCacheBuilder {
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>) -> Self {
        Self {
            inner,
            ttl: DEFAULT_TTL,
            anchor_ends: None,
            capacity: DEFAULT_CAPACITY,
            crls: Crls::default(),
            pins: None,
            trust: None,
            trust_age: None,
        }
    }

    /// Lets a verdict count for so long, in whole seconds, at most an hour; five minutes by default.
    /// Without [`with_trust_anchors`](Self::with_trust_anchors) or
    /// [`with_trust_in_force`](Self::with_trust_in_force) it counts for less than a minute.
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Says that the inner verifier judges by these anchors, by what servers present, and by the
    /// lists of [`with_crls`](Self::with_crls) if it has any, and by nothing else: rustls's own
    /// `WebPkiServerVerifier` does. A verdict then counts for the whole `ttl`, but not after the
    /// end of one of the anchors. One that fetches intermediates or lists, or asks the platform,
    /// must be left without.
    pub fn with_trust_anchors(mut self, anchors: &TrustAnchors) -> Self {
        let ends = anchors.certificates().map(Certificate::not_after);
        self.anchor_ends = Some(ends.collect());
        self
    }

    /// Remembers about so many verdicts, 1,024 by default, at about 150 bytes each; the one used
    /// longest ago is forgotten first.
    pub const fn with_capacity(mut self, verdicts: NonZeroUsize) -> Self {
        self.capacity = verdicts;
        self
    }

    /// Lets no verdict outlive the nextUpdate of these revocation lists, which should be those of
    /// the inner verifier.
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }

    /// Lets no verdict outlive the epoch of these pins.
    pub fn with_pins(mut self, pins: Arc<dyn PinsInForce>) -> Self {
        self.pins = Some(pins);
        self
    }

    /// Lets no verdict outlive the epoch of this trust, where the inner verifier's anchors and lists
    /// change while it runs, nor the ends of what is in force. It says the same as
    /// [`with_trust_anchors`](Self::with_trust_anchors) and [`with_crls`](Self::with_crls), whose
    /// ends count besides where they were called too.
    pub fn with_trust_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Asks the inner verifier again from so long on, in whole seconds and at most a minute, whatever the
    /// `ttl`: for one whose anchors or lists change unseen, such as the platform's. 0 remembers nothing.
    ///
    /// # How soon does a remembered verdict follow the platform's store?
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use notafter::verifier::VerdictCache;
    /// # fn wrap(
    /// #     platform: Arc<dyn rustls::client::danger::ServerCertVerifier>,
    /// # ) -> Result<(), notafter::verifier::VerdictCacheError> {
    /// let age = Duration::from_secs(10); // the same as the wrapper around it has
    /// let cached = VerdictCache::builder(platform).with_trust_age(age).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub const fn with_trust_age(mut self, age: Duration) -> Self {
        self.trust_age = Some(age);
        self
    }

    /// Builds the cache.
    ///
    /// # Errors
    /// [`VerdictCacheError`] where the `ttl` is longer than an hour, or the age than a minute.
    pub fn build(self) -> Result<Arc<VerdictCache>, VerdictCacheError> {
        let seconds = self.ttl.as_secs();
        let ttl = i64::try_from(seconds).ok().filter(|_| self.ttl <= MAX_TTL);
        let ttl = ttl.ok_or(VerdictCacheError::TtlTooLong { seconds })?;
        let is_told = self.anchor_ends.is_some() || self.trust.is_some();
        let ttl = match is_told {
            true => ttl,
            // The last second at which it counts is the one before it is asked again.
            false => ttl.min(MAX_TRUST_AGE_SECONDS - 1),
        };
        let ttl = match self.trust_age {
            None => ttl,
            Some(age) => {
                let seconds = age.as_secs();
                let age =
                    trust_age_seconds(age).ok_or(VerdictCacheError::AgeTooLong { seconds })?;
                // The last second at which it counts is the one before it is asked again.
                ttl.min(age - 1)
            }
        };
        let mut anchor_ends = self.anchor_ends.unwrap_or_default();
        anchor_ends.sort_unstable();
        let shard = || VerdictShard {
            generation: 0,
            // Bounded by `remember`: room that nobody fills is not asked for.
            verdicts: LruCache::unbounded(),
        };
        Ok(Arc::new(VerdictCache {
            inner: self.inner,
            ttl,
            anchor_ends,
            verdicts_each: self.capacity.get().div_ceil(SHARDS),
            next_updates: self.crls.next_updates().collect(),
            enforces_lists: self.crls.enforces_expiration(),
            pins: self.pins,
            trust: self.trust,
            latest: AtomicI64::new(i64::MIN),
            awaiting: AwaitingProof::new(Role::PeerServer),
            shards: (0..SHARDS).map(|_| Mutex::new(shard())).collect(),
        }))
    }
}

impl fmt::Debug for VerdictCacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictCacheBuilder")
            .field("inner", &self.inner)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
