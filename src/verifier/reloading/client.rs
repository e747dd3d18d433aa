//! What a server verifies clients by, where its anchors and lists change.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, UnixTime};
use rustls::crypto::CryptoProvider;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{DistinguishedName, Error, RootCertStore};

use super::super::anonymous::AnonymousClients;
use super::by_generation::{by_generation, with_lists};
use super::current::{CurrentVerifier, MakesVerifier};
use super::error::ReloadingVerifierError;
use super::root_hints::RootHints;
use crate::outlook::{TrustGeneration, TrustInForce};
use crate::provider;
use crate::reload::{CrlGeneration, ReloadingAnchors, ReloadingCrls};

/// Verifies clients as rustls's own [`WebPkiClientVerifier`] does, by the anchors and lists in force at
/// each handshake: for each generation of them one is made, by rustls's own builder.
///
/// rustls resumes sessions without asking any verifier. Wrap it, give the wrapper
/// [`with_trust_in_force`](crate::verifier::WatchingVerifierBuilder::with_trust_in_force), and put a
/// [`SessionGuard`](crate::SessionGuard) around the session store and the ticketer: then resumed sessions
/// follow too.
///
/// # How does my server follow the roots of its clients, resumed sessions too?
/// ```
/// use std::sync::Arc;
/// use notafter::reload::ReloadingAnchors;
/// use notafter::verifier::ReloadingClientVerifier;
/// use notafter::{SessionGuard, WatchingClientVerifier};
/// use rustls::server::ServerSessionMemoryCache;
/// # fn guard(
/// #     anchors: Arc<ReloadingAnchors>,
/// #     config: &mut rustls::ServerConfig,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let inner = ReloadingClientVerifier::builder(anchors).build()?;
/// let verifier = WatchingClientVerifier::builder(inner.clone())
///     .with_trust_in_force(inner)
///     .build()?;
/// let sessions = ServerSessionMemoryCache::new(1024);
/// config.session_storage = SessionGuard::default().server(&verifier, sessions);
/// # Ok(())
/// # }
/// ```
pub struct ReloadingClientVerifier {
    current: CurrentVerifier<ClientVerifierMaker>,
    hints: RootHints,
}

#[derive(Debug)]
struct ClientVerifierMaker {
    provider: Arc<CryptoProvider>,
    anonymous: AnonymousClients,
}

impl MakesVerifier for ClientVerifierMaker {
    type Verifier = dyn ClientCertVerifier;

    fn make(
        &self,
        roots: Arc<RootCertStore>,
        lists: Option<&CrlGeneration>,
    ) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let provider = Arc::clone(&self.provider);
        let builder = with_lists!(
            WebPkiClientVerifier::builder_with_provider(roots, provider),
            lists
        );
        match self.anonymous {
            AnonymousClients::Refuse => builder.build(),
            AnonymousClients::Accept => builder.allow_unauthenticated().build(),
        }
    }
}

impl ReloadingClientVerifier {
    /// Starts to verify by these anchors, without revocation lists.
    pub const fn builder(anchors: Arc<ReloadingAnchors>) -> ReloadingClientVerifierBuilder {
        ReloadingClientVerifierBuilder {
            anchors,
            lists: None,
            provider: None,
            anonymous: AnonymousClients::Refuse,
        }
    }
}

/// Builds a [`ReloadingClientVerifier`].
#[derive(Debug)]
#[must_use]
pub struct ReloadingClientVerifierBuilder {
    anchors: Arc<ReloadingAnchors>,
    lists: Option<Arc<ReloadingCrls>>,
    provider: Option<Arc<CryptoProvider>>,
    anonymous: AnonymousClients,
}

impl ReloadingClientVerifierBuilder {
    /// Looks certificates up in these revocation lists, by their rules.
    pub fn with_crls(mut self, lists: Arc<ReloadingCrls>) -> Self {
        self.lists = Some(lists);
        self
    }

    /// Verifies by this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Lets clients without a certificate in too.
    pub const fn with_anonymous_clients(mut self) -> Self {
        self.anonymous = AnonymousClients::Accept;
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    /// [`ReloadingVerifierError`] where there is no provider, or rustls takes what is in force for
    /// unusable.
    pub fn build(self) -> Result<Arc<ReloadingClientVerifier>, ReloadingVerifierError> {
        let provider = provider::given_or_default(self.provider);
        let provider = provider.ok_or(ReloadingVerifierError::NoProvider)?;
        let anonymous = self.anonymous;
        let maker = ClientVerifierMaker {
            provider,
            anonymous,
        };
        let current = CurrentVerifier::new(maker, self.anchors, self.lists);
        let current = current.map_err(|error| ReloadingVerifierError::Unusable { error })?;
        Ok(Arc::new(ReloadingClientVerifier {
            current,
            hints: RootHints::new(),
        }))
    }
}

impl ClientCertVerifier for ReloadingClientVerifier {
    fn offer_client_auth(&self) -> bool {
        // As webpki's verifier of every generation does.
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.current.maker.anonymous == AnonymousClients::Refuse
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        let current = self.current.current();
        let verifier = current.verifier();
        verifier.map_or(&[], |verifier| {
            self.hints.kept(verifier.root_hint_subjects())
        })
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let current = self.current.current();
        let verifier = current.verifier()?;
        verifier.verify_client_cert(end_entity, intermediates, now)
    }

    by_generation!();
}

/// The anchors and lists that clients are verified by.
impl TrustInForce for ReloadingClientVerifier {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.current.current().trust)
    }
}

impl fmt::Debug for ReloadingClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadingClientVerifier")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}
