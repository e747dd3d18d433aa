//! TrustKit's configuration, as an XML property list: the `TSKPinnedDomains` of its `TSKConfiguration`.
//!
//! Read as TrustKit itself does: `TSKIncludeSubdomains` is `NO` and `TSKEnforcePinning` `YES` where they are
//! missing, a domain that is not enforced is [report-only](PinMode::ReportOnly), two pins are needed where it is, a
//! `TSKExcludeSubdomainFromParentPolicy` [leaves its host out](PinSets::with_unpinned). After its
//! `TSKExpirationDate`, whose last good second is the first of that day in UTC, TrustKit pins no more:
//! [`ExpiryRule::FailOpenLoudly`]. Addresses for reports and the settings of swizzling are passed over.
//!
//! Source: `parse_configuration.m` and `TSKPinningValidator.m` of
//! [TrustKit](https://github.com/datatheorem/TrustKit).

use roxmltree::Node;

use super::date::LastSecond;
use super::draft::{Draft, Policy, pin_of_base64};
use super::error::{FormPlace, FormProblem, FormReadError};
use super::unsayable::{FormWriteError, Unsayable};
use super::writer::{Form, Host};
use super::xml::{self, DocumentType, elements, place, text_of};
use crate::pin::{ExpiryRule, PinMode, PinPosition, PinScope, PinSets};

const FORM: Form = Form {
    name: "a property list of TrustKit",
    reports: true,
    least_pins: 2,
};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>TSKConfiguration</key>
	<dict>
		<key>TSKPinnedDomains</key>
		<dict>
"#;

const TAIL: &str = "\t\t</dict>\n\t</dict>\n</dict>\n</plist>\n";

/// Reads the pins of an `Info.plist` with a `TSKConfiguration`, or of that dictionary alone.
///
/// # Errors
/// [`FormReadError`] with line and column; binary property lists must be converted first.
pub fn read(plist: &str) -> Result<PinSets, FormReadError> {
    if plist.starts_with("bplist") {
        return Err(FormProblem::BinaryPlist.at(FormPlace::Whole));
    }
    let document = xml::parse(plist, DocumentType::WithoutEntities)?;
    let root = document.root_element();
    let whole = match elements(root).next() {
        Some(whole) if root.has_tag_name("plist") => Dictionary::of(whole)?,
        _ => {
            let found = root.tag_name().name();
            return Err(FormProblem::unexpected(found, "a plist with a dict").at(place(root)));
        }
    };
    let configuration = match whole.find("TSKConfiguration") {
        Some(inner) => Dictionary::of(inner)?,
        None => whole,
    };
    let Some(domains) = configuration.find("TSKPinnedDomains") else {
        let what = "TSKPinnedDomains, within TSKConfiguration,";
        return Err(FormProblem::Missing { what }.at(place(configuration.node)));
    };
    let mut draft = Draft::default();
    let (mut including, mut excluded) = (Vec::new(), Vec::new());
    for (name, value) in &Dictionary::of(domains)?.entries {
        let policy = Dictionary::of(*value)?;
        let subdomains = policy.boolean("TSKIncludeSubdomains", false)?;
        let scope = draft
            .host(name, subdomains)
            .and_then(|scope| match named(&scope) {
                Ok(()) => Ok(scope),
                Err(_) => Err(FormProblem::unexpected(name, "the name of a host")),
            });
        let scope = scope.map_err(|problem| problem.at(place(*value)))?;
        if policy.boolean("TSKExcludeSubdomainFromParentPolicy", false)? {
            if let [_, (_, second), ..] = policy.entries.as_slice() {
                let what = "TSKExcludeSubdomainFromParentPolicy, and nothing else";
                return Err(FormProblem::unexpected("another key", what).at(place(*second)));
            }
            excluded.push((scope.to_string(), *value));
            draft.unpin(scope);
            continue;
        }
        if let Some(domain) = scope.wildcard_domain() {
            including.push(format!(".{domain}"));
        }
        let read = domain(&policy, &mut draft)?;
        draft.pin(Some(scope), &read);
    }
    for (host, node) in excluded {
        if !including
            .iter()
            .any(|domain| host.ends_with(domain.as_str()))
        {
            return Err(FormProblem::NothingToExcludeFrom.at(place(node)));
        }
    }
    draft.finish()
}

/// Writes the sets as a property list with nothing but a `TSKConfiguration`, to be merged into an `Info.plist`.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer, for an address, for `*.` of a domain or for identities, has
/// pins at another position than any, one pin alone that decides, or does not end at midnight UTC by failing
/// open.
pub fn write(sets: &PinSets) -> Result<String, FormWriteError> {
    let mut plist = HEAD.to_owned();
    let mut all = Vec::new();
    for numbered in FORM.numbered(sets) {
        let keys = numbered.keys_of_any_position()?;
        let hosts = numbered.hosts()?;
        let day = numbered.last_day(LastSecond::First)?;
        let mut policy = String::new();
        if let Some(day) = day {
            policy += &entry("TSKExpirationDate", &format!("<string>{day}</string>"));
        }
        if numbered.set.mode() == PinMode::ReportOnly {
            policy += &entry("TSKEnforcePinning", "<false/>");
        }
        let mut list = "<array>\n".to_owned();
        for key in keys {
            let base64 = key.digest().to_base64();
            list += &format!("\t\t\t\t\t<string>{base64}</string>\n");
        }
        policy += &entry("TSKPublicKeyHashes", &format!("{list}\t\t\t\t</array>"));
        for (host, scope) in hosts.iter().zip(numbered.set.scopes()) {
            named(scope).map_err(|thing| numbered.error(thing))?;
            let subdomains = format!("<{}/>", host.subdomains);
            let subdomains = entry("TSKIncludeSubdomains", &subdomains);
            plist += &domain_entry(&host.name, &format!("{subdomains}{policy}"));
        }
        all.extend(hosts);
    }
    for scope in sets.unpinned() {
        let host = named(scope).and_then(|()| Host::of(scope));
        let host = host.map_err(|thing| FORM.error(thing))?;
        let is_below =
            |above: &&Host| above.subdomains && host.name.ends_with(&format!(".{}", above.name));
        if host.subdomains || !all.iter().any(|above| is_below(&above)) {
            let scope = scope.clone();
            return Err(FORM.error(Unsayable::Unpinned { scope }));
        }
        let excluded = entry("TSKExcludeSubdomainFromParentPolicy", "<true/>");
        plist += &domain_entry(&host.name, &excluded);
        all.push(host);
    }
    Host::check_distinct(&all).map_err(|thing| FORM.error(thing))?;
    Ok(plist + TAIL)
}

