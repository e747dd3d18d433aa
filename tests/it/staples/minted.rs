//! Responses minted to order: every status, every boundary, every signer.

use der::asn1::ObjectIdentifier;
use notafter::{
    Certificate, RevocationReason, SignatureProblem, StapleJudge, StapleOutlook, StapleStatus,
    Timestamp, UnreadableStaple,
};
use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyPair};
use x509_cert::ext::pkix::CrlReason;
use x509_ocsp::{CertStatus, ResponderId, SingleResponse};

use crate::support::ocsp::{
    Hash, answer, by_key, by_name, data, extension, good, provided, revoked, signed, unknown,
};
use crate::support::pki::{self, NOW, days};

const DAY: i64 = 86_400;
const SKEW: i64 = 300;

pub struct Scene {
    pub ca: pki::Ca,
    pub issuer: Certificate,
    pub leaf: Certificate,
}

impl Scene {
    pub fn new() -> Self {
        let ca = pki::root("Issuing CA", -100, 1000);
        Self {
            issuer: ca.certificate(),
            leaf: ca.leaf(&["a.example"], -10, 80).certificate(),
            ca,
        }
    }

    pub fn answer(&self, status: CertStatus, from: Timestamp, to: Timestamp) -> SingleResponse {
        let pair = (&self.leaf, &self.issuer);
        answer(pair, Hash::Sha1, status, (from, Some(to)))
    }

    pub fn staple(&self, answers: Vec<SingleResponse>) -> Vec<u8> {
        signed(
            data(by_name(&self.issuer), NOW, answers),
            self.ca.key(),
            &[],
        )
    }

    /// By both providers, which must agree.
    pub fn judge_with(&self, judge: &StapleJudge, staple: &[u8], now: Timestamp) -> StapleOutlook {
        let [ring, aws_lc] = provided()
            .map(|(_, algorithms)| judge.judge(staple, &self.leaf, &self.issuer, algorithms, now));
        assert_eq!(ring, aws_lc);
        ring
    }

    pub fn judge(&self, staple: &[u8], now: Timestamp) -> StapleOutlook {
        self.judge_with(&StapleJudge::new(), staple, now)
    }

    /// A good answer, signed by this key under this responderID.
    fn good_by(&self, id: ResponderId, key: &KeyPair, certificates: &[&Certificate]) -> Vec<u8> {
        let answers = vec![self.answer(good(), days(0), days(7))];
        signed(data(id, NOW, answers), key, certificates)
    }

    fn delegate(&self, from: i64, to: i64, usage: ExtendedKeyUsagePurpose) -> pki::Leaf {
        self.ca.leaf_with(&["responder"], from, to, |params| {
            params.extended_key_usages = vec![usage];
        })
    }
}

#[test]
fn a_good_staple_is_good_to_the_very_second() {
    let scene = Scene::new();
    let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let until = days(7);
    let good = StapleStatus::Good { until };
    let cases = [
        (NOW, good.clone()),
        (NOW.saturating_add(-SKEW), good.clone()),
        (
            NOW.saturating_add(-SKEW - 1),
            StapleStatus::NotYetValid {
                this_update: NOW,
                seconds: SKEW + 1,
            },
        ),
        (until, good),
        (
            until.saturating_add(1),
            StapleStatus::Stale { until, seconds: 1 },
        ),
        (
            until.saturating_add(DAY),
            StapleStatus::Stale {
                until,
                seconds: DAY,
            },
        ),
        (
            Timestamp::MAX,
            StapleStatus::Stale {
                until,
                seconds: Timestamp::MAX.seconds_since(until),
            },
        ),
        (
            Timestamp::MIN,
            StapleStatus::NotYetValid {
                this_update: NOW,
                seconds: NOW.seconds_since(Timestamp::MIN),
            },
        ),
    ];
    for (now, status) in cases {
        let outlook = scene.judge(&staple, now);
        assert_eq!(outlook.status, status, "{now}");
        assert_eq!(outlook.is_good(), outlook.code() == "good");
        assert_eq!(outlook.good_until().is_some(), outlook.is_good());
        assert_eq!(outlook.judged_at, now);
        assert_eq!(outlook.produced_at, Some(NOW));
        assert_eq!(outlook.this_update, Some(NOW));
        assert_eq!(outlook.next_update, Some(until));
    }
}

