//! TLSA records of DNS (RFC 6698, RFC 7671), as zone files have them or as they are on the wire.
//!
//! A pin is what says SHA-256 (matching type 1) of the key (selector 1) and asks no public CA: usage 3 of the leaf,
//! usage 2 of a CA or an anchor. All others are refused, each with its reason: of records beside each other any may
//! match, so leaving one out would refuse peers that the zone lets in. Who reads records answers for their
//! signatures by DNSSEC; nothing here asks a resolver. Records have no date: their TTL is of caches.

use std::collections::BTreeMap;

use super::draft::{Draft, Policy, bounded, scope_of};
use super::error::{FormPlace, FormProblem, FormReadError};
pub use super::no_pin_record::NoPinRecord;
pub use super::tlsa_record::TlsaRecord;
use super::unsayable::{FormWriteError, Unsayable};
use super::writer::{Form, Numbered, Positions};
use super::zone::{ZoneRecord, records};
use crate::pin::{Pin, PinPosition, PinScope, PinSet, PinSets};

const FORM: Form = Form {
    name: "TLSA records",
    reports: false,
    least_pins: 1,
};

/// Reads records as zone files and `dig` have them: `_443._tcp.www.example.com. 3600 IN TLSA 3 1 1 HEX`, or their
/// data alone, whose pins are for every peer.
///
/// # Errors
/// [`FormReadError`] with the line, for records that are no pins, too; and where a host has records of two ports or
/// transports.
pub fn read(zone: &str) -> Result<PinSets, FormReadError> {
    let mut draft = Draft::default();
    let mut hosts: BTreeMap<Option<Owner>, Policy> = BTreeMap::new();
    for record in records(bounded(zone)?)? {
        let taken = take(&record, &mut hosts, &mut draft);
        taken.map_err(|problem| problem.at(record.place))?;
    }
    for (owner, policy) in hosts {
        let scope = owner.map(|owner| scope_of(&owner.host, false)).transpose();
        let scope = scope.map_err(|problem| problem.at(FormPlace::Whole))?;
        draft.pin(scope, &policy);
    }
    draft.finish()
}

/// Makes a set of the records of one name and port, as a resolver gave them; for these hosts, or for every peer.
///
/// # Errors
/// [`FormReadError`] with the record's number, `records[0]` for the first.
pub fn pin_set(records: &[TlsaRecord], hosts: Option<PinScope>) -> Result<PinSet, FormReadError> {
    let mut draft = Draft::default();
    let mut policy = Policy::default();
    for (number, record) in records.iter().enumerate() {
        let added = add(record, &mut policy, &mut draft);
        added.map_err(|problem| problem.at(FormPlace::path(&format!("records[{number}]"))))?;
    }
    if policy.pins.is_empty() {
        return Err(FormProblem::NoPins.at(FormPlace::Whole));
    }
    let set = policy.to_set(hosts.into_iter().collect());
    set.map_err(|problem| problem.at(FormPlace::Whole))
}

/// Writes the sets as lines of a zone file, for the services of their hosts at this port over TCP; the pins for every
/// peer as their data alone.
///
/// # Errors
/// [`FormWriteError`] where a set is for more than exact names, has a date, is only told about, or has pins at
/// other positions than leaf and CA.
pub fn write(sets: &PinSets, port: u16) -> Result<String, FormWriteError> {
    FORM.none_unpinned(sets)?;
    let mut zone = String::new();
    for numbered in FORM.numbered(sets) {
        let records = records_of(&numbered)?;
        let mut owners = Vec::new();
        for scope in numbered.set.scopes() {
            let name = exact_name(scope).map_err(|thing| numbered.error(thing))?;
            owners.push(format!("_{port}._tcp.{name}. IN TLSA "));
        }
        if owners.is_empty() {
            owners.push(String::new());
        }
        for owner in owners {
            for record in &records {
                zone += &format!("{owner}{record}\n");
            }
        }
    }
    Ok(zone)
}

