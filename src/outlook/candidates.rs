//! Which of the presented certificates can be part of a path at all, by their names: the rest is
//! not worth webpki's time. Anyone may present anything.

use std::collections::{BTreeMap, BTreeSet};

use super::TrustAnchors;
use crate::cert::{Certificate, CertificateFacts};

/// webpki refuses paths with more intermediates.
const MAX_INTERMEDIATES: usize = 6;

/// The most presented certificates that are looked at: rustls takes no handshake message over
/// 64 KiB, which holds fewer.
pub(crate) const MAX_PRESENTED: usize = 512;

/// webpki takes no more steps than this in one search.
const WEBPKI_BUILD_CALLS: usize = 200_000;

/// The most ways by name from the leaf to an anchor that are looked at. Real chains have a
/// handful; six levels of eight certificates of the same name make a quarter of a million.
const MAX_WAYS: usize = 128;

/// How many ways are looked at where there are more than that.
const FEW_WAYS: usize = 8;

/// The intermediates that can be part of a path.
pub(super) struct Candidates<'a> {
    pub(super) certificates: Vec<&'a Certificate>,
    /// Those of them that are looked at for all paths, where there are too many.
    pub(super) few: Option<Vec<&'a Certificate>>,
    /// Whether all that was presented would use up webpki's own budget for building paths, or is
    /// more than is looked at: then rustls may refuse what is accepted here.
    pub(super) exhausting: bool,
    /// Whether there is one way by names at the most: who found a path need not look for more.
    pub(super) one_way: bool,
}

impl<'a> Candidates<'a> {
    /// Keeps, each once and in their order, the certificates that lie on some way by names from
    /// the leaf to an anchor: webpki compares the same bytes, so no path of its is lost. If there
    /// are too many ways, a few are chosen, those certificates of each name that end last.
    pub(super) fn choose(
        leaf: &'a Certificate,
        presented: &'a [Certificate],
        anchors: &TrustAnchors,
    ) -> Self {
        let mut distinct = BTreeSet::new();
        let all: Vec<_> = (presented.iter().take(MAX_PRESENTED))
            .filter(|certificate| distinct.insert(certificate.der().as_ref()))
            .collect();
        let names = Names::of(&all);
        let reachable = names.reachable_from(leaf);
        let ending = names.leading_to(anchors);
        let certificates: Vec<_> = (all.iter().copied().enumerate())
            .filter(|(index, _)| {
                reachable.get(*index) == Some(&true) && ending.get(*index) == Some(&true)
            })
            .map(|(_, certificate)| certificate)
            .collect();
        let mut few = certificates.clone();
        let mut variants = 8;
        let mut ways = Names::of(&few).count_ways(leaf, anchors);
        let one_way = ways <= 1;
        let enough = if ways > MAX_WAYS { FEW_WAYS } else { MAX_WAYS };
        while variants > 0 && ways > enough {
            keep_longest(&mut few, variants);
            variants /= 2;
            ways = Names::of(&few).count_ways(leaf, anchors);
        }
        let dead_ends = certificates.len() < names.certificates.len();
        let exhausting = presented.len() > MAX_PRESENTED
            || (dead_ends && names.count_steps(leaf) > WEBPKI_BUILD_CALLS);
        Self {
            exhausting,
            one_way,
            few: (few.len() < certificates.len()).then_some(few),
            certificates,
        }
    }
}

/// Keeps at most so many certificates of each name, those that end last.
fn keep_longest(certificates: &mut Vec<&Certificate>, variants: usize) {
    let all = certificates.clone();
    certificates.retain(|certificate| {
        let subject = certificate.facts().subject_der();
        let later = all.iter().filter(|other| {
            other.facts().subject_der() == subject && other.not_after() > certificate.not_after()
        });
        later.count() < variants
    });
    // Of several that end together, the first stay.
    let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    certificates.retain(|certificate| {
        let count = seen
            .entry(certificate.facts().subject_der().to_vec())
            .or_default();
        *count += 1;
        *count <= variants
    });
}