#[test]
fn a_maximum_age_ends_a_staple_and_stands_in_for_a_missing_next_update() {
    let scene = Scene::new();
    let pair = (&scene.leaf, &scene.issuer);
    let open = answer(pair, Hash::Sha1, good(), (NOW, None));
    let open = scene.staple(vec![open]);
    let closed = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let judge = StapleJudge::new();
    let capped = judge.clone().with_max_age(3 * DAY);
    let generous = judge.clone().with_max_age(30 * DAY);
    let cases = [
        (&judge, &open, 10),
        (&capped, &open, 3),
        (&generous, &open, 30),
        (&judge, &closed, 7),
        (&capped, &closed, 3),
        (&generous, &closed, 7),
    ];
    for (judge, staple, end) in cases {
        let until = days(end);
        assert_eq!(
            scene.judge_with(judge, staple, until).good_until(),
            Some(until)
        );
        let after = scene.judge_with(judge, staple, until.saturating_add(1));
        assert_eq!(after.status, StapleStatus::Stale { until, seconds: 1 });
    }
    let at_once = judge.with_max_age(-5).with_skew_tolerance(-5);
    assert!(scene.judge_with(&at_once, &open, NOW).is_good());
    for (now, code) in [(-1, "not_yet_valid"), (1, "stale")] {
        let outlook = scene.judge_with(&at_once, &open, NOW.saturating_add(now));
        assert_eq!(outlook.code(), code);
    }
}

#[test]
fn a_revocation_is_final_but_a_hold_ends_with_its_answer() {
    let scene = Scene::new();
    let since = days(-3);
    let reasons = [
        (None, None),
        (Some(CrlReason::Unspecified), "unspecified".into()),
        (Some(CrlReason::KeyCompromise), "keyCompromise".into()),
        (Some(CrlReason::CaCompromise), "cACompromise".into()),
        (
            Some(CrlReason::AffiliationChanged),
            "affiliationChanged".into(),
        ),
        (Some(CrlReason::Superseded), "superseded".into()),
        (
            Some(CrlReason::CessationOfOperation),
            "cessationOfOperation".into(),
        ),
        (
            Some(CrlReason::PrivilegeWithdrawn),
            "privilegeWithdrawn".into(),
        ),
        (Some(CrlReason::AaCompromise), "aACompromise".into()),
    ];
    for (reason, name) in reasons {
        let staple = scene.staple(vec![scene.answer(revoked(since, reason), days(0), days(7))]);
        for now in [days(-1), days(0), days(7), days(8), Timestamp::MAX] {
            let outlook = scene.judge(&staple, now);
            let StapleStatus::Revoked {
                since: told,
                reason,
            } = outlook.status
            else {
                panic!("{outlook}");
            };
            assert_eq!(told, since);
            assert_eq!(reason.map(RevocationReason::name), name);
        }
    }
    let hold = revoked(since, Some(CrlReason::CertificateHold));
    let staple = scene.staple(vec![scene.answer(hold, days(0), days(7))]);
    for (now, code) in [
        (-1, "not_yet_valid"),
        (0, "revoked"),
        (7, "revoked"),
        (8, "stale"),
    ] {
        assert_eq!(scene.judge(&staple, days(now)).code(), code, "{now}");
    }
    let staple = scene.staple(vec![scene.answer(unknown(), days(0), days(7))]);
    for (now, code) in [
        (-1, "not_yet_valid"),
        (0, "unknown"),
        (7, "unknown"),
        (8, "stale"),
    ] {
        assert_eq!(scene.judge(&staple, days(now)).code(), code, "{now}");
    }
}

