//! X.509-SVIDs: certificates whose one URI is a SPIFFE ID.

use super::error::{IdentityError, SvidError};
use super::peer_identity::{IdentifiesPeers, PeerIdentity};
use super::spiffe_id::SpiffeId;
use crate::cert::der::{Reader, tag};
use crate::cert::{
    BASIC_CONSTRAINTS, Certificate, CertificateParseError, KEY_USAGE, SUBJECT_ALT_NAME,
    uris_of_names,
};

/// keyCertSign and cRLSign in the first octet of a keyUsage (RFC 5280, 4.2.1.3).
const SIGNING_BITS: u8 = 0x04 | 0x02;

/// Knows peers by the SPIFFE ID of their X.509-SVID.
///
/// A leaf that is no X.509-SVID has no identity: one without a URI or with several, with one that is no
/// SPIFFE ID or has no path, and one that signs certificates or lists (SPIFFE, X509-SVID, 5.2).
///
/// # How are pins and events of my wrapper keyed by SPIFFE IDs?
/// ```
/// use std::sync::Arc;
/// use notafter::WatchingServerVerifier;
/// use notafter::identity::SpiffeIdentities;
/// # fn wrap(
/// #     inner: Arc<dyn rustls::client::danger::ServerCertVerifier>,
/// # ) -> Result<(), notafter::verifier::VerifierBuildError> {
/// let verifier = WatchingServerVerifier::builder(inner)
///     .with_peer_identity(Arc::new(SpiffeIdentities))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::exhaustive_structs)] // There is one way to read an SVID.
pub struct SpiffeIdentities;

impl SpiffeIdentities {
    /// Reads the SPIFFE ID of an X.509-SVID that is a leaf (SPIFFE, X509-SVID, 5.2).
    ///
    /// # Errors
    /// [`SvidError`] with what it lacks.
    pub fn id_of(leaf: &Certificate) -> Result<SpiffeId, SvidError> {
        let parts = SvidParts::read(leaf)?;
        if parts.is_ca {
            return Err(SvidError::IsCa);
        }
        if parts.signs_others {
            return Err(SvidError::SignsOthers);
        }
        let uri = match parts.uris.as_slice() {
            [] => return Err(SvidError::NoUri),
            [uri] => uri.ok_or(SvidError::NotAscii)?,
            several => {
                let count = several.len();
                return Err(SvidError::SeveralUris { count });
            }
        };
        let id: SpiffeId = uri.parse()?;
        match id.path() {
            "" => Err(SvidError::NoPath {
                trust_domain: id.trust_domain().clone(),
            }),
            _ => Ok(id),
        }
    }
}

impl IdentifiesPeers for SpiffeIdentities {
    fn identity(&self, leaf: &Certificate) -> Result<PeerIdentity, IdentityError> {
        Ok(PeerIdentity::from(&Self::id_of(leaf)?))
    }
}

/// What makes or unmakes an SVID. Of extensions that a certificate must have once and has several
/// times, all count.
#[derive(Default)]
struct SvidParts<'c> {
    /// `None` for one that is not UTF-8.
    uris: Vec<Option<&'c str>>,
    is_ca: bool,
    signs_others: bool,
}

impl<'c> SvidParts<'c> {
    fn read(leaf: &'c Certificate) -> Result<Self, CertificateParseError> {
        let mut parts = Self::default();
        for extension in leaf.facts().extensions() {
            let extension = extension?;
            match extension.oid {
                SUBJECT_ALT_NAME => parts.uris.extend(uris_of_names(extension.value)?),
                BASIC_CONSTRAINTS => parts.is_ca |= says_ca(extension.value)?,
                KEY_USAGE => parts.signs_others |= signs_others(extension.value)?,
                _ => {}
            }
        }
        Ok(parts)
    }
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, ... }` (RFC 5280, 4.2.1.9).
fn says_ca(value: &[u8]) -> Result<bool, CertificateParseError> {
    let mut content = Reader::new(value).enter(tag::SEQUENCE)?;
    if content.peek() != Some(tag::BOOLEAN) {
        return Ok(false);
    }
    Ok(content.enter(tag::BOOLEAN)?.content() != [0])
}

/// `KeyUsage ::= BIT STRING` (RFC 5280, 4.2.1.3), whose first octet counts unused bits.
fn signs_others(value: &[u8]) -> Result<bool, CertificateParseError> {
    let bits = Reader::new(value).enter(tag::BIT_STRING)?.content();
    let first = bits.get(1).copied().unwrap_or_default();
    Ok(first & SIGNING_BITS != 0)
}
