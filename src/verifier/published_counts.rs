//! The counts of handshakes in the `metrics` facade.

use metrics::{Counter, counter, describe_counter};

use super::refusal_reason::RefusalReason;
use crate::event::Role;

const ACCEPTED: &str = "notafter_handshakes_accepted_total";
const REFUSED: &str = "notafter_handshakes_refused_total";

/// The counters of one role, each there from the start.
#[derive(Debug)]
pub(super) struct PublishedCounts {
    accepted: Counter,
    /// In the order of [`RefusalReason::ALL`].
    refused: Vec<Counter>,
}

impl PublishedCounts {
    /// Describes the counters, in the recorder that is installed now.
    pub(super) fn new(role: Role) -> Self {
        describe_counter!(
            ACCEPTED,
            "Peers that were accepted and proved that they have their key, by role."
        );
        describe_counter!(REFUSED, "Peers that were refused, by role and reason.");
        let role = role.as_str();
        let of_reason = |reason: &RefusalReason| {
            let counter = counter!(REFUSED, "role" => role, "reason" => reason.as_str());
            counter.absolute(0);
            counter
        };
        let accepted = counter!(ACCEPTED, "role" => role);
        accepted.absolute(0);
        Self {
            accepted,
            refused: RefusalReason::ALL.iter().map(of_reason).collect(),
        }
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.increment(1);
    }

    pub(super) fn count_refused(&self, reason: RefusalReason) {
        if let Some(counter) = self.refused.get(reason as usize) {
            counter.increment(1);
        }
    }
}
