//! Verdicts of a verifier of servers, remembered for a few minutes.

mod builder;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::Error;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};

pub use builder::VerdictCacheBuilder;

use super::epoch::Epoch;
use super::forward::forward_to_inner;
use super::peer::{ChainFacts, IdentityClaim, OwnedPeer, Peer};
use super::proof::AwaitingProof;
use crate::cert::Certificate;
use crate::outlook::{TrustGeneration, TrustInForce};
use crate::pin::PinsInForce;
use crate::revocation::staple_next_update;
use crate::time::Timestamp;

/// Verdicts lie in so many parts, each behind a lock of its own.
const SHARDS: usize = 16;

/// Remembers for a few minutes that the verifier inside accepted exactly these bytes under exactly
/// this name, so that reconnecting costs one hash instead of two signature verifications.
///
/// Put it *inside* a [`WatchingServerVerifier`](crate::WatchingServerVerifier), not around one: then
/// pins and staples are still judged in every handshake.
///
/// # Why it is safe
/// 1. Only an acceptance by the inner verifier is remembered, and only once the server proved that
///    it has the key; a refusal never is.
/// 2. What is remembered is a SHA-256 digest over the name's kind, the name, the staple, and every
///    certificate in its order, each with its length before it: no other chain, order, name or
///    staple has the same one.
/// 3. A verdict counts for a minute at the most, and no longer than the `ttl`. Where the cache was
///    told by [`VerdictCacheBuilder::with_trust_anchors`] or
///    [`VerdictCacheBuilder::with_trust_in_force`] what the inner verifier judges by, it counts for the whole `ttl`: five minutes unless told otherwise, never more than an hour.
/// 4. It does not count after the earliest notAfter of all certificates presented and of the
///    anchors that it was told of; where one of those presented cannot be read, nothing is
///    remembered. Nobody can know the end of a certificate that the inner verifier found by
///    itself, or of an anchor that the cache was not told of: that is what the minute is for.
/// 5. It does not count from the nextUpdate of the staple on, nor from that of a revocation list
///    given by [`VerdictCacheBuilder::with_crls`] or in force; with a staple without one that can be read,
///    nothing is remembered.
/// 6. Only questions about the latest instant asked about so far, or a later one, are answered from
///    memory or remembered: a clock set back asks again, and so does a
///    [`PinnedGrace`](crate::verifier::PinnedGrace), which asks about the past every time.
/// 7. It does not count in another epoch of the pins given by [`VerdictCacheBuilder::with_pins`],
///    nor in another one of the trust given by [`VerdictCacheBuilder::with_trust_in_force`], nor after [`VerdictCache::forget_all`]: not even if it was being made at that moment.
/// 8. The signature of the handshake, by which the peer proves that it has the key, is checked by
///    the inner verifier every time, as are all other questions.
///
/// What it gives up: an inner verifier that would judge differently a moment later for a reason of
/// its own (a list of revoked certificates that it fetches, an anchor taken out of the platform's
/// store) is asked again only after a minute, or after the `ttl` where it was said that there is
/// no such reason.
///
/// # How do I make reconnecting to the same servers cheap?
/// ```
/// use std::{sync::Arc, time::Duration};
/// use notafter::{TrustAnchors, WatchingServerVerifier};
/// use notafter::verifier::VerdictCache;
/// # fn wrap(
/// #     webpki: Arc<rustls::client::WebPkiServerVerifier>,
/// #     anchors: &TrustAnchors,
/// # ) -> Result<Arc<WatchingServerVerifier>, Box<dyn std::error::Error>> {
/// let cached = VerdictCache::builder(webpki)
///     // webpki judges by these anchors and what is presented, and by nothing else:
///     .with_trust_anchors(anchors)
///     .with_ttl(Duration::from_secs(600))
///     .build()?;
/// # Ok(
/// WatchingServerVerifier::builder(cached).with_trust_anchors(anchors.clone()).build()?
/// # )
/// # }
/// ```
pub struct VerdictCache {
    inner: Arc<dyn ServerCertVerifier>,
    ttl: i64,
    /// The last good seconds of the anchors, in order.
    anchor_ends: Vec<Timestamp>,
    /// When the revocation lists are to be replaced.
    next_updates: Vec<Timestamp>,
    enforces_lists: bool,
    pins: Option<Arc<dyn PinsInForce>>,
    trust: Option<Arc<dyn TrustInForce>>,
    /// The latest instant asked about, in Unix seconds.
    latest: AtomicI64,
    awaiting: AwaitingProof<Unconfirmed>,
    shards: Vec<Mutex<VerdictShard>>,
    /// How many verdicts there is room for in each of them.
    verdicts_each: usize,
}

struct VerdictShard {
    /// How many times all was forgotten.
    generation: u64,
    verdicts: LruCache<[u8; 32], CachedVerdict>,
}

#[derive(Clone, Copy)]
struct CachedVerdict {
    since: Timestamp,
    /// The last second at which it counts.
    until: Timestamp,
    epoch: Epoch,
}

impl VerdictCache {
    /// Starts to wrap this verifier.
    pub fn builder(inner: Arc<dyn ServerCertVerifier>) -> VerdictCacheBuilder {
        VerdictCacheBuilder::new(inner)
    }

