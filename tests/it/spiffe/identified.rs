//! Identities of the application's own, peers that have none, and those that did not prove theirs.

use std::sync::Arc;

use notafter::identity::{IdentityError, PeerIdentity, SpiffeIdentities};
use notafter::pin::PinScope;
use notafter::verifier::{PinnedGrace, UnidentifiedPeers, identity_error};
use notafter::{Certificate, EventCode, PinSet, Severity, SpkiPin, WatchingServerVerifier};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;

use super::scene::{NAME, Scene, at, svid, svid_until};
use crate::support::pki::{self, NOW};
use crate::support::proof::{any_signature, meet_server, signature};
use crate::support::tls::{Recorder, VERSIONS, meet, ring};

const DB: &str = "spiffe://prod.example/db";

fn first_email(leaf: &Certificate) -> Result<PeerIdentity, IdentityError> {
    let names = leaf.subject_alt_names();
    let email = names.email.first();
    let email = email.ok_or_else(|| IdentityError::new("the leaf has no email address"))?;
    Ok(PeerIdentity::new(email)?)
}

/// A leaf for the name that connections are made to, with these email addresses.
fn with_emails(ca: &pki::Ca, emails: &[&str]) -> pki::Leaf {
    ca.leaf_with(&[NAME], -1, 90, |params| {
        let emails = emails.iter();
        let emails = emails.map(|email| rcgen::SanType::Rfc822Name((*email).try_into().unwrap()));
        params.subject_alt_names.extend(emails);
    })
}

/// Verifies by names, as rustls does.
fn webpki(ca: &pki::Ca) -> Arc<dyn ServerCertVerifier> {
    let roots = Arc::new(rustls::RootCertStore::from(&pki::anchors([ca])));
    let builder = rustls::client::WebPkiServerVerifier::builder_with_provider(roots, ring());
    builder.build().unwrap()
}

#[test]
fn an_applications_own_function_says_who_peers_are() {
    let scene = Scene::new();
    let anna = with_emails(&scene.prod, &["anna@a.example", "x@a.example"]);
    let bert = with_emails(&scene.prod, &["bert@a.example"]);
    let nobody = with_emails(&scene.prod, &[]);
    let of_anna = PeerIdentity::new("anna@a.example").unwrap();
    let pins = PinSet::builder()
        .with_current(SpkiPin::from_certificate(&anna.certificate()))
        .with_backup(SpkiPin::from_spki_der(b"kept offline"))
        .with_scope(PinScope::from(&of_anna))
        .build()
        .unwrap();
    let impostor = with_emails(&scene.prod, &["anna@a.example"]);
    for version in VERSIONS {
        let verifier = WatchingServerVerifier::builder(webpki(&scene.prod))
            .with_peer_identity(Arc::new(first_email))
            .with_pin_set(pins.clone())
            .build()
            .unwrap();
        let client = scene.client(version, verifier, None);
        for (leaf, accepted) in [(&anna, true), (&bert, true), (&impostor, false)] {
            let met = meet(
                &client.current().unwrap(),
                &scene.server(version, leaf, &[]),
                NAME,
            );
            assert_eq!(met.client.is_ok(), accepted, "{:?}", met.client.err());
        }
        let server = scene.server(version, &nobody, &[]);
        let refused = meet(&client.current().unwrap(), &server, NAME)
            .client
            .unwrap_err();
        let expected = IdentityError::new("the leaf has no email address");
        assert_eq!(identity_error(&refused), Some(&expected));
    }
}

