//! Judging what was read: the pure half of the check.

use std::sync::Arc;

use std::collections::HashMap;

use pki_types::{CertificateDer, ServerName};

use super::anchor_list::AnchorListAge;
use super::anchors::{no_anchors, unusable_anchors};
use super::chain::{JudgedChain, judge_chain, judge_single};
use super::chain_report::ChainReport;
use super::context::{ChainContext, JudgedBy};
use super::dates::judge_dates;
use super::expected_names::{unusable_names, usable_names};
use super::finding::{Finding, FindingCode};
use super::lifetime::LifetimeLimits;
use super::next_root_keys::next_root_keys;
use super::sct_settings::SctSettings;
use super::{scts, unproven};
use crate::cert::{Certificate, Sha256Digest};
use crate::endpoint::{EndpointError, PresentedChain};
use crate::event::Severity;
use crate::outlook::{Budget, ChainJudge, Usage};
use crate::policy::ThresholdPolicy;
use crate::revocation::Crls;
use crate::source::{FailureReason, SourceContents, SourceFailure};
use crate::time::span;
use crate::time::{ClockSuspicion, Timestamp};

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

/// Certificates that were read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Contents(Arc<SourceContents>),
    Chain(String, Vec<CertificateDer<'static>>),
}

/// What is expected of every leaf, and what came with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'e> {
    pub(crate) names: &'e [String],
    pub(crate) judged_by: JudgedBy,
    #[cfg(feature = "ocsp")]
    pub(crate) staples: &'e [GivenStaple],
}

/// The stapled OCSP response that goes with the chain of this source; empty where there is none.
#[cfg(feature = "ocsp")]
#[derive(Debug, Clone)]
pub(crate) struct GivenStaple {
    pub(crate) source: String,
    pub(crate) bytes: Vec<u8>,
}

/// What inputs are judged by.
#[derive(Debug)]
pub(crate) struct SourceJudge {
    pub(super) chains: ChainJudge,
    pub(super) usage: Usage,
    pub(super) policy: ThresholdPolicy,
    pub(super) grouping: Grouping,
    pub(super) lifetime_limits: LifetimeLimits,
    pub(super) scts: SctSettings,
    pub(super) crls: Crls,
}

impl SourceJudge {
    /// Judges one input alone, at this instant; names that cannot be looked for are left out.
    pub(crate) fn judge<'j>(
        &'j self,
        input: &Input,
        expected: Expected<'j>,
        at: Timestamp,
    ) -> Judged<'j> {
        let mut judged = Judged::new(self, expected, at);
        judged.input(input);
        judged
    }
}

/// What was judged so far. Nothing that is wrong with one input keeps the others from being judged.
pub(crate) struct Judged<'j> {
    judge: &'j SourceJudge,
    #[cfg(feature = "ocsp")]
    staples: &'j [GivenStaple],
    /// What every leaf must cover unless its endpoint says otherwise: as given, and as used.
    asked_names: &'j [String],
    names: Vec<ServerName<'static>>,
    judged_by: JudgedBy,
    pub(super) at: Timestamp,
    /// Where the CA certificates of collections are among the chains.
    listed: HashMap<Sha256Digest, usize>,
    pub(crate) chains: Vec<ChainReport>,
    pub(crate) findings: Vec<Finding>,
}

/// What is expected of the leaves of one input, and what came with them.
#[derive(Debug, Clone, Default)]
struct LeafExpectation {
    names: Vec<ServerName<'static>>,
    #[cfg(feature = "ocsp")]
    staple: Option<Vec<u8>>,
}

