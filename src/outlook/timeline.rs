//! When a chain verifies, from 1970 to its leaf's end: every interval with its paths, gaps
//! included.

use std::collections::BTreeSet;

use super::first_issuer;
use super::horizon::{Horizon, RelyingParty, Way};
use super::paths::PathSearch;
use super::{LimitingCertificate, Position, SctConstraint, TrustAnchors};
use crate::cert::{Certificate, Sha256Digest};
use crate::time::{Timestamp, Validity};

/// When a chain verifies, for both relying parties.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeline {
    /// For rustls, which does not look at an anchor's dates.
    pub rustls: RelyingTimeline,
    /// For those that count them; `None` where the dates of some path's anchor are unknown.
    pub strict: Option<RelyingTimeline>,
    /// When OpenSSL verifies it, from 1970 on: of `strict`, without the second of a notAfter, and
    /// only where the path verifies that OpenSSL settles on, which takes the first issuer that fits
    /// by name and key identifier and does not go back. `None` where that cannot be foreseen: where
    /// an anchor's dates are unknown, or not everything was looked at.
    pub openssl: Option<Vec<Validity>>,
    /// Whether everything was looked at; if not, what is said to verify does, but there may be
    /// more.
    pub complete: bool,
}

/// When a chain verifies for one relying party.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelyingTimeline {
    /// Every path that verifies at some instant.
    pub paths: Vec<VerifyingPath>,
    /// The intervals between changes, in order; where none is, it is dark.
    pub intervals: Vec<Interval>,
}

/// A stretch of time in which the same paths verify.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interval {
    /// Its first good second.
    pub first: Timestamp,
    /// Its last good second.
    pub last: Timestamp,
    /// The paths that verify in all of it, as indices into [`RelyingTimeline::paths`].
    pub paths: Vec<usize>,
}

/// One way from the leaf to an anchor, as webpki accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyingPath {
    /// Its certificates with their positions, leaf first, without the anchor.
    pub certificates: Vec<LimitingCertificate>,
    /// Where it ends.
    pub anchor: PathAnchor,
    /// When it verifies.
    pub window: Validity,
}

/// The trust anchor of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PathAnchor {
    /// Its name for people.
    pub subject: String,
    /// SHA-256 over its SubjectPublicKeyInfo.
    pub spki_sha256: Sha256Digest,
    /// Whether it is known to be one of Mozilla's list.
    pub is_public: bool,
    /// Browsers refuse what it issues later than this, where that was said
    /// ([`TrustAnchorsBuilder::with_distrust_after`](super::TrustAnchorsBuilder::with_distrust_after)).
    pub distrust_after: Option<Timestamp>,
    /// Chrome takes what it issues only with SCTs that meet one of these, where there are any
    /// ([`TrustAnchorsBuilder::with_sct_constraints`](super::TrustAnchorsBuilder::with_sct_constraints)).
    pub sct_constraints: Vec<SctConstraint>,
    /// The certificate that it came from; for the relying party rustls, the first of several.
    pub certificate: Option<Certificate>,
}

impl RelyingTimeline {
    /// The interval around this instant; `None` where it is dark.
    pub fn at(&self, t: Timestamp) -> Option<&Interval> {
        let mut intervals = self.intervals.iter();
        intervals.find(|interval| interval.first <= t && t <= interval.last)
    }

    /// When it verifies, whatever the paths: intervals that touch are one.
    ///
    /// # From when until when is it dark?
    /// Between the last second of one and the first of the next.
    pub fn lit(&self) -> Vec<Validity> {
        let mut lit: Vec<Validity> = Vec::new();
        for interval in &self.intervals {
            match lit.last_mut() {
                Some(last) if last.not_after.saturating_add(1) == interval.first => {
                    last.not_after = interval.last;
                }
                _ => lit.push(Validity {
                    not_before: interval.first,
                    not_after: interval.last,
                }),
            }
        }
        lit
    }

    /// The gaps: when it is dark between two intervals in which it verifies.
    pub fn dark(&self) -> Vec<Validity> {
        let lit = self.lit();
        let pairs = lit.iter().zip(lit.iter().skip(1));
        let gaps = pairs.map(|(before, after)| Validity {
            not_before: before.not_after.saturating_add(1),
            not_after: after.not_before.saturating_add(-1),
        });
        gaps.collect()
    }
}

impl Timeline {
    /// `known` is what was found out before, which a budget may keep from being found again.
    pub(super) fn of<'a>(search: &PathSearch<'a>, known: Option<&Horizon<'_, 'a>>) -> Self {
        let mut horizon = Horizon::of_all_paths(search);
        horizon.ask_everywhere();
        if let Some(known) = known {
            horizon.learn_from(known);
        }
        let strict = horizon.knows_anchor_dates(None);
        let strict = strict.then(|| horizon.ways(RelyingParty::Strict));
        let openssl = (strict.as_deref())
            .filter(|_| horizon.is_complete())
            .and_then(|strict| first_issuer::windows(search, strict));
        let strict = strict.map(|strict| relying(search, &strict));
        Self {
            rustls: relying(search, &horizon.ways(RelyingParty::Rustls)),
            strict,
            openssl,
            complete: horizon.is_complete(),
        }
    }
}

fn relying(search: &PathSearch<'_>, ways: &[Way<'_, '_>]) -> RelyingTimeline {
    let epoch = Timestamp::from_unix_seconds(0);
    let begins = ways.iter().map(|way| way.window.not_before.max(epoch));
    // Nothing begins after the last second that can be stated.
    let ends = (ways.iter()).filter(|way| way.window.not_after < Timestamp::MAX);
    let changes = begins.chain(ends.map(|way| way.window.not_after.saturating_add(1)));
    let changes: BTreeSet<_> = changes.collect();
    let lasts = (changes.iter().skip(1)).map(|next| next.saturating_add(-1));
    let stretches = changes.iter().zip(lasts.chain([Timestamp::MAX]));
    let intervals = stretches.filter_map(|(first, last)| {
        let verifying = ways.iter().enumerate();
        let verifying = verifying.filter(|(_, way)| way.window.contains(*first));
        let paths: Vec<_> = verifying.map(|(index, _)| index).collect();
        (!paths.is_empty()).then_some(Interval {
            first: *first,
            last,
            paths,
        })
    });
    RelyingTimeline {
        intervals: intervals.collect(),
        paths: ways.iter().map(|way| verifying_path(search, way)).collect(),
    }
}

fn verifying_path(search: &PathSearch<'_>, way: &Way<'_, '_>) -> VerifyingPath {
    let certificates = search.certificates(way.path).into_iter().enumerate();
    let positioned =
        certificates.map(|(n, c)| LimitingCertificate::by_date(Position::in_chain(n), c));
    let known = search.anchor_certificates(way.path).first();
    VerifyingPath {
        certificates: positioned.collect(),
        anchor: anchor_of(search.anchors(), way.path.anchor, way.anchor.or(known)),
        window: way.window,
    }
}

fn anchor_of(
    anchors: &TrustAnchors,
    index: usize,
    certificate: Option<&Certificate>,
) -> PathAnchor {
    let (subject, spki) = anchors.name_and_spki(index);
    PathAnchor {
        subject,
        spki_sha256: Sha256Digest::of(&spki),
        is_public: anchors.is_public(index),
        distrust_after: anchors.distrust_after(index),
        sct_constraints: anchors.sct_constraints(index).to_vec(),
        certificate: certificate.cloned(),
    }
}
