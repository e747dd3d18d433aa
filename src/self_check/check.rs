//! Running the check: what is read, and by which clock.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use super::anchor_list::AnchorListAge;
use super::context::JudgedBy;
use super::gauge::ReportedGauge;
#[cfg(feature = "ocsp")]
use super::judge::GivenStaple;
use super::judge::{Expected, Input, Judged, SourceJudge};
use super::judge_maker::JudgeMaker;
use super::key::{CheckedKey, CheckedLeaf};
use super::lists::list_gauges;
use super::looks::Looks;
use super::progress::Progress;
use super::report::Report;
use crate::endpoint::{Endpoint, EndpointConnector, EndpointNames};
use crate::outlook::Usage;
use crate::source::{Loader, path_name};
use crate::time::Timestamp;
use crate::time::clock;

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
    pub(super) judges: JudgeMaker,
    pub(super) usage: Usage,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) connector: EndpointConnector,
    pub(super) subjects: CheckSubjects,
}

/// What is checked, and when.
#[derive(Debug, Default)]
pub(super) struct CheckSubjects {
    pub(super) origins: Vec<Origin>,
    pub(super) keys: Vec<CheckedKey>,
    pub(super) expected_names: Vec<String>,
    pub(super) judged_by: JudgedBy,
    #[cfg(feature = "ocsp")]
    pub(super) staples: Vec<GivenStaple>,
    pub(super) loader: Loader,
    pub(super) at: Option<Timestamp>,
    pub(super) clock: Option<Arc<dyn TimeProvider>>,
    pub(super) known_past: Vec<Timestamp>,
}

/// Where certificates come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// Read at each run.
    Path(PathBuf),
    /// Asked at each run.
    Endpoint(Endpoint),
    Given(Input),
}

impl SelfCheck {
    /// Reads the files and folders, asks the endpoints, judges everything and reports. Nothing that
    /// is wrong with one source keeps the others from being judged.
    pub fn run(&self) -> Report {
        self.run_telling(|_| {})
    }

    /// The same, telling meanwhile how far it is: before and after each source.
    ///
    /// # How far is it?
    /// ```no_run
    /// # fn wait(check: &notafter::SelfCheck) {
    /// let report = check.run_telling(|progress| eprintln!("{progress}"));
    /// # }
    /// ```
    pub fn run_telling(&self, mut tell: impl FnMut(Progress<'_>)) -> Report {
        let subjects = &self.subjects;
        let at = subjects.at;
        let at = at.unwrap_or_else(|| clock::now(subjects.clock.as_ref()));
        let expected = Expected {
            names: &subjects.expected_names,
            judged_by: subjects.judged_by,
            #[cfg(feature = "ocsp")]
            staples: &subjects.staples,
        };
        let judge = self.judges.judge(&self.judges.generation(), self.usage);
        let mut judged = Judged::new(&judge, expected, at);
        judged.note_names();
        if subjects.judged_by == JudgedBy::Anchors {
            judged.note_anchors();
        }
        let (mut done, mut known) = (0, subjects.origins.len());
        let endpoints = self.endpoints();
        if let Some(first) = endpoints.first() {
            let source = &first.address.to_string();
            tell(Progress {
                source,
                done,
                known,
            });
        }
        let looks = Looks {
            connector: &self.connector,
            endpoints: &endpoints,
        };
        let looked = looks.all(|number| {
            done += 1;
            if let Some(endpoint) = endpoints.get(number) {
                let source = &endpoint.address.to_string();
                tell(Progress {
                    source,
                    done,
                    known,
                });
            }
        });
        let mut looked = endpoints.iter().zip(looked);
        for origin in &subjects.origins {
            match origin {
                Origin::Path(path) => {
                    let source = &path_name(path);
                    tell(Progress {
                        source,
                        done,
                        known,
                    });
                    let files = subjects.loader.load(path);
                    known += files.len().saturating_sub(1);
                    for file in &files {
                        let source = &file.source;
                        tell(Progress {
                            source,
                            done,
                            known,
                        });
                        judged.source(file);
                        done += 1;
                    }
                }
                Origin::Endpoint(_) => {
                    if let Some((endpoint, Some(looked))) = looked.next() {
                        let source = endpoint.address.to_string();
                        judged.endpoint(&source, looked, &endpoint.expected_names());
                    }
                }
                Origin::Given(input) => {
                    judged.input(input);
                    done += 1;
                }
            }
        }
        self.check_keys(&mut judged);
        judged.check_crls();
        // An instant that was asked for is no clock's.
        if subjects.at.is_none() {
            judged.doubt_clock(&subjects.known_past);
        }
        Report {
            at,
            chains: judged.chains,
            gauges: self.gauges(&judge, at),
            findings: judged.findings,
            policy: self.judges.policy,
        }
    }

    fn gauges(&self, judge: &SourceJudge, at: Timestamp) -> Vec<ReportedGauge> {
        let (anchors, policy) = (judge.chains.anchors(), &judge.policy);
        let of_anchors = AnchorListAge::of(anchors, policy, at).map(|age| age.reported());
        let lists = list_gauges(&judge.crls, policy, at).into_iter();
        let of_lists = lists.map(|gauge| ReportedGauge {
            source: "crls".to_owned(),
            gauge,
        });
        of_lists.chain(of_anchors).collect()
    }

    /// The endpoints, each with the names that its leaf must cover.
    fn endpoints(&self) -> Vec<Endpoint> {
        let general = &self.subjects.expected_names;
        let mut endpoints = Vec::new();
        for origin in &self.subjects.origins {
            let Origin::Endpoint(endpoint) = origin else {
                continue;
            };
            let mut endpoint = endpoint.clone();
            if endpoint.names == EndpointNames::Host && !general.is_empty() {
                endpoint.names = EndpointNames::Given(general.clone());
            }
            endpoints.push(endpoint);
        }
        endpoints
    }

    fn check_keys(&self, judged: &mut Judged<'_>) {
        let leaves: Vec<_> = (judged.chains.iter())
            .filter_map(|chain| {
                Some(CheckedLeaf {
                    source: chain.source.as_str(),
                    certificate: &chain.certificates.first()?.certificate,
                })
            })
            .filter(|leaf| !leaf.certificate.is_ca() || judged.chains.len() == 1)
            .collect();
        let loader = &self.subjects.loader;
        let keys = self.subjects.keys.iter();
        let findings = keys.filter_map(|key| key.check(&leaves, loader, &self.provider));
        judged.findings.extend(findings);
    }
}
