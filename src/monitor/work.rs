//! One thing that is due: read it, judge it. An edge, for it reads files and calls connectors.
//! Nothing is locked here.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pki_types::CertificateDer;

use super::cores::Cores;
use super::fresh::{MetadataTrust, NextLook, PathReader};
use super::judge::{IsKnown, judge_names};
use super::known::KnownInOrder;
use super::last_read::LastRead;
use super::outcome::{Outcome, ReadOutcome, Work};
use super::parts::{DueParts, Part};
use super::settling::Settling;
use super::target::TargetKind;
use super::target_judges::TargetJudges;
use super::watched::{Connector, EndpointQuestion, Evaluation};
use crate::alert::{Condition, Matter};
use crate::endpoint::EndpointError;
use crate::event::{Event, EventCode, Severity};
use crate::policy::Band;
use crate::source::{FailureReason, Loader, SourceFailure};
use crate::time::Timestamp;

/// Beyond a connector's own deadline, so that it can say itself what it waited for.
const GRACE: Duration = Duration::from_secs(5);

/// What reads and evaluates.
pub(super) struct Evaluator {
    pub(super) judges: TargetJudges,
    pub(super) loader: Loader,
    pub(super) settle_seconds: i64,
    pub(super) connector: Arc<dyn Connector>,
    /// For connectors that have no deadline of their own.
    pub(super) endpoint_deadline: Duration,
    pub(super) cores: Cores,
}

/// What a connector brought.
pub(super) type Fetched = Result<Vec<CertificateDer<'static>>, SourceFailure>;

/// What a look at a target brought.
struct Polled {
    read: ReadOutcome,
    removed: Vec<Arc<str>>,
}

