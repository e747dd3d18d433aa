//! Events as alerts of Alertmanager's API, version 2.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::error::PayloadError;
use super::timing::AlertTiming;
use crate::alert::{Matter, RepeatPolicy};
use crate::event::{Event, EventCode, Role, Runbook, Severity};
use crate::policy::Band;
use crate::text::{quoted, visible};
use crate::time::span::whole_seconds;

/// One body speaks of so many matters.
const MAX_MATTERS: usize = 500;

/// How much of a name that is refused its error repeats.
const SHOWN: usize = 64;

/// The labels that say which matter it is.
const OF_THE_MATTER: [&str; 5] = ["alertname", "role", "name", "sha256", "severity"];

/// Makes alerts of events, as JSON for `POST /api/v2/alerts`.
///
/// An alert's labels are its [`Matter`]'s: `alertname` (`notafter_` and the topic), `role`, `name`,
/// `sha256` where the matter has one, and those that the application gives. They stay as they are
/// when it gets worse, is said again, or recovers, so all of that is one alert with one
/// fingerprint. What changes is in the annotations: `summary`, `description`, `severity`, `code`,
/// `band`, `effective_not_after`, `affected`, `runbook_url`.
///
/// It fires until twice the interval at which its event is said again, and five minutes more: an
/// event that is lost on its way resolves nothing. What is not said again lasts for a day. An event that
/// says that the matter is ok, or milder than the least severity, resolves it. What is said once
/// and has no matter (an announcement, say) is an alert of its own, for a day.
///
/// Where many matters are told in one event, each has its alert: Alertmanager groups them, and
/// each recovers by itself.
///
/// # How do I see in Alertmanager what my service says?
/// ```
/// use notafter::alert::Matter;
/// use notafter::event::Role;
/// use notafter::payload::Alertmanager;
/// use notafter::{Band, Event, EventCode, Severity, Timestamp};
/// let alertmanager = Alertmanager::builder().with_label("service", "billing").build()?;
/// let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
/// let matter = Matter::new(EventCode::Expiring, Role::OwnServer).with_name("served".to_owned());
/// let event = Event::new(at, EventCode::Expired, Severity::Critical, Role::OwnServer, "renew it")
///     .with_matter(matter)
///     .with_bands(None, Band::Expired);
/// for body in alertmanager.bodies(&event) {
///     let alerts: serde_json::Value = serde_json::from_str(&body).unwrap();
///     assert_eq!(alerts[0]["labels"]["alertname"], "notafter_expiring");
///     assert_eq!(alerts[0]["annotations"]["summary"], "served: expired");
///     assert_eq!(alerts[0]["endsAt"], "2026-01-01T02:05:00Z"); // it is said again hourly
/// }
/// # Ok::<(), notafter::payload::PayloadError>(())
/// ```
///
/// Source: Alertmanager's `api/v2/openapi.yaml`, `postableAlerts`.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    labels: BTreeMap<String, String>,
    runbook: Runbook,
    repeat: RepeatPolicy,
    once_seconds: i64,
    least: Severity,
    severity_label: SeverityLabel,
}

/// Whether the severity is a label of alerts, for routes that look at labels alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SeverityLabel {
    /// No: a matter is one alert, whatever its severity, which is an annotation.
    #[default]
    Without,
    /// Yes: a matter is an alert of each severity, of which one fires at a time. One that gets
    /// worse is resolved as a warning and fires as critical, in the same body.
    With,
}

impl Alertmanager {
    /// What can be set; every part has a default.
    pub fn builder() -> AlertmanagerBuilder {
        AlertmanagerBuilder {
            labels: Vec::new(),
            made: Self {
                labels: BTreeMap::new(),
                runbook: Runbook::default(),
                repeat: RepeatPolicy::default(),
                once_seconds: 86_400,
                least: Severity::Warning,
                severity_label: SeverityLabel::default(),
            },
        }
    }

    /// The bodies to post, each a JSON array of alerts of at most 500 matters; none for what is
    /// milder than the least severity and resolves nothing.
    pub fn bodies<'e>(&'e self, event: &'e Event) -> impl Iterator<Item = String> + 'e {
        let telling = EventTelling::new(event, &self.runbook);
        let of_matters = telling.clone();
        let matters = event.matters.chunks(MAX_MATTERS);
        let bodies = matters.map(move |matters| self.of_matters(matters, &of_matters));
        let is_over = event.matters.is_empty() || event.band == Some(Band::Ok);
        let alone = is_over && event.severity >= self.least;
        bodies.chain(alone.then(|| self.said_once(&telling)))
    }

    fn of_matters(&self, matters: &[Matter], telling: &EventTelling<'_>) -> String {
        let event = telling.event;
        let fires = event.band != Some(Band::Ok) && event.severity >= self.least;
        let timing = |fires| match fires {
            true => AlertTiming::firing(event, &self.repeat, self.once_seconds),
            false => AlertTiming::resolved(event),
        };
        let mut alerts = Vec::new();
        for matter in matters {
            let name = matter.name.as_deref();
            let labels = AlertLabels::new(self, matter.topic, matter.role, name)
                .with_sha256(matter.sha256.map(|digest| digest.to_string()));
            let alert = |labels, fires| AlertView {
                labels,
                annotations: telling.annotations(name),
                timing: timing(fires),
            };
            match self.severity_label {
                SeverityLabel::Without => alerts.push(alert(labels, fires)),
                SeverityLabel::With => {
                    let severities = Severity::ALL.into_iter();
                    alerts.extend(severities.filter(|severity| *severity >= self.least).map(
                        |severity| {
                            let labels = labels.clone().with_severity(severity);
                            alert(labels, fires && severity == event.severity)
                        },
                    ));
                }
            }
        }
        to_json(&alerts)
    }

