//! What of a thing that is watched is judged by itself, and what came of that.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::sync::Arc;

use super::watched::Evaluation;
use crate::alert::{Condition, Matter, Transitions};
use crate::cert::Sha256Digest;
#[cfg(feature = "metrics")]
use crate::event::EventCode;
use crate::policy::Band;
#[cfg(feature = "metrics")]
use crate::policy::ThresholdPolicy;
use crate::self_check::{ChainReport, Finding, Gauge};
#[cfg(feature = "metrics")]
use crate::self_check::{Samples, ShownAt, Standing};
use crate::time::Timestamp;

/// What a source is told apart by: its path as the operating system knows it.
pub(super) type SourceKey = Arc<OsStr>;

/// Something that is judged by itself, and again when one of its own dates makes it stand
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// All of what is not read: a chain in memory, anchors, lists, whatever is `Watched`.
    Whole,
    /// The names that leaves must cover, as they were given.
    ExpectedNames,
    /// One file, or what an endpoint shows.
    Source(SourceKey),
    /// Everything that could not be read.
    Failures,
    /// That the code which evaluates it panicked.
    Panic,
}

/// What of a thing is to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DueParts {
    All,
    /// These, and what is found changed.
    Some(HashSet<Part>),
}

impl DueParts {
    pub(super) fn contains(&self, part: &Part) -> bool {
        match self {
            Self::All => true,
            Self::Some(parts) => parts.contains(part),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Some(parts) if parts.is_empty())
    }
}

/// How a part stood when it was judged last.
#[derive(Debug)]
#[cfg_attr(not(feature = "metrics"), allow(dead_code))] // What they alone show.
pub(super) struct JudgedPart {
    evaluated: Timestamp,
    /// When it may stand otherwise by its dates.
    pub(super) next_change: Timestamp,
    /// When it is judged again, as it stands in the item's agenda.
    pub(super) due: Timestamp,
    /// Those that are or were not ok.
    pub(super) matters: Vec<KnownMatter>,
    pub(super) chains: Vec<ChainReport>,
    pub(super) findings: Vec<Finding>,
    pub(super) gauges: Vec<Gauge>,
    #[cfg(feature = "metrics")]
    pub(super) standing: Standing,
}

/// A matter, and how it stood.
#[derive(Debug, Clone)]
pub(super) struct KnownMatter {
    pub(super) matter: Matter,
    pub(super) band: Band,
    pub(super) source: Option<String>,
    /// The certificate at fault.
    pub(super) subject: Option<Sha256Digest>,
}

impl KnownMatter {
    fn of(condition: &Condition) -> Self {
        let event = &condition.event;
        Self {
            matter: condition.matter.clone(),
            band: condition.band,
            source: event.source.clone(),
            subject: event.subject.as_ref().map(|subject| subject.sha256),
        }
    }
}

impl JudgedPart {
    /// What came of judging it now, but for its conditions, which are to be told; `name` is what the
    /// thing is watched under, and the source of findings that name none.
    pub(super) fn new(
        name: &str,
        evaluation: Evaluation,
        now: Timestamp,
    ) -> (Self, Vec<Condition>) {
        let Evaluation {
            conditions,
            next_change,
            chains,
            mut findings,
            gauges,
        } = evaluation;
        for finding in &mut findings {
            finding.source.get_or_insert_with(|| name.to_owned());
        }
        let judged = Self {
            #[cfg(feature = "metrics")]
            standing: standing(&conditions, &chains, &findings),
            evaluated: now,
            next_change: next_change.unwrap_or(Timestamp::MAX),
            due: Timestamp::MAX,
            matters: conditions.iter().map(KnownMatter::of).collect(),
            chains,
            findings,
            gauges,
        };
        (judged, conditions)
    }

    /// Those of the matters of before that are no longer there.
    pub(super) fn vanished_since(&self, before: Vec<KnownMatter>) -> Vec<KnownMatter> {
        let now: HashSet<_> = self.matters.iter().map(|known| &known.matter).collect();
        let mut vanished = before;
        vanished.retain(|known| !now.contains(&known.matter));
        vanished
    }

    /// Now that its conditions were told: forgets what was never anything but ok, and says when it
    /// is to be judged again.
    pub(super) fn told(&mut self, transitions: &Transitions, now: Timestamp) -> Timestamp {
        self.matters
            .retain(|known| known.band != Band::Ok || transitions.band(&known.matter).is_some());
        self.matters.shrink_to_fit();
        let matters = self.matters.iter();
        let repeats = matters.filter_map(|known| transitions.next_repeat(&known.matter, now));
        let next = repeats
            .min()
            .unwrap_or(Timestamp::MAX)
            .min(self.next_change);
        // Never at once again: a tick ends.
        self.due = next.max(now.saturating_add(1));
        self.due
    }

    /// What metrics show of it alone; `name` is what the thing is watched under.
    #[cfg(feature = "metrics")]
    pub(super) fn samples(&self, name: &str, policy: &ThresholdPolicy) -> Samples {
        let gauges = self.gauges.iter().map(|gauge| (name, gauge));
        let at = self.evaluated;
        Samples::of(&self.chains, gauges, ShownAt { policy, at })
    }
}

/// How bad it is: what the report says, and what is told.
#[cfg(feature = "metrics")]
fn standing(conditions: &[Condition], chains: &[ChainReport], findings: &[Finding]) -> Standing {
    let mut standing = Standing::default();
    // What cannot be read is a finding, too, and is not to be called worse here.
    let judged = conditions
        .iter()
        .filter(|condition| condition.matter.topic != EventCode::SourceFailed);
    // A warning is one, in whatever band.
    judged.for_each(|condition| standing.add_severity(condition.event.severity));
    chains
        .iter()
        .for_each(|chain| standing.add_band(chain.band));
    findings
        .iter()
        .for_each(|finding| standing.add_finding(finding));
    standing
}
