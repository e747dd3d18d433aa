//! Whether a chain verifies where the served one does, and what of its hierarchy has changed.

use std::sync::Arc;

use super::error::ReloadError;
use super::remarks::Remarks;
use super::rules::{NoLongerVerifying, ReloadRules, TrustedByPeers};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::outlook::{ChainJudge, RelyingParty, TrustAnchors};
use crate::time::Timestamp;

/// A chain to be served, and the one that it would replace.
pub(super) struct Replacement<'c> {
    pub(super) served: &'c [Certificate],
    pub(super) chain: &'c [Certificate],
    /// The chain's.
    pub(super) file: &'c str,
}

impl Replacement<'_> {
    /// What should be said of the hierarchy that the chain stands in.
    ///
    /// # Errors
    /// [`ReloadError::NoLongerVerifies`].
    pub(super) fn examine(
        &self,
        rules: &ReloadRules,
        algorithms: SignatureAlgorithms,
        now: Timestamp,
    ) -> Result<Remarks, ReloadError> {
        let mut remarks = Remarks::default();
        remarks.notes.extend(self.changed_issuer());
        let given = rules.trusted.as_ref().map(TrustedByPeers::now);
        let anchors = given.or_else(|| roots_of(self.served));
        let judge = anchors.map(|anchors| ChainJudge::new(anchors, algorithms, rules.usage));
        let judge = judge.filter(|judge| judge.report(self.served, None, now).rustls.verifies());
        let Some(judge) = judge else {
            remarks.warnings.extend(self.changed_top());
            return Ok(remarks);
        };
        match (self.still_verifies(&judge, now), rules.no_longer_verifying) {
            (Ok(()), _) => remarks.warnings.extend(self.lost_roots(&judge, now)),
            (Err(error), NoLongerVerifying::Refuse) => return Err(error),
            (Err(error), NoLongerVerifying::Tell) => remarks.warnings.push(error.to_string()),
        }
        Ok(remarks)
    }

    /// For each relying party for which the served one verifies.
    fn still_verifies(&self, judge: &ChainJudge, now: Timestamp) -> Result<(), ReloadError> {
        let before = judge.report(self.served, None, now);
        let after = judge.report(self.chain, None, now);
        let of_rustls = (before.rustls, Some(after.rustls));
        let mut parties = vec![(RelyingParty::Rustls, of_rustls)];
        if let Some(strict) = before.strict {
            parties.push((RelyingParty::Strict, (strict, after.strict)));
        }
        for (relying_party, (before, after)) in parties {
            if !before.verifies() {
                continue;
            }
            if let Some(refusal) = after.and_then(|after| after.refusal) {
                return Err(ReloadError::NoLongerVerifies {
                    file: self.file.to_owned(),
                    relying_party,
                    refusal: Box::new(refusal),
                });
            }
        }
        Ok(())
    }

    /// Roots that the served chain leads to and the new one does not.
    fn lost_roots(&self, judge: &ChainJudge, now: Timestamp) -> Option<String> {
        let (before, after) = (
            roots_reached(judge, self.served, now),
            roots_reached(judge, self.chain, now),
        );
        let lost: Vec<_> = before.iter().filter(|key| !after.contains(key)).collect();
        let name = |key: &&Vec<u8>| format!("'{}'", judge.anchors().name_of_key(key));
        let list = |keys: Vec<&Vec<u8>>| keys.iter().map(name).collect::<Vec<_>>().join(", ");
        if lost.is_empty() {
            return None;
        }
        Some(format!(
            "it leads to the root {} and no longer to {}: clients that trust the latter alone will \
             refuse it",
            list(after.iter().collect()),
            list(lost)
        ))
    }

    /// Where no anchors are known: the issuer at the end of the chain, by its name.
    fn changed_top(&self) -> Option<String> {
        let (before, after) = (self.served.last()?, self.chain.last()?);
        if before.facts().issuer_der() == after.facts().issuer_der() {
            return None;
        }
        // A root that is sent along is the issuer at the end, one that is not likewise.
        let (before, after) = (before.issuer_short_name(), after.issuer_short_name());
        Some(format!(
            "its chain ends at an issuer '{after}', and the one before at '{before}': see that \
             clients trust it, or say by with_trust_anchors what they trust"
        ))
    }

    fn changed_issuer(&self) -> Option<String> {
        let (before, after) = (self.served.first()?, self.chain.first()?);
        let (old, new) = (before.issuer_short_name(), after.issuer_short_name());
        if before.facts().issuer_der() != after.facts().issuer_der() {
            return Some(format!(
                "its issuer is '{new}', and that of the one before '{old}'"
            ));
        }
        let (old_keys, new_keys) = (issuer_keys(self.served), issuer_keys(self.chain));
        let is_same = old_keys.is_empty()
            || new_keys.is_empty()
            || old_keys.iter().any(|key| new_keys.contains(key));
        (!is_same).then(|| format!("its issuer '{new}' has another key than before"))
    }
}

/// The keys of those that are presented as the leaf's issuer.
fn issuer_keys(chain: &[Certificate]) -> Vec<&[u8]> {
    let Some(leaf) = chain.first() else {
        return Vec::new();
    };
    let issuer = leaf.facts().issuer_der();
    let issuers = chain.iter().skip(1).map(Certificate::facts);
    issuers
        .filter(|facts| facts.subject_der() == issuer)
        .map(|facts| facts.spki_der())
        .collect()
}

/// The roots that a chain sends along: its clients trust them, or it would serve none.
fn roots_of(chain: &[Certificate]) -> Option<Arc<TrustAnchors>> {
    let roots = chain.iter().skip(1).filter(|c| c.is_self_issued());
    let roots: Vec<_> = roots.map(|root| root.der().clone()).collect();
    if roots.is_empty() {
        return None;
    }
    let anchors = TrustAnchors::builder().with_certificates(&roots).build();
    Some(Arc::new(anchors))
}

/// The keys of the anchors that the chain leads to.
fn roots_reached(judge: &ChainJudge, chain: &[Certificate], now: Timestamp) -> Vec<Vec<u8>> {
    let mut roots = Vec::new();
    // A refusal, and a search that was given up, leave those that were found.
    let _ = judge.find_path::<()>(chain, now, |path| {
        if !roots.contains(&path.anchor_spki) {
            roots.push(path.anchor_spki);
        }
        None
    });
    roots
}
