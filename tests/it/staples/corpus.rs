//! Every response of the corpus, compared with what pyca-cryptography reads in it and with what
//! the projects that it comes from say of it.

use std::collections::BTreeSet;

use notafter::Timestamp;
use notafter::revocation::{SignatureProblem, StapleJudge, StapleStatus};

use super::upstream::{DAY, OPENSSL_CHECKS_AT, files, instant, stated, stated_at};
use crate::support::ocsp::{provided, with_sha1};

const SKEW: i64 = 300;
const COMPARED_WITH_PYCA: usize = 29;
const GARBLED_EACH: usize = 200;

/// Where this crate says otherwise than the source: file, what it says here, and why.
const DIFFERENCES: [(&str, &str, &str); 2] = [
    (
        "boringssl-ocsp_unittest/produced_early_response",
        "good",
        "BoringSSL wants producedAt within the leaf's dates; RFC 6960 has no such rule, and \
         thisUpdate is what dates the answer",
    ),
    (
        "botan/slhdsa_ocsp",
        "unsupported_signature",
        "signed with SLH-DSA, which neither ring nor aws-lc-rs verifies",
    ),
];

/// Without a leaf and an issuer: what pyca-cryptography refuses to read and this crate reads.
const READ_HERE: [(&str, &str); 2] = [
    (
        "golang-x-crypto/ocspResponseWithCriticalExtension",
        ENCODED_DEFAULT,
    ),
    ("golang-x-crypto/ocspResponseWithExtension", ENCODED_DEFAULT),
];
const ENCODED_DEFAULT: &str =
    "it writes out a DEFAULT value, which DER forbids, responders do, and the der crate allows";

/// What ends before its nextUpdate, with the certificate of the delegated responder.
const END_WITH_THEIR_RESPONDER: [(&str, &str); 1] = [(
    "botan/mychain_ocsp_for_ee_delegate_signed",
    "2022-10-07T10:00:00Z",
)];

