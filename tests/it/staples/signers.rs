//! Who may sign, about whom, and what no damage can do.

use der::asn1::ObjectIdentifier;
use notafter::Certificate;
use notafter::revocation::{SignatureProblem, StapleStatus, UnreadableStaple};
use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyPair};

use super::scene::Scene;
use crate::support::ocsp::{
    Hash, answer, by_key, by_name, data, extension, good, revoked, signed, unknown,
};
use crate::support::pki::{self, NOW, days};

#[test]
fn every_part_of_a_cert_id_must_match_in_every_hash() {
    let scene = Scene::new();
    let namesake = pki::root("Issuing CA", -100, 1000).certificate();
    for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let mint = |issuer: &Certificate| {
            answer((&scene.leaf, issuer), hash, good(), (NOW, Some(days(7))))
        };
        let right = mint(&scene.issuer);
        assert!(
            scene
                .judge(&scene.staple(vec![right.clone()]), NOW)
                .is_good()
        );
        let mut other_name = right.clone();
        other_name.cert_id.issuer_name_hash = other_name.cert_id.issuer_key_hash.clone();
        let mut other_hash = right;
        other_hash.cert_id.hash_algorithm.oid = ObjectIdentifier::new_unwrap("1.2.3.4");
        for wrong in [mint(&namesake), other_name, other_hash] {
            let outlook = scene.judge(&scene.staple(vec![wrong]), NOW);
            assert_eq!(outlook.code(), "wrong_certificate", "{hash:?}");
        }
    }
}

#[test]
fn only_the_issuer_and_whom_it_authorized_may_sign() {
    let scene = Scene::new();
    let stranger = pki::root("Stranger CA", -100, 1000);
    let namesake = pki::root("Issuing CA", -100, 1000);
    let ocsp = ExtendedKeyUsagePurpose::OcspSigning;
    let right = scene.delegate(-10, 20, ocsp.clone());
    let by = |id, key: &KeyPair, certs: &[&Certificate]| scene.good_by(id, key, certs);
    let delegated = |delegate: &pki::Leaf| {
        let certificate = delegate.certificate();
        scene.good_by(by_key(&certificate), &delegate.key_pair, &[&certificate])
    };
    let foreign = |ca: &pki::Ca| {
        ca.leaf_with(&["responder"], -10, 20, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        })
    };
    let critical = scene.ca.leaf_with(&["responder"], -10, 20, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
        let mut odd = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        odd.set_criticality(true);
        params.custom_extensions = vec![odd];
    });
    let reason = "its critical extension 1.2.3.4 is not understood".to_owned();
    let (issuer, certificate) = (&scene.issuer, right.certificate());
    let Scene { ca, .. } = &scene;
    let bad = |problem| Err(problem);
    let cases = [
        ("issuer by name", by(by_name(issuer), ca.key(), &[]), Ok(())),
        ("issuer by key", by(by_key(issuer), ca.key(), &[]), Ok(())),
        (
            "issuer enclosed",
            by(by_key(issuer), ca.key(), &[issuer]),
            Ok(()),
        ),
        ("delegate by key", delegated(&right), Ok(())),
        (
            "delegate by name, after others",
            by(
                by_name(&certificate),
                &right.key_pair,
                &[issuer, &scene.leaf, &certificate],
            ),
            Ok(()),
        ),
        (
            "delegate not enclosed",
            by(by_name(&certificate), &right.key_pair, &[]),
            bad(SignatureProblem::NoResponder),
        ),
        (
            "issuer signs in the delegate's name",
            by(by_name(&certificate), ca.key(), &[&certificate]),
            bad(SignatureProblem::NotSignedByResponder),
        ),
        (
            "delegate signs in the issuer's name",
            by(by_name(issuer), &right.key_pair, &[&certificate]),
            bad(SignatureProblem::NotSignedByResponder),
        ),
        (
            "a CA with the same name",
            by(by_name(issuer), namesake.key(), &[]),
            bad(SignatureProblem::NotSignedByResponder),
        ),
        (
            "a CA with the same name, enclosed",
            by(
                by_key(&namesake.certificate()),
                namesake.key(),
                &[&namesake.certificate()],
            ),
            bad(SignatureProblem::ResponderNotIssuedByIssuer),
        ),
        (
            "delegate of another CA",
            delegated(&foreign(&stranger)),
            bad(SignatureProblem::ResponderNotIssuedByIssuer),
        ),
        (
            "delegate of a CA with the same name",
            delegated(&foreign(&namesake)),
            bad(SignatureProblem::ResponderNotIssuedByIssuer),
        ),
        (
            "server certificate",
            delegated(&scene.delegate(-10, 20, ExtendedKeyUsagePurpose::ServerAuth)),
            bad(SignatureProblem::ResponderNotAuthorized),
        ),
        (
            "any usage is not this one",
            delegated(&scene.delegate(-10, 20, ExtendedKeyUsagePurpose::Any)),
            bad(SignatureProblem::ResponderNotAuthorized),
        ),
        (
            "expired delegate",
            delegated(&scene.delegate(-10, -1, ocsp.clone())),
            bad(SignatureProblem::ResponderExpired {
                not_after: days(-1),
            }),
        ),
        (
            "delegate of tomorrow",
            delegated(&scene.delegate(1, 10, ocsp)),
            bad(SignatureProblem::ResponderNotYetValid {
                not_before: days(1),
            }),
        ),
        (
            "critical extension",
            delegated(&critical),
            bad(SignatureProblem::ResponderUnusable { reason }),
        ),
    ];
    for (name, staple, expected) in cases {
        let status = scene.judge(&staple, NOW).status;
        let expected = match expected {
            Ok(()) => StapleStatus::Good { until: days(7) },
            Err(problem) => StapleStatus::BadSignature { problem },
        };
        assert_eq!(status, expected, "{name}");
    }
}

