//! One thing that is due: read it, judge it. An edge, for it reads files and calls connectors.
//! Nothing is locked here.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thiserror::Error;

use super::judge::TargetJudge;
use super::last_read::LastRead;
use super::state::{Outcome, Work};
use super::target::TargetKind;
use super::watched::{Connector, EndpointQuestion, Evaluation};
use crate::alert::{Condition, Matter};
use crate::endpoint::EndpointError;
use crate::event::{Event, EventCode, Severity};
use crate::policy::Band;
use crate::source::{FailureReason, Loader, SourceFailure};
use crate::time::Timestamp;

/// What reads and evaluates.
pub(super) struct Evaluator {
    pub(super) judge: TargetJudge,
    pub(super) loader: Loader,
    pub(super) connector: Option<Arc<dyn Connector>>,
}

impl Evaluator {
    pub(super) fn run(&self, work: &Work, now: Timestamp) -> Outcome {
        // Connectors and what implements `Watched` are the caller's code.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.evaluate(work, now)));
        outcome.unwrap_or_else(|_| Outcome {
            id: work.id,
            generation: work.generation,
            last_read: None,
            evaluation: Some(panicked(work, now)),
            panicked: true,
        })
    }

    fn evaluate(&self, work: &Work, now: Timestamp) -> Outcome {
        let last_read = work.poll.then(|| self.poll(work));
        let changed = last_read
            .as_ref()
            .is_some_and(|last_read| *last_read != *work.last_read);
        let evaluation = (work.evaluate || changed).then(|| {
            let current = last_read.as_ref().unwrap_or(&work.last_read);
            self.judge.evaluate(&work.name, &work.target, current, now)
        });
        Outcome {
            id: work.id,
            generation: work.generation,
            last_read,
            evaluation,
            panicked: false,
        }
    }

    /// Reads it once more.
    fn poll(&self, work: &Work) -> LastRead {
        match &work.target.kind {
            TargetKind::Path(path) => work.last_read.after_read(path, self.loader.load(path)),
            TargetKind::Endpoint(endpoint) => {
                let fetched = match &self.connector {
                    Some(connector) => connector
                        .answer(&EndpointQuestion {
                            endpoint,
                            names: &work.target.names,
                            starttls: work.target.starttls,
                        })
                        .map_err(|error| unanswered(endpoint, &*error)),
                    None => Err(unanswered(endpoint, &NoConnectorError)),
                };
                work.last_read.after_connection(endpoint, fetched)
            }
            _ => LastRead::clone(&work.last_read),
        }
    }
}

/// There is nothing to ask endpoints through.
#[derive(Debug, Error)]
#[error("the monitor has no connector: give it one with MonitorBuilder::with_connector")]
struct NoConnectorError;

/// An endpoint that was asked in vain.
fn unanswered(endpoint: &str, error: &(dyn Error + Send + Sync + 'static)) -> SourceFailure {
    match error.downcast_ref::<EndpointError>() {
        Some(error) => error.failure(endpoint),
        None => SourceFailure::whole(endpoint, FailureReason::Connection, error.to_string()),
    }
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

impl fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluator")
            .field("judge", &self.judge)
            .finish_non_exhaustive()
    }
}
