//! What clients are verified by: anchors and revocation lists that follow their files.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use notafter::cert::SignatureAlgorithms;
use notafter::monitor::Watched as _;
use notafter::observer::InlineObserver;
use notafter::outlook::{TrustInForce as _, Usage};
use notafter::reload::{ReloadingAnchors, ReloadingCrls, TrustReloadError};
use notafter::self_check::FindingCode;
use notafter::verifier::ReloadingClientVerifier;
use notafter::{
    Band, Certificate, ChainJudge, Monitor, Target, Timestamp, TrustAnchors, WatchingClientVerifier,
};
use rustls::crypto::CryptoProvider;
use serde_json::{Value, json};

use crate::service::{Look, print};

/// Files that look half-written are told of after so many seconds.
const SETTLE_SECONDS: i64 = 2;

/// What they are watched as.
const ANCHORS: &str = "client anchors";
const LISTS: &str = "client lists";

pub struct ClientTrust {
    anchors: Arc<ReloadingAnchors>,
    lists: Option<Arc<ReloadingCrls>>,
    /// Verifies by both.
    in_force: Arc<ReloadingClientVerifier>,
    verifier: Arc<WatchingClientVerifier>,
    algorithms: SignatureAlgorithms,
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
        let mut in_force = ReloadingClientVerifier::builder(Arc::clone(&anchors))
            .with_provider(Arc::clone(provider));
        if let Some(lists) = &lists {
            in_force = in_force.with_crls(Arc::clone(lists));
        }
        let in_force = in_force.build()?;
        Ok(Self {
            verifier: verifier(&in_force, provider)?,
            anchors,
            lists,
            in_force,
            algorithms: provider.signature_verification_algorithms.all,
        })
    }

    pub const fn verifier(&self) -> &Arc<WatchingClientVerifier> {
        &self.verifier
    }

    /// Has them watched: how near their ends they are, and whether the files can be in force.
    pub fn watch_by(&self, monitor: &Monitor) {
        monitor.watch(ANCHORS, Target::from_watched(self.anchors.clone()));
        if let Some(lists) = &self.lists {
            monitor.watch(LISTS, Target::from_watched(lists.clone()));
        }
    }

    /// Looks at the files once; says whether other anchors are in force since.
    pub fn look(&self, look: Look, monitor: &Monitor, now: Timestamp) -> bool {
        let stale = self.anchors.stale_since();
        let anchors = match look {
            Look::AsUsual => self.anchors.poll(now),
            Look::Now => self.anchors.reload_now(),
        };
        if anchors.is_swapped || stale != self.anchors.stale_since() {
            monitor.refresh(ANCHORS);
        }
        if let Some(lists) = &self.lists {
            let stale = lists.stale_since();
            let looked = match look {
                Look::AsUsual => lists.poll(now),
                Look::Now => lists.reload_now(),
            };
            if looked.is_swapped || stale != lists.stale_since() {
                monitor.refresh(LISTS);
            }
        }
        anchors.is_swapped
    }

    /// The anchors in force.
    pub fn anchors(&self) -> Arc<TrustAnchors> {
        self.anchors.anchors()
    }

    /// Judges clients by the anchors and lists in force.
    pub fn judge(&self) -> ChainJudge {
        let in_force = self.in_force.generation();
        ChainJudge::from_generation(&in_force, self.algorithms, Usage::ClientAuth)
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
            (
                "notafter_client_anchor_stale_since_timestamp_seconds",
                "gauge",
                "Since when the file of anchors for clients cannot be in force, Unix seconds; 0 where it is.",
                seconds(self.anchors.stale_since()),
            ),
        ];
        if let Some(lists) = &self.lists {
            let in_force = lists.generation();
            let next_update = in_force.crls.next_updates().min();
            families.extend([
                (
                    "notafter_client_crls",
                    "gauge",
                    "Revocation lists for clients in force.",
                    in_force.ders.len().to_string(),
                ),
                (
                    "notafter_client_crl_stale_since_timestamp_seconds",
                    "gauge",
                    "Since when the file of revocation lists cannot be in force, Unix seconds; 0 where it is.",
                    seconds(lists.stale_since()),
                ),
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
        for condition in self.anchors.evaluate(now).conditions {
            if condition.band >= Band::Warning {
                let (code, message) = (condition.event.code, condition.event.message);
                warnings.push(json!({ "code": format!("anchor_{code}"), "message": message }));
            }
        }
        if let Some(lists) = &self.lists {
            warnings.extend(lists.failure().map(failure));
            for finding in lists.evaluate(now).findings {
                // That one is the failure, whose code says more.
                if finding.code != FindingCode::ReloadFailed {
                    let (code, message) = (finding.code.as_str(), finding.message);
                    warnings.push(json!({ "code": code, "message": message }));
                }
            }
        }
        warnings
    }
}

fn verifier(
    in_force: &Arc<ReloadingClientVerifier>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WatchingClientVerifier>, Box<dyn Error>> {
    let verifier = WatchingClientVerifier::builder(in_force.clone())
        .with_trust_in_force(in_force.clone())
        .with_provider(Arc::clone(provider))
        .with_observer(Arc::new(InlineObserver(print)))
        .build()?;
    Ok(verifier)
}

fn seconds(at: Option<Timestamp>) -> String {
    at.map_or(0, Timestamp::as_unix_seconds).to_string()
}
