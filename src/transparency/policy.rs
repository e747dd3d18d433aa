//! What browsers want of a leaf's SCTs, in numbers.

use std::collections::BTreeSet;

use super::counted::{Admits, CountedScts};
use super::verdict::Wanted;
use super::{Log, LogList, SctStatus, SctVerdict};
use crate::cert::{Certificate, Sct, SctList, SctParseError};
use crate::time::Timestamp;

const DAY_SECONDS: i64 = 86_400;

/// How many SCTs there must be, of whose logs.
///
/// An SCT that a leaf embeds counts if its log is qualified, usable or readonly at the instant of the
/// judgement, or was retired after it gave the SCT; one at least must be of a log that was not retired. A log
/// counts once. Those that come by an OCSP response or in the handshake count while their log is not retired,
/// and with one of them two are enough. An SCT of the future counts for nobody (RFC 6962, 5.2).
///
/// From [Chrome's policy](https://googlechrome.github.io/CertificateTransparency/ct_policy.html), for what was
/// issued from 2022-04-15 on, and [Apple's](https://support.apple.com/103214); Firefox goes by Chrome's.
///
/// # What do browsers want of a leaf that lives 200 days?
/// Three SCTs, of two operators:
/// ```
/// use notafter::transparency::{LifetimeEnd, SctPolicy};
/// // Another policy, in numbers: 2 up to 100 days, else 4, of 3 operators.
/// let stricter = SctPolicy::browsers()
///     .with_short_lifetime(100, 2)
///     .with_scts(4)
///     .with_operators(3)
///     .with_lifetime_end(LifetimeEnd::Excluded);
/// assert_ne!(stricter, SctPolicy::browsers());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SctPolicy {
    short_days: u32,
    short_scts: usize,
    scts: usize,
    operators: usize,
    rfc6962: usize,
    lifetime_end: LifetimeEnd,
    leaves: SctLeaves,
}

/// Whether the second of notAfter is a part of a leaf's lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LifetimeEnd {
    /// It is (RFC 5280, 4.1.2.5; Apple): 180 days end a second before the same time of day.
    Included,
    /// It is not (Chrome, Firefox): the lifetime is notAfter less notBefore.
    Excluded,
}

/// For which leaves a policy is, in a check of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SctLeaves {
    /// For those that lead to an anchor known to be public, as the feature `mozilla-anchors` and
    /// [`TrustAnchorsBuilder::with_public`](crate::outlook::TrustAnchorsBuilder::with_public) know it: nobody
    /// asks SCTs of a private CA's leaves.
    #[default]
    OfPublicAnchors,
    /// For every leaf.
    All,
}

impl SctPolicy {
    /// What Chrome and Firefox want: two SCTs up to 180 days, else three; of two operators.
    pub const fn chrome() -> Self {
        Self {
            short_days: 180,
            short_scts: 2,
            scts: 3,
            operators: 2,
            rfc6962: 0,
            lifetime_end: LifetimeEnd::Excluded,
            leaves: SctLeaves::OfPublicAnchors,
        }
    }

    /// What Apple wants: the same, of which one is of a log of RFC 6962, and the second of notAfter is a part of
    /// the lifetime. (That at most one, or two, count of one operator comes to two operators.)
    pub const fn apple() -> Self {
        Self {
            rfc6962: 1,
            lifetime_end: LifetimeEnd::Included,
            ..Self::chrome()
        }
    }

    /// What satisfies all of them, which is the default.
    pub const fn browsers() -> Self {
        Self::apple()
    }

    /// So many SCTs for leaves that live at most so many days.
    #[must_use]
    pub const fn with_short_lifetime(mut self, days: u32, scts: usize) -> Self {
        self.short_days = days;
        self.short_scts = scts;
        self
    }

    /// So many SCTs for leaves that live longer.
    #[must_use]
    pub const fn with_scts(mut self, scts: usize) -> Self {
        self.scts = scts;
        self
    }

    /// Of so many operators.
    #[must_use]
    pub const fn with_operators(mut self, operators: usize) -> Self {
        self.operators = operators;
        self
    }

    /// So many of them of logs that are read as RFC 6962 has it.
    #[must_use]
    pub const fn with_rfc6962_logs(mut self, logs: usize) -> Self {
        self.rfc6962 = logs;
        self
    }

