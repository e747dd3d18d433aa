//! Certificates by their names: who can have issued whom, as webpki sees it.

use super::TrustAnchors;
use crate::cert::{Certificate, CertificateFacts};

/// webpki refuses paths with more intermediates.
pub(super) const MAX_INTERMEDIATES: usize = 6;

/// The most steps that a walk takes to count signatures; who needs more is over any bound.
const MAX_WALK: usize = 20_000;

/// The certificates that came with a leaf, by their names. Certificates with one subject are a
/// group.
pub(super) struct NameGraph<'a> {
    certificates: &'a [Certificate],
    leaf: NameNode,
    nodes: Vec<NameNode>,
    /// The members of each group.
    groups: Vec<Vec<usize>>,
}

struct NameNode {
    /// Its own group.
    group: usize,
    /// The group that bears its issuer's name, if anyone does.
    issuers: Option<usize>,
    /// How many anchors bear its issuer's name.
    anchors: usize,
}

impl<'a> NameGraph<'a> {
    pub(super) fn of(
        leaf: &Certificate,
        certificates: &'a [Certificate],
        anchors: &TrustAnchors,
    ) -> Self {
        let named = certificates.iter().enumerate();
        let mut subjects: Vec<(&[u8], usize)> = named
            .map(|(index, c)| (c.facts().subject_der(), index))
            .collect();
        subjects.sort_unstable();
        let (mut names, mut groups): (Vec<&[u8]>, Vec<Vec<usize>>) = Default::default();
        let mut group_of = vec![0; certificates.len()];
        for (name, index) in subjects {
            if names.last() != Some(&name) {
                names.push(name);
                groups.push(Vec::new());
            }
            if let Some(members) = groups.last_mut() {
                members.push(index);
            }
            if let Some(group) = group_of.get_mut(index) {
                *group = names.len() - 1;
            }
        }
        let node = |facts: CertificateFacts<'_>, group| NameNode {
            group,
            issuers: names.binary_search(&facts.issuer_der()).ok(),
            anchors: anchors.count_of_subject(facts.issuer_der()),
        };
        Self {
            certificates,
            leaf: node(leaf.facts(), usize::MAX),
            nodes: (certificates.iter().zip(&group_of))
                .map(|(certificate, group)| node(certificate.facts(), *group))
                .collect(),
            groups,
        }
    }

    /// How many intermediates it takes from the leaf to each certificate, itself included.
    pub(super) fn steps_from_leaf(&self) -> Vec<usize> {
        let mut groups = vec![UNREACHED; self.groups.len()];
        let mut open: Vec<usize> = self.leaf.issuers.into_iter().collect();
        let mut steps = 0;
        while !open.is_empty() {
            steps += 1;
            let mut next = Vec::new();
            for group in open {
                let Some(known) = groups.get_mut(group).filter(|known| **known == UNREACHED) else {
                    continue;
                };
                *known = steps;
                let members = self.groups.get(group).into_iter().flatten();
                let members = members.filter_map(|member| self.nodes.get(*member));
                next.extend(members.filter_map(|member| member.issuers));
            }
            open = next;
        }
        let own = |node: &NameNode| groups.get(node.group).copied().unwrap_or(UNREACHED);
        self.nodes.iter().map(own).collect()
    }

    /// How many intermediates it takes from each certificate to an anchor, itself included; no
    /// more than webpki follows are looked at.
    pub(super) fn steps_to_anchor(&self) -> Vec<usize> {
        let mut known: Vec<usize> = (self.nodes.iter())
            .map(|node| if node.anchors > 0 { 1 } else { UNREACHED })
            .collect();
        let mut groups = vec![UNREACHED; self.groups.len()];
        for steps in 1..MAX_INTERMEDIATES {
            let mut changed = false;
            for (node, _) in (self.nodes.iter().zip(&known)).filter(|(_, known)| **known == steps) {
                if let Some(group) = groups.get_mut(node.group) {
                    changed |= *group == UNREACHED;
                    *group = steps.min(*group);
                }
            }
            if !changed {
                break;
            }
            for (node, known) in self.nodes.iter().zip(&mut known) {
                let above = node.issuers.and_then(|group| groups.get(group));
                if *known == UNREACHED && above == Some(&steps) {
                    *known = steps + 1;
                }
            }
        }
        known
    }

    /// How many steps webpki's search can take at the most, anchors or not.
    pub(super) fn count_steps(&self) -> usize {
        let everything = vec![true; self.nodes.len()];
        self.walk(&everything, |_| 1)
    }

    /// How many ways by name lead over these certificates from the leaf to an anchor, as webpki
    /// would try them, or a few more.
    pub(super) fn count_ways(&self, kept: &[bool]) -> usize {
        let ways = self.walk(kept, |node| node.anchors);
        ways.saturating_add(self.leaf.anchors)
    }

    /// The sum over all walks from the leaf that webpki's length allows, of what each of their
    /// ends is worth.
    fn walk(&self, kept: &[bool], worth: impl Fn(&NameNode) -> usize) -> usize {
        // How many walks arrive at each group.
        let mut arrivals = vec![0_usize; self.groups.len()];
        self.leaf
            .issuers
            .map(|group| arrivals.get_mut(group).map(|count| *count = 1));
        let mut sum = 0_usize;
        for _ in 0..MAX_INTERMEDIATES {
            let mut next = vec![0_usize; self.groups.len()];
            let mut goes_on = false;
            for (node, _) in self.nodes.iter().zip(kept).filter(|(_, kept)| **kept) {
                let count = arrivals.get(node.group).copied().unwrap_or(0);
                if count == 0 {
                    continue;
                }
                sum = sum.saturating_add(count.saturating_mul(worth(node)));
                if let Some(above) = node.issuers.and_then(|group| next.get_mut(group)) {
                    *above = above.saturating_add(count);
                    goes_on = true;
                }
            }
            if !goes_on {
                break;
            }
            arrivals = next;
        }
        sum
    }

    /// Whether webpki could be made to verify more signatures than this by these certificates:
    /// one for each certificate below an anchor of the right name, for every way.
    pub(super) fn may_verify_more_than(&self, bound: usize, among: &[bool]) -> bool {
        let mut walk = SignatureWalk {
            names: self,
            among,
            path: Vec::new(),
            signatures: self.leaf.anchors,
            steps: 0,
            bound,
        };
        walk.go(&self.leaf);
        walk.is_over()
    }
}

