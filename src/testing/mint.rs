//! Certificates of any dates.

use ::time::OffsetDateTime;
use pki_types::{CertificateDer, PrivateKeyDer};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use thiserror::Error;

use crate::outlook::TrustAnchors;
use crate::time::Timestamp;

/// A certificate that could not be minted.
#[derive(Debug, Error)]
#[error("the certificate for '{name}' cannot be minted: {reason}; look at its names and dates")]
#[non_exhaustive]
pub struct MintError {
    /// Whose it was to be.
    pub name: String,
    /// What rcgen says.
    pub reason: String,
}

/// A CA of a test: a root, or an intermediate below it. Its key is P-256 and made anew each time.
///
/// # How do I mint a chain that ends tomorrow?
/// ```
/// use notafter::testing::TestCa;
/// use notafter::Timestamp;
/// let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
/// let (long_ago, tomorrow) = (now.saturating_add(-86_400), now.saturating_add(86_400));
/// let root = TestCa::root("Root", long_ago, tomorrow)?;
/// let pair = root.intermediate("Issuing", long_ago, tomorrow)?.leaf(&["a.example"], long_ago, tomorrow)?;
/// assert_eq!(pair.chain().len(), 2);
/// assert!(root.root_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TestCa {
    issuer: Issuer<'static, KeyPair>,
    root: Minted,
    /// From this CA up to the root, without it.
    below_root: Vec<Minted>,
}

/// A certificate in both encodings.
#[derive(Debug, Clone)]
struct Minted {
    der: CertificateDer<'static>,
    pem: String,
}

/// A chain and the leaf's key, as a server or a client presents them.
#[derive(Debug)]
pub struct TestPair {
    chain: Vec<Minted>,
    key: KeyPair,
}

impl TestCa {
    /// Mints a root, valid from and to these seconds, both included.
    ///
    /// # Errors
    /// [`MintError`] where the name or the dates cannot be in a certificate.
    pub fn root(name: &str, from: Timestamp, to: Timestamp) -> Result<Self, MintError> {
        let error = minting(name);
        let key = KeyPair::generate().map_err(error)?;
        let params = ca_params(name, from, to);
        let root = params.self_signed(&key).map_err(error)?;
        Ok(Self {
            root: root.into(),
            issuer: Issuer::new(params, key),
            below_root: Vec::new(),
        })
    }

    /// Mints a CA below this one.
    ///
    /// # Errors
    /// [`MintError`] where the name or the dates cannot be in a certificate.
    pub fn intermediate(
        &self,
        name: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Self, MintError> {
        let error = minting(name);
        let key = KeyPair::generate().map_err(error)?;
        let params = ca_params(name, from, to);
        let certificate = params.signed_by(&key, &self.issuer).map_err(error)?;
        let above = self.below_root.iter().cloned();
        Ok(Self {
            root: self.root.clone(),
            issuer: Issuer::new(params, key),
            below_root: std::iter::once(certificate.into()).chain(above).collect(),
        })
    }

    /// Mints a certificate for servers and clients with these DNS names or IP addresses, the first of them
    /// its common name, valid from and to these seconds, both included.
    ///
    /// # Errors
    /// [`MintError`] where the names or the dates cannot be in a certificate.
    pub fn leaf(
        &self,
        names: &[&str],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<TestPair, MintError> {
        let first = names.first().copied().unwrap_or_default();
        let error = minting(first);
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(error)?;
        params.distinguished_name.push(DnType::CommonName, first);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.not_before = from.into();
        params.not_after = to.into();
        let key = KeyPair::generate().map_err(error)?;
        let leaf = params.signed_by(&key, &self.issuer).map_err(error)?;
        let above = self.below_root.iter().cloned();
        let chain = std::iter::once(leaf.into()).chain(above).collect();
        Ok(TestPair { chain, key })
    }

    /// The root, with its dates, as trust anchor.
    pub fn anchors(&self) -> TrustAnchors {
        TrustAnchors::builder()
            .with_certificates([&self.root.der])
            .build()
    }

    /// The root's certificate.
    pub const fn root_der(&self) -> &CertificateDer<'static> {
        &self.root.der
    }

    /// The root's certificate as a PEM file has it, for a peer that reads whom to trust from one.
    pub fn root_pem(&self) -> &str {
        &self.root.pem
    }
}

impl TestPair {
    /// The chain, leaf first, without the root.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.chain.iter().map(|minted| minted.der.clone()).collect()
    }

    /// The leaf's key.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }

    /// The chain as a PEM file has it.
    pub fn chain_pem(&self) -> String {
        self.chain
            .iter()
            .map(|minted| minted.pem.as_str())
            .collect()
    }

    /// The key as a PEM file has it.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

impl From<rcgen::Certificate> for Minted {
    fn from(certificate: rcgen::Certificate) -> Self {
        Self {
            pem: certificate.pem(),
            der: certificate.into(),
        }
    }
}

fn ca_params(name: &str, from: Timestamp, to: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from(from);
    params.not_after = OffsetDateTime::from(to);
    params
}

fn minting(name: &str) -> impl Fn(rcgen::Error) -> MintError + Copy + '_ {
    |error| MintError {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}