    /// Whether the second of notAfter counts as lifetime.
    #[must_use]
    pub const fn with_lifetime_end(mut self, end: LifetimeEnd) -> Self {
        self.lifetime_end = end;
        self
    }

    /// For which leaves it is, in a check of many; [`SctPolicy::judge`] asks nobody.
    #[must_use]
    pub const fn with_leaves(mut self, leaves: SctLeaves) -> Self {
        self.leaves = leaves;
        self
    }

    /// For which leaves it is.
    pub const fn leaves(&self) -> SctLeaves {
        self.leaves
    }

    /// How many embedded SCTs it wants of this leaf.
    pub fn needed(&self, leaf: &Certificate) -> usize {
        let seconds = leaf.not_after().seconds_since(leaf.not_before());
        let seconds = match self.lifetime_end {
            LifetimeEnd::Included => seconds.saturating_add(1),
            LifetimeEnd::Excluded => seconds,
        };
        match seconds <= i64::from(self.short_days).saturating_mul(DAY_SECONDS) {
            true => self.short_scts,
            false => self.scts,
        }
    }

    /// Judges the SCTs that a leaf embeds, and those that were `delivered` with it by an OCSP response or in the
    /// handshake, by this list at this instant.
    ///
    /// No signature is verified: the verdict is that of browsers if every SCT is what it claims to be.
    pub fn judge(
        &self,
        leaf: &Certificate,
        delivered: &[Sct],
        list: &LogList,
        at: Timestamp,
    ) -> SctVerdict {
        let (embedded, error) = match leaf.embedded_scts() {
            Ok(embedded) => (embedded, None),
            Err(error) => (SctList::default(), Some(error)),
        };
        let presented = LeafWithScts {
            leaf,
            embedded: &embedded,
            error,
            delivered,
        };
        let mut verdict = self.judge_at(&presented, list, at);
        if verdict.status == SctStatus::Met {
            verdict.met_until = self.met_until(&presented, list, at);
        }
        verdict
    }

    fn judge_at(&self, presented: &LeafWithScts<'_>, list: &LogList, at: Timestamp) -> SctVerdict {
        let embedded = &presented.embedded.scts;
        let wanted = Wanted {
            scts: self.needed(presented.leaf),
            operators: self.operators,
            rfc6962: self.rfc6962,
        };
        let counted = CountedScts::of(embedded, Admits::OnceCurrent, list, at);
        let verdict = SctVerdict::of(counted, wanted, presented.embedded, presented.error, at);
        if verdict.status == SctStatus::Met || presented.delivered.is_empty() {
            return verdict;
        }
        let wanted = Wanted {
            scts: self.operators.max(self.short_scts),
            ..wanted
        };
        let all = presented.delivered.iter().chain(embedded);
        let of_all = SctVerdict::of(
            CountedScts::of(all, Admits::Current, list, at),
            wanted,
            presented.embedded,
            presented.error,
            at,
        );
        let counts = CountedScts::of(presented.delivered, Admits::Current, list, at);
        let is_met = of_all.status == SctStatus::Met && !counts.is_empty();
        match is_met || embedded.is_empty() {
            true => of_all,
            false => verdict,
        }
    }

    /// The last second at which it is met, if the list says that it is not to the leaf's end.
    fn met_until(
        &self,
        presented: &LeafWithScts<'_>,
        list: &LogList,
        at: Timestamp,
    ) -> Option<Timestamp> {
        let scts = presented.embedded.scts.iter().chain(presented.delivered);
        let ids: BTreeSet<_> = scts.map(|sct| sct.log_id).collect();
        let logs = ids.iter().filter_map(|id| list.get(id));
        let changes: BTreeSet<_> = logs.flat_map(Log::changes).collect();
        let ahead = changes
            .into_iter()
            .filter(|change| at < *change && *change <= presented.leaf.not_after());
        let mut ends =
            ahead.filter(|change| self.judge_at(presented, list, *change).status != SctStatus::Met);
        Some(ends.next()?.saturating_add(-1))
    }
}

impl Default for SctPolicy {
    fn default() -> Self {
        Self::browsers()
    }
}

/// A leaf with its SCTs.
struct LeafWithScts<'p> {
    leaf: &'p Certificate,
    embedded: &'p SctList,
    /// Why nothing of what it embeds can be read.
    error: Option<SctParseError>,
    delivered: &'p [Sct],
}
