//! A CA, its server and its clients.

use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, Identity};
use rustls::error::Error;
use rustls::server::ServerConfig;
use rustls::{ConfigBuilder, HandshakeKind, RootCertStore};

use crate::loopback::meet;

/// The name that clients connect to.
pub const NAME: &str = "server.example";

pub struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

/// A chain, and its leaf's key.
pub struct Shown {
    pub identity: Arc<Identity<'static>>,
    pub chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Shown {
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }
}

impl Pki {
    pub fn new() -> Self {
        Self::of_root("Root")
    }

    pub fn of_root(name: &str) -> Self {
        let root = CertifiedIssuer::self_signed(ca(name), KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let intermediate = CertifiedIssuer::signed_by(ca("Intermediate"), key, &root).unwrap();
        Self { root, intermediate }
    }

    /// Of the root itself.
    pub fn without_intermediate(&self) -> Shown {
        Self::of(&self.root, vec![])
    }

    /// Of the intermediate, which is shown too.
    pub fn with_intermediate(&self) -> Shown {
        Self::of(&self.intermediate, vec![self.intermediate.der().clone()])
    }

    pub fn intermediate(&self) -> &CertificateDer<'static> {
        self.intermediate.der()
    }

    pub fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        Arc::new(roots)
    }

    /// webpki's verifier of servers under the root.
    pub fn webpki(&self, provider: &CryptoProvider) -> Arc<WebPkiServerVerifier> {
        let builder = WebPkiServerVerifier::builder(self.roots(), provider);
        Arc::new(builder.build().unwrap())
    }

    /// A server of this name that asks for no certificate, and staples these bytes.
    pub fn server(&self, provider: &Arc<CryptoProvider>, staple: &[u8]) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder(Arc::clone(provider)).with_no_client_auth();
        Arc::new(self.shown_by(builder, staple))
    }

    pub fn shown_by(
        &self,
        builder: ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>,
        staple: &[u8],
    ) -> ServerConfig {
        let shown = self.without_intermediate();
        builder
            .with_single_cert_with_ocsp(shown.identity.clone(), shown.key(), staple.into())
            .unwrap()
    }

    fn of(
        issuer: &CertifiedIssuer<'static, KeyPair>,
        others: Vec<CertificateDer<'static>>,
    ) -> Shown {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([NAME.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, issuer).unwrap();
        let chain: Vec<_> = [leaf.der().clone()].into_iter().chain(others).collect();
        Shown {
            identity: Arc::new(Identity::from_cert_chain(chain.clone()).unwrap()),
            chain,
            key,
        }
    }
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// TLS 1.3 alone, and 1.2 alone.
pub fn versions() -> [Arc<CryptoProvider>; 2] {
    [
        rustls_ring::DEFAULT_TLS13_PROVIDER,
        rustls_ring::DEFAULT_TLS12_PROVIDER,
    ]
    .map(Arc::new)
}

/// Connects to it by its name, and says which kind of handshake it was.
pub fn connect(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
) -> Result<HandshakeKind, Error> {
    meet(server, client, NAME).0
}
