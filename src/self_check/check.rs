//! Running the check.

use std::sync::Arc;

use pki_types::{CertificateDer, ServerName};
use rustls::crypto::CryptoProvider;

use super::builder::{Input, SelfCheckBuilder};
use super::chain::{ChainContext, judge_chain, judge_single};
use super::clock_verdict::suspect;
use super::{ChainReport, Finding, FindingCode, Grouping, Report};
use crate::cert::Certificate;
use crate::event::Severity;
use crate::outlook::{Budget, ChainJudge, TrustAnchors, Usage};
use crate::source::{FailureReason, SourceContents, SourceFailure};
use crate::text::quoted;
use crate::time::Timestamp;
use crate::time::clock;
use crate::time::span;

/// Checks what a service is about to serve (or to trust, or to connect with).
///
/// # What did I load, until when does it work, and what should I do?
/// ```
/// use notafter::{SelfCheck, TrustAnchors};
/// use notafter::source::SourceContents;
/// # macro_rules! pem { ($name:literal) => { include_str!(concat!(
/// #     "../../tests/data/incidents/addtrust-2020-comodo-rsa/certs/", $name, ".pem")) } }
/// # let root = pem!("addtrust-root");
/// # let chain = concat!(pem!("leaf"), pem!("comodo-rsa-ov"), pem!("comodo-rsa-ca-by-addtrust"));
/// # let (root, chain) = (root.as_bytes(), chain.as_bytes());
/// # let anchors = TrustAnchors::builder()
/// #     .with_source(&SourceContents::from_bytes("root.pem", root)).build();
/// let report = SelfCheck::builder()
///     .with_contents(SourceContents::from_bytes("served.pem", chain))
///     .with_expected_name("no-common-name.badssl.com")
///     .with_trust_anchors(anchors)
///     .with_provider(rustls::crypto::ring::default_provider().into())
///     .at("2020-05-30T10:48:39Z".parse()?)
///     .build()?
///     .run();
/// assert_eq!(report.exit_code(), 2);
/// let error = report.into_result().unwrap_err();
/// assert!(error.to_string().contains("intermediate 1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SelfCheck {
    settings: SelfCheckBuilder,
    judge: ChainJudge,
    provider: Arc<CryptoProvider>,
}

impl SelfCheck {
    /// Starts with nothing to check.
    pub fn builder() -> SelfCheckBuilder {
        SelfCheckBuilder::default()
    }

    pub(super) fn new(
        settings: SelfCheckBuilder,
        anchors: Arc<TrustAnchors>,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        let algorithms = provider.signature_verification_algorithms.all;
        let usage = settings.usage.unwrap_or(Usage::ServerAuth);
        Self {
            judge: ChainJudge::new(anchors, algorithms, usage).with_crls(settings.crls.clone()),
            settings,
            provider,
        }
    }

    /// Reads the files and folders, judges everything and reports. Nothing that is wrong with
    /// one source keeps the others from being judged.
    pub fn run(&self) -> Report {
        let mut run = Run {
            check: self,
            at: self.settings.at.unwrap_or_else(|| self.read_clock()),
            names: Vec::new(),
            #[cfg(feature = "ocsp")]
            staples: &self.settings.staples,
            chains: Vec::new(),
            findings: Vec::new(),
        };
        run.read_names(&self.settings.expected_names);
        run.note_anchors();
        for input in &self.settings.inputs {
            run.input(input);
        }
        run.check_keys();
        run.check_crls();
        run.doubt_clock();
        Report {
            at: run.at,
            chains: run.chains,
            findings: run.findings,
            policy: self.settings.policy,
        }
    }
}

impl SelfCheck {
    /// Judges one input alone, at this instant: what the settings say about anchors, thresholds
    /// and usage holds for it, their inputs, names and staples do not.
    pub(crate) fn judge(&self, part: &Part<'_>, at: Timestamp) -> (Vec<ChainReport>, Vec<Finding>) {
        let mut run = Run {
            check: self,
            at,
            names: Vec::new(),
            #[cfg(feature = "ocsp")]
            staples: part.staples,
            chains: Vec::new(),
            findings: Vec::new(),
        };
        run.read_names(part.names);
        run.input(part.input);
        (run.chains, run.findings)
    }

