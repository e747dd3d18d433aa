//! Which sessions are resumed: those under the key that the configuration has.

use std::hash::Hasher;
use std::sync::{Arc, Mutex};

use notafter_rustls_0_24::{EpochInForce, FollowedCredentials, WatchingServerVerifier};
use rustls::HandshakeKind::{Full, Resumed};
use rustls::client::danger::{
    HandshakeSignatureValid, ServerIdentity, ServerVerifier, SignatureVerificationInput,
};
use rustls::client::{
    ClientConfig, ClientSessionKey, ClientSessionMemoryCache, ClientSessionStore, Resumption,
    Tls12Session, Tls13Session,
};
use rustls::crypto::kx::NamedGroup;
use rustls::crypto::{
    Credentials, CryptoProvider, SignatureScheme, SingleCredential, VerifiedIdentity,
};
use rustls::error::Error;
use rustls::server::ServerConfig;

use crate::loopback::begin;
use crate::pki::{NAME, Pki, connect, versions};

/// A store that keeps the keys under which something is stored.
#[derive(Debug)]
struct Keys {
    inner: ClientSessionMemoryCache,
    stored: Mutex<Vec<[u8; 32]>>,
}

impl Keys {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: ClientSessionMemoryCache::new(256),
            stored: Mutex::default(),
        })
    }

    /// Without repetitions.
    fn stored(&self) -> Vec<[u8; 32]> {
        let mut stored = self.stored.lock().unwrap().clone();
        stored.dedup();
        stored
    }
}

impl ClientSessionStore for Keys {
    fn set_kx_hint(&self, key: ClientSessionKey<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(key, group);
    }

    fn kx_hint(&self, key: &ClientSessionKey<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(key)
    }

    fn set_tls12_session(&self, key: ClientSessionKey<'static>, value: Tls12Session) {
        self.stored.lock().unwrap().push(key.config_hash);
        self.inner.set_tls12_session(key, value);
    }

    fn tls12_session(&self, key: &ClientSessionKey<'_>) -> Option<Tls12Session> {
        self.inner.tls12_session(key)
    }

    fn remove_tls12_session(&self, key: &ClientSessionKey<'static>) {
        self.inner.remove_tls12_session(key);
    }

    fn insert_tls13_ticket(&self, key: ClientSessionKey<'static>, value: Tls13Session) {
        self.stored.lock().unwrap().push(key.config_hash);
        self.inner.insert_tls13_ticket(key, value);
    }

    fn take_tls13_ticket(&self, key: &ClientSessionKey<'static>) -> Option<Tls13Session> {
        self.inner.take_tls13_ticket(key)
    }
}

/// A server, and a store that all clients of it share.
struct World {
    provider: Arc<CryptoProvider>,
    pki: Pki,
    server: Arc<ServerConfig>,
    store: Arc<Keys>,
    epoch: Arc<EpochInForce>,
}

impl World {
    fn of(provider: Arc<CryptoProvider>) -> Self {
        let pki = Pki::new();
        Self {
            server: pki.server(&provider, &[]),
            provider,
            pki,
            store: Keys::new(),
            epoch: Arc::default(),
        }
    }

    fn watching(&self) -> Arc<WatchingServerVerifier> {
        let inner = self.pki.webpki(&self.provider);
        Arc::new(WatchingServerVerifier::new(inner, Arc::clone(&self.epoch)))
    }

    fn client(&self, verifier: Arc<dyn ServerVerifier>) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder(Arc::clone(&self.provider)).dangerous();
        let builder = builder.with_custom_certificate_verifier(verifier);
        self.stored(builder.with_no_client_auth().unwrap())
    }

    fn stored(&self, mut config: ClientConfig) -> Arc<ClientConfig> {
        config.resumption = Resumption::store(self.store.clone());
        Arc::new(config)
    }

    fn connect(&self, client: &Arc<ClientConfig>) -> rustls::HandshakeKind {
        connect(&self.server, client).unwrap()
    }
}

#[test]
fn sessions_are_resumed_while_the_epoch_is_the_same_by_another_configuration_too() {
    for world in versions().map(World::of) {
        let verifier = world.watching();
        let client = world.client(verifier.clone());
        assert_eq!(world.connect(&client), Full);
        assert_eq!(world.connect(&client), Resumed);
        assert_eq!(world.connect(&world.client(verifier)), Resumed);
        assert_eq!(world.store.stored().len(), 1);
    }
}

#[test]
fn a_configuration_of_another_epoch_resumes_nothing_of_before() {
    for world in versions().map(World::of) {
        let verifier = world.watching();
        let before = world.client(verifier.clone());
        assert_eq!(world.connect(&before), Full);
        world.epoch.advance();
        let after = world.client(verifier);
        assert_eq!(world.connect(&after), Full);
        assert_eq!(world.connect(&after), Resumed);
        assert_eq!(world.store.stored().len(), 2);
    }
}

