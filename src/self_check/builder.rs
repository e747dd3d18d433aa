//! What is to be checked.

use std::path::PathBuf;
use std::sync::Arc;

use pki_types::{CertificateDer, PrivateKeyDer};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use super::check::{CheckSubjects, Origin, SelfCheck};
use super::context::JudgedBy;
#[cfg(feature = "ocsp")]
use super::judge::GivenStaple;
use super::judge::{Grouping, Input};
use super::key::CheckedKey;
use super::lifetime::LifetimeLimits;
use super::settings::{JudgeSettings, SelfCheckError};
use crate::endpoint::{Endpoint, EndpointConnector};
use crate::outlook::{TrustAnchors, TrustInForce, Usage};
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;
use crate::source::Loader;
#[cfg(any(feature = "containers", feature = "encrypted-keys"))]
use crate::source::Passphrase;
use crate::source::SourceContents;
use crate::time::Timestamp;
use crate::transparency::{LogList, SctPolicy};

impl SelfCheck {
    /// Starts with nothing to check.
    pub fn builder() -> SelfCheckBuilder {
        SelfCheckBuilder::default()
    }
}

/// Gathers what is to be checked.
#[derive(Debug, Default)]
#[must_use]
pub struct SelfCheckBuilder {
    settings: JudgeSettings,
    usage: Option<Usage>,
    connector: Option<EndpointConnector>,
    subjects: CheckSubjects,
}

