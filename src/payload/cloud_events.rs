//! Events as CloudEvents.

use serde::Serialize;

use super::error::PayloadError;
use crate::cert::Sha256Digest;
use crate::event::{Event, EventView, Runbook};
use crate::text::{is_of_uri, quoted, visible, visible_json};

/// What the types begin with unless told otherwise: where this crate is documented.
const TYPE_PREFIX: &str = "rs.docs";

/// How much of what is refused its error repeats.
const SHOWN: usize = 64;

/// Makes CloudEvents 1.0 of events, in structured mode and JSON.
///
/// `type` is a prefix, `notafter` and the code (`rs.docs.notafter.expired`), `subject` is what it is
/// about, as the matter is called, and `data` is the event's own JSON. `id` is a digest over
/// everything that the event says: an event that is posted twice has one `id`, and any other has
/// another.
///
/// # How do I send events to a broker?
/// ```
/// use notafter::event::Role;
/// use notafter::payload::CloudEvents;
/// use notafter::{Event, EventCode, Severity, Timestamp};
/// let cloud_events = CloudEvents::new("/services/billing")?.with_type_prefix("com.example")?;
/// let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
/// let event = Event::new(at, EventCode::Expired, Severity::Critical, Role::OwnServer, "renew it")
///     .with_source("served".to_owned());
/// let body: serde_json::Value = serde_json::from_str(&cloud_events.body(&event)).unwrap();
/// assert_eq!(body["type"], "com.example.notafter.expired");
/// assert_eq!(body["subject"], "served");
/// assert_eq!(body["data"]["severity"], "critical");
/// // POST it with the header Content-Type: CloudEvents::CONTENT_TYPE.
/// # Ok::<(), notafter::payload::PayloadError>(())
/// ```
///
/// Source: CloudEvents 1.0.2, and its JSON event format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudEvents {
    source: String,
    type_prefix: String,
    runbook: Runbook,
}

impl CloudEvents {
    /// The media type of what [`CloudEvents::body`] makes.
    pub const CONTENT_TYPE: &'static str = "application/cloudevents+json; charset=UTF-8";

    /// Events of this source: a URI reference (RFC 3986) that names the service and its instance,
    /// the same after a restart.
    ///
    /// # Errors
    /// [`PayloadError::EventSource`] where it is none.
    pub fn new(source: impl Into<String>) -> Result<Self, PayloadError> {
        let source = source.into();
        if source.is_empty() || !source.chars().all(is_of_uri) {
            let source_uri = quoted(&source, SHOWN);
            return Err(PayloadError::EventSource { source_uri });
        }
        Ok(Self {
            source,
            type_prefix: TYPE_PREFIX.to_owned(),
            runbook: Runbook::default(),
        })
    }

    /// Begins the types with one's own name, in reverse DNS order: `com.example`.
    ///
    /// # Errors
    /// [`PayloadError::TypePrefix`] where it is none.
    pub fn with_type_prefix(mut self, prefix: impl Into<String>) -> Result<Self, PayloadError> {
        let prefix = prefix.into();
        let is_part = |part: &str| {
            let of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !part.is_empty() && part.chars().all(of_name)
        };
        if !prefix.split('.').all(is_part) {
            let prefix = quoted(&prefix, SHOWN);
            return Err(PayloadError::TypePrefix { prefix });
        }
        self.type_prefix = prefix;
        Ok(self)
    }

    /// Links to another runbook.
    #[must_use]
    pub fn with_runbook(mut self, runbook: Runbook) -> Self {
        self.runbook = runbook;
        self
    }

    /// The body to post.
    pub fn body(&self, event: &Event) -> String {
        let view = CloudEventView {
            specversion: "1.0",
            id: id(event),
            source: &self.source,
            of_type: format!("{}.notafter.{}", self.type_prefix, event.code),
            subject: subject(event).map(visible),
            time: event.at.to_string(),
            datacontenttype: "application/json",
            data: EventView::of(event, &self.runbook),
        };
        // Strings and numbers in a fixed shape: there is nothing here that could fail to serialize.
        visible_json(&serde_json::to_string(&view).unwrap_or_default())
    }
}

#[derive(Serialize)]
struct CloudEventView<'e> {
    specversion: &'static str,
    id: String,
    source: &'e str,
    #[serde(rename = "type")]
    of_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: String,
    datacontenttype: &'static str,
    data: EventView<'e>,
}

/// What an event is about, in a few words; never empty.
fn subject(event: &Event) -> Option<&str> {
    let matter = match event.matters.as_slice() {
        [matter] => matter.name.as_deref(),
        _ => None,
    };
    let named = matter.or(event.host.as_deref());
    let named = named.or(event.source.as_deref());
    let certificate = event.subject.as_ref().map(|subject| subject.name.as_str());
    named.or(certificate).filter(|name| !name.is_empty())
}

/// A digest over all that the event says, and over whom it speaks for.
fn id(event: &Event) -> String {
    let mut said = event.to_json();
    for matter in &event.matters {
        let sha256 = matter.sha256.map(|digest| digest.to_string());
        // A name is quoted, so that no other matter reads the same.
        said.push_str(&format!(
            "\n{} {} {:?} {sha256:?}",
            matter.topic, matter.role, matter.name
        ));
    }
    Sha256Digest::of(said.as_bytes()).to_string()
}
