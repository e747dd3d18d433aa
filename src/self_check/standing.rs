//! How bad all of it is together, and what metrics say of each source.

use std::collections::BTreeMap;
use std::iter;

use super::chain_report::ChainReport;
use super::finding::Finding;
use crate::event::Severity;
use crate::policy::Band;

/// How bad things are together, whatever there is of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standing {
    worst: Option<Severity>,
    is_blind: bool,
}

impl Standing {
    /// This was found too.
    pub(crate) fn add_finding(&mut self, finding: &Finding) {
        if finding.code.is_blindness() {
            self.is_blind = true;
        } else {
            self.add_severity(finding.severity);
        }
    }

    /// Something stands so too.
    pub(crate) fn add_band(&mut self, band: Band) {
        self.add_severity(Severity::of_band(band));
    }

    /// Something is so grave too.
    pub(crate) fn add_severity(&mut self, severity: Severity) {
        self.worst = self.worst.max(Some(severity));
    }

    /// Whether the worst of it is so grave.
    #[cfg(feature = "metrics")]
    pub(crate) fn is(self, severity: Severity) -> bool {
        self.worst == Some(severity)
    }

    /// Whether something could not be looked at.
    #[cfg(feature = "metrics")]
    pub(crate) const fn is_blind(self) -> bool {
        self.is_blind
    }

    /// Something could not be looked at.
    pub(crate) const fn add_blindness(&mut self) {
        self.is_blind = true;
    }

    /// The exit code, which is also a nagios state: 0 ok or due, 1 warning, 2 critical, 3 not
    /// everything could be looked at and nothing was critical.
    pub(crate) fn exit_code(self) -> u8 {
        match self.worst {
            Some(Severity::Critical) => 2,
            _ if self.is_blind => 3,
            Some(Severity::Warning) => 1,
            _ => 0,
        }
    }
}

/// What was found in one source, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FindingKind<'f> {
    /// Empty for what concerns everything.
    pub(crate) source: &'f str,
    pub(crate) code: &'static str,
    pub(crate) severity: &'static str,
}

/// How many findings there are of each kind in each source.
pub(crate) fn counted(findings: &[Finding]) -> BTreeMap<FindingKind<'_>, u32> {
    let mut counted = BTreeMap::new();
    for finding in findings {
        let kind = FindingKind {
            source: finding.source.as_deref().unwrap_or_default(),
            code: finding.code.as_str(),
            severity: finding.severity.as_str(),
        };
        *counted.entry(kind).or_default() += 1;
    }
    counted
}

/// Each source, and whether all of it could be read.
pub(crate) fn readable<'r>(
    chains: &'r [ChainReport],
    findings: &'r [Finding],
) -> BTreeMap<&'r str, bool> {
    let sources = chains
        .iter()
        .flat_map(|chain| iter::once(&chain.source).chain(&chain.also_in));
    let mut readable: BTreeMap<_, _> = sources.map(|source| (source.as_str(), true)).collect();
    let unreadable = (findings.iter()).filter(|finding| finding.code.is_of_failure());
    readable.extend(unreadable.filter_map(|finding| Some((finding.source.as_deref()?, false))));
    readable
}
