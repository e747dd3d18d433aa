//! The staple of one pair: good ones are served until their end, everything else is told.

use std::sync::Arc;

use super::chain::{MAX_MESSAGE_BYTES, message_bytes};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::outlook::TrustAnchors;
use crate::policy::Band;
use crate::revocation::{StapleCache, StapleJudge, StapleOutlook, StapleStatus};
use crate::source::{FailureReason, SourceFailure};
use crate::time::Timestamp;

/// OpenSSL's clients take a CertificateStatus message of TLS 1.2 of no more than 16,384 bytes
/// (`SSL3_RT_MAX_PLAIN_LENGTH`), four of which are not the response's (RFC 6066, 8).
const MAX_STAPLE_BYTES: usize = 16_380;

/// What staples are judged by and kept in.
#[derive(Debug)]
pub(super) struct Staples {
    pub(super) judge: StapleJudge,
    pub(super) issuers: Option<Arc<TrustAnchors>>,
    pub(super) algorithms: SignatureAlgorithms,
}

/// What is known of a pair's staple.
#[derive(Debug)]
pub(super) struct StapleState {
    /// Of the leaf that is served, and of the one before.
    cache: StapleCache,
    /// The last good second of the staple that is served; `None` where none is.
    pub(super) served_until: Option<Timestamp>,
    problem: Option<StapleProblem>,
}

/// What is wrong with the staple on disk, since when.
#[derive(Debug, Clone)]
struct StapleProblem {
    since: Timestamp,
    staple: BadStaple,
}

/// How bad a staple is, and why.
#[derive(Debug, Clone)]
struct BadStaple {
    band: Band,
    message: String,
}

/// How a pair's staple stands.
pub(super) struct StapleStanding {
    pub(super) band: Band,
    pub(super) message: String,
}

impl Default for StapleState {
    fn default() -> Self {
        Self {
            cache: StapleCache::new(2),
            served_until: None,
            problem: None,
        }
    }
}

impl StapleState {
    /// Takes what was read, if anything was, and gives the staple that is to be served now.
    pub(super) fn refresh(
        &mut self,
        read: Option<&Result<Vec<u8>, SourceFailure>>,
        chain: &[Certificate],
        staples: &Staples,
        now: Timestamp,
    ) -> Option<Arc<[u8]>> {
        let fingerprint = chain.first()?.fingerprint();
        if let Some(read) = read {
            let wrong = match read {
                Ok(bytes) => staples.offer(&self.cache, bytes, chain, now),
                Err(failure) if failure.reason == FailureReason::NotFound => None,
                Err(failure) => Some(BadStaple {
                    band: Band::Warning,
                    message: failure.to_string(),
                }),
            };
            let before = self.problem.take();
            self.problem = wrong.map(|staple| StapleProblem {
                since: before.map_or(now, |before| before.since),
                staple,
            });
        }
        let bytes = self.cache.get(fingerprint, now);
        self.served_until = bytes
            .as_ref()
            .and_then(|_| self.cache.good_until(fingerprint));
        bytes
    }

    /// What should be told of the staple; `None` while it may be half-written.
    pub(super) fn standing(
        &self,
        name: &str,
        leaf: &Certificate,
        settle_seconds: i64,
        now: Timestamp,
    ) -> Option<StapleStanding> {
        let (band, message) = match &self.problem {
            Some(StapleProblem { since, staple }) => {
                let is_new = (0..settle_seconds).contains(&now.seconds_since(*since));
                if is_new && staple.band != Band::Broken {
                    return None;
                }
                (staple.band, format!("{name}: {}", staple.message))
            }
            None if self.served_until.is_none() && leaf.facts().must_staple() => {
                (Band::Warning, format!("{name}: there is no staple"))
            }
            None => (Band::Ok, format!("{name}: the staple is good (again)")),
        };
        let (band, consequence) = match (band, self.served_until) {
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
    fn offer(
        &self,
        cache: &StapleCache,
        bytes: &[u8],
        chain: &[Certificate],
        now: Timestamp,
    ) -> Option<BadStaple> {
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
            return Some(BadStaple {
                band: Band::Warning,
                message: message.to_owned(),
            });
        };
        let is_good = matches!(outlook.status, StapleStatus::Good { .. });
        if let Some(message) = too_large(bytes.len(), chain).filter(|_| is_good) {
            return Some(BadStaple {
                band: Band::Warning,
                message,
            });
        }
        cache.offer(leaf.fingerprint(), bytes, &outlook, now);
        wrong_with(&outlook)
    }
}

/// Why common clients would break off a handshake with this many bytes of staple beside this chain.
fn too_large(staple: usize, chain: &[Certificate]) -> Option<String> {
    // RFC 8446, 4.4.2.1: the type and length of the extension, and the type and length of the status.
    const OF_EXTENSION: usize = 8;
    let message = (message_bytes(chain).saturating_add(staple)).saturating_add(OF_EXTENSION);
    if staple > MAX_STAPLE_BYTES {
        return Some(format!(
            "its {staple} bytes are more than common clients take ({MAX_STAPLE_BYTES}: OpenSSL, by TLS 1.2): ask \
             the responder for one with fewer certificates in it"
        ));
    }
    (message > MAX_MESSAGE_BYTES).then(|| {
        format!(
            "with its {staple} bytes the certificates' message has {message}, and common clients take \
             {MAX_MESSAGE_BYTES} (rustls): leave out certificates that are not the leaf or an \
             issuer of one before them"
        )
    })
}

fn wrong_with(outlook: &StapleOutlook) -> Option<BadStaple> {
    let band = match outlook.status {
        StapleStatus::Good { .. } => return None,
        StapleStatus::Revoked { .. } => Band::Broken,
        _ => Band::Warning,
    };
    Some(BadStaple {
        band,
        message: outlook.to_string(),
    })
}
