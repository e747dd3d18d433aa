//! Stapled OCSP responses in the handshake: told about always, required where asked for.

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

/// What a staple, or that there is none, comes to.
#[derive(Debug, Default)]
pub(super) struct StapleAssessment {
    /// `None` where there is nothing to say: no staple was sent and none is due, or nobody who could
    /// have signed it is known.
    pub(super) outlook: Option<StapleOutlook>,
    /// Why the handshake is refused, if it is.
    pub(super) refusal: Option<StapleRefusal>,
}

/// How a staple refuses a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StapleRefusal {
    /// It says that the certificate is revoked.
    Revoked,
    /// It is not what the rule asks for.
    NotGood,
}

impl StapleAssessment {
    /// From when on it may be another: what is not good is looked at again in the next second.
    pub(super) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let outlook = self.outlook.as_ref()?;
        Some(outlook.good_until().unwrap_or(now).saturating_add(1))
    }
}

/// Judges staples for a wrapper.
#[derive(Debug, Clone)]
pub(super) struct StapleCheck {
    pub(super) rule: StapleRule,
    pub(super) judge: StapleJudge,
    /// `None` where no provider is at hand: then nothing can be said of a staple.
    pub(super) algorithms: Option<SignatureAlgorithms>,
}

impl StapleCheck {
    /// What the staple of this leaf comes to, by those of these certificates that issued it.
    pub(super) fn assess<'c>(
        &self,
        staple: &[u8],
        leaf: &'c Certificate,
        candidates: impl Iterator<Item = &'c Certificate>,
        now: Timestamp,
    ) -> StapleAssessment {
        let strictness = self.strictness(leaf);
        let is_due = || strictness.is_some() || leaf.facts().must_staple();
        let algorithms = self.algorithms.filter(|_| !staple.is_empty() || is_due());
        let outlook = algorithms.and_then(|algorithms| {
            let name = leaf.facts().issuer_der();
            let issuers = candidates.filter(|candidate| candidate.facts().subject_der() == name);
            self.judge
                .judge_among(staple, leaf, issuers, algorithms, now)
        });
        let status = outlook.as_ref().map(|outlook| &outlook.status);
        StapleAssessment {
            refusal: strictness.and_then(|strictness| strictness.refusal(status)),
            outlook,
        }
    }

    /// What it comes to that no staple can speak for the peer: a raw public key's, or a leaf's that
    /// cannot be read.
    pub(super) fn assess_no_certificate(&self) -> StapleAssessment {
        let refuses = self.rule == StapleRule::Always(StapleStrictness::Hard);
        StapleAssessment {
            outlook: None,
            refusal: refuses.then_some(StapleRefusal::NotGood),
        }
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

impl StapleStrictness {
    fn refusal(self, status: Option<&StapleStatus>) -> Option<StapleRefusal> {
        match (self, status) {
            (_, Some(StapleStatus::Good { .. })) => None,
            (_, Some(StapleStatus::Revoked { .. })) => Some(StapleRefusal::Revoked),
            (
                Self::Soft,
                Some(StapleStatus::BadSignature { .. } | StapleStatus::WrongCertificate { .. }),
            ) => Some(StapleRefusal::NotGood),
            (Self::Soft, _) => None,
            (Self::Hard, _) => Some(StapleRefusal::NotGood),
        }
    }
}
