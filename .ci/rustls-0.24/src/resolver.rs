//! A client certificate that is renewed while the client runs, by the traits of rustls 0.24.

use std::hash::Hasher;
use std::sync::Arc;

use rustls::client::{ClientCredentialResolver, CredentialRequest};
use rustls::crypto::SelectedCredential;
use rustls::enums::CertificateType;

use crate::epoch::{EpochInForce, Instance};

/// Resolves as another resolver does, whose credentials have an epoch.
#[derive(Debug)]
pub struct FollowedCredentials {
    inner: Arc<dyn ClientCredentialResolver>,
    instance: Instance,
    epoch: Arc<EpochInForce>,
}

impl FollowedCredentials {
    /// Follows the credentials of this resolver, which are those of this epoch.
    pub fn new(inner: Arc<dyn ClientCredentialResolver>, epoch: Arc<EpochInForce>) -> Self {
        Self {
            inner,
            instance: Instance::new(),
            epoch,
        }
    }
}

impl ClientCredentialResolver for FollowedCredentials {
    fn resolve(&self, request: &CredentialRequest<'_>) -> Option<SelectedCredential> {
        self.inner.resolve(request)
    }

    fn supported_certificate_types(&self) -> &'static [CertificateType] {
        self.inner.supported_certificate_types()
    }

    fn hash_config(&self, hasher: &mut dyn Hasher) {
        self.instance.hash_into(hasher);
        self.epoch.hash_into(hasher);
        self.inner.hash_config(hasher);
    }
}
