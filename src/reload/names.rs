//! Which certificate answers which name: built at a swap, read by every handshake.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use super::builder::UnknownName;
use crate::cert::{Certificate, SubjectAltNames, in_sequence};

/// What handshakes look into; replaced as a whole.
#[derive(Debug)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// By name in lower case, the entries in the order in which they were given.
    exact: HashMap<String, Vec<usize>>,
    /// By what follows `*.`, which stands for one label (RFC 9525, 6.3).
    wildcard: HashMap<String, Vec<usize>>,
    default: Vec<usize>,
    unknown: UnknownName,
}

#[derive(Debug)]
struct Entry {
    key: Arc<CertifiedKey>,
    /// The names of all issuers in the chain, DER.
    issuers: Vec<Vec<u8>>,
}

/// What a table is made of.
pub(super) struct Row<'r> {
    pub(super) key: &'r Arc<CertifiedKey>,
    pub(super) chain: &'r [Certificate],
    pub(super) names: &'r SubjectAltNames,
}

impl Table {
    pub(super) fn new<'r>(rows: impl Iterator<Item = Row<'r>>, unknown: UnknownName) -> Self {
        let mut table = Self {
            entries: Vec::new(),
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default: Vec::new(),
            unknown,
        };
        let mut default_names = None;
        for (index, row) in rows.enumerate() {
            for name in &row.names.dns {
                let name = name.to_ascii_lowercase();
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut table.wildcard, parent.to_owned()),
                    None => (&mut table.exact, name),
                };
                let of_name = map.entry(name).or_default();
                if of_name.last() != Some(&index) {
                    of_name.push(index);
                }
            }
            // A twin of the default with another kind of key stands in for it.
            if default_names.is_none() || default_names == Some(row.names) {
                table.default.push(index);
                default_names = Some(row.names);
            }
            let issuers = row.chain.iter();
            table.entries.push(Entry {
                key: Arc::clone(row.key),
                issuers: issuers
                    .map(|c| in_sequence(c.facts().issuer_der()))
                    .collect(),
            });
        }
        table
    }

    /// What a server shows to a client that asks for `name` (lower case, as rustls hands it) and
    /// verifies `schemes`.
    pub(super) fn for_client(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let named = name.map(|name| self.named(name.trim_end_matches('.')));
        let candidates = match named {
            None => &self.default,
            Some(Some(candidates)) => candidates,
            Some(None) => match self.unknown {
                UnknownName::ServeDefault => &self.default,
                UnknownName::Refuse => return None,
            },
        };
        let entries = || {
            candidates
                .iter()
                .filter_map(|index| self.entries.get(*index))
        };
        let usable = match candidates.as_slice() {
            [_] => None,
            _ => entries().find(|entry| entry.signs(schemes)),
        };
        // Without one that fits rustls fails the handshake and says why.
        let entry = usable.or_else(|| entries().next())?;
        Some(Arc::clone(&entry.key))
    }

    fn named(&self, name: &str) -> Option<&Vec<usize>> {
        let parent = || Some(name.split_once('.')?.1);
        self.exact
            .get(name)
            .or_else(|| self.wildcard.get(parent()?))
    }

    /// What a client shows to a server that trusts `roots` (any, where it names none) and verifies
    /// `schemes`.
    pub(super) fn for_server(
        &self,
        roots: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let trusted = |entry: &&Entry| {
            let mut issuers = entry.issuers.iter();
            roots.is_empty() || issuers.any(|issuer| roots.contains(&issuer.as_slice()))
        };
        let usable = || self.entries.iter().filter(|entry| entry.signs(schemes));
        // The hints are hints: a server may trust more than it names.
        let entry = usable().find(trusted).or_else(|| usable().next())?;
        Some(Arc::clone(&entry.key))
    }
}

impl Entry {
    fn signs(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }
}
