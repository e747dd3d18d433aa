//! Is a chain that lies on disk fit to be served?

use pki_types::ServerName;

use super::contents::{Contents, Digests};
use super::error::{ReloadError, listed};
use super::rules::{AtStart, ChainCheck, LostNames, OlderCertificate, ReloadRules};
use crate::cert::{Certificate, SubjectAltNames};
use crate::outlook::{ChainJudge, Position};
use crate::source::{FailureReason, SourceContents, SourceFailure};
use crate::time::Timestamp;

/// A chain that passed every check.
#[derive(Debug)]
pub(super) struct ChainCandidate {
    pub(super) chain: Vec<Certificate>,
    pub(super) names: SubjectAltNames,
    /// What it and its key were made of.
    pub(super) digests: Digests,
    /// What should be said of it though it is served.
    pub(super) remarks: Vec<String>,
}

impl ChainCandidate {
    pub(super) fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }
}

/// What a chain is judged by.
pub(super) struct CandidateJudge<'j> {
    pub(super) rules: &'j ReloadRules,
    /// `None` at the start.
    pub(super) served: Option<&'j ChainCandidate>,
    /// Whether what is on disk can no longer be half-written.
    pub(super) settled: bool,
    pub(super) now: Timestamp,
}

/// The leaf that lies on disk, though it may not be fit to be served.
pub(super) fn leaf_on_disk(contents: &Contents) -> Option<Certificate> {
    let bytes = contents.certificates.as_ref().ok()?;
    let found = SourceContents::from_bytes(contents.certificate_file.as_str(), bytes);
    Some(found.certificates.into_iter().next()?.certificate)
}

/// All of it or nothing: a damaged block may be the leaf's issuer, half-written.
pub(super) fn read_chain(contents: &Contents) -> Result<Vec<Certificate>, ReloadError> {
    let bytes = contents.certificates.as_ref().map_err(unreadable)?;
    let found = SourceContents::from_bytes(contents.certificate_file.as_str(), bytes);
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
        let mut remarks = Vec::new();
        if let Err(error) = ordered(&chain, file) {
            match self.rules.chain {
                ChainCheck::Refuse => return Err(error),
                ChainCheck::Tell => remarks.push(error.to_string()),
            }
        }
        let may_be_out_of_date =
            self.served.is_none() && self.rules.at_start == AtStart::AcceptOutOfDate;
        match within_dates(&chain, file, self.now) {
            Err(error) if may_be_out_of_date => remarks.push(error.to_string()),
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
        if let Some(error) = missing_issuer(&served.chain, &candidate.chain, file) {
            let is_leafs = candidate.chain.len() == 1;
            let refuse = is_leafs && !is_over && self.rules.chain == ChainCheck::Refuse;
            // CAs do drop cross-signs: without one further up it is served, only not at once.
            if refuse || (!self.settled && !is_over) {
                return Err(error);
            }
            candidate.remarks.push(error.to_string());
        }
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
        candidate.remarks.push(format!(
            "it does not cover {} any more, which the one before covered",
            listed(&lost)
        ));
        Ok(candidate)
    }
}

/// The leaf first, and each further certificate an issuer (by name) of one before it: so that
/// cross-signed twins may follow each other.
fn ordered(chain: &[Certificate], file: &str) -> Result<(), ReloadError> {
    for (index, certificate) in chain.iter().enumerate().skip(1) {
        let subject = certificate.facts().subject_der();
        let issued =
            (chain.iter().take(index)).any(|before| before.facts().issuer_der() == subject);
        if !issued {
            return Err(ReloadError::OutOfOrder {
                file: file.to_owned(),
                number: index + 1,
                name: certificate.short_name(),
            });
        }
    }
    Ok(())
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
    let mut sent = sent.filter(|certificate| certificate.facts().subject_der() == issuer);
    let missing = sent.next()?;
    Some(ReloadError::IssuerMissing {
        file: file.to_owned(),
        name: last.short_name(),
        issuer: missing.short_name(),
    })
}

/// The leaf must be within its dates, and where its issuers are presented, one of those.
fn within_dates(chain: &[Certificate], file: &str, now: Timestamp) -> Result<(), ReloadError> {
    let Some(leaf) = chain.first() else {
        return Ok(());
    };
    within(leaf, Position::Leaf, file, now)?;
    let issuer = leaf.facts().issuer_der();
    let issuers = (chain.iter().enumerate().skip(1))
        .filter(|(_, certificate)| certificate.facts().subject_der() == issuer);
    let mut first = Ok(());
    for (index, certificate) in issuers {
        match within(certificate, Position::in_chain(index), file, now) {
            Ok(()) => return Ok(()),
            error if first.is_ok() => first = error,
            Err(_) => {}
        }
    }
    first
}

fn within(
    certificate: &Certificate,
    position: Position,
    file: &str,
    now: Timestamp,
) -> Result<(), ReloadError> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if not_after < now {
        return Err(ReloadError::Expired {
            file: file.to_owned(),
            position,
            name: certificate.short_name(),
            not_after,
            seconds: now.seconds_since(not_after),
        });
    }
    if now < not_before {
        return Err(ReloadError::NotYetValid {
            file: file.to_owned(),
            position,
            name: certificate.short_name(),
            not_before,
            seconds: not_before.seconds_since(now),
        });
    }
    Ok(())
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
