//! One peer as rustls hands it to a verifier, and what an inner verifier's refusal says of dates.

use std::borrow::Cow;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};

use super::assess::DateRefusal;
use crate::cert::{Certificate, CertificateFacts};
use crate::time::Timestamp;

/// One peer as the verifier was handed it.
#[derive(Clone, Copy)]
pub(super) struct Peer<'p> {
    pub(super) host: Option<&'p str>,
    /// The name whose pins count; without one, those for every peer do.
    pub(super) pinned_as: Option<&'p ServerName<'p>>,
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

    /// The name as memories know it: DNS compares without case (RFC 4343), and so do rustls's
    /// session stores.
    pub(super) fn folded_host(&self) -> Option<Cow<'_, str>> {
        self.host.map(folded)
    }

    /// The bytes of everything that it presented.
    pub(super) fn bytes(&self) -> usize {
        let rest: usize = self.intermediates.iter().map(|der| der.len()).sum();
        self.leaf.len() + rest + self.staple.len()
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

    /// The first instant after now at which a certificate that it presented begins, or is over.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let presented = std::iter::once(self.leaf).chain(self.intermediates);
        let readable = presented.filter_map(|der| CertificateFacts::parse(der).ok());
        let changes = readable.flat_map(|facts| {
            let validity = facts.validity();
            [validity.not_before, validity.not_after.saturating_add(1)]
        });
        changes.filter(|change| *change > self.at()).min()
    }

    /// The leaf with everything readable that came along.
    pub(super) fn chain(&self, leaf: &Certificate) -> Vec<Certificate> {
        let leaf = std::iter::once(leaf.clone());
        leaf.chain(self.readable_intermediates()).collect()
    }
}

/// A name in lower case.
pub(super) fn folded(host: &str) -> Cow<'_, str> {
    match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(host.to_ascii_lowercase()),
        false => Cow::Borrowed(host),
    }
}

/// A peer whose bytes are kept.
#[derive(Debug)]
pub(super) struct OwnedPeer {
    pub(super) host: Option<String>,
    pinned_as: Option<ServerName<'static>>,
    pub(super) leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    pub(super) staple: Vec<u8>,
    raw: bool,
    now: UnixTime,
}

impl OwnedPeer {
    pub(super) fn of(peer: &Peer<'_>) -> Self {
        let intermediates = peer.intermediates.iter();
        Self {
            host: peer.host(),
            pinned_as: peer.pinned_as.map(ServerName::to_owned),
            leaf: peer.leaf.clone().into_owned(),
            intermediates: intermediates.map(|der| der.clone().into_owned()).collect(),
            staple: peer.staple.to_vec(),
            raw: peer.raw,
            now: peer.now,
        }
    }

    /// The same peer, met at `now`.
    pub(super) fn met_at(&self, now: UnixTime) -> Peer<'_> {
        Peer {
            host: self.host.as_deref(),
            pinned_as: self.pinned_as.as_ref(),
            leaf: &self.leaf,
            intermediates: &self.intermediates,
            staple: &self.staple,
            raw: self.raw,
            now,
        }
    }

    /// The same peer, met when it was met.
    pub(super) fn as_met(&self) -> Peer<'_> {
        self.met_at(self.now)
    }

    /// Whether these are its certificates, in its order.
    pub(super) fn presented(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> bool {
        self.leaf == *leaf && self.intermediates == intermediates
    }

    /// Whether `peer` has its name and presented its bytes.
    pub(super) fn is(&self, peer: &Peer<'_>) -> bool {
        self.presented(peer.leaf, peer.intermediates)
            && self.staple == peer.staple
            && match (&self.host, peer.host) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                (one, other) => one.is_none() && other.is_none(),
            }
    }

    /// What keeping it takes, counted in full.
    pub(super) fn size(&self) -> usize {
        let name = self.host.as_ref().map_or(0, String::len);
        let lists = self.intermediates.len() * size_of::<CertificateDer<'_>>();
        size_of::<Self>() + 2 * name + lists + self.as_met().bytes()
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