/// Makes the records of one set, for whom it is left aside.
///
/// # Errors
/// [`FormWriteError`] where the set has hosts, a date, is only told about, or has pins at other positions than
/// leaf and CA.
pub fn to_records(set: &PinSet) -> Result<Vec<TlsaRecord>, FormWriteError> {
    let numbered = Numbered {
        form: FORM,
        number: None,
        set,
    };
    if let [scope, ..] = set.scopes() {
        let scope = scope.clone();
        return Err(numbered.error(Unsayable::Hosts { scope }));
    }
    records_of(&numbered)
}

fn records_of(numbered: &Numbered<'_>) -> Result<Vec<TlsaRecord>, FormWriteError> {
    numbered.endless()?;
    let pins = numbered.pins(Positions::LeafOrCa)?;
    Ok(pins.into_iter().map(record_of).collect())
}

fn record_of(pin: &Pin) -> TlsaRecord {
    match pin.position {
        PinPosition::Leaf => TlsaRecord::of_leaf(&pin.key),
        _ => TlsaRecord::of_ca(&pin.key),
    }
}

/// What a record can be owned by, but for its port.
fn exact_name(scope: &PinScope) -> Result<String, Unsayable> {
    let text = scope.to_string();
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    if is_address || scope.is_of_identities() || scope.wildcard_domain().is_some() {
        let scope = scope.clone();
        let said = "it is of exact names";
        return Err(Unsayable::Scope { scope, said });
    }
    Ok(text)
}

/// Who a record is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    /// In lower case, without a final dot.
    host: String,
    /// `_443._tcp`, in lower case; empty where the name has none.
    service: String,
}

impl Owner {
    fn of(name: &str) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let mut labels = name.splitn(3, '.');
        match (labels.next(), labels.next(), labels.next()) {
            (Some(port), Some(transport), Some(host))
                if port.starts_with('_') && transport.starts_with('_') =>
            {
                Self {
                    host: host.to_owned(),
                    service: format!("{port}.{transport}"),
                }
            }
            _ => Self {
                host: name,
                service: String::new(),
            },
        }
    }
}

fn take(
    record: &ZoneRecord,
    hosts: &mut BTreeMap<Option<Owner>, Policy>,
    draft: &mut Draft,
) -> Result<(), FormProblem> {
    let fields = record.fields.as_slice();
    let names_type =
        |field: &String| field.eq_ignore_ascii_case("TLSA") || field.eq_ignore_ascii_case("TYPE52");
    let kind = fields.iter().position(names_type);
    let (before, data) = match kind {
        Some(at) => (fields.get(..at), fields.get(at + 1..)),
        None => (None, Some(fields)),
    };
    let owner = match before.map(<[String]>::first) {
        None => None,
        Some(Some(name)) => Some(Owner::of(name)),
        Some(None) => {
            let what = "the name of the record's owner";
            return Err(FormProblem::Missing { what });
        }
    };
    if let Some(owner) = &owner {
        let scope = scope_of(&owner.host, false)?;
        if exact_name(&scope).is_err() {
            return Err(FormProblem::unexpected(&owner.host, "the name of a host"));
        }
        let mut known = hosts.keys().flatten();
        if known.any(|known| known.host == owner.host && known.service != owner.service) {
            return Err(FormProblem::SeveralServices);
        }
    }
    if !hosts.contains_key(&owner) {
        draft.count_host()?;
    }
    let record: TlsaRecord = data.unwrap_or_default().join(" ").parse()?;
    add(&record, hosts.entry(owner).or_default(), draft)
}

fn add(record: &TlsaRecord, policy: &mut Policy, draft: &mut Draft) -> Result<(), FormProblem> {
    draft.count_pin()?;
    let pin = record.to_pin()?;
    policy.add(pin.key, pin.position);
    Ok(())
}
