//! What is to be checked.

use std::path::PathBuf;
use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use thiserror::Error;

use super::key::KeySource;
use super::{LifetimeLimits, SelfCheck};
use crate::outlook::{TrustAnchors, Usage};
use crate::policy::ThresholdPolicy;
use crate::provider;
use crate::revocation::Crls;
use crate::source::Loader;
use crate::source::SourceContents;
use crate::time::Timestamp;

/// How the certificates of one file belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Grouping {
    /// A file whose first certificate is not a CA's is one chain, leaf first; any other is a
    /// collection.
    #[default]
    ByFirstCertificate,
    /// Every certificate on its own.
    Each,
}

/// Where certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Path(PathBuf),
    Contents(SourceContents),
    Chain(String, Vec<CertificateDer<'static>>),
}

/// Gathers what is to be checked.
#[derive(Debug, Default)]
#[must_use]
pub struct SelfCheckBuilder {
    pub(super) inputs: Vec<Input>,
    pub(super) keys: Vec<KeySource>,
    pub(super) expected_names: Vec<String>,
    pub(super) anchors: Option<Arc<TrustAnchors>>,
    pub(super) provider: Option<Arc<CryptoProvider>>,
    pub(super) policy: ThresholdPolicy,
    pub(super) loader: Loader,
    pub(super) grouping: Grouping,
    pub(super) usage: Option<Usage>,
    pub(super) at: Option<Timestamp>,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) known_past: Vec<Timestamp>,
    pub(super) lifetime_limits: LifetimeLimits,
    pub(super) crls: Crls,
    #[cfg(feature = "ocsp")]
    pub(super) staples: Vec<(String, Vec<u8>)>,
}

impl SelfCheckBuilder {
    /// Checks a certificate file or a folder of them; repeatable. It is read at each run.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.inputs.push(Input::Path(path.into()));
        self
    }

    /// Checks what was read already; repeatable.
    pub fn with_contents(mut self, contents: SourceContents) -> Self {
        self.inputs.push(Input::Contents(contents));
        self
    }

    /// Checks a chain in memory, leaf first, called `source` in the report; repeatable.
    pub fn with_chain(
        mut self,
        source: impl Into<String>,
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        let chain = chain.into_iter().collect();
        self.inputs.push(Input::Chain(source.into(), chain));
        self
    }

    /// Checks a chain with its key as rustls holds them, called `source` in the report.
    pub fn with_certified_key(
        mut self,
        source: impl Into<String>,
        key: &Arc<CertifiedKey>,
    ) -> Self {
        let source = source.into();
        self.keys
            .push(KeySource::Certified(source.clone(), Arc::clone(key)));
        #[cfg(feature = "ocsp")]
        let staple = key.ocsp.clone().unwrap_or_default();
        #[cfg(feature = "ocsp")]
        self.staples.push((source.clone(), staple));
        self.with_chain(source, key.cert.iter().cloned())
    }

    /// Checks that the private key in this PEM or DER file belongs to a leaf; repeatable.
    pub fn with_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.keys.push(KeySource::File(path.into()));
        self
    }

    /// Checks that this private key belongs to a leaf.
    pub fn with_key(mut self, source: impl Into<String>, key: PrivateKeyDer<'static>) -> Self {
        self.keys.push(KeySource::Key(source.into(), key));
        self
    }

    /// Checks that every leaf covers this DNS name or IP address; repeatable.
    pub fn with_expected_name(mut self, name: impl Into<String>) -> Self {
        self.expected_names.push(name.into());
        self
    }

    /// Judges by these anchors: required. [`TrustAnchors::from_os`] are those of the system.
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.anchors = Some(anchors.into());
        self
    }

    /// Uses this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Uses other thresholds than the default ones.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Reads files and folders with other limits than the default ones.
    pub const fn with_loader(mut self, loader: Loader) -> Self {
        self.loader = loader;
        self
    }

    /// Takes certificates apart or together; by default as their file suggests.
    pub const fn with_grouping(mut self, grouping: Grouping) -> Self {
        self.grouping = grouping;
        self
    }

    /// Judges the leaves as TLS clients' or as servers' (the default).
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Evaluates at this instant, past or future, instead of at the time of the run.
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// Reads this clock at each run instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Names an instant that has passed for certain, such as the application's build or release:
    /// a clock that is earlier is reported as `clock_suspect`, instead of certificates that are
    /// not valid yet. The release of this crate always counts. Repeatable; only used where the
    /// clock is read, not with [`SelfCheckBuilder::at`].
    pub fn with_known_past(mut self, instant: Timestamp) -> Self {
        self.known_past.push(instant);
        self
    }

    /// Applies the CA/Browser Forum's limits on lifetimes to every chain, or (by default) to
    /// those that end at a public anchor.
    pub const fn with_lifetime_limits(mut self, limits: LifetimeLimits) -> Self {
        self.lifetime_limits = limits;
        self
    }

    /// Looks certificates up in these revocation lists.
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }

    /// The stapled OCSP response that goes with the chain called `source` (its path, endpoint or
    /// given name): empty bytes say that there is none. Of a chain whose staple is not given here
    /// nothing is said but that its leaf asks for one.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, source: impl Into<String>, staple: impl Into<Vec<u8>>) -> Self {
        self.staples.push((source.into(), staple.into()));
        self
    }

    /// The same settings without inputs.
    pub(crate) fn again(&self) -> Self {
        Self {
            anchors: self.anchors.clone(),
            provider: self.provider.clone(),
            policy: self.policy,
            crls: self.crls.clone(),
            ..Self::default()
        }
    }

    /// The finished check; it can be run again and again.
    ///
    /// # Errors
    /// [`SelfCheckError`] where there are no trust anchors to judge by or no crypto provider.
    pub fn build(mut self) -> Result<SelfCheck, SelfCheckError> {
        let anchors = self.anchors.take().ok_or(SelfCheckError::NoTrustAnchors)?;
        let provider =
            provider::given_or_default(self.provider.take()).ok_or(SelfCheckError::NoProvider)?;
        Ok(SelfCheck::new(self, anchors, provider))
    }
}

/// A self-check that cannot be run as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelfCheckError {
    /// It was not said what to judge by.
    #[error(
        "no trust anchors to judge by: call with_trust_anchors, for example with TrustAnchors::from_os()"
    )]
    NoTrustAnchors,
    /// There is no provider to verify signatures with.
    #[error(
        "no crypto provider to verify signatures with: call with_provider, \
         or install a process default with CryptoProvider::install_default"
    )]
    NoProvider,
}
