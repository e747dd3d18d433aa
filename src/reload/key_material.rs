//! A pair as the application or its own source has it: an edge, for a key may be one of rustls's
//! signers.

use std::fmt;
use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;

use super::contents::{ChainContents, KeyBytes, KeyContents};
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
use crate::source::passphrase::Passphrase;

/// One certificate chain with its private key, in memory: what is pushed with
/// [`ReloadingKey::set`](super::ReloadingKey::set), and what a [`KeySource`](super::KeySource) gives.
///
/// It is only taken for what it is once it is served: nothing is checked before. Nothing of it is printed.
#[derive(Clone)]
#[must_use]
pub struct KeyMaterial {
    pub(super) chain: ChainContents,
    pub(super) key: KeyContents,
    /// What signs, where the key stays elsewhere.
    pub(super) signer: Option<Arc<dyn SigningKey>>,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<Vec<u8>>,
}

impl KeyMaterial {
    /// The bytes of the chain, leaf first (PEM, or the DER of a leaf alone), and those of the key (PEM
    /// or DER: PKCS#8, PKCS#1 or SEC1), as they would lie in [`KeyFiles`](super::KeyFiles).
    ///
    /// # How do I make it of what Vault's PKI engine answered?
    /// ```
    /// use notafter::reload::KeyMaterial;
    /// # fn issued(certificate: &str, ca_chain: &[String], private_key: &str) -> KeyMaterial {
    /// let chain = [certificate.to_owned(), ca_chain.join("\n")].join("\n");
    /// KeyMaterial::new(chain, private_key)
    /// # }
    /// ```
    pub fn new(chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        let key = KeyContents::Encoded {
            bytes: KeyBytes::new(key.into()),
            passphrase: None,
        };
        let chain = ChainContents::Encoded {
            bytes: chain.into(),
            passphrase: None,
        };
        Self::from_parts(chain, key, None)
    }

    /// The certificates one by one, leaf first, and the key, all in DER: an X.509-SVID of the SPIFFE Workload API, for
    /// example.
    pub fn from_der(
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
        key: &PrivateKeyDer<'_>,
    ) -> Self {
        let chain = ChainContents::Certificates(chain.into_iter().collect());
        let key = KeyContents::Encoded {
            bytes: KeyBytes::new(key.secret_der().to_vec()),
            passphrase: None,
        };
        Self::from_parts(chain, key, None)
    }

    /// The certificates one by one, leaf first, and what signs for them: a key that never leaves its
    /// token or its service (PKCS#11, a KMS, a TPM).
    ///
    /// The signer signs in every full handshake, and once when it is taken, as proof that it belongs to
    /// the leaf. Another one for the same chain and key takes over without a word, so that a connection
    /// that was lost may be made anew.
    pub fn from_signer(
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
        signer: Arc<dyn SigningKey>,
    ) -> Self {
        let chain = ChainContents::Certificates(chain.into_iter().collect());
        let spki = signer.public_key();
        let key = KeyContents::Elsewhere(spki.map(|spki| spki.as_ref().to_vec()));
        Self::from_parts(chain, key, Some(signer))
    }

    /// Opens the key with this passphrase, where it is encrypted (PKCS#8 with PBES2, under the feature
    /// `encrypted-keys`), and both where they are containers, as
    /// [`KeyFiles::with_passphrase`](super::KeyFiles::with_passphrase) does.
    #[cfg(any(feature = "containers", feature = "encrypted-keys"))]
    pub fn with_passphrase(mut self, opens: Passphrase) -> Self {
        if let ChainContents::Encoded { passphrase, .. } = &mut self.chain {
            *passphrase = Some(opens.clone());
        }
        if let KeyContents::Encoded { passphrase, .. } = &mut self.key {
            *passphrase = Some(opens);
        }
        self
    }

    /// The OCSP response to staple, in DER. It is served while it is good.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, response: impl Into<Vec<u8>>) -> Self {
        self.staple = Some(response.into());
        self
    }

    fn from_parts(
        chain: ChainContents,
        key: KeyContents,
        signer: Option<Arc<dyn SigningKey>>,
    ) -> Self {
        Self {
            chain,
            key,
            signer,
            #[cfg(feature = "ocsp")]
            staple: None,
        }
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMaterial").finish_non_exhaustive()
    }
}