/// Certificates by their names.
struct Names<'a, 'c> {
    certificates: &'c [&'a Certificate],
    /// Subjects in order, each with the index of its certificate.
    subjects: Vec<(&'a [u8], usize)>,
    /// Issuers likewise.
    issuers: Vec<(&'a [u8], usize)>,
}

impl<'a, 'c> Names<'a, 'c> {
    fn of(certificates: &'c [&'a Certificate]) -> Self {
        let sorted = |name: fn(CertificateFacts<'a>) -> &'a [u8]| {
            let named = certificates.iter().enumerate();
            let mut named: Vec<_> = named.map(|(index, c)| (name(c.facts()), index)).collect();
            named.sort_unstable();
            named
        };
        Self {
            certificates,
            subjects: sorted(|facts| facts.subject_der()),
            issuers: sorted(|facts| facts.issuer_der()),
        }
    }

    fn issuers_of(&self, certificate: &Certificate) -> impl Iterator<Item = usize> {
        named(&self.subjects, certificate.facts().issuer_der())
    }

    /// Which of them the leaf leads to.
    fn reachable_from(&self, leaf: &Certificate) -> Vec<bool> {
        let mut reached = self.none();
        let mut open: Vec<usize> = self.issuers_of(leaf).collect();
        while let Some((index, certificate)) = self.take_new(&mut open, &mut reached) {
            open.extend(
                self.issuers_of(certificate)
                    .filter(|issuer| *issuer != index),
            );
        }
        reached
    }

    /// Which of them lead to an anchor.
    fn leading_to(&self, anchors: &TrustAnchors) -> Vec<bool> {
        let mut reached = self.none();
        let by_anchor = self.certificates.iter().enumerate();
        let by_anchor = by_anchor.filter(|(_, c)| anchors.has_subject(c.facts().issuer_der()));
        let mut open: Vec<usize> = by_anchor.map(|(index, _)| index).collect();
        while let Some((_, certificate)) = self.take_new(&mut open, &mut reached) {
            open.extend(named(&self.issuers, certificate.facts().subject_der()));
        }
        reached
    }

    fn none(&self) -> Vec<bool> {
        vec![false; self.certificates.len()]
    }

    /// The next open index that was not reached before, and its certificate.
    fn take_new(
        &self,
        open: &mut Vec<usize>,
        reached: &mut [bool],
    ) -> Option<(usize, &'a Certificate)> {
        loop {
            let index = open.pop()?;
            let known = reached.get_mut(index)?;
            if !std::mem::replace(known, true) {
                return self
                    .certificates
                    .get(index)
                    .map(|certificate| (index, *certificate));
            }
        }
    }

    /// How many steps webpki's search can take at the most, anchors or not.
    fn count_steps(&self, leaf: &Certificate) -> usize {
        // How many steps lie above each certificate, with so many more allowed.
        let mut above = vec![0_usize; self.certificates.len()];
        for _ in 1..MAX_INTERMEDIATES {
            let certificates = self.certificates.iter();
            above = certificates
                .map(|certificate| self.steps(certificate, &above))
                .collect();
        }
        self.steps(leaf, &above)
    }

    /// One step to each issuer of this certificate, and all that lie above.
    fn steps(&self, certificate: &Certificate, above: &[usize]) -> usize {
        let above = self
            .issuers_of(certificate)
            .filter_map(|index| above.get(index));
        above.fold(0, |sum, above| sum.saturating_add(1).saturating_add(*above))
    }

    /// How many ways by name lead from the leaf to an anchor, as webpki would try them.
    fn count_ways(&self, leaf: &Certificate, anchors: &TrustAnchors) -> usize {
        // How many ways lead from each certificate to an anchor with so many more steps.
        let at_anchor =
            |certificate: &Certificate| anchors.count_of_subject(certificate.facts().issuer_der());
        let direct: Vec<_> = self.certificates.iter().map(|c| at_anchor(c)).collect();
        let mut ways = direct.clone();
        for _ in 1..MAX_INTERMEDIATES {
            let longer = |certificate: &Certificate, direct: usize| {
                let above = self
                    .issuers_of(certificate)
                    .filter_map(|index| ways.get(index));
                above.fold(direct, |sum, ways| sum.saturating_add(*ways))
            };
            let next = self.certificates.iter().zip(&direct);
            ways = next
                .map(|(certificate, direct)| longer(certificate, *direct))
                .collect();
        }
        let issuers = self.issuers_of(leaf).filter_map(|index| ways.get(index));
        issuers.fold(at_anchor(leaf), |sum, ways| sum.saturating_add(*ways))
    }
}

/// The indices with this name.
fn named(sorted: &[(&[u8], usize)], name: &[u8]) -> impl Iterator<Item = usize> {
    let first = sorted.partition_point(|(known, _)| *known < name);
    let from_first = sorted.iter().skip(first).copied();
    let count = from_first
        .clone()
        .take_while(|(known, _)| *known == name)
        .count();
    from_first.take(count).map(|(_, index)| index)
}