impl SelfCheckBuilder {
    /// Checks a certificate file or a folder of them; repeatable. It is read at each run.
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.subjects.origins.push(Origin::Path(path.into()));
        self
    }

    /// Checks what an endpoint shows; repeatable. It is asked at each run. Its leaf must cover its
    /// host, unless the endpoint names others, or [`SelfCheckBuilder::with_expected_name`] does.
    ///
    /// # Is what this host serves its own, and until when?
    /// ```
    /// use notafter::SelfCheck;
    /// # use notafter::testing::{TestCa, TestServer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let [from, to] = ["2025-01-01T00:00:00Z", "2125-01-01T00:00:00Z"].map(|t| t.parse().unwrap());
    /// # let ca = TestCa::root("Root", from, to)?;
    /// # let anchors = ca.anchors();
    /// # let pair = ca.leaf(&["127.0.0.1"], from, to)?;
    /// # let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    /// # let config = rustls::ServerConfig::builder_with_provider(provider.clone())
    /// #     .with_safe_default_protocol_versions()?
    /// #     .with_no_client_auth()
    /// #     .with_single_cert(pair.chain(), pair.key())?;
    /// # let server = TestServer::start(config.into())?;
    /// let database = "db.example:5432";
    /// # let database = server.address().to_string();
    /// let report = SelfCheck::builder()
    ///     .with_endpoint(database.parse::<notafter::endpoint::Endpoint>()?)
    ///     .with_trust_anchors(anchors)
    /// #   .with_provider(provider)
    ///     .build()?
    ///     .run();
    /// # report.into_result()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_endpoint(mut self, endpoint: impl Into<Endpoint>) -> Self {
        self.subjects
            .origins
            .push(Origin::Endpoint(endpoint.into()));
        self
    }

    /// Asks endpoints through this instead of through one with the defaults, for another deadline,
    /// say.
    pub fn with_endpoint_connector(mut self, connector: EndpointConnector) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Checks what was read already; repeatable.
    pub fn with_contents(mut self, contents: SourceContents) -> Self {
        self.subjects
            .origins
            .push(Origin::Given(Input::Contents(Arc::new(contents))));
        self
    }

    /// Checks a chain in memory, leaf first, called `source` in the report; repeatable.
    pub fn with_chain(
        mut self,
        source: impl Into<String>,
        chain: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Self {
        let input = Input::Chain(source.into(), chain.into_iter().collect());
        self.subjects.origins.push(Origin::Given(input));
        self
    }

    /// Checks a chain with its key as rustls holds them, called `source` in the report.
    pub fn with_certified_key(
        mut self,
        source: impl Into<String>,
        key: &Arc<CertifiedKey>,
    ) -> Self {
        let source = source.into();
        let own = CheckedKey::Certified(source.clone(), Arc::clone(key));
        self.subjects.keys.push(own);
        #[cfg(feature = "ocsp")]
        self.subjects.staples.push(GivenStaple {
            source: source.clone(),
            bytes: key.ocsp.clone().unwrap_or_default(),
        });
        self.with_chain(source, key.cert.iter().cloned())
    }

    /// Checks that the private key in this PEM or DER file belongs to a leaf; repeatable.
    pub fn with_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        let key = CheckedKey::File(path.into(), None);
        self.subjects.keys.push(key);
        self
    }

    /// Checks that the private key in this file, which this passphrase opens where it is encrypted
    /// (PKCS#8 with PBES2 under the feature `encrypted-keys`; PKCS#12 and Java's keystores under `containers`,
    /// the first key in them), belongs to a leaf; repeatable.
    #[cfg(any(feature = "containers", feature = "encrypted-keys"))]
    pub fn with_encrypted_key_file(
        mut self,
        path: impl Into<PathBuf>,
        passphrase: Passphrase,
    ) -> Self {
        let key = CheckedKey::File(path.into(), Some(passphrase));
        self.subjects.keys.push(key);
        self
    }

    /// Checks that this private key belongs to a leaf.
    pub fn with_key(mut self, source: impl Into<String>, key: PrivateKeyDer<'static>) -> Self {
        self.subjects.keys.push(CheckedKey::Key(source.into(), key));
        self
    }

    /// Checks that every leaf covers this DNS name or IP address; repeatable. Leaves of endpoints
    /// must cover it instead of their host, unless the endpoint has names of its own.
    pub fn with_expected_name(mut self, name: impl Into<String>) -> Self {
        self.subjects.expected_names.push(name.into());
        self
    }

    /// Judges by these anchors: required, unless [`with_trust_in_force`](Self::with_trust_in_force)
    /// says where to find them. [`TrustAnchors::from_os`] are those of the system.
    pub fn with_trust_anchors(mut self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        self.settings.anchors = Some(anchors.into());
        self
    }

    /// Judges chains by the dates of all that they present, whoever is trusted, instead of by anchors: for
    /// what a CA issued that is not at hand. What a chain says of itself still counts: signatures that
    /// do not fit the issuer that is presented with them, expected names that the leaf does not cover,
    /// a usage that is not allowed. That an intermediate is missing cannot be told, nor until when
    /// anybody accepts it: [`ChainReport::rustls`](super::ChainReport::rustls) is `None`.
    ///
    /// # Until when do the certificates last that a private CA issued?
    /// ```
    /// # fn check() -> Result<(), notafter::self_check::SelfCheckError> {
    /// let report = notafter::SelfCheck::builder()
    ///     .with_path("/etc/service/tls.crt")
    ///     .dates_only()
    ///     .build()?
    ///     .run();
    /// # Ok(())
    /// # }
    /// ```
    pub const fn dates_only(mut self) -> Self {
        self.subjects.judged_by = JudgedBy::DatesAlone;
        self
    }

    /// Judges by the anchors and lists that are in force at each run, such as those of
    /// `ReloadingAnchors` or of a verifier made from them. It stands in for
    /// [`with_trust_anchors`](Self::with_trust_anchors) and [`with_crls`](Self::with_crls).
    pub fn with_trust_in_force(mut self, trust: Arc<dyn TrustInForce>) -> Self {
        self.settings.trust = Some(trust);
        self
    }

    /// Uses this crypto provider instead of the process's default one.
    pub fn with_provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.settings.provider = Some(provider);
        self
    }

    /// Uses other thresholds than the default ones.
    pub const fn with_policy(mut self, policy: ThresholdPolicy) -> Self {
        self.settings.policy = policy;
        self
    }

    /// Reads files and folders with other limits than the default ones, or opens containers in them.
    pub fn with_loader(mut self, loader: Loader) -> Self {
        self.subjects.loader = loader;
        self
    }

    /// Takes certificates apart or together; by default as their file suggests.
    pub const fn with_grouping(mut self, grouping: Grouping) -> Self {
        self.settings.grouping = grouping;
        self
    }

    /// Judges the leaves as TLS clients' or as servers' (the default).
    pub const fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }

    /// Evaluates at this instant, past or future, instead of at the time of the run.
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.subjects.at = Some(at);
        self
    }

    /// Reads this clock at each run instead of the system's.
    pub fn with_clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.subjects.clock = Some(clock);
        self
    }

    /// Names an instant that has passed for certain, such as the application's build or release:
    /// a clock that is earlier is reported as `clock_suspect`, instead of certificates that are
    /// not valid yet. The release of this crate always counts. Repeatable; only used where the
    /// clock is read, not with [`SelfCheckBuilder::at`].
    pub fn with_known_past(mut self, instant: Timestamp) -> Self {
        self.subjects.known_past.push(instant);
        self
    }

    /// Applies the CA/Browser Forum's limits on lifetimes to every chain, or (by default) to
    /// those that end at a public anchor.
    pub const fn with_lifetime_limits(mut self, limits: LifetimeLimits) -> Self {
        self.settings.lifetime_limits = limits;
        self
    }

    /// Judges by this list of logs whether browsers take the signed certificate timestamps of servers' leaves;
    /// without one nothing is said of them. By default that is asked of leaves that lead to a public anchor alone
    /// (see [`SctLeaves`](crate::transparency::SctLeaves)). Findings are `scts_missing`, `scts_unreadable`,
    /// `scts_too_few`, `scts_too_few_operators`, `scts_ending` and `log_list_stale`. No signature is verified, and
    /// SCTs of the handshake are not seen; see the page [transparency](crate::guide::transparency).
    pub fn with_log_list(mut self, list: impl Into<Arc<LogList>>) -> Self {
        self.settings.scts.log_list = Some(list.into());
        self
    }

    /// Wants other signed certificate timestamps than browsers do.
    pub const fn with_sct_policy(mut self, policy: SctPolicy) -> Self {
        self.settings.scts.policy = policy;
        self
    }

    /// Looks certificates up in these revocation lists.
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.settings.crls = Some(crls);
        self
    }

    /// The stapled OCSP response that goes with the chain called `source` (its path, endpoint or
    /// given name): empty bytes say that there is none. Of a chain whose staple is not given here
    /// nothing is said but that its leaf asks for one.
    #[cfg(feature = "ocsp")]
    pub fn with_staple(mut self, source: impl Into<String>, staple: impl Into<Vec<u8>>) -> Self {
        self.subjects.staples.push(GivenStaple {
            source: source.into(),
            bytes: staple.into(),
        });
        self
    }

    /// The finished check; it can be run again and again.
    ///
    /// # Errors
    /// [`SelfCheckError`] where there are no trust anchors to judge by, or they were given twice, or
    /// there is no crypto provider.
    pub fn build(mut self) -> Result<SelfCheck, SelfCheckError> {
        if self.subjects.judged_by == JudgedBy::DatesAlone && self.settings.trust.is_none() {
            let nobody = || Arc::new(TrustAnchors::builder().build());
            self.settings.anchors.get_or_insert_with(nobody);
        }
        let provider = self.settings.provider()?;
        Ok(SelfCheck {
            judges: self.settings.judge_maker()?,
            usage: self.usage.unwrap_or(Usage::ServerAuth),
            connector: (self.connector)
                .unwrap_or_else(|| EndpointConnector::new(Arc::clone(&provider))),
            provider,
            subjects: self.subjects,
        })
    }
}
