//! What a server's guard stores, and what it relies on of rustls's sessions.

use std::sync::{Arc, Mutex};

use notafter::SessionGuard;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier as _;
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions};

use super::servers::world;
use super::{KEEPINGS, Keeping, NAME, Wire, optional_clients, watching_clients, webpki_of_clients};
use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature_of_clients, meet_client};
use crate::support::tls::{VERSIONS, meet, ring};

/// A session as rustls lays it out, of a client that presented this chain; of an anonymous one
/// without.
pub fn session(chain: &[&CertificateDer<'_>]) -> Vec<u8> {
    let mut session = vec![0, 3, 3, 0xc0, 0x2b, 48];
    session.extend([0x5a; 48]);
    session.push(1);
    session.push(u8::from(!chain.is_empty()));
    if !chain.is_empty() {
        session.extend(list_of(chain));
    }
    session.extend([0; 15]);
    session
}

/// `certificate_list<0..2^24-1>` (RFC 5246, 7.4.2).
fn list_of(chain: &[&CertificateDer<'_>]) -> Vec<u8> {
    let with_length = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[1..], bytes].concat()
    };
    let each: Vec<_> = chain.iter().map(|der| with_length(der)).collect();
    with_length(&each.concat())
}

#[test]
fn what_never_proved_itself_is_not_stored() {
    let world = world();
    for (inner, takes_anonymous) in [
        (webpki_of_clients(&world.anchors), false),
        (optional_clients(&world.anchors), true),
    ] {
        let wire = Wire::at(VERSIONS[0], NOW);
        let inner = any_signature_of_clients(inner);
        let verifier = watching_clients(inner, None);
        let guard = SessionGuard::new(wire.clock.clone());
        let store = guard.server(&verifier, ServerSessionMemoryCache::new(16));
        let now = pki::now();
        let of_client = session(&[&world.lasting.der]);
        assert!(!store.put(b"a".to_vec(), of_client.clone()), "never met");
        let (leaf, rest) = (&world.lasting.der, []);
        verifier.verify_client_cert(leaf, &rest, now).unwrap();
        assert!(!store.put(b"b".to_vec(), of_client.clone()), "no proof");
        meet_client(&*verifier, (leaf, &rest), now).unwrap();
        assert!(store.put(b"c".to_vec(), of_client.clone()), "proven");
        for (key, expected) in [(b"a", None), (b"b", None), (b"c", Some(of_client))] {
            assert_eq!(store.get(key), expected);
        }
        let anonymous = session(&[]);
        assert_eq!(store.put(b"d".to_vec(), anonymous), takes_anonymous);
        assert_eq!(store.get(b"d").is_some(), takes_anonymous);
    }
}

#[test]
fn a_session_of_another_guard_or_of_the_future_is_not_opened() {
    let world = world();
    let wire = Wire::at(VERSIONS[0], NOW);
    let inner = any_signature_of_clients(webpki_of_clients(&world.anchors));
    let verifier = watching_clients(inner, None);
    let cache = ServerSessionMemoryCache::new(16);
    let guard = |verifier| SessionGuard::new(wire.clock.clone()).server(verifier, cache.clone());
    let (one, other) = (guard(&verifier), guard(&verifier));
    meet_client(&*verifier, (&world.lasting.der, &[]), pki::now()).unwrap();
    let session = session(&[&world.lasting.der]);
    for key in [b"a", b"b"] {
        assert!(one.put(key.to_vec(), session.clone()));
    }
    assert_eq!(other.get(b"a"), None);
    assert_eq!(one.get(b"b"), Some(session));
    wire.clock.set(NOW.saturating_add(-1));
    assert_eq!(one.get(b"b"), None, "it was stored a second later");
}

#[test]
fn an_anonymous_client_is_resumed_where_it_may_be_anonymous() {
    let world = world();
    for version in VERSIONS {
        for keeping in KEEPINGS {
            let wire = Wire::at(version, NOW.saturating_add(-100));
            let verifier = watching_clients(optional_clients(&world.anchors), None);
            let server = wire.mutual(&verifier, &world.own, keeping);
            let label = format!("{} {keeping:?}", wire.label());
            let anonymous = wire.presenting(&world.anchors, None, &[]);
            assert!(!meet(&anonymous, &server, NAME).resumed(), "{label}");
            assert!(meet(&anonymous, &server, NAME).resumed(), "{label}");
            // Who gave a certificate there is held to it.
            let ending = wire.presenting(&world.anchors, Some(&world.ending), &[]);
            assert!(!meet(&ending, &server, NAME).resumed(), "{label}");
            assert!(meet(&ending, &server, NAME).resumed(), "{label}");
            wire.clock.set(NOW.saturating_add(1));
            let met = meet(&ending, &server, NAME);
            assert!(met.server.is_err(), "{label}");
            assert!(meet(&anonymous, &server, NAME).resumed(), "{label}");
        }
    }
}

