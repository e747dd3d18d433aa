//! Wrappers only refuse more: over all combinations of their options, an inner verifier's verdicts
//! and its features. The one exception here is a grace, for an expired leaf that is pinned.

mod forwarding;
mod options;
mod pin_only;
mod rustls_source;
mod scripted;
mod verdicts;
