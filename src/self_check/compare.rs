//! What others see differently from rustls.

use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use crate::event::Severity;
use crate::outlook::ChainOutlook;
use crate::time::Validity;

/// What those who count anchors' dates see differently.
pub(super) fn relying_parties(
    context: &ChainContext<'_>,
    outlook: &ChainOutlook,
) -> Option<Finding> {
    let strict = outlook.strict.as_ref()?;
    if let Some(refusal) = &strict.refusal {
        let until = match outlook.rustls.effective_not_after {
            Some(end) => format!(" until {end}"),
            None => String::new(),
        };
        let message = format!(
            "rustls accepts this chain{until}, but relying parties that look at the anchor's dates (OpenSSL, Go, Python) do not: {refusal}"
        );
        let finding = context.finding(Severity::Warning, FindingCode::StrictRefuses, message);
        return Some(finding.with_position(refusal.position()));
    }
    let (rustls_end, strict_end) = (
        outlook.rustls.effective_not_after?,
        strict.effective_not_after?,
    );
    if strict_end >= rustls_end {
        return None;
    }
    let message = format!(
        "it verifies for rustls until {rustls_end}, but only until {strict_end} for relying parties that look at the anchor's dates (OpenSSL, Go, Python): \
         have a chain to another anchor by then"
    );
    let limiting = strict.limiting.as_ref()?;
    let band = context.policy.band(
        limiting.certificate.validity(),
        limiting.position,
        context.at,
    );
    // For rustls itself nothing is wrong: at most a warning.
    let severity = Severity::of_band(band).min(Severity::Warning);
    let finding = context.finding(severity, FindingCode::StrictEndsEarlier, message);
    Some(finding.with_certificate(limiting.position, &limiting.certificate))
}

/// What OpenSSL, which settles on one path, sees differently from those who try others.
pub(super) fn openssl(
    context: &ChainContext<'_>,
    outlook: &ChainOutlook,
    windows: &[Validity],
) -> Option<Finding> {
    let strict_end = outlook.strict.as_ref()?.effective_not_after?;
    // In the second of notAfter itself that is nothing to tell.
    let strict_end = strict_end.saturating_add(-1);
    let lit = windows.iter().find(|window| window.contains(context.at));
    let (code, what) = match lit.map(|window| window.not_after) {
        Some(end) if end >= strict_end => return None,
        None if strict_end < context.at => return None,
        Some(end) => (
            FindingCode::OpensslEndsEarlier,
            format!("OpenSSL accepts this chain only until {end}"),
        ),
        None => (
            FindingCode::OpensslRefuses,
            "OpenSSL refuses this chain".to_owned(),
        ),
    };
    let message = format!(
        "{what}, for of several issuers it takes the first that fits and does not go back, and that path ends then or does not verify: \
         leave out, or put last, the certificates that are not on the path that lasts longest"
    );
    Some(context.finding(Severity::Info, code, message))
}