    /// Forgets every verdict: for when something changed by which the inner verifier judges, or a
    /// clock that ran ahead was set right.
    pub fn forget_all(&self) {
        self.latest.store(i64::MIN, Ordering::Release);
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.generation += 1;
            shard.verdicts.clear();
        }
    }

    /// Whether nothing later was asked about before.
    fn is_latest(&self, at: Timestamp) -> bool {
        let at = at.as_unix_seconds();
        // Written only when a second has passed, so that threads do not wait for each other.
        let latest = self.latest.load(Ordering::Acquire);
        latest == at || (latest < at && self.latest.fetch_max(at, Ordering::AcqRel) <= at)
    }

    /// Whether this verdict is known and counts, and the generation of its shard.
    fn recall(&self, key: &[u8; 32], epoch: Epoch, now: Timestamp) -> (bool, u64) {
        let Some(mut shard) = self.shard(key) else {
            return (false, 0);
        };
        let known = shard.verdicts.get(key).copied();
        let counts = known.is_some_and(|verdict| {
            verdict.since <= now && now <= verdict.until && verdict.epoch == epoch
        });
        (counts, shard.generation)
    }

    /// Remembers what was verified on this thread, if the server has proved that it has its key.
    fn signature_checked(
        &self,
        leaf: &CertificateDer<'_>,
        checked: &Result<HandshakeSignatureValid, Error>,
    ) {
        if let (Some(awaited), Ok(_)) = (self.awaiting.take(leaf), checked) {
            self.remember(&awaited.outcome);
        }
    }

    /// Remembers, unless all was forgotten since this generation.
    fn remember(&self, unconfirmed: &Unconfirmed) {
        let Unconfirmed {
            key,
            verdict,
            generation,
        } = *unconfirmed;
        if let Some(mut shard) = self.shard(&key) {
            if shard.generation == generation {
                shard.verdicts.put(key, verdict);
                if shard.verdicts.len() > self.verdicts_each {
                    shard.verdicts.pop_lru();
                }
            }
        }
    }

    fn shard(&self, key: &[u8; 32]) -> Option<std::sync::MutexGuard<'_, VerdictShard>> {
        let index = usize::from(*key.first()?) % SHARDS;
        let shard = self.shards.get(index)?;
        // No code of ours panics under the lock, and a shard is whole between any two calls.
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last second at which an acceptance of `now` counts; before `now` where it does not.
    fn until(
        &self,
        peer: &Peer<'_>,
        trust: Option<&TrustGeneration>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut until = now.saturating_add(self.ttl);
        for facts in peer.facts() {
            until = until.min(facts.as_ref().ok()?.validity().not_after);
        }
        // Anchors that are over and count all the same end nothing.
        let next = self.anchor_ends.partition_point(|end| *end < now);
        until = self
            .anchor_ends
            .get(next)
            .map_or(until, |end| until.min(*end));
        if let Some(trust) = trust {
            let ends = trust.anchors.certificates().map(Certificate::not_after);
            let ends = ends.filter(|end| *end >= now);
            let lists = trust.crls.next_updates();
            let enforced = trust.crls.enforces_expiration();
            let lists = lists.filter(|end| enforced || *end > now);
            let lists = lists.map(|end| end.saturating_add(-1));
            until = ends.chain(lists).fold(until, Timestamp::min);
        }
        let staple = match peer.staple {
            [] => None,
            staple => Some(staple_next_update(staple)?),
        };
        // Lists that are over and count all the same end nothing.
        let lists = self.next_updates.iter().copied();
        let lists = lists.filter(|end| self.enforces_lists || *end > now);
        for end in lists.chain(staple) {
            until = until.min(end.saturating_add(-1));
        }
        Some(until)
    }

    fn epoch(&self, trust: Option<&TrustGeneration>) -> Epoch {
        let pins = self.pins.as_ref().map(|pins| pins.generation());
        Epoch {
            pins: pins.map_or(0, |pins| pins.epoch),
            trust: trust.map_or(0, |trust| trust.epoch),
        }
    }
}

/// A verdict that counts once the server proved that it has the key.
struct Unconfirmed {
    key: [u8; 32],
    verdict: CachedVerdict,
    /// That of its shard before the inner verifier was asked.
    generation: u64,
}

impl ServerCertVerifier for VerdictCache {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ask = || {
            self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        };
        let at = Timestamp::from(now);
        if !self.is_latest(at) {
            // The past stands still: a verdict about it would never grow old.
            return ask();
        }
        let host = server_name.to_str();
        let peer = Peer {
            host: Some(&host),
            identities: None,
            pinned_as: None,
            leaf: end_entity,
            intermediates,
            staple: ocsp_response,
            raw: self.inner.requires_raw_public_keys(),
            now,
            facts: ChainFacts::default(),
            claim: IdentityClaim::default(),
        };
        // The epoch and the generation are those before the inner verifier is asked.
        let trust = self.trust.as_ref().map(|trust| trust.generation());
        let epoch = self.epoch(trust.as_deref());
        let key = peer.digest(server_name);
        let (counts, generation) = self.recall(&key, epoch, at);
        if counts {
            self.awaiting.expect_nothing();
            return Ok(ServerCertVerified::assertion());
        }
        let verified = ask()?;
        if let Some(until) = self
            .until(&peer, trust.as_deref(), at)
            .filter(|until| *until >= at)
        {
            let verdict = CachedVerdict {
                since: at,
                until,
                epoch,
            };
            let unconfirmed = Unconfirmed {
                key,
                verdict,
                generation,
            };
            let size = size_of::<Unconfirmed>();
            self.awaiting
                .expect(OwnedPeer::from_peer(&peer), unconfirmed, size);
        }
        Ok(verified)
    }

    forward_to_inner!(ServerCertVerifier);
}

impl fmt::Debug for VerdictCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerdictCache")
            .field("inner", &self.inner)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
