//! Whether a chain that is to be presented holds together by itself.

use super::error::{ReloadError, purpose};
use crate::cert::{
    Certificate, IssuerSignature, SignatureAlgorithms, algorithm, dotted, issuer_signature,
};
use crate::outlook::{Position, Usage};
use crate::time::Timestamp;

/// OpenSSL's clients follow no more (`X509_VERIFY_PARAM_set_depth`, 100 by default).
const MAX_CERTIFICATES: usize = 100;

/// rustls's clients hold 65,535 bytes of handshake messages with the headers of their records;
/// OpenSSL's take 100 kB (`SSL_CTX_set_max_cert_list`).
pub(super) const MAX_MESSAGE_BYTES: usize = 64_000;

/// The bytes of the handshake message with this chain.
pub(super) fn message_bytes(chain: &[Certificate]) -> usize {
    // RFC 8446, 4.4.2: an empty context, the list's length, and of each certificate its length and
    // that of its extensions.
    const OF_MESSAGE: usize = 4;
    const OF_CERTIFICATE: usize = 5;
    chain.iter().fold(OF_MESSAGE, |bytes, certificate| {
        let of_certificate = certificate.der().len().saturating_add(OF_CERTIFICATE);
        bytes.saturating_add(of_certificate)
    })
}

/// No more than common clients take.
pub(super) fn takeable(chain: &[Certificate], file: &str) -> Result<(), ReloadError> {
    let bytes = message_bytes(chain);
    if chain.len() <= MAX_CERTIFICATES && bytes <= MAX_MESSAGE_BYTES {
        return Ok(());
    }
    Err(ReloadError::ChainTooLarge {
        file: file.to_owned(),
        certificates: chain.len(),
        bytes,
        most_certificates: MAX_CERTIFICATES,
        most_bytes: MAX_MESSAGE_BYTES,
    })
}

/// The leaf first, and each further certificate an issuer (by name) of one before it: so that
/// cross-signed twins may follow each other.
pub(super) fn ordered(chain: &[Certificate], file: &str) -> Result<(), ReloadError> {
    for (index, certificate) in chain.iter().enumerate().skip(1) {
        let subject = certificate.facts().subject_der();
        let issued =
            (chain.iter().take(index)).any(|before| before.facts().issuer_der() == subject);
        if !issued {
            return Err(ReloadError::OutOfOrder {
                file: file.to_owned(),
                number: index + 1,
                name: certificate.short_name(),
            });
        }
    }
    Ok(())
}

/// Each certificate whose issuer, by name, is presented too was signed by one of that name; what
/// should be said of signatures that the provider cannot tell.
///
/// Of several with one name, re-keyed CAs for example, peers take the one that fits. A root's own
/// signature is nobody's business.
pub(super) fn signed(
    chain: &[Certificate],
    file: &str,
    algorithms: SignatureAlgorithms,
) -> Result<Vec<String>, ReloadError> {
    let mut remarks = Vec::new();
    for (index, certificate) in chain.iter().enumerate() {
        let issuer = certificate.facts().issuer_der();
        let named = |other: &&Certificate| other.facts().subject_der() == issuer;
        let mut others = chain
            .iter()
            .filter(|other| *other != certificate)
            .filter(named);
        let Some(first) = others.next() else {
            continue;
        };
        let itself = certificate.is_self_issued().then_some(certificate);
        let issuers = itself.into_iter().chain([first]).chain(others);
        let error = ReloadError::NotSignedByIssuer {
            file: file.to_owned(),
            position: Position::in_chain(index),
            name: certificate.short_name(),
            issuer: first.short_name(),
        };
        match best_signature(certificate, issuers, algorithms) {
            IssuerSignature::Made => {}
            IssuerSignature::NotMade => return Err(error),
            IssuerSignature::Unsupported => remarks.push(format!(
                "the crypto provider cannot tell whether '{}' signed '{}': it does not verify {}",
                first.short_name(),
                certificate.short_name(),
                algorithm::signature_name(algorithm::of_signature(certificate.der()))
            )),
        }
    }
    Ok(remarks)
}

/// What speaks most for the certificate.
fn best_signature<'c>(
    certificate: &Certificate,
    issuers: impl Iterator<Item = &'c Certificate>,
    algorithms: SignatureAlgorithms,
) -> IssuerSignature {
    let mut best = IssuerSignature::NotMade;
    for issuer in issuers {
        match issuer_signature(certificate, issuer, algorithms) {
            IssuerSignature::Made => return IssuerSignature::Made,
            IssuerSignature::Unsupported => best = IssuerSignature::Unsupported,
            IssuerSignature::NotMade => {}
        }
    }
    best
}

/// The leaf must allow the usage, and where its issuers are presented, one of those, as webpki has
/// it: who names purposes names this one.
pub(super) fn fits_usage(
    chain: &[Certificate],
    file: &str,
    usage: Usage,
) -> Result<(), ReloadError> {
    leaf_and_one_issuer(chain, |certificate, position| {
        let Some(purposes) = certificate.facts().extended_key_usage() else {
            return Ok(());
        };
        if purposes.contains(&usage.purpose_oid()) {
            return Ok(());
        }
        Err(ReloadError::WrongUsage {
            file: file.to_owned(),
            position,
            name: certificate.short_name(),
            usage,
            purposes: purposes.into_iter().map(purpose_name).collect(),
        })
    })
}

fn purpose_name(oid: &[u8]) -> String {
    for usage in [Usage::ServerAuth, Usage::ClientAuth] {
        if usage.purpose_oid() == oid {
            return purpose(usage).to_owned();
        }
    }
    dotted(oid)
}

/// The leaf must be within its dates, and where its issuers are presented, one of those.
pub(super) fn within_dates(
    chain: &[Certificate],
    file: &str,
    now: Timestamp,
) -> Result<(), ReloadError> {
    leaf_and_one_issuer(chain, |certificate, position| {
        within(certificate, position, file, now)
    })
}

/// Holds of the leaf, and where its issuers (by name) are presented, of one of those.
fn leaf_and_one_issuer(
    chain: &[Certificate],
    holds: impl Fn(&Certificate, Position) -> Result<(), ReloadError>,
) -> Result<(), ReloadError> {
    let Some(leaf) = chain.first() else {
        return Ok(());
    };
    holds(leaf, Position::Leaf)?;
    let issuer = leaf.facts().issuer_der();
    let issuers = (chain.iter().enumerate().skip(1))
        .filter(|(_, certificate)| certificate.facts().subject_der() == issuer);
    let mut first = Ok(());
    for (index, certificate) in issuers {
        match holds(certificate, Position::in_chain(index)) {
            Ok(()) => return Ok(()),
            error if first.is_ok() => first = error,
            Err(_) => {}
        }
    }
    first
}

fn within(
    certificate: &Certificate,
    position: Position,
    file: &str,
    now: Timestamp,
) -> Result<(), ReloadError> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if not_after < now {
        return Err(ReloadError::Expired {
            file: file.to_owned(),
            position,
            name: certificate.short_name(),
            not_after,
            seconds: now.seconds_since(not_after),
        });
    }
    if now < not_before {
        return Err(ReloadError::NotYetValid {
            file: file.to_owned(),
            position,
            name: certificate.short_name(),
            not_before,
            seconds: not_before.seconds_since(now),
        });
    }
    Ok(())
}
