//! The real `openssl ocsp` as responder.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use notafter::Timestamp;
use notafter::revocation::{
    RevocationReason, SignatureProblem, StapleJudge, StapleOutlook, StapleStatus,
};
use rcgen::{ExtendedKeyUsagePurpose, KeyPair, SerialNumber};
use rustls::pki_types::CertificateDer;

use crate::support::ocsp::provided;
use crate::support::pki;

const DAY: i64 = 86_400;

/// A CA's folder with openssl's index of what was issued.
pub struct Responder {
    folder: tempfile::TempDir,
}

impl Responder {
    pub fn new(ca: &pki::Ca) -> Self {
        let responder = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        responder.write("ca", &ca.der, ca.key());
        // Valid, revoked, and nothing about 1003.
        let index = "V\t400101000000Z\t\t1001\tunknown\t/CN=good\n\
                     R\t400101000000Z\t260301120000Z,keyCompromise\t1002\tunknown\t/CN=revoked\n";
        std::fs::write(responder.path("index"), index).unwrap();
        responder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, certificate: &CertificateDer<'static>, key: &KeyPair) {
        let mut pem = pki::pem_bundle([certificate]);
        std::fs::write(self.path(name), &pem).unwrap();
        write!(pem, "{}", key.serialize_pem()).unwrap();
        std::fs::write(self.path(&format!("{name}.signer")), &pem).unwrap();
    }

    /// The answer about a certificate, signed by `signer`; `None`, with a line, where there is no
    /// openssl; in CI there must be.
    pub fn answer(&self, leaf: &pki::Leaf, signer: &str, more: &[&str]) -> Option<Vec<u8>> {
        self.write("leaf", &leaf.der, &leaf.key_pair);
        let run = Command::new("openssl")
            .current_dir(self.folder.path())
            .args(["ocsp", "-index", "index", "-CA", "ca", "-issuer", "ca"])
            .args(more)
            .args(["-cert", "leaf", "-respout", "response", "-noverify"])
            .args(["-rsigner", &format!("{signer}.signer")])
            .args(["-ndays", "3"])
            .output();
        match run {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "openssl ocsp: {said}");
                Some(std::fs::read(self.path("response")).unwrap())
            }
            Err(error) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "openssl is missing: {error}"
                );
                println!("skipped: there is no openssl here ({error})");
                None
            }
        }
    }
}

fn leaf(ca: &pki::Ca, serial: u64) -> pki::Leaf {
    ca.leaf_with(&["a.example"], -10, 80, |params| {
        params.serial_number = Some(SerialNumber::from(serial));
    })
}

/// By both providers, which must agree.
fn judge(staple: &[u8], leaf: &pki::Leaf, ca: &pki::Ca, now: Timestamp) -> StapleOutlook {
    let (leaf, issuer) = (leaf.certificate(), ca.certificate());
    let [ring, aws_lc] = provided()
        .map(|(_, algorithms)| StapleJudge::new().judge(staple, &leaf, &issuer, algorithms, now));
    assert_eq!(ring, aws_lc);
    ring
}

#[test]
fn answers_of_openssl_are_judged_as_meant() {
    let ca = pki::root("Issuing CA", -1000, 9000);
    let stranger = pki::root("Issuing CA", -1000, 9000);
    let responder = Responder::new(&ca);
    let delegate = |ca: &pki::Ca, usage| {
        ca.leaf_with(&["responder"], -1000, 9000, |params| {
            params.extended_key_usages = vec![usage];
        })
    };
    let ocsp = ExtendedKeyUsagePurpose::OcspSigning;
    for (name, leaf) in [
        ("delegate", delegate(&ca, ocsp.clone())),
        ("server", delegate(&ca, ExtendedKeyUsagePurpose::ServerAuth)),
        ("foreign", delegate(&stranger, ocsp)),
    ] {
        responder.write(name, &leaf.der, &leaf.key_pair);
    }
    responder.write("stranger", &stranger.der, stranger.key());
    let [good, revoked, unheard_of] = [0x1001, 0x1002, 0x1003].map(|serial| leaf(&ca, serial));
    let cases: [(&pki::Leaf, &str, &[&str]); 12] = [
        (&good, "ca", &[]),
        (&good, "ca", &["-resp_key_id"]),
        (&good, "ca", &["-resp_no_certs"]),
        (&good, "ca", &["-sha256"]),
        (&good, "ca", &["-rmd", "sha384"]),
        (&good, "delegate", &[]),
        (&good, "delegate", &["-resp_key_id", "-sha256"]),
        (&revoked, "ca", &[]),
        (&revoked, "delegate", &[]),
        (&unheard_of, "ca", &[]),
        (&good, "server", &[]),
        (&good, "foreign", &[]),
    ];
    for (leaf, signer, more) in cases {
        let Some(staple) = responder.answer(leaf, signer, more) else {
            return;
        };
        let produced_at = judge(&staple, leaf, &ca, Timestamp::MIN).produced_at;
        let now = produced_at.unwrap();
        let at = |now| judge(&staple, leaf, &ca, now).status;
        let until = now.saturating_add(3 * DAY);
        let said = format!("{signer} {more:?}");
        match (leaf, signer) {
            (_, "server") => {
                let problem = SignatureProblem::ResponderNotAuthorized;
                assert_eq!(at(now), StapleStatus::BadSignature { problem });
            }
            (_, "foreign") => {
                let problem = SignatureProblem::ResponderNotIssuedByIssuer;
                assert_eq!(at(now), StapleStatus::BadSignature { problem });
            }
            (leaf, _) if std::ptr::eq(leaf, &revoked) => {
                let since = Timestamp::from_unix_seconds(1_772_366_400);
                let reason = Some(RevocationReason::KeyCompromise);
                let expected = StapleStatus::Revoked { since, reason };
                assert_eq!(
                    [at(now), at(until.saturating_add(1))],
                    [expected.clone(), expected]
                );
            }
            (leaf, _) if std::ptr::eq(leaf, &unheard_of) => {
                assert_eq!(at(now), StapleStatus::Unknown { until });
            }
            _ => {
                let good = StapleStatus::Good { until };
                assert_eq!([at(now), at(until)], [good.clone(), good], "{said}");
                let seconds = 1;
                let stale = StapleStatus::Stale { until, seconds };
                assert_eq!(at(until.saturating_add(1)), stale, "{said}");
                assert_eq!(at(now.saturating_add(-301)).code(), "not_yet_valid");
                let other = judge(&staple, &revoked, &ca, now);
                assert_eq!(other.code(), "wrong_certificate");
                let other = judge(&staple, leaf, &stranger, now);
                assert_eq!(other.code(), "wrong_certificate");
            }
        }
    }
    // The same name, another key: as whoever took over the responder's address would sign.
    let staple = responder
        .answer(&good, "stranger", &["-resp_no_certs"])
        .unwrap();
    let now = judge(&staple, &good, &ca, Timestamp::MIN)
        .produced_at
        .unwrap();
    let problem = SignatureProblem::NotSignedByResponder;
    let status = judge(&staple, &good, &ca, now).status;
    assert_eq!(status, StapleStatus::BadSignature { problem });
}
