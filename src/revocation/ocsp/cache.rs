//! The last good staple of each certificate that a server serves.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::{StapleOutlook, StapleStatus};
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

/// What became of an offered staple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StapleOffer {
    /// It is good, and from now on it is the one to serve.
    Kept,
    /// It says revoked: nothing is served any more, until an answer with a later thisUpdate says
    /// good.
    Revoked,
    /// The one that is held is as fresh or fresher, and stays.
    NotFresher,
    /// It is not good at the instant of the offer; the one that is held stays.
    NotGood,
    /// The outlook is not about these bytes, or not about this certificate: offer the outlook that
    /// these bytes were judged to have.
    NotTheJudgedOne,
}

/// Keeps the last good staple of each leaf, bounded and shared between threads.
///
/// An error never takes the place of a good staple: when a responder fails or lies, what is held is
/// served until its own end. The freshest statement that verified rules, be it good or revoked; at
/// equal thisUpdate, revoked does. The leaf used longest ago is forgotten first.
///
/// # How does a server keep its last good staple?
/// ```
/// use notafter::{Certificate, Timestamp};
/// use notafter::revocation::{StapleCache, StapleJudge, StapleOffer};
/// # use notafter::source::SourceContents;
/// # macro_rules! data { ($name:literal) => {
/// #     include_bytes!(concat!("../../../tests/data/staples/", $name)) } }
/// # let read = |pem: &[u8]| SourceContents::from_bytes("", pem).certificates.remove(0).certificate;
/// # let (leaf, issuer) = (read(data!("leaf.pem")), read(data!("issuer.pem")));
/// # let staple: &[u8] = data!("good.der");
/// # let provider = rustls::crypto::ring::default_provider();
/// let algorithms = provider.signature_verification_algorithms.all;
/// let (judge, cache) = (StapleJudge::new(), StapleCache::default());
/// let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// for fetched in [staple, b"<html>502 Bad Gateway</html>"] {
///     let outlook = judge.judge(fetched, &leaf, &issuer, algorithms, now);
///     cache.offer(leaf.fingerprint(), fetched, &outlook, now);
/// }
/// assert_eq!(cache.get(leaf.fingerprint(), now).as_deref(), Some(staple));
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug)]
pub struct StapleCache {
    held: Mutex<LruCache<Sha256Digest, FreshestStatement>>,
}

/// The freshest statement about one leaf.
#[derive(Debug)]
struct FreshestStatement {
    this_update: Timestamp,
    statement: Statement,
}

#[derive(Debug)]
enum Statement {
    Good {
        bytes: Arc<[u8]>,
        from: Timestamp,
        until: Timestamp,
    },
    Revoked(Box<StapleOutlook>),
}

impl Default for StapleCache {
    /// Room for 256 leaves.
    fn default() -> Self {
        Self::new(256)
    }
}

impl StapleCache {
    /// Room for so many leaves, at least one.
    pub fn new(capacity: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self {
            held: Mutex::new(LruCache::new(capacity)),
        }
    }

    /// Takes a staple with the outlook that it was judged to have, if it is better than what is
    /// held for the leaf with this fingerprint.
    pub fn offer(
        &self,
        fingerprint: Sha256Digest,
        bytes: &[u8],
        outlook: &StapleOutlook,
        now: Timestamp,
    ) -> StapleOffer {
        let is_judged_one =
            outlook.leaf_sha256 == fingerprint && outlook.staple_sha256 == Sha256Digest::of(bytes);
        if !is_judged_one {
            return StapleOffer::NotTheJudgedOne;
        }
        let Some(this_update) = outlook.this_update else {
            return StapleOffer::NotGood;
        };
        let (statement, offer) = match outlook.status {
            StapleStatus::Good { until } if now <= until => {
                let statement = Statement::Good {
                    bytes: bytes.into(),
                    from: outlook.judged_at.min(this_update),
                    until,
                };
                (statement, StapleOffer::Kept)
            }
            StapleStatus::Revoked { .. } => {
                let statement = Statement::Revoked(Box::new(outlook.clone()));
                (statement, StapleOffer::Revoked)
            }
            _ => return StapleOffer::NotGood,
        };
        let mut held = self.held();
        let stays = held.get(&fingerprint).is_some_and(|held| {
            let revokes = matches!(
                (&statement, &held.statement),
                (Statement::Revoked(_), Statement::Good { .. })
            );
            held.this_update > this_update || (held.this_update == this_update && !revokes)
        });
        if stays {
            return StapleOffer::NotFresher;
        }
        held.put(
            fingerprint,
            FreshestStatement {
                this_update,
                statement,
            },
        );
        offer
    }

    /// The staple to serve for this leaf: the one that is held, if it is good at `now`.
    pub fn get(&self, fingerprint: Sha256Digest, now: Timestamp) -> Option<Arc<[u8]>> {
        match &self.held().get(&fingerprint)?.statement {
            Statement::Good { bytes, from, until } if *from <= now && now <= *until => {
                Some(Arc::clone(bytes))
            }
            _ => None,
        }
    }

    /// The last second at which the held staple is good; `None` where none is held.
    pub fn good_until(&self, fingerprint: Sha256Digest) -> Option<Timestamp> {
        match &self.held().get(&fingerprint)?.statement {
            Statement::Good { until, .. } => Some(*until),
            Statement::Revoked(_) => None,
        }
    }

    /// What was said when the certificate was revoked, where that is the freshest that is known.
    pub fn revocation(&self, fingerprint: Sha256Digest) -> Option<StapleOutlook> {
        match &self.held().get(&fingerprint)?.statement {
            Statement::Revoked(outlook) => Some((**outlook).clone()),
            Statement::Good { .. } => None,
        }
    }

    /// Forgets what is held for one leaf; says whether there was something.
    pub fn remove(&self, fingerprint: Sha256Digest) -> bool {
        self.held().pop(&fingerprint).is_some()
    }

    /// Forgets everything, revocations too: after a CA gave out wrong answers, for example.
    pub fn flush(&self) {
        self.held().clear();
    }

    /// For how many leaves something is held.
    pub fn len(&self) -> usize {
        self.held().len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held().is_empty()
    }

    fn held(&self) -> MutexGuard<'_, LruCache<Sha256Digest, FreshestStatement>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
