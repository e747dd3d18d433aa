//! From what is held and an instant to an evaluation.

use std::collections::{HashMap, HashSet};

use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity, Subject};
use crate::policy::{Band, ThresholdPolicy};
#[cfg(feature = "ocsp")]
use crate::self_check::GivenStaple;
use crate::self_check::{
    ChainReport, Expected, Finding, FindingCode, Input, SourceJudge, StapleVerdict, unusable_names,
};
use crate::time::Timestamp;

use super::alarms::code_of;
use super::chain_matter::{
    ChainMatter, OwnFindings, at_fault, dates_band, is_untrusted, told, worst,
};
use super::last_read::{LastRead, ReadSource};
use super::lists::{judge_anchors, judge_crls};
use super::target::{Target, TargetKind};
use super::watched::Evaluation;

/// Whether a matter is or was not ok. Of one that never was anything else, nothing is to be said
/// while it is ok.
pub(super) type IsKnown<'k> = &'k (dyn Fn(&Matter) -> bool + Sync);

/// What everything that a monitor watches is judged by.
#[derive(Debug)]
pub(super) struct TargetJudge {
    pub(super) servers: SourceJudge,
    pub(super) clients: SourceJudge,
    pub(super) policy: ThresholdPolicy,
    /// That of the anchors and lists.
    pub(super) epoch: u64,
}

impl TargetJudge {
    /// Judges what is not read.
    pub(super) fn whole(
        &self,
        name: &str,
        target: &Target,
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> Evaluation {
        match &target.kind {
            TargetKind::Chain(chain) => {
                let mut judging = self.judging(name, target, is_known, now);
                let input = Input::Chain(name.to_owned(), chain.clone());
                judging.input(name, &input, false);
                judging.evaluation
            }
            TargetKind::Anchors(anchors) => {
                judge_anchors(anchors, name, target.role, &self.policy, now)
            }
            TargetKind::Crls(crls) => judge_crls(crls, name, target.role, &self.policy, now),
            TargetKind::Watched(watched) => watched.evaluate(now),
            TargetKind::Path(_) | TargetKind::Endpoint(_) => Evaluation::default(),
        }
    }

    /// Judges one file, or what an endpoint shows.
    pub(super) fn source(
        &self,
        name: &str,
        target: &Target,
        read: &ReadSource,
        is_known: IsKnown<'_>,
        now: Timestamp,
    ) -> Evaluation {
        let mut judging = self.judging(name, target, is_known, now);
        judging.input(&read.name, &read.input, read.is_collection);
        let mut evaluation = judging.evaluation;
        // There may be many, and they are kept: what they could grow by is not.
        evaluation.chains.shrink_to_fit();
        evaluation.findings.shrink_to_fit();
        evaluation
    }

    /// Judges what could not be read.
    pub(super) fn failures(
        &self,
        name: &str,
        target: &Target,
        last_read: &LastRead,
        now: Timestamp,
    ) -> Evaluation {
        let mut judging = self.judging(name, target, &|_| true, now);
        judging.failures(last_read);
        judging.evaluation
    }

    fn judging<'j>(
        &'j self,
        name: &'j str,
        target: &'j Target,
        is_known: IsKnown<'j>,
        now: Timestamp,
    ) -> Judging<'j> {
        Judging {
            judge: self,
            name,
            target,
            is_known,
            now,
            evaluation: Evaluation::default(),
        }
    }
}

/// What is wrong with the names that leaves must cover: once, however many files there are.
pub(super) fn judge_names(target: &Target) -> Option<Evaluation> {
    let names: &[String] = match target.is_judged_by_trust() {
        true => &target.names,
        false => &[],
    };
    let findings = unusable_names(names);
    (!findings.is_empty()).then(|| Evaluation {
        findings,
        ..Evaluation::default()
    })
}

/// One evaluation in progress.
struct Judging<'j> {
    judge: &'j TargetJudge,
    name: &'j str,
    target: &'j Target,
    is_known: IsKnown<'j>,
    now: Timestamp,
    evaluation: Evaluation,
}

