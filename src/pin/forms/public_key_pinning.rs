//! The options of react-native-ssl-public-key-pinning, as JSON.
//!
//! `includeSubdomains` is false where it is missing. An `expirationDate` is over a moment after the day's first one
//! in UTC, and after it the host is not pinned: [`ExpiryRule::FailOpenLoudly`]. Two pins are needed, as iOS does.
//! Where two hosts cover a name, the more specific one counts alone, as on iOS.
//!
//! Source: `SslPublicKeyPinningModule.java` and `SslPublicKeyPinning.mm` of
//! [react-native-ssl-public-key-pinning](https://github.com/frw/react-native-ssl-public-key-pinning).

use serde_json::{Map, Value, json};

use super::date::LastSecond;
use super::draft::{Draft, Policy, pin_of_base64};
use super::error::{FormProblem, FormReadError};
use super::json::{self, JsonValue};
use super::unsayable::FormWriteError;
use super::writer::{Form, Host};
use crate::pin::{ExpiryRule, PinForm, PinPosition, PinSets};

const FORM: Form = Form {
    name: "options of react-native-ssl-public-key-pinning",
    reports: false,
    least_pins: 2,
};

/// Reads the options that `initializeSslPinning` is given.
///
/// # Errors
/// [`FormReadError`] with the path of the value.
pub fn read(options: &str) -> Result<PinSets, FormReadError> {
    let options = json::parse(options)?;
    let mut draft = Draft::default();
    for (host, options) in JsonValue::root(&options).fields()? {
        let subdomains = match options.field("includeSubdomains")? {
            Some(included) => included.boolean()?,
            None => false,
        };
        let scope = draft
            .host(host, subdomains)
            .map_err(|problem| options.at(problem))?;
        let policy = policy(&options, &mut draft)?;
        draft.pin(Some(scope), &policy);
    }
    draft.finish()
}

/// Writes the sets as such options.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer, for `*.` of a domain or for identities, is only told about, has
/// pins at another position than any or fewer than two, or does not end at midnight UTC by failing open.
pub fn write(sets: &PinSets) -> Result<String, FormWriteError> {
    let mut written = Map::new();
    let mut all = Vec::new();
    for numbered in FORM.numbered(sets) {
        let pins = numbered.keys_of_any_position()?;
        let pins: Vec<Value> = pins
            .iter()
            .map(|pin| pin.to_form(PinForm::Base64).into())
            .collect();
        let day = numbered.last_day(LastSecond::First)?;
        for host in numbered.hosts()? {
            let mut options = json!({
                "includeSubdomains": host.subdomains,
                "publicKeyHashes": pins,
            });
            if let (Some(day), Some(options)) = (&day, options.as_object_mut()) {
                options.insert("expirationDate".to_owned(), day.as_str().into());
            }
            written.insert(host.name.clone(), options);
            all.push(host);
        }
    }
    Host::check_distinct(&all).map_err(|thing| FORM.error(thing))?;
    FORM.none_unpinned(sets)?;
    Ok(format!("{:#}\n", Value::Object(written)))
}

fn policy(options: &JsonValue<'_>, draft: &mut Draft) -> Result<Policy, FormReadError> {
    let mut policy = Policy::default();
    if let Some(date) = options.field("expirationDate")? {
        let text = date.text()?;
        let Some(not_after) = LastSecond::First.read(text) else {
            return Err(date.at(FormProblem::unexpected(text, "a day like 2027-12-31")));
        };
        policy.expiry = Some((not_after, ExpiryRule::FailOpenLoudly));
    }
    let Some(hashes) = options.field("publicKeyHashes")? else {
        let what = "publicKeyHashes";
        return Err(options.at(FormProblem::Missing { what }));
    };
    for hash in hashes.list()? {
        draft.count_pin().map_err(|problem| hash.at(problem))?;
        let key = pin_of_base64(hash.text()?).map_err(|problem| hash.at(problem))?;
        policy.add(key, PinPosition::Any);
    }
    let enough = policy.at_least(FORM.least_pins);
    enough.map_err(|problem| hashes.at(problem))?;
    Ok(policy)
}
