//! The files of the corpus, and what the projects that they come from say of them.

use std::path::PathBuf;

use notafter::revocation::{StapleJudge, StapleOutlook};
use notafter::{Certificate, Loader, Timestamp};
use serde_json::Value;

use crate::support::corpora;
use crate::support::ocsp::Algorithms;

pub const DAY: i64 = 86_400;
/// When BoringSSL's and OpenSSL's own tests check.
const BORINGSSL_CHECKS_AT: i64 = 1_488_672_000;
pub const OPENSSL_CHECKS_AT: i64 = 1_355_875_200;

/// What BoringSSL's ocsp_unittest.cc expects at its instant, with answers up to a week old, in the
/// words of this crate.
const BORINGSSL: [(&str, &str); 22] = [
    ("bad_ocsp_type", "unreadable"),
    ("bad_status", "unreadable"),
    ("future_response", "not_yet_valid"),
    ("good_response", "good"),
    ("good_response_next_update", "good"),
    ("has_critical_ct_extension", "good"),
    ("has_critical_single_extension", "unreadable"),
    ("has_single_extension", "good"),
    ("has_version", "good"),
    ("invalid_response_data", "unreadable"),
    ("malformed_request", "unsuccessful"),
    ("multiple_response_good_revoked", "revoked"),
    ("ocsp_extra_certs", "good"),
    ("ocsp_sign_direct", "good"),
    ("ocsp_sign_indirect", "good"),
    ("ocsp_sign_indirect_missing", "bad_signature"),
    ("other_response", "wrong_certificate"),
    ("produced_early_response", "bad_produced_at"),
    ("responder_id", "good"),
    ("revoke_response", "revoked"),
    ("stale_response", "stale"),
    ("unknown_response", "unknown"),
];

/// What the names of Botan's files say; those of `mychain` came with the fix of CVE-2022-43705,
/// where any certificate in a response could sign it.
const BOTAN: [(&str, &str); 11] = [
    ("bdr-int-ocsp-resp", "good"),
    ("bdr-ocsp-resp", "good"),
    ("mychain_ocsp_for_ee", "good"),
    ("mychain_ocsp_for_ee_delegate_signed", "good"),
    ("mychain_ocsp_for_ee_root_signed", "bad_signature"),
    ("mychain_ocsp_for_int_self_signed", "bad_signature"),
    ("randombit_ocsp", "good"),
    ("randombit_ocsp_forged_revoked", "bad_signature"),
    ("randombit_ocsp_forged_valid", "bad_signature"),
    ("randombit_ocsp_forged_valid_nocerts", "bad_signature"),
    ("slhdsa_ocsp", "good"),
];

/// What OpenSSL's categories are here. A response that was altered after it was signed is told by
/// what was altered where that is looked at first.
const CATEGORIES: [(&str, &str); 7] = [
    ("valid", "good"),
    (
        "invalid: bad signature on the OCSP response",
        "bad_signature",
    ),
    (
        "invalid: bad signature on delegated OCSP signing certificate",
        "bad_signature",
    ),
    ("invalid: wrong issuerKeyHash", "wrong_certificate"),
    ("invalid: wrong issuerNameHash", "wrong_certificate"),
    (
        "invalid: wrong key in delegated OCSP signing certificate",
        "bad_signature",
    ),
    ("invalid: wrong responderID", "bad_signature"),
];

pub struct File {
    /// Without the ending: `botan/resp1`.
    pub name: String,
    pub entry: Value,
    pub staple: Vec<u8>,
    pub pair: Option<(Certificate, Certificate)>,
}

impl File {
    pub fn source_and_case(&self) -> (&str, &str) {
        self.name.split_once('/').unwrap()
    }

    /// At each instant by each provider: all must agree.
    pub fn judge_with(
        &self,
        judge: &StapleJudge,
        algorithms: &[(&str, Algorithms)],
        now: Timestamp,
    ) -> StapleOutlook {
        let (leaf, issuer) = self.pair.as_ref().unwrap();
        let mut outlooks = algorithms
            .iter()
            .map(|(_, all)| judge.judge(&self.staple, leaf, issuer, all, now));
        let first = outlooks.next().unwrap();
        assert!(outlooks.all(|other| other == first), "{}", self.name);
        first
    }

    /// With the maximum age of the file's project, where it has one.
    pub fn judge(&self) -> StapleJudge {
        match self.source_and_case().0 {
            "boringssl-ocsp_unittest" => {
                StapleJudge::new().with_max_age(std::time::Duration::from_secs(7 * 86_400))
            }
            _ => StapleJudge::new(),
        }
    }

    pub fn singles(&self) -> &[Value] {
        self.entry["single_responses"]
            .as_array()
            .map_or(&[], Vec::as_slice)
    }
}

pub fn instant(value: &Value) -> Option<Timestamp> {
    value.as_i64().map(Timestamp::from_unix_seconds)
}

pub fn first_certificate(path: PathBuf) -> Certificate {
    let found = Loader::new().load_file(&path).certificates;
    found.into_iter().next().unwrap().certificate
}

pub fn files() -> Option<Vec<File>> {
    let folder = corpora::folder("ocsp")?;
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let file = |(name, entry): (&String, &Value)| {
        let certificate = |key: &str| Some(first_certificate(folder.join(entry[key].as_str()?)));
        File {
            name: name.strip_suffix(".der").unwrap().to_owned(),
            staple: std::fs::read(folder.join(name)).unwrap(),
            pair: certificate("cert_file").zip(certificate("issuer_file")),
            entry: entry.clone(),
        }
    };
    Some(manifest.as_object().unwrap().iter().map(file).collect())
}

/// The expectation of the file's own project.
pub fn stated(file: &File) -> Option<&'static str> {
    let (source, case) = file.source_and_case();
    let look_up = |table: &[(&str, &'static str)], key: &str| {
        let entry = table.iter().find(|(name, _)| *name == key);
        entry.map(|(_, code)| *code)
    };
    match source {
        "boringssl-ocsp_unittest" => look_up(&BORINGSSL, case),
        "botan" => look_up(&BOTAN, case),
        "openssl-ocsp-tests" => look_up(
            &CATEGORIES,
            file.entry["upstream_category"].as_str().unwrap(),
        ),
        "rustls-platform-verifier" => Some("revoked"),
        _ => None,
    }
}

/// When the file's own project looks at it.
pub fn stated_at(file: &File) -> Timestamp {
    let seconds = match file.source_and_case().0 {
        "boringssl-ocsp_unittest" => BORINGSSL_CHECKS_AT,
        _ => file.singles()[0]["this_update"].as_i64().unwrap(),
    };
    Timestamp::from_unix_seconds(seconds)
}