#[test]
fn peers_without_an_identity_are_known_by_name_where_asked_for() {
    let scene = Scene::new();
    let pinned = with_emails(&scene.prod, &[]);
    let pins = PinSet::builder()
        .with_current(SpkiPin::from_certificate(&pinned.certificate()))
        .with_backup(SpkiPin::from_spki_der(b"kept offline"))
        .with_scope(NAME.parse().unwrap())
        .build()
        .unwrap();
    let verifier = WatchingServerVerifier::builder(webpki(&scene.prod))
        .with_peer_identity(Arc::new(first_email))
        .with_unidentified_peers(UnidentifiedPeers::KnowByName)
        .with_pin_set(pins)
        .with_observer(scene.events.clone())
        .build()
        .unwrap();
    let client = scene.client(VERSIONS[1], verifier, None);
    scene.clock.set(at(85 * 86_400));
    for (leaf, accepted) in [(&pinned, true), (&with_emails(&scene.prod, &[]), false)] {
        let met = meet(
            &client.current().unwrap(),
            &scene.server(VERSIONS[1], leaf, &[]),
            NAME,
        );
        assert_eq!(met.client.is_ok(), accepted);
    }
    let told = scene.events.take();
    assert!(
        told.iter()
            .any(|event| event.code == EventCode::PeerExpiring)
    );
    assert!(told.iter().all(|event| event.identity.is_none()));
    assert!(
        told.iter().all(|event| event.message.contains(NAME)),
        "{told:?}"
    );
}

/// The refusal of the inner verifier stands, and is told as ever.
#[test]
fn the_inner_verifiers_refusal_comes_before_any_about_identities() {
    let scene = Scene::new();
    let verifier = WatchingServerVerifier::builder(webpki(&scene.partner))
        .with_peer_identity(Arc::new(SpiffeIdentities))
        .build()
        .unwrap();
    let client = scene.client(VERSIONS[1], verifier, None);
    let server = scene.server(VERSIONS[1], &with_emails(&scene.prod, &[]), &[]);
    let refused = meet(&client.current().unwrap(), &server, NAME)
        .client
        .unwrap_err();
    assert_eq!(identity_error(&refused), None);
    assert!(matches!(refused, rustls::Error::InvalidCertificate(_)));
}

/// An SVID is public: whoever shows it without its key is nobody, is told of by number, and leaves nothing
/// behind.
#[test]
fn nothing_of_an_identity_is_believed_before_its_key_is_proved() {
    let scene = Scene::new();
    let leaf = svid_until(&scene.prod, DB, 1);
    let name = ServerName::try_from(NAME).unwrap();
    let recorder = Arc::new(Recorder::default());
    let verifier = WatchingServerVerifier::builder(any_signature(scene.inner_of_servers()))
        .with_provider(ring())
        .with_peer_identity(Arc::new(SpiffeIdentities))
        .with_observer(recorder.clone())
        .build()
        .unwrap();
    let soon = at(86_000).to_unix_time().unwrap();
    // Never a signature, and one that comes on another leaf.
    for _ in 0..3 {
        verifier
            .verify_server_cert(&leaf.der, &[], &name, &[], soon)
            .unwrap();
    }
    let other = svid(&scene.prod, "spiffe://prod.example/web");
    let proven = verifier.verify_tls13_signature(b"good", &other.der, &signature());
    proven.unwrap();
    verifier.flush_events(std::time::Duration::from_secs(5));
    let told = recorder.take();
    assert!(!told.is_empty());
    for event in &told {
        assert_eq!(
            (event.code, event.severity),
            (EventCode::PeerUnproven, Severity::Unproven)
        );
        assert_eq!(event.identity, None);
        assert!(event.message.starts_with(NAME), "{event}");
    }
    // With its key it is somebody.
    meet_server(&*verifier, (&leaf.der, &[]), &name, &[], soon).unwrap();
    let told = recorder.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].code, EventCode::PeerExpiring);
    assert_eq!(told[0].identity.as_ref().unwrap().as_str(), DB);
}

