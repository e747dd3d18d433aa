//! Pins that a monitor watches: their sets' dates, how many of their keys are usable, and whether
//! announcements still come.

use std::sync::Arc;

use super::watched::{Evaluation, Watched};
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity};
use crate::pin::{PinSet, PinSetStanding, PinsInForce};
use crate::policy::Band;
use crate::self_check::{Finding, FindingCode, Gauge};
use crate::time::Timestamp;
use crate::time::span::readable;

/// Pins as something that can say how it stands.
pub(super) struct WatchedPins(pub(super) Arc<dyn PinsInForce>);

impl Watched for WatchedPins {
    fn evaluate(&self, now: Timestamp) -> Evaluation {
        let generation = self.0.generation();
        let mut evaluation = Evaluation::default();
        // A number of few digits, for people to see that it changed.
        #[allow(clippy::cast_precision_loss)]
        let epoch = Gauge::new("notafter_pin_epoch", generation.epoch as f64);
        evaluation.gauges.push(epoch);
        for set in generation.sets.iter() {
            let view = PinSetView::new(set);
            evaluation.conditions.extend(view.date(now));
            evaluation.conditions.push(view.keys(now));
            evaluation.gauges.extend(view.gauges(now));
            if let Some(change) = set.next_change(now) {
                evaluation.changes_at(change);
            }
        }
        if let Some(expires) = generation.announcement_expires {
            let announced = AnnouncedPins { expires };
            evaluation.conditions.push(announced.condition(now));
            evaluation.findings.extend(announced.finding(now));
            let gauge = Gauge::from_timestamp("notafter_announcement_expires", expires);
            evaluation.gauges.push(gauge);
            if now <= expires {
                evaluation.changes_at(expires.saturating_add(1));
            }
        }
        evaluation
    }
}

/// Whether announcements still come, where the pins come from one.
struct AnnouncedPins {
    expires: Timestamp,
}

impl AnnouncedPins {
    fn is_stale(&self, now: Timestamp) -> bool {
        now > self.expires
    }

    fn stale(&self) -> String {
        let expires = self.expires;
        format!(
            "the announcement in force could be applied until {expires}, and none has come since, \
             so withdrawals may be kept away: announce again, or look why announcements do not arrive"
        )
    }

    fn finding(&self, now: Timestamp) -> Option<Finding> {
        let code = FindingCode::AnnouncementStale;
        self.is_stale(now)
            .then(|| Finding::new(Severity::Warning, code, self.stale()))
    }

    fn condition(&self, now: Timestamp) -> Condition {
        let topic = EventCode::AnnouncementStale;
        let (band, code, message) = if self.is_stale(now) {
            (Band::Warning, topic, self.stale())
        } else {
            let message = format!(
                "the announcement in force can be applied until {}",
                self.expires
            );
            (Band::Ok, EventCode::Recovered, message)
        };
        let event = Event::new(
            now,
            code,
            Severity::of_band(band),
            Role::Announcement,
            message,
        );
        let event = event.with_time_left_seconds(self.expires.seconds_since(now));
        Condition::new(Matter::new(topic, Role::Announcement), band, event)
    }
}

/// A set, as people call it.
struct PinSetView<'s> {
    set: &'s PinSet,
    hosts: String,
}

impl<'s> PinSetView<'s> {
    fn new(set: &'s PinSet) -> Self {
        let mut hosts = set.scopes().iter().map(ToString::to_string);
        let first = hosts.next();
        let more = hosts.count();
        Self {
            set,
            hosts: match (first, more) {
                (None, _) => "every peer".to_owned(),
                (Some(first), 0) => first,
                (Some(first), more) => format!("{first} and {more} more"),
            },
        }
    }

    fn gauges(&self, now: Timestamp) -> Vec<Gauge> {
        let set = self.set;
        let count = |keys: usize| f64::from(u32::try_from(keys).unwrap_or(u32::MAX));
        let accepted = match set.standing(now) {
            PinSetStanding::Closed => 0,
            _ => set.accepted_keys(now),
        };
        let mut gauges = vec![
            Gauge::new("notafter_pins_usable", count(set.usable_keys())),
            Gauge::new("notafter_pins_accepted", count(accepted)),
            Gauge::new(
                "notafter_pin_set_band",
                f64::from(set.band(now).as_number()),
            ),
        ];
        if let Some((end, _)) = set.expiry() {
            gauges.push(Gauge::from_timestamp("notafter_pin_set_not_after", end));
        }
        let labelled = gauges.into_iter();
        labelled
            .map(|gauge| gauge.with_label("hosts", self.hosts.clone()))
            .collect()
    }

    fn date(&self, now: Timestamp) -> Option<Condition> {
        let (end, _) = self.set.expiry()?;
        let left = end.seconds_since(now);
        let hosts = &self.hosts;
        let band = self.set.band(now);
        let message = match self.set.standing(now) {
            PinSetStanding::InForce if band == Band::Ok => {
                format!("the pins of {hosts} last until {end}")
            }
            PinSetStanding::InForce => format!(
                "the pins of {hosts} end at {end}, in {}: release a new pin set before that",
                readable(left)
            ),
            PinSetStanding::InGrace { until } => format!(
                "the pins of {hosts} ended at {end}; every peer is refused after {until}: release a new pin set"
            ),
            PinSetStanding::Closed => format!(
                "the pins of {hosts} ended at {end}: every peer is refused until a new pin set is released"
            ),
            PinSetStanding::Open => format!(
                "the pins of {hosts} ended at {end}: nothing is pinned until a new pin set is released"
            ),
        };
        let code = match band {
            Band::Ok => EventCode::Recovered,
            Band::Expired => EventCode::PinSetExpired,
            _ => EventCode::Expiring,
        };
        let event = Event::new(now, code, Severity::of_band(band), Role::Pin, message);
        let matter = Matter::new(EventCode::Expiring, Role::Pin).with_name(hosts.clone());
        Some(Condition::new(
            matter,
            band,
            event.with_time_left_seconds(left),
        ))
    }

    fn keys(&self, now: Timestamp) -> Condition {
        let hosts = &self.hosts;
        let named = self.set.named_keys();
        let (band, message) = match (self.set.accepted(now).next(), self.set.usable_keys()) {
            (None, _) => (
                Band::Broken,
                format!(
                    "no pin of {hosts} is accepted now: every peer is refused; announce the key in use"
                ),
            ),
            (Some(_), 0 | 1) => (
                Band::Warning,
                format!(
                    "only one of the {named} keys pinned for {hosts} is usable: announce a backup before it is lost"
                ),
            ),
            (Some(_), usable) => (
                Band::Ok,
                format!("{usable} keys pinned for {hosts} are usable"),
            ),
        };
        let topic = EventCode::PinOnlyOneUsable;
        let code = match band {
            Band::Ok => EventCode::Recovered,
            _ => topic,
        };
        let event = Event::new(now, code, Severity::of_band(band), Role::Pin, message);
        let matter = Matter::new(topic, Role::Pin).with_name(hosts.clone());
        Condition::new(matter, band, event)
    }
}
