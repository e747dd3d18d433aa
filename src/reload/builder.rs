//! What is to be served, and by which rules it is replaced.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::error::ReloadBuildError;
use super::key::ReloadingKey;
use super::key_files::KeyFiles;
use super::key_material::KeyMaterial;
use super::key_source::KeySource;
use super::live::{LivePairs, ServingSettings};
use super::place::PairPlace;
#[cfg(feature = "metrics")]
use super::published::PublishedReloads;
use super::rules::{
    AtStart, ChainCheck, LostNames, NoLongerVerifying, OlderCertificate, ReloadRules, SelfSigned,
    TrustedByPeers, UnknownName, WrongUsage,
};
use super::slot::SlotSettings;
#[cfg(feature = "ocsp")]
use super::staple::Staples;
use crate::alert::RepeatPolicy;
use crate::event::Role;
use crate::observer::Observer;
use crate::observer::Outbox;
use crate::outlook::{TrustAnchors, TrustInForce, Usage};
use crate::policy::ThresholdPolicy;
use crate::provider;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleJudge;
use crate::source::Loader;

impl ReloadingKey {
    /// Starts with nothing to serve.
    pub fn builder() -> ReloadingKeyBuilder {
        ReloadingKeyBuilder::new()
    }
}

/// Gathers what a [`ReloadingKey`] serves.
#[derive(Debug)]
#[must_use]
pub struct ReloadingKeyBuilder {
    pairs: Vec<PairPlace>,
    provider: Option<Arc<CryptoProvider>>,
    clock: Option<Arc<dyn TimeProvider>>,
    outbox: Outbox,
    policy: ThresholdPolicy,
    repeat: RepeatPolicy,
    rules: ReloadRules,
    unknown_name: UnknownName,
    settle_seconds: i64,
    max_file_bytes: u64,
    #[cfg(feature = "metrics")]
    published: Option<PublishedReloads>,
    #[cfg(feature = "ocsp")]
    staple_judge: StapleJudge,
    #[cfg(feature = "ocsp")]
    staple_issuers: Option<Arc<TrustAnchors>>,
}