#[test]
fn of_several_answers_the_freshest_counts_and_among_equals_the_worst() {
    let scene = Scene::new();
    let other = scene.ca.leaf(&["b.example"], -10, 80).certificate();
    let other = answer(
        (&other, &scene.issuer),
        Hash::Sha1,
        revoked(days(-3), None),
        (days(1), Some(days(9))),
    );
    let revoked = || revoked(days(-3), None);
    let cases = [
        (vec![(good(), 0), (good(), -1)], "good"),
        (vec![(unknown(), -1), (good(), 0)], "good"),
        (vec![(revoked(), -1), (good(), 0)], "good"),
        (vec![(good(), -1), (revoked(), 0)], "revoked"),
        (vec![(revoked(), 0), (good(), 0)], "revoked"),
        (vec![(good(), 0), (revoked(), 0)], "revoked"),
        (vec![(good(), 0), (unknown(), 0)], "unknown"),
    ];
    for (answers, code) in cases {
        let answers = answers
            .into_iter()
            .map(|(status, from)| scene.answer(status, days(from), days(7)))
            .chain([other.clone()]);
        let staple = scene.staple(answers.collect());
        assert_eq!(scene.judge(&staple, NOW).code(), code);
    }
    let staple = scene.staple(vec![other]);
    let outlook = scene.judge(&staple, NOW);
    let (serial, answers) = (scene.leaf.serial_hex(), 1);
    assert_eq!(
        outlook.status,
        StapleStatus::WrongCertificate { serial, answers }
    );
    assert_eq!(outlook.produced_at, Some(NOW));
    assert_eq!(
        scene.judge(&scene.staple(Vec::new()), NOW).code(),
        "wrong_certificate"
    );
}

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
fn what_is_no_response_is_absent_or_unreadable() {
    let scene = Scene::new();
    assert_eq!(scene.judge(&[], NOW).status, StapleStatus::Absent);
    let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let small = StapleJudge::new().with_max_bytes(staple.len() - 1);
    let (bytes, limit) = (staple.len(), staple.len() - 1);
    let problem = UnreadableStaple::TooLarge { bytes, limit };
    let status = scene.judge_with(&small, &staple, NOW).status;
    assert_eq!(status, StapleStatus::Unreadable { problem });
    let exact = StapleJudge::new().with_max_bytes(staple.len());
    assert!(scene.judge_with(&exact, &staple, NOW).is_good());
    let mut longer = staple.clone();
    longer.push(0);
    let certificate = scene.leaf.der().to_vec();
    for bytes in [longer, certificate, b"<html>".to_vec(), vec![0x30; 70_000]] {
        assert_eq!(scene.judge(&bytes, NOW).code(), "unreadable");
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

#[test]
fn every_status_says_what_to_do() {
    let scene = Scene::new();
    let staple = |status| scene.staple(vec![scene.answer(status, days(0), days(7))]);
    let hold = revoked(days(-1), Some(CrlReason::KeyCompromise));
    let cases = [
        (staple(good()), NOW, "until 2026-01-08T00:00:00Z"),
        (
            staple(good()),
            days(8),
            "ended at 2026-01-08T00:00:00Z, 86400 s ago",
        ),
        (
            staple(good()),
            days(-1),
            "not valid before 2026-01-01T00:00:00Z, in 86400 s",
        ),
        (
            staple(hold),
            NOW,
            "revoked since 2025-12-31T00:00:00Z (keyCompromise)",
        ),
        (staple(unknown()), NOW, "ask the CA"),
        (scene.staple(Vec::new()), NOW, "0 answers"),
        (Vec::new(), NOW, "there is no staple"),
        (
            vec![0x30, 0x03, 0x0a, 0x01, 0x03],
            NOW,
            "try_later: ask again later",
        ),
        (vec![0x30, 0x03, 0x0a, 0x01, 0x00], NOW, "holds no answer"),
    ];
    for (staple, now, words) in cases {
        let text = scene.judge(&staple, now).to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.contains(": "), "{text} says not what to do");
    }
}
