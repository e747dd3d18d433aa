//! One peer as rustls hands it to a verifier: the one model of what was presented, borrowed while
//! it is verified and owned where it is kept.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

use crate::cert::{Certificate, CertificateFacts, CertificateParseError};
use crate::time::Timestamp;

/// One peer as the verifier was handed it.
pub(super) struct Peer<'p> {
    /// The name that the connection was made to; `None` for TLS clients.
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
    pub(super) facts: ChainFacts<'p>,
}

/// What the presented bytes say, read when it is asked for, and once for all who ask.
#[derive(Default)]
pub(super) struct ChainFacts<'p>(
    OnceCell<Vec<Result<CertificateFacts<'p>, CertificateParseError>>>,
);

impl<'p> Peer<'p> {
    pub(super) fn at(&self) -> Timestamp {
        self.now.into()
    }

    /// The name for people.
    pub(super) fn name(&self) -> &str {
        self.host.unwrap_or("the client")
    }

    /// The name as memories know it: DNS compares without case (RFC 4343), and so do rustls's
    /// session stores.
    pub(super) fn folded_host(&self) -> Option<Cow<'_, str>> {
        self.host.map(folded)
    }

    /// A keyed hash of who it is: servers by their name, clients by their leaf.
    pub(super) fn identity(&self, key: &RandomState) -> u64 {
        let mut hasher = key.build_hasher();
        match self.folded_host() {
            Some(host) => hasher.write(host.as_bytes()),
            None => hasher.write(self.leaf),
        }
        hasher.finish()
    }

    /// A digest over everything that it presented under this name, each part with its length before
    /// it: no other name, staple, certificate or order has the same one.
    pub(super) fn digest(&self, name: &ServerName<'_>) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"notafter verdict 1");
        let mut add = |part: &[u8]| {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.update(length.to_be_bytes());
            hash.update(part);
        };
        add(match name {
            ServerName::DnsName(_) => b"dns",
            ServerName::IpAddress(_) => b"ip",
            _ => b"other",
        });
        add(self.host.unwrap_or_default().as_bytes());
        add(self.staple);
        add(self.leaf);
        self.intermediates.iter().for_each(|der| add(der));
        hash.finalize().into()
    }

    /// How many bytes its certificates have.
    pub(super) fn certificate_bytes(&self) -> usize {
        let intermediates = self.intermediates.iter();
        self.leaf.len() + intermediates.map(|der| der.len()).sum::<usize>()
    }

    /// How many bytes it presented, its staple included.
    pub(super) fn bytes(&self) -> usize {
        self.certificate_bytes() + self.staple.len()
    }

    /// What each presented certificate says, leaf first, or why it cannot be read. webpki does not
    /// accept those that cannot as intermediates either.
    pub(super) fn facts(&self) -> &[Result<CertificateFacts<'p>, CertificateParseError>] {
        self.facts.0.get_or_init(|| {
            let presented = std::iter::once(self.leaf).chain(self.intermediates);
            presented.map(|der| CertificateFacts::parse(der)).collect()
        })
    }

    /// The leaf's certificate.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn leaf_certificate(&self) -> Result<Certificate, CertificateParseError> {
        match self.facts().first() {
            Some(Ok(facts)) => Ok(Certificate::from_facts(*facts)),
            Some(Err(error)) => Err(*error),
            None => Certificate::from_der(CertificateDer::clone(self.leaf)),
        }
    }

    /// The leaf with every intermediate that can be read.
    pub(super) fn chain(&self, leaf: &Certificate) -> Vec<Certificate> {
        let mut chain = vec![leaf.clone()];
        let readable = self.facts().iter().skip(1).flatten();
        chain.extend(readable.map(|facts| Certificate::from_facts(*facts)));
        chain
    }

    /// The first instant after now at which a certificate that it presented begins, or is over.
    pub(super) fn next_change(&self) -> Option<Timestamp> {
        let changes = self.facts().iter().flatten().flat_map(|facts| {
            let validity = facts.validity();
            [validity.not_before, validity.not_after.saturating_add(1)]
        });
        changes.filter(|change| *change > self.at()).min()
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
    host: Option<String>,
    pinned_as: Option<ServerName<'static>>,
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    staple: Vec<u8>,
    raw: bool,
    now: UnixTime,
}

impl OwnedPeer {
    pub(super) fn from_peer(peer: &Peer<'_>) -> Self {
        let intermediates = peer.intermediates.iter();
        Self {
            host: peer.host.map(str::to_owned),
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
            facts: ChainFacts::default(),
        }
    }

    /// The same peer, met when it was met.
    pub(super) fn as_met(&self) -> Peer<'_> {
        self.met_at(self.now)
    }

    /// When it was met.
    pub(super) fn at(&self) -> Timestamp {
        self.now.into()
    }

    pub(super) fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    pub(super) fn staple(&self) -> &[u8] {
        &self.staple
    }

    /// The name that the connection was made to, as memories know it; empty for TLS clients.
    pub(super) fn folded_host(&self) -> Cow<'_, str> {
        folded(self.host.as_deref().unwrap_or_default())
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
            && self.has_name_of(peer)
    }

    /// Whether `peer` has its name and its leaf.
    pub(super) fn has_leaf_of(&self, peer: &Peer<'_>) -> bool {
        self.leaf == *peer.leaf && self.has_name_of(peer)
    }

    fn has_name_of(&self, peer: &Peer<'_>) -> bool {
        match (&self.host, peer.host) {
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