/// The same over the wire; and the genuine peer's session is not ended by it.
#[test]
fn whoever_shows_an_svid_without_its_key_is_refused_and_ends_no_session() {
    let scene = Scene::new();
    for version in VERSIONS {
        let [db, web] =
            [DB, "spiffe://prod.example/web"].map(|text| svid_until(&scene.prod, text, 9));
        let client = scene.client(version, scene.servers().build().unwrap(), None);
        let genuine = scene.server(version, &db, &[]);
        assert!(
            meet(&client.current().unwrap(), &genuine, NAME)
                .client
                .is_ok()
        );
        scene.events.take();
        for shown in [&db, &web] {
            let impostor = scene.impostor(
                version,
                shown,
                &svid(&scene.partner, "spiffe://partner.example/x"),
            );
            let refused = meet(&client.current().unwrap(), &impostor, NAME)
                .client
                .unwrap_err();
            let expected = rustls::CertificateError::BadSignature;
            assert_eq!(refused, rustls::Error::InvalidCertificate(expected));
        }
        // In TLS 1.3 each attempt used up a ticket; the next one is resumed again.
        assert!(
            meet(&client.current().unwrap(), &genuine, NAME)
                .client
                .is_ok()
        );
        assert!(meet(&client.current().unwrap(), &genuine, NAME).resumed());
        let told = scene.events.take();
        assert!(
            told.iter()
                .all(|event| event.code == EventCode::PeerUnproven),
            "{told:?}"
        );
        assert!(
            told.iter().all(|event| event.identity.is_none()),
            "{told:?}"
        );
    }
}

#[test]
fn a_grace_is_for_the_pinned_identity() {
    let scene = Scene::new();
    let leaf = svid_until(&scene.prod, DB, 1);
    let other = svid_until(&scene.prod, "spiffe://prod.example/web", 1);
    let pins = PinSet::builder()
        .with_current(SpkiPin::from_certificate(&leaf.certificate()))
        .with_backup(SpkiPin::from_certificate(&other.certificate()))
        .with_scope(DB.parse().unwrap())
        .build()
        .unwrap();
    for version in VERSIONS {
        scene.events.take();
        let verifier = scene
            .servers()
            .with_pin_set(pins.clone())
            .with_grace(PinnedGrace::from_seconds(3_600).unwrap())
            .build()
            .unwrap();
        let client = scene.client(version, verifier, None);
        for (seconds, leaf, accepted) in [
            (86_400 + 3_600, &leaf, true),
            (86_400 + 3_600, &other, false),
            (86_400 + 3_601, &leaf, false),
        ] {
            scene.clock.set(at(seconds));
            let server = scene.server(version, leaf, &[]);
            let met = meet(&client.current().unwrap(), &server, NAME);
            assert_eq!(
                met.client.is_ok(),
                accepted,
                "{seconds}: {:?}",
                met.client.err()
            );
        }
        let told = scene.events.take();
        let grace = told
            .iter()
            .find(|event| event.code == EventCode::PinGraceUsed);
        assert_eq!(grace.unwrap().identity.as_ref().unwrap().as_str(), DB);
        scene.clock.set(NOW);
    }
}

/// What was told of an identity is not told again after a restart.
#[test]
fn what_was_told_of_an_identity_outlives_a_restart() {
    let scene = Scene::new();
    let leaf = svid_until(&scene.prod, DB, 1);
    let server = scene.server(VERSIONS[1], &leaf, &[]);
    scene.clock.set(at(80_000));
    let before = scene.servers().build().unwrap();
    let client = scene.client(VERSIONS[1], before.clone(), None);
    assert!(
        meet(&client.current().unwrap(), &server, NAME)
            .client
            .is_ok()
    );
    assert_eq!(scene.events.take().len(), 1);
    let after = scene.servers().build().unwrap();
    after.restore(&before.save()).unwrap();
    let client = scene.client(VERSIONS[1], after, None);
    // Under another name it is the same peer.
    assert!(
        meet(&client.current().unwrap(), &server, "db.internal")
            .client
            .is_ok()
    );
    assert_eq!(scene.events.take(), []);
}

#[cfg(feature = "json")]
#[test]
fn an_event_says_its_identity_in_json() {
    let event = notafter::Event::new(
        NOW,
        EventCode::PeerExpiring,
        Severity::Warning,
        notafter::event::Role::PeerServer,
        "renew it",
    );
    let json = |event: &notafter::Event| -> serde_json::Value {
        serde_json::from_str(&event.to_json()).unwrap()
    };
    assert_eq!(json(&event)["identity"], serde_json::Value::Null);
    let event = event.with_identity(PeerIdentity::new(DB).unwrap());
    assert_eq!(json(&event)["identity"], DB);
}
