//! One thing that is watched, and what is known of it.

use std::collections::HashSet;
use std::sync::Arc;

use super::last_read::LastRead;
use super::target::{Lane, Target};
use super::watched::Evaluation;
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Severity};
use crate::policy::Band;
#[cfg(feature = "metrics")]
use crate::policy::ThresholdPolicy;
use crate::self_check::{ChainReport, Finding, Gauge, ReportedGauge};
#[cfg(feature = "metrics")]
use crate::self_check::{Samples, ShownAt};
use crate::time::Timestamp;

/// One thing that is watched.
pub(super) struct WatchedItem {
    pub(super) name: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) last_read: Arc<LastRead>,
    /// What was begun before the latest change to the item does not count.
    pub(super) generation: u64,
    /// When it stands in the schedule.
    pub(super) due: Timestamp,
    pub(super) evaluated: Option<Timestamp>,
    pub(super) next_evaluation: Timestamp,
    /// When it was looked at last.
    pub(super) polled: Timestamp,
    pub(super) next_poll: Option<Timestamp>,
    pub(super) matters: Vec<Matter>,
    pub(super) chains: Vec<ChainReport>,
    pub(super) findings: Vec<Finding>,
    pub(super) gauges: Vec<Gauge>,
}

impl WatchedItem {
    pub(super) fn new(name: &Arc<str>) -> Self {
        Self {
            name: Arc::clone(name),
            target: Arc::new(Target::from_chain([])),
            last_read: Arc::default(),
            generation: 0,
            due: Timestamp::MIN,
            evaluated: None,
            next_evaluation: Timestamp::MIN,
            polled: Timestamp::MIN,
            next_poll: None,
            matters: Vec::new(),
            chains: Vec::new(),
            findings: Vec::new(),
            gauges: Vec::new(),
        }
    }

    /// What metrics show of it.
    #[cfg(feature = "metrics")]
    pub(super) fn samples(&self, policy: &ThresholdPolicy) -> Samples {
        let gauges = self.gauges.iter().map(|gauge| (&*self.name, gauge));
        let at = self.evaluated.unwrap_or(Timestamp::MIN);
        Samples::of(&self.chains, gauges, ShownAt { policy, at })
    }

    /// Its numbers, for the report.
    pub(super) fn reported_gauges(&self) -> impl Iterator<Item = ReportedGauge> {
        self.gauges.iter().map(|gauge| ReportedGauge {
            source: self.name.to_string(),
            gauge: gauge.clone(),
        })
    }

    /// Its place in the schedule.
    pub(super) fn slot(&self, id: u64) -> (Lane, Timestamp, u64) {
        (self.target.lane(), self.due, id)
    }

    pub(super) fn begin_anew(&mut self) {
        self.generation += 1;
        self.next_evaluation = Timestamp::MIN;
        self.due = Timestamp::MIN;
    }

    /// Takes an evaluation in, and says which matters are no longer there.
    pub(super) fn take(
        &mut self,
        evaluation: Evaluation,
        fresh: Vec<Matter>,
        panicked: bool,
        now: Timestamp,
    ) -> Vec<Matter> {
        self.evaluated = Some(now);
        self.next_evaluation = evaluation.next_change.unwrap_or(Timestamp::MAX);
        let known: HashSet<_> = fresh.iter().cloned().collect();
        let (staying, vanished): (Vec<_>, Vec<_>) = std::mem::take(&mut self.matters)
            .into_iter()
            .filter(|matter| !known.contains(matter))
            .partition(|_| panicked);
        self.matters = fresh;
        self.matters.extend(staying);
        if !panicked {
            self.chains = evaluation.chains;
            self.findings = evaluation.findings;
            self.gauges = evaluation.gauges;
        }
        vanished
    }
}

/// What was not ok is no longer there.
pub(super) fn vanishing(matter: &Matter, name: &str, now: Timestamp) -> Condition {
    let what = matter.name.as_deref().unwrap_or(name);
    let (code, message) = match matter.topic {
        EventCode::SourceFailed => (
            EventCode::SourceRecovered,
            format!("{what} can be read again"),
        ),
        EventCode::StapleNotGood => (
            EventCode::StapleRecovered,
            format!("{what} has no staple to judge any more"),
        ),
        _ => (
            EventCode::Recovered,
            format!("what was wrong in {what} is no longer there"),
        ),
    };
    let event =
        Event::new(now, code, Severity::Info, matter.role, message).with_source(name.to_owned());
    Condition::new(matter.clone(), Band::Ok, event)
}
