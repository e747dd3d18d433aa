//! One thing that is due, and what came of it.

use std::sync::Arc;

use super::last_read::LastRead;
use super::parts::{DueParts, Part};
use super::target::Target;
use super::watched::Evaluation;
use crate::time::Timestamp;

/// One thing that is due.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) id: u64,
    pub(super) generation: u64,
    pub(super) name: Arc<str>,
    pub(super) target: Arc<Target>,
    pub(super) last_read: Arc<LastRead>,
    pub(super) is_polled: bool,
    /// When it was looked at before, and how often it was.
    pub(super) looked_before: Timestamp,
    pub(super) looks: usize,
    pub(super) due: DueParts,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) id: u64,
    pub(super) generation: u64,
    pub(super) was_polled: bool,
    /// What was read, where it was looked at.
    pub(super) read: Option<ReadOutcome>,
    /// What was to be judged.
    pub(super) judged: DueParts,
    pub(super) evaluations: Vec<(Part, Evaluation)>,
    /// Parts that are judged no more.
    pub(super) gone: Vec<Part>,
    /// Files that are no longer there.
    pub(super) removed: Vec<Arc<str>>,
    /// The evaluation speaks of itself alone; what is known of the thing stays.
    pub(super) panicked: bool,
}

/// What is known after it was looked at.
#[derive(Debug)]
pub(super) struct ReadOutcome {
    pub(super) last_read: Arc<LastRead>,
    /// When to look again, where that is sooner than usual.
    pub(super) look_again: Option<Timestamp>,
}
