//! How far the paths of one chain reach: the known paths, asked for at as many instants as it
//! takes and no more.
//!
//! Whether a path verifies depends on the instant only through the dates of its certificates. So
//! a path that was seen once is known for all time; only paths that were not valid at any instant
//! asked about can still be hidden.

use std::collections::BTreeSet;

use super::paths::{Path, PathSearch};
use super::{LimitingCertificate, Outlook, Position, Refusal};
use crate::cert::{Certificate, Timestamp, Validity};

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RelyingParty {
    /// Does not look at an anchor's dates.
    Rustls,
    /// Counts them.
    Strict,
}

/// The most instants that are asked about for one answer. Each costs a search; a chain with more
/// changes ahead of it than this is somebody's attack, and is answered with `complete: false`.
const MAX_INSTANTS: usize = 64;

/// The paths of one chain, as far as they are known.
pub(super) struct Horizon<'s, 'a> {
    search: &'s PathSearch<'a>,
    now: Timestamp,
    /// Stop each search at a path that lasts as long as the leaf.
    one_is_enough: bool,
    paths: Vec<Path>,
    asked: BTreeSet<Timestamp>,
    complete: bool,
    first_error: webpki::Error,
}

/// One way for a relying party to accept: a path, and for `Strict` one of its anchor's
/// certificates.
#[derive(Clone, Copy)]
struct Way<'h, 'a> {
    path: &'h Path,
    anchor: Option<&'a Certificate>,
    window: Validity,
}

impl<'s, 'a> Horizon<'s, 'a> {
    /// Knows every path at `now`; `None` before 1970, where webpki cannot be asked.
    pub(super) fn of_all_paths(search: &'s PathSearch<'a>, now: Timestamp) -> Option<Self> {
        Self::new(search, now, false)
    }

    /// Knows the paths at `now` up to the first that lasts as long as the leaf.
    pub(super) fn of_lasting_path(search: &'s PathSearch<'a>, now: Timestamp) -> Option<Self> {
        Self::new(search, now, true)
    }

    fn new(search: &'s PathSearch<'a>, now: Timestamp, one_is_enough: bool) -> Option<Self> {
        now.to_unix_time()?;
        let mut horizon = Self {
            search,
            now,
            one_is_enough,
            paths: Vec::new(),
            asked: BTreeSet::new(),
            complete: true,
            first_error: webpki::Error::UnknownIssuer,
        };
        if let Some(error) = horizon.ask(now) {
            horizon.first_error = error;
        }
        Some(horizon)
    }

    /// Learns the paths that verify at `t`, unless that was asked before.
    fn ask(&mut self, t: Timestamp) -> Option<webpki::Error> {
        if self.asked.contains(&t) {
            return None;
        }
        if self.asked.len() >= MAX_INSTANTS {
            self.complete = false;
            return None;
        }
        self.asked.insert(t);
        let leaf_end = self.search.leaf().not_after();
        let found = self.search.at(t.to_unix_time()?, |path| {
            self.one_is_enough && self.search.window(path).not_after >= leaf_end
        });
        self.complete &= found.complete;
        for path in found.paths {
            if !self.paths.contains(&path) {
                self.paths.push(path);
            }
        }
        Some(found.error)
    }

