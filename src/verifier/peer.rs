//! One peer as rustls hands it to a verifier: the one model of what was presented, borrowed while
//! it is verified and owned where it is kept.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};

use super::identified::IdentityRule;
use crate::cert::{Certificate, CertificateFacts, CertificateParseError};
use crate::identity::{IdentityError, PeerIdentity};
use crate::time::Timestamp;

/// One peer as the verifier was handed it.
pub(super) struct Peer<'p> {
    /// The name that the connection was made to; `None` for TLS clients.
    pub(super) host: Option<&'p str>,
    /// How peers are known by more than names, where they are.
    pub(super) identities: Option<&'p IdentityRule>,
    /// The name whose pins count where none are for its identity; without one, those for every peer
    /// do.
    pub(super) pinned_as: Option<&'p ServerName<'p>>,
    pub(super) leaf: &'p CertificateDer<'p>,
    pub(super) intermediates: &'p [CertificateDer<'p>],
    /// The stapled OCSP response; empty where there is none.
    pub(super) staple: &'p [u8],
    /// Whether `leaf` is a raw public key (RFC 7250).
    pub(super) raw: bool,
    pub(super) now: UnixTime,
    pub(super) facts: ChainFacts<'p>,
    pub(super) claim: IdentityClaim,
}

/// Who it says that it is, asked for when it is wanted, and once for all who ask.
#[derive(Default)]
pub(super) struct IdentityClaim(OnceCell<Result<Option<PeerIdentity>, IdentityError>>);

/// What the presented bytes say, read when it is asked for, and once for all who ask.
#[derive(Default)]
pub(super) struct ChainFacts<'p>(
    OnceCell<Vec<Result<CertificateFacts<'p>, CertificateParseError>>>,
);

impl<'p> Peer<'p> {
    pub(super) fn at(&self) -> Timestamp {
        self.now.into()
    }

    /// Who it says that it is; `None` where it is known by its name.
    ///
    /// # Errors
    /// Why it cannot be known.
    pub(super) fn claim(&self) -> Result<Option<&PeerIdentity>, &IdentityError> {
        let claim = self.claim.0.get_or_init(|| match self.identities {
            Some(rule) => rule.apply(self.identifying_leaf()),
            None => Ok(None),
        });
        claim.as_ref().map(Option::as_ref)
    }

    /// Who it says that it is, where it is known by that.
    pub(super) fn identity(&self) -> Option<&PeerIdentity> {
        self.claim().ok().flatten()
    }

    fn identifying_leaf(&self) -> Result<Certificate, IdentityError> {
        match self.raw {
            true => Err(IdentityError::RawPublicKey),
            false => Ok(self.leaf_certificate()?),
        }
    }

    /// The name for people of one that proved itself.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match (self.identity(), self.host) {
            (Some(identity), Some(host)) => format!("{} at {host}", identity.brief()).into(),
            (Some(identity), None) => identity.brief(),
            (None, _) => self.met_as().into(),
        }
    }

    /// The name for people that is not the peer's own word.
    pub(super) fn met_as(&self) -> &str {
        self.host.unwrap_or("the client")
    }

    /// What tells it apart from other peers: its identity, or else its name.
    pub(super) fn known_as(&self) -> Option<Cow<'_, str>> {
        let identity = self.identity().map(|identity| identity.as_str().into());
        identity.or_else(|| self.folded_host())
    }

    /// The name as memories know it: DNS compares without case (RFC 4343), and so do rustls's
    /// session stores.
    pub(super) fn folded_host(&self) -> Option<Cow<'_, str>> {
        self.host.map(folded)
    }

    /// A keyed hash of who it is: servers by their name, clients by their leaf, and either by its
    /// identity too.
    pub(super) fn memory_key(&self, key: &RandomState) -> u64 {
        let mut hasher = key.build_hasher();
        if let Some(identity) = self.identity() {
            hasher.write(identity.as_str().as_bytes());
            // No text has this byte, so that nothing of it is taken for what follows.
            hasher.write_u8(0xff);
        }
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
    identity: Option<PeerIdentity>,
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
            identity: peer.identity().cloned(),
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
            identities: None,
            pinned_as: self.pinned_as.as_ref(),
            leaf: &self.leaf,
            intermediates: &self.intermediates,
            staple: &self.staple,
            raw: self.raw,
            now,
            facts: ChainFacts::default(),
            claim: IdentityClaim(OnceCell::from(Ok(self.identity.clone()))),
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

    /// Who it is, where it is known by that.
    pub(super) const fn identity(&self) -> Option<&PeerIdentity> {
        self.identity.as_ref()
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

    /// Whether `peer` has its name, is who it is, and presented its bytes.
    pub(super) fn is(&self, peer: &Peer<'_>) -> bool {
        self.presented(peer.leaf, peer.intermediates)
            && self.staple == peer.staple
            && self.has_name_of(peer)
    }

    /// Whether `peer` has its name, is who it is, and has its leaf.
    pub(super) fn has_leaf_of(&self, peer: &Peer<'_>) -> bool {
        self.leaf == *peer.leaf && self.has_name_of(peer)
    }

    fn has_name_of(&self, peer: &Peer<'_>) -> bool {
        if self.identity.as_ref() != peer.identity() {
            return false;
        }
        match (&self.host, peer.host) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// What keeping it takes, counted in full.
    pub(super) fn size(&self) -> usize {
        let name = self.host.as_ref().map_or(0, String::len);
        let identity = self.identity.as_ref().map_or(0, |i| i.as_str().len());
        let lists = self.intermediates.len() * size_of::<CertificateDer<'_>>();
        size_of::<Self>() + 2 * name + identity + lists + self.as_met().bytes()
    }
}
