//! The names that leaves must cover, as they were given.

use pki_types::ServerName;

use super::finding::{Finding, FindingCode};
use crate::event::Severity;
use crate::text::quoted;

/// The most characters of a name that a finding repeats.
const MAX_SHOWN: usize = 256;

/// Those that leaves can be looked at for.
pub(super) fn usable_names(names: &[String]) -> Vec<ServerName<'static>> {
    let names = names.iter().cloned();
    names
        .filter_map(|name| ServerName::try_from(name).ok())
        .collect()
}

/// One finding for each of the others.
pub(crate) fn unusable_names(names: &[String]) -> Vec<Finding> {
    let is_unusable = |name: &&String| ServerName::try_from(name.as_str()).is_err();
    let unusable = names.iter().filter(is_unusable).map(|name| {
        let name = quoted(name, MAX_SHOWN);
        let message = format!(
            "'{name}' is neither a DNS name nor an IP address, so no leaf was checked for it: correct the name"
        );
        Finding::new(Severity::Critical, FindingCode::UnusableName, message)
    });
    unusable.collect()
}