/// TrustKit looks up the registry of a name, and an address has none.
fn named(scope: &PinScope) -> Result<(), Unsayable> {
    match scope.to_string().parse::<std::net::IpAddr>() {
        Ok(_) => Err(Unsayable::Scope {
            scope: scope.clone(),
            said: "it knows names, no addresses",
        }),
        Err(_) => Ok(()),
    }
}

/// Neither a key nor a value has a character that XML would take for its own.
fn entry(key: &str, value: &str) -> String {
    format!("\t\t\t\t<key>{key}</key>\n\t\t\t\t{value}\n")
}

fn domain_entry(host: &str, policy: &str) -> String {
    format!("\t\t\t<key>{host}</key>\n\t\t\t<dict>\n{policy}\t\t\t</dict>\n")
}

fn domain(policy: &Dictionary<'_, '_>, draft: &mut Draft) -> Result<Policy, FormReadError> {
    let mut read = Policy::default();
    if !policy.boolean("TSKEnforcePinning", true)? {
        read.mode = PinMode::ReportOnly;
    }
    if let Some(date) = policy.find("TSKExpirationDate") {
        let expected = "a string with a day like 2027-12-31";
        let text = string(date, expected)?;
        let Some(not_after) = LastSecond::First.read(&text) else {
            return Err(FormProblem::unexpected(&text, expected).at(place(date)));
        };
        read.expiry = Some((not_after, ExpiryRule::FailOpenLoudly));
    }
    let Some(hashes) = policy.find("TSKPublicKeyHashes") else {
        let what = "TSKPublicKeyHashes";
        return Err(FormProblem::Missing { what }.at(place(policy.node)));
    };
    if !hashes.has_tag_name("array") {
        let problem = FormProblem::unexpected(hashes.tag_name().name(), "an array");
        return Err(problem.at(place(hashes)));
    }
    for hash in elements(hashes) {
        let counted = draft.count_pin();
        counted.map_err(|problem| problem.at(place(hash)))?;
        let base64 = string(hash, "a string with the base64 of a digest")?;
        let pin = pin_of_base64(&base64).map_err(|problem| problem.at(place(hash)))?;
        read.add(pin, PinPosition::Any);
    }
    let least = match read.mode {
        PinMode::Enforce => FORM.least_pins,
        PinMode::ReportOnly => 1,
    };
    let enough = read.at_least(least);
    enough.map_err(|problem| problem.at(place(hashes)))?;
    Ok(read)
}

fn string(node: Node<'_, '_>, expected: &'static str) -> Result<String, FormReadError> {
    match node.has_tag_name("string") {
        true => text_of(node, expected),
        false => Err(FormProblem::unexpected(node.tag_name().name(), expected).at(place(node))),
    }
}

/// A `<dict>`, in which no key stands twice.
struct Dictionary<'a, 'i> {
    node: Node<'a, 'i>,
    entries: Vec<(String, Node<'a, 'i>)>,
}

impl<'a, 'i> Dictionary<'a, 'i> {
    fn of(node: Node<'a, 'i>) -> Result<Self, FormReadError> {
        if !node.has_tag_name("dict") {
            let found = node.tag_name().name();
            return Err(FormProblem::unexpected(found, "a dict").at(place(node)));
        }
        let mut entries = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        let mut inner = elements(node);
        while let Some(key) = inner.next() {
            if !key.has_tag_name("key") {
                let found = key.tag_name().name();
                return Err(FormProblem::unexpected(found, "a key").at(place(key)));
            }
            let name = text_of(key, "the text of a key")?;
            let Some(value) = inner.next() else {
                let what = "the value of this key";
                return Err(FormProblem::Missing { what }.at(place(key)));
            };
            if !seen.insert(name.clone()) {
                return Err(FormProblem::repeated(&name).at(place(key)));
            }
            entries.push((name, value));
        }
        Ok(Self { node, entries })
    }

    fn find(&self, key: &str) -> Option<Node<'a, 'i>> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(name, _)| name == key);
        found.map(|(_, value)| *value)
    }

    fn boolean(&self, key: &str, otherwise: bool) -> Result<bool, FormReadError> {
        let Some(value) = self.find(key) else {
            return Ok(otherwise);
        };
        match value.tag_name().name() {
            "true" => Ok(true),
            "false" => Ok(false),
            found => Err(FormProblem::unexpected(found, "true or false").at(place(value))),
        }
    }
}
