//! What a check and a monitor are both told to judge by.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use thiserror::Error;

use super::judge::Grouping;
use super::judge_maker::{JudgeMaker, UnchangingTrust};
use super::lifetime::LifetimeLimits;
use super::sct_settings::SctSettings;
use crate::outlook::{TrustAnchors, TrustGeneration, TrustInForce};
use crate::policy::ThresholdPolicy;
use crate::provider;
use crate::revocation::Crls;

/// What their builders gather to judge by.
#[derive(Debug, Clone, Default)]
pub(crate) struct JudgeSettings {
    pub(crate) anchors: Option<Arc<TrustAnchors>>,
    pub(crate) trust: Option<Arc<dyn TrustInForce>>,
    pub(crate) provider: Option<Arc<CryptoProvider>>,
    pub(crate) crls: Option<Crls>,
    pub(crate) policy: ThresholdPolicy,
    pub(super) grouping: Grouping,
    pub(super) lifetime_limits: LifetimeLimits,
    pub(crate) scts: SctSettings,
}

impl JudgeSettings {
    /// What makes judges of these settings.
    ///
    /// # Errors
    /// [`SelfCheckError`] where there is nothing to judge by, or twice.
    pub(crate) fn judge_maker(&self) -> Result<JudgeMaker, SelfCheckError> {
        Ok(JudgeMaker {
            trust: self.trust()?,
            algorithms: self.provider()?.signature_verification_algorithms.all,
            policy: self.policy,
            grouping: self.grouping,
            lifetime_limits: self.lifetime_limits,
            scts: self.scts.clone(),
        })
    }

    fn trust(&self) -> Result<Arc<dyn TrustInForce>, SelfCheckError> {
        match (&self.trust, &self.anchors, &self.crls) {
            (Some(trust), None, None) => Ok(Arc::clone(trust)),
            (Some(_), _, _) => Err(SelfCheckError::TrustTwice),
            (None, None, _) => Err(SelfCheckError::NoTrustAnchors),
            (None, Some(anchors), crls) => {
                let trust = TrustGeneration::new(0, Arc::clone(anchors));
                let trust = trust.with_crls(crls.clone().unwrap_or_default());
                Ok(Arc::new(UnchangingTrust(Arc::new(trust))))
            }
        }
    }

    pub(crate) fn provider(&self) -> Result<Arc<CryptoProvider>, SelfCheckError> {
        provider::given_or_default(self.provider.clone()).ok_or(SelfCheckError::NoProvider)
    }
}

/// A self-check that cannot be run as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelfCheckError {
    /// It was not said what to judge by.
    #[error(
        "no trust anchors to judge by: call with_trust_anchors, for example with TrustAnchors::from_os()"
    )]
    NoTrustAnchors,
    /// What to judge by was given, and where to find it.
    #[error(
        "with_trust_in_force stands in for with_trust_anchors and with_crls, and both were called: keep with_trust_in_force"
    )]
    TrustTwice,
    /// There is no provider to verify signatures with.
    #[error(
        "no crypto provider to verify signatures with: {}",
        provider::why_none()
    )]
    NoProvider,
}
