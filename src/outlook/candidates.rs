//! Which of the presented certificates can be part of a path at all, by their names: the rest is
//! not worth webpki's time. Anyone may present anything.

use std::collections::{HashMap, HashSet};

use super::TrustAnchors;
use crate::cert::Certificate;

/// webpki refuses paths with more intermediates.
const MAX_INTERMEDIATES: usize = 6;

/// webpki takes no more steps than this in one search.
const WEBPKI_BUILD_CALLS: usize = 200_000;

/// The most ways by name from the leaf to an anchor that are looked at. Real chains have a
/// handful; six levels of eight certificates of the same name make a quarter of a million.
const MAX_WAYS: usize = 32;

/// The intermediates that can be part of a path.
pub(super) struct Candidates<'a> {
    pub(super) certificates: Vec<&'a Certificate>,
    /// Those of them that are looked at for all paths, where there are too many.
    pub(super) few: Option<Vec<&'a Certificate>>,
    /// Whether all that was presented would use up webpki's own budget for building paths: then
    /// rustls may refuse what is accepted here, where dead ends are left out.
    pub(super) exhausting: bool,
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
        let mut distinct = HashSet::new();
        let all: Vec<_> = (presented.iter())
            .filter(|certificate| distinct.insert(certificate.der().as_ref()))
            .collect();
        let names = Names::of(&all);
        let reachable = names.reachable_from(leaf);
        let ending = names.leading_to(anchors);
        let certificates: Vec<_> = (all.iter().copied().enumerate())
            .filter(|(index, _)| reachable.contains(index) && ending.contains(index))
            .map(|(_, certificate)| certificate)
            .collect();
        let mut few = certificates.clone();
        let mut variants = 8;
        while variants > 0 && Names::of(&few).count_ways(leaf, anchors) > MAX_WAYS {
            keep_longest(&mut few, variants);
            variants /= 2;
        }
        let exhausting = certificates.len() < names.certificates.len()
            && names.count_steps(leaf) > WEBPKI_BUILD_CALLS;
        Self {
            exhausting,
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
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
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
    by_subject: HashMap<&'a [u8], Vec<usize>>,
    by_issuer: HashMap<&'a [u8], Vec<usize>>,
}

impl<'a, 'c> Names<'a, 'c> {
    fn of(certificates: &'c [&'a Certificate]) -> Self {
        let mut names = Self {
            certificates,
            by_subject: HashMap::new(),
            by_issuer: HashMap::new(),
        };
        for (index, certificate) in certificates.iter().enumerate() {
            let facts = certificate.facts();
            names
                .by_subject
                .entry(facts.subject_der())
                .or_default()
                .push(index);
            names
                .by_issuer
                .entry(facts.issuer_der())
                .or_default()
                .push(index);
        }
        names
    }

    fn issuers_of(&self, certificate: &Certificate) -> &[usize] {
        let issuers = self.by_subject.get(certificate.facts().issuer_der());
        issuers.map_or(&[], Vec::as_slice)
    }

    /// Indices of all that the leaf leads to.
    fn reachable_from(&self, leaf: &Certificate) -> HashSet<usize> {
        self.closure(self.issuers_of(leaf).to_vec(), |certificate| {
            self.issuers_of(certificate)
        })
    }

    /// Indices of all that lead to an anchor.
    fn leading_to(&self, anchors: &TrustAnchors) -> HashSet<usize> {
        let issued_by_anchor = self.certificates.iter().enumerate();
        let start = issued_by_anchor.filter(|(_, c)| anchors.has_subject(c.facts().issuer_der()));
        self.closure(start.map(|(index, _)| index).collect(), |certificate| {
            let issued = self.by_issuer.get(certificate.facts().subject_der());
            issued.map_or(&[], Vec::as_slice)
        })
    }

    fn closure<'n>(
        &'n self,
        start: Vec<usize>,
        next: impl Fn(&Certificate) -> &'n [usize],
    ) -> HashSet<usize> {
        let mut reached: HashSet<usize> = start.iter().copied().collect();
        let mut open = start;
        while let Some(certificate) = open.pop().and_then(|index| self.certificates.get(index)) {
            let fresh = next(certificate)
                .iter()
                .filter(|index| reached.insert(**index));
            open.extend(fresh);
        }
        reached
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
        let issuers = self.issuers_of(certificate).iter();
        let above = issuers.filter_map(|index| above.get(*index));
        above.fold(0, |sum, above| sum.saturating_add(1).saturating_add(*above))
    }

    /// How many ways by name lead from the leaf to an anchor, as webpki would try them.
    fn count_ways(&self, leaf: &Certificate, anchors: &TrustAnchors) -> usize {
        // How many ways lead from each certificate to an anchor with so many more steps.
        let at_anchor = |certificate: &Certificate| {
            usize::from(anchors.has_subject(certificate.facts().issuer_der()))
        };
        let direct: Vec<_> = self.certificates.iter().map(|c| at_anchor(c)).collect();
        let mut ways = direct.clone();
        for _ in 1..MAX_INTERMEDIATES {
            let longer = |certificate: &Certificate, direct: usize| {
                let issuers = self.issuers_of(certificate).iter();
                let above = issuers.filter_map(|index| ways.get(*index));
                above.fold(direct, |sum, ways| sum.saturating_add(*ways))
            };
            let next = self.certificates.iter().zip(&direct);
            ways = next
                .map(|(certificate, direct)| longer(certificate, *direct))
                .collect();
        }
        let issuers = self
            .issuers_of(leaf)
            .iter()
            .filter_map(|index| ways.get(*index));
        issuers.fold(at_anchor(leaf), |sum, ways| sum.saturating_add(*ways))
    }
}
