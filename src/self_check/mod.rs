//! One call at startup that says what was loaded, until when it works, which certificate ends it,
//! and what to do.

mod builder;
mod chain;
mod check;
mod clock_verdict;
mod compare;
#[cfg(feature = "details")]
mod detail_lint;
mod finding;
mod forecast;
mod key;
mod lint;
mod render;
mod report;
mod staple;

pub(crate) use builder::Input;
pub use builder::{Grouping, SelfCheckBuilder, SelfCheckError};
pub(crate) use check::Part;
pub use check::SelfCheck;
pub use finding::{Finding, FindingCode};
pub use forecast::{CorrelatedExpiry, ExpiringCertificate, FirstFailure};
pub use lint::LifetimeLimits;
pub use report::{ChainReport, FailedSelfCheck, Report, ReportedCertificate};
pub use staple::StapleReport;