/// Not by any number of steps that counts.
const UNREACHED: usize = usize::MAX / 4;

/// A walk as webpki's search goes, as if no signature, date or extension ended it.
struct SignatureWalk<'w, 'a> {
    names: &'w NameGraph<'a>,
    among: &'w [bool],
    path: Vec<usize>,
    signatures: usize,
    steps: usize,
    bound: usize,
}

impl SignatureWalk<'_, '_> {
    fn is_over(&self) -> bool {
        self.signatures > self.bound || self.steps > MAX_WALK
    }

    fn go(&mut self, below: &NameNode) {
        let names = self.names;
        let members = below.issuers.and_then(|group| names.groups.get(group));
        for member in members.into_iter().flatten() {
            let node = names.nodes.get(*member);
            let Some(node) = node.filter(|_| self.among.get(*member) == Some(&true)) else {
                continue;
            };
            if self.is_over() || self.path.len() == MAX_INTERMEDIATES || self.repeats(*member) {
                continue;
            }
            self.steps += 1;
            self.path.push(*member);
            let signed = node.anchors.saturating_mul(self.path.len() + 1);
            self.signatures = self.signatures.saturating_add(signed);
            self.go(node);
            self.path.pop();
        }
    }

    /// webpki goes to no name and key twice (RFC 4158, 5.2).
    fn repeats(&self, next: usize) -> bool {
        let certificates = self.names.certificates;
        let identity = |index: usize| {
            let facts = certificates.get(index).map(Certificate::facts);
            facts.map(|facts| (facts.spki_der(), facts.subject_der()))
        };
        self.path
            .iter()
            .any(|before| identity(*before) == identity(next))
    }
}