#[test]
fn staples_of_other_projects_are_judged_as_they_state() {
    let Some(files) = files() else { return };
    let algorithms = with_sha1();
    let mut used = BTreeSet::new();
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in files.iter().filter(|file| file.pair.is_some()) {
        let Some(stated) = stated(file) else { continue };
        let outlook = file.judge_with(&file.judge(), &algorithms, stated_at(file));
        let difference = DIFFERENCES.iter().find(|(name, ..)| *name == file.name);
        let expected = difference.map_or(stated, |(name, code, reason)| {
            assert!(reason.len() > 20 && *code != stated, "{name}");
            used.insert(*name);
            code
        });
        if outlook.code() != expected {
            wrong.push(format!(
                "{}: {} where {expected} ({outlook})",
                file.name,
                outlook.code()
            ));
        }
        compared += 1;
    }
    println!(
        "{compared} files compared with their projects, {} differences",
        used.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(
        used.len(),
        DIFFERENCES.len(),
        "an explained difference is gone"
    );
    assert_eq!(compared, 61);
}

#[test]
fn delegated_responders_fail_for_the_reason_that_openssl_states() {
    let Some(files) = files() else { return };
    let mut compared = 0;
    for file in &files {
        let problem = match file.entry["upstream_category"].as_str() {
            Some("invalid: bad signature on the OCSP response") => {
                SignatureProblem::NotSignedByResponder
            }
            Some("invalid: bad signature on delegated OCSP signing certificate") => {
                SignatureProblem::ResponderNotIssuedByIssuer
            }
            // The responderID is a key's hash: that of neither the issuer's key nor the one
            // in the certificate.
            Some(
                "invalid: wrong key in delegated OCSP signing certificate"
                | "invalid: wrong responderID",
            ) => SignatureProblem::NoResponder,
            _ => continue,
        };
        let now = Timestamp::from_unix_seconds(OPENSSL_CHECKS_AT);
        let outlook = file.judge_with(&file.judge(), &with_sha1(), now);
        let expected = StapleStatus::BadSignature { problem };
        assert_eq!(outlook.status, expected, "{}", file.name);
        compared += 1;
    }
    println!("{compared} forged responses told apart");
    assert_eq!(compared, 12);
}

#[test]
fn dates_and_statuses_are_those_that_pyca_reads_to_the_second() {
    let Some(files) = files() else { return };
    let algorithms = with_sha1();
    let (mut compared, mut instants, mut used) = (0, 0, BTreeSet::new());
    for file in files.iter().filter(|file| file.pair.is_some()) {
        let ours = BTreeSet::from(["good", "revoked", "unknown"]);
        let judge = file.judge();
        let Some(first) = file.singles().first() else {
            continue;
        };
        let this_update = instant(&first["this_update"]).unwrap();
        let next_update = instant(&first["next_update"]);
        let code = file.judge_with(&judge, &algorithms, this_update);
        let code = code.code();
        if !ours.contains(code) {
            continue;
        }
        // Where there are several answers, the worst counts (see the table of BoringSSL).
        let said = file.singles().iter().map(|s| s["cert_status"].as_str());
        assert!(said.into_iter().any(|s| s.unwrap().to_lowercase() == code));
        let week = file.name.starts_with("boringssl").then_some(7 * DAY);
        let oldest = this_update.saturating_add(week.unwrap_or(10 * DAY));
        let end = match week {
            Some(_) => next_update.unwrap_or(oldest).min(oldest),
            None => next_update.unwrap_or(oldest),
        };
        let sooner = END_WITH_THEIR_RESPONDER
            .iter()
            .find(|(name, _)| *name == file.name);
        let (end, after) = match sooner {
            Some((name, responder)) => {
                used.insert(*name);
                (
                    responder.parse::<Timestamp>().unwrap().min(end),
                    "bad_signature",
                )
            }
            None => (end, "stale"),
        };
        let cases = [
            (this_update, code),
            (end, code),
            (end.saturating_add(1), after),
            (this_update.saturating_add(-SKEW), code),
            (this_update.saturating_add(-SKEW - 1), "not_yet_valid"),
            (
                Timestamp::from_unix_seconds(OPENSSL_CHECKS_AT.max(this_update.as_unix_seconds())),
                if OPENSSL_CHECKS_AT > end.as_unix_seconds() {
                    "stale"
                } else {
                    code
                },
            ),
        ];
        for (now, expected) in cases {
            let outlook = file.judge_with(&judge, &algorithms, now);
            let expected = if code == "revoked" { code } else { expected };
            assert_eq!(
                outlook.code(),
                expected,
                "{} at {now}: {outlook}",
                file.name
            );
            assert_eq!(outlook.produced_at, instant(&file.entry["produced_at"]));
            assert_eq!(outlook.this_update, Some(this_update));
            assert_eq!(outlook.next_update, next_update);
            if expected == "good" {
                assert_eq!(outlook.good_until(), Some(end), "{}", file.name);
            }
            if let StapleStatus::Revoked { since, reason } = outlook.status {
                let revoked = file
                    .singles()
                    .iter()
                    .find(|s| s["cert_status"] == "REVOKED");
                assert_eq!(Some(since), instant(&revoked.unwrap()["revocation_time"]));
                assert_eq!(reason, None, "{}", file.name);
            }
            instants += 1;
        }
        compared += 1;
    }
    println!("{compared} files compared with pyca-cryptography at {instants} instants");
    assert_eq!(used.len(), END_WITH_THEIR_RESPONDER.len());
    assert_eq!(compared, COMPARED_WITH_PYCA);
}

#[test]
fn responses_without_their_certificates_are_read_as_pyca_reads_them() {
    let Some(files) = files() else { return };
    let pair = files.iter().find(|f| f.name.ends_with("/good_response"));
    let (leaf, issuer) = pair.unwrap().pair.as_ref().unwrap();
    let (mut used, mut compared) = (BTreeSet::new(), 0);
    for file in files.iter().filter(|file| file.pair.is_none()) {
        let this_update = file.singles().first().map(|s| s["this_update"].clone());
        let now = instant(&this_update.unwrap_or_default()).unwrap_or(Timestamp::MIN);
        for (_, algorithms) in with_sha1() {
            let outlook = StapleJudge::new().judge(&file.staple, leaf, issuer, algorithms, now);
            let refused = file.entry["pyca"].as_str().unwrap() != "ok";
            let read_here = READ_HERE.iter().find(|(name, _)| *name == file.name);
            let expected = match file.entry["response_status"].as_str() {
                _ if read_here.is_some() => {
                    assert!(refused, "{}", file.name);
                    used.insert(file.name.clone());
                    "wrong_certificate"
                }
                _ if refused => "unreadable",
                Some("SUCCESSFUL") => {
                    assert_eq!(outlook.produced_at, instant(&file.entry["produced_at"]));
                    let StapleStatus::WrongCertificate { answers, .. } = &outlook.status else {
                        panic!("{}: {outlook}", file.name);
                    };
                    let unreadable = !file.entry["errors"].is_null();
                    assert!(
                        unreadable || *answers == file.singles().len(),
                        "{}",
                        file.name
                    );
                    "wrong_certificate"
                }
                Some(status) => {
                    let StapleStatus::Unsuccessful { status: told } = &outlook.status else {
                        panic!("{}: {outlook}", file.name);
                    };
                    assert_eq!(told.code(), status.to_lowercase());
                    "unsuccessful"
                }
                None => panic!("{}", file.name),
            };
            assert_eq!(outlook.code(), expected, "{}: {outlook}", file.name);
        }
        compared += 1;
    }
    println!(
        "{compared} files without certificates, {} explained",
        used.len()
    );
    assert_eq!(
        used.len(),
        READ_HERE.len(),
        "an explained difference is gone"
    );
}

#[test]
fn without_sha1_such_staples_are_unsupported_not_forged() {
    let Some(files) = files() else { return };
    let mut unsupported = 0;
    for file in files.iter().filter(|file| file.pair.is_some()) {
        let Some(this_update) = file.singles().first().map(|s| instant(&s["this_update"])) else {
            continue;
        };
        let now = this_update.unwrap();
        let with = file.judge_with(&file.judge(), &with_sha1(), now);
        let without = file.judge_with(&file.judge(), &provided(), now);
        if file.entry["signature_algorithm"] == "sha1WithRSAEncryption" && with.is_good() {
            let algorithm = "1.2.840.113549.1.1.5".to_owned();
            let name = "sha1WithRSAEncryption".to_owned();
            assert_eq!(
                without.status,
                StapleStatus::UnsupportedSignature { algorithm, name }
            );
            assert_eq!(
                without.status.to_string(),
                "the staple is signed with sha1WithRSAEncryption, which the crypto provider does not support \
                 for this key: ask the CA for a responder that signs with SHA-256"
            );
            unsupported += 1;
        } else {
            assert!(!without.is_good() || without == with, "{}", file.name);
        }
    }
    println!("{unsupported} good staples are signed with SHA-1");
    assert!(unsupported >= 15, "{unsupported}");
}

#[test]
fn no_truncated_file_panics_or_counts() {
    let Some(files) = files() else { return };
    let other = files.iter().find_map(|file| file.pair.as_ref()).unwrap();
    let [(_, algorithms), _] = with_sha1();
    let mut judged = 0;
    for file in &files {
        let (leaf, issuer) = file.pair.as_ref().unwrap_or(other);
        // Each byte of the outline, and then some.
        let length = file.staple.len();
        for end in (0..length.min(100)).chain((100..length).step_by(9)) {
            let now = Timestamp::from_unix_seconds(OPENSSL_CHECKS_AT);
            let staple = &file.staple[..end];
            let outlook = StapleJudge::new().judge(staple, leaf, issuer, algorithms, now);
            let expected = if end == 0 { "absent" } else { "unreadable" };
            assert_eq!(outlook.code(), expected, "{} cut at {end}", file.name);
            judged += 1;
        }
    }
    println!("{judged} truncated staples of {} files", files.len());
    assert_eq!(files.len(), 89);
}

#[test]
fn no_garbled_file_panics_or_turns_good() {
    let Some(files) = files() else { return };
    let other = files.iter().find_map(|file| file.pair.as_ref()).unwrap();
    let [(_, algorithms), _] = with_sha1();
    // Any fixed sequence will do (Knuth's linear congruential generator).
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut judged = 0;
    for file in &files {
        let (leaf, issuer) = file.pair.as_ref().unwrap_or(other);
        let now = file.singles().first().map(|s| instant(&s["this_update"]));
        let now = now.flatten().unwrap_or(Timestamp::MIN);
        let judge = |staple: &[u8]| file.judge().judge(staple, leaf, issuer, algorithms, now);
        let whole = judge(&file.staple);
        for _ in 0..GARBLED_EACH {
            let mut bytes = file.staple.clone();
            for _ in 0..=random(3) {
                let (at, byte) = (random(bytes.len()), u8::try_from(random(256)).unwrap());
                match random(4) {
                    0 => bytes.insert(at, byte),
                    1 if bytes.len() > 1 => drop(bytes.remove(at)),
                    _ => bytes[at] = byte,
                }
            }
            let outlook = judge(&bytes);
            // Certificates that come with a response and did not sign it may be damaged.
            let same = outlook.status == whole.status;
            assert!(same || !outlook.is_good(), "{}: {bytes:02x?}", file.name);
            let _ = outlook.to_string();
            judged += 1;
        }
    }
    println!("{judged} garbled staples of {} files", files.len());
}

#[test]
fn no_damage_turns_a_real_staple_good() {
    let Some(files) = files() else { return };
    for name in ["botan/randombit_ocsp", "botan/randombit_ocsp_forged_valid"] {
        let file = files.iter().find(|f| f.name == name).unwrap();
        let (leaf, issuer) = file.pair.as_ref().unwrap();
        let now = stated_at(file);
        let [(_, ring), _] = provided();
        let judge = |staple: &[u8]| file.judge().judge(staple, leaf, issuer, ring, now);
        for end in 0..file.staple.len() {
            assert!(!judge(&file.staple[..end]).status.is_authentic());
        }
        for position in 0..file.staple.len() {
            let mut damaged = file.staple.clone();
            damaged[position] ^= 0x01;
            assert!(!judge(&damaged).status.is_authentic(), "{name}: {position}");
        }
    }
}
