//! What comes of a look at the places. Pure: the same state and contents give the same step.

use super::error::TrustReloadError;
use crate::cert::Sha256Digest;
use crate::time::Timestamp;

/// What came of looking at contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrustStep {
    /// It is what is in force.
    Unchanged,
    /// It is again what is in force, after it was not.
    Restored,
    /// It is in force from now on, though there may be something to warn of.
    Swapped { warning: Option<TrustReloadError> },
    /// It cannot be in force, and may be half-written.
    Settling(TrustReloadError),
    /// It cannot be in force; `fresh` where it was not refused for this before.
    Refused {
        error: TrustReloadError,
        fresh: bool,
    },
}

/// Whether the places and what is in force agree, and since when they do not.
#[derive(Debug)]
pub(super) struct TrustStanding<C> {
    /// What is in force was made of these.
    pub(super) loaded: Vec<C>,
    pub(super) loaded_at: Timestamp,
    pub(super) failing: Option<TrustFailing<C>>,
    refused_push: Option<RefusedPush>,
}

/// What was pushed last and refused.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RefusedPush {
    name: String,
    content: Sha256Digest,
    error: TrustReloadError,
}

/// A disagreement that lasts.
#[derive(Debug)]
pub(super) struct TrustFailing<C> {
    pub(super) since: Timestamp,
    pub(super) error: TrustReloadError,
    /// What was refused last for this, once it was taken for whole.
    refused: Option<Vec<C>>,
}

impl<C: PartialEq> TrustStanding<C> {
    /// What the places hold is in force.
    pub(super) const fn new(loaded: Vec<C>, now: Timestamp) -> Self {
        Self {
            loaded,
            loaded_at: now,
            failing: None,
            refused_push: None,
        }
    }

    /// The places hold what is in force.
    pub(super) fn agrees(&mut self) -> TrustStep {
        match self.failing.take() {
            Some(_) => TrustStep::Restored,
            None => TrustStep::Unchanged,
        }
    }

    /// They hold what is in force from now on.
    pub(super) fn swapped(
        &mut self,
        contents: Vec<C>,
        warning: Option<TrustReloadError>,
        now: Timestamp,
    ) -> TrustStep {
        self.loaded = contents;
        self.loaded_at = now;
        self.failing = None;
        self.refused_push = None;
        TrustStep::Swapped { warning }
    }

    /// They hold what cannot be in force.
    pub(super) fn refused(
        &mut self,
        contents: Vec<C>,
        error: TrustReloadError,
        settle_seconds: i64,
        now: Timestamp,
    ) -> TrustStep {
        let before = self.failing.take();
        let since = before.as_ref().map_or(now, |before| before.since);
        // A clock that was set back must not make it settle for ever.
        let settles = (0..settle_seconds).contains(&now.seconds_since(since));
        if settles && error.may_be_torn() {
            self.failing = Some(TrustFailing {
                since,
                error: error.clone(),
                refused: before.and_then(|before| before.refused),
            });
            return TrustStep::Settling(error);
        }
        let known = before.as_ref().is_some_and(|before| {
            before.refused.as_ref() == Some(&contents) && before.error == error
        });
        self.failing = Some(TrustFailing {
            since,
            error: error.clone(),
            refused: Some(contents),
        });
        TrustStep::Refused {
            error,
            fresh: !known,
        }
    }
    /// What was pushed under this name cannot be in force; what the places hold still is, or is not.
    pub(super) fn refused_push(
        &mut self,
        name: &str,
        bytes: &[u8],
        error: TrustReloadError,
    ) -> TrustStep {
        let refused = RefusedPush {
            name: name.to_owned(),
            content: Sha256Digest::of(bytes),
            error: error.clone(),
        };
        let fresh = self.refused_push.as_ref() != Some(&refused);
        self.refused_push = Some(refused);
        TrustStep::Refused { error, fresh }
    }
}
