//! What comes of a look at a pair's files. Pure: the same state and bytes give the same step.

use super::contents::Digests;
use super::error::ReloadError;
use super::remarks::Remarks;
use crate::time::Timestamp;

/// What came of looking at a pair's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReloadStep {
    /// It is what is served.
    Unchanged,
    /// It is again what is served, after it was not.
    Restored,
    /// It is served from now on.
    Swapped { remarks: Remarks },
    /// It is not fit to be served, and may be half-written.
    Settling { error: ReloadError },
    /// It is not fit to be served.
    Refused {
        error: ReloadError,
        /// Whether this content was not refused before.
        fresh: bool,
        /// Whether this was not told before: then it does not wait until the last one is repeated.
        is_news: bool,
    },
}

impl ReloadStep {
    /// Why the content is not served.
    pub(super) const fn error(&self) -> Option<&ReloadError> {
        match self {
            Self::Settling { error } | Self::Refused { error, .. } => Some(error),
            Self::Unchanged | Self::Restored | Self::Swapped { .. } => None,
        }
    }
}

/// So many failures of one disagreement are told at once; a writer that finds ever new ones is told
/// of at the usual intervals from then on.
const MAX_TOLD: usize = 16;

/// Whether disk and serving agree, and since when they do not.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    pub(super) failing: Option<Failing>,
}

/// A disagreement that lasts.
#[derive(Debug)]
pub(super) struct Failing {
    /// Since when nothing on disk could be served.
    pub(super) since: Timestamp,
    pub(super) error: ReloadError,
    /// What is on disk, and since when.
    content: Digests,
    content_since: Timestamp,
    /// The content that was refused last, once it is taken for whole.
    refused: Option<Digests>,
    /// What was told at once.
    told: Vec<ToldFailure>,
}

#[derive(Debug)]
struct ToldFailure {
    error: ReloadError,
    content: Digests,
}

impl Agreement {
    /// Whether it has failed for longer than writing takes.
    pub(super) fn has_settled(&self, settle_seconds: i64, now: Timestamp) -> bool {
        let since = self.failing.as_ref().map_or(now, |failing| failing.since);
        // A clock that was set back must not make it settle for ever.
        !(0..settle_seconds).contains(&now.seconds_since(since))
    }

    /// The content is what is served.
    pub(super) fn unchanged(&mut self) -> ReloadStep {
        match self.failing.take() {
            Some(_) => ReloadStep::Restored,
            None => ReloadStep::Unchanged,
        }
    }

    /// The content is served from now on.
    pub(super) fn swapped(&mut self, remarks: Remarks) -> ReloadStep {
        self.failing = None;
        ReloadStep::Swapped { remarks }
    }

    /// The content is not fit to be served.
    pub(super) fn refused(
        &mut self,
        error: ReloadError,
        digests: Digests,
        settle_seconds: i64,
        now: Timestamp,
    ) -> ReloadStep {
        let may_be_torn = !self.has_settled(settle_seconds, now) && error.may_be_torn();
        let mut failing = match self.failing.take() {
            Some(before) => before.with(error.clone(), digests, now),
            None => Failing {
                since: now,
                error: error.clone(),
                content: digests,
                content_since: now,
                refused: None,
                told: Vec::new(),
            },
        };
        let step = if may_be_torn {
            ReloadStep::Settling { error }
        } else {
            let refused_before = failing.refused.replace(digests);
            ReloadStep::Refused {
                fresh: refused_before != Some(digests),
                is_news: failing.take_news(settle_seconds, now),
                error,
            }
        };
        self.failing = Some(failing);
        step
    }
}

impl Failing {
    /// The next look.
    fn with(self, error: ReloadError, content: Digests, now: Timestamp) -> Self {
        let content_since = match self.content == content {
            true => self.content_since,
            false => now,
        };
        Self {
            error,
            content,
            content_since,
            ..self
        }
    }

    /// Whether this failure was not told yet, which it counts as from then on.
    ///
    /// Another cause is told at once, unless files that are being written look like that; the same
    /// cause in other content, and what may be half-written, once the content holds still.
    fn take_news(&mut self, settle_seconds: i64, now: Timestamp) -> bool {
        let holds_still = !(0..settle_seconds).contains(&now.seconds_since(self.content_since));
        let of_cause = |told: &&ToldFailure| told.error.is_same_cause(&self.error);
        let mut same = self.told.iter().filter(of_cause).peekable();
        let is_first = self.told.is_empty();
        let is_new = match same.peek() {
            None => is_first || holds_still || !self.error.may_be_torn(),
            Some(_) => holds_still && same.all(|told| told.content != self.content),
        };
        if !is_new || self.told.len() >= MAX_TOLD {
            return false;
        }
        self.told.push(ToldFailure {
            error: self.error.clone(),
            content: self.content,
        });
        true
    }
}
