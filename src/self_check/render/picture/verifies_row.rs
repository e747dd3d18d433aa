//! When a chain verifies, for whom, as rows of a picture.

use super::super::super::{ChainReport, StapleReport, StapleVerdict};
use crate::outlook::{Outlook, RelyingTimeline};
use crate::time::{Timestamp, Validity};

/// When a chain verifies, for the relying parties that agree on it.
#[derive(Debug, Clone)]
pub(in super::super) struct VerifiesRow {
    /// Their names.
    pub(in super::super) who: Vec<&'static str>,
    /// When it verifies, as far as that is known.
    pub(in super::super) lit: Vec<Validity>,
    /// When it does not, though its leaf is valid (or was, until now).
    pub(in super::super) dark: Vec<Validity>,
    /// The next cliff, where another path survives it.
    pub(in super::super) cliff: Option<Timestamp>,
    pub(in super::super) state: VerifiesState,
    /// Whether a chain fails when this row goes dark.
    pub(in super::super) counts: bool,
}

/// How a row stands at the instant that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum VerifiesState {
    /// It verifies until this last good second, without a gap.
    Until(Timestamp),
    DoesNotVerify,
    /// A staple with this status, which is not good.
    NotGood(&'static str),
}

/// The rows of one chain: none for a certificate of a collection that no outlook fits.
pub(super) fn verifies_rows(chain: &ChainReport, at: Timestamp) -> Vec<VerifiesRow> {
    let Some(leaf) = chain.certificates.first() else {
        return Vec::new();
    };
    let leaf = leaf.certificate.validity();
    let claimed = Validity {
        not_before: leaf.not_before,
        not_after: leaf.not_after.max(at),
    };
    let timeline = chain.timeline.as_ref();
    let rustls = timeline.map(|timeline| &timeline.rustls);
    let strict = timeline.and_then(|timeline| timeline.strict.as_ref());
    let mut rows: Vec<VerifiesRow> = Vec::new();
    for (who, outlook, timeline) in [
        ("rustls", &chain.rustls, rustls),
        ("strict", &chain.strict, strict),
    ] {
        if let Some(outlook) = outlook {
            let row = VerifiesRow::of_outlook(who, outlook, timeline, claimed, at);
            add(&mut rows, row);
        }
    }
    // It does not look at names: where something that no timeline looks at is refused, it says nothing.
    let is_by_dates = rows.first().is_some_and(|row| !row.lit.is_empty());
    if let Some(windows) = timeline.and_then(|timeline| timeline.openssl.as_ref()) {
        if is_by_dates {
            add(&mut rows, VerifiesRow::of_openssl(windows, claimed, at));
        }
    }
    rows.extend((chain.staple.as_ref()).map(|staple| VerifiesRow::of_staple(staple, claimed, at)));
    rows
}

impl VerifiesRow {
    fn of_outlook(
        who: &'static str,
        outlook: &Outlook,
        timeline: Option<&RelyingTimeline>,
        claimed: Validity,
        at: Timestamp,
    ) -> Self {
        let end = outlook.effective_not_after;
        let lit = match timeline {
            Some(timeline) if outlook.verifies() || timeline.at(at).is_none() => timeline.lit(),
            // Refused for what a timeline does not look at, a name.
            Some(_) => Vec::new(),
            // Known from now on only.
            None => end.map(|end| between(at, end)).into_iter().collect(),
        };
        let known = match (timeline, end) {
            (None, Some(_)) => between(at.max(claimed.not_before), claimed.not_after),
            _ => claimed,
        };
        Self {
            who: vec![who],
            dark: dark(known, &lit),
            lit,
            cliff: outlook.next_cliff.filter(|cliff| Some(*cliff) < end),
            state: end.map_or(VerifiesState::DoesNotVerify, VerifiesState::Until),
            counts: true,
        }
    }

