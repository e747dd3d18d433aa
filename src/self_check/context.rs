//! What one chain is judged by, and the findings that speak of it.

use pki_types::ServerName;

use super::chain_report::ReportedCertificate;
use super::finding::{Finding, FindingCode};
use super::lifetime::LifetimeLimits;
use super::sct_settings::SctSettings;
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{ChainJudge, Refusal, Usage};
use crate::policy::{Band, ThresholdPolicy};
use crate::time::Timestamp;

/// By what a chain is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum JudgedBy {
    /// By the paths to anchors, and their dates.
    #[default]
    Anchors,
    /// By the dates of all that is presented, and by what it says of itself: its signatures among each
    /// other, the leaf's names and usage.
    DatesAlone,
}

/// What a chain is judged by.
pub(super) struct ChainContext<'c> {
    pub(super) source: &'c str,
    pub(super) at: Timestamp,
    pub(super) names: &'c [ServerName<'static>],
    pub(super) judge: &'c ChainJudge,
    pub(super) judged_by: JudgedBy,
    pub(super) policy: &'c ThresholdPolicy,
    pub(super) usage: Usage,
    /// The staple that came with the chain: empty where there was none, `None` where it is not
    /// known.
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<&'c [u8]>,
    pub(super) lifetime_limits: LifetimeLimits,
    pub(super) scts: &'c SctSettings,
}

impl ChainContext<'_> {
    /// The name that the leaf must cover: the first that it does not, if there is one.
    pub(super) fn asked_name(&self, leaf: Option<&Certificate>) -> Option<&ServerName<'static>> {
        let uncovered = leaf.and_then(|leaf| self.uncovered(leaf));
        uncovered.map(|(name, _)| name).or(self.names.first())
    }

    /// The first expected name that the leaf does not cover.
    pub(super) fn uncovered(&self, leaf: &Certificate) -> Option<(&ServerName<'static>, Refusal)> {
        let mut names = self.names.iter();
        names.find_map(|name| Some((name, ChainJudge::covers(leaf, name).err()?)))
    }

    pub(super) fn worst_band(&self, certificates: &[ReportedCertificate]) -> Band {
        let bands = certificates.iter().map(|c| self.band(c));
        bands.max().unwrap_or(Band::Ok)
    }

    pub(super) fn band(&self, reported: &ReportedCertificate) -> Band {
        let validity = reported.certificate.validity();
        self.policy.band(validity, reported.position, self.at)
    }

    pub(super) fn finding(
        &self,
        severity: Severity,
        code: FindingCode,
        message: impl Into<String>,
    ) -> Finding {
        Finding::new(severity, code, message).with_source(self.source)
    }
}
