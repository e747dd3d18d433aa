//! What anchors say of the keys that will follow theirs.

use super::finding::{Finding, FindingCode};
use crate::cert::{Certificate, NextRootKey};
use crate::event::Severity;
use crate::outlook::{Position, TrustAnchors};

/// What the anchors say of the keys that will follow theirs (RFC 8649).
pub(super) fn next_root_keys(anchors: &TrustAnchors) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named: Vec<NamedNext<'_>> = Vec::new();
    for root in anchors.certificates().filter(|root| root.is_self_issued()) {
        let name = root.short_name();
        let next = match root.next_root_key() {
            Ok(Some(next)) => next,
            Ok(None) => continue,
            Err(reason) => {
                let message = format!("the trust anchor '{name}': {reason}");
                findings.push(of_root(
                    Severity::Info,
                    FindingCode::NextRootKey,
                    root,
                    message,
                ));
                continue;
            }
        };
        let spki = root.facts().spki_der();
        if let Some(other) = named.iter().find(|other| other.spki == spki) {
            if other.next != next {
                let message = format!(
                    "certificates of the trust anchor '{name}' name different next keys, {} and {next}: ask whoever runs that root which is right, and remove the other certificate",
                    other.next
                );
                let code = FindingCode::NextRootKeyConflict;
                findings.push(of_root(Severity::Warning, code, root, message));
            }
            continue;
        }
        let mut all = anchors.certificates();
        if !all.any(|anchor| next.matches(anchor.facts().spki_der())) {
            let message = format!(
                "the trust anchor '{name}' names its next key, {next}, which no trust anchor has yet: put the next root beside it once it is published, and pin it where this one is pinned"
            );
            findings.push(of_root(
                Severity::Info,
                FindingCode::NextRootKey,
                root,
                message,
            ));
        }
        named.push(NamedNext { spki, next });
    }
    findings
}

/// What the key of an anchor was first seen to name.
struct NamedNext<'a> {
    spki: &'a [u8],
    next: NextRootKey,
}

fn of_root(severity: Severity, code: FindingCode, root: &Certificate, message: String) -> Finding {
    Finding::new(severity, code, message).with_certificate(Position::Anchor, root)
}
