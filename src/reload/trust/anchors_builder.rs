//! Where anchors lie, and by which rules they are replaced.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::anchor_rules::{AnchorRules, OwnChain, OwnChains};
use super::anchors::ReloadingAnchors;
use super::error::TrustBuildError;
use super::peers_rule::{AllPeersFail, PeersRule};
#[cfg(feature = "os-anchors")]
use super::places::OsStore;
use super::places::TrustPlaces;
use super::reloader::{Reloader, ReloaderSettings};
use crate::alert::RepeatPolicy;
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::observer::Observer;
use crate::outlook::{KnownPeers, Usage};
use crate::policy::ThresholdPolicy;
use crate::provider;
use crate::reload::key::ReloadingKey;
#[cfg(feature = "metrics")]
use crate::reload::published::PublishedReloads;
use crate::source::Loader;

impl ReloadingAnchors {
    /// Starts with no place to look at.
    pub fn builder() -> ReloadingAnchorsBuilder {
        ReloadingAnchorsBuilder {
            places: TrustPlaces::default(),
            least_percent: 50,
            own: Vec::new(),
            peers: None,
            all_peers_fail: AllPeersFail::default(),
            policy: ThresholdPolicy::default(),
            provider: None,
            settings: ReloaderSettings::default(),
        }
    }
}

/// Gathers where the anchors of [`ReloadingAnchors`] lie.
#[derive(Debug)]
#[must_use]
pub struct ReloadingAnchorsBuilder {
    places: TrustPlaces,
    least_percent: u8,
    own: Vec<OwnChains>,
    peers: Option<PeersRule>,
    all_peers_fail: AllPeersFail,
    policy: ThresholdPolicy,
    provider: Option<Arc<CryptoProvider>>,
    settings: ReloaderSettings,
}

