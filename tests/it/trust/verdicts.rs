//! Verdicts that are remembered, and the trust that they rest on.

use std::sync::Arc;
use std::time::Duration;

use notafter::WatchingServerVerifier;
use notafter::verifier::{ReloadingServerVerifier, VerdictCache};
use rustls::{CertificateError, Error};

use super::scene::{ClientSessions, NAME, Scene, at};
use crate::support::tls::{VERSIONS, ring};

#[test]
fn a_verdict_does_not_outlive_the_trust_that_it_rests_on() {
    for version in VERSIONS {
        let scene = Scene::new();
        let anchors = scene.anchors(&[&scene.a, &scene.b]);
        let inner = ReloadingServerVerifier::builder(anchors.clone())
            .with_provider(ring())
            .build()
            .unwrap();
        let cached = VerdictCache::builder(inner.clone())
            .with_ttl(Duration::from_secs(3600))
            .with_trust_in_force(inner.clone())
            .build()
            .unwrap();
        let verifier = WatchingServerVerifier::builder(cached)
            .with_provider(ring())
            .with_trust_in_force(inner)
            .build()
            .unwrap();
        // Each configuration begins afresh, so that verdicts alone are remembered.
        let client = |verifier: &Arc<WatchingServerVerifier>| {
            scene.client(version, verifier.renewed(), ClientSessions::Guard)
        };
        let server = scene.server_with(version, &scene.a.leaf(&[NAME], -10, 90));
        for _ in 0..2 {
            assert!(client(&verifier).meet(&server).client.is_ok());
        }
        scene.replace("ca.pem", Scene::bundle(&[&scene.b]));
        assert!(anchors.poll(at(10)).is_swapped);
        assert_eq!(
            client(&verifier).meet(&server).client.unwrap_err(),
            Error::InvalidCertificate(CertificateError::UnknownIssuer)
        );
    }
}
