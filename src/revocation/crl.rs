//! Certificate revocation lists (RFC 5280, 5) given to a check, judged by webpki as rustls would.

#[cfg(feature = "reload")]
use std::cmp::Reverse;
use std::sync::Arc;

use thiserror::Error;
use webpki::{
    CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth,
    RevocationOptions, RevocationOptionsBuilder, UnknownStatusPolicy,
};

use crate::cert::Certificate;
use crate::revocation::{crl_next_update, crl_this_update};
use crate::time::Timestamp;
#[cfg(feature = "monitor")]
use crate::time::Validity;

/// Which certificates of a path are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CrlDepth {
    /// All of them but the anchor (rustls's default).
    #[default]
    Chain,
    /// The leaf alone.
    Leaf,
}

/// What a certificate is worth that no list speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownRevocation {
    /// It is refused (rustls's default).
    #[default]
    Refuse,
    /// It is accepted.
    Accept,
}

/// What a list is worth after its nextUpdate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CrlExpiration {
    /// As much as before (rustls's default).
    #[default]
    Ignore,
    /// Nothing: whatever it speaks for is refused from nextUpdate on. So nextUpdate takes part in
    /// the outlook.
    Enforce,
}

/// Revocation lists with the rules for them.
///
/// # Until when does this list count, and does it revoke a certificate?
/// ```no_run
/// use notafter::revocation::{CrlExpiration, Crls};
/// # fn read(_: &str) -> Vec<u8> { Vec::new() }
/// let crls = Crls::builder()
///     .with_der(&read("issuing-ca.crl"))?
///     .with_expiration(CrlExpiration::Enforce)
///     .build();
/// for next_update in crls.next_updates() {
///     println!("counts until the second before {next_update}");
/// }
/// # Ok::<(), notafter::revocation::CrlError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Crls {
    lists: Vec<DatedList>,
    depth: CrlDepth,
    unknown: UnknownRevocation,
    expiration: CrlExpiration,
}

/// A list with its dates, which webpki keeps to itself.
#[derive(Debug, Clone)]
struct DatedList {
    list: Arc<CertRevocationList<'static>>,
    #[cfg_attr(
        not(feature = "monitor"),
        allow(dead_code, reason = "what watches and reloads asks for it")
    )]
    this_update: Timestamp,
    next_update: Timestamp,
}

impl DatedList {
    fn is_of_issuer(&self, certificate: &Certificate) -> bool {
        self.list.issuer() == certificate.facts().issuer_der()
    }
}

/// What a list speaks for.
#[cfg(feature = "reload")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CrlScope {
    /// The issuer's name, DER without the outer SEQUENCE.
    pub(crate) issuer: Vec<u8>,
    /// The list's issuing distribution point, DER (RFC 5280, 5.2.5); `None` where it speaks for all
    /// certificates of the issuer.
    pub(crate) part: Option<Vec<u8>>,
}

impl Crls {
    /// Starts with no lists and rustls's defaults.
    pub fn builder() -> CrlsBuilder {
        CrlsBuilder::default()
    }

    /// Whether there are no lists: then nothing is looked up.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The nextUpdate of each list. A list is current while `now < next_update`.
    pub fn next_updates(&self) -> impl Iterator<Item = Timestamp> {
        self.lists.iter().map(|list| list.next_update)
    }

    /// When each list was made, and the last second at which it is current.
    #[cfg(feature = "monitor")]
    pub(crate) fn validities(&self) -> impl Iterator<Item = Validity> {
        self.lists.iter().map(|list| Validity {
            not_before: list.this_update,
            not_after: list.next_update.saturating_add(-1),
        })
    }

    /// Whether nextUpdate ends what verifies.
    pub fn enforces_expiration(&self) -> bool {
        self.expiration == CrlExpiration::Enforce
    }

