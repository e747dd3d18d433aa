//! Two SVIDs behind one address are two peers: each with its pins, its events, its verdict, its
//! sessions.

use std::sync::Arc;

use notafter::identity::{PeerIdentity, SpiffeIdentities};
use notafter::pin::{ExpiryRule, PinError, PinMode, PinSets};
use notafter::verifier::{UnidentifiedPeers, VerifierBuildError};
use notafter::{
    Event, EventCode, PinOnlyVerifier, PinSet, Severity, SpkiPin, WatchingServerVerifier, pin_error,
};

use super::scene::{NAME, Scene, Sessions, at, svid, svid_until};
use crate::support::agreeable::Agreeable;
use crate::support::pki::Leaf;
use crate::support::tls::{VERSIONS, meet, ring};

const DB: &str = "spiffe://prod.example/db";
const WEB: &str = "spiffe://prod.example/web";

fn pin(leaf: &Leaf) -> SpkiPin {
    SpkiPin::from_certificate(&leaf.certificate())
}

fn backup() -> SpkiPin {
    SpkiPin::from_spki_der(b"kept offline")
}

/// A set of this leaf's key for each scope.
fn sets<'p>(pinned: impl IntoIterator<Item = (&'p str, &'p Leaf)>) -> PinSets {
    let sets = pinned.into_iter().map(|(scope, leaf)| {
        let set = PinSet::builder()
            .with_current(pin(leaf))
            .with_backup(backup());
        set.with_scope(scope.parse().unwrap()).build().unwrap()
    });
    PinSets::new(sets).unwrap()
}

fn identities(events: &[Event]) -> Vec<&str> {
    let identities = events.iter().filter_map(|event| event.identity.as_ref());
    identities.map(PeerIdentity::as_str).collect()
}

/// The leaf says itself which identity it has: one whose pins only report gets nobody by those of the name.
#[test]
fn a_set_for_an_identity_that_refuses_nobody_stands_in_for_none_that_does() {
    let scene = Scene::new();
    let (pinned, shown) = (svid(&scene.prod, DB), svid(&scene.prod, WEB));
    let of_the_name = || {
        let set = PinSet::builder().with_current(pin(&pinned));
        set.with_backup(backup())
            .with_scope(NAME.parse().unwrap())
            .build()
            .unwrap()
    };
    let of_the_identity = || {
        let set = PinSet::builder().with_current(pin(&shown));
        set.with_backup(backup()).with_scope(WEB.parse().unwrap())
    };
    let open = of_the_identity().with_expiry(at(-1), ExpiryRule::FailOpenLoudly);
    let cases = [
        (of_the_identity(), true),
        (of_the_identity().with_mode(PinMode::ReportOnly), false),
        (open, false),
    ];
    for version in VERSIONS {
        for (identity, accepted) in &cases {
            let pins = PinSets::new([of_the_name(), identity.clone().build().unwrap()]);
            let servers = scene.servers().with_pins(pins.unwrap().into());
            let client = scene.client(version, servers.build().unwrap(), None);
            let server = scene.server(version, &shown, &[]);
            let met = meet(&client.current().unwrap(), &server, NAME).client;
            assert_eq!(met.is_ok(), *accepted, "{identity:?}");
            if let Err(refused) = met {
                assert!(matches!(
                    pin_error(&refused),
                    Some(PinError::Mismatch { expected, .. }) if expected[0].key == pin(&pinned)
                ));
            }
        }
    }
}

#[test]
fn each_of_two_peers_behind_one_address_has_its_own_pins() {
    let scene = Scene::new();
    let (db, web) = (svid(&scene.prod, DB), svid(&scene.prod, WEB));
    let (mine, theirs) = (svid(&scene.prod, DB), svid(&scene.prod, WEB));
    for version in VERSIONS {
        let pins = sets([(DB, &db), ("spiffe://prod.example/**", &web)]);
        let servers = scene.servers().with_pins(pins.clone().into());
        let servers = servers.build().unwrap();
        let clients = scene.clients().with_pins(pins.into()).build().unwrap();
        let client = scene.client(version, servers, None);
        let own = svid(&scene.prod, "spiffe://prod.example/own");
        let server = scene.asking_server(version, &own, &clients, Sessions::Stored);
        // The most specific set counts: the domain's pin is no pin of the database.
        for (leaf, accepted) in [(&db, true), (&web, true), (&mine, false), (&theirs, false)] {
            let shown = scene.server(version, leaf, &[]);
            let by_client = meet(&client.current().unwrap(), &shown, NAME).client.err();
            let shown = scene.client(version, scene.servers().build().unwrap(), Some(leaf));
            let by_server = meet(&shown.current().unwrap(), &server, NAME).server.err();
            for refused in [by_client, by_server] {
                assert_eq!(refused.is_none(), accepted, "{refused:?}");
                let Some(refused) = refused else { continue };
                let Some(PinError::Mismatch {
                    identity, expected, ..
                }) = pin_error(&refused)
                else {
                    panic!("{refused:?}");
                };
                let is_db = identity.as_ref().unwrap().as_str() == DB;
                assert_eq!(expected[0].key, pin(if is_db { &db } else { &web }));
                let said = format!("which says that it is {}", identity.as_ref().unwrap());
                assert!(pin_error(&refused).unwrap().to_string().contains(&said));
            }
        }
    }
}