impl<'j> Judged<'j> {
    pub(super) fn new(judge: &'j SourceJudge, expected: Expected<'j>, at: Timestamp) -> Self {
        Self {
            judge,
            #[cfg(feature = "ocsp")]
            staples: expected.staples,
            asked_names: expected.names,
            names: usable_names(expected.names),
            judged_by: expected.judged_by,
            at,
            listed: HashMap::new(),
            chains: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// Says which of the names that every leaf must cover are none.
    pub(super) fn note_names(&mut self) {
        self.findings.extend(unusable_names(self.asked_names));
    }

    /// Says what is wrong with what everything is judged by.
    pub(super) fn note_anchors(&mut self) {
        let anchors = self.judge.chains.anchors();
        self.findings.extend(unusable_anchors(anchors));
        self.findings.extend(no_anchors(anchors));
        let age = AnchorListAge::of(anchors, &self.judge.policy, self.at);
        self.findings.extend(age.and_then(|age| age.finding()));
        self.findings.extend(next_root_keys(anchors));
    }

    pub(super) fn input(&mut self, input: &Input) {
        match input {
            Input::Contents(contents) => self.source(contents),
            Input::Chain(source, ders) => {
                let expected = self.expected_of(source);
                self.chain_of_ders(source, ders, &expected);
            }
        }
    }

    /// What was seen of an endpoint, whose leaf must cover these names.
    pub(super) fn endpoint(
        &mut self,
        source: &str,
        looked: Result<PresentedChain, EndpointError>,
        names: &[String],
    ) {
        let presented = match looked {
            Ok(presented) => presented,
            Err(EndpointError::Unproven {
                presented,
                source: why,
                ..
            }) => {
                // It is judged all the same: somebody may have to see whose it is.
                self.findings
                    .push(unproven::finding(source, &presented, &why));
                presented
            }
            Err(error) => return self.unreadable(&error.failure(source)),
        };
        let expected = LeafExpectation {
            // Those that are expected of everything have been told of.
            names: match names == self.asked_names {
                true => self.names.clone(),
                false => {
                    self.findings.extend(unusable_names(names));
                    usable_names(names)
                }
            },
            #[cfg(feature = "ocsp")]
            staple: Some(presented.staple),
        };
        match self.judge.grouping {
            Grouping::ByFirstCertificate => {
                self.chain_of_ders(source, &presented.chain, &expected);
            }
            Grouping::Each => {
                let contents = SourceContents::from_certificates(source, &presented.chain);
                self.contents(&contents, &expected);
            }
        }
    }

    pub(super) fn source(&mut self, contents: &SourceContents) {
        let expected = self.expected_of(&contents.source);
        self.contents(contents, &expected);
    }

    fn contents(&mut self, contents: &SourceContents, expected: &LeafExpectation) {
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
                .push(Finding::new(Severity::Info, code, message).with_source(source));
        }
        let certificates: Vec<_> = contents
            .certificates
            .iter()
            .map(|found| found.certificate.clone())
            .collect();
        let is_chain = self.judge.grouping == Grouping::ByFirstCertificate
            && certificates.first().is_some_and(|first| !first.is_ca());
        if is_chain {
            self.chain(source, &certificates, expected);
        } else {
            let cas = certificates
                .iter()
                .filter(|certificate| certificate.is_ca());
            let cas: Vec<_> = cas.cloned().collect();
            let budget = Budget::of_report();
            for certificate in &certificates {
                if self.is_listed(certificate, source) {
                    continue;
                }
                let judged =
                    judge_single(&self.context(source, expected), certificate, &cas, &budget);
                self.add(judged);
            }
        }
    }

    /// Whether a CA certificate of a collection was judged already: that is by its dates alone, so
    /// it is reported once, with all the sources that hold it.
    fn is_listed(&mut self, certificate: &Certificate, source: &str) -> bool {
        if !certificate.is_ca() {
            return false;
        }
        let next = self.chains.len();
        let known = *self.listed.entry(certificate.fingerprint()).or_insert(next);
        let Some(chain) = self.chains.get_mut(known) else {
            return false;
        };
        if chain.source != source && chain.also_in.last().is_none_or(|last| last != source) {
            chain.also_in.push(source.to_owned());
        }
        true
    }

    fn chain_of_ders(
        &mut self,
        source: &str,
        ders: &[CertificateDer<'static>],
        expected: &LeafExpectation,
    ) {
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
            self.chain(source, &certificates, expected);
        }
    }

    fn chain(&mut self, source: &str, certificates: &[Certificate], expected: &LeafExpectation) {
        let context = self.context(source, expected);
        let judged = match self.judged_by {
            JudgedBy::Anchors => judge_chain(&context, certificates),
            JudgedBy::DatesAlone => judge_dates(&context, certificates),
        };
        self.add(judged);
    }

    fn add(&mut self, judged: JudgedChain) {
        let is_by_list = judged.report.scts.is_some();
        let stale = scts::stale(&self.judge.scts, self.at).filter(|_| is_by_list);
        // It is said once.
        let stale = stale.filter(|stale| !self.findings.contains(stale));
        self.chains.push(judged.report);
        self.findings
            .extend(judged.findings.into_iter().chain(stale));
    }

    fn unreadable(&mut self, failure: &SourceFailure) {
        let code = FindingCode::of_failure(failure.reason);
        let finding = Finding::new(Severity::Critical, code, failure.to_string());
        self.findings
            .push(finding.with_source(&failure.place.source));
    }

    /// Lists that must be current and end before what they speak for does.
    pub(super) fn check_crls(&mut self) {
        let crls = &self.judge.crls;
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

    /// Where the clock is not believed, that is said instead of a row of certificates that are not
    /// valid yet.
    pub(super) fn doubt_clock(&mut self, known_past: &[Timestamp]) {
        let presented = self.chains.iter().flat_map(|chain| &chain.certificates);
        let presented = presented.map(|reported| &reported.certificate);
        let anchors = self.judge.chains.anchors().certificates();
        let begins: Vec<_> = presented
            .chain(anchors)
            .map(Certificate::not_before)
            .collect();
        if let Some(suspicion) = ClockSuspicion::of(self.at, known_past, &begins) {
            self.findings
                .retain(|finding| finding.code != FindingCode::NotYetValid);
            let (code, message) = (FindingCode::ClockSuspect, suspicion.to_string());
            self.findings
                .insert(0, Finding::new(Severity::Critical, code, message));
        }
    }

    /// What is expected of the leaves of everything, and the staple that was given for this source.
    fn expected_of(&self, _source: &str) -> LeafExpectation {
        LeafExpectation {
            names: self.names.clone(),
            #[cfg(feature = "ocsp")]
            staple: (self.staples.iter())
                .find(|staple| staple.source == _source)
                .map(|staple| staple.bytes.clone()),
        }
    }

    fn context<'r>(&'r self, source: &'r str, expected: &'r LeafExpectation) -> ChainContext<'r> {
        ChainContext {
            source,
            at: self.at,
            names: &expected.names,
            judge: &self.judge.chains,
            judged_by: self.judged_by,
            policy: &self.judge.policy,
            usage: self.judge.usage,
            lifetime_limits: self.judge.lifetime_limits,
            scts: &self.judge.scts,
            #[cfg(feature = "ocsp")]
            staple: expected.staple.as_deref(),
        }
    }
}
