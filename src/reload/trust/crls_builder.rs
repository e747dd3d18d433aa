//! Where lists lie, and by which rules they are replaced and looked up.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::crl_rules::{CrlRules, LostIssuers};
use super::crls::ReloadingCrls;
use super::error::TrustBuildError;
use super::known_issuers::KnownIssuers;
use super::places::TrustPlaces;
use super::reloader::{Reloader, ReloaderSettings};
use crate::alert::RepeatPolicy;
use crate::cert::Certificate;
use crate::observer::Observer;
use crate::outlook::TrustInForce;
use crate::policy::ThresholdPolicy;
use crate::provider;
#[cfg(feature = "metrics")]
use crate::reload::published::PublishedReloads;
use crate::revocation::{CrlDepth, CrlExpiration, UnknownRevocation};
use crate::source::Loader;

/// Lists are larger than certificates.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

impl ReloadingCrls {
    /// Starts with no place to look at, and rustls's defaults.
    pub fn builder() -> ReloadingCrlsBuilder {
        ReloadingCrlsBuilder {
            places: TrustPlaces::default(),
            rules: CrlRules {
                lost_issuers: LostIssuers::default(),
                depth: CrlDepth::default(),
                unknown: UnknownRevocation::default(),
                expiration: CrlExpiration::default(),
                issuers: KnownIssuers::default(),
                policy: ThresholdPolicy::default(),
            },
            provider: None,
            settings: ReloaderSettings {
                loader: Loader::new().with_max_file_bytes(MAX_FILE_BYTES),
                ..ReloaderSettings::default()
            },
        }
    }
}

/// Gathers where the lists of [`ReloadingCrls`] lie.
#[derive(Debug)]
#[must_use]
pub struct ReloadingCrlsBuilder {
    places: TrustPlaces,
    rules: CrlRules,
    provider: Option<Arc<CryptoProvider>>,
    settings: ReloaderSettings,
}

impl ReloadingCrlsBuilder {
    /// Looks certificates up in the lists of this file (PEM, or the DER of one) or of the files of
    /// this folder and those below it; repeatable.
    ///
    /// A file of more than 64 MiB is refused; of a folder, more than 10,000 files, more than 512 MiB
    /// together, and what cannot be read, a link that leads nowhere for example. In a folder, files that
    /// have nothing to do with lists are passed over, unless they end in `.crl`, `.pem` or `.der`.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.places.paths.push(path.into());
        self
    }

    /// Looks them up in the lists in these bytes, until [`ReloadingCrls::set_bytes`] replaces those of
    /// this name; repeatable.
    pub fn with_bytes(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.places.pushed.insert(name.into(), bytes.into());
        self
    }

    /// Looks up all certificates of a path, or only the leaf.
    pub const fn with_depth(mut self, depth: CrlDepth) -> Self {
        self.rules.depth = depth;
        self
    }

    /// What a certificate is worth that no list speaks for.
    pub const fn with_unknown(mut self, unknown: UnknownRevocation) -> Self {
        self.rules.unknown = unknown;
        self
    }

    /// What a list is worth after its nextUpdate.
    pub const fn with_expiration(mut self, expiration: CrlExpiration) -> Self {
        self.rules.expiration = expiration;
        self
    }

    /// What becomes of lists that lack one of an issuer that has one in force.
    pub const fn with_lost_issuers(mut self, lost: LostIssuers) -> Self {
        self.rules.lost_issuers = lost;
        self
    }

    /// Refuses a list of one of these anchors, such as
    /// [`ReloadingAnchors`](super::ReloadingAnchors), that its key did not sign. Verifiers refuse
    /// everybody for whom such a list speaks; lists of issuers that nobody named are taken as they are.
    pub fn with_issuers_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.rules.issuers.trust = Some(trust);
        self
    }

    /// Refuses a list of this CA that its key did not sign, as
    /// [`with_issuers_in_force`](Self::with_issuers_in_force) for a CA below an anchor; repeatable.
    pub fn with_issuer(mut self, issuer: Certificate) -> Self {
        self.rules.issuers.certificates.push(issuer);
        self
    }

    /// Verifies the signatures of lists by this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Uses other thresholds than the default ones, for when a list is told to be near its end: its
    /// lifetime is that from thisUpdate to nextUpdate.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.rules.policy = policy;
        self
    }

    /// Reads this clock, at the start and in the polling thread, instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.settings.clock = Some(clock);
        self
    }

    /// Tells this observer of reloads, of failed ones and of lists near their end, through a queue of
    /// its own unless it is [prompt](Observer::is_prompt); repeatable.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.settings.outbox.add(observer);
        self
    }

    /// Tells of what lasts at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.settings.repeat = repeat;
        self
    }

    /// Tells of files that look half-written only after so many seconds, 10 by default, and lets
    /// fewer lists in a file written in place count only once that held still for as long. A negative
    /// number counts as 0.
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

    /// Loads everything once. From then on [`ReloadingCrls::poll`] or [`ReloadingCrls::spawn`] look at
    /// the files.
    ///
    /// # Errors
    /// [`TrustBuildError`] where a list cannot be used, or there is none, or no provider for
    /// signatures.
    pub fn build(mut self) -> Result<Arc<ReloadingCrls>, TrustBuildError> {
        if self.places.is_empty() {
            return Err(TrustBuildError::NoPlace);
        }
        if !self.rules.issuers.is_empty() {
            let provider =
                provider::given_or_default(self.provider).ok_or(TrustBuildError::NoProvider)?;
            let algorithms = provider.signature_verification_algorithms.all;
            self.rules.issuers.algorithms = Some(algorithms);
        }
        let reloader = Reloader::start(self.rules, self.places, self.settings);
        let reloader = reloader.map_err(|error| TrustBuildError::Unusable { error })?;
        Ok(Arc::new(ReloadingCrls::new(reloader)))
    }
}
