//! The judges of what is trusted now: made anew for each generation of it.

use std::sync::{Arc, PoisonError, RwLock};

use super::judge::TargetJudge;
use crate::outlook::{TrustGeneration, Usage};
use crate::self_check::JudgeMaker;

/// What everything that is watched is judged by, and where that is found.
#[derive(Debug)]
pub(super) struct TargetJudges {
    maker: JudgeMaker,
    latest: RwLock<Arc<TargetJudge>>,
}

impl TargetJudges {
    pub(super) fn new(maker: JudgeMaker) -> Self {
        let judge = made_of(&maker, &maker.generation());
        Self {
            latest: RwLock::new(Arc::new(judge)),
            maker,
        }
    }

    /// What is trusted now.
    pub(super) fn generation(&self) -> Arc<TrustGeneration> {
        self.maker.generation()
    }

    /// The judge by what is trusted now.
    pub(super) fn current(&self) -> Arc<TargetJudge> {
        let generation = self.maker.generation();
        // No code of ours panics under the lock.
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        if latest.epoch == generation.epoch {
            return Arc::clone(&latest);
        }
        drop(latest);
        let current = Arc::new(made_of(&self.maker, &generation));
        // Whoever writes an older one here meanwhile only has the next evaluation make it again.
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        *latest = Arc::clone(&current);
        current
    }
}

fn made_of(maker: &JudgeMaker, generation: &TrustGeneration) -> TargetJudge {
    TargetJudge {
        clients: maker.judge(generation, Usage::ClientAuth),
        servers: maker.judge(generation, Usage::ServerAuth),
        policy: maker.policy,
        epoch: generation.epoch,
    }
}
