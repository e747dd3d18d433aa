//! What a newcomer forgets is said, and what saves them lines does what it says: over real handshakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notafter::config::{
    ClientConfigBuilderExt as _, ReloadingCertExt as _, ServerConfigBuilderExt as _,
};
use notafter::pin::SwappablePins;
use notafter::session::{PinnedClient, guard_client_config, guard_server_config};
use notafter::testing::TestCa;
use notafter::verifier::{UnguardedSessions, VerifierBuildError, WatchingVerifierBuilder};
use notafter::{
    Event, EventCode, PinSet, PinnedClientConfigs, ReloadingKey, Severity, SpkiPin, Timestamp,
    TrustAnchors, WatchingClientVerifier, WatchingServerVerifier,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore, ServerConfig};

use crate::support::pki::{self, Ca, Leaf, NOW};
use crate::support::tls::{Met, Recorder, SetTime, VERSIONS, meet, ring};

const NAME: &str = "host.example";

struct World {
    root: Ca,
    server: Leaf,
    client: Leaf,
    clock: Arc<SetTime>,
    events: Arc<Recorder>,
}

fn world() -> World {
    let root = pki::root("Private Root", -100, 3650);
    World {
        server: root.leaf(&[NAME], -1, 300),
        client: root.leaf(&["client.example"], -1, 300),
        root,
        clock: SetTime::at(NOW),
        events: Arc::new(Recorder::default()),
    }
}

fn only(leaf: &Leaf) -> PinSet {
    let pin = SpkiPin::from_certificate(&leaf.certificate());
    PinSet::builder().with_current(pin).build().unwrap()
}

impl World {
    fn roots(&self) -> Arc<RootCertStore> {
        Arc::new(RootCertStore::from(&pki::anchors([&self.root])))
    }

    fn inner(&self) -> Arc<WebPkiServerVerifier> {
        let inner = WebPkiServerVerifier::builder_with_provider(self.roots(), ring());
        inner.build().unwrap()
    }

    /// A wrapper of servers by these anchors, that tells.
    fn servers(&self, anchors: TrustAnchors) -> WatchingVerifierBuilder<dyn ServerCertVerifier> {
        WatchingServerVerifier::builder(self.inner())
            .with_provider(ring())
            .with_trust_anchors(anchors)
            .with_observer(self.events.clone())
    }

    /// A client as rustls makes it, which shows its certificate.
    fn client(&self, verifier: &Arc<WatchingServerVerifier>) -> ClientConfig {
        ClientConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&VERSIONS)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_client_auth_cert(vec![self.client.der.clone()], self.client.key.clone_key())
            .unwrap()
    }

    /// A server as rustls makes it, which asks nobody who it is.
    fn server(&self, leaf: &Leaf) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_details(ring(), self.clock.clone())
            .with_protocol_versions(&VERSIONS)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der.clone()], leaf.key.clone_key());
        Arc::new(config.unwrap())
    }

    fn told(&self) -> Vec<(EventCode, Severity)> {
        let events = self.events.take();
        events.iter().map(|e| (e.code, e.severity)).collect()
    }
}

fn is_met(met: &Met) -> bool {
    met.client.is_ok() && met.server.is_ok()
}

const UNGUARDED: (EventCode, Severity) = (EventCode::SessionsUnguarded, Severity::Warning);

#[test]
fn a_client_with_pins_and_without_a_guard_says_so_once() {
    let world = world();
    let server = world.server(&world.server);
    let pinned = || {
        let verifier = world.servers(pki::anchors([&world.root]));
        verifier.with_pin_set(only(&world.server))
    };
    let unguarded = pinned().build().unwrap();
    let client = Arc::new(world.client(&unguarded));
    for _ in 0..3 {
        assert!(is_met(&meet(&client, &server, NAME)));
    }
    let told = world.events.take();
    let [event]: [Event; 1] = told.try_into().unwrap();
    assert_eq!((event.code, event.severity), UNGUARDED);
    assert_eq!(
        event.message,
        "host.example fits the pins, but nobody guards the sessions: rustls resumes them without asking, also after \
         the pins changed; build the configuration by with_watching_verifier, or put a SessionGuard before its \
         session store"
    );

    let guarded = pinned().build().unwrap();
    let mut client = world.client(&guarded);
    guard_client_config(&mut client, &guarded);
    assert!(is_met(&meet(&Arc::new(client), &server, NAME)));
    assert_eq!(world.told(), []);

    let meant = pinned().with_unguarded_sessions(UnguardedSessions::Accept);
    let client = Arc::new(world.client(&meant.build().unwrap()));
    assert!(is_met(&meet(&client, &server, NAME)));
    assert_eq!(world.told(), []);

    let without_pins = world.servers(pki::anchors([&world.root])).build().unwrap();
    let client = Arc::new(world.client(&without_pins));
    assert!(is_met(&meet(&client, &server, NAME)));
    assert_eq!(world.told(), []);
}

