//! A session that another thread stores while a guard is asked: what is handed out is what was asked about.

use std::fmt;
use std::sync::{Arc, Mutex};

use notafter::verifier::PinnedGrace;
use notafter::{SessionGuard, WatchingServerVerifier};
use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};

use super::{NAME, pin_of, webpki};
use crate::support::pki::{self, Leaf, NOW};
use crate::support::tls::{SetTime, VERSIONS, meet, ring};

type Meanwhile = Box<dyn FnOnce() + Send>;

/// Another thread comes in just before the next session is read.
struct Interrupted {
    inner: ClientSessionMemoryCache,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

impl Interrupted {
    fn let_it_come(&self) {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
    }
}

impl ClientSessionStore for Interrupted {
    fn set_kx_hint(&self, name: ServerName<'static>, group: NamedGroup) {
        self.inner.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<NamedGroup> {
        self.inner.kx_hint(name)
    }

    fn set_tls12_session(&self, name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.inner.set_tls12_session(name, value);
    }

    fn tls12_session(&self, name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.let_it_come();
        self.inner.tls12_session(name)
    }

    fn remove_tls12_session(&self, name: &ServerName<'static>) {
        self.inner.remove_tls12_session(name);
    }

    fn insert_tls13_ticket(&self, name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.inner.insert_tls13_ticket(name, value);
    }

    fn take_tls13_ticket(&self, name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.let_it_come();
        self.inner.take_tls13_ticket(name)
    }
}

fn server(clock: &Arc<SetTime>, leaf: &Leaf) -> Arc<ServerConfig> {
    let mut server = ServerConfig::builder_with_details(ring(), clock.clone())
        .with_protocol_versions(&VERSIONS)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key())
        .unwrap();
    // The store holds what came last.
    server.send_tls13_tickets = 1;
    Arc::new(server)
}

/// The first server's chain passes. While that is looked at, one is met that only a grace lets in.
#[test]
fn a_session_within_a_grace_that_comes_in_between_is_not_handed_out() {
    for version in VERSIONS {
        let root = pki::root("root", -100, 3650);
        let anchors = pki::anchors([&root]);
        let (lasting, ending) = (root.leaf(&[NAME], -90, 90), root.leaf(&[NAME], -90, 0));
        let clock = SetTime::at(NOW.saturating_add(-100));
        let verifier = WatchingServerVerifier::builder(webpki(&anchors))
            .with_leaf_pin(pin_of(&lasting))
            .with_leaf_pin(pin_of(&ending))
            .with_grace(PinnedGrace::from_seconds(600).unwrap())
            .build()
            .unwrap();
        let inner = Arc::new(Interrupted {
            inner: ClientSessionMemoryCache::new(32),
            meanwhile: Mutex::new(None),
        });
        let store = SessionGuard::new(clock.clone()).client(&verifier, inner.clone());
        let mut client = ClientConfig::builder_with_details(ring(), clock.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        client.resumption = Resumption::store(store.clone());
        let client = Arc::new(client);
        assert!(
            meet(&client, &server(&clock, &lasting), NAME)
                .client
                .is_ok()
        );
        clock.set(NOW.saturating_add(1));
        let other = server(&clock, &ending);
        *inner.meanwhile.lock().unwrap() = Some(Box::new(move || {
            assert!(meet(&client, &other, NAME).client.is_ok());
        }));
        let name = ServerName::try_from(NAME).unwrap();
        let handed_out =
            store.tls12_session(&name).is_some() || store.take_tls13_ticket(&name).is_some();
        assert!(!handed_out, "{:?}", version.version);
    }
}