    fn of_openssl(windows: &[Validity], claimed: Validity, at: Timestamp) -> Self {
        // It refuses the very second of a notAfter.
        let last = claimed.not_after.saturating_add(-1).max(at);
        let lit_now = windows.iter().find(|window| window.contains(at));
        Self {
            who: vec!["openssl"],
            lit: windows.to_vec(),
            dark: dark(between(claimed.not_before, last), windows),
            cliff: None,
            state: lit_now.map_or(VerifiesState::DoesNotVerify, |window| {
                VerifiesState::Until(window.not_after)
            }),
            counts: true,
        }
    }

    /// Without a good staple it is dark where the leaf must staple: clients that honour that refuse.
    fn of_staple(staple: &StapleReport, claimed: Validity, at: Timestamp) -> Self {
        let good_until = staple
            .good_until
            .filter(|_| staple.verdict == StapleVerdict::Good);
        let lit: Vec<_> = good_until
            .map(|end| between(staple.this_update.unwrap_or(at), end))
            .into_iter()
            .collect();
        let needed = between(at, claimed.not_after);
        Self {
            who: vec!["staple"],
            dark: match staple.must_staple {
                true => dark(needed, &lit),
                false => Vec::new(),
            },
            lit,
            cliff: None,
            state: good_until.map_or(VerifiesState::NotGood(staple.code), VerifiesState::Until),
            counts: staple.must_staple,
        }
    }

    /// Whether they differ by no more than the second of notAfter, which OpenSSL refuses.
    fn agrees_with(&self, other: &Self) -> bool {
        let near = |a: Timestamp, b: Timestamp| a.seconds_since(b).abs() <= 1;
        let same_window = |(a, b): (&Validity, &Validity)| {
            a.not_before == b.not_before && near(a.not_after, b.not_after)
        };
        let same_state = match (self.state, other.state) {
            (VerifiesState::Until(a), VerifiesState::Until(b)) => near(a, b),
            (a, b) => a == b,
        };
        same_state
            && self.lit.len() == other.lit.len()
            && self.lit.iter().zip(&other.lit).all(same_window)
            && (other.cliff.is_none() || self.cliff == other.cliff)
    }
}

/// Those who agree share a row.
fn add(rows: &mut Vec<VerifiesRow>, row: VerifiesRow) {
    match rows.iter_mut().find(|known| known.agrees_with(&row)) {
        Some(known) => known.who.extend(row.who),
        None => rows.push(row),
    }
}

const fn between(not_before: Timestamp, not_after: Timestamp) -> Validity {
    Validity {
        not_before,
        not_after,
    }
}

/// What of `claimed` lies in none of these windows, which are in order.
fn dark(claimed: Validity, lit: &[Validity]) -> Vec<Validity> {
    let mut dark = Vec::new();
    let mut begin = claimed.not_before;
    for window in lit {
        let end = window.not_before.saturating_add(-1).min(claimed.not_after);
        if window.not_before > begin && begin <= end {
            dark.push(between(begin, end));
        }
        if window.not_after >= claimed.not_after {
            return dark;
        }
        begin = begin.max(window.not_after.saturating_add(1));
    }
    if begin <= claimed.not_after {
        dark.push(between(begin, claimed.not_after));
    }
    dark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_dark_where_it_does_not_verify_though_the_leaf_is_valid() {
        let t = Timestamp::from_unix_seconds;
        let windows = |pairs: &[(i64, i64)]| -> Vec<_> {
            pairs.iter().map(|(a, b)| between(t(*a), t(*b))).collect()
        };
        let cases: [(&[(i64, i64)], &[(i64, i64)]); 7] = [
            (&[], &[(100, 200)]),
            (&[(100, 200)], &[]),
            (&[(50, 300)], &[]),
            (&[(100, 150)], &[(151, 200)]),
            (&[(120, 200)], &[(100, 119)]),
            (
                &[(110, 119), (121, 130)],
                &[(100, 109), (120, 120), (131, 200)],
            ),
            (&[(10, 20), (300, 400)], &[(100, 200)]),
        ];
        for (lit, expected) in cases {
            let found = dark(between(t(100), t(200)), &windows(lit));
            assert_eq!(found, windows(expected), "{lit:?}");
        }
        let no_end = between(t(100), Timestamp::MAX);
        assert_eq!(dark(no_end, &[no_end]), []);
    }
}
