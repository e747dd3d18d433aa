//! Pins in verifiers: verified paths, life cycle, the two relaxations, sessions, and other tools.

mod between;
mod command;
mod grace;
pub mod life;
mod paths;
mod pin_only;
mod sessions;
mod story;
mod watched;

use std::sync::Arc;

use notafter::pin::{Pin, PinError, PinPosition, PinState};
use notafter::verifier::UnguardedSessions;
use notafter::verifier::WatchingVerifierBuilder;
use notafter::{
    EventCode, PinSet, SpkiPin, Timestamp, TrustAnchors, WatchingServerVerifier, pin_error,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{Error, RootCertStore};

pub use self::life::Changing;
pub use crate::support::agreeable::Agreeable;
use crate::support::pki::{Ca, Leaf};
use crate::support::proof::{any_signature, meet_server};
use crate::support::tls::{Recorder, ring};

pub const NAME: &str = "service.example";

pub fn webpki(anchors: &TrustAnchors) -> Arc<dyn ServerCertVerifier> {
    let roots = Arc::new(RootCertStore::from(anchors));
    WebPkiServerVerifier::builder_with_provider(roots, ring())
        .build()
        .unwrap()
}

pub fn pin_of(leaf: &Leaf) -> SpkiPin {
    SpkiPin::from_certificate(&leaf.certificate())
}

pub fn pin_of_ca(ca: &Ca) -> SpkiPin {
    SpkiPin::from_certificate(&ca.certificate())
}

/// A set of one pin at this position.
pub fn pinned(pin: SpkiPin, position: PinPosition) -> PinSet {
    let pin = Pin::new(pin, PinState::Current).with_position(position);
    PinSet::builder().with_pin(pin).build().unwrap()
}

/// A verifier with everything that a test looks at.
pub struct Scene {
    pub verifier: Arc<WatchingServerVerifier>,
    pub recorder: Arc<Recorder>,
}

impl Scene {
    pub fn new(
        inner: Arc<dyn ServerCertVerifier>,
        anchors: &TrustAnchors,
        add: impl FnOnce(
            WatchingVerifierBuilder<dyn ServerCertVerifier>,
        ) -> WatchingVerifierBuilder<dyn ServerCertVerifier>,
    ) -> Self {
        let recorder = Arc::new(Recorder::default());
        let builder = WatchingServerVerifier::builder(any_signature(inner))
            .with_provider(ring())
            .with_trust_anchors(anchors.clone())
            .with_observer(recorder.clone())
            .with_unguarded_sessions(UnguardedSessions::Accept);
        Self {
            verifier: add(builder).build().unwrap(),
            recorder,
        }
    }

    pub fn pinned(anchors: &TrustAnchors, set: PinSet) -> Self {
        Self::new(webpki(anchors), anchors, |builder| {
            builder.with_pin_set(set)
        })
    }

    pub fn verify(&self, chain: &[&CertificateDer<'static>], now: Timestamp) -> Result<(), Error> {
        let rest: Vec<_> = chain[1..].iter().map(|der| (*der).clone()).collect();
        let name = ServerName::try_from(NAME).unwrap();
        let now = now.to_unix_time().unwrap();
        meet_server(&*self.verifier, (chain[0], &rest), &name, &[], now)
    }

    /// The codes of what was told since the last time.
    pub fn codes(&self) -> Vec<EventCode> {
        let events = self.recorder.take();
        events.iter().map(|event| event.code).collect()
    }
}

pub fn refusal(result: &Result<(), Error>) -> Option<&PinError> {
    result.as_ref().err().and_then(pin_error)
}
