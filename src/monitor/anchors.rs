//! What is said of the anchors that everything is judged by: that there are none, or that their list is
//! old.

use super::item::ItemNews;
#[cfg(feature = "metrics")]
use super::metrics::Change;
use crate::alert::{Condition, Matter, Transitions};
use crate::event::{Event, EventCode, Role, Severity};
use crate::outlook::TrustAnchors;
use crate::policy::{Band, ThresholdPolicy};
use crate::self_check::{AnchorListAge, Finding, ReportedGauge, no_anchors};
#[cfg(feature = "metrics")]
use crate::self_check::{Samples, ShownAt};
use crate::time::Timestamp;

/// What a monitor knows of its anchors, as long as something is judged by them.
#[derive(Default)]
pub(super) struct KnownAnchors {
    /// That there is nobody to trust.
    lacking: Option<Finding>,
    /// Of when their list is, where somebody said so.
    list_date: Option<Timestamp>,
    #[cfg(feature = "metrics")]
    shown: Option<ReportedGauge>,
}

impl KnownAnchors {
    /// These are in force now.
    pub(super) fn take(&mut self, anchors: &TrustAnchors) {
        self.lacking = no_anchors(anchors);
        self.list_date = anchors.list_date();
    }

    #[cfg(feature = "metrics")]
    pub(super) const fn are_lacking(&self) -> bool {
        self.lacking.is_some()
    }

    fn list(&self, policy: &ThresholdPolicy, now: Timestamp) -> Option<AnchorListAge> {
        self.list_date
            .map(|date| AnchorListAge::new(date, policy, now))
    }

    /// How the list stands.
    #[cfg(feature = "metrics")]
    pub(super) fn list_band(&self, policy: &ThresholdPolicy, now: Timestamp) -> Option<Band> {
        self.list(policy, now).map(|age| age.band)
    }

    pub(super) fn findings(
        &self,
        policy: &ThresholdPolicy,
        now: Timestamp,
    ) -> impl Iterator<Item = Finding> {
        let old = self.list(policy, now).and_then(|age| age.finding());
        self.lacking.clone().into_iter().chain(old)
    }

    pub(super) fn gauge(&self, policy: &ThresholdPolicy, now: Timestamp) -> Option<ReportedGauge> {
        self.list(policy, now).map(|age| age.reported())
    }

    /// What metrics show otherwise from now on.
    #[cfg(feature = "metrics")]
    pub(super) fn change(&mut self, policy: &ThresholdPolicy, at: Timestamp) -> Option<Change> {
        let now = self.gauge(policy, at);
        let samples = |shown: &Option<ReportedGauge>| {
            let gauges = shown.iter().map(|r| (r.source.as_str(), &r.gauge));
            Samples::of(&[], gauges, ShownAt { policy, at })
        };
        let change = Change {
            before: samples(&self.shown),
            now: samples(&now),
        };
        let is_new = self.shown != now;
        self.shown = now;
        is_new.then_some(change)
    }
}

/// Says how anchors stand, or that they do not matter: where `known` is `None`, nothing is judged by them.
pub(super) fn tell(
    known: Option<&KnownAnchors>,
    policy: &ThresholdPolicy,
    transitions: &Transitions,
    news: &mut ItemNews,
    now: Timestamp,
) {
    let lacking = known.and_then(|known| known.lacking.as_ref());
    let lacking = AnchorMatter {
        topic: EventCode::NoTrustAnchors,
        band: lacking.map_or(Band::Ok, |_| Band::Broken),
        message: match lacking {
            Some(finding) => finding.message.clone(),
            None => "there are trust anchors again, or nothing that is judged by them".to_owned(),
        },
    };
    let list = known.and_then(|known| known.list(policy, now));
    let list = AnchorMatter {
        topic: EventCode::AnchorListOld,
        band: list.map_or(Band::Ok, |age| age.band),
        message: match list {
            Some(age) => age.message(),
            None => "no old list of trust anchors is judged by any more".to_owned(),
        },
    };
    for matter in [lacking, list] {
        matter.tell(transitions, news, now);
    }
}

/// One thing that is told of anchors while it is so, and once when it is no longer.
struct AnchorMatter {
    topic: EventCode,
    band: Band,
    message: String,
}

impl AnchorMatter {
    fn tell(self, transitions: &Transitions, news: &mut ItemNews, now: Timestamp) {
        let matter = Matter::new(self.topic, Role::Anchor);
        let code = match self.band {
            Band::Ok if transitions.band(&matter).is_none() => return,
            Band::Ok => {
                news.gone.push(matter.clone());
                EventCode::Recovered
            }
            _ => self.topic,
        };
        let severity = Severity::of_band(self.band);
        let event = Event::new(now, code, severity, Role::Anchor, self.message);
        news.conditions
            .push(Condition::new(matter, self.band, event));
    }
}
