//! Pins of private keys: only a crypto provider knows their public half.

use rustls::crypto::CryptoProvider;
use rustls::sign::SigningKey;

use crate::pin::{PinSourceError, SpkiPin};
use crate::source::key_kind::KeyKind;
use crate::source::private_key::{self, PrivateKeyError};

impl SpkiPin {
    /// Pins the key that signs, so that it can be announced before there is a certificate
    /// for it.
    ///
    /// # Errors
    /// [`PinSourceError::Key`] where the signing key does not say its public key.
    pub fn from_signing_key(key: &dyn SigningKey) -> Result<Self, PinSourceError> {
        let spki = key.public_key().ok_or_else(|| PinSourceError::Key {
            reason: "it does not say its public key".to_owned(),
        })?;
        Ok(Self::from_spki_der(&spki))
    }

    /// Pins the first private key in a PEM text (PKCS#8, PKCS#1 or SEC1, not encrypted).
    ///
    /// # Errors
    /// [`PinSourceError`] where there is none, or the provider cannot use it.
    pub fn from_private_key_pem(
        pem: &[u8],
        provider: &CryptoProvider,
    ) -> Result<Self, PinSourceError> {
        let key = private_key::from_pem(pem).map_err(|error| match error {
            PrivateKeyError::Missing => PinSourceError::NothingFound,
            PrivateKeyError::Damaged => PinSourceError::Pem {
                reason: "its private key does not decode".to_owned(),
            },
            // No passphrase was given.
            _ => PinSourceError::Key {
                reason: "it is encrypted, decrypt it first".to_owned(),
            },
        })?;
        let kind = KeyKind::of(&key);
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|error| PinSourceError::Key {
            reason: kind.refusal(&error),
        })?;
        Self::from_signing_key(&*key)
    }
}
