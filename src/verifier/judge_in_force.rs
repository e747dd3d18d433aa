//! The judge of the trust that is in force: made anew for each generation of it.

use std::sync::{Arc, PoisonError, RwLock};

use super::judgement::{HandshakeJudge, InputChanges};
#[cfg(feature = "ocsp")]
use super::staple::StapleCheck;
use crate::cert::SignatureAlgorithms;
use crate::identity::PeerIdentity;
use crate::outlook::{ChainJudge, TrustAnchors, TrustGeneration, TrustInForce, Usage};
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;

/// So many sets of anchors that are in force beside each other for different identities are kept ready.
const MAX_JUDGES: usize = 64;

/// What every judge of one wrapper has in common.
#[derive(Debug)]
pub(super) struct JudgeTerms {
    pub(super) usage: Usage,
    pub(super) policy: ThresholdPolicy,
    /// For so many seconds holds what only the inner verifier knows.
    pub(super) trust_age_seconds: i64,
    /// Needed where there are anchors.
    pub(super) algorithms: Option<SignatureAlgorithms>,
    #[cfg(feature = "ocsp")]
    pub(super) staples: StapleCheck,
}

/// The judge, and where it finds what it judges by.
#[derive(Debug)]
pub(super) struct JudgeInForce {
    terms: JudgeTerms,
    trust: Option<Arc<dyn TrustInForce>>,
    /// For peers that are known by their names.
    latest: RwLock<DatedJudge>,
    /// For those that are known by identities, one for each set of anchors and lists of one epoch.
    by_identity: RwLock<Vec<DatedJudge>>,
}

/// A judge, and the epoch of the trust that it judges by.
#[derive(Debug, Clone)]
pub(super) struct DatedJudge {
    pub(super) judge: Arc<HandshakeJudge>,
    pub(super) epoch: u64,
    /// What it was made of, where that can change.
    generation: Option<Arc<TrustGeneration>>,
}

impl DatedJudge {
    fn is_of(&self, generation: &Arc<TrustGeneration>) -> bool {
        let made_of = self.generation.as_ref();
        made_of.is_some_and(|made_of| Arc::ptr_eq(made_of, generation))
    }
}

impl JudgeTerms {
    fn judge(&self, anchors: Option<Arc<TrustAnchors>>, crls: Option<Crls>) -> HandshakeJudge {
        let changes = InputChanges::new(anchors.as_deref(), crls.as_ref());
        let chains = anchors.zip(self.algorithms).map(|(anchors, algorithms)| {
            let crls = crls.clone().unwrap_or_default();
            ChainJudge::new(anchors, algorithms, self.usage).with_crls(crls)
        });
        HandshakeJudge {
            chains,
            policy: self.policy,
            trust_age_seconds: self.trust_age_seconds,
            crls,
            changes,
            #[cfg(feature = "ocsp")]
            staples: self.staples.clone(),
        }
    }

    fn judge_of(&self, generation: &Arc<TrustGeneration>) -> DatedJudge {
        let (anchors, crls) = (Arc::clone(&generation.anchors), generation.crls.clone());
        DatedJudge {
            judge: Arc::new(self.judge(Some(anchors), Some(crls))),
            epoch: generation.epoch,
            generation: Some(Arc::clone(generation)),
        }
    }
}

impl JudgeInForce {
    /// Judges by these for good.
    pub(super) fn fixed(
        terms: JudgeTerms,
        anchors: Option<Arc<TrustAnchors>>,
        crls: Option<Crls>,
    ) -> Self {
        let judge = Arc::new(terms.judge(anchors, crls));
        Self {
            terms,
            trust: None,
            latest: RwLock::new(DatedJudge {
                judge,
                epoch: 0,
                generation: None,
            }),
            by_identity: RwLock::default(),
        }
    }

    /// Judges by what is in force.
    pub(super) fn following(terms: JudgeTerms, trust: Arc<dyn TrustInForce>) -> Self {
        let latest = terms.judge_of(&trust.generation());
        Self {
            terms,
            trust: Some(trust),
            latest: RwLock::new(latest),
            by_identity: RwLock::default(),
        }
    }

    pub(super) const fn policy(&self) -> &ThresholdPolicy {
        &self.terms.policy
    }

    /// For so many seconds holds what only the inner verifier knows.
    pub(super) const fn trust_age_seconds(&self) -> i64 {
        self.terms.trust_age_seconds
    }

    /// The epoch of the trust in force.
    pub(super) fn epoch(&self) -> u64 {
        let trust = self.trust.as_ref();
        trust.map_or(0, |trust| trust.generation().epoch)
    }

    /// The judge of the trust in force for a peer of this identity; `None` for one that is known by
    /// its name.
    pub(super) fn current_for(&self, identity: Option<&PeerIdentity>) -> DatedJudge {
        match (&self.trust, identity) {
            (Some(trust), Some(identity)) => self.current_of(&trust.generation_for(identity)),
            _ => self.current(),
        }
    }

    /// The judge of one of the generations that are in force for identities.
    fn current_of(&self, generation: &Arc<TrustGeneration>) -> DatedJudge {
        // No code of ours panics under the lock.
        let judges = self.by_identity.read();
        let judges = judges.unwrap_or_else(PoisonError::into_inner);
        if let Some(judge) = judges.iter().find(|judge| judge.is_of(generation)) {
            return judge.clone();
        }
        drop(judges);
        let current = self.terms.judge_of(generation);
        let judges = self.by_identity.write();
        let mut judges = judges.unwrap_or_else(PoisonError::into_inner);
        // Another thread may have made it meanwhile.
        judges.retain(|judge| judge.epoch == current.epoch && !judge.is_of(generation));
        if judges.len() >= MAX_JUDGES {
            judges.remove(0);
        }
        judges.push(current.clone());
        current
    }

    fn current(&self) -> DatedJudge {
        let latest = self.read();
        let Some(trust) = &self.trust else {
            return latest;
        };
        let generation = trust.generation();
        if generation.epoch == latest.epoch {
            return latest;
        }
        let current = self.terms.judge_of(&generation);
        // Whoever writes an older one here meanwhile only has the next handshake make it again.
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        *latest = current.clone();
        current
    }

    fn read(&self) -> DatedJudge {
        // No code of ours panics under the lock.
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }
}