/// Pins of hosts count as ever for peers that no set of identities is for.
#[test]
fn pins_for_hosts_count_where_none_are_for_the_identity() {
    let scene = Scene::new();
    let (db, web) = (svid(&scene.prod, DB), svid(&scene.prod, WEB));
    let servers = scene
        .servers()
        .with_pins(sets([(DB, &db), (NAME, &web)]).into());
    let client = scene.client(VERSIONS[1], servers.build().unwrap(), None);
    for (leaf, accepted) in [
        (&db, true),
        (&web, true),
        (&svid(&scene.prod, WEB), false),
        (&svid(&scene.partner, "spiffe://partner.example/web"), false),
    ] {
        let shown = scene.server(VERSIONS[1], leaf, &[]);
        let refused = meet(&client.current().unwrap(), &shown, NAME).client.err();
        assert_eq!(refused.is_none(), accepted, "{refused:?}");
    }
}

#[test]
fn each_of_two_peers_behind_one_address_is_told_of_by_itself() {
    let scene = Scene::new();
    // 90 days are due 30 days before their end.
    let [db, web] = [DB, WEB].map(|text| svid_until(&scene.prod, text, 8));
    for version in VERSIONS {
        scene.events.take();
        let servers = scene.servers().build().unwrap();
        let client = scene.client(version, servers, None);
        for leaf in [&db, &web, &db, &web] {
            let shown = scene.server(version, leaf, &[]);
            // Behind another address, too, it is the same peer.
            for name in [NAME, "10-0-0-8.pods.internal"] {
                assert!(
                    meet(&client.current().unwrap(), &shown, name)
                        .client
                        .is_ok()
                );
            }
        }
        // At NOW nothing is due; six days later both are.
        assert_eq!(scene.events.take(), []);
        scene.clock.set(at(6 * 86_400));
        for leaf in [&db, &web, &db, &web] {
            let shown = scene.server(version, leaf, &[]);
            for name in [NAME, "10-0-0-8.pods.internal"] {
                assert!(
                    meet(&client.current().unwrap(), &shown, name)
                        .client
                        .is_ok()
                );
            }
        }
        let told = scene.events.take();
        assert_eq!(identities(&told), [DB, WEB], "{told:#?}");
        for event in &told {
            assert_eq!(event.code, EventCode::PeerExpiring);
            assert_eq!(event.host.as_deref(), Some(NAME));
            let name = format!("{} at {NAME}: ", event.identity.as_ref().unwrap());
            assert!(event.message.starts_with(&name), "{event}");
        }
        scene.clock.set(at(0));
    }
}

#[test]
fn each_client_is_told_of_by_its_identity() {
    let scene = Scene::new();
    let own = svid(&scene.prod, "spiffe://prod.example/own");
    let clients = scene.clients().build().unwrap();
    let server = scene.asking_server(VERSIONS[1], &own, &clients, Sessions::Stored);
    for text in [DB, WEB, DB] {
        let leaf = svid_until(&scene.prod, text, 1);
        let any = scene.servers().build().unwrap();
        let client = scene.client(VERSIONS[1], any, Some(&leaf));
        scene.clock.set(at(0));
        assert!(
            meet(&client.current().unwrap(), &server, NAME)
                .server
                .is_ok()
        );
        scene.clock.set(at(80_000));
        assert!(
            meet(&client.current().unwrap(), &server, NAME)
                .server
                .is_ok()
        );
    }
    // A leaf of the same identity is another matter.
    let mut told = scene.events.take();
    told.retain(|event| event.role.as_str() == "peer_client");
    let codes: Vec<_> = told.iter().map(|event| event.code).collect();
    assert!(
        codes.iter().all(|code| *code == EventCode::PeerExpiring),
        "{codes:?}"
    );
    let mut known = identities(&told);
    known.dedup();
    assert_eq!(known, [DB, WEB, DB]);
}