impl Evaluator {
    pub(super) fn run(&self, work: &Work, is_known: IsKnown<'_>, now: Timestamp) -> Outcome {
        // Connectors and what implements `Watched` are the caller's code.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let polled = work.is_polled.then(|| self.poll(work, now));
            self.evaluate(work, polled, is_known, now)
        }));
        outcome.unwrap_or_else(|_| panicked(work, now))
    }

    /// What came of an endpoint that has not answered.
    pub(super) fn unanswered(&self, work: &Work, now: Timestamp) -> Outcome {
        let deadline = self.patience().as_secs_f64();
        let detail = format!("it has not answered within {deadline} s");
        let (name, reason) = (work.target.endpoint(), FailureReason::Connection);
        let fetched = Err(SourceFailure::whole(
            name.unwrap_or(&work.name),
            reason,
            detail,
        ));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.evaluate(work, Some(asked(work, fetched)), &|_| true, now)
        }));
        outcome.unwrap_or_else(|_| panicked(work, now))
    }

    /// How long a connector may take.
    pub(super) fn patience(&self) -> Duration {
        let own = self.connector.deadline();
        own.map_or(self.endpoint_deadline, |own| own.saturating_add(GRACE))
    }

    /// Several at once, in their order; but the caller's own code on this thread.
    pub(super) fn run_all(
        &self,
        due: &[Work],
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> Vec<Outcome> {
        let is_own = |work: &&Work| !matches!(work.target.kind, TargetKind::Watched(_));
        let spread: Vec<&Work> = due.iter().filter(is_own).collect();
        let mut spread = self
            .cores
            .map(&spread, |work| self.run(work, is_known, now))
            .into_iter();
        let one = |work: &Work| match is_own(&work) {
            true => spread.next(),
            false => Some(self.run(work, is_known, now)),
        };
        due.iter().filter_map(one).collect()
    }

    fn evaluate(
        &self,
        work: &Work,
        polled: Option<Polled>,
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> Outcome {
        let (read, removed) = match polled {
            Some(polled) => (Some(polled.read), polled.removed),
            None => (None, Vec::new()),
        };
        let current = read
            .as_ref()
            .map_or(&work.last_read, |read| &read.last_read);
        let (mut evaluations, gone) = match work.target.is_polled() {
            true => self.judge_read(work, current, is_known, now),
            false => self.judge_whole(work, is_known, now),
        };
        if work.due.contains(&Part::ExpectedNames) {
            let names = judge_names(&work.target);
            evaluations.extend(names.map(|evaluation| (Part::ExpectedNames, evaluation)));
        }
        Outcome {
            id: work.id,
            generation: work.generation,
            was_polled: work.is_polled,
            read,
            judged: work.due.clone(),
            evaluations,
            gone,
            removed,
            panicked: false,
        }
    }

    /// Judges what is not read, where it is due; and says what is judged no more.
    fn judge_whole(
        &self,
        work: &Work,
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> (Vec<(Part, Evaluation)>, Vec<Part>) {
        if !work.due.contains(&Part::Whole) {
            return (Vec::new(), Vec::new());
        }
        let judge = self.judges.current();
        let evaluation = judge.whole(&work.name, &work.target, is_known, now);
        // It did not panic.
        (vec![(Part::Whole, evaluation)], vec![Part::Panic])
    }

    /// Judges what is due, and what is not as it was; and says what is judged no more.
    fn judge_read(
        &self,
        work: &Work,
        current: &Arc<LastRead>,
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> (Vec<(Part, Evaluation)>, Vec<Part>) {
        let is_same = Arc::ptr_eq(current, &work.last_read);
        if is_same && work.due.is_none() {
            return (Vec::new(), Vec::new());
        }
        let mut before = KnownInOrder::new(&work.last_read.sources);
        let mut due = Vec::new();
        for read in &current.sources {
            let known = before.find(&read.key);
            let has_changed = !known.is_some_and(|known| Arc::ptr_eq(known, read));
            let part = Part::Source(Arc::clone(&read.key));
            if has_changed || work.due.contains(&part) {
                due.push((part, read));
            }
        }
        let gone = before
            .rest()
            .map(|read| Part::Source(Arc::clone(&read.key)));
        let mut gone: Vec<_> = gone.collect();
        let judge = self.judges.current();
        let judged = self.cores.map(&due, |(_, read)| {
            judge.source(&work.name, &work.target, read, is_known, now)
        });
        let parts = due.into_iter().map(|(part, _)| part);
        let mut evaluations: Vec<_> = parts.zip(judged).collect();
        let have_changed = !is_same && !current.fails_as(&work.last_read);
        if current.failures.is_empty() {
            gone.push(Part::Failures);
        } else if have_changed || work.due.contains(&Part::Failures) {
            let evaluation = judge.failures(&work.name, &work.target, current, now);
            evaluations.push((Part::Failures, evaluation));
        }
        // It did not panic.
        gone.push(Part::Panic);
        (evaluations, gone)
    }

    /// Looks at it once more.
    fn poll(&self, work: &Work, now: Timestamp) -> Polled {
        match &work.target.kind {
            TargetKind::Path(path) => self.read(path, work, now),
            TargetKind::Endpoint(endpoint) => {
                let answered = self.connector.answer(&EndpointQuestion {
                    endpoint,
                    names: &work.target.names,
                    starttls: work.target.starttls,
                });
                asked(work, answered.map_err(|error| in_vain(endpoint, &*error)))
            }
            _ => Polled {
                read: as_before(work),
                removed: Vec::new(),
            },
        }
    }

    fn read(&self, path: &Path, work: &Work, now: Timestamp) -> Polled {
        let reader = PathReader {
            path,
            loader: &self.loader,
            cores: &self.cores,
        };
        let trust = match work.due {
            DueParts::All => MetadataTrust::Nothing,
            DueParts::Some(_) => MetadataTrust::Metadata,
        };
        let look = NextLook {
            now,
            number: work.looks,
            trust,
        };
        let known = &work.last_read;
        let fresh = reader.read(&known.files, look);
        if fresh.is_same && known.is_settled() {
            return Polled {
                read: as_before(work),
                removed: Vec::new(),
            };
        }
        let settling = Settling {
            now,
            looked_before: work.looked_before,
            seconds: self.settle_seconds,
        };
        let next = known.after_read(path, fresh, &settling);
        Polled {
            read: ReadOutcome {
                last_read: Arc::new(next.last_read),
                look_again: next.look_again,
            },
            removed: next.removed,
        }
    }
}

fn as_before(work: &Work) -> ReadOutcome {
    ReadOutcome {
        last_read: Arc::clone(&work.last_read),
        look_again: None,
    }
}

/// An endpoint that was asked in vain.
fn in_vain(endpoint: &str, error: &(dyn Error + Send + Sync + 'static)) -> SourceFailure {
    match error.downcast_ref::<EndpointError>() {
        Some(error) => error.failure(endpoint),
        None => SourceFailure::whole(endpoint, FailureReason::Connection, error.to_string()),
    }
}

/// What is known of an endpoint after it was asked.
fn asked(work: &Work, fetched: Fetched) -> Polled {
    let last_read = match &work.target.kind {
        TargetKind::Endpoint(endpoint) => {
            let next = work.last_read.after_connection(endpoint, fetched);
            Arc::new(next)
        }
        _ => Arc::clone(&work.last_read),
    };
    Polled {
        read: ReadOutcome {
            last_read,
            look_again: None,
        },
        removed: Vec::new(),
    }
}

fn panicked(work: &Work, now: Timestamp) -> Outcome {
    let (name, role) = (work.name.to_string(), work.target.role);
    let message = format!(
        "{name} could not be evaluated, the code that does it panicked: what was known of it stays"
    );
    let code = EventCode::SourceFailed;
    let event = Event::new(now, code, Severity::Critical, role, message).with_source(name.clone());
    let matter = Matter::new(code, role).with_name(format!("{name} (panic)"));
    let condition = Condition::new(matter, Band::Broken, event);
    Outcome {
        id: work.id,
        generation: work.generation,
        was_polled: work.is_polled,
        read: None,
        judged: work.due.clone(),
        evaluations: vec![(Part::Panic, Evaluation::new(vec![condition], None))],
        gone: Vec::new(),
        removed: Vec::new(),
        panicked: true,
    }
}

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator")
            .field("judge", &self.judges)
            .finish_non_exhaustive()
    }
}