impl ReloadingAnchorsBuilder {
    /// Trusts every certificate in this file (PEM, or the DER of one) or folder; repeatable.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.places.paths.push(path.into());
        self
    }

    /// Trusts what the operating system trusts, looked at once a minute.
    #[cfg(feature = "os-anchors")]
    pub fn with_os_anchors(mut self) -> Self {
        self.places.os = OsStore::Followed;
        self
    }

    /// Trusts every certificate in these bytes, until [`ReloadingAnchors::set_bytes`] replaces those
    /// of this name; repeatable.
    pub fn with_bytes(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.places.pushed.insert(name.into(), bytes.into());
        self
    }

    /// Refuses a bundle with less than this share of the anchors in force, in percent: 50 by
    /// default, at most 100; 0 lets any number of anchors go at once, but the last.
    pub const fn with_least_share(mut self, percent: u8) -> Self {
        self.least_percent = if percent > 100 { 100 } else { percent };
        self
    }

    /// Refuses anchors under which this chain of ours, leaf first, would not verify any more;
    /// repeatable. Of one that is renewed: [`Self::with_own_key`].
    pub fn with_own_chain(
        mut self,
        chain: impl IntoIterator<Item = Certificate>,
        usage: Usage,
    ) -> Self {
        self.own.push(OwnChains::Fixed(OwnChain {
            chain: chain.into_iter().collect(),
            usage,
        }));
        self
    }

    /// Refuses anchors under which a chain that this key serves at that moment would not verify any
    /// more, for the usage of the key; repeatable.
    ///
    /// # How do I keep the root that my own certificate ends at, after its renewal too?
    /// ```no_run
    /// use notafter::ReloadingKey;
    /// use notafter::reload::ReloadingAnchors;
    /// let key = ReloadingKey::builder()
    ///     .with_pair("/etc/service/tls.crt", "/etc/service/tls.key")
    ///     .build()?;
    /// let anchors = ReloadingAnchors::builder()
    ///     .with_path("/etc/service/ca.pem")
    ///     .with_own_key(key)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_own_key(mut self, key: Arc<ReloadingKey>) -> Self {
        self.own.push(OwnChains::ServedBy(key));
        self
    }

    /// Refuses anchors under which none of these peers would verify any more, of those that do under the
    /// anchors in force. A wrapper that is given them too
    /// ([`with_known_peers`](crate::verifier::WatchingVerifierBuilder::with_known_peers)) remembers who
    /// proved itself last, clients or servers.
    ///
    /// Whoever is to take a root away that everybody known ends at, because its key is in wrong hands for
    /// example, calls [`KnownPeers::forget_all`] before, or asks for [`AllPeersFail::Tell`].
    pub fn with_known_peers(mut self, peers: Arc<KnownPeers>, usage: Usage) -> Self {
        self.peers = Some(PeersRule { peers, usage });
        self
    }

    /// What becomes of anchors under which no known peer would verify any more; they are refused by
    /// default, where [`with_known_peers`](Self::with_known_peers) says who is known.
    pub const fn with_all_peers_fail(mut self, all_peers_fail: AllPeersFail) -> Self {
        self.all_peers_fail = all_peers_fail;
        self
    }

    /// Uses other thresholds than the default ones, for when a [`Monitor`](crate::Monitor) that watches
    /// these anchors tells that one of them is near its end.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Verifies own chains and known peers by this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Reads this clock, at the start and in the polling thread, instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    /// Tells this observer of reloads and of failed ones, through a queue of its own unless it is
    /// [prompt](Observer::is_prompt); repeatable.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.outbox.add(observer);
        self
    }

    /// Tells of failures that last at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.settings.repeat = repeat;
        self
    }

    /// Reads files and folders within other limits than the default ones.
    pub fn with_loader(mut self, loader: Loader) -> Self {
        self.settings.loader = loader;
        self
    }

    /// Tells of files that look half-written only after so many seconds, 10 by default, and lets a
    /// bundle that shrank in a file written in place count only once that held still for as long.
    /// What was replaced as a whole (a rename, a swapped link) counts at once. A negative number
    /// counts as 0.
    pub const fn with_settle_seconds(mut self, seconds: i64) -> Self {
        self.settings.settle_seconds = if seconds < 0 { 0 } else { seconds };
        self
    }

    /// Keeps numbers in the `metrics` facade, labelled by this `source`: `notafter_reloads_total`,
    /// `notafter_reload_failures_total` (each content counted once),
    /// `notafter_reload_stale_since_timestamp_seconds` (0 where disk and what is in force agree) and
    /// `notafter_reload_last_polled_timestamp_seconds`, a heartbeat. Give each that reloads a name of its
    /// own, as they are watched by.
    ///
    /// It uses the recorder that is installed when it is called: install it first.
    #[cfg(feature = "metrics")]
    pub fn with_metrics(mut self, source: impl AsRef<str>) -> Self {
        self.settings.published = Some(PublishedReloads::new(source.as_ref()));
        self
    }

    /// Loads everything once. From then on [`ReloadingAnchors::poll`] or [`ReloadingAnchors::spawn`]
    /// look at the files.
    ///
    /// # Errors
    /// [`TrustBuildError`] where there is no anchor to start with, or no provider for own chains and
    /// known peers.
    pub fn build(self) -> Result<Arc<ReloadingAnchors>, TrustBuildError> {
        if self.places.is_empty() {
            return Err(TrustBuildError::NoPlace);
        }
        let is_judged = !self.own.is_empty() || self.peers.is_some();
        let algorithms: SignatureAlgorithms = match is_judged {
            false => &[],
            true => {
                let provider = provider::given_or_default(self.provider);
                let provider = provider.ok_or(TrustBuildError::NoProvider)?;
                provider.signature_verification_algorithms.all
            }
        };
        let rules = AnchorRules {
            least_percent: self.least_percent,
            own: self.own,
            peers: self.peers,
            all_peers_fail: self.all_peers_fail,
            algorithms,
            policy: self.policy,
        };
        let reloader = Reloader::start(rules, self.places, self.settings);
        let reloader = reloader.map_err(|error| TrustBuildError::Unusable { error })?;
        Ok(Arc::new(ReloadingAnchors::new(reloader)))
    }
}