    /// An event that no other will resolve.
    fn said_once(&self, telling: &EventTelling<'_>) -> String {
        let event = telling.event;
        let name = event.host.as_deref().or(event.source.as_deref());
        let subject = event.subject.as_ref();
        let mut labels = AlertLabels::new(self, event.code, event.role, name)
            .with_sha256(subject.map(|subject| subject.sha256.to_string()));
        if self.severity_label == SeverityLabel::With {
            labels = labels.with_severity(event.severity);
        }
        to_json(&[AlertView {
            labels,
            annotations: telling.annotations(name),
            timing: AlertTiming::firing(event, &RepeatPolicy::never(), self.once_seconds),
        }])
    }
}

/// Makes an [`Alertmanager`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AlertmanagerBuilder {
    labels: Vec<(String, String)>,
    made: Alertmanager,
}

impl AlertmanagerBuilder {
    /// A label that all alerts have: which service, which instance.
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Where `runbook_url` leads to.
    pub fn with_runbook(mut self, runbook: Runbook) -> Self {
        self.made.runbook = runbook;
        self
    }

    /// How often what lasts is said again: what the monitor, the verifiers and the reloaders were
    /// given, so that alerts last until then. Of several, the longest intervals.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.made.repeat = repeat;
        self
    }

    /// How long an alert lasts whose event is not said again; a day unless set.
    pub fn with_once_lasting(mut self, span: Duration) -> Self {
        self.made.once_seconds = whole_seconds(span);
        self
    }

    /// What is milder fires no alert, and resolves the one that fired; [`Severity::Warning`] unless
    /// set.
    pub const fn with_least_severity(mut self, severity: Severity) -> Self {
        self.made.least = severity;
        self
    }

    /// Whether the severity is a label too.
    pub const fn with_severity_label(mut self, severity_label: SeverityLabel) -> Self {
        self.made.severity_label = severity_label;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// [`PayloadError::LabelName`] and [`PayloadError::ReservedLabel`] for labels that cannot be.
    pub fn build(self) -> Result<Alertmanager, PayloadError> {
        let mut made = self.made;
        for (name, value) in self.labels {
            let mut letters = name.chars();
            let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            let begins = letters.next().is_some_and(is_letter);
            if !begins || !letters.all(|c| is_letter(c) || c.is_ascii_digit()) {
                let name = quoted(&name, SHOWN);
                return Err(PayloadError::LabelName { name });
            }
            if OF_THE_MATTER.contains(&name.as_str()) {
                return Err(PayloadError::ReservedLabel { name });
            }
            made.labels.insert(name, visible(&value));
        }
        Ok(made)
    }
}

/// One alert, as the API takes it.
#[derive(Serialize)]
struct AlertView<'e> {
    labels: AlertLabels<'e>,
    annotations: AlertAnnotations<'e>,
    #[serde(flatten)]
    timing: AlertTiming,
}

/// What an alert is told apart by.
#[derive(Clone, Serialize)]
struct AlertLabels<'e> {
    alertname: String,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(flatten)]
    given: &'e BTreeMap<String, String>,
}

impl<'e> AlertLabels<'e> {
    fn new(
        alertmanager: &'e Alertmanager,
        topic: EventCode,
        role: Role,
        name: Option<&str>,
    ) -> Self {
        Self {
            alertname: format!("notafter_{topic}"),
            role: role.as_str(),
            name: name.map(visible),
            sha256: None,
            severity: None,
            given: &alertmanager.labels,
        }
    }

    fn with_sha256(mut self, sha256: Option<String>) -> Self {
        self.sha256 = sha256;
        self
    }

    const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity.as_str());
        self
    }
}

/// What an alert says.
#[derive(Serialize)]
struct AlertAnnotations<'e> {
    summary: String,
    description: &'e str,
    severity: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_not_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    affected: Option<String>,
    runbook_url: &'e str,
}

/// An event, and what all of its alerts say.
#[derive(Clone)]
struct EventTelling<'e> {
    event: &'e Event,
    description: String,
    runbook_url: String,
}

impl<'e> EventTelling<'e> {
    fn new(event: &'e Event, runbook: &Runbook) -> Self {
        Self {
            event,
            description: visible(&event.message),
            runbook_url: runbook.url(event.code),
        }
    }

    fn annotations(&self, name: Option<&str>) -> AlertAnnotations<'_> {
        let event = self.event;
        AlertAnnotations {
            summary: match name {
                Some(name) => format!("{}: {}", visible(name), event.code),
                None => event.code.to_string(),
            },
            description: &self.description,
            severity: event.severity.as_str(),
            code: event.code.as_str(),
            band: event.band.map(Band::as_str),
            effective_not_after: event.effective_not_after.map(|end| end.to_string()),
            affected: (event.affected > 1).then(|| event.affected.to_string()),
            runbook_url: &self.runbook_url,
        }
    }
}

fn to_json(alerts: &[AlertView<'_>]) -> String {
    // Strings in a fixed shape: there is nothing here that could fail to serialize.
    serde_json::to_string(alerts).unwrap_or_default()
}
