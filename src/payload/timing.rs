//! From when and until when an alert counts.

use serde::Serialize;

use crate::alert::RepeatPolicy;
use crate::event::Event;
use crate::policy::Band;
use crate::time::Timestamp;
use crate::time::span::whole_seconds;

/// Added to an alert's time, for queues, ticks and clocks.
const SLACK_SECONDS: i64 = 300;

/// What recovers ended so long ago: an end that Alertmanager's clock has not reached yet would
/// count as no end, and the one of before would stay.
const ENDED_AGO_SECONDS: i64 = 60;

/// When an alert counts, as Alertmanager reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertTiming {
    starts_at: String,
    ends_at: String,
}

impl AlertTiming {
    fn between(from: Timestamp, to: Timestamp) -> Self {
        Self {
            starts_at: from.to_string(),
            ends_at: to.to_string(),
        }
    }

    /// It is over.
    pub(super) fn resolved(event: &Event) -> Self {
        let end = event.at.saturating_add(-ENDED_AGO_SECONDS);
        Self::between(end, end)
    }

    /// It is so until it is said again: twice as long, so that one post may be lost. What is not
    /// said again lasts for `once`, in seconds.
    pub(super) fn firing(event: &Event, repeat: &RepeatPolicy, once: i64) -> Self {
        let interval = repeat.interval(event.band.unwrap_or(Band::Ok));
        let lasts = match interval.map(whole_seconds) {
            Some(interval) => interval.saturating_mul(2).saturating_add(SLACK_SECONDS),
            None => once,
        };
        Self::between(event.at, event.at.saturating_add(lasts))
    }
}
