//! Is a chain that was found fit to be served?

use pki_types::ServerName;

use super::chain::{fits_usage, ordered, signed, takeable, within_dates};
use super::contents::{Contents, Digests};
use super::error::{ReloadError, listed};
use super::remarks::Remarks;
use super::rules::{
    AtStart, ChainCheck, LostNames, OlderCertificate, ReloadRules, SelfSigned, WrongUsage,
};
use super::standing::Replacement;
use crate::cert::{
    Certificate, IssuerSignature, SignatureAlgorithms, SubjectAltNames, issuer_signature,
};
use crate::outlook::ChainJudge;
use crate::source::{FailureReason, SourceFailure};
use crate::time::Timestamp;

/// A chain that passed every check.
#[derive(Debug)]
pub(super) struct ChainCandidate {
    pub(super) chain: Vec<Certificate>,
    pub(super) names: SubjectAltNames,
    /// What it and its key were made of.
    pub(super) digests: Digests,
    /// What should be said of it though it is served.
    pub(super) remarks: Remarks,
}

impl ChainCandidate {
    pub(super) fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }
}

/// What a chain is judged by.
pub(super) struct CandidateJudge<'j> {
    pub(super) rules: &'j ReloadRules,
    /// The provider's.
    pub(super) algorithms: SignatureAlgorithms,
    /// `None` at the start.
    pub(super) served: Option<&'j ChainCandidate>,
    /// Whether what is on disk can no longer be half-written.
    pub(super) settled: bool,
    pub(super) now: Timestamp,
}

/// The leaf that was found, though it may not be fit to be served. Beside damage nothing says
/// which certificate is the leaf.
pub(super) fn leaf_on_disk(contents: &Contents) -> Option<Certificate> {
    let chain = contents.certificates.as_ref().ok()?;
    let found = chain.parse(&contents.certificate_file);
    let found = Some(found).filter(|found| found.failures.is_empty())?;
    Some(found.certificates.into_iter().next()?.certificate)
}

/// All of it or nothing: a damaged block may be the leaf's issuer, half-written.
pub(super) fn read_chain(contents: &Contents) -> Result<Vec<Certificate>, ReloadError> {
    let chain = contents.certificates.as_ref().map_err(unreadable)?;
    let found = chain.parse(&contents.certificate_file);
    if let Some(failure) = found.failures.first() {
        return Err(unreadable(failure));
    }
    if found.certificates.is_empty() {
        let (reason, detail) = (
            FailureReason::NoCertificateFound,
            "there is no certificate in it",
        );
        let failure = SourceFailure::whole(&contents.certificate_file, reason, detail);
        return Err(unreadable(&failure));
    }
    Ok(found
        .certificates
        .into_iter()
        .map(|f| f.certificate)
        .collect())
}

pub(super) fn unreadable(failure: &SourceFailure) -> ReloadError {
    ReloadError::Unreadable {
        failure: failure.clone(),
    }
}

