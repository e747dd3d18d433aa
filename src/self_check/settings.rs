//! What a check and a monitor are both told to judge by.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use thiserror::Error;

use super::judge::{Grouping, SourceJudge};
use super::lifetime::LifetimeLimits;
use crate::outlook::{ChainJudge, TrustAnchors, Usage};
use crate::policy::ThresholdPolicy;
use crate::provider;
use crate::revocation::Crls;

/// What their builders gather to judge by.
#[derive(Debug, Clone, Default)]
pub(crate) struct JudgeSettings {
    pub(crate) anchors: Option<Arc<TrustAnchors>>,
    pub(crate) provider: Option<Arc<CryptoProvider>>,
    pub(crate) crls: Crls,
    pub(crate) policy: ThresholdPolicy,
    pub(super) grouping: Grouping,
    pub(super) lifetime_limits: LifetimeLimits,
}

impl JudgeSettings {
    /// What judges leaves for this use.
    ///
    /// # Errors
    /// [`SelfCheckError`] where there is nothing to judge by.
    pub(crate) fn judge(&self, usage: Usage) -> Result<SourceJudge, SelfCheckError> {
        let anchors = (self.anchors.clone()).ok_or(SelfCheckError::NoTrustAnchors)?;
        let algorithms = self.provider()?.signature_verification_algorithms.all;
        Ok(SourceJudge {
            chains: ChainJudge::new(anchors, algorithms, usage).with_crls(self.crls.clone()),
            #[cfg(feature = "details")]
            usage,
            policy: self.policy,
            grouping: self.grouping,
            lifetime_limits: self.lifetime_limits,
            crls: self.crls.clone(),
        })
    }

    pub(super) fn provider(&self) -> Result<Arc<CryptoProvider>, SelfCheckError> {
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
    /// There is no provider to verify signatures with.
    #[error(
        "no crypto provider to verify signatures with: call with_provider, \
         or install a process default with CryptoProvider::install_default"
    )]
    NoProvider,
}
