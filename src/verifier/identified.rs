//! Who peers are where they are known by identities, and what becomes of those that have none.

use std::fmt;
use std::sync::Arc;

use crate::cert::Certificate;
use crate::identity::{IdentifiesPeers, IdentityError, PeerIdentity};

/// What becomes of a peer whose leaf does not say who it is, where peers are known by identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnidentifiedPeers {
    /// It is refused, though the inner verifier accepts it.
    #[default]
    Refuse,
    /// It is known as if nobody had asked for identities: a server by the name that the connection was
    /// made to, a client by its leaf.
    KnowByName,
}

/// How peers are identified.
pub(super) struct IdentityRule {
    pub(super) identities: Arc<dyn IdentifiesPeers>,
    pub(super) unidentified: UnidentifiedPeers,
}

impl IdentityRule {
    /// Who the peer with this leaf is; `None` for one that is known by its name.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn apply(
        &self,
        leaf: Result<Certificate, IdentityError>,
    ) -> Result<Option<PeerIdentity>, IdentityError> {
        let identity = leaf.and_then(|leaf| self.identities.identity(&leaf));
        match (identity, self.unidentified) {
            (Ok(identity), _) => Ok(Some(identity)),
            (Err(_), UnidentifiedPeers::KnowByName) => Ok(None),
            (Err(error), UnidentifiedPeers::Refuse) => Err(error),
        }
    }
}

impl fmt::Debug for IdentityRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityRule")
            .field("unidentified", &self.unidentified)
            .finish_non_exhaustive()
    }
}
