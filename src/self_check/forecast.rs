//! What a report says about the time ahead: the first failure, and ends that fall together.

use std::collections::HashSet;

use super::chain_report::ChainReport;
use crate::cert::{Certificate, Sha256Digest};
use crate::outlook::{LimitingCause, Position, Refusal};
use crate::text::visible;
use crate::time::Timestamp;

/// The first instant at which something that was checked no longer works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirstFailure {
    /// The first dark second.
    pub at: Timestamp,
    /// The chain that fails.
    pub source: String,
    /// The certificate that ends it, where one does.
    pub position: Option<Position>,
    /// What people call that certificate.
    pub subject: Option<String>,
    /// A sentence that names the cause.
    pub message: String,
}

/// Certificates that end within one window of time: one forgotten renewal, or one CA, behind all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorrelatedExpiry {
    /// The earliest end.
    pub first: Timestamp,
    /// The latest end.
    pub last: Timestamp,
    /// The certificates, in the order of their ends.
    pub certificates: Vec<ExpiringCertificate>,
}

/// One of several certificates that end together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiringCertificate {
    /// Where it was seen first.
    pub source: String,
    /// Its position there.
    pub position: Position,
    /// What people call it.
    pub subject: String,
    /// SHA-256 over the certificate.
    pub sha256: Sha256Digest,
    /// Its last good second.
    pub not_after: Timestamp,
}

/// The window in which ends are said to fall together, unless told otherwise: a day.
pub(super) const DEFAULT_WINDOW_SECONDS: i64 = 86_400;

/// The first second, `at` or later, at which one of the chains fails.
pub(super) fn first_failure<'c>(
    chains: impl IntoIterator<Item = &'c ChainReport>,
    at: Timestamp,
) -> Option<FirstFailure> {
    let failures = chains.into_iter().filter_map(|chain| failure_of(chain, at));
    failures.min_by_key(|failure| failure.at)
}

fn failure_of(chain: &ChainReport, at: Timestamp) -> Option<FirstFailure> {
    // Clients that honour must-staple turn away when the staple goes bad. Of both at once the
    // chain's end is told, which is everybody's.
    let failures = [end_of_chain(chain, at), end_of_staple(chain, at)];
    failures
        .into_iter()
        .flatten()
        .min_by_key(|failure| failure.at)
}

fn end_of_staple(chain: &ChainReport, now: Timestamp) -> Option<FirstFailure> {
    let staple = chain.staple.as_ref().filter(|staple| staple.must_staple)?;
    let (source, name) = (chain.source.clone(), visible(&chain.source));
    let (at, message) = match staple.good_until {
        Some(Timestamp::MAX) => return None,
        Some(until) => (
            until.saturating_add(1).max(now),
            format!("{name} must staple, and its staple is good until {until}"),
        ),
        None => (
            now,
            format!(
                "{name} must staple, and its staple is not good: {}",
                staple.message
            ),
        ),
    };
    Some(FirstFailure {
        at,
        source,
        position: Some(Position::Leaf),
        subject: None,
        message,
    })
}

fn end_of_chain(chain: &ChainReport, now: Timestamp) -> Option<FirstFailure> {
    let source = chain.source.clone();
    let (position, certificate, cause) = match &chain.rustls {
        Some(outlook) => match (&outlook.limiting, &outlook.refusal) {
            (Some(limiting), _) => (limiting.position, &limiting.certificate, limiting.cause),
            (None, refusal) => {
                return Some(FirstFailure {
                    at: now,
                    source,
                    position: refusal.as_ref().and_then(Refusal::position),
                    subject: None,
                    message: refusal
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                });
            }
        },
        None => {
            let certificates = chain.certificates.iter();
            let first = certificates.min_by_key(|c| c.certificate.not_after())?;
            (first.position, &first.certificate, LimitingCause::NotAfter)
        }
    };
    // The last instant that a certificate can state means that there is no end (RFC 5280,
    // 4.1.2.5).
    let not_after = chain.ends().filter(|end| *end < Timestamp::MAX)?;
    let at = not_after.saturating_add(1).max(now);
    let (name, subject) = (visible(&source), certificate.short_name());
    Some(FirstFailure {
        at,
        message: match cause {
            LimitingCause::NotAfter => {
                format!("{name} goes dark when its {position} '{subject}' ends at {not_after}")
            }
            LimitingCause::RevocationList { next_update } => format!(
                "{name} goes dark when the revocation list that speaks for its {position} '{subject}' stops counting at {next_update}"
            ),
        },
        source,
        position: Some(position),
        subject: Some(subject),
    })
}

/// Groups of distinct certificates that end within a window; each certificate is where it was seen first.
pub(super) fn correlated_expiry(
    chains: &[ChainReport],
    window_seconds: i64,
) -> Vec<CorrelatedExpiry> {
    let mut certificates: Vec<ExpiringCertificate> = Vec::new();
    let mut known = HashSet::new();
    for chain in chains {
        for reported in &chain.certificates {
            let certificate = &reported.certificate;
            let sha256 = certificate.fingerprint();
            if known.insert(sha256) {
                let expiring = expiring(chain, reported.position, certificate, sha256);
                certificates.push(expiring);
            }
        }
    }
    certificates.sort_by_key(|certificate| certificate.not_after);
    let mut groups: Vec<CorrelatedExpiry> = Vec::new();
    for certificate in certificates {
        let not_after = certificate.not_after;
        match groups.last_mut() {
            Some(group) if not_after.seconds_since(group.first) <= window_seconds => {
                group.last = not_after;
                group.certificates.push(certificate);
            }
            _ => groups.push(CorrelatedExpiry {
                first: not_after,
                last: not_after,
                certificates: vec![certificate],
            }),
        }
    }
    groups.retain(|group| group.certificates.len() > 1);
    groups
}

fn expiring(
    chain: &ChainReport,
    position: Position,
    certificate: &Certificate,
    sha256: Sha256Digest,
) -> ExpiringCertificate {
    ExpiringCertificate {
        source: chain.source.clone(),
        position,
        subject: certificate.short_name(),
        sha256,
        not_after: certificate.not_after(),
    }
}