    fn read_clock(&self) -> Timestamp {
        clock::now(self.settings.clock.as_ref())
    }
}

/// One input, apart from the settings of a check.
pub(crate) struct Part<'p> {
    pub(crate) input: &'p Input,
    pub(crate) names: &'p [String],
    #[cfg(feature = "ocsp")]
    pub(crate) staples: &'p [(String, Vec<u8>)],
}

/// One run in progress.
struct Run<'c> {
    check: &'c SelfCheck,
    at: Timestamp,
    names: Vec<ServerName<'static>>,
    #[cfg(feature = "ocsp")]
    staples: &'c [(String, Vec<u8>)],
    chains: Vec<ChainReport>,
    findings: Vec<Finding>,
}

impl Run<'_> {
    fn input(&mut self, input: &Input) {
        match input {
            Input::Path(path) => {
                let contents = self.check.settings.loader.load(path);
                contents
                    .into_iter()
                    .for_each(|contents| self.source(contents));
            }
            Input::Contents(contents) => self.source(contents.clone()),
            Input::Chain(source, ders) => self.chain_of_ders(source, ders),
        }
    }

    fn read_names(&mut self, names: &[String]) {
        for name in names {
            match ServerName::try_from(name.clone()) {
                Ok(name) => self.names.push(name),
                Err(_) => {
                    let name = quoted(name, usize::MAX);
                    let message = format!(
                        "'{name}' is neither a DNS name nor an IP address, so no leaf was checked for it: correct the name"
                    );
                    let code = FindingCode::UnusableName;
                    self.findings
                        .push(Finding::new(Severity::Critical, code, message));
                }
            }
        }
    }

    fn note_anchors(&mut self) {
        let anchors = self.check.judge.anchors();
        for error in anchors.errors() {
            let code = FindingCode::UnusableAnchor;
            let finding = Finding::new(Severity::Warning, code, error.to_string());
            self.findings.push(finding.of_source(&error.source_name));
        }
        if anchors.is_empty() {
            let message = "there is no trust anchor to judge by: install the system's CA certificates, or name a file of your own";
            let code = FindingCode::NoTrustAnchors;
            self.findings
                .push(Finding::new(Severity::Critical, code, message));
        }
    }

    fn source(&mut self, contents: SourceContents) {
        let source: &str = &contents.source;
        for failure in &contents.failures {
            self.unreadable(failure);
        }
        if let (Some(place), false) = (
            contents.private_keys.first(),
            contents.certificates.is_empty(),
        ) {
            let message = format!(
                "a private key lies beside the certificates ({place}): keep the file readable for the service alone, or move the key to a file of its own"
            );
            let code = FindingCode::PrivateKeyInCertificateFile;
            self.findings
                .push(Finding::new(Severity::Info, code, message).of_source(source));
        }
        let certificates: Vec<_> = contents
            .certificates
            .into_iter()
            .map(|f| f.certificate)
            .collect();
        let is_chain = self.check.settings.grouping == Grouping::ByFirstCertificate
            && certificates.first().is_some_and(|first| !first.is_ca());
        if is_chain {
            self.chain(source, &certificates);
        } else {
            let cas = certificates
                .iter()
                .filter(|certificate| certificate.is_ca());
            let cas: Vec<_> = cas.cloned().collect();
            let budget = Budget::of_report();
            for certificate in &certificates {
                let judged = judge_single(&self.context(source), certificate, &cas, &budget);
                self.take(judged);
            }
        }
    }

    fn chain_of_ders(&mut self, source: &str, ders: &[CertificateDer<'static>]) {
        let mut certificates = Vec::new();
        for (n, der) in ders.iter().enumerate() {
            match Certificate::from_der(der) {
                Ok(certificate) => certificates.push(certificate),
                Err(error) => {
                    let detail = format!("certificate {n} of the chain: {error}");
                    let reason = FailureReason::BadDer;
                    self.unreadable(&SourceFailure::whole(source, reason, detail));
                    if n == 0 {
                        // Without its leaf the rest is no chain.
                        return;
                    }
                }
            }
        }
        if certificates.is_empty() {
            let (reason, detail) = (FailureReason::NoCertificateFound, "the chain is empty");
            self.unreadable(&SourceFailure::whole(source, reason, detail));
        } else {
            self.chain(source, &certificates);
        }
    }

    fn chain(&mut self, source: &str, certificates: &[Certificate]) {
        let judged = judge_chain(&self.context(source), certificates);
        self.take(judged);
    }

    fn take(&mut self, (chain, findings): (ChainReport, Vec<Finding>)) {
        self.chains.push(chain);
        self.findings.extend(findings);
    }

    fn unreadable(&mut self, failure: &SourceFailure) {
        let code = FindingCode::Unreadable;
        let finding = Finding::new(Severity::Critical, code, failure.to_string());
        self.findings.push(finding.of_source(&failure.place.source));
    }

    fn check_keys(&mut self) {
        let leaves: Vec<_> = (self.chains.iter())
            .filter_map(|chain| {
                Some((
                    chain.source.as_str(),
                    &chain.certificates.first()?.certificate,
                ))
            })
            .filter(|(_, certificate)| !certificate.is_ca() || self.chains.len() == 1)
            .collect();
        let settings = &self.check.settings;
        let findings = settings
            .keys
            .iter()
            .filter_map(|key| key.check(&leaves, &settings.loader, &self.check.provider));
        let findings: Vec<_> = findings.collect();
        self.findings.extend(findings);
    }

    /// Lists that must be current and end before what they speak for does.
    fn check_crls(&mut self) {
        let crls = &self.check.settings.crls;
        for next_update in crls.next_updates() {
            let left = next_update.seconds_since(self.at);
            let span = span::readable(left);
            let enforced = crls.enforces_expiration();
            let (severity, code, message) = match (left, enforced) {
                (..=0, true) => (
                    Severity::Critical,
                    FindingCode::CrlExpired,
                    format!(
                        "a revocation list stopped counting {span} ago, at {next_update}: fetch the next one now"
                    ),
                ),
                (..=0, false) => (
                    Severity::Warning,
                    FindingCode::CrlExpired,
                    format!(
                        "a revocation list is out of date since {next_update}, {span} ago: fetch the next one"
                    ),
                ),
                (_, true) => (
                    Severity::Info,
                    FindingCode::CrlExpiring,
                    format!(
                        "a revocation list counts until before {next_update}, in {span}, and what it speaks for no longer: fetch the next one by then"
                    ),
                ),
                (_, false) => continue,
            };
            self.findings.push(Finding::new(severity, code, message));
        }
    }

    /// Where the clock was read and is not believed, that is said instead of a row of
    /// certificates that are not valid yet.
    fn doubt_clock(&mut self) {
        let settings = &self.check.settings;
        if settings.at.is_some() {
            return;
        }
        let presented = self.chains.iter().flat_map(|chain| &chain.certificates);
        let presented = presented.map(|reported| &reported.certificate);
        let anchors = self.check.judge.anchors().certificates();
        let begins: Vec<_> = presented
            .chain(anchors)
            .map(Certificate::not_before)
            .collect();
        if let Some(suspicion) = suspect(self.at, &settings.known_past, &begins) {
            self.findings
                .retain(|finding| finding.code != FindingCode::NotYetValid);
            let (code, message) = (FindingCode::ClockSuspect, suspicion.message(self.at));
            self.findings
                .insert(0, Finding::new(Severity::Critical, code, message));
        }
    }

    fn context<'r>(&'r self, source: &'r str) -> ChainContext<'r> {
        ChainContext {
            source,
            at: self.at,
            names: &self.names,
            judge: &self.check.judge,
            policy: &self.check.settings.policy,
            #[cfg(feature = "details")]
            usage: self.check.settings.usage.unwrap_or(Usage::ServerAuth),
            lifetime_limits: self.check.settings.lifetime_limits,
            #[cfg(feature = "ocsp")]
            staple: (self.staples.iter())
                .find(|(of, _)| of == source)
                .map(|(_, staple)| staple.as_slice()),
        }
    }
}
