//! What peers are known by, and whoever reads it from a leaf.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::error::IdentityError;
use super::spiffe_id::{MAX_ID, SpiffeId};
use super::text_error::PeerIdentityError;
use crate::cert::Certificate;
use crate::text::is_hidden;

/// So many characters of an identity are repeated in a message.
const MAX_SHOWN: usize = 128;

/// Who a peer is by its leaf, as text that two peers have in common only where they are one: a SPIFFE
/// ID, or whatever an application knows its peers by. At most 2,048 bytes, all of them visible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerIdentity(Arc<str>);

impl PeerIdentity {
    /// Takes a text as an identity.
    ///
    /// # Errors
    /// [`PeerIdentityError`] where it is empty, longer than 2,048 bytes, or has characters that
    /// cannot be seen.
    pub fn new(text: &str) -> Result<Self, PeerIdentityError> {
        if text.is_empty() {
            return Err(PeerIdentityError::Empty);
        }
        if text.len() > MAX_ID {
            return Err(PeerIdentityError::TooLong { bytes: text.len() });
        }
        match text.chars().find(|c| is_hidden(*c)) {
            Some(found) => Err(PeerIdentityError::Hidden { found }),
            None => Ok(Self(text.into())),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the SPIFFE ID that it is, if it is one.
    pub fn spiffe_id(&self) -> Option<SpiffeId> {
        self.0.parse().ok()
    }

    /// At most 128 characters of it.
    pub(crate) fn brief(&self) -> Cow<'_, str> {
        match self.0.char_indices().nth(MAX_SHOWN) {
            Some((end, _)) => format!("{}…", self.0.get(..end).unwrap_or_default()).into(),
            None => self.as_str().into(),
        }
    }
}

impl From<&SpiffeId> for PeerIdentity {
    fn from(id: &SpiffeId) -> Self {
        Self(id.to_string().into())
    }
}

impl FromStr for PeerIdentity {
    type Err = PeerIdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Says who peers are by their leaf. Any `Fn(&Certificate) -> Result<PeerIdentity, IdentityError>` that
/// is `Send` and `Sync` is one.
///
/// It is asked in every handshake, before the peer proved that it has the leaf's key, so it must not
/// block, and answer by the leaf's bytes alone: the same for the same leaf, at any time. What it
/// answers is believed once the inner verifier accepted the leaf and the peer proved itself.
///
/// # How do I know peers by their first email address?
/// ```
/// use notafter::Certificate;
/// use notafter::identity::{IdentifiesPeers, IdentityError, PeerIdentity};
/// fn first_email(leaf: &Certificate) -> Result<PeerIdentity, IdentityError> {
///     let names = leaf.subject_alt_names();
///     let email = names.email.first().ok_or(IdentityError::new("the leaf has no email address"))?;
///     Ok(PeerIdentity::new(email)?)
/// }
/// let identities: &dyn IdentifiesPeers = &first_email;
/// # use notafter::source::SourceContents;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/leaf.pem");
/// # let contents = SourceContents::from_bytes("", pem);
/// # let web = &contents.certificates[0].certificate;
/// assert!(identities.identity(web).is_err());
/// ```
pub trait IdentifiesPeers: Send + Sync {
    /// Says who the peer with this leaf is.
    ///
    /// # Errors
    /// [`IdentityError`] where the leaf does not say.
    fn identity(&self, leaf: &Certificate) -> Result<PeerIdentity, IdentityError>;
}

impl<F> IdentifiesPeers for F
where
    F: Fn(&Certificate) -> Result<PeerIdentity, IdentityError> + Send + Sync,
{
    fn identity(&self, leaf: &Certificate) -> Result<PeerIdentity, IdentityError> {
        self(leaf)
    }
}