#[test]
fn a_server_with_pins_and_without_a_guard_says_so_once() {
    let world = world();
    let servers = world.servers(pki::anchors([&world.root])).build().unwrap();
    let client = Arc::new(world.client(&servers));
    for guarded in [false, true] {
        let inner = WebPkiClientVerifier::builder_with_provider(world.roots(), ring());
        let clients = WatchingClientVerifier::builder(inner.build().unwrap())
            .with_pin_set(only(&world.client))
            .with_observer(world.events.clone())
            .build()
            .unwrap();
        let mut server = ServerConfig::builder_with_details(ring(), world.clock.clone())
            .with_protocol_versions(&VERSIONS)
            .unwrap()
            .with_client_cert_verifier(clients.clone())
            .with_single_cert(vec![world.server.der.clone()], world.server.key.clone_key())
            .unwrap();
        if guarded {
            guard_server_config(&mut server, &clients);
        }
        let server = Arc::new(server);
        for _ in 0..2 {
            assert!(is_met(&meet(&client, &server, NAME)));
        }
        assert_eq!(world.told(), if guarded { vec![] } else { vec![UNGUARDED] });
    }
}

#[test]
fn anchors_that_do_not_lead_to_what_was_accepted_are_told_once() {
    let world = world();
    let public = pki::root("Public Root", -100, 3650);
    let verifier = world.servers(pki::anchors([&public])).build().unwrap();
    let (client, server) = (world.client(&verifier), world.server(&world.server));
    let client = Arc::new(client);
    for _ in 0..3 {
        assert!(is_met(&meet(&client, &server, NAME)));
    }
    // Another server of the same private CA is no more news.
    let other = world.server(&world.root.leaf(&[NAME], -1, 200));
    assert!(is_met(&meet(&client, &other, NAME)));
    let [event]: [Event; 1] = world.events.take().try_into().unwrap();
    assert_eq!(event.code, EventCode::AnchorsDoNotLead);
    assert_eq!(event.severity, Severity::Warning);
    assert_eq!(
        event.message,
        "host.example was accepted, but not by the trust anchors that the wrapper was given, so nobody knows until \
         when its chain verifies: give with_trust_anchors those of the inner verifier (the issuer of leaf, \
         'Private Root', is neither among the certificates given nor among the 1 trust anchors: add its certificate \
         to the chain, or trust its root)"
    );
}

#[test]
fn a_wrapper_that_would_do_nothing_is_not_built() {
    let world = world();
    let nothing = WatchingServerVerifier::builder(world.inner()).build();
    assert_eq!(nothing.err(), Some(VerifierBuildError::NothingToDo));
    let sessions = WatchingServerVerifier::builder(world.inner());
    let age = std::time::Duration::from_secs(60);
    assert!(sessions.with_trust_age(age).build().is_ok());
    let tells = WatchingServerVerifier::builder(world.inner());
    assert!(tells.with_observer(world.events.clone()).build().is_ok());
}

/// From nothing: anchors, default policy, the process's logger, guarded sessions.
#[test]
fn one_line_watches_by_mozillas_anchors_and_tells_the_processs_logger() {
    assert!(notafter::observer::process_logger().is_some());
    let world = world();
    let config = ClientConfig::builder_with_details(ring(), world.clock.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_watched_mozilla_anchors()
        .unwrap()
        .with_no_client_auth();
    let met = meet(&Arc::new(config), &world.server(&world.server), NAME);
    assert_eq!(
        met.client.err(),
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    );
}

#[test]
fn a_pooled_client_is_dropped_with_the_pins_that_it_was_made_under() {
    let world = world();
    let pins = Arc::new(SwappablePins::new(only(&world.server)));
    let verifier = world
        .servers(pki::anchors([&world.root]))
        .with_pins(pins.clone())
        .build()
        .unwrap();
    let configs = PinnedClientConfigs::new(verifier, |verifier| {
        Ok::<_, Error>(
            ClientConfig::builder_with_provider(ring())
                .with_safe_default_protocol_versions()?
                .with_watching_verifier(&verifier)
                .with_no_client_auth(),
        )
    });
    assert!(!configs.changed());
    let first = configs.current().unwrap();
    assert!(!configs.changed());

    // In the place of an HTTP client: how many there were, and what each was made of.
    let made = AtomicUsize::new(0);
    let client = PinnedClient::new(configs, move |config| {
        let number = made.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new((number, config)))
    });
    let pooled = client.current().unwrap();
    assert_eq!(pooled.0, 0);
    assert!(Arc::ptr_eq(&pooled.1, &first));
    assert!(Arc::ptr_eq(&client.current().unwrap(), &pooled));

    let before = Arc::downgrade(&pooled);
    drop(pooled);
    pins.replace(only(&world.client));
    let anew = client.current().unwrap();
    assert_eq!(anew.0, 1);
    assert!(!Arc::ptr_eq(&anew.1, &first));
    assert!(before.upgrade().is_none(), "the pool of before is kept");
    assert!(Arc::ptr_eq(&client.current().unwrap(), &anew));
}

