//! What the parts of a thing that is watched show together: several of them may speak of one
//! source, and what one of them no longer says, another may.

use std::collections::{BTreeMap, HashMap};

use super::metrics::Change;
use super::parts::JudgedPart;
use crate::event::Severity;
use crate::self_check::{FindingKind, Samples, Series, Standing, counted, readable};

const FINDINGS: &str = "notafter_findings";
const READABLE: &str = "notafter_source_readable";

/// What is shown of all parts together, kept up to date part by part.
#[derive(Debug, Default)]
pub(super) struct Tally {
    findings: HashMap<Series, u32>,
    sources: HashMap<String, ReadCounts>,
    criticals: usize,
    warnings: usize,
    blind: usize,
}

/// How many parts could read a source, and how many could not.
#[derive(Debug, Default, Clone, Copy)]
struct ReadCounts {
    read: u32,
    failed: u32,
}

/// What was shown before of the series that parts have touched since.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeMap<Series, Option<f64>>);

impl Tally {
    /// A part counts from now on.
    pub(super) fn add(&mut self, part: &JudgedPart, touched: &mut Touched) {
        self.count(part, touched, |count, more| {
            *count = count.saturating_add(more);
        });
        let standing = part.standing;
        self.criticals += usize::from(standing.is(Severity::Critical));
        self.warnings += usize::from(standing.is(Severity::Warning));
        self.blind += usize::from(standing.is_blind());
    }

    /// A part that was added counts no longer.
    pub(super) fn remove(&mut self, part: &JudgedPart, touched: &mut Touched) {
        self.count(part, touched, |count, less| {
            *count = count.saturating_sub(less);
        });
        let standing = part.standing;
        self.criticals -= usize::from(standing.is(Severity::Critical)).min(self.criticals);
        self.warnings -= usize::from(standing.is(Severity::Warning)).min(self.warnings);
        self.blind -= usize::from(standing.is_blind()).min(self.blind);
    }

    fn count(&mut self, part: &JudgedPart, touched: &mut Touched, change: impl Fn(&mut u32, u32)) {
        for (kind, count) in counted(&part.findings) {
            let series = findings_series(&kind);
            self.touch(&series, touched);
            change(self.findings.entry(series).or_default(), count);
        }
        for (source, is_readable) in readable(&part.chains, &part.findings) {
            self.touch(&readable_series(source), touched);
            let counts = self.sources.entry(source.to_owned()).or_default();
            change(
                match is_readable {
                    true => &mut counts.read,
                    false => &mut counts.failed,
                },
                1,
            );
        }
    }

    fn touch(&self, series: &Series, touched: &mut Touched) {
        if !touched.0.contains_key(series) {
            touched.0.insert(series.clone(), self.value(series));
        }
    }

    fn value(&self, series: &Series) -> Option<f64> {
        if series.name == FINDINGS {
            let count = self.findings.get(series).copied();
            return count.filter(|count| *count > 0).map(f64::from);
        }
        let counts = self.sources.get(&series.source)?;
        match (counts.failed, counts.read) {
            (0, 0) => None,
            (0, _) => Some(1.0),
            _ => Some(0.0),
        }
    }

    /// What has become of what was touched.
    pub(super) fn change(&mut self, touched: Touched) -> Change {
        let mut change = Change {
            before: Samples::default(),
            now: Samples::default(),
        };
        for (series, before) in touched.0 {
            if let Some(now) = self.value(&series) {
                change.now.0.insert(series.clone(), now);
            } else if series.name == READABLE {
                self.sources.remove(&series.source);
            } else {
                self.findings.remove(&series);
            }
            change
                .before
                .0
                .extend(before.map(|before| (series, before)));
        }
        change
    }

    /// Everything that is shown.
    pub(super) fn samples(&self) -> Samples {
        let findings = self.findings.keys().cloned();
        let sources = self.sources.keys().map(|source| readable_series(source));
        let valued = findings.chain(sources).filter_map(|series| {
            let value = self.value(&series)?;
            Some((series, value))
        });
        Samples(valued.collect())
    }

    /// Adds how bad it is.
    pub(super) fn add_to(&self, standing: &mut Standing) {
        if self.criticals > 0 {
            standing.add_severity(Severity::Critical);
        }
        if self.warnings > 0 {
            standing.add_severity(Severity::Warning);
        }
        if self.blind > 0 {
            standing.add_blindness();
        }
    }
}

fn findings_series(kind: &FindingKind<'_>) -> Series {
    Series {
        name: FINDINGS,
        source: kind.source.to_owned(),
        labels: vec![
            ("code", kind.code.to_owned()),
            ("severity", kind.severity.to_owned()),
        ],
    }
}

fn readable_series(source: &str) -> Series {
    Series {
        name: READABLE,
        source: source.to_owned(),
        labels: Vec::new(),
    }
}
