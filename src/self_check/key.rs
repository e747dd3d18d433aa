//! Does the private key belong to the leaf?

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use pki_types::PrivateKeyDer;
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};

use super::{Finding, FindingCode};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::Position;
use crate::source::private_key;
use crate::source::{Loader, loader};

/// Where a private key comes from.
pub(super) enum KeySource {
    File(PathBuf),
    Key(String, PrivateKeyDer<'static>),
    Certified(String, Arc<CertifiedKey>),
}

impl fmt::Debug for KeySource {
    /// Never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeySource").field(&self.name()).finish()
    }
}

impl KeySource {
    fn name(&self) -> String {
        match self {
            Self::File(path) => loader::name(path),
            Self::Key(source, _) | Self::Certified(source, _) => source.clone(),
        }
    }

    /// What is wrong with the key, given the leaves that it could belong to: it must belong to
    /// one of them.
    pub(super) fn check(
        &self,
        leaves: &[(&str, &Certificate)],
        loader: &Loader,
        provider: &CryptoProvider,
    ) -> Option<Finding> {
        let name = self.name();
        let key = match self.load(loader, provider) {
            Ok(key) => key,
            Err(finding) => return Some(finding.of_source(&name)),
        };
        let candidates = leaves.iter().filter(|(source, _)| match self {
            Self::Certified(own, _) => own == source,
            _ => true,
        });
        let mut verdicts = Vec::new();
        for (source, leaf) in candidates {
            let chain = vec![leaf.der().clone()];
            match CertifiedKey::new(chain, Arc::clone(&key)).keys_match() {
                Ok(()) => return None,
                Err(error) => verdicts.push((*source, error)),
            }
        }
        // Leaves that could not be read have findings of their own.
        let (source, error) = verdicts.first()?;
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
                .of_source(source)
                .at_position(Some(Position::Leaf))
            }
            error => unusable(&format!(
                "it cannot be said whether the private key belongs to the leaf of {source} ({error})"
            ))
            .of_source(&name),
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
            Self::File(path) => {
                let bytes = loader.read(path).map_err(|failure| {
                    let code = FindingCode::Unreadable;
                    Finding::new(Severity::Critical, code, failure.to_string())
                })?;
                private_key::read(&bytes).map_err(|message| {
                    Finding::new(Severity::Critical, FindingCode::Unreadable, message)
                })?
            }
        };
        provider
            .key_provider
            .load_private_key(der)
            .map_err(|error| unusable(&format!("rustls cannot use the private key: {error}")))
    }
}

fn unusable(message: &str) -> Finding {
    Finding::new(
        Severity::Critical,
        FindingCode::KeyUnusable,
        format!("{message}: use a key type that the crypto provider supports"),
    )
}
