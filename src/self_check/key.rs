//! Does the private key belong to the leaf?

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use pki_types::PrivateKeyDer;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};

use super::finding::{Finding, FindingCode};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::Position;
use crate::source::key_kind::KeyKind;
use crate::source::passphrase::Passphrase;
use crate::source::private_key;
use crate::source::{Loader, path_name};

/// Where a private key comes from.
pub(super) enum CheckedKey {
    File(PathBuf, Option<Passphrase>),
    Key(String, PrivateKeyDer<'static>),
    Certified(String, Arc<CertifiedKey>),
}

/// A leaf that a key could belong to.
pub(super) struct CheckedLeaf<'c> {
    pub(super) source: &'c str,
    pub(super) certificate: &'c Certificate,
}

impl fmt::Debug for CheckedKey {
    /// Never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckedKey").field(&self.name()).finish()
    }
}

impl CheckedKey {
    fn name(&self) -> String {
        match self {
            Self::File(path, _) => path_name(path),
            Self::Key(source, _) | Self::Certified(source, _) => source.clone(),
        }
    }

    /// What is wrong with the key, given the leaves that it could belong to: it must belong to
    /// one of them.
    pub(super) fn check(
        &self,
        leaves: &[CheckedLeaf<'_>],
        loader: &Loader,
        provider: &CryptoProvider,
    ) -> Option<Finding> {
        let name = self.name();
        let key = match self.load(loader, provider) {
            Ok(key) => key,
            Err(finding) => return Some(finding.with_source(&name)),
        };
        let candidates = leaves.iter().filter(|leaf| match self {
            Self::Certified(own, _) => own == leaf.source,
            _ => true,
        });
        let mut verdicts = Vec::new();
        for leaf in candidates {
            let chain = vec![leaf.certificate.der().clone()];
            match CertifiedKey::new(chain, Arc::clone(&key)).keys_match() {
                Ok(()) => return None,
                Err(error) => verdicts.push((leaf, error)),
            }
        }
        // Leaves that could not be read have findings of their own.
        let (leaf, error) = verdicts.first()?;
        Some(match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                let whose = match verdicts.len() {
                    1 => "the leaf".to_owned(),
                    n => format!("any of the {n} leaves"),
                };
                Finding::new(
                    Severity::Critical,
                    FindingCode::KeyMismatch,
                    format!("the private key {name} does not belong to {whose}: deploy certificate and key of the same order together"),
                )
                .with_source(leaf.source)
                .with_certificate(Position::Leaf, leaf.certificate)
            }
            error => unusable(&format!(
                "it cannot be said whether the private key belongs to the leaf of {} ({error})",
                leaf.source
            ))
            .with_source(&name),
        })
    }

    fn load(
        &self,
        loader: &Loader,
        provider: &CryptoProvider,
    ) -> Result<Arc<dyn SigningKey>, Finding> {
        let der = match self {
            Self::Certified(_, key) => return Ok(Arc::clone(&key.key)),
            Self::Key(_, key) => key.clone_key(),
            Self::File(path, passphrase) => {
                let bytes = loader.read(path).map_err(|failure| {
                    let code = FindingCode::Unreadable;
                    Finding::new(Severity::Critical, code, failure.to_string())
                })?;
                private_key::from_pem_or_der(&bytes, passphrase.as_ref()).map_err(|error| {
                    let code = FindingCode::of_failure(error.reason());
                    Finding::new(Severity::Critical, code, error.to_string())
                })?
            }
        };
        let kind = KeyKind::of(&der);
        let key = provider.key_provider.load_private_key(der);
        key.map_err(|error| {
            unusable(&format!(
                "rustls cannot use the private key: {}",
                kind.refusal(&error)
            ))
        })
    }
}

fn unusable(message: &str) -> Finding {
    Finding::new(
        Severity::Critical,
        FindingCode::KeyUnusable,
        format!(
            "{message}: use a key type that the crypto provider supports, such as one that \
             `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes, and order a certificate for it"
        ),
    )
}
