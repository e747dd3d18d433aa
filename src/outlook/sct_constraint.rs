//! What Chrome wants of the SCTs under some roots.

use crate::cert::Sct;
use crate::time::Timestamp;

/// Of which SCTs Chrome takes what a root issues: `sct_not_after` and `sct_all_after` of its root store
/// (`root_store.textproto`), both of which must be met where both are given.
///
/// An SCT's timestamp is a claim until its signature is verified; Chrome looks at those that it verified.
///
/// # How do I say that Chrome takes of a root only what was logged until a date?
/// ```
/// use notafter::outlook::SctConstraint;
/// let until = SctConstraint::not_after("2024-11-11T23:59:59Z".parse()?);
/// assert_eq!(until.all_after, None);
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SctConstraint {
    /// One SCT at least must be of this second or earlier.
    pub not_after: Option<Timestamp>,
    /// Every SCT must be later than this second, and there must be one.
    pub all_after: Option<Timestamp>,
}

impl SctConstraint {
    /// One SCT at least must be of this second or earlier.
    pub const fn not_after(until: Timestamp) -> Self {
        Self {
            not_after: Some(until),
            all_after: None,
        }
    }

    /// Every SCT must be later than this second, and there must be one.
    pub const fn all_after(since: Timestamp) -> Self {
        Self {
            not_after: None,
            all_after: Some(since),
        }
    }

    /// Every SCT must be later than this second, too.
    #[must_use]
    pub const fn with_all_after(mut self, since: Timestamp) -> Self {
        self.all_after = Some(since);
        self
    }

    /// Whether these SCTs meet it.
    pub fn is_met_by(&self, scts: &[Sct]) -> bool {
        let (mut each, mut any) = (scts.iter(), scts.iter());
        let early = (self.not_after).is_none_or(|until| any.any(|sct| !sct.is_after(until)));
        let late = (self.all_after).is_none_or(|since| each.all(|sct| sct.is_after(since)));
        early && late && !(scts.is_empty() && self.all_after.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::SctList;

    /// SCTs of these milliseconds.
    fn scts(timestamps: &[u64]) -> Vec<Sct> {
        let mut list = Vec::new();
        for timestamp in timestamps {
            list.extend([0, 47, 0].iter().chain(&[7; 32]));
            list.extend(timestamp.to_be_bytes().iter().chain(&[0, 0, 4, 3, 0, 0]));
        }
        if list.is_empty() {
            return Vec::new();
        }
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        SctList::from_tls(&[&length[..], &list].concat())
            .unwrap()
            .scts
    }

    #[test]
    fn constraints_are_met_to_the_millisecond() {
        let second = Timestamp::from_unix_seconds(100);
        let until = SctConstraint::not_after(second);
        let since = SctConstraint::all_after(second);
        let both = SctConstraint::not_after(second.saturating_add(1)).with_all_after(second);
        let cases: [(&[u64], [bool; 3]); 7] = [
            (&[], [false, false, false]),
            (&[100_000], [true, false, false]),
            (&[100_001], [false, true, true]),
            (&[101_000], [false, true, true]),
            (&[101_001], [false, true, false]),
            (&[100_000, 500_000], [true, false, false]),
            (&[100_001, 500_000], [false, true, true]),
        ];
        for (timestamps, expected) in cases {
            let scts = scts(timestamps);
            let met = [until, since, both].map(|constraint| constraint.is_met_by(&scts));
            assert_eq!(met, expected, "{timestamps:?}");
        }
    }
}
