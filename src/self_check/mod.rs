//! One call at startup that says what was loaded, until when it works, which certificate ends it,
//! and what to do.
//!
//! [`SelfCheck`] reads files and the clock; what it makes of them is a pure function of what was
//! read and the instant, and comes as a [`Report`], which is data first and text, JSON, nagios,
//! OpenMetrics or a picture at need.
//!
//! # What would break if this folder were served?
//! ```
//! use notafter::SelfCheck;
//! # use notafter::testing::TestCa;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let [from, to] = ["2025-01-01T00:00:00Z", "2125-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
//! # let ca = TestCa::root("Root", from, to)?;
//! # let anchors = ca.anchors();
//! let folder = "/etc/service/tls";
//! # let served = tempfile::tempdir()?;
//! # std::fs::write(served.path().join("tls.crt"), ca.leaf(&["a.example"], from, to)?.chain_pem())?;
//! # let folder = served.path();
//! let check = SelfCheck::builder()
//!     .with_path(folder)
//!     .with_trust_anchors(anchors)
//! #   .with_provider(rustls::crypto::ring::default_provider().into())
//!     .build()?;
//! println!("{}", check.run().to_text());
//! # check.run().into_result()?;
//! # Ok(())
//! # }
//! ```

mod anchor_list;
mod anchors;
mod builder;
mod chain;
mod chain_report;
mod check;
mod compare;
mod context;
mod dates;
#[cfg(feature = "details")]
mod detail_lint;
mod distrust;
mod expected_names;
mod finding;
mod forecast;
mod gauge;
mod gauge_table;
mod judge;
mod judge_maker;
mod key;
mod lifetime;
mod lint;
mod lists;
mod looks;
mod next_root_keys;
mod progress;
mod render;
mod report;
mod sct_settings;
mod scts;
mod series;
mod settings;
mod standing;
#[cfg(feature = "ocsp")]
mod staple;
mod unproven;

pub(crate) use anchor_list::AnchorListAge;
pub(crate) use anchors::no_anchors;
pub(crate) use context::JudgedBy;
pub(crate) use expected_names::unusable_names;
#[cfg(feature = "ocsp")]
pub(crate) use judge::GivenStaple;
pub(crate) use judge::{Expected, Input, SourceJudge};
pub(crate) use judge_maker::JudgeMaker;
#[cfg(feature = "reload")]
pub(crate) use lists::list_band;
pub(crate) use lists::list_gauges;
pub(crate) use settings::JudgeSettings;
#[cfg(feature = "metrics")]
pub(crate) use {
    gauge_table::GAUGES,
    series::{Samples, Series, ShownAt},
    standing::{FindingKind, Standing, counted, readable},
};

pub use builder::SelfCheckBuilder;
pub use chain_report::{ChainReport, ReportedCertificate, StapleReport, StapleVerdict};
pub use check::SelfCheck;
pub use finding::{Finding, FindingCode};
pub use forecast::{CorrelatedExpiry, ExpiringCertificate, FirstFailure};
pub use gauge::{Gauge, ReportedGauge};
pub use judge::Grouping;
pub use lifetime::LifetimeLimits;
pub use progress::Progress;
pub use render::Theme;
pub use report::{Report, SelfCheckFailedError};
pub use settings::SelfCheckError;