/// Whoever shows another SVID under the same name resumes nothing, and lets nobody resume: nobody can tell
/// whose a session is.
#[test]
fn a_session_of_one_is_not_taken_for_the_other() {
    for version in VERSIONS {
        let scene = Scene::new();
        let verifier = scene.servers().build().unwrap();
        let client = scene.client(version, verifier, None);
        let [db, again, web] = [DB, DB, WEB].map(|text| svid(&scene.prod, text));
        let [db, again, web] = [&db, &again, &web].map(|leaf| scene.server(version, leaf, &[]));
        let meets = |server| {
            let met = meet(&client.current().unwrap(), server, NAME);
            assert!(met.client.is_ok());
            met.resumed()
        };
        let first = client.current().unwrap();
        assert_eq!([meets(&db), meets(&db)], [false, true]);
        // Another SVID of the same identity is the same peer.
        assert_eq!([meets(&again), meets(&again)], [false, true]);
        assert_eq!([meets(&web), meets(&web)], [false, false]);
        assert_eq!([meets(&db), meets(&db)], [false, false]);
        // Under another name nothing of this is known, and no configuration begins afresh for it.
        assert!(Arc::ptr_eq(&first, &client.current().unwrap()));
        let met = meet(&client.current().unwrap(), &db, "db.internal");
        assert!(!met.resumed());
        assert!(meet(&client.current().unwrap(), &db, "db.internal").resumed());
    }
}

#[test]
fn one_peer_that_is_refused_ends_no_session_of_the_other_under_its_own_name() {
    let scene = Scene::new();
    let verifier = scene
        .servers()
        .with_pins(sets([(WEB, &svid(&scene.prod, WEB))]).into());
    let client = scene.client(VERSIONS[1], verifier.build().unwrap(), None);
    let db = scene.server(VERSIONS[1], &svid(&scene.prod, DB), &[]);
    let stranger = scene.server(VERSIONS[1], &svid(&scene.prod, WEB), &[]);
    assert!(meet(&client.current().unwrap(), &db, NAME).client.is_ok());
    // It is refused before it proved anything: it is nobody.
    let refused = meet(&client.current().unwrap(), &stranger, NAME)
        .client
        .unwrap_err();
    assert!(pin_error(&refused).is_some());
    assert!(meet(&client.current().unwrap(), &db, NAME).resumed());
    let told = scene.events.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].code, told[0].severity),
        (EventCode::PinMismatch, Severity::Unproven)
    );
    assert_eq!(
        told[0].identity, None,
        "a stranger is not told of as who it says it is"
    );
}

#[test]
fn pins_for_identities_need_a_verifier_that_knows_them() {
    let scene = Scene::new();
    let pins = || sets([(DB, &svid(&scene.prod, DB))]);
    let error = Some(VerifierBuildError::PinsNeedPeerIdentity);
    let inner = || Arc::new(Agreeable::default());
    let plain = WatchingServerVerifier::builder(inner()).with_pins(pins().into());
    assert_eq!(plain.build().err(), error);
    let pin_only = PinOnlyVerifier::builder(pins().into()).with_provider(ring());
    assert_eq!(pin_only.build().err(), error);
    let knowing = WatchingServerVerifier::builder(inner())
        .with_pins(pins().into())
        .with_peer_identity(Arc::new(SpiffeIdentities))
        .with_unidentified_peers(UnidentifiedPeers::KnowByName);
    assert!(knowing.build().is_ok());
    // Sets for identities are pins for clients; sets for hosts are none.
    assert!(scene.clients().with_pins(pins().into()).build().is_ok());
    let hosts = sets([(NAME, &svid(&scene.prod, DB))]);
    let error = scene.clients().with_pins(hosts.into()).build().err();
    assert_eq!(error, Some(VerifierBuildError::NoPinsForClients));
}

#[test]
fn a_long_identity_is_cut_in_messages_and_whole_in_its_event() {
    let scene = Scene::new();
    let text = format!("spiffe://prod.example/{}", "x".repeat(2026));
    let leaf = svid_until(&scene.prod, &text, 1);
    let client = scene.client(VERSIONS[1], scene.servers().build().unwrap(), None);
    let server = scene.server(VERSIONS[1], &leaf, &[]);
    scene.clock.set(at(80_000));
    assert!(
        meet(&client.current().unwrap(), &server, NAME)
            .client
            .is_ok()
    );
    let told = scene.events.take();
    assert_eq!(identities(&told), [text.as_str()]);
    let cut: String = text.chars().take(128).collect();
    let begins = format!("{cut}… at {NAME}: ");
    assert!(told[0].message.starts_with(&begins), "{}", told[0]);
}

#[test]
fn announced_pins_may_be_for_identities() {
    use crate::announcements::ground::{Draft, day, floor_draft, listed};
    use notafter::announce::{Announcement, PinFloor};
    let hosts = [
        "spiffe://prod.example/db",
        "spiffe://prod.example",
        "a.example",
    ];
    let pins = [listed(b'O', "current"), listed(b'P', "backup")];
    let sets = serde_json::json!([{ "hosts": hosts, "pins": pins }]);
    let floor = floor_draft().with("pin_sets", sets.clone());
    PinFloor::from_json(&floor.payload()).unwrap();
    let announcement = Draft::new(11, day(0), &pins).with("pin_sets", sets);
    let read = Announcement::from_json(&announcement.payload()).unwrap();
    let read: Vec<_> = read.pin_sets[0]
        .hosts
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        read,
        [
            "spiffe://prod.example/db",
            "spiffe://prod.example/**",
            "a.example"
        ]
    );
}