/// Each costs two verifications.
#[test]
fn a_fifth_certificate_of_the_responders_name_is_not_tried() {
    let scene = Scene::new();
    let right = scene.delegate(-10, 20, ExtendedKeyUsagePurpose::OcspSigning);
    let certificate = right.certificate();
    let namesakes = [(); 4].map(|()| {
        scene
            .delegate(-10, 20, ExtendedKeyUsagePurpose::ServerAuth)
            .certificate()
    });
    for (before, is_good) in [(3, true), (4, false)] {
        let mut sent: Vec<_> = namesakes.iter().take(before).collect();
        sent.push(&certificate);
        let staple = scene.good_by(by_name(&certificate), &right.key_pair, &sent);
        assert_eq!(scene.judge(&staple, NOW).is_good(), is_good, "{before}");
    }
}

#[test]
fn a_staple_ends_with_its_responders_certificate() {
    let scene = Scene::new();
    let delegate = scene.delegate(-10, 2, ExtendedKeyUsagePurpose::OcspSigning);
    let certificate = delegate.certificate();
    let mint = |status| {
        let answers = vec![scene.answer(status, days(0), days(7))];
        let data = data(by_name(&certificate), NOW, answers);
        signed(data, &delegate.key_pair, &[&certificate])
    };
    let (staple, until) = (mint(good()), days(2));
    let good = StapleStatus::Good { until };
    assert_eq!(scene.judge(&staple, NOW).status, good);
    assert_eq!(scene.judge(&staple, until).status, good);
    let problem = SignatureProblem::ResponderExpired { not_after: until };
    let after = scene.judge(&staple, until.saturating_add(1)).status;
    assert_eq!(after, StapleStatus::BadSignature { problem });
    // What was revoked stays revoked: the responder was authorized when it said so.
    let staple = mint(revoked(days(-1), None));
    assert_eq!(scene.judge(&staple, days(500)).code(), "revoked");
}

#[test]
fn critical_extensions_that_are_not_understood_make_it_unreadable() {
    let scene = Scene::new();
    let nonce = "1.3.6.1.5.5.7.48.1.2";
    let cases = [
        ("1.2.3.4", true, false),
        ("1.2.3.4", false, true),
        (nonce, true, true),
        (nonce, false, true),
    ];
    for (oid, critical, readable) in cases {
        let mut single = scene.answer(good(), days(0), days(7));
        single.single_extensions = Some(vec![extension(oid, critical)]);
        let in_single = data(by_name(&scene.issuer), NOW, vec![single]);
        let answers = vec![scene.answer(good(), days(0), days(7))];
        let mut in_whole = data(by_name(&scene.issuer), NOW, answers);
        in_whole.response_extensions = Some(vec![extension(oid, critical)]);
        for data in [in_single, in_whole] {
            let status = scene.judge(&signed(data, scene.ca.key(), &[]), NOW).status;
            if readable {
                assert_eq!(status.code(), "good");
            } else {
                let problem = UnreadableStaple::UnknownCriticalExtension {
                    oid: oid.to_owned(),
                };
                assert_eq!(status, StapleStatus::Unreadable { problem });
            }
        }
    }
}

#[test]
fn no_damage_turns_a_staple_good() {
    let scene = Scene::new();
    let delegate = scene.delegate(-10, 20, ExtendedKeyUsagePurpose::OcspSigning);
    let certificate = delegate.certificate();
    let mint = |status| {
        let answers = vec![scene.answer(status, days(0), days(7))];
        let data = data(by_name(&certificate), NOW, answers);
        signed(data, &delegate.key_pair, &[&certificate])
    };
    for staple in [mint(good()), mint(revoked(days(-1), None)), mint(unknown())] {
        let whole = scene.judge(&staple, NOW);
        for end in 0..staple.len() {
            let code = scene.judge(&staple[..end], NOW).code();
            assert_eq!(code, if end == 0 { "absent" } else { "unreadable" });
        }
        let mut authentic = Vec::new();
        for position in 0..staple.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut damaged = staple.clone();
                damaged[position] ^= mask;
                let outlook = scene.judge(&damaged, NOW);
                if outlook.status.is_authentic() {
                    assert_eq!(outlook.status, whole.status, "byte {position}");
                    authentic.push(position);
                }
            }
        }
        assert_eq!(authentic, [0_usize; 0], "unsigned bytes in it");
    }
}