impl CandidateJudge<'_> {
    /// Judges the chain that these contents hold, whose key belongs to it.
    pub(super) fn examine(
        &self,
        chain: Vec<Certificate>,
        contents: &Contents,
    ) -> Result<ChainCandidate, ReloadError> {
        let file = &contents.certificate_file;
        let mut remarks = self.check_chain(&chain, file)?;
        let may_be_out_of_date =
            self.served.is_none() && self.rules.at_start == AtStart::AcceptOutOfDate;
        match within_dates(&chain, file, self.now) {
            Err(error) if may_be_out_of_date => remarks.warn(&error),
            verdict => verdict?,
        }
        let names = chain.first().map(Certificate::subject_alt_names);
        let candidate = ChainCandidate {
            names: names.unwrap_or_default(),
            chain,
            digests: contents.digests(),
            remarks,
        };
        self.compare(candidate, file)
    }

    /// By itself: what is told of it though it is served.
    fn check_chain(&self, chain: &[Certificate], file: &str) -> Result<Remarks, ReloadError> {
        takeable(chain, file)?;
        let mut remarks = Remarks::default();
        let verdict = ordered(chain, file).and_then(|()| signed(chain, file, self.algorithms));
        match (verdict, self.rules.chain) {
            (Ok(unsupported), _) => remarks.warnings.extend(unsupported),
            (Err(error), ChainCheck::Refuse) => return Err(error),
            (Err(error), ChainCheck::Tell) => remarks.warn(&error),
        }
        match (
            fits_usage(chain, file, self.rules.usage),
            self.rules.wrong_usage,
        ) {
            (Ok(()), _) => {}
            (Err(error), WrongUsage::Refuse) => return Err(error),
            (Err(error), WrongUsage::Tell) => remarks.warn(&error),
        }
        Ok(remarks)
    }

    /// Against what is served.
    fn compare(
        &self,
        mut candidate: ChainCandidate,
        file: &str,
    ) -> Result<ChainCandidate, ReloadError> {
        let Some(served) = self.served else {
            return Ok(candidate);
        };
        let (Some(old), Some(new)) = (served.leaf(), candidate.leaf().cloned()) else {
            return Ok(candidate);
        };
        let is_over = old.not_after() < self.now;
        let is_older = new.not_before() < old.not_before();
        if is_older && !is_over && self.rules.older == OlderCertificate::Refuse {
            return Err(ReloadError::OlderThanServed {
                file: file.to_owned(),
                not_before: new.not_before(),
                served_not_before: old.not_before(),
            });
        }
        if self.is_self_signed(&new) && !self.is_self_signed(old) {
            let error = ReloadError::SelfSigned {
                file: file.to_owned(),
                name: new.short_name(),
                issuer: old.issuer_short_name(),
            };
            if self.rules.self_signed == SelfSigned::Refuse && !is_over {
                return Err(error);
            }
            candidate.remarks.warn(&error);
        }
        if let Some(error) = missing_issuer(&served.chain, &candidate.chain, file) {
            let is_leafs = candidate.chain.len() == 1;
            let refuse = is_leafs && !is_over && self.rules.chain == ChainCheck::Refuse;
            // CAs do drop cross-signs: without one further up it is served, only not at once.
            if refuse || (!self.settled && !is_over) {
                return Err(error);
            }
            candidate.remarks.warn(&error);
        }
        let replacement = Replacement {
            served: &served.chain,
            chain: &candidate.chain,
            file,
        };
        let changed = replacement.examine(self.rules, self.algorithms, self.now)?;
        candidate.remarks.extend(changed);
        let lost = lost_names(&served.names, &new, &candidate.names);
        if lost.is_empty() {
            return Ok(candidate);
        }
        if self.rules.lost_names == LostNames::Refuse && !is_over {
            return Err(ReloadError::NamesLost {
                file: file.to_owned(),
                names: lost,
            });
        }
        candidate.remarks.warn(&format!(
            "it does not cover {} any more, which the one before covered",
            listed(&lost)
        ));
        Ok(candidate)
    }

    /// Whether nobody else issued it.
    fn is_self_signed(&self, leaf: &Certificate) -> bool {
        leaf.is_self_issued()
            && issuer_signature(leaf, leaf, self.algorithms) != IssuerSignature::NotMade
    }
}

/// An issuer of the last certificate that the served chain holds and the new one does not.
fn missing_issuer(
    served: &[Certificate],
    chain: &[Certificate],
    file: &str,
) -> Option<ReloadError> {
    let last = chain.last()?;
    if last.is_self_issued() {
        return None;
    }
    let issuer = last.facts().issuer_der();
    let sent = served.iter().skip(1);
    // Peers have the roots that they trust: one that is no longer sent along is not missed.
    let mut sent = sent.filter(|certificate| {
        certificate.facts().subject_der() == issuer && !certificate.is_self_issued()
    });
    let missing = sent.next()?;
    Some(ReloadError::IssuerMissing {
        file: file.to_owned(),
        name: last.short_name(),
        issuer: missing.short_name(),
    })
}

/// What the old names cover and the new leaf does not.
fn lost_names(old: &SubjectAltNames, new: &Certificate, names: &SubjectAltNames) -> Vec<String> {
    let stands = |name: &String, names: &[String]| {
        names.iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    let covers = |name: &str| {
        ServerName::try_from(name.to_owned())
            .is_ok_and(|name| ChainJudge::covers(new, &name).is_ok())
    };
    let dns = old
        .dns
        .iter()
        .filter(|name| !stands(name, &names.dns) && !covers(name));
    let ips = old.ip.iter().filter(|ip| !names.ip.contains(ip));
    let uris = old.uri.iter().filter(|uri| !names.uri.contains(uri));
    let emails = old
        .email
        .iter()
        .filter(|email| !stands(email, &names.email));
    dns.cloned()
        .chain(ips.map(ToString::to_string))
        .chain(uris.cloned())
        .chain(emails.cloned())
        .collect()
}
