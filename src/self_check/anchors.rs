//! What is wrong with the anchors that everything is judged by.

use super::finding::{Finding, FindingCode};
use crate::event::Severity;
use crate::outlook::TrustAnchors;

/// Each that cannot be used.
pub(super) fn unusable_anchors(anchors: &TrustAnchors) -> impl Iterator<Item = Finding> {
    anchors.errors().iter().map(|error| {
        let code = FindingCode::UnusableAnchor;
        let finding = Finding::new(Severity::Warning, code, error.to_string());
        finding.with_source(&error.source_name)
    })
}

/// That there are none.
pub(crate) fn no_anchors(anchors: &TrustAnchors) -> Option<Finding> {
    if !anchors.is_empty() {
        return None;
    }
    let first = anchors.errors().first();
    let message = match first {
        Some(error) => format!("there is no trust anchor to judge by: {error}"),
        None => "there is no trust anchor to judge by: install the system's CA certificates, or name a file of your own".to_owned(),
    };
    let finding = Finding::new(Severity::Critical, FindingCode::NoTrustAnchors, message);
    // Whoever named a file is told of that file first.
    Some(match first {
        Some(error) => finding.with_source(&error.source_name),
        None => finding,
    })
}
