//! What makes judges, by what is trusted at the time.

use std::sync::Arc;

use super::judge::{Grouping, SourceJudge};
use super::lifetime::LifetimeLimits;
use super::sct_settings::SctSettings;
use crate::cert::SignatureAlgorithms;
use crate::outlook::{ChainJudge, TrustGeneration, TrustInForce, Usage};
use crate::policy::ThresholdPolicy;

/// Anchors and lists that were given once and for all.
#[derive(Debug)]
pub(super) struct UnchangingTrust(pub(super) Arc<TrustGeneration>);

impl TrustInForce for UnchangingTrust {
    fn generation(&self) -> Arc<TrustGeneration> {
        Arc::clone(&self.0)
    }
}

/// Makes judges by what is trusted at the time.
#[derive(Debug, Clone)]
pub(crate) struct JudgeMaker {
    pub(super) trust: Arc<dyn TrustInForce>,
    pub(super) algorithms: SignatureAlgorithms,
    pub(crate) policy: ThresholdPolicy,
    pub(super) grouping: Grouping,
    pub(super) lifetime_limits: LifetimeLimits,
    pub(super) scts: SctSettings,
}

impl JudgeMaker {
    /// What is trusted now.
    pub(crate) fn generation(&self) -> Arc<TrustGeneration> {
        self.trust.generation()
    }

    /// What judges leaves for this use by this generation.
    pub(crate) fn judge(&self, generation: &TrustGeneration, usage: Usage) -> SourceJudge {
        SourceJudge {
            chains: ChainJudge::from_generation(generation, self.algorithms, usage),
            usage,
            policy: self.policy,
            grouping: self.grouping,
            lifetime_limits: self.lifetime_limits,
            scts: self.scts.clone(),
            crls: generation.crls.clone(),
        }
    }
}
