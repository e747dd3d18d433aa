//! Android's Network Security Configuration: the pins of its `<domain-config>` elements.
//!
//! Read as Android's own `XmlConfigSource` does: the most specific `<domain>` counts alone; a nested
//! `<domain-config>` has its parent's `<pin-set>` unless it has its own; a host of a config without pins is
//! [left out](PinSets::with_unpinned). `<debug-overrides>` are no source of pins. Elements that are of no pin
//! (`trust-anchors`, `certificateTransparency`) are passed over, but for `overridePins`, which is refused.
//!
//! After its `expiration` Android pins no more: [`ExpiryRule::FailOpenLoudly`]. Android takes the day's first
//! moment where the device is, and this the one in UTC, so the two may differ by 14 hours.
//!
//! Source: [the format](https://developer.android.com/privacy-and-security/security-config#FileFormat), and
//! `android.security.net.config` of AOSP.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::date::LastSecond;
use super::draft::{Draft, Policy, pin_of_base64};
use super::error::{FormProblem, FormReadError};
use super::unsayable::FormWriteError;
use super::writer::{Form, Host};
use super::xml::{self, DocumentType, elements, place, text_of};
use crate::pin::{ExpiryRule, PinPosition, PinSets, SpkiPin};
use crate::text::quoted;

/// `<domain-config>` elements within each other.
const MAX_NESTING: usize = 16;

const FORM: Form = Form {
    name: "a Network Security Configuration",
    reports: false,
    least_pins: 1,
};

/// Reads the pins of a `network_security_config.xml`.
///
/// # Errors
/// [`FormReadError`] with line and column.
pub fn read(xml: &str) -> Result<PinSets, FormReadError> {
    let document = xml::parse(xml, DocumentType::Refused)?;
    let root = document.root_element();
    if root.tag_name().name() != "network-security-config" {
        let found = root.tag_name().name();
        return Err(FormProblem::unexpected(found, "network-security-config").at(place(root)));
    }
    let mut reading = ConfigReading::default();
    let mut seen = BTreeSet::new();
    for element in elements(root) {
        match element.tag_name().name() {
            name @ ("base-config" | "debug-overrides") if !seen.insert(name) => {
                return Err(FormProblem::repeated(name).at(place(element)));
            }
            "base-config" => base_config(element)?,
            "domain-config" => reading.domain_config(element, None, 1)?,
            _ => {}
        }
    }
    reading.draft.finish()
}

/// Writes the sets as a whole `network_security_config.xml`, one `<domain-config>` for each.
///
/// # Errors
/// [`FormWriteError`] where a set is for every peer, for `*.` of a domain or for identities, is only told about,
/// has pins at another position than any, or does not end at midnight UTC by failing open.
pub fn write(sets: &PinSets) -> Result<String, FormWriteError> {
    let mut xml =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<network-security-config>\n".to_owned();
    let mut all = Vec::new();
    for numbered in FORM.numbered(sets) {
        let keys = numbered.keys_of_any_position()?;
        let hosts = numbered.hosts()?;
        let expiration = match numbered.last_day(LastSecond::First)? {
            Some(day) => format!(" expiration=\"{day}\""),
            None => String::new(),
        };
        xml += "    <domain-config>\n";
        for host in &hosts {
            xml += &domain(host);
        }
        xml += &format!("        <pin-set{expiration}>\n");
        for key in keys {
            let base64 = key.digest().to_base64();
            xml += &format!("            <pin digest=\"SHA-256\">{base64}</pin>\n");
        }
        xml += "        </pin-set>\n    </domain-config>\n";
        all.extend(hosts);
    }
    for scope in sets.unpinned() {
        let host = Host::of(scope).map_err(|thing| FORM.error(thing))?;
        xml += &format!(
            "    <domain-config>\n{}    </domain-config>\n",
            domain(&host)
        );
        all.push(host);
    }
    Host::check_distinct(&all).map_err(|thing| FORM.error(thing))?;
    Ok(xml + "</network-security-config>\n")
}

/// A host has no character that XML would take for its own.
fn domain(host: &Host) -> String {
    let Host { name, subdomains } = host;
    format!("        <domain includeSubdomains=\"{subdomains}\">{name}</domain>\n")
}

#[derive(Debug, Default)]
struct ConfigReading {
    draft: Draft,
}

