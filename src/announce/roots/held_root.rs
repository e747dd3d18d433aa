//! What is known of one root: its newest certificate, and since when it names its next key.

use super::RootAnnouncementError;
use crate::cert::{
    Certificate, IssuerSignature, NextRootKey, SignatureAlgorithms, issuer_signature,
};
use crate::pin::{Acceptance, SpkiPin};
use crate::time::Timestamp;

/// A certificate of more bytes is no root's: the largest signatures have 50 KB.
pub(super) const MAX_ROOT_BYTES: usize = 64 * 1024;

/// A root whose certificate was signed by its own key, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HeldRoot {
    /// The newest that was seen of its key.
    pub(super) certificate: Certificate,
    /// The key of the root.
    pub(super) key: SpkiPin,
    /// `None` where the newest certificate withdrew what an older one stated.
    pub(super) next: Option<NextRootKey>,
    /// Since when it names this next key.
    pub(super) first_sight: Timestamp,
    /// The SubjectPublicKeyInfo of the next key, once it was seen.
    pub(super) next_spki: Option<Vec<u8>>,
}

impl HeldRoot {
    /// What such a certificate states, whoever has its key; nothing is believed before its signature.
    pub(super) fn verify(
        certificate: &Certificate,
        algorithms: SignatureAlgorithms,
        first_sight: Timestamp,
    ) -> Result<Self, RootAnnouncementError> {
        check_signature(certificate, algorithms)?;
        let subject = || certificate.short_name();
        let next = certificate.next_root_key().map_err(|reason| {
            let subject = subject();
            RootAnnouncementError::NextKey { subject, reason }
        })?;
        let held = Self {
            certificate: certificate.clone(),
            key: SpkiPin::from_certificate(certificate),
            next,
            first_sight: first_sight.max(certificate.not_before()),
            next_spki: None,
        };
        let pin = held.next_pin().filter(SpkiPin::is_placeholder);
        match (pin, held.next.clone()) {
            (Some(_), Some(next)) => Err(RootAnnouncementError::Placeholder {
                subject: subject(),
                next,
            }),
            _ => Ok(held),
        }
    }

    /// The pin of the next key: at once where it is named by SHA-256, else once the key was seen.
    pub(super) fn next_pin(&self) -> Option<SpkiPin> {
        let of_key = || self.next_spki.as_deref().map(SpkiPin::from_spki_der);
        SpkiPin::from_next_root_key(self.next.as_ref()?).or_else(of_key)
    }

    /// Takes this for the next key, where it is. Whether that says anything new.
    pub(super) fn learn(&mut self, spki: &[u8]) -> bool {
        let is_news = self.next_pin().is_none() && self.names(spki);
        if is_news {
            self.next_spki = Some(spki.to_vec());
        }
        is_news
    }

    pub(super) fn names(&self, spki: &[u8]) -> bool {
        self.next.as_ref().is_some_and(|next| next.matches(spki))
    }

    /// From when on its next key counts as far as this root is asked: a hold-down that would outlast the
    /// certificate ends nothing.
    pub(super) fn acceptance(&self, hold_down_seconds: i64) -> Acceptance {
        let from = self.first_sight.saturating_add(hold_down_seconds);
        if self.next.is_none() || from > self.certificate.not_after() {
            return Acceptance::Never;
        }
        Acceptance::From(from)
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        self.certificate.short_name()
    }
}

/// Whether the certificate is its own issuer's, by name and by signature (RFC 5280, 3.2).
fn check_signature(
    certificate: &Certificate,
    algorithms: SignatureAlgorithms,
) -> Result<(), RootAnnouncementError> {
    let subject = || certificate.short_name();
    match issuer_signature(certificate, certificate, algorithms) {
        IssuerSignature::Made => Ok(()),
        IssuerSignature::NotMade => {
            let subject = subject();
            Err(RootAnnouncementError::BadSignature { subject })
        }
        IssuerSignature::Unsupported => {
            let subject = subject();
            Err(RootAnnouncementError::UnsupportedSignature { subject })
        }
    }
}

/// What shows without any signature that a certificate is no root's.
pub(super) fn check_form(certificate: &Certificate) -> Result<(), RootAnnouncementError> {
    let bytes = certificate.der().len();
    if bytes > MAX_ROOT_BYTES {
        return Err(RootAnnouncementError::TooLarge {
            bytes,
            limit: MAX_ROOT_BYTES,
        });
    }
    if !certificate.is_self_issued() {
        return Err(RootAnnouncementError::NotSelfIssued {
            subject: certificate.short_name(),
            issuer: certificate.issuer_short_name(),
        });
    }
    Ok(())
}
