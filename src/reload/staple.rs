//! The staple of one pair: good ones are served until their end, everything else is told.

use std::sync::Arc;

use rustls::sign::CertifiedKey;

use super::files::Contents;
use super::slot::Slot;
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::outlook::TrustAnchors;
use crate::policy::Band;
use crate::revocation::{StapleCache, StapleJudge, StapleOutlook, StapleStatus};
use crate::source::FailureReason;
use crate::time::Timestamp;

/// What staples are judged by and kept in.
#[derive(Debug)]
pub(super) struct Staples {
    pub(super) judge: StapleJudge,
    pub(super) cache: StapleCache,
    pub(super) issuers: Option<Arc<TrustAnchors>>,
    pub(super) algorithms: SignatureAlgorithms,
}

#[derive(Debug, Default)]
pub(super) struct StapleState {
    pub(super) served_until: Option<Timestamp>,
    problem: Option<Problem>,
}

/// What is wrong with the staple on disk, since when.
#[derive(Debug, Clone)]
struct Problem {
    since: Timestamp,
    band: Band,
    message: String,
}

/// How a pair's staple stands.
pub(super) struct StapleStanding {
    pub(super) band: Band,
    pub(super) message: String,
}

impl Slot {
    /// Takes what was read, and drops what is over; says whether handshakes get something else
    /// from now on.
    pub(super) fn refresh_staple(
        &mut self,
        contents: Option<&Contents>,
        staples: &Staples,
        now: Timestamp,
    ) -> bool {
        let Some(leaf) = self.served.leaf().filter(|_| self.files.staple.is_some()) else {
            return false;
        };
        let fingerprint = leaf.fingerprint();
        if let Some(read) = contents.and_then(|contents| contents.staple.as_ref()) {
            let wrong = match read {
                Ok(bytes) => staples.offer(bytes, &self.served.chain, now),
                Err(failure) if failure.reason == FailureReason::NotFound => None,
                Err(failure) => Some((Band::Warning, failure.to_string())),
            };
            let before = self.staple.problem.take();
            self.staple.problem = wrong.map(|(band, message)| Problem {
                since: before.map_or(now, |before| before.since),
                band,
                message,
            });
        }
        let bytes = staples.cache.get(fingerprint, now);
        self.staple.served_until = bytes
            .as_ref()
            .and_then(|_| staples.cache.good_until(fingerprint));
        if bytes.as_deref() == self.stapled.ocsp.as_deref() {
            return false;
        }
        self.stapled = Arc::new(CertifiedKey {
            ocsp: bytes.map(|bytes| bytes.to_vec()),
            ..CertifiedKey::clone(&self.served.key)
        });
        true
    }

    /// What should be told of the staple; `None` where none is configured, and while it may be
    /// half-written.
    pub(super) fn staple_standing(
        &self,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Option<StapleStanding> {
        let file = self.files.staple.as_ref()?.display();
        let leaf = self.served.leaf()?;
        let bare = self.staple.served_until.is_none();
        let (band, message) = match &self.staple.problem {
            Some(problem) => {
                let is_new = (0..settle_seconds).contains(&now.seconds_since(problem.since));
                if is_new && problem.band != Band::Broken {
                    return None;
                }
                (problem.band, format!("{file}: {}", problem.message))
            }
            None if bare && leaf.facts().must_staple() => {
                (Band::Warning, format!("{file}: there is no staple"))
            }
            None => (Band::Ok, format!("{file}: the staple is good (again)")),
        };
        let (band, consequence) = match (band, self.staple.served_until) {
            (Band::Ok, _) => (band, String::new()),
            (band, Some(until)) => (band, format!("; the one before is served until {until}")),
            (_, None) if leaf.facts().must_staple() => {
                let what = "; none is served, and the certificate demands one: clients will refuse";
                (Band::Broken, what.to_owned())
            }
            (band, None) => (band, "; none is served".to_owned()),
        };
        Some(StapleStanding {
            band,
            message: message + &consequence,
        })
    }
}

impl Staples {
    /// Keeps a staple if it is good and fresher; says what is wrong with it otherwise.
    fn offer(&self, bytes: &[u8], chain: &[Certificate], now: Timestamp) -> Option<(Band, String)> {
        let leaf = chain.first()?;
        let anchors = self
            .issuers
            .iter()
            .flat_map(|anchors| anchors.certificates());
        let candidates = chain.iter().skip(1).chain(anchors);
        let outlook = self
            .judge
            .judge_among(bytes, leaf, candidates, self.algorithms, now);
        let Some(outlook) = outlook else {
            let message = "the leaf's issuer is not known, so the staple cannot be judged: \
                           write it into the certificates' file, or call with_staple_issuers";
            return Some((Band::Warning, message.to_owned()));
        };
        self.cache.offer(leaf.fingerprint(), bytes, &outlook, now);
        wrong_with(&outlook)
    }
}

fn wrong_with(outlook: &StapleOutlook) -> Option<(Band, String)> {
    match outlook.status {
        StapleStatus::Good { .. } => None,
        StapleStatus::Revoked { .. } => Some((Band::Broken, outlook.to_string())),
        _ => Some((Band::Warning, outlook.to_string())),
    }
}
