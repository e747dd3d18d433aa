//! What handshakes look into; replaced as a whole. An edge, for it holds rustls's keys.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use super::candidate::ChainCandidate;
use super::names::NameIndex;
use super::rules::UnknownName;
use crate::cert::in_sequence;

/// The keys, and which of them answers whom.
#[derive(Debug)]
pub(super) struct KeyTable {
    /// In the order in which they were given.
    keys: Vec<TableKey>,
    names: NameIndex,
    /// Another number once other certificates are served.
    pub(super) epoch: u64,
}

#[derive(Debug)]
struct TableKey {
    key: Arc<CertifiedKey>,
    /// The names of all issuers in the chain, DER.
    issuers: Vec<Vec<u8>>,
}

/// What a table is made of.
pub(super) struct Row<'r> {
    pub(super) key: &'r Arc<CertifiedKey>,
    pub(super) candidate: &'r ChainCandidate,
}

impl KeyTable {
    pub(super) fn new<'r>(
        rows: impl Iterator<Item = Row<'r>> + Clone,
        unknown: UnknownName,
        epoch: u64,
    ) -> Self {
        let names = rows.clone().map(|row| &row.candidate.names);
        Self {
            names: NameIndex::new(names, unknown),
            keys: rows.map(|row| TableKey::new(&row)).collect(),
            epoch,
        }
    }

    /// What a server shows to a client that asks for `name` (lower case, as rustls hands it) and
    /// verifies `schemes`.
    pub(super) fn for_client(
        &self,
        name: Option<&str>,
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let answering = self.names.answering(name)?;
        let keys = || answering.iter().filter_map(|place| self.keys.get(*place));
        let usable = match answering {
            [_] => None,
            _ => keys().find(|key| key.signs(schemes)),
        };
        // Without one that fits rustls fails the handshake and says why.
        let found = usable.or_else(|| keys().next())?;
        Some(Arc::clone(&found.key))
    }

    /// What a client shows to a server that trusts `roots` (any, where it names none) and verifies
    /// `schemes`.
    pub(super) fn for_server(
        &self,
        roots: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let trusted = |key: &&TableKey| {
            let mut issuers = key.issuers.iter();
            roots.is_empty() || issuers.any(|issuer| roots.contains(&issuer.as_slice()))
        };
        let usable = || self.keys.iter().filter(|key| key.signs(schemes));
        // The hints are hints: a server may trust more than it names.
        let found = usable().find(trusted).or_else(|| usable().next())?;
        Some(Arc::clone(&found.key))
    }
}

impl TableKey {
    fn new(row: &Row<'_>) -> Self {
        let chain = row.candidate.chain.iter();
        Self {
            key: Arc::clone(row.key),
            issuers: chain
                .map(|certificate| in_sequence(certificate.facts().issuer_der()))
                .collect(),
        }
    }

    fn signs(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }
}