/// The default: chains and keys have a few thousand.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl ReloadingKeyBuilder {
    fn new() -> Self {
        Self {
            pairs: Vec::new(),
            provider: None,
            clock: None,
            outbox: Outbox::default(),
            repeat: RepeatPolicy::default(),
            policy: ThresholdPolicy::default(),
            rules: ReloadRules::default(),
            unknown_name: UnknownName::default(),
            settle_seconds: 10,
            max_file_bytes: MAX_FILE_BYTES,
            #[cfg(feature = "metrics")]
            published: None,
            #[cfg(feature = "ocsp")]
            staple_judge: StapleJudge::new(),
            #[cfg(feature = "ocsp")]
            staple_issuers: None,
        }
    }

    /// Serves this certificate chain with this key; repeatable. The first one is the default, for
    /// clients that name no host. Several for the same names (an ECDSA and an RSA one) are offered
    /// in this order to clients that can use them.
    pub fn with_pair(self, certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.with_files(KeyFiles::new(certificates, key))
    }

    /// Serves the pair in these files, with what else belongs to it; repeatable, as
    /// [`ReloadingKeyBuilder::with_pair`].
    pub fn with_files(mut self, files: KeyFiles) -> Self {
        self.pairs.push(PairPlace::from_files(files));
        self
    }

    /// Serves this pair, until [`ReloadingKey::set`] replaces it under this name; repeatable, as
    /// [`ReloadingKeyBuilder::with_pair`].
    pub fn with_pushed(mut self, name: impl Into<String>, pair: KeyMaterial) -> Self {
        self.pairs.push(PairPlace::pushed(name.into(), pair));
        self
    }

    /// Serves the pair that this source gives; repeatable, as [`ReloadingKeyBuilder::with_pair`].
    pub fn with_source(mut self, source: Arc<dyn KeySource>) -> Self {
        self.pairs.push(PairPlace::from_source(source));
        self
    }

    /// Uses this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Reads this clock, at the start and in the polling thread, instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Tells this observer of reloads and of failed ones, through a queue of its own unless it is
    /// [prompt](Observer::is_prompt); repeatable.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.outbox.add(observer);
        self
    }

    /// Uses other thresholds than the default ones, for how much a failed reload matters: the
    /// nearer the end of what is served, the more.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Tells of failures that last at other intervals than the default ones.
    pub const fn with_repeat(mut self, repeat: RepeatPolicy) -> Self {
        self.repeat = repeat;
        self
    }

    /// What clients get who ask for a name that no certificate covers.
    pub const fn with_unknown_name(mut self, unknown_name: UnknownName) -> Self {
        self.unknown_name = unknown_name;
        self
    }

    /// What becomes of a certificate that covers fewer names than the served one.
    pub const fn with_lost_names(mut self, lost_names: LostNames) -> Self {
        self.rules.lost_names = lost_names;
        self
    }

    /// What becomes of a certificate that was issued before the served one.
    pub const fn with_older_certificate(mut self, older: OlderCertificate) -> Self {
        self.rules.older = older;
        self
    }

    /// What becomes of a chain that is out of order or incomplete.
    pub const fn with_chain_check(mut self, check: ChainCheck) -> Self {
        self.rules.chain = check;
        self
    }

    /// What the service may start with.
    pub const fn with_at_start(mut self, at_start: AtStart) -> Self {
        self.rules.at_start = at_start;
        self
    }

    /// Serves a server's certificates (the default) or a client's: their extended key usage must
    /// allow it, and events tell it.
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.rules.usage = usage;
        self
    }

    /// What becomes of a chain whose extended key usage does not allow [what it is
    /// for](ReloadingKeyBuilder::with_usage).
    pub const fn with_wrong_usage(mut self, wrong_usage: WrongUsage) -> Self {
        self.rules.wrong_usage = wrong_usage;
        self
    }

    /// Says what those who connect trust: a pair that verifies under these anchors is not replaced by
    /// one that does not, neither for rustls nor for relying parties that count the anchors' dates. A
    /// pair that does not verify under them is renewed as if there were none.
    ///
    /// Without, the roots that the served chain sends along are taken, where there are any.
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.rules.trusted = Some(TrustedByPeers::ForGood(anchors.into()));
        self
    }

    /// Says where to find what those who connect trust now, instead of
    /// [`with_trust_anchors`](Self::with_trust_anchors): a pair that was refused because nobody knew its root
    /// is served once they do.
    ///
    /// # How do my leaves move to root B without a restart?
    /// ```no_run
    /// use notafter::reload::ReloadingAnchors;
    /// use notafter::ReloadingKey;
    /// # fn key() -> Result<(), Box<dyn std::error::Error>> {
    /// let anchors = ReloadingAnchors::builder().with_path("/etc/service/roots.pem").build()?;
    /// let key = ReloadingKey::builder()
    ///     .with_pair("/etc/service/tls.crt", "/etc/service/tls.key")
    ///     .with_trust_in_force(anchors)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_trust_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.rules.trusted = Some(TrustedByPeers::InForce(trust));
        self
    }

    /// What becomes of a chain that does not verify where the served one does.
    pub const fn with_no_longer_verifying(mut self, rule: NoLongerVerifying) -> Self {
        self.rules.no_longer_verifying = rule;
        self
    }

    /// What becomes of a self-signed certificate where somebody issued the served one.
    pub const fn with_self_signed(mut self, self_signed: SelfSigned) -> Self {
        self.rules.self_signed = self_signed;
        self
    }

    /// Tells of files that look half-written (missing, damaged, a key that belongs to another
    /// certificate) only after so many seconds, 10 by default: certificate and key are rarely
    /// written at once. It is loaded at once when it is whole. A negative number counts as 0.
    pub const fn with_settle_seconds(mut self, seconds: i64) -> Self {
        self.settle_seconds = if seconds < 0 { 0 } else { seconds };
        self
    }

    /// Refuses files of more bytes, 1 MiB by default.
    pub const fn with_max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Judges staples by other bounds on age and clock skew than the default ones.
    #[cfg(feature = "ocsp")]
    pub fn with_staple_judge(mut self, judge: StapleJudge) -> Self {
        self.staple_judge = judge;
        self
    }

    /// Judges the staples of leaves that an anchor issued itself by these; otherwise the issuer is
    /// found in the chain.
    #[cfg(feature = "ocsp")]
    pub fn with_staple_issuers(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.staple_issuers = Some(anchors.into());
        self
    }

    /// Keeps numbers in the `metrics` facade, labelled by this `source`: `notafter_reloads_total`,
    /// `notafter_reload_failures_total` (each content counted once),
    /// `notafter_reload_stale_since_timestamp_seconds` (0 where disk and what is served agree) and
    /// `notafter_reload_last_polled_timestamp_seconds`, a heartbeat. Give each that reloads a name of its
    /// own, as they are watched by.
    ///
    /// It uses the recorder that is installed when it is called: install it first.
    #[cfg(feature = "metrics")]
    pub fn with_metrics(mut self, source: impl AsRef<str>) -> Self {
        self.published = Some(PublishedReloads::new(source.as_ref()));
        self
    }

    /// Loads everything once. From then on [`ReloadingKey::poll`] or [`ReloadingKey::spawn`] look
    /// at the files and ask the sources.
    ///
    /// # Errors
    /// [`ReloadBuildError`] where a pair cannot be served: a service that starts with a broken
    /// pair has nothing to fall back to. With [`AtStart::SkipBroken`], where none can.
    pub fn build(self) -> Result<Arc<ReloadingKey>, ReloadBuildError> {
        if self.pairs.is_empty() {
            return Err(ReloadBuildError::NoPair);
        }
        let provider =
            provider::given_or_default(self.provider).ok_or(ReloadBuildError::NoProvider)?;
        let serving = ServingSettings {
            unknown_name: self.unknown_name,
            clock: self.clock,
            outbox: self.outbox,
            policy: self.policy,
            repeat: self.repeat,
            #[cfg(feature = "metrics")]
            published: self.published,
            role: match self.rules.usage {
                Usage::ClientAuth => Role::OwnClient,
                _ => Role::OwnServer,
            },
        };
        let settings = SlotSettings {
            loader: Loader::new().with_max_file_bytes(self.max_file_bytes),
            rules: self.rules,
            settle_seconds: self.settle_seconds,
            #[cfg(feature = "ocsp")]
            staples: Staples {
                judge: self.staple_judge,
                issuers: self.staple_issuers,
                algorithms: provider.signature_verification_algorithms.all,
            },
            provider,
        };
        let live = LivePairs::start(self.pairs, settings, serving);
        let live = live.map_err(|error| ReloadBuildError::Pair { error })?;
        Ok(Arc::new(ReloadingKey::new(live)))
    }
}
