//! How far the paths of one chain reach: the known paths, asked for at as many instants as it
//! takes and no more.
//!
//! Whether a path verifies depends on the instant only through the dates of its certificates (and
//! of revocation lists, where their expiry counts). So a path that was seen once is known for all
//! time; only paths that were not valid at any instant asked about can still be hidden. A path is
//! valid when the last of its certificates begins: asking at every begin finds them all.

use std::collections::BTreeSet;
use std::fmt;

use super::paths::{FoundPath, PathSearch};
use super::{LimitingCause, LimitingCertificate, Outlook, Position, Refusal};
use crate::cert::Certificate;
use crate::revocation::CrlDepth;
use crate::time::{Timestamp, Validity};

/// Who judges a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RelyingParty {
    /// rustls, which does not look at an anchor's dates.
    Rustls,
    /// Those that count an anchor's dates too: pyca-cryptography, Go, OpenSSL.
    Strict,
}

impl RelyingParty {
    /// The stable code, in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rustls => "rustls",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The most instants that are asked about for one answer. A chain with more changes ahead of it
/// than this is somebody's attack, and is answered with `complete: false`.
const MAX_INSTANTS: usize = 64;

/// The most paths that one answer holds, likewise.
const MAX_PATHS: usize = 256;

/// The paths of one chain, as far as they are known.
pub(super) struct Horizon<'s, 'a> {
    search: &'s PathSearch<'a>,
    /// Stop each search at a path that lasts as long as the leaf.
    one_is_enough: bool,
    seen: Vec<SeenPath>,
    asked: Vec<Timestamp>,
    complete: bool,
}

/// A path and when it is known to verify, its anchor's dates left aside.
#[derive(Clone, PartialEq, Eq)]
struct SeenPath {
    path: FoundPath,
    window: Validity,
}

/// One way for a relying party to accept: a path, and for `Strict` one of its anchor's
/// certificates.
#[derive(Clone, Copy)]
pub(super) struct Way<'h, 'a> {
    pub(super) path: &'h FoundPath,
    pub(super) anchor: Option<&'a Certificate>,
    pub(super) window: Validity,
}

impl<'s, 'a> Horizon<'s, 'a> {
    /// Will look for all paths.
    pub(super) fn of_all_paths(search: &'s PathSearch<'a>) -> Self {
        Self {
            search,
            one_is_enough: false,
            seen: Vec::new(),
            asked: Vec::new(),
            complete: true,
        }
    }

    /// Will look for paths up to the first that lasts as long as the leaf.
    pub(super) fn of_lasting_path(search: &'s PathSearch<'a>) -> Self {
        Self {
            one_is_enough: true,
            ..Self::of_all_paths(search)
        }
    }

    /// Learns the paths that verify at `t`, unless that was asked before, for one of so many equal
    /// `parts` of what is left of the budget. What webpki said where it accepted none.
    ///
    /// # Errors
    /// [`Refusal::BeforeEpoch`] before 1970, where webpki cannot be asked.
    pub(super) fn ask(&mut self, t: Timestamp, parts: u64) -> Result<webpki::Error, Refusal> {
        let now = t.to_unix_time().ok_or(Refusal::BeforeEpoch { now: t })?;
        if self.asked.contains(&t) {
            return Ok(webpki::Error::UnknownIssuer);
        }
        if self.asked.len() >= MAX_INSTANTS {
            self.complete = false;
            return Ok(webpki::Error::UnknownIssuer);
        }
        self.asked.push(t);
        let leaf_end = self.search.leaf().not_after();
        let search = self.search;
        let window = |path: &FoundPath| {
            let dates = search.window(path);
            if !search.crls().enforces_expiration() {
                return dates;
            }
            dates.intersection(&segment(search, path, t))
        };
        let found = self.search.at(now, parts, |path| {
            self.one_is_enough && window(path).not_after >= leaf_end
        });
        self.complete &= found.complete;
        for path in found.paths {
            let window = window(&path);
            self.learn(SeenPath { path, window });
        }
        Ok(found.error)
    }

    /// A path that goes on where a revocation list stopped counting, which was another's, is one.
    fn learn(&mut self, seen: SeenPath) {
        let touches = |known: &&mut SeenPath| {
            known.path == seen.path
                && known.window.not_before <= seen.window.not_after.saturating_add(1)
                && seen.window.not_before <= known.window.not_after.saturating_add(1)
        };
        if let Some(known) = self.seen.iter_mut().find(touches) {
            known.window.not_before = known.window.not_before.min(seen.window.not_before);
            known.window.not_after = known.window.not_after.max(seen.window.not_after);
        } else if self.seen.len() < MAX_PATHS {
            self.seen.push(seen);
        } else {
            self.complete = false;
        }
    }

    /// Learns the paths that another knows of the same search.
    pub(super) fn learn_from(&mut self, other: &Self) {
        other.seen.iter().for_each(|seen| self.learn(seen.clone()));
    }

