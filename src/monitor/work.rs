//! One thing that is due: read it, judge it. Nothing is locked here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::held::Held;
use super::judge::Judges;
use super::target::{Kind, Target};
use super::{Connector, Evaluation};
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Severity};
use crate::policy::Band;
use crate::source::Loader;
use crate::time::Timestamp;

/// What evaluates, and how often.
pub(super) struct Worker {
    pub(super) judges: Judges,
    pub(super) loader: Loader,
    pub(super) connector: Option<Arc<dyn Connector>>,
    /// Seconds between evaluations of what does not change.
    pub(super) interval: i64,
    /// Seconds between looks at files.
    pub(super) poll_interval: i64,
    /// Seconds between connections to endpoints.
    pub(super) endpoint_interval: i64,
    pub(super) jitter_seed: u64,
}

/// One thing that is due.
pub(super) struct Work {
    pub(super) id: u64,
    pub(super) generation: u64,
    pub(super) name: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) held: Arc<Held>,
    pub(super) poll: bool,
    pub(super) evaluate: bool,
}

/// What came of it.
pub(super) struct Outcome {
    pub(super) id: u64,
    pub(super) generation: u64,
    /// What was read, where it was looked at.
    pub(super) held: Option<Held>,
    pub(super) evaluation: Option<Evaluation>,
    /// The evaluation speaks of itself alone; what is known of the thing stays.
    pub(super) panicked: bool,
}

impl Worker {
    pub(super) fn run(&self, work: &Work, now: Timestamp) -> Outcome {
        // Connectors and what implements `Watched` are the caller's code.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.evaluate(work, now)));
        let (held, evaluation, panicked) = match outcome {
            Ok((held, evaluation)) => (held, evaluation, false),
            Err(_) => (None, Some(panicked(work, now)), true),
        };
        Outcome {
            id: work.id,
            generation: work.generation,
            held,
            evaluation,
            panicked,
        }
    }

    fn evaluate(&self, work: &Work, now: Timestamp) -> (Option<Held>, Option<Evaluation>) {
        let connector = self.connector.as_deref();
        let poll = || work.held.poll(&work.target, &self.loader, connector);
        let held = work.poll.then(poll);
        let changed = held.as_ref().is_some_and(|held| *held != *work.held);
        let current = held.as_ref().unwrap_or(&work.held);
        let evaluate = || self.judges.evaluate(&work.name, &work.target, current, now);
        let evaluation = (work.evaluate || changed).then(evaluate);
        (held, evaluation)
    }

    /// When a target is looked at again.
    pub(super) fn next_poll(&self, target: &Target, id: u64, now: Timestamp) -> Option<Timestamp> {
        let interval = match target.kind {
            Kind::Path(_) => self.poll_interval,
            Kind::Endpoint(_) => self.endpoint_interval,
            _ => return None,
        };
        Some(now.saturating_add(self.jittered(interval, id, now)))
    }

    /// At most the interval, at least nine tenths of it, so that a thousand processes started
    /// together do not do everything at the same second.
    pub(super) fn jittered(&self, interval: i64, id: u64, now: Timestamp) -> i64 {
        let tenth = u64::try_from(interval / 10).unwrap_or(0);
        let now = now.as_unix_seconds().unsigned_abs();
        let random = mix(self.jitter_seed ^ mix(id ^ mix(now)));
        let less = random % tenth.saturating_add(1);
        (interval - i64::try_from(less).unwrap_or(0)).max(1)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring numbers.
const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

fn panicked(work: &Work, now: Timestamp) -> Evaluation {
    let (name, role) = (work.name.to_string(), work.target.role);
    let message = format!(
        "{name} could not be evaluated, the code that does it panicked: what was known of it stays"
    );
    let code = EventCode::SourceFailed;
    let event = Event::new(now, code, Severity::Critical, role, message).with_source(name.clone());
    let matter = Matter::new(code, role).with_name(format!("{name} (panic)"));
    Evaluation::new(vec![Condition::new(matter, Band::Broken, event)], None)
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("judges", &self.judges)
            .finish_non_exhaustive()
    }
}
