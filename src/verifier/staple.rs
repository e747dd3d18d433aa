//! Stapled OCSP responses in the handshake: told about always, required where asked for.

use rustls::CertificateError;

use crate::cert::{Certificate, SignatureAlgorithms};
use crate::revocation::{StapleJudge, StapleOutlook, StapleStatus};
use crate::time::Timestamp;

/// When a server's stapled OCSP response decides about the handshake.
///
/// rustls itself does not look at staples. Whatever the rule, it can only add refusals: a
/// certificate that is revoked is refused with `CertificateError::Revoked`, everything else with
/// `CertificateError::InvalidOcspResponse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StapleRule {
    /// Never: what is not good is only told.
    #[default]
    Observe,
    /// Where the leaf says must-staple (RFC 7633).
    WhenMustStaple(StapleStrictness),
    /// For every server. A raw public key (RFC 7250) can have no staple: `Hard` refuses it.
    Always(StapleStrictness),
}

/// What is refused where a staple decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StapleStrictness {
    /// What proves that something is wrong: revoked, signed by somebody else, for another
    /// certificate. A staple that is missing, stale or unreadable is only told.
    Soft,
    /// Everything but good.
    Hard,
}

/// Judges staples for a wrapper.
#[derive(Debug)]
pub(super) struct StapleWatch {
    pub(super) rule: StapleRule,
    pub(super) judge: StapleJudge,
    /// `None` where no provider is at hand: then nothing can be said of a staple.
    pub(super) algorithms: Option<SignatureAlgorithms>,
}

impl StapleWatch {
    /// What the staple of this leaf comes to; `None` where there is nothing to say: no staple was
    /// sent and none is due, or nobody who could have signed it is known.
    pub(super) fn look(
        &self,
        staple: &[u8],
        leaf: &Certificate,
        issuers: &[Certificate],
        now: Timestamp,
    ) -> Option<StapleOutlook> {
        if staple.is_empty() && self.strictness(leaf).is_none() && !leaf.facts().must_staple() {
            return None;
        }
        let algorithms = self.algorithms?;
        let issuers = issuers.iter();
        self.judge
            .judge_among(staple, leaf, issuers, algorithms, now)
    }

    /// Why the handshake is refused, if it is.
    pub(super) fn refusal(
        &self,
        leaf: &Certificate,
        outlook: Option<&StapleOutlook>,
    ) -> Option<CertificateError> {
        let strictness = self.strictness(leaf)?;
        let wrong = CertificateError::InvalidOcspResponse;
        match (strictness, outlook.map(|outlook| &outlook.status)) {
            (_, Some(StapleStatus::Good { .. })) => None,
            (_, Some(StapleStatus::Revoked { .. })) => Some(CertificateError::Revoked),
            (
                StapleStrictness::Soft,
                Some(StapleStatus::BadSignature { .. } | StapleStatus::WrongCertificate { .. }),
            ) => Some(wrong),
            (StapleStrictness::Soft, _) => None,
            (StapleStrictness::Hard, _) => Some(wrong),
        }
    }

    /// Whether a peer is refused for which no staple can speak.
    pub(super) fn refuses_everything_without(&self) -> bool {
        self.rule == StapleRule::Always(StapleStrictness::Hard)
    }

    /// How strict the rule is with this leaf; `None` where it only observes.
    fn strictness(&self, leaf: &Certificate) -> Option<StapleStrictness> {
        match self.rule {
            StapleRule::Observe => None,
            StapleRule::WhenMustStaple(strictness) => {
                leaf.facts().must_staple().then_some(strictness)
            }
            StapleRule::Always(strictness) => Some(strictness),
        }
    }
}
