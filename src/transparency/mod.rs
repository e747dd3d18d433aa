//! What browsers want of Certificate Transparency: which logs promised to publish a certificate.
//!
//! Facts are in [`cert`](crate::cert): [`Sct`](crate::cert::Sct), what a certificate embeds. A caller's
//! [`LogList`] says which logs there are, who operates them, and how they stand; a [`SctPolicy`] what browsers
//! want of them. Pure: nothing is fetched, and the instant is an argument.
//!
//! **An SCT's log id and dates are claims until its signature is verified**, which is not done here: a CA that
//! embeds what no log signed is not found out. What is found out is what happens to honest ones: a leaf with
//! too few SCTs, of too few operators, or of logs that were retired.
//!
//! # Do browsers take the SCTs of this leaf?
//! ```
//! use notafter::transparency::{Log, LogList, LogState, SctPolicy, SctStatus};
//! # use notafter::source::SourceContents;
//! # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
//! # let leaf = SourceContents::from_bytes("", pem).certificates[0].certificate.clone();
//! # let ids: Vec<_> = leaf.embedded_scts()?.scts.iter().map(|sct| sct.log_id).collect();
//! # let (nimbus, argon) = (ids[0], ids[1]);
//! let since = "2018-06-15T02:30:13Z".parse()?;
//! let list = LogList::builder()
//!     .with_log(Log::new(nimbus, "Cloudflare").with_state(LogState::Usable, since))
//!     .with_log(Log::new(argon, "Google").with_state(LogState::Usable, since))
//!     .build()?;
//! let verdict = SctPolicy::browsers().judge(&leaf, &[], &list, "2021-10-01T00:00:00Z".parse()?);
//! assert_eq!(verdict.status, SctStatus::Met);
//! assert_eq!((verdict.counted, verdict.needed), (2, 2));
//! assert_eq!(verdict.operators, ["Cloudflare", "Google"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counted;
mod error;
#[cfg(feature = "json")]
mod json;
mod list;
mod log;
mod not_counted;
mod policy;
mod verdict;

pub use error::{LogListError, LogListProblem};
pub use list::{LogList, LogListBuilder};
pub use log::{Log, LogKind, LogState, TemporalInterval};
pub use not_counted::{NotCounted, NotCountedReason};
pub use policy::{LifetimeEnd, SctLeaves, SctPolicy};
pub use verdict::{SctStatus, SctVerdict};