#[test]
fn configurations_say_that_they_have_changed() {
    let world = world();
    let pins = Arc::new(SwappablePins::new(only(&world.server)));
    let verifier = world
        .servers(pki::anchors([&world.root]))
        .with_pins(pins.clone());
    let configs = PinnedClientConfigs::new(verifier.build().unwrap(), |verifier| {
        Ok::<_, Error>(
            ClientConfig::builder_with_provider(ring())
                .with_safe_default_protocol_versions()?
                .with_watching_verifier(&verifier)
                .with_no_client_auth(),
        )
    });
    configs.current().unwrap();
    pins.replace(only(&world.client));
    assert!(configs.changed());
    configs.current().unwrap();
    assert!(!configs.changed());
}

#[test]
fn a_reloading_key_makes_a_server_that_shows_the_renewed_pair() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let deploy = |leaf: &Leaf| {
        std::fs::write(&chain, pki::pem_bundle([&leaf.der])).unwrap();
        let der = leaf.key.secret_der();
        std::fs::write(&key, pki::pem("PRIVATE KEY", der)).unwrap();
    };
    deploy(&world.server);
    let reloading = ReloadingKey::builder()
        .with_pair(&chain, &key)
        .with_provider(ring())
        .with_clock(world.clock.clone())
        .build()
        .unwrap();
    let server = Arc::new(reloading.clone().into_server_config().unwrap());
    let verifier = world.servers(pki::anchors([&world.root])).build().unwrap();
    let client = Arc::new(world.client(&verifier));
    let shown = |met: Met| {
        let client = met.client.unwrap();
        client.peer_certificates().unwrap()[0].clone()
    };
    assert_eq!(shown(meet(&client, &server, NAME)), world.server.der);
    let renewed = world.root.leaf(&[NAME], 0, 300);
    deploy(&renewed);
    assert_eq!(reloading.reload_now().swapped, 1);
    let client = Arc::new(world.client(&verifier));
    assert_eq!(shown(meet(&client, &server, NAME)), renewed.der);
}

/// With what is valid by the real clock.
#[test]
fn one_line_serves_a_pair_that_is_fit_and_watches_it() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    let now = Timestamp::from(std::time::SystemTime::now());
    let (from, to) = (now.saturating_add(-86_400), now.saturating_add(86_400 * 80));
    let ca = TestCa::root("Private Root", from, to).unwrap();
    let pair = ca.leaf(&[NAME], from, to).unwrap();
    std::fs::write(&chain, pair.chain_pem()).unwrap();
    std::fs::write(&key, pair.key_pem()).unwrap();
    let server = || {
        let builder = ServerConfig::builder_with_provider(ring());
        builder.with_safe_default_protocol_versions().unwrap()
    };
    let verifier = WatchingServerVerifier::for_anchors_with_provider(ca.anchors(), ring()).unwrap();
    let client = ClientConfig::builder_with_provider(ring())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_watching_verifier(&verifier.build().unwrap())
        .with_client_auth_cert(pair.chain(), pair.key())
        .unwrap();
    let client = Arc::new(client);

    let open = server().with_no_client_auth();
    let open = open.with_reloading_cert(&chain, &key).unwrap();
    assert!(is_met(&meet(&client, &Arc::new(open), NAME)));

    let clients = WatchingClientVerifier::for_anchors_with_provider(ca.anchors(), ring()).unwrap();
    let asking = server().with_watching_client_verifier(&clients.build().unwrap());
    let asking = asking.with_reloading_cert(&chain, &key).unwrap();
    assert!(is_met(&meet(&client, &Arc::new(asking), NAME)));

    let other = ca.leaf(&[NAME], from, to).unwrap();
    std::fs::write(&key, other.key_pem()).unwrap();
    let refused = server().with_no_client_auth();
    let refused = refused.with_reloading_cert(&chain, &key).unwrap_err();
    assert!(refused.to_string().contains("tls.key"), "{refused}");
}