    /// Learns every path that verifies at any instant from 1970 on.
    pub(super) fn ask_everywhere(&mut self) {
        let leaf = self.search.leaf().validity();
        let candidates = || self.search.candidates().iter();
        let begins: Vec<_> = candidates().map(|c| c.not_before()).collect();
        let ends: Vec<_> = candidates()
            .map(|c| c.not_after().saturating_add(1))
            .collect();
        let epoch = Timestamp::from_unix_seconds(0);
        let first = leaf.not_before.max(epoch);
        let cuts = self.cuts();
        let starts = begins.into_iter().chain(cuts).map(|t| t.max(first));
        let mut instants: BTreeSet<_> = std::iter::once(first).chain(starts).collect();
        instants.retain(|t| *t <= leaf.not_after);
        self.ask_all(&instants);
        if !self.complete {
            // Where a budget ended a search, fewer paths are valid after some have ended.
            let after_ends = ends
                .into_iter()
                .filter(|t| leaf.contains(*t) && *t >= first);
            self.ask_all(&after_ends.collect());
        }
    }

    /// Asks at instants from 1970 on, each for its equal part of what is left.
    fn ask_all(&mut self, instants: &BTreeSet<Timestamp>) {
        for (n, t) in instants.iter().enumerate() {
            let to_come = (instants.len() - n).min(MAX_INSTANTS);
            let _ = self.ask(*t, u64::try_from(to_come).unwrap_or(1));
        }
    }

