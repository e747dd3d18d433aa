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
    /// It is not fit to be served. `fresh` where this content was not refused before.
    Refused { error: ReloadError, fresh: bool },
}

/// Whether disk and serving agree, and since when they do not.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    pub(super) failing: Option<Failing>,
}

/// A disagreement that lasts.
#[derive(Debug, Clone)]
pub(super) struct Failing {
    /// Since when nothing on disk could be served.
    pub(super) since: Timestamp,
    pub(super) error: ReloadError,
    /// The content that was refused last, once it is taken for whole.
    refused: Option<Digests>,
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
        let before = self.failing.take();
        let since = before.as_ref().map_or(now, |before| before.since);
        let refused_before = before.and_then(|before| before.refused);
        let refused = match may_be_torn {
            true => refused_before,
            false => Some(digests),
        };
        self.failing = Some(Failing {
            since,
            error: error.clone(),
            refused,
        });
        match may_be_torn {
            true => ReloadStep::Settling { error },
            false => ReloadStep::Refused {
                error,
                fresh: refused_before != Some(digests),
            },
        }
    }
}
