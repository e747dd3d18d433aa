//! Events in the forms that others take: Alertmanager, chats, CloudEvents.
//!
//! Everything here makes text of an [`Event`](crate::Event); posting it is the application's. What
//! peers and files are called is escaped for where it goes. It knows events and how often they are
//! said again, and nothing of networks.
//!
//! # How do I post what my service says?
//! ```
//! use notafter::observer::FilteredObserver;
//! use notafter::payload::{Alertmanager, Chat, CloudEvents};
//! use notafter::{Event, Severity};
//! # fn post(_: &str, _: &str, _: &str) {}
//! let alertmanager = Alertmanager::builder().with_label("service", "billing").build()?;
//! let (slack, cloud_events) = (Chat::slack(), CloudEvents::new("/services/billing")?);
//! let observer = move |event: &Event| {
//!     for alerts in alertmanager.bodies(event) {
//!         post("http://alertmanager:9093/api/v2/alerts", "application/json", &alerts);
//!     }
//!     let message = serde_json::json!({ "text": slack.text(event) }).to_string();
//!     post("https://hooks.slack.com/services/...", "application/json", &message);
//!     let event = cloud_events.body(event);
//!     post("https://broker.example/", CloudEvents::CONTENT_TYPE, &event);
//! };
//! # let _ = observer;
//! # Ok::<(), notafter::payload::PayloadError>(())
//! ```
//! An observer has a queue and a thread of its own, so it may wait for the network.

mod alertmanager;
mod chat;
mod cloud_events;
mod error;
mod timing;

pub use alertmanager::{Alertmanager, AlertmanagerBuilder, SeverityLabel};
pub use chat::Chat;
pub use cloud_events::CloudEvents;
pub use error::PayloadError;