/// What a guard around the store is for: the hash is made once, with the configuration.
#[test]
fn a_configuration_goes_on_resuming_where_the_epoch_changes_under_it() {
    for world in versions().map(World::of) {
        let client = world.client(world.watching());
        assert_eq!(world.connect(&client), Full);
        world.epoch.advance();
        assert_eq!(world.connect(&client), Resumed);
        // Until the same verifier is put into it again.
        let mut again = ClientConfig::clone(&client);
        let verifier = Arc::clone(again.verifier());
        again.dangerous().set_certificate_verifier(verifier);
        assert_eq!(world.connect(&Arc::new(again)), Full);
    }
}

#[test]
fn two_wrappers_with_the_same_contents_share_no_session_and_two_verifiers_of_webpki_do() {
    for world in versions().map(World::of) {
        assert_eq!(world.connect(&world.client(world.watching())), Full);
        assert_eq!(world.connect(&world.client(world.watching())), Full);
        let webpki = || world.client(world.pki.webpki(&world.provider));
        assert_eq!(world.connect(&webpki()), Full);
        assert_eq!(world.connect(&webpki()), Resumed);
    }
}

#[test]
fn a_ticket_that_comes_late_lies_with_the_configuration_that_its_connection_began_with() {
    let [provider, _] = versions();
    let world = World::of(provider);
    let verifier = world.watching();
    let before = world.client(verifier.clone());
    let open = begin(&world.server, &before, NAME).unwrap();
    assert!(world.store.stored().is_empty(), "it came early");
    world.epoch.advance();
    let after = world.client(verifier);
    assert_eq!(open.finish(), (Ok(Full), Ok(())));
    assert_eq!(world.store.stored().len(), 1);
    assert_eq!(world.connect(&after), Full);
    assert_eq!(world.store.stored().len(), 2);
}

#[test]
fn a_client_certificate_of_another_epoch_resumes_nothing_of_before() {
    for world in versions().map(World::of) {
        let shown = world.pki.with_intermediate();
        let credentials =
            Credentials::from_der(shown.identity.clone(), shown.key(), &world.provider);
        let single = Arc::new(SingleCredential::from(credentials.unwrap()));
        let identity = Arc::new(EpochInForce::default());
        let resolver = Arc::new(FollowedCredentials::new(single, Arc::clone(&identity)));
        let verifier = world.watching();
        let client = || {
            let builder = ClientConfig::builder(Arc::clone(&world.provider)).dangerous();
            let builder = builder.with_custom_certificate_verifier(verifier.clone());
            let config = builder.with_client_credential_resolver(resolver.clone());
            world.stored(config.unwrap())
        };
        assert_eq!(world.connect(&client()), Full);
        assert_eq!(world.connect(&client()), Resumed);
        identity.advance();
        assert_eq!(world.connect(&client()), Full);
    }
}

/// Verifiers of two types that put nothing into the hash, as one does whose author did not think of it.
macro_rules! silent_verifier {
    ($name:ident) => {
        #[derive(Debug)]
        struct $name(Arc<dyn ServerVerifier>);

        impl ServerVerifier for $name {
            fn verify_identity<'a>(
                &self,
                identity: &ServerIdentity<'a, '_>,
            ) -> Result<VerifiedIdentity<'a>, Error> {
                self.0.verify_identity(identity)
            }

            fn verify_tls12_signature(
                &self,
                input: &SignatureVerificationInput<'_>,
            ) -> Result<HandshakeSignatureValid, Error> {
                self.0.verify_tls12_signature(input)
            }

            fn verify_tls13_signature(
                &self,
                input: &SignatureVerificationInput<'_>,
            ) -> Result<HandshakeSignatureValid, Error> {
                self.0.verify_tls13_signature(input)
            }

            fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
                self.0.supported_verify_schemes()
            }

            fn request_ocsp_response(&self) -> bool {
                false
            }

            fn hash_config(&self, _: &mut dyn Hasher) {}
        }
    };
}

silent_verifier!(OneType);
silent_verifier!(AnotherType);

/// rustls means to tell types apart, and hashes the type of the pointer. Where this fails, it is mended.
#[test]
fn two_types_of_verifiers_that_hash_nothing_share_their_sessions_in_0_24_0_dev_2() {
    for world in versions().map(World::of) {
        let webpki = world.pki.webpki(&world.provider);
        let one = world.client(Arc::new(OneType(webpki.clone())));
        assert_eq!(world.connect(&one), Full);
        let another = world.client(Arc::new(AnotherType(webpki)));
        assert_eq!(world.connect(&another), Resumed);
    }
}
