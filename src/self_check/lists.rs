//! How revocation lists stand by their dates, and what metrics show of them.

use super::gauge::Gauge;
use crate::outlook::Position;
use crate::policy::{Band, ThresholdPolicy};
use crate::revocation::Crls;
use crate::time::{Timestamp, Validity};

/// The band of a list that is current from `not_before` (thisUpdate) to `not_after` (the second before
/// nextUpdate): lists are renewed as often as leaves, so their thresholds count.
pub(crate) fn list_band(policy: &ThresholdPolicy, validity: Validity, now: Timestamp) -> Band {
    match policy.band(validity, Position::Leaf, now) {
        // webpki does not look at thisUpdate.
        Band::NotYetValid => Band::Ok,
        band => band,
    }
}

/// What metrics show of lists: of several, the one to end first, the one to be due first, and so on.
/// Nothing where there are none.
pub(crate) fn list_gauges(crls: &Crls, policy: &ThresholdPolicy, now: Timestamp) -> Vec<Gauge> {
    let from = |band: Band, validity: Validity| {
        let before_end = policy.threshold_seconds(band, validity, Position::Leaf);
        let before_end = before_end.unwrap_or_default();
        validity.not_after.saturating_add(-before_end)
    };
    let earliest = |name, instants: &mut dyn Iterator<Item = Timestamp>| {
        let instant = instants.min()?;
        Some(Gauge::from_timestamp(name, instant))
    };
    let dates = || crls.validities();
    let instants = [
        earliest(
            "notafter_crl_this_update",
            &mut dates().map(|of| of.not_before),
        ),
        earliest("notafter_crl_next_update", &mut crls.next_updates()),
        earliest(
            "notafter_crl_due",
            &mut dates().map(|of| from(Band::Due, of)),
        ),
        earliest(
            "notafter_crl_warning",
            &mut dates().map(|of| from(Band::Warning, of)),
        ),
    ];
    let band = dates()
        .map(|validity| list_band(policy, validity, now))
        .max();
    let band = band.map(|band| Gauge::new("notafter_crl_band", f64::from(band.as_number())));
    instants.into_iter().flatten().chain(band).collect()
}
