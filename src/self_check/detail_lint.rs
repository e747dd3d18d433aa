//! What is wrong with certificates that only a full parse of them shows.

use super::context::ChainContext;
use super::finding::{Finding, FindingCode};
use crate::cert::{Certificate, KeyType};
use crate::event::Severity;
use crate::outlook::{Position, Usage};

/// Looks the certificates of a chain over, leaf first.
pub(super) fn lint(context: &ChainContext<'_>, chain: &[Certificate]) -> Vec<Finding> {
    let mut findings = strength(context, chain);
    findings.extend(nameless(context, chain));
    findings
}

/// Where the leaf's issuer can be fetched, if the leaf says so.
pub(super) fn issuer_url(leaf: &Certificate) -> Option<String> {
    leaf.details().ok()?.issuer_urls.into_iter().next()
}

/// Keys and signatures that clients refuse, or soon will.
fn strength(context: &ChainContext<'_>, chain: &[Certificate]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (n, certificate) in chain.iter().enumerate() {
        let Ok(details) = certificate.details() else {
            continue;
        };
        let mut warn = |code, message: String| {
            let finding = context.finding(Severity::Warning, code, message);
            findings.push(finding.with_certificate(Position::in_chain(n), certificate));
        };
        let is_rsa = matches!(details.key_type, KeyType::Rsa | KeyType::RsaPss { .. });
        if is_rsa && (1..2048).contains(&details.key_bits) {
            let message = format!(
                "its RSA key has {} bits, less than 2048: order a certificate with a new key",
                details.key_bits
            );
            warn(FindingCode::WeakKey, message);
        }
        if details.key_type == KeyType::EcExplicit {
            let message = "its EC key states the parameters of its curve instead of the curve's name, which RFC 5480 forbids \
                           and rustls refuses: order a certificate with a key on P-256 or P-384 by name";
            warn(FindingCode::WeakKey, message.to_owned());
        }
        // Nobody checks the signature of a root.
        if details.is_signature_forgeable && !certificate.is_self_issued() {
            let message = format!(
                "its signature is {}, which can be forged and which rustls refuses: order a new certificate",
                details.signature_algorithm
            );
            warn(FindingCode::WeakSignature, message);
        }
    }
    findings
}

/// A leaf without any name that clients look for.
fn nameless(context: &ChainContext<'_>, chain: &[Certificate]) -> Option<Finding> {
    let leaf = chain.first()?;
    let names = leaf.details().ok()?.subject_alt_names;
    let is_named = names.dns.iter().any(|name| !name.is_empty()) || !names.ip.is_empty();
    if context.usage != Usage::ServerAuth || is_named {
        return None;
    }
    let message = "it has no DNS name and no IP address in its subjectAltName, so no client accepts it for any name: \
                   order a certificate with the names that it is for";
    let finding = context.finding(Severity::Warning, FindingCode::NoSubjectAltName, message);
    Some(finding.with_certificate(Position::Leaf, leaf))
}