/// What a guard of ours sees of sessions, in a store and in tickets.
#[derive(Debug)]
struct Watched<I> {
    inner: I,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl StoresServerSessions for Watched<Arc<ServerSessionMemoryCache>> {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.seen.lock().unwrap().push(value.clone());
        self.inner.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.inner.take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl ProducesTickets for Watched<Arc<dyn ProducesTickets>> {
    fn enabled(&self) -> bool {
        self.inner.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.inner.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seen.lock().unwrap().push(plain.to_vec());
        self.inner.encrypt(plain)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.inner.decrypt(cipher)
    }
}

/// All that the guards rely on of rustls's layout. Before the list only names, numbers and a secret
/// of 48 bytes stand, so that nobody can put another list there.
#[test]
fn a_session_of_rustls_holds_its_clients_certificate_list() {
    let root = pki::root("root", -100, 3650);
    let issuing = root.intermediate("issuing", -100, 3650);
    let anchors = pki::anchors([&root]);
    let own = root.leaf(&[NAME], -90, 300);
    let client = issuing.leaf(&["client"], -90, 300);
    for version in VERSIONS {
        for keeping in KEEPINGS {
            let wire = Wire::at(version, NOW);
            let seen = Arc::new(Mutex::new(Vec::new()));
            let mut config = rustls::ServerConfig::builder_with_details(ring(), wire.clock.clone())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_client_cert_verifier(optional_clients(&anchors))
                .with_single_cert(vec![own.der.clone()], own.key.clone_key())
                .unwrap();
            match keeping {
                Keeping::Store => {
                    config.session_storage = Arc::new(Watched {
                        inner: ServerSessionMemoryCache::new(16),
                        seen: seen.clone(),
                    });
                }
                Keeping::Tickets => {
                    config.ticketer = Arc::new(Watched {
                        inner: rustls::crypto::ring::Ticketer::new().unwrap(),
                        seen: seen.clone(),
                    });
                }
            }
            let server = Arc::new(config);
            let label = format!("{} {keeping:?}", wire.label());
            let list = list_of(&[&client.der, &issuing.der]);
            let rest = [issuing.der.clone()];
            for (own, expected) in [(Some(&client), true), (None, false)] {
                let presenting = wire.presenting(&anchors, own, &rest);
                assert!(meet(&presenting, &server, NAME).server.is_ok(), "{label}");
                let sessions = std::mem::take(&mut *seen.lock().unwrap());
                assert!(!sessions.is_empty(), "{label}");
                for session in sessions {
                    let start = memchr::memmem::find(&session, &list);
                    assert_eq!(start.is_some(), expected, "{label}");
                    let before = start.map_or(0, |start| start - NAME.len());
                    assert!(before <= 60, "{label}: {before} bytes");
                }
            }
        }
    }
}

/// What is no certificate in a chain hides the list by which the session is judged, so that the client
/// passes for an anonymous one; or holds another one's list, by which it is judged then.
#[test]
fn a_client_with_junk_in_its_chain_is_not_resumed_after_its_end() {
    let root = pki::root("root", -100, 3650);
    let anchors = pki::anchors([&root]);
    let own = root.leaf(&[NAME], -90, 300);
    let ending = root.leaf(&["ending"], -90, 0);
    let lasting = root.leaf(&["lasting"], -90, 300);
    let mut wrong = Vec::new();
    for (label, inner, junk) in [
        ("hidden", optional_clients(&anchors), vec![0x31, 0]),
        ("short", optional_clients(&anchors), vec![0x30, 0]),
        (
            "replaced",
            webpki_of_clients(&anchors),
            list_of(&[&lasting.der]),
        ),
    ] {
        for version in VERSIONS {
            for keeping in KEEPINGS {
                let wire = Wire::at(version, NOW.saturating_add(-100));
                let verifier = watching_clients(inner.clone(), None);
                let server = wire.mutual(&verifier, &own, keeping);
                let good = wire.presenting(&anchors, Some(&lasting), &[]);
                assert!(meet(&good, &server, NAME).server.is_ok());
                let junk = [CertificateDer::from(junk.clone())];
                let client = wire.presenting(&anchors, Some(&ending), &junk);
                let label = format!("{label} {} {keeping:?}", wire.label());
                assert!(meet(&client, &server, NAME).server.is_ok(), "{label}");
                wire.clock.set(NOW.saturating_add(100));
                let met = meet(&client, &server, NAME);
                if met.server.is_ok() {
                    wrong.push(format!("{label}: resumed {}", met.resumed()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
