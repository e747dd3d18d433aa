//! Staples on disk: good ones are stapled, others never replace them.

use std::sync::Arc;

use notafter::event::Role;
use notafter::reload::KeyFiles;
use notafter::{EventCode, ReloadingKey, Severity, Timestamp};
use rustls::client::ResolvesClientCert as _;

use super::scene::{SCHEMES, Scene, at};
use crate::support::ocsp::{Hash, answer, by_name, data, good, revoked, signed};
use crate::support::pki::{Leaf, NOW, days};

const DAY: i64 = 86_400;

impl Scene {
    fn staple(&self, leaf: &Leaf, from: Timestamp, to: Timestamp) -> Vec<u8> {
        let issuer = self.issuer.certificate();
        let pair = (&leaf.certificate(), &issuer);
        let answers = vec![answer(pair, Hash::Sha1, good(), (from, Some(to)))];
        signed(
            data(by_name(&issuer), from, answers),
            self.issuer.key(),
            &[],
        )
    }

    fn stapling(&self) -> Arc<ReloadingKey> {
        let files = KeyFiles::new(self.path("tls.crt"), self.path("tls.key"));
        let files = files.with_staple(self.path("tls.ocsp"));
        self.builder().with_files(files).build().unwrap()
    }
}

fn stapled(key: &ReloadingKey) -> Option<Vec<u8>> {
    key.resolve(&[], &SCHEMES).unwrap().ocsp.clone()
}

#[test]
fn good_staples_are_served_until_their_end_and_bad_ones_never() {
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    scene.deploy(&leaf);
    let first = scene.staple(&leaf, days(-1), days(6));
    scene.write("tls.ocsp", &first);
    let key = scene.stapling();
    assert_eq!(stapled(&key), Some(first.clone()));
    assert_eq!(key.served()[0].staple_good_until, Some(days(6)));
    assert!(scene.told().is_empty());

    let second = scene.staple(&leaf, days(3), days(10));
    scene.write("tls.ocsp", &second);
    key.poll(days(3));
    assert_eq!(stapled(&key), Some(second.clone()));

    scene.write("tls.ocsp", "<html>502 Bad Gateway</html>");
    key.poll(days(4));
    assert!(scene.told().is_empty(), "it may be half-written");
    key.poll(days(4).saturating_add(10));
    let event = scene.told_once(EventCode::StapleNotGood);
    assert_eq!(
        (event.role, event.severity),
        (Role::OwnServer, Severity::Warning)
    );
    assert_eq!(
        event.source,
        Some(scene.path("tls.ocsp").display().to_string())
    );
    assert!(
        event
            .message
            .ends_with("; the one before is served until 2026-01-11T00:00:00Z"),
        "{event}"
    );
    assert_eq!(stapled(&key), Some(second));

    // To the second, though the file holds still.
    key.poll(days(10));
    assert!(stapled(&key).is_some());
    key.poll(days(10).saturating_add(1));
    assert_eq!(stapled(&key), None);
    assert_eq!(key.served()[0].staple_good_until, None);

    let third = scene.staple(&leaf, days(11), days(18));
    scene.write("tls.ocsp", &third);
    scene.events.take();
    key.poll(days(11));
    assert_eq!(stapled(&key), Some(third));
    assert_eq!(scene.told(), ["staple_recovered"]);
    assert_eq!((key.reloads_total(), key.reload_failures_total()), (0, 0));
}

#[test]
fn a_staple_goes_with_its_leaf() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    scene.write("tls.ocsp", scene.staple(&old, days(-1), days(6)));
    let key = scene.stapling();
    scene.deploy_by_rename(&new);
    key.poll(at(1));
    assert_eq!(stapled(&key), None, "it speaks of the leaf before");
    let staple = scene.staple(&new, NOW, days(7));
    scene.write("tls.ocsp", &staple);
    key.poll(at(5));
    assert_eq!(stapled(&key), Some(staple));
    assert_eq!(scene.told(), ["reload_succeeded"]);
    std::fs::remove_file(scene.path("tls.ocsp")).unwrap();
    key.poll(at(60));
    assert!(stapled(&key).is_some(), "it is good still");
}