impl Judging<'_> {
    fn input(&mut self, source: &str, input: &Input, is_collection: bool) {
        let judge = match self.target.role {
            Role::OwnClient | Role::PeerClient => &self.judge.clients,
            _ => &self.judge.servers,
        };
        #[cfg(feature = "ocsp")]
        let staples: Vec<_> = (self.target.staple.iter())
            .map(|staple| GivenStaple {
                source: source.to_owned(),
                bytes: staple.clone(),
            })
            .collect();
        let expected = Expected {
            names: &self.target.names,
            judged_by: self.target.judged_by,
            #[cfg(feature = "ocsp")]
            staples: &staples,
        };
        let judged = judge.judge(input, expected, self.now);
        let (chains, findings) = (judged.chains, judged.findings);
        if chains.is_empty() {
            // A chain in memory that cannot be read.
            let finding = worst(findings.iter());
            let message = finding.map(|finding| finding.message.clone());
            self.unreadable(source, Band::Broken, message.unwrap_or_default());
        }
        let of_certificates = OwnFindings::new(&findings, is_collection);
        for chain in &chains {
            self.chain(chain, &of_certificates);
            self.staple(chain);
            self.changes(chain);
        }
        self.evaluation.chains.extend(chains);
        self.evaluation.findings.extend(findings);
    }

    fn chain(&mut self, chain: &ChainReport, findings: &OwnFindings<'_>) {
        let trust = ChainMatter {
            topic: EventCode::Broken,
            band: match findings.lack_anchor_of(&chain.source) {
                true => Band::Broken,
                false => Band::Ok,
            },
        };
        let dates = ChainMatter {
            topic: EventCode::Expiring,
            band: match is_untrusted(chain) {
                // Whoever is at the end of its time hears of it all the same.
                true => dates_band(chain, &self.judge.policy, self.now),
                false => chain.band,
            },
        };
        for about in [trust, dates] {
            self.tell(chain, about, findings);
        }
    }

    fn tell(&mut self, chain: &ChainReport, about: ChainMatter, findings: &OwnFindings<'_>) {
        let (source, band) = (chain.source.as_str(), about.band);
        let first = chain
            .certificates
            .first()
            .filter(|_| findings.is_collection);
        let of_its_own = first.map(|first| first.certificate.fingerprint());
        let matter = self.matter(about.topic, source).with_sha256(of_its_own);
        if band == Band::Ok && !(self.is_known)(&matter) {
            return;
        }
        let Some(at_fault) = at_fault(chain, band, &self.judge.policy, self.now) else {
            return;
        };
        let subject = Subject::of(&at_fault.certificate, at_fault.position);
        let own = findings.of(subject.sha256);
        let own = own.filter(|finding| about.is_told_by(finding));
        let own = own.filter(|finding| finding.source.as_deref() == Some(source));
        let message = match (band, chain.ends()) {
            (Band::Ok, _) if about.topic == EventCode::Broken => {
                format!("{source}: a trust anchor leads to it again")
            }
            (Band::Ok, Some(end)) => format!("{source} is ok again, until {end}"),
            (Band::Ok, None) => format!("the dates of {source} are ok again"),
            _ => match worst(own) {
                Some(finding) if about.topic == EventCode::Broken => format!(
                    "{source}: {}; or judge it by its dates alone, whoever is trusted (Target::dates_only)",
                    told(finding)
                ),
                Some(finding) => format!("{source}: {}", told(finding)),
                None => format!("{source} is {band}"),
            },
        };
        let (code, severity) = (code_of(band), Severity::of_band(band));
        let (validity, position) = (at_fault.certificate.validity(), at_fault.position);
        let threshold = self
            .judge
            .policy
            .threshold_seconds(band, validity, position);
        let cause = subject.sha256;
        let event = Event::new(self.now, code, severity, self.target.role, message)
            .with_source(source.to_owned())
            .with_host(self.host())
            .with_subject(subject)
            .with_effective_not_after(chain.rustls.as_ref().and(chain.ends()))
            .with_threshold_seconds(threshold);
        let condition = Condition::new(matter, band, event).with_cause(cause);
        self.evaluation.conditions.push(condition);
    }

    fn staple(&mut self, chain: &ChainReport) {
        let Some(staple) = &chain.staple else { return };
        let (source, subject) = (chain.source.as_str(), chain.certificates.first());
        let band = match staple.verdict {
            StapleVerdict::Good => Band::Ok,
            StapleVerdict::Revoked => Band::Broken,
            StapleVerdict::NotGood if staple.must_staple => Band::Critical,
            StapleVerdict::NotGood => Band::Warning,
        };
        let (code, message) = match band {
            Band::Ok => (
                EventCode::StapleRecovered,
                format!("{source}: its staple is good again: {}", staple.message),
            ),
            _ => (
                EventCode::StapleNotGood,
                format!("{source}: {}", staple.message),
            ),
        };
        let severity = Severity::of_band(band);
        let event = Event::new(self.now, code, severity, Role::Staple, message)
            .with_source(source.to_owned())
            .with_subject(subject.map(|leaf| Subject::of(&leaf.certificate, leaf.position)))
            .with_time_left_seconds(staple.good_until.map(|end| end.seconds_since(self.now)));
        let matter =
            Matter::new(EventCode::StapleNotGood, Role::Staple).with_name(self.matter_name(source));
        self.evaluation
            .conditions
            .push(Condition::new(matter, band, event));
        if let Some(end) = staple.good_until {
            self.evaluation.changes_at(end.saturating_add(1));
        }
    }

    /// Every instant at which a date alone may make it stand otherwise. More than needed does no
    /// harm: then the next evaluation finds nothing new.
    fn changes(&mut self, chain: &ChainReport) {
        let (policy, now) = (&self.judge.policy, self.now);
        let mut instants = Vec::new();
        for reported in &chain.certificates {
            let validity = reported.certificate.validity();
            instants.extend(policy.next_change(validity, reported.position, now));
        }
        for outlook in [&chain.rustls, &chain.strict].into_iter().flatten() {
            let ends = [outlook.effective_not_after, outlook.next_cliff];
            instants.extend(ends.into_iter().flatten().map(|end| end.saturating_add(1)));
        }
        let timelines = chain.timeline.iter().flat_map(|t| &t.rustls.intervals);
        for interval in timelines {
            instants.extend([interval.first, interval.last.saturating_add(1)]);
        }
        for t in instants.into_iter().filter(|t| *t > now) {
            self.evaluation.changes_at(t);
        }
    }

    fn failures(&mut self, last_read: &LastRead) {
        let judged: HashSet<&str> = last_read.sources.iter().map(|read| &*read.name).collect();
        let mut of_source: HashMap<&str, usize> = HashMap::new();
        for failure in &last_read.failures {
            *of_source.entry(&failure.place.source).or_default() += 1;
        }
        for failure in &last_read.failures {
            let source: &str = &failure.place.source;
            let severity = Severity::Critical;
            let code = FindingCode::of_failure(failure.reason);
            let finding = Finding::new(severity, code, failure.to_string());
            self.evaluation.findings.push(finding.with_source(source));
            // The first of each source is told.
            let more = match of_source.remove(source) {
                None => continue,
                Some(1) => String::new(),
                Some(n) => format!(" (and {} more in it)", n - 1),
            };
            let (band, kept) = match judged.contains(source) {
                true => (Band::Warning, "; until then what was read last is judged"),
                false => (Band::Broken, ""),
            };
            self.unreadable(source, band, format!("{failure}{more}{kept}"));
        }
    }

    fn unreadable(&mut self, source: &str, band: Band, message: String) {
        let severity = Severity::of_band(band);
        let code = EventCode::SourceFailed;
        let event = Event::new(self.now, code, severity, self.target.role, message)
            .with_source(source.to_owned())
            .with_host(self.host());
        let matter = self.matter(code, source);
        let condition = Condition::new(matter, band, event);
        self.evaluation.conditions.push(condition);
    }

    fn host(&self) -> Option<String> {
        match &self.target.kind {
            TargetKind::Endpoint(endpoint) => Some(endpoint.clone()),
            _ => None,
        }
    }

    fn matter(&self, topic: EventCode, source: &str) -> Matter {
        Matter::new(topic, self.target.role).with_name(self.matter_name(source))
    }

    /// Two targets may look at one file, and expect different names of it.
    fn matter_name(&self, source: &str) -> String {
        match source == self.name {
            true => source.to_owned(),
            false => format!("{} ({source})", self.name),
        }
    }
}