    /// Why the search at `now` ended.
    pub(super) fn error(&self) -> &webpki::Error {
        &self.first_error
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether no path verifies at `now`.
    pub(super) fn is_dark(&self) -> bool {
        self.count_of_paths() == 0
    }

    pub(super) fn count_of_paths(&self) -> usize {
        self.ways_at(RelyingParty::Rustls, self.now).len()
    }

    /// Whether the dates of every verifying path's anchor are known.
    pub(super) fn knows_anchor_dates(&self) -> bool {
        let ways = self.ways_at(RelyingParty::Rustls, self.now);
        (ways.iter()).all(|way| !self.search.anchor_certificates(way.path).is_empty())
    }

    /// The path at `now` that lasts longest for rustls; of several, the one whose other
    /// certificates last longest.
    pub(super) fn longest_path(&self) -> Vec<Certificate> {
        let ways = self.ways_at(RelyingParty::Rustls, self.now);
        let paths = ways.iter().map(|way| self.search.certificates(way.path));
        let longest = paths.max_by_key(|certificates| {
            let mut ends: Vec<_> = certificates.iter().map(|c| c.not_after()).collect();
            ends.sort();
            ends
        });
        longest.unwrap_or_default().into_iter().cloned().collect()
    }

    /// The outlook at `now` for one relying party, given that some path verifies for rustls.
    pub(super) fn outlook(&mut self, who: RelyingParty) -> Outlook {
        let paths = self.ways_at(who, self.now).len();
        let Some((effective_not_after, limiting)) = self.end(who) else {
            return Outlook::refused(self.anchor_refusal(), 0, self.complete);
        };
        let next_cliff = self.next_cliff(who);
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
    pub(super) fn end(&mut self, who: RelyingParty) -> Option<(Timestamp, LimitingCertificate)> {
        let leaf_end = self.search.leaf().not_after();
        let mut last = self.last_to_end(who, self.now)?;
        while last.0 < leaf_end {
            // A path that begins in time is invisible until it begins: look right behind the end.
            let next = last.0.saturating_add(1);
            self.ask(next);
            match self.last_to_end(who, next) {
                Some(later) => last = later,
                None => break,
            }
        }
        Some(last)
    }

    /// The last second before the set of verifying paths shrinks.
    fn next_cliff(&mut self, who: RelyingParty) -> Option<Timestamp> {
        let first_end = |horizon: &Self, t| {
            let ways = horizon.ways_at(who, t);
            ways.iter().map(|way| way.window.not_after).min()
        };
        let mut cliff = first_end(self, self.now)?;
        // A path that begins before the cliff may also end before it.
        let mut begins: Vec<_> = (self.search.presented().iter())
            .map(|certificate| certificate.not_before())
            .collect();
        if who == RelyingParty::Strict {
            let anchors = self
                .paths
                .iter()
                .flat_map(|p| self.search.anchor_certificates(p));
            begins.extend(anchors.map(Certificate::not_before));
        }
        begins.retain(|t| *t > self.now);
        begins.sort();
        begins.dedup();
        for begin in begins {
            if begin > cliff {
                break;
            }
            self.ask(begin);
            cliff = first_end(self, begin).map_or(cliff, |end| cliff.min(end));
        }
        Some(cliff)
    }

    fn last_to_end(
        &self,
        who: RelyingParty,
        t: Timestamp,
    ) -> Option<(Timestamp, LimitingCertificate)> {
        let ways = self.ways_at(who, t);
        // The first of equals: the order in which webpki finds them.
        let last = ways.into_iter().reduce(|best, way| {
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
        let anchor = way
            .anchor
            .map(|certificate| (Position::Anchor, certificate));
        // `min_by_key` gives the first of equals: the one nearest the leaf.
        let (position, certificate) =
            (positioned.chain(anchor)).min_by_key(|(_, certificate)| certificate.not_after())?;
        Some(LimitingCertificate {
            position,
            certificate: certificate.clone(),
        })
    }

    /// The known ways in which `who` accepts at `t`.
    fn ways_at(&self, who: RelyingParty, t: Timestamp) -> Vec<Way<'_, 'a>> {
        let mut ways = Vec::new();
        for path in &self.paths {
            let window = self.search.window(path);
            match who {
                RelyingParty::Rustls => ways.push(Way {
                    path,
                    anchor: None,
                    window,
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
        ways.retain(|way| way.window.contains(t));
        ways
    }

    /// Why `Strict` refuses what rustls accepts: the anchor that comes nearest to being valid.
    fn anchor_refusal(&self) -> Refusal {
        let ways = self.ways_at(RelyingParty::Rustls, self.now);
        let anchors = ways
            .iter()
            .flat_map(|way| self.search.anchor_certificates(way.path));
        let nearest = anchors.max_by_key(|anchor| anchor.not_after());
        match nearest {
            Some(anchor) if anchor.not_after() < self.now => Refusal::Expired {
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
