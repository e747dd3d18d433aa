//! Which certificates answer which name: built at a swap, asked by every handshake.

use std::collections::HashMap;

use super::rules::UnknownName;
use crate::cert::SubjectAltNames;

/// The certificates that bear each name, by their place in the order in which they were given.
#[derive(Debug)]
pub(super) struct NameIndex {
    /// By name in lower case.
    exact: HashMap<String, Vec<usize>>,
    /// By what follows `*.`, which stands for one label (RFC 9525, 6.3).
    wildcard: HashMap<String, Vec<usize>>,
    default: Vec<usize>,
    unknown: UnknownName,
}

impl NameIndex {
    pub(super) fn new<'n>(
        all_names: impl IntoIterator<Item = &'n SubjectAltNames>,
        unknown: UnknownName,
    ) -> Self {
        let mut index = Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: Vec::new(),
            unknown,
        };
        let mut default_names = None;
        for (place, names) in all_names.into_iter().enumerate() {
            for name in &names.dns {
                let name = name.to_ascii_lowercase();
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut index.wildcard, parent.to_owned()),
                    None => (&mut index.exact, name),
                };
                let of_name = map.entry(name).or_default();
                if of_name.last() != Some(&place) {
                    of_name.push(place);
                }
            }
            // A twin of the default with another kind of key stands in for it.
            if default_names.is_none() || default_names == Some(names) {
                index.default.push(place);
                default_names = Some(names);
            }
        }
        index
    }

    /// Those that answer a client that asks for `name` (lower case, as rustls hands it), or for
    /// none; `None` where nobody answers.
    pub(super) fn answering(&self, name: Option<&str>) -> Option<&[usize]> {
        let Some(name) = name else {
            return Some(&self.default);
        };
        match (self.bearing(name.trim_end_matches('.')), self.unknown) {
            (Some(bearing), _) => Some(bearing),
            (None, UnknownName::ServeDefault) => Some(&self.default),
            (None, UnknownName::Refuse) => None,
        }
    }

    fn bearing(&self, name: &str) -> Option<&[usize]> {
        let by_wildcard = || self.wildcard.get(name.split_once('.')?.1);
        let places = self.exact.get(name).or_else(by_wildcard)?;
        Some(places)
    }
}
