//! What is said of something that waits too long to be evaluated.

use super::item::{ItemNews, WatchedItem};
#[cfg(feature = "metrics")]
use super::metrics::{Change, overdue_samples};
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Severity};
use crate::policy::Band;
#[cfg(feature = "metrics")]
use crate::self_check::Samples;
use crate::time::Timestamp;
use crate::time::span;

/// One thing that is, or was, due for too long.
pub(super) struct OverdueItem<'i> {
    item: &'i WatchedItem,
    now: Timestamp,
}

impl<'i> OverdueItem<'i> {
    pub(super) const fn new(item: &'i WatchedItem, now: Timestamp) -> Self {
        Self { item, now }
    }

    pub(super) fn matter(item: &WatchedItem) -> Matter {
        let topic = EventCode::EvaluationOverdue;
        Matter::new(topic, item.target.role).with_name(item.name.to_string())
    }

    /// Says for how many seconds it has waited.
    pub(super) fn tell_waiting(&self, seconds: i64, news: &mut ItemNews) {
        let message = format!("{}: {}", self.item.name, waiting(self.item, seconds));
        self.tell(Band::Warning, EventCode::EvaluationOverdue, message, news);
    }

    /// Says that it waits no more.
    pub(super) fn tell_evaluated(&self, news: &mut ItemNews) {
        let message = format!("{} is evaluated again", self.item.name);
        self.tell(Band::Ok, EventCode::Recovered, message, news);
        news.gone.push(Self::matter(self.item));
    }

    fn tell(&self, band: Band, code: EventCode, message: String, news: &mut ItemNews) {
        let item = self.item;
        let (severity, name) = (Severity::of_band(band), item.name.to_string());
        let event = Event::new(self.now, code, severity, item.target.role, message)
            .with_source(name)
            .with_host(item.target.endpoint().map(ToOwned::to_owned));
        let condition = Condition::new(Self::matter(item), band, event);
        news.conditions.push(condition);
        #[cfg(feature = "metrics")]
        news.changes.push(Change {
            before: Samples::default(),
            now: overdue_samples(&item.name, item.is_overdue),
        });
    }
}

/// What it waits for, as far as that is known.
pub(super) fn waiting(item: &WatchedItem, seconds: i64) -> String {
    let known = match item.evaluated {
        Some(evaluated) => format!("what is known of it is of {evaluated}"),
        None => "nothing is known of it".to_owned(),
    };
    format!(
        "it has been due for {} and was not evaluated, so {known}: look at what it is read from, and at what is asked before it",
        span::readable(seconds)
    )
}