    /// The instants at which revocation lists that speak for any of the certificates stop counting.
    fn cuts(&self) -> Vec<Timestamp> {
        let candidates = self.search.candidates().iter().copied();
        let all = std::iter::once(self.search.leaf()).chain(candidates);
        all.flat_map(|certificate| self.search.crls().cuts_of(certificate))
            .collect()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether the dates of the anchor of every path that verifies at `t` (or ever) are known.
    pub(super) fn knows_anchor_dates(&self, t: Option<Timestamp>) -> bool {
        let mut seen = self.seen.iter();
        seen.all(|seen| {
            t.is_some_and(|t| !seen.window.contains(t))
                || !self.search.anchor_certificates(&seen.path).is_empty()
        })
    }

    /// The path at `now` that lasts longest for rustls; of several, the one whose other
    /// certificates last longest.
    pub(super) fn longest_path(&self, now: Timestamp) -> Vec<Certificate> {
        let ways = self.ways_at(RelyingParty::Rustls, now);
        let paths = ways.iter().map(|way| self.search.certificates(way.path));
        let longest = paths.max_by_key(|certificates| {
            let mut ends: Vec<_> = certificates.iter().map(|c| c.not_after()).collect();
            ends.sort();
            ends
        });
        longest.unwrap_or_default().into_iter().cloned().collect()
    }

    /// The outlook at `now` for one relying party, given that some path verifies for rustls.
    pub(super) fn outlook(&mut self, who: RelyingParty, now: Timestamp) -> Outlook {
        let paths = self.ways_at(who, now).len();
        let Some((effective_not_after, limiting)) = self.end(who, now) else {
            return Outlook::refused(self.anchor_refusal(now), 0, self.complete);
        };
        let next_cliff = self.next_cliff(who, now);
        Outlook {
            effective_not_after: Some(effective_not_after),
            limiting: Some(limiting),
            next_cliff,
            paths,
            complete: self.complete,
            refusal: None,
        }
    }

    /// The last second without a gap from `now` on, and the certificate that ends it.
    pub(super) fn end(
        &mut self,
        who: RelyingParty,
        now: Timestamp,
    ) -> Option<(Timestamp, LimitingCertificate)> {
        let leaf_end = self.search.leaf().not_after();
        let mut last = self.last_to_end(who, now)?;
        while last.0 < leaf_end {
            // A path that begins in time is invisible until it begins: look right behind the end.
            let next = last.0.saturating_add(1);
            self.ask(next, 2).ok()?;
            match self.last_to_end(who, next) {
                Some(later) => last = later,
                None => break,
            }
        }
        Some(last)
    }

    /// The last second before the set of verifying paths shrinks.
    fn next_cliff(&mut self, who: RelyingParty, now: Timestamp) -> Option<Timestamp> {
        // A path that begins before the cliff may also end before it, and one may go on where a
        // revocation list stops counting.
        let ahead = |t: &Timestamp| *t > now;
        let begins = self.search.candidates().iter().map(|c| c.not_before());
        let mut begins: BTreeSet<_> = begins.filter(ahead).collect();
        let mut cuts: BTreeSet<_> = self.cuts().into_iter().filter(ahead).collect();
        loop {
            let ways = self.ways(who).into_iter();
            let ends = ways.map(|way| way.window.not_after);
            let cliff = ends.filter(|end| *end >= now).min()?;
            let begin = begins.first().filter(|begin| **begin <= cliff).copied();
            let cut = cuts.first().filter(|cut| **cut <= cliff.saturating_add(1));
            let Some(next) = begin.into_iter().chain(cut.copied()).min() else {
                return Some(cliff);
            };
            begins.remove(&next);
            cuts.remove(&next);
            self.ask(next, 2).ok()?;
            if self.asked.len() >= MAX_INSTANTS {
                self.complete = false;
                return Some(cliff);
            }
        }
    }

    fn last_to_end(
        &self,
        who: RelyingParty,
        t: Timestamp,
    ) -> Option<(Timestamp, LimitingCertificate)> {
        // The first of equals: the order in which webpki finds them.
        let last = self.ways_at(who, t).into_iter().reduce(|best, way| {
            if way.window.not_after > best.window.not_after {
                way
            } else {
                best
            }
        })?;
        Some((last.window.not_after, self.limiting(&last)?))
    }

    fn limiting(&self, way: &Way<'_, 'a>) -> Option<LimitingCertificate> {
        let path = self.search.certificates(way.path).into_iter();
        let positioned = path.enumerate().map(|(n, c)| (Position::in_chain(n), c));
        let mut positioned_again = positioned.clone();
        let anchor = way
            .anchor
            .map(|certificate| (Position::Anchor, certificate));
        // `min_by_key` gives the first of equals: the one nearest the leaf.
        let (position, certificate) =
            (positioned.chain(anchor)).min_by_key(|(_, certificate)| certificate.not_after())?;
        let end = way.window.not_after;
        if certificate.not_after() <= end {
            return Some(LimitingCertificate::by_date(position, certificate));
        }
        // No date ends it, so a list does.
        let next_update = end.saturating_add(1);
        let crls = self.search.crls();
        let (position, certificate) =
            positioned_again.find(|(_, c)| crls.cuts_of(c).any(|cut| cut == next_update))?;
        Some(LimitingCertificate {
            cause: LimitingCause::RevocationList { next_update },
            ..LimitingCertificate::by_date(position, certificate)
        })
    }

    /// The known ways in which `who` accepts at `t`.
    pub(super) fn ways_at(&self, who: RelyingParty, t: Timestamp) -> Vec<Way<'_, 'a>> {
        let mut ways = self.ways(who);
        ways.retain(|way| way.window.contains(t));
        ways
    }

    /// The known ways in which `who` accepts at some instant.
    pub(super) fn ways(&self, who: RelyingParty) -> Vec<Way<'_, 'a>> {
        let mut ways = Vec::new();
        for SeenPath { path, window } in &self.seen {
            match who {
                RelyingParty::Rustls => ways.push(Way {
                    path,
                    anchor: None,
                    window: *window,
                }),
                RelyingParty::Strict => {
                    let anchors = self.search.anchor_certificates(path).iter();
                    ways.extend(anchors.map(|anchor| Way {
                        path,
                        anchor: Some(anchor),
                        window: window.intersection(&anchor.validity()),
                    }));
                }
            }
        }
        ways.retain(|way| way.window.not_before <= way.window.not_after);
        ways
    }

    /// Why `Strict` refuses what rustls accepts: the anchor that comes nearest to being valid.
    fn anchor_refusal(&self, now: Timestamp) -> Refusal {
        let ways = self.ways_at(RelyingParty::Rustls, now);
        let anchors = (ways.iter()).flat_map(|way| self.search.anchor_certificates(way.path));
        let nearest = anchors.max_by_key(|anchor| anchor.not_after());
        match nearest {
            Some(anchor) if anchor.not_after() < now => Refusal::Expired {
                position: Position::Anchor,
                subject: anchor.short_name(),
                not_after: anchor.not_after(),
            },
            Some(anchor) => Refusal::NotYetValid {
                position: Position::Anchor,
                subject: anchor.short_name(),
                not_before: anchor.not_before(),
            },
            None => Refusal::Other {
                error: webpki::Error::UnknownIssuer,
            },
        }
    }
}

/// The seconds around `t` in which no revocation list stops counting that speaks for a certificate
/// of this path.
fn segment(search: &PathSearch<'_>, path: &FoundPath, t: Timestamp) -> Validity {
    let crls = search.crls();
    let looked_up = match crls.depth() {
        CrlDepth::Chain => usize::MAX,
        CrlDepth::Leaf => 1,
    };
    let mut segment = Validity {
        not_before: Timestamp::MIN,
        not_after: Timestamp::MAX,
    };
    let certificates = search.certificates(path).into_iter().take(looked_up);
    for cut in certificates.flat_map(|certificate| crls.cuts_of(certificate)) {
        if cut > t {
            segment.not_after = segment.not_after.min(cut.saturating_add(-1));
        } else {
            segment.not_before = segment.not_before.max(cut);
        }
    }
    segment
}
