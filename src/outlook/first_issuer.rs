//! When OpenSSL verifies a chain: it settles on the first issuer that fits and does not go back,
//! and refuses the very second of notAfter.
//!
//! Which issuer it takes is foreseen; whether that path verifies is read from the paths that webpki
//! accepted.

use std::collections::{BTreeSet, HashMap};

use super::horizon::Way;
use super::paths::PathSearch;
use crate::cert::Certificate;
use crate::time::{Timestamp, Validity};

/// More instants at which anything changes are not gone through.
const MAX_CHANGES: usize = 256;

/// OpenSSL follows no more by default (X509_VERIFY_PARAM_set_depth).
const MAX_DEPTH: usize = 100;

/// The windows from 1970 on in which OpenSSL accepts, given every way in which a relying party
/// does that counts anchors' dates. `None` where that cannot be foreseen.
pub(super) fn windows<'a>(
    search: &PathSearch<'a>,
    strict: &[Way<'_, 'a>],
) -> Option<Vec<Validity>> {
    let choice = Choice::of(search, strict)?;
    let changes = choice.changes();
    if changes.len() > MAX_CHANGES {
        return None;
    }
    let lasts = changes.iter().skip(1).map(|next| next.saturating_add(-1));
    let stretches = changes.iter().zip(lasts.chain([Timestamp::MAX]));
    let mut windows: Vec<Validity> = Vec::new();
    for (first, last) in stretches.filter(|(first, _)| choice.accepts(**first)) {
        match windows.last_mut() {
            Some(before) if before.not_after.saturating_add(1) == *first => {
                before.not_after = last;
            }
            _ => windows.push(Validity {
                not_before: *first,
                not_after: last,
            }),
        }
    }
    Some(windows)
}

/// What OpenSSL chooses from, by subject, in its order.
struct Choice<'s, 'a> {
    leaf: &'a Certificate,
    trusted: HashMap<&'a [u8], Vec<&'a Certificate>>,
    presented: HashMap<&'a [u8], Vec<&'a Certificate>>,
    strict: &'s [Way<'s, 'a>],
    search: &'s PathSearch<'a>,
}

impl<'s, 'a> Choice<'s, 'a> {
    fn of(search: &'s PathSearch<'a>, strict: &'s [Way<'s, 'a>]) -> Option<Self> {
        let mut choice = Self {
            leaf: search.leaf(),
            trusted: HashMap::new(),
            presented: HashMap::new(),
            strict,
            search,
        };
        for certificate in search.looked_at() {
            let subject = certificate.facts().subject_der();
            choice
                .presented
                .entry(subject)
                .or_default()
                .push(certificate);
        }
        // Only anchors of names that somebody is issued by: there may be hundreds of others.
        let anchors = search.anchors();
        let everyone = std::iter::once(choice.leaf).chain(search.looked_at());
        let issuers: BTreeSet<_> = everyone.map(|c| c.facts().issuer_der()).collect();
        for certificate in anchors.certificates() {
            let subject = certificate.facts().subject_der();
            if issuers.contains(subject) {
                choice.trusted.entry(subject).or_default().push(certificate);
            }
        }
        let dated = |name: &&[u8]| {
            let known = choice.trusted.get(*name).map_or(0, Vec::len);
            anchors.count_of_subject(name) <= known
        };
        issuers.iter().all(dated).then_some(choice)
    }

    fn certificates(&self) -> impl Iterator<Item = &'a Certificate> {
        let named = self.trusted.values().chain(self.presented.values());
        std::iter::once(self.leaf).chain(named.flatten().copied())
    }

    /// The instants from 1970 on at which its verdict can change.
    fn changes(&self) -> BTreeSet<Timestamp> {
        let dates = self
            .certificates()
            .flat_map(|c| [c.not_before(), c.not_after()]);
        let ways = self.strict.iter().flat_map(|way| {
            let Validity {
                not_before,
                not_after,
            } = way.window;
            [not_before, not_after.saturating_add(1)]
        });
        let epoch = Timestamp::from_unix_seconds(0);
        dates.chain(ways).map(|t| t.max(epoch)).collect()
    }

    /// Whether the path that it settles on verifies at `t`.
    fn accepts(&self, t: Timestamp) -> bool {
        let (mut path, mut anchor, mut top) = (vec![self.leaf], None, self.leaf);
        for _ in 0..MAX_DEPTH {
            if let Some(issuer) = self.issuer(&self.trusted, top, t, &[]) {
                let first = *anchor.get_or_insert(issuer);
                if !is_valid(issuer, t) {
                    return false;
                }
                if issuer.is_self_issued() {
                    return self.verifies(&path, first, t);
                }
                // Without X509_V_FLAG_PARTIAL_CHAIN it goes on to a root, by what is trusted.
                top = issuer;
            } else {
                let presented = self.issuer(&self.presented, top, t, &path);
                let Some(issuer) = presented.filter(|_| anchor.is_none()) else {
                    return false;
                };
                path.push(issuer);
                top = issuer;
            }
        }
        false
    }

    fn verifies(&self, path: &[&Certificate], anchor: &Certificate, t: Timestamp) -> bool {
        let is_this = |way: &&Way<'_, '_>| {
            way.anchor == Some(anchor) && self.search.certificates(way.path) == path
        };
        let mut ways = self.strict.iter().filter(is_this);
        path.iter().all(|certificate| is_valid(certificate, t))
            && ways.any(|way| way.window.contains(t))
    }

    /// The first that fits and is valid, else of those that fit the one that ends last.
    fn issuer(
        &self,
        among: &HashMap<&'a [u8], Vec<&'a Certificate>>,
        of: &Certificate,
        t: Timestamp,
        path: &[&'a Certificate],
    ) -> Option<&'a Certificate> {
        let named = among.get(of.facts().issuer_der()).into_iter().flatten();
        let fitting = || {
            let fitting = named.clone().copied();
            fitting.filter(|issuer| fits(of, issuer) && !path.contains(issuer))
        };
        let valid = fitting().find(|issuer| is_valid(issuer, t));
        let last = || {
            fitting().reduce(|best, next| {
                if next.not_after() > best.not_after() {
                    next
                } else {
                    best
                }
            })
        };
        valid.or_else(last)
    }
}

/// OpenSSL refuses the second of notAfter.
fn is_valid(certificate: &Certificate, t: Timestamp) -> bool {
    certificate.not_before() <= t && t < certificate.not_after()
}

/// Whether the key identifiers do not speak against it (RFC 5280, 4.2.1.1).
fn fits(certificate: &Certificate, issuer: &Certificate) -> bool {
    let wanted = certificate.facts().authority_key_id();
    let stated = issuer.facts().subject_key_id();
    wanted
        .zip(stated)
        .is_none_or(|(wanted, stated)| wanted == stated)
}
