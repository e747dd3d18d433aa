//! What is to be served, and by which rules it is replaced.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::{ReloadBuildError, ReloadingKey};
use crate::alert::RepeatPolicy;
use crate::observer::Observer;
use crate::observer::Outbox;
#[cfg(feature = "ocsp")]
use crate::outlook::TrustAnchors;
use crate::outlook::Usage;
use crate::policy::ThresholdPolicy;
use crate::provider;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleJudge;

/// Where one certificate chain, its private key and (feature `ocsp`) its staple lie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct KeyFiles {
    pub(super) certificates: PathBuf,
    pub(super) key: PathBuf,
    #[cfg(feature = "ocsp")]
    pub(super) staple: Option<PathBuf>,
}

impl KeyFiles {
    /// A file with the chain, leaf first (PEM, or the DER of a leaf alone), and one with the
    /// unencrypted key; it may be the same file.
    pub fn new(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: certificates.into(),
            key: key.into(),
            #[cfg(feature = "ocsp")]
            staple: None,
        }
    }

    /// A file with the OCSP response to staple, in DER. It may be missing.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, file: impl Into<PathBuf>) -> Self {
        self.staple = Some(file.into());
        self
    }
}

/// What clients get who ask for a name that no certificate covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnknownName {
    /// The default certificate: the client will say what it thinks of that.
    #[default]
    ServeDefault,
    /// No handshake; rustls sends the alert `access_denied`.
    Refuse,
}

/// What becomes of a certificate that covers fewer names than the served one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LostNames {
    /// It is served; the event says which names were lost.
    #[default]
    Tell,
    /// It is refused while the served one is within its dates.
    Refuse,
}

/// What becomes of a certificate that was issued (by notBefore) before the served one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OlderCertificate {
    /// It is refused while the served one is within its dates.
    #[default]
    Refuse,
    /// It is served.
    Accept,
}

/// What becomes of a chain with a certificate that issued none of those before it, or without the
/// leaf's issuer though the served chain sends it along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChainCheck {
    /// It is refused: peers may break on the first (RFC 5246, 7.4.2), and will on the second.
    #[default]
    Refuse,
    /// It is served; the event says so.
    Tell,
}

/// What a service may start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AtStart {
    /// Certificates within their dates alone.
    #[default]
    RequireValid,
    /// Expired ones and those that are not valid yet too, where being up matters more; every
    /// other check still holds.
    AcceptOutOfDate,
}

/// The rules by which a pair on disk is judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) lost_names: LostNames,
    pub(super) older: OlderCertificate,
    pub(super) chain: ChainCheck,
    pub(super) at_start: AtStart,
}

/// Gathers what a [`ReloadingKey`] serves.
#[derive(Debug)]
#[must_use]
pub struct ReloadingKeyBuilder {
    pub(super) pairs: Vec<KeyFiles>,
    pub(super) provider: Option<Arc<CryptoProvider>>,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) outbox: Outbox,
    pub(super) policy: ThresholdPolicy,
    pub(super) repeat: RepeatPolicy,
    pub(super) rules: Rules,
    pub(super) unknown_name: UnknownName,
    pub(super) usage: Usage,
    pub(super) settle_seconds: i64,
    pub(super) max_file_bytes: u64,
    #[cfg(feature = "ocsp")]
    pub(super) staple_judge: StapleJudge,
    #[cfg(feature = "ocsp")]
    pub(super) staple_issuers: Option<Arc<TrustAnchors>>,
}

impl ReloadingKeyBuilder {
    pub(super) fn new() -> Self {
        Self {
            pairs: Vec::new(),
            provider: None,
            clock: None,
            outbox: Outbox::default(),
            repeat: RepeatPolicy::default(),
            policy: ThresholdPolicy::default(),
            rules: Rules::default(),
            unknown_name: UnknownName::default(),
            usage: Usage::ServerAuth,
            settle_seconds: 10,
            max_file_bytes: 1024 * 1024,
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

    /// The same, with what else belongs to it.
    pub fn with_files(mut self, files: KeyFiles) -> Self {
        self.pairs.push(files);
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

    /// Tells events of a server's certificates (the default) or of a client's.
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
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

    /// Loads everything once. From then on [`ReloadingKey::poll`] or [`ReloadingKey::spawn`] look
    /// at the files.
    ///
    /// # Errors
    /// [`ReloadBuildError`] where a pair cannot be served: a service that starts with a broken
    /// pair has nothing to fall back to.
    pub fn build(mut self) -> Result<Arc<ReloadingKey>, ReloadBuildError> {
        if self.pairs.is_empty() {
            return Err(ReloadBuildError::NoPair);
        }
        let provider =
            provider::given_or_default(self.provider.take()).ok_or(ReloadBuildError::NoProvider)?;
        ReloadingKey::start(self, provider).map(Arc::new)
    }
}
