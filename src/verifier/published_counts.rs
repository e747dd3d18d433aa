//! The counts of handshakes in the `metrics` facade.

#[cfg(feature = "metrics")]
pub(super) use facade::PublishedCounts;
#[cfg(not(feature = "metrics"))]
pub(super) use nowhere::PublishedCounts;

#[cfg(feature = "metrics")]
mod facade {
    use std::fmt;

    use metrics::{Counter, counter, describe_counter};

    use crate::event::Role;
    use crate::verifier::RefusalReason;

    const ACCEPTED: &str = "notafter_handshakes_accepted_total";
    const REFUSED: &str = "notafter_handshakes_refused_total";

    /// The counters of one role, each there from the start; none where nothing is published.
    #[derive(Default)]
    pub struct PublishedCounts {
        accepted: Option<Counter>,
        /// In the order of [`RefusalReason::ALL`].
        refused: Vec<Counter>,
    }

    impl PublishedCounts {
        /// Describes the counters, in the recorder that is installed now.
        pub fn of_role(role: Role) -> Self {
            describe_counter!(
                ACCEPTED,
                "Peers that were accepted and proved that they have their key, by role."
            );
            describe_counter!(REFUSED, "Peers that were refused, by role and reason.");
            let role = role.as_str();
            let refused = RefusalReason::ALL
                .iter()
                .map(|reason| counter!(REFUSED, "role" => role, "reason" => reason.as_str()));
            let (accepted, refused) = (
                counter!(ACCEPTED, "role" => role),
                refused.collect::<Vec<_>>(),
            );
            for counter in refused.iter().chain([&accepted]) {
                counter.absolute(0);
            }
            Self {
                accepted: Some(accepted),
                refused,
            }
        }

        pub fn count_accepted(&self) {
            if let Some(counter) = &self.accepted {
                counter.increment(1);
            }
        }

        pub fn count_refused(&self, reason: RefusalReason) {
            if let Some(counter) = self.refused.get(reason as usize) {
                counter.increment(1);
            }
        }
    }

    impl fmt::Debug for PublishedCounts {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let state = match self.accepted {
                Some(_) => "PublishedCounts(on)",
                None => "PublishedCounts(off)",
            };
            f.write_str(state)
        }
    }
}

#[cfg(not(feature = "metrics"))]
mod nowhere {
    use crate::verifier::RefusalReason;

    /// Without the facade nothing is published.
    #[derive(Debug, Default)]
    pub struct PublishedCounts;

    impl PublishedCounts {
        #[allow(clippy::unused_self)] // As with the facade.
        pub const fn count_accepted(&self) {}

        #[allow(clippy::unused_self)] // As with the facade.
        pub const fn count_refused(&self, _: RefusalReason) {}
    }
}
