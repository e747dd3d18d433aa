//! What is said of an endpoint that shows a chain whose key it does not prove to hold.

use std::io;

use super::finding::{Finding, FindingCode};
use crate::cert::Certificate;
use crate::endpoint::{PresentedChain, UNPROVEN};
use crate::event::Severity;
use crate::outlook::Position;

/// Whatever its chain comes to, clients refuse it.
pub(super) fn finding(source: &str, presented: &PresentedChain, why: &io::Error) -> Finding {
    let message = format!(
        "it showed this leaf and did not prove that it holds its private key ({why}), so clients \
         refuse it, whatever is said of the chain: {UNPROVEN}"
    );
    let (severity, code) = (Severity::Critical, FindingCode::KeyUnproven);
    let finding = Finding::new(severity, code, message).with_source(source);
    let leaf = presented.chain.first();
    match leaf.map(Certificate::from_der) {
        Some(Ok(leaf)) => finding.with_certificate(Position::Leaf, &leaf),
        _ => finding,
    }
}
