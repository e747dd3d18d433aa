//! A chain with the key that belongs to it: an edge, for rustls holds the key.

use std::sync::Arc;

use pki_types::CertificateDer;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};
use webpki::EndEntityCert;

use super::candidate::{CandidateJudge, ChainCandidate, read_chain, unreadable};
use super::contents::{Contents, KeyContents};
use super::error::ReloadError;
use crate::cert::{Certificate, KeyType, algorithm, verifies_by};
use crate::source::key_kind::KeyKind;
use crate::source::private_key;

/// What the key signs to prove itself: nothing that a protocol would take for its own.
const PROOF: &[u8] = b"notafter: does this key belong to this certificate?";

/// A chain with its key that passed every check.
#[derive(Debug)]
pub(super) struct Pair {
    /// Without a staple.
    pub(super) key: Arc<CertifiedKey>,
    pub(super) candidate: ChainCandidate,
}

impl Pair {
    /// The pair that these contents hold; where their key stays elsewhere, with what signs.
    ///
    /// # Errors
    /// [`ReloadError`] where it is not fit to be served.
    pub(super) fn examine(
        contents: &Contents,
        signer: Option<&Arc<dyn SigningKey>>,
        provider: &CryptoProvider,
        judge: &CandidateJudge<'_>,
    ) -> Result<Self, ReloadError> {
        let (file, key_file) = (&contents.certificate_file, &contents.key_file);
        let chain = read_chain(contents)?;
        let key = match signer {
            Some(signer) => Arc::clone(signer),
            None => read_key(contents, provider)?,
        };
        let ders: Vec<CertificateDer<'static>> = chain.iter().map(|c| c.der().clone()).collect();
        let key = CertifiedKey::new(ders, key);
        can_be_verified(&chain, provider, file)?;
        belongs(&key, &chain, file, key_file)?;
        prove(&key, provider, file, key_file)?;
        Ok(Self {
            candidate: judge.examine(chain, contents)?,
            key: Arc::new(key),
        })
    }
}

fn read_key(
    contents: &Contents,
    provider: &CryptoProvider,
) -> Result<Arc<dyn SigningKey>, ReloadError> {
    let file = || contents.key_file.clone();
    let key = contents.key.as_ref().map_err(unreadable)?;
    let KeyContents::Encoded { bytes, passphrase } = key else {
        return Err(ReloadError::KeyUnusable {
            file: file(),
            reason: "nothing signs with it".to_owned(),
        });
    };
    let der = private_key::from_pem_or_der(bytes, passphrase.as_ref());
    let der = der.map_err(|error| ReloadError::KeyUnreadable {
        file: file(),
        reason: error.to_string(),
    })?;
    let kind = KeyKind::of(&der);
    let key = provider.key_provider.load_private_key(der);
    key.map_err(|error| ReloadError::KeyUnusable {
        file: file(),
        reason: kind.refusal(&error),
    })
}

/// Whether the provider verifies anything with the kind of key that the leaf has.
fn can_be_verified(
    chain: &[Certificate],
    provider: &CryptoProvider,
    file: &str,
) -> Result<(), ReloadError> {
    let Some(leaf) = chain.first() else {
        return Ok(());
    };
    let kind = algorithm::of_key(leaf.facts().spki_der());
    match verifies_by(provider.signature_verification_algorithms.all, kind) {
        true => Ok(()),
        false => Err(ReloadError::LeafUnusable {
            file: file.to_owned(),
            reason: format!(
                "its key is {}, by which the crypto provider verifies nothing",
                KeyType::of(kind)
            ),
        }),
    }
}

/// Signs with the key and verifies with the leaf, as a handshake would.
fn prove(
    key: &CertifiedKey,
    provider: &CryptoProvider,
    file: &str,
    key_file: &str,
) -> Result<(), ReloadError> {
    let failed = |reason: String| ReloadError::SignatureFailed {
        file: file.to_owned(),
        key_file: key_file.to_owned(),
        reason,
    };
    let unusable = |reason: String| ReloadError::LeafUnusable {
        file: file.to_owned(),
        reason,
    };
    let leaf = key.end_entity_cert();
    let leaf = leaf.map_err(|error| unusable(error.to_string()))?;
    let leaf = EndEntityCert::try_from(leaf);
    let leaf = leaf.map_err(|error| unusable(error.to_string()))?;
    let mapping = provider.signature_verification_algorithms.mapping;
    let schemes: Vec<_> = mapping.iter().map(|(scheme, _)| *scheme).collect();
    let signer = key.key.choose_scheme(&schemes);
    let signer = signer.ok_or_else(|| {
        failed("the provider verifies none of the schemes that the key signs with".to_owned())
    })?;
    let signature = signer.sign(PROOF);
    let signature = signature.map_err(|error| failed(error.to_string()))?;
    let algorithms = mapping
        .iter()
        .find(|(scheme, _)| *scheme == signer.scheme());
    let algorithms = algorithms.map_or(&[][..], |(_, algorithms)| *algorithms);
    let verifies = (algorithms.iter())
        .any(|algorithm| leaf.verify_signature(*algorithm, PROOF, &signature).is_ok());
    if verifies {
        Ok(())
    } else {
        Err(failed("the signature is not the leaf's".to_owned()))
    }
}

fn belongs(
    key: &CertifiedKey,
    chain: &[Certificate],
    file: &str,
    key_file: &str,
) -> Result<(), ReloadError> {
    match key.keys_match() {
        // Where the key does not say its public half, the signature has proved it.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let spki = key.key.public_key();
            let spki = spki.as_ref().map(AsRef::<[u8]>::as_ref);
            let owner = chain
                .iter()
                .position(|c| Some(c.facts().spki_der()) == spki);
            Err(ReloadError::KeyMismatch {
                file: file.to_owned(),
                key_file: key_file.to_owned(),
                belongs_to: owner.map(|index| index + 1),
            })
        }
        Err(error) => Err(ReloadError::LeafUnusable {
            file: file.to_owned(),
            reason: error.to_string(),
        }),
    }
}
