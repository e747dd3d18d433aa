//! How old the list is that anchors come from.

use super::finding::{Finding, FindingCode};
use super::gauge::{Gauge, ReportedGauge};
use crate::event::Severity;
use crate::outlook::TrustAnchors;
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;
use crate::time::span::readable;

/// The list that anchors come from, as old as it is at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnchorListAge {
    date: Timestamp,
    now: Timestamp,
    pub(crate) band: Band,
}

impl AnchorListAge {
    pub(crate) const fn new(date: Timestamp, policy: &ThresholdPolicy, now: Timestamp) -> Self {
        let band = policy.anchor_list_band(date, now);
        Self { date, now, band }
    }

    /// `None` where nobody said of when the list is.
    pub(super) fn of(
        anchors: &TrustAnchors,
        policy: &ThresholdPolicy,
        now: Timestamp,
    ) -> Option<Self> {
        anchors.list_date().map(|date| Self::new(date, policy, now))
    }

    pub(crate) fn message(&self) -> String {
        let (date, age) = (self.date, readable(self.now.seconds_since(self.date)));
        match self.band {
            Band::Ok => format!("the list of trust anchors is of {date}"),
            _ => format!(
                "the list of trust anchors is of {date}, {age} old: it lacks roots that were added since, and has some that \
                 were distrusted; take a newer release of what it comes from"
            ),
        }
    }

    pub(crate) fn finding(&self) -> Option<Finding> {
        let (severity, code) = (Severity::of_band(self.band), FindingCode::AnchorListOld);
        (self.band != Band::Ok).then(|| Finding::new(severity, code, self.message()))
    }

    pub(crate) fn reported(&self) -> ReportedGauge {
        ReportedGauge {
            source: "anchors".to_owned(),
            gauge: Gauge::from_timestamp("notafter_anchor_list_date", self.date),
        }
    }
}
