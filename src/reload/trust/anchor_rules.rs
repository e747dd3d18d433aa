//! Whether anchors may replace those in force: a function of both, and of the instant.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::error::TrustReloadError;
use super::kind::{Admitted, TrustKind, TrustLook};
use super::peers_rule::{AllPeersFail, PeersRule};
use crate::alert::Condition;
use crate::cert::{Certificate, SignatureAlgorithms, name_for_people};
use crate::event::Role;
use crate::monitor::{Evaluation, Gauge, judge_anchors};
use crate::outlook::{ChainJudge, Refusal, TrustAnchors, TrustGeneration, Usage};
use crate::policy::ThresholdPolicy;
use crate::reload::key::ReloadingKey;
#[cfg(feature = "os-anchors")]
use crate::source::FailureReason;
use crate::source::{Loader, SourceContents};
use crate::time::Timestamp;

/// How many anchors are named in what is told.
const MAX_NAMED: usize = 5;

/// The rules by which anchors are replaced.
#[derive(Debug)]
pub(super) struct AnchorRules {
    /// The share of the anchors in force that there must be, in percent.
    pub(super) least_percent: u8,
    /// The chains of ours that must not stop to verify.
    pub(super) own: Vec<OwnChains>,
    /// The peers of which one at least must verify, where there are such.
    pub(super) peers: Option<PeersRule>,
    pub(super) all_peers_fail: AllPeersFail,
    /// What chains of ours and peers are verified by.
    pub(super) algorithms: SignatureAlgorithms,
    /// How near its end an anchor is told of.
    pub(super) policy: ThresholdPolicy,
}

/// What this process shows.
#[derive(Debug)]
pub(super) enum OwnChains {
    /// For good.
    Fixed(OwnChain),
    /// Whatever it serves at the moment.
    ServedBy(Arc<ReloadingKey>),
}

/// A chain that this process shows, leaf first.
#[derive(Debug, Clone)]
pub(super) struct OwnChain {
    pub(super) chain: Vec<Certificate>,
    pub(super) usage: Usage,
}

impl OwnChains {
    fn at_the_moment(&self) -> Vec<OwnChain> {
        match self {
            Self::Fixed(own) => vec![own.clone()],
            Self::ServedBy(key) => {
                let served = key.served().into_iter().map(|served| OwnChain {
                    chain: served.certificates,
                    usage: key.usage(),
                });
                served.filter(|own| !own.chain.is_empty()).collect()
            }
        }
    }
}

impl OwnChain {
    /// Why it does not verify under these anchors, if it does not.
    fn refusal(
        &self,
        anchors: &Arc<TrustAnchors>,
        algorithms: SignatureAlgorithms,
        now: Timestamp,
    ) -> Option<Refusal> {
        let judge = ChainJudge::new(Arc::clone(anchors), algorithms, self.usage);
        judge.report(&self.chain, None, now).rustls.refusal
    }

    fn name(&self) -> String {
        let leaf = self.chain.first();
        leaf.map(Certificate::short_name).unwrap_or_default()
    }
}

impl AnchorRules {
    /// # Errors
    /// Why they may not replace those in force. What there is to warn of comes back where they may.
    fn check(
        &self,
        anchors: &Arc<TrustAnchors>,
        in_force: &Arc<TrustAnchors>,
        look: &TrustLook<'_>,
    ) -> Result<Option<TrustReloadError>, TrustReloadError> {
        let place = || look.place.to_owned();
        let (held, before) = (anchors.len(), in_force.len());
        if let [first, ..] = anchors.errors() {
            let (damaged, before) = (anchors.errors().len(), in_force.errors().len());
            if damaged > before {
                let first = first.clone();
                return Err(TrustReloadError::Damaged {
                    damaged,
                    before,
                    first,
                });
            }
        }
        if held.saturating_mul(100) < before.saturating_mul(usize::from(self.least_percent)) {
            return Err(TrustReloadError::TooFew {
                place: place(),
                anchors: held,
                before,
                percent: self.least_percent,
            });
        }
        if held < before && look.written_within > 0 {
            return Err(TrustReloadError::StillWritten {
                place: place(),
                held,
                before,
                seconds: look.written_within,
            });
        }
        for own in self.own.iter().flat_map(OwnChains::at_the_moment) {
            let Some(refusal) = own.refusal(anchors, self.algorithms, look.now) else {
                continue;
            };
            if own.refusal(in_force, self.algorithms, look.now).is_none() {
                return Err(TrustReloadError::OwnChainFails {
                    place: place(),
                    name: own.name(),
                    refusal: refusal.to_string(),
                });
            }
        }
        let peers = self.peers.as_ref();
        let failure = peers.and_then(|peers| {
            peers.failure(anchors, in_force, self.algorithms, look.place, look.now)
        });
        match (failure, self.all_peers_fail) {
            (Some(failure), AllPeersFail::Refuse) => Err(failure),
            (failure, _) => Ok(failure),
        }
    }
}