    /// Whether a list of this certificate's issuer has its serial number.
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        let serial = certificate.facts().serial();
        let lists = self.lists.iter();
        let mut own = lists.filter(|list| list.is_of_issuer(certificate));
        own.any(|list| matches!(list.list.find_serial(serial), Ok(Some(_))))
    }

    /// Whether no list that is looked up for this path (leaf first) is over at `now`, where the
    /// ends of lists count.
    pub(crate) fn are_current_for(&self, path: &[&Certificate], now: Timestamp) -> bool {
        let looked_up = match self.depth {
            CrlDepth::Chain => path,
            CrlDepth::Leaf => path.get(..1).unwrap_or_default(),
        };
        let mut cuts = looked_up
            .iter()
            .flat_map(|certificate| self.cuts_of(certificate));
        cuts.all(|cut| now < cut)
    }

    /// Which certificates of a path are looked up.
    pub(crate) const fn depth(&self) -> CrlDepth {
        self.depth
    }

    /// When lists of this certificate's issuer stop counting, where that matters.
    pub(crate) fn cuts_of(&self, certificate: &Certificate) -> impl Iterator<Item = Timestamp> {
        let lists: &[_] = match self.expiration {
            CrlExpiration::Enforce => &self.lists,
            CrlExpiration::Ignore => &[],
        };
        let own = lists
            .iter()
            .filter(move |list| list.is_of_issuer(certificate));
        own.map(|list| list.next_update)
    }

    /// What each list speaks for.
    #[cfg(feature = "reload")]
    pub(crate) fn scopes(&self) -> impl Iterator<Item = CrlScope> {
        self.lists.iter().map(|dated| CrlScope {
            issuer: dated.list.issuer().to_vec(),
            part: dated.list.issuing_distribution_point().map(<[u8]>::to_vec),
        })
    }

    /// What a certificate is worth that no list speaks for.
    #[cfg(feature = "reload")]
    pub(crate) const fn unknown(&self) -> UnknownRevocation {
        self.unknown
    }

    /// The lists as webpki takes them, by reference.
    pub(crate) fn references(&self) -> Vec<&CertRevocationList<'static>> {
        let lists = self.lists.iter();
        lists.map(|dated| dated.list.as_ref()).collect()
    }

    /// The rules over these references; `None` where there are no lists.
    pub(crate) fn options<'l>(
        &self,
        references: &'l [&'l CertRevocationList<'l>],
    ) -> Option<RevocationOptions<'l>> {
        let depth = match self.depth {
            CrlDepth::Chain => RevocationCheckDepth::Chain,
            CrlDepth::Leaf => RevocationCheckDepth::EndEntity,
        };
        let unknown = match self.unknown {
            UnknownRevocation::Refuse => UnknownStatusPolicy::Deny,
            UnknownRevocation::Accept => UnknownStatusPolicy::Allow,
        };
        let expiration = match self.expiration {
            CrlExpiration::Ignore => ExpirationPolicy::Ignore,
            CrlExpiration::Enforce => ExpirationPolicy::Enforce,
        };
        let builder = RevocationOptionsBuilder::new(references).ok()?;
        let builder = builder.with_depth(depth).with_status_policy(unknown);
        Some(builder.with_expiration_policy(expiration).build())
    }
}

/// Gathers revocation lists.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct CrlsBuilder {
    crls: Crls,
}

impl CrlsBuilder {
    /// Adds the DER bytes of one list.
    ///
    /// # Errors
    /// [`CrlError`] where webpki does not read them as a complete version 2 list.
    pub fn with_der(mut self, der: &[u8]) -> Result<Self, CrlError> {
        let number = self.crls.lists.len();
        let list =
            OwnedCertRevocationList::from_der(der).map_err(|error| CrlError { number, error })?;
        // webpki, which keeps nextUpdate to itself, has seen that it is there.
        let next_update = crl_next_update(der).unwrap_or(Timestamp::MIN);
        let this_update = crl_this_update(der).unwrap_or(Timestamp::MIN);
        self.crls.lists.push(DatedList {
            list: Arc::new(CertRevocationList::Owned(list)),
            this_update,
            next_update,
        });
        Ok(self)
    }

    /// Puts the lists that were made last first; those of one instant stay as they were given. webpki
    /// goes by the first one that speaks for a certificate.
    #[cfg(feature = "reload")]
    pub(crate) fn with_latest_first(mut self) -> Self {
        let lists = &mut self.crls.lists;
        lists.sort_by_key(|list| Reverse(list.this_update));
        self
    }

    /// Looks up all certificates of a path, or only the leaf.
    pub const fn with_depth(mut self, depth: CrlDepth) -> Self {
        self.crls.depth = depth;
        self
    }

    /// What a certificate is worth that no list speaks for.
    pub const fn with_unknown(mut self, unknown: UnknownRevocation) -> Self {
        self.crls.unknown = unknown;
        self
    }

    /// What a list is worth after its nextUpdate.
    pub const fn with_expiration(mut self, expiration: CrlExpiration) -> Self {
        self.crls.expiration = expiration;
        self
    }

    /// The lists with their rules.
    pub fn build(self) -> Crls {
        self.crls
    }
}

/// Bytes that are no revocation list for webpki.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "revocation list number {number} cannot be used ({error}): fetch it again from its CA, as DER"
)]
#[non_exhaustive]
pub struct CrlError {
    /// Which of those given, counted from 0.
    pub number: usize,
    /// What webpki says.
    pub error: webpki::Error,
}
