//! The fingerprints that Wultra's SSL pinning serves and takes (`CertStore`).
//!
//! They are of whole certificates, not of keys, so both ways need the certificates: the key of each is pinned, and so
//! a renewal of a certificate with the same key is accepted too. They are matched by the common name of the leaf, which
//! here is the host. After its `expires` a fingerprint counts no more, and a host without any is refused:
//! [`ExpiryRule::FailClosed`]. Signatures are not looked at and not made: read what you trust, and sign what is
//! written by Wultra's own tool, or give it as fallback data.
//!
//! Source: `GetFingerprintsResponse.swift` and `CertStore+Validation.swift` of
//! [ssl-pinning-ios](https://github.com/wultra/ssl-pinning-ios).

use std::collections::BTreeMap;

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use super::draft::{Draft, Policy};
use super::error::{FormProblem, FormReadError};
use super::json::{self, JsonValue};
use super::unsayable::{FormWriteError, Unsayable};
use super::writer::{Form, Numbered, Positions};
use crate::cert::{Certificate, Sha256Digest};
use crate::pin::{ExpiryRule, PinParseError, PinPosition, PinScope, PinSets, SpkiPin};
use crate::time::Timestamp;

const FORM: Form = Form {
    name: "a list of fingerprints of Wultra",
    reports: false,
    least_pins: 1,
};

/// Reads the fingerprints, and pins the keys of the certificates that have them.
///
/// # Errors
/// [`FormReadError`] with the path of the value, also where no certificate given has a fingerprint, and where the
/// fingerprints of one name end at different instants.
pub fn read(fingerprints: &str, certificates: &[Certificate]) -> Result<PinSets, FormReadError> {
    let json = json::parse(fingerprints)?;
    let root = JsonValue::root(&json);
    let Some(list) = root.field("fingerprints")? else {
        let what = "fingerprints";
        return Err(root.at(FormProblem::Missing { what }));
    };
    let known: BTreeMap<Sha256Digest, SpkiPin> = certificates
        .iter()
        .map(|certificate| {
            (
                certificate.fingerprint(),
                SpkiPin::from_certificate(certificate),
            )
        })
        .collect();
    let mut draft = Draft::default();
    let mut hosts: Vec<(PinScope, Policy)> = Vec::new();
    for entry in list.list()? {
        let name = needed(&entry, "name")?;
        let scope = name.text()?.parse::<PinScope>();
        let scope = scope.map_err(|error| name.at(error.into()))?;
        if scope.is_of_identities() {
            let found = name.text()?;
            return Err(name.at(FormProblem::unexpected(found, "the name of a host")));
        }
        draft.count_pin().map_err(|problem| entry.at(problem))?;
        let key = key_of(&needed(&entry, "fingerprint")?, &known)?;
        let expires = needed(&entry, "expires")?;
        let not_after = Timestamp::from_unix_seconds(expires.integer()?);
        let end = Some((not_after, ExpiryRule::FailClosed));
        let at = match hosts.iter().position(|(known, _)| *known == scope) {
            Some(at) => at,
            None => {
                draft.count_host().map_err(|problem| entry.at(problem))?;
                let policy = Policy {
                    expiry: end,
                    ..Policy::default()
                };
                hosts.push((scope, policy));
                hosts.len() - 1
            }
        };
        if let Some((_, policy)) = hosts.get_mut(at) {
            if policy.expiry != end {
                return Err(expires.at(FormProblem::SeveralEnds));
            }
            policy.add(key, PinPosition::Leaf);
        }
    }
    for (scope, policy) in hosts {
        draft.pin(Some(scope), &policy);
    }
    draft.finish()
}

/// Writes the fingerprints of those certificates whose keys the sets pin, unsigned.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer, for identities or `**.` of a domain, is only told about, has pins
/// at another position than the leaf, a key that no certificate given has, or does not end by failing closed.
pub fn write(sets: &PinSets, certificates: &[Certificate]) -> Result<String, FormWriteError> {
    let mut list = Vec::new();
    for numbered in FORM.numbered(sets) {
        let Some(expires) = numbered.end(ExpiryRule::FailClosed)? else {
            return Err(numbered.error(Unsayable::NoDate));
        };
        let fingerprints = fingerprints_of(&numbered, certificates)?;
        if numbered.set.scopes().is_empty() {
            return Err(numbered.error(Unsayable::EveryPeer));
        }
        for scope in numbered.set.scopes() {
            let name = common_name(scope).map_err(|thing| numbered.error(thing))?;
            for fingerprint in &fingerprints {
                list.push(json!({
                    "name": name,
                    "fingerprint": fingerprint,
                    "expires": expires.as_unix_seconds(),
                    "signature": "",
                }));
            }
        }
    }
    FORM.none_unpinned(sets)?;
    let written: Value = json!({ "fingerprints": list });
    Ok(format!("{written:#}\n"))
}

fn needed<'v>(entry: &JsonValue<'v>, what: &'static str) -> Result<JsonValue<'v>, FormReadError> {
    let found = entry.field(what)?;
    found.ok_or_else(|| entry.at(FormProblem::Missing { what }))
}

fn key_of(
    value: &JsonValue<'_>,
    known: &BTreeMap<Sha256Digest, SpkiPin>,
) -> Result<SpkiPin, FormReadError> {
    let digest = BASE64.decode_to_vec(value.text()?.as_bytes());
    let digest = digest.map_err(|_| value.at(PinParseError::NotBase64.into()))?;
    let bytes = digest.len();
    let digest = <[u8; 32]>::try_from(digest)
        .map_err(|_| value.at(PinParseError::WrongLength { bytes }.into()))?;
    let fingerprint = Sha256Digest::from_bytes(digest);
    let key = known.get(&fingerprint).copied();
    key.ok_or_else(|| value.at(FormProblem::UnknownCertificate { fingerprint }))
}

/// Of all certificates that have the keys of the set.
fn fingerprints_of(
    numbered: &Numbered<'_>,
    certificates: &[Certificate],
) -> Result<Vec<String>, FormWriteError> {
    let mut fingerprints = Vec::new();
    for pin in numbered.pins(Positions::Leaf)? {
        let with_key = certificates.iter();
        let with_key = with_key.filter(|c| SpkiPin::from_certificate(c) == pin.key);
        let before = fingerprints.len();
        fingerprints.extend(with_key.map(|c| c.fingerprint().to_base64()));
        if fingerprints.len() == before {
            let pin = pin.key;
            return Err(numbered.error(Unsayable::NoCertificate { pin }));
        }
    }
    Ok(fingerprints)
}

/// What a certificate may have for its common name.
fn common_name(scope: &PinScope) -> Result<String, Unsayable> {
    let text = scope.to_string();
    if scope.is_of_identities() || text.starts_with("**.") {
        let scope = scope.clone();
        let said = "it is of the common names of certificates";
        return Err(Unsayable::Scope { scope, said });
    }
    Ok(text)
}
