//! One peer as rustls hands it to a verifier, and what an inner verifier's refusal says of dates.

use pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error};

use super::assess::DateRefusal;
use crate::cert::{Certificate, Timestamp};

/// One peer as the verifier was handed it.
#[derive(Clone, Copy)]
pub(super) struct Peer<'p> {
    pub(super) host: Option<&'p str>,
    /// The name whose pins count; without one, those for every peer do.
    pub(super) pinned_as: Option<&'p pki_types::ServerName<'p>>,
    pub(super) leaf: &'p CertificateDer<'p>,
    pub(super) intermediates: &'p [CertificateDer<'p>],
    /// The stapled OCSP response; empty where there is none.
    pub(super) staple: &'p [u8],
    /// Whether `leaf` is a raw public key (RFC 7250).
    pub(super) raw: bool,
    pub(super) now: UnixTime,
}

impl Peer<'_> {
    pub(super) fn at(&self) -> Timestamp {
        self.now.into()
    }

    pub(super) fn name(&self) -> &str {
        self.host.unwrap_or("the client")
    }

    /// The name as errors carry it.
    pub(super) fn host(&self) -> Option<String> {
        self.host.map(str::to_owned)
    }

    /// What our walk can read of the presented certificates; webpki does not accept the rest as
    /// intermediates either.
    pub(super) fn readable_intermediates(&self) -> impl Iterator<Item = Certificate> {
        let intermediates = self.intermediates.iter();
        intermediates.filter_map(|der| Certificate::from_der(der).ok())
    }

    /// The leaf with everything readable that came along.
    pub(super) fn chain(&self, leaf: &Certificate) -> Vec<Certificate> {
        let leaf = std::iter::once(leaf.clone());
        leaf.chain(self.readable_intermediates()).collect()
    }
}

/// What a rustls error says about dates.
pub(super) fn date_refusal(error: &Error) -> Option<DateRefusal> {
    let Error::InvalidCertificate(error) = error else {
        return None;
    };
    match error {
        CertificateError::Expired => Some(DateRefusal::Expired(None)),
        CertificateError::ExpiredContext { not_after, .. } => {
            Some(DateRefusal::Expired(Some((*not_after).into())))
        }
        CertificateError::NotValidYet => Some(DateRefusal::NotYetValid(None)),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(DateRefusal::NotYetValid(Some((*not_before).into())))
        }
        _ => None,
    }
}
