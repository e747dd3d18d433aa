//! What a server's session store sees of a client.

use std::sync::{Arc, Mutex};

use notafter_rustls_0_24::StoredClient;
use pki_types::CertificateDer;
use rustls::client::ClientConfig;
use rustls::server::{
    ServerConfig, ServerSessionKey, ServerSessionMemoryCache, StoresServerSessions,
    WebPkiClientVerifier,
};

use crate::pki::{Pki, Shown, connect, versions};

/// What the crate reads sessions of rustls 0.23 by, as it is.
#[path = "../../../../src/session/certificate_list.rs"]
mod certificate_list;

/// Keeps what it is given to store.
#[derive(Debug)]
struct Keeping {
    inner: Arc<ServerSessionMemoryCache>,
    sessions: Mutex<Vec<Vec<u8>>>,
}

impl StoresServerSessions for Keeping {
    fn put(&self, key: ServerSessionKey<'_>, value: Vec<u8>) -> bool {
        self.sessions.lock().unwrap().push(value.clone());
        self.inner.put(key, value)
    }

    fn get(&self, key: ServerSessionKey<'_>) -> Option<Vec<u8>> {
        self.inner.get(key)
    }

    fn take(&self, key: ServerSessionKey<'_>) -> Option<Vec<u8>> {
        self.inner.take(key)
    }

    fn can_cache(&self) -> bool {
        self.inner.can_cache()
    }
}

/// The sessions, of both versions, that a server stores of a client that shows this, or nothing.
fn stored_of(pki: &Pki, client: Option<&Shown>) -> Vec<Vec<u8>> {
    let sessions = versions().map(|provider| {
        let verifier = WebPkiClientVerifier::builder(pki.roots(), &provider);
        let verifier = Arc::new(verifier.allow_unauthenticated().build().unwrap());
        let builder = ServerConfig::builder(Arc::clone(&provider));
        let builder = builder.with_client_cert_verifier(verifier);
        let mut server = pki.shown_by(builder, &[]);
        let store = Arc::new(Keeping {
            inner: ServerSessionMemoryCache::new(8),
            sessions: Mutex::default(),
        });
        server.session_storage = store.clone();
        let builder = ClientConfig::builder(provider).with_root_certificates(pki.roots());
        let config = match client {
            Some(shown) => builder.with_client_auth_cert(shown.identity.clone(), shown.key()),
            None => builder.with_no_client_auth(),
        };
        connect(&Arc::new(server), &Arc::new(config.unwrap())).unwrap();
        store.sessions.lock().unwrap().clone()
    });
    assert!(sessions.iter().all(|of_version| !of_version.is_empty()));
    sessions.into_iter().flatten().collect()
}

#[test]
fn a_stored_session_holds_its_client_as_an_identity() {
    let pki = Pki::new();
    for client in [pki.with_intermediate(), pki.without_intermediate()] {
        for session in stored_of(&pki, Some(&client)) {
            let shown = client.chain.iter().map(AsRef::as_ref).collect();
            assert_eq!(StoredClient::of(&session), Some(StoredClient::X509(shown)));
        }
    }
    for session in stored_of(&pki, None) {
        let client = StoredClient::of(&session);
        assert_eq!(client, Some(StoredClient::Anonymous));
    }
}

/// Why the guard of servers must not meet rustls 0.24 with the reader of today.
#[test]
fn the_reader_of_0_23_takes_an_intermediate_for_the_client_and_others_for_anonymous() {
    let pki = Pki::new();
    for session in stored_of(&pki, Some(&pki.with_intermediate())) {
        let found = certificate_list::client_certificates(&session).unwrap();
        assert_eq!(found, [CertificateDer::from(pki.intermediate().as_ref())]);
    }
    for session in stored_of(&pki, Some(&pki.without_intermediate())) {
        assert_eq!(certificate_list::client_certificates(&session), None);
    }
}
