//! `ssl_config.json` of react-native-ssl-manager.
//!
//! `includeSubdomains` and `enforcePinning` are true where they are missing; a host that is not enforced is
//! [report-only](PinMode::ReportOnly). An `expirationDate` is good through the end of that day in UTC, and after it
//! the host is not pinned: [`ExpiryRule::FailOpenLoudly`]. Where two hosts cover a name, the more specific one counts
//! alone, as on iOS and in the Network Security Configuration that is made of the file; addresses for reports are
//! passed over.
//!
//! Source: `src/config.ts` of [react-native-ssl-manager](https://github.com/huytdps13400/react-native-ssl-manager).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::date::LastSecond;
use super::draft::{Draft, Policy, pin_of_okhttp};
use super::error::{FormProblem, FormReadError};
use super::json::{self, JsonValue};
use super::unsayable::FormWriteError;
use super::writer::{Form, Host};
use crate::pin::{ExpiryRule, PinForm, PinMode, PinPosition, PinSets};

const FORM: Form = Form {
    name: "a configuration of react-native-ssl-manager",
    reports: true,
    least_pins: 1,
};

/// Reads the file.
///
/// # Errors
/// [`FormReadError`] with the path of the value, also for options of a host that has no pins.
pub fn read(config: &str) -> Result<PinSets, FormReadError> {
    let config = json::parse(config)?;
    let config = JsonValue::root(&config);
    let Some(keys) = config.field("sha256Keys")? else {
        return Err(config.at(FormProblem::Missing { what: "sha256Keys" }));
    };
    let mut options = BTreeMap::new();
    if let Some(domains) = config.field("domains")? {
        for (host, of_host) in domains.fields()? {
            // Older files name the host of each environment there.
            if !of_host.is_text() {
                options.insert(host, of_host);
            }
        }
    }
    let mut draft = Draft::default();
    for (host, pins) in keys.fields()? {
        let mut policy = Policy::default();
        let mut subdomains = true;
        if let Some(options) = options.remove(host) {
            if let Some(included) = options.field("includeSubdomains")? {
                subdomains = included.boolean()?;
            }
            if let Some(enforced) = options.field("enforcePinning")? {
                if !enforced.boolean()? {
                    policy.mode = PinMode::ReportOnly;
                }
            }
            if let Some(date) = options.field("expirationDate")? {
                let text = date.text()?;
                let Some(not_after) = LastSecond::Last.read(text) else {
                    let problem = FormProblem::unexpected(text, "a day like 2027-12-31");
                    return Err(date.at(problem));
                };
                policy.expiry = Some((not_after, ExpiryRule::FailOpenLoudly));
            }
        }
        for pin in pins.list()? {
            draft.count_pin().map_err(|problem| pin.at(problem))?;
            let key = pin_of_okhttp(pin.text()?).map_err(|problem| pin.at(problem))?;
            policy.add(key, PinPosition::Any);
        }
        policy.at_least(1).map_err(|problem| pins.at(problem))?;
        let scope = draft
            .host(host, subdomains)
            .map_err(|problem| pins.at(problem))?;
        draft.pin(Some(scope), &policy);
    }
    match options.into_values().next() {
        Some(left) => Err(left.at(FormProblem::Missing {
            what: "its entry in sha256Keys",
        })),
        None => draft.finish(),
    }
}

/// Writes the sets as such a file.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer, for `*.` of a domain or for identities, has pins at another
/// position than any, or does not end at the last second of a day in UTC by failing open.
pub fn write(sets: &PinSets) -> Result<String, FormWriteError> {
    let (mut keys, mut domains) = (Map::new(), Map::new());
    let mut all = Vec::new();
    for numbered in FORM.numbered(sets) {
        let pins = numbered.keys_of_any_position()?;
        let pins: Vec<Value> = pins
            .iter()
            .map(|pin| pin.to_form(PinForm::OkHttp).into())
            .collect();
        let day = numbered.last_day(LastSecond::Last)?;
        for host in numbered.hosts()? {
            let mut options = json!({
                "enforcePinning": numbered.set.mode() == PinMode::Enforce,
                "includeSubdomains": host.subdomains,
            });
            if let (Some(day), Some(options)) = (&day, options.as_object_mut()) {
                options.insert("expirationDate".to_owned(), day.as_str().into());
            }
            keys.insert(host.name.clone(), pins.clone().into());
            domains.insert(host.name.clone(), options);
            all.push(host);
        }
    }
    Host::check_distinct(&all).map_err(|thing| FORM.error(thing))?;
    FORM.none_unpinned(sets)?;
    let config = json!({ "sha256Keys": keys, "domains": domains });
    Ok(format!("{config:#}\n"))
}
