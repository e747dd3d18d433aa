//! What clients are verified by: anchors and revocation lists that follow their files.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use notafter::cert::SignatureAlgorithms;
use notafter::observer::InlineObserver;
use notafter::outlook::Usage;
use notafter::reload::{ReloadingAnchors, ReloadingCrls, TrustReloadError};
use notafter::verifier::ReloadingClientVerifier;
use notafter::{
    Certificate, ChainJudge, Monitor, Target, Timestamp, TrustAnchors, WatchingClientVerifier,
};
use rustls::crypto::CryptoProvider;
use serde_json::{Value, json};

use crate::service::print;

/// Files that look half-written are told of after so many seconds.
const SETTLE_SECONDS: i64 = 2;

/// What they are watched as.
const ANCHORS: &str = "client anchors";
const LISTS: &str = "client lists";

pub struct ClientTrust {
    anchors: Arc<ReloadingAnchors>,
    lists: Option<Arc<ReloadingCrls>>,
    verifier: Arc<WatchingClientVerifier>,
    algorithms: SignatureAlgorithms,
}

/// What a look at the files changed.
#[derive(Clone, Copy)]
pub struct TrustChange {
    pub anchors: bool,
    pub lists: bool,
}

impl ClientTrust {
    pub fn new(
        ca: &Path,
        crl: Option<&Path>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Box<dyn Error>> {
        let anchors = ReloadingAnchors::builder()
            .with_path(ca)
            .with_settle_seconds(SETTLE_SECONDS)
            .with_observer(Arc::new(print))
            .build()?;
        let lists = crl.map(|crl| {
            ReloadingCrls::builder()
                .with_path(crl)
                .with_issuers_in_force(anchors.clone())
                .with_provider(Arc::clone(provider))
                .with_settle_seconds(SETTLE_SECONDS)
                .with_observer(Arc::new(print))
                .build()
        });
        let lists = lists.transpose()?;
        Ok(Self {
            verifier: verifier(&anchors, lists.as_ref(), provider)?,
            anchors,
            lists,
            algorithms: provider.signature_verification_algorithms.all,
        })
    }

    pub const fn verifier(&self) -> &Arc<WatchingClientVerifier> {
        &self.verifier
    }

    /// Has the anchors and lists in force watched, so that they are in the report and the metrics.
    pub fn watch(&self, monitor: &Monitor) {
        monitor.watch(ANCHORS, Target::from_watched(self.anchors.clone()));
        if let Some(lists) = &self.lists {
            monitor.watch(LISTS, Target::from_watched(lists.clone()));
        }
    }

    /// Looks at the files once; says what else is in force since.
    pub fn poll(&self, monitor: &Monitor, now: Timestamp) -> TrustChange {
        let lists = self.lists.as_ref();
        let change = TrustChange {
            anchors: self.anchors.poll(now).is_swapped,
            lists: lists.is_some_and(|lists| lists.poll(now).is_swapped),
        };
        if change.anchors {
            monitor.refresh(ANCHORS);
        }
        if change.lists {
            monitor.refresh(LISTS);
        }
        change
    }

    /// The anchors in force.
    pub fn anchors(&self) -> Arc<TrustAnchors> {
        self.anchors.anchors()
    }

    /// Judges clients by the anchors in force.
    pub fn judge(&self) -> ChainJudge {
        ChainJudge::new(self.anchors.anchors(), self.algorithms, Usage::ClientAuth)
    }

    /// Each with its kind, what it is, and its value.
    pub fn metrics(&self) -> Vec<(&'static str, &'static str, &'static str, String)> {
        let anchors = self.anchors.anchors();
        let end = anchors.certificates().map(Certificate::not_after).min();
        let mut families = vec![
            (
                "notafter_client_anchor_reloads_total",
                "counter",
                "Generations of anchors for clients that came into force after the first.",
                self.anchors.reloads_total().to_string(),
            ),
            (
                "notafter_client_anchor_reload_failures_total",
                "counter",
                "Changed anchors for clients that could not come into force.",
                self.anchors.reload_failures_total().to_string(),
            ),
            (
                "notafter_client_anchors",
                "gauge",
                "Anchors for clients in force.",
                anchors.len().to_string(),
            ),
            (
                "notafter_client_anchor_earliest_not_after_timestamp_seconds",
                "gauge",
                "When the first of the anchors for clients ends, Unix seconds.",
                seconds(end),
            ),
        ];
        if let Some(lists) = &self.lists {
            let next_update = lists.generation().crls.next_updates().min();
            families.extend([
                (
                    "notafter_client_crl_reloads_total",
                    "counter",
                    "Generations of revocation lists for clients that came into force after the first.",
                    lists.reloads_total().to_string(),
                ),
                (
                    "notafter_client_crl_reload_failures_total",
                    "counter",
                    "Changed revocation lists for clients that could not come into force.",
                    lists.reload_failures_total().to_string(),
                ),
                (
                    "notafter_client_crl_earliest_next_update_timestamp_seconds",
                    "gauge",
                    "Before when the first of the revocation lists is to be replaced, Unix seconds.",
                    seconds(next_update),
                ),
            ]);
        }
        families
    }

    /// What is wrong, though clients are served by what is in force.
    pub fn warnings(&self, now: Timestamp) -> Vec<Value> {
        let failure =
            |error: TrustReloadError| json!({ "code": error.code(), "message": error.to_string() });
        let mut warnings: Vec<_> = self.anchors.failure().map(failure).into_iter().collect();
        if let Some(lists) = &self.lists {
            warnings.extend(lists.failure().map(failure));
            let generation = lists.generation();
            let over = generation
                .crls
                .next_updates()
                .filter(|end| *end <= now)
                .min();
            warnings.extend(over.map(|end| {
                let message = format!("a revocation list was to be replaced before {end}");
                json!({ "code": "crl_expired", "message": message })
            }));
        }
        warnings
    }
}

fn verifier(
    anchors: &Arc<ReloadingAnchors>,
    lists: Option<&Arc<ReloadingCrls>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WatchingClientVerifier>, Box<dyn Error>> {
    let mut inner =
        ReloadingClientVerifier::builder(Arc::clone(anchors)).with_provider(Arc::clone(provider));
    if let Some(lists) = lists {
        inner = inner.with_crls(Arc::clone(lists));
    }
    let inner = inner.build()?;
    let verifier = WatchingClientVerifier::builder(inner.clone())
        .with_trust_in_force(inner)
        .with_provider(Arc::clone(provider))
        .with_observer(Arc::new(InlineObserver(print)))
        .build()?;
    Ok(verifier)
}

fn seconds(at: Option<Timestamp>) -> String {
    at.map_or(0, Timestamp::as_unix_seconds).to_string()
}