impl ConfigReading {
    fn domain_config(
        &mut self,
        config: Node<'_, '_>,
        inherited: Option<&Policy>,
        depth: usize,
    ) -> Result<(), FormReadError> {
        if depth > MAX_NESTING {
            let (what, limit) = ("domain-config elements within each other", MAX_NESTING);
            return Err(FormProblem::TooMany { what, limit }.at(place(config)));
        }
        // A pin-set counts for domains before it, too.
        let policy = self.pin_set(config)?;
        let policy = policy.as_ref().or(inherited);
        let mut domains = 0;
        for element in elements(config) {
            match element.tag_name().name() {
                "domain" => {
                    self.domain(element, policy)?;
                    domains += 1;
                }
                "domain-config" => self.domain_config(element, policy, depth + 1)?,
                "trust-anchors" => refuse_overrides(element)?,
                _ => {}
            }
        }
        match domains {
            0 => Err(FormProblem::Missing { what: "a domain" }.at(place(config))),
            _ => Ok(()),
        }
    }

    fn domain(
        &mut self,
        element: Node<'_, '_>,
        policy: Option<&Policy>,
    ) -> Result<(), FormReadError> {
        let host = text_of(element, "the name of a host")?;
        let subdomains = boolean(element, "includeSubdomains")?;
        let scope = self.draft.host(&host, subdomains);
        let scope = scope.map_err(|problem| problem.at(place(element)))?;
        match policy {
            Some(policy) if !policy.pins.is_empty() => self.draft.pin(Some(scope), policy),
            _ => self.draft.unpin(scope),
        }
        Ok(())
    }

    /// The config's own pins; an empty `<pin-set>` says that there are none.
    fn pin_set(&mut self, config: Node<'_, '_>) -> Result<Option<Policy>, FormReadError> {
        let mut found = elements(config).filter(|element| element.has_tag_name("pin-set"));
        let Some(pin_set) = found.next() else {
            return Ok(None);
        };
        if let Some(second) = found.next() {
            return Err(FormProblem::repeated("pin-set").at(place(second)));
        }
        let mut policy = Policy::default();
        if let Some(text) = pin_set.attribute("expiration") {
            let Some(not_after) = LastSecond::First.read(text) else {
                let problem = FormProblem::unexpected(text, "a day like 2027-12-31");
                return Err(problem.at(place(pin_set)));
            };
            policy.expiry = Some((not_after, ExpiryRule::FailOpenLoudly));
        }
        for element in elements(pin_set).filter(|element| element.has_tag_name("pin")) {
            let counted = self.draft.count_pin();
            counted.map_err(|problem| problem.at(place(element)))?;
            policy.add(pin(element)?, PinPosition::Any);
        }
        Ok(Some(policy))
    }
}

fn pin(element: Node<'_, '_>) -> Result<SpkiPin, FormReadError> {
    match element.attribute("digest") {
        Some("SHA-256") => {}
        Some(name) => {
            let name = quoted(name, 80);
            return Err(FormProblem::DigestAlgorithm { name }.at(place(element)));
        }
        None => {
            let what = "the attribute digest=\"SHA-256\"";
            return Err(FormProblem::Missing { what }.at(place(element)));
        }
    }
    let base64 = text_of(element, "the base64 of a digest")?;
    pin_of_base64(&base64).map_err(|problem| problem.at(place(element)))
}

/// It holds no pins and no domains, but may override those of others.
fn base_config(config: Node<'_, '_>) -> Result<(), FormReadError> {
    for element in elements(config) {
        match element.tag_name().name() {
            found @ ("domain" | "pin-set" | "domain-config") => {
                let problem = FormProblem::unexpected(found, "an element of a base-config");
                return Err(problem.at(place(element)));
            }
            "trust-anchors" => refuse_overrides(element)?,
            _ => {}
        }
    }
    Ok(())
}

fn refuse_overrides(trust_anchors: Node<'_, '_>) -> Result<(), FormReadError> {
    for certificates in elements(trust_anchors) {
        if boolean(certificates, "overridePins")? {
            return Err(FormProblem::PinsOverridden.at(place(certificates)));
        }
    }
    Ok(())
}

/// `false` where it is missing.
fn boolean(element: Node<'_, '_>, attribute: &str) -> Result<bool, FormReadError> {
    match element.attribute(attribute) {
        None | Some("false" | "FALSE" | "False" | "0") => Ok(false),
        Some("true" | "TRUE" | "True" | "1") => Ok(true),
        Some(other) => Err(FormProblem::unexpected(other, "true or false").at(place(element))),
    }
}