impl TrustKind for AnchorRules {
    type Contents = SourceContents;
    type Value = TrustGeneration;

    const ROLE: Role = Role::Anchor;

    fn read_path(&self, path: &Path, loader: &Loader) -> Vec<SourceContents> {
        loader.load(path)
    }

    fn read_bytes(&self, name: &str, bytes: &[u8]) -> Vec<SourceContents> {
        vec![SourceContents::from_bytes(name, bytes)]
    }

    #[cfg(feature = "os-anchors")]
    fn read_os(&self) -> Vec<SourceContents> {
        const NAME: &str = "the operating system's store";
        let anchors = TrustAnchors::from_os();
        let certificates = anchors.certificates().map(Certificate::der);
        let mut contents = SourceContents::from_certificates(NAME, certificates);
        for error in anchors.errors() {
            let failed = SourceContents::unreadable(NAME, FailureReason::BadDer, error.to_string());
            contents.failures.extend(failed.failures);
        }
        vec![contents]
    }

    #[cfg(not(feature = "os-anchors"))]
    fn read_os(&self) -> Vec<SourceContents> {
        Vec::new()
    }

    fn admit(
        &self,
        contents: &[SourceContents],
        look: &TrustLook<'_>,
        in_force: Option<&TrustGeneration>,
    ) -> Result<Admitted<TrustGeneration>, TrustReloadError> {
        let builder = contents
            .iter()
            .fold(TrustAnchors::builder(), |builder, contents| {
                builder.with_source(contents)
            });
        let anchors = Arc::new(builder.build());
        if anchors.is_empty() {
            return Err(TrustReloadError::NoAnchors {
                place: look.place.to_owned(),
                first: anchors.errors().first().cloned(),
            });
        }
        let Some(in_force) = in_force else {
            return Ok(Admitted::without_warning(TrustGeneration::new(0, anchors)));
        };
        let warning = self.check(&anchors, &in_force.anchors, look)?;
        Ok(Admitted {
            value: TrustGeneration::new(in_force.epoch + 1, anchors),
            warning,
        })
    }

    fn is_same(&self, value: &TrustGeneration, other: &TrustGeneration) -> bool {
        let anchors = |value: &TrustGeneration| -> HashSet<_> {
            value.anchors.as_slice().iter().cloned().collect()
        };
        let certificates = |value: &TrustGeneration| -> HashSet<_> {
            let certificates = value.anchors.certificates();
            certificates
                .map(|certificate| certificate.der().to_vec())
                .collect()
        };
        anchors(value) == anchors(other) && certificates(value) == certificates(other)
    }

    fn describe(&self, value: &TrustGeneration) -> String {
        let anchors = value.anchors.as_slice();
        let named = anchors.iter().take(MAX_NAMED);
        let named: Vec<_> = named
            .map(|anchor| format!("'{}'", name_for_people(&anchor.subject)))
            .collect();
        let more = match anchors.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{} trust anchors, {}{more}",
            anchors.len(),
            named.join(", ")
        )
    }

    fn remark(&self, value: &TrustGeneration) -> Option<String> {
        let errors = value.anchors.errors();
        let first = errors.first()?;
        let number = errors.len();
        Some(format!(
            "{number} trust anchors cannot be used, the first of them: {first}"
        ))
    }

    fn conditions(&self, _: &TrustGeneration, _: Timestamp) -> Vec<Condition> {
        // rustls does not count an anchor's dates; a monitor tells of them.
        Vec::new()
    }

    fn evaluate(&self, value: &TrustGeneration, place: &str, now: Timestamp) -> Evaluation {
        let held = u32::try_from(value.anchors.len()).unwrap_or(u32::MAX);
        judge_anchors(&value.anchors, place, Self::ROLE, &self.policy, now)
            .with_gauge(Gauge::new("notafter_anchors", held.into()))
    }
}