#[test]
fn a_revocation_takes_the_good_staple_away() {
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    scene.deploy(&leaf);
    scene.write("tls.ocsp", scene.staple(&leaf, days(-1), days(6)));
    let key = scene.stapling();
    let issuer = scene.issuer.certificate();
    let status = revoked(NOW, None);
    let pair = (&leaf.certificate(), &issuer);
    let answers = vec![answer(pair, Hash::Sha1, status, (NOW, Some(days(7))))];
    let staple = signed(
        data(by_name(&issuer), NOW, answers),
        scene.issuer.key(),
        &[],
    );
    scene.write("tls.ocsp", staple);
    key.poll(at(2));
    assert_eq!(stapled(&key), None);
    let event = scene.told_once(EventCode::StapleNotGood);
    assert_eq!(event.severity, Severity::Critical);
}

#[test]
fn a_leaf_that_demands_a_staple_has_one_or_a_critical_event() {
    let scene = Scene::new();
    let leaf = scene.issuer.leaf_with(&["a.example"], -10, 80, |params| {
        // tlsfeature: status_request (RFC 7633)
        let feature = rcgen::CustomExtension::from_oid_content(
            &[1, 3, 6, 1, 5, 5, 7, 1, 24],
            vec![0x30, 0x03, 0x02, 0x01, 0x05],
        );
        params.custom_extensions.push(feature);
    });
    scene.deploy(&leaf);
    let key = scene.stapling();
    let event = scene.told_once(EventCode::StapleNotGood);
    assert_eq!(event.severity, Severity::Critical);
    assert!(
        event
            .message
            .ends_with("the certificate demands one: clients will refuse"),
        "{event}"
    );
    scene.write("tls.ocsp", scene.staple(&leaf, days(-1), days(6)));
    key.poll(at(1 + DAY));
    assert_eq!(scene.told(), ["staple_recovered"]);
}

#[test]
fn a_staple_that_clients_do_not_take_is_left_out() {
    use rcgen::CustomExtension;
    const OF_MESSAGE: usize = 4 + 5 + 5 + 8;
    let scene = Scene::new();
    let with_padding = |padding: usize| {
        scene.issuer.leaf_with(&["a.example"], -10, 80, |params| {
            let oid = [1, 3, 6, 1, 4, 1, 32473, 1];
            let extension = CustomExtension::from_oid_content(&oid, vec![0; padding]);
            params.custom_extensions.push(extension);
        })
    };
    let issuer = scene.issuer.certificate();
    // A good one of so many bytes: signatures differ by a byte or two in length.
    let staple = |leaf: &Leaf, bytes: usize| {
        let first = scene.staple(leaf, days(-1), days(6)).len();
        let mut padding = bytes.saturating_sub(first + 600);
        loop {
            let junk = with_padding(padding).certificate();
            let answers = vec![answer(
                (&leaf.certificate(), &issuer),
                Hash::Sha1,
                good(),
                (days(-1), Some(days(6))),
            )];
            let signed = signed(
                data(by_name(&issuer), days(-1), answers),
                scene.issuer.key(),
                &[&junk],
            );
            match signed.len().cmp(&bytes) {
                std::cmp::Ordering::Equal => return signed,
                std::cmp::Ordering::Less => padding += (bytes - signed.len()).div_ceil(2),
                std::cmp::Ordering::Greater => padding -= (signed.len() - bytes).div_ceil(2),
            }
        }
    };
    let (small, large) = (with_padding(1), with_padding(60_000));
    let of_chain = OF_MESSAGE + large.der.len() + scene.issuer.der.len();
    let file = scene.path("tls.ocsp").display().to_string();
    let cases = [
        (&small, 16_380, None),
        (
            &small,
            16_381,
            Some(format!(
                "{file}: its 16381 bytes are more than common clients take (16380: OpenSSL, by TLS 1.2): ask the \
                 responder for one with fewer certificates in it; none is served"
            )),
        ),
        (&large, 64_000 - of_chain, None),
        (
            &large,
            64_001 - of_chain,
            Some(format!(
                "{file}: with its {} bytes the certificates' message has 64001, and common clients take 64000 \
                 (rustls): leave out certificates that are not the leaf or an issuer of one before \
                 them; none is served",
                64_001 - of_chain
            )),
        ),
    ];
    for (leaf, bytes, expected) in cases {
        scene.deploy(leaf);
        let staple = staple(leaf, bytes);
        scene.write("tls.ocsp", &staple);
        let key = scene.stapling();
        key.poll(at(60));
        let served = stapled(&key);
        match expected {
            None => assert_eq!((served, scene.told()), (Some(staple), vec![])),
            Some(expected) => {
                let event = scene.told_once(EventCode::StapleNotGood);
                assert_eq!((served, event.message), (None, expected));
                assert_eq!(event.severity, Severity::Warning);
            }
        }
        assert!(super::renewals::accepted(&key, &scene.root), "{bytes}");
    }
}
