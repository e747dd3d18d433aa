//! Is what lies on disk fit to be served? Pure but for the provider's signature.

use std::sync::Arc;

use pki_types::{CertificateDer, ServerName};
use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};
use webpki::EndEntityCert;

use super::builder::{AtStart, ChainCheck, LostNames, OlderCertificate, Rules};
use super::error::{ReloadError, listed};
use super::files::{Contents, Digests};
use crate::cert::{Certificate, SubjectAltNames};
use crate::outlook::{ChainJudge, Position};
use crate::source::private_key;
use crate::source::{FailureReason, SourceContents, SourceFailure};
use crate::time::Timestamp;

/// What the key signs to prove itself: nothing that a protocol would take for its own.
const PROOF: &[u8] = b"notafter: does this key belong to this certificate?";

/// A chain with its key that passed every check.
#[derive(Debug)]
pub(super) struct Pair {
    /// Without a staple.
    pub(super) key: Arc<CertifiedKey>,
    pub(super) chain: Vec<Certificate>,
    pub(super) names: SubjectAltNames,
    /// What it was made of.
    pub(super) digests: Digests,
    /// What should be said of it though it is served.
    pub(super) remarks: Vec<String>,
}

impl Pair {
    pub(super) fn leaf(&self) -> Option<&Certificate> {
        self.chain.first()
    }
}

/// What a candidate is judged by.
pub(super) struct Judgement<'j> {
    pub(super) rules: &'j Rules,
    pub(super) provider: &'j CryptoProvider,
    /// `None` at the start.
    pub(super) served: Option<&'j Pair>,
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

impl Judgement<'_> {
    pub(super) fn examine(&self, contents: &Contents) -> Result<Pair, ReloadError> {
        let (file, key_file) = (&contents.certificate_file, &contents.key_file);
        let chain = read_chain(contents)?;
        let key = self.read_key(contents)?;
        let ders: Vec<CertificateDer<'static>> = chain.iter().map(|c| c.der().clone()).collect();
        let key = CertifiedKey::new(ders, key);
        belongs(&key, &chain, file, key_file)?;
        self.prove(&key, file, key_file)?;
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
        let leaf = chain.first();
        let names = leaf.and_then(|leaf| Some(leaf.details().ok()?.subject_alt_names));
        let pair = Pair {
            key: Arc::new(key),
            chain,
            names: names.unwrap_or_default(),
            digests: contents.digests(),
            remarks,
        };
        self.compare(pair, file)
    }

    fn read_key(&self, contents: &Contents) -> Result<Arc<dyn SigningKey>, ReloadError> {
        let bytes = contents.key.as_ref().map_err(unreadable)?;
        let file = || contents.key_file.clone();
        let der =
            private_key::from_pem_or_der(bytes).map_err(|error| ReloadError::KeyUnreadable {
                file: file(),
                reason: error.to_string(),
            })?;
        let key = self.provider.key_provider.load_private_key(der);
        key.map_err(|error| ReloadError::KeyUnusable {
            file: file(),
            reason: error.to_string(),
        })
    }

    /// Signs with the key and verifies with the leaf, as a handshake would.
    fn prove(&self, key: &CertifiedKey, file: &str, key_file: &str) -> Result<(), ReloadError> {
        let failed = |reason: String| ReloadError::SignatureFailed {
            file: file.to_owned(),
            key_file: key_file.to_owned(),
            reason,
        };
        let unusable = |reason: String| ReloadError::LeafUnusable {
            file: file.to_owned(),
            reason,
        };
        let leaf = key.end_entity_cert();
        let leaf = leaf.map_err(|error| unusable(error.to_string()))?;
        let leaf = EndEntityCert::try_from(leaf);
        let leaf = leaf.map_err(|error| unusable(error.to_string()))?;
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let schemes: Vec<_> = mapping.iter().map(|(scheme, _)| *scheme).collect();
        let signer = key.key.choose_scheme(&schemes);
        let signer = signer.ok_or_else(|| {
            failed("the provider verifies none of the schemes that the key signs with".to_owned())
        })?;
        let signature = signer.sign(PROOF);
        let signature = signature.map_err(|error| failed(error.to_string()))?;
        let algorithms = mapping
            .iter()
            .find(|(scheme, _)| *scheme == signer.scheme());
        let algorithms = algorithms.map_or(&[][..], |(_, algorithms)| *algorithms);
        let verifies = (algorithms.iter())
            .any(|algorithm| leaf.verify_signature(*algorithm, PROOF, &signature).is_ok());
        if verifies {
            Ok(())
        } else {
            Err(failed("the signature is not the leaf's".to_owned()))
        }
    }

    /// Against what is served.
    fn compare(&self, mut pair: Pair, file: &str) -> Result<Pair, ReloadError> {
        let served = self
            .served
            .and_then(|served| Some((served, served.leaf()?)));
        let (Some((served, old)), Some(new)) = (served, pair.leaf().cloned()) else {
            return Ok(pair);
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
        if let Some((error, of_leaf)) = missing_issuer(&served.chain, &pair.chain, file) {
            let refuse = of_leaf && !is_over && self.rules.chain == ChainCheck::Refuse;
            // CAs do drop cross-signs: without one further up it is served, only not at once.
            if refuse || (!self.settled && !is_over) {
                return Err(error);
            }
            pair.remarks.push(error.to_string());
        }
        let lost = lost_names(&served.names, &new, &pair.names);
        if lost.is_empty() {
            return Ok(pair);
        }
        if self.rules.lost_names == LostNames::Refuse && !is_over {
            return Err(ReloadError::NamesLost {
                file: file.to_owned(),
                names: lost,
            });
        }
        pair.remarks.push(format!(
            "it does not cover {} any more, which the one before covered",
            listed(&lost)
        ));
        Ok(pair)
    }
}

fn unreadable(failure: &SourceFailure) -> ReloadError {
    ReloadError::Unreadable {
        failure: failure.clone(),
    }
}

/// All of it or nothing: a damaged block may be the leaf's issuer, half-written.
fn read_chain(contents: &Contents) -> Result<Vec<Certificate>, ReloadError> {
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

fn belongs(
    key: &CertifiedKey,
    chain: &[Certificate],
    file: &str,
    key_file: &str,
) -> Result<(), ReloadError> {
    match key.keys_match() {
        // Where the key does not say its public half, the signature has proved it.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let spki = key.key.public_key();
            let spki = spki.as_ref().map(AsRef::<[u8]>::as_ref);
            let owner = chain
                .iter()
                .position(|c| Some(c.facts().spki_der()) == spki);
            Err(ReloadError::KeyMismatch {
                file: file.to_owned(),
                key_file: key_file.to_owned(),
                belongs_to: owner.map(|index| index + 1),
            })
        }
        Err(error) => Err(ReloadError::LeafUnusable {
            file: file.to_owned(),
            reason: error.to_string(),
        }),
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

/// An issuer of the last certificate that the served chain holds and the new one does not; and
/// whether that last certificate is the leaf.
fn missing_issuer(
    served: &[Certificate],
    chain: &[Certificate],
    file: &str,
) -> Option<(ReloadError, bool)> {
    let last = chain.last()?;
    if last.is_self_issued() {
        return None;
    }
    let issuer = last.facts().issuer_der();
    let sent = served.iter().skip(1);
    let mut sent = sent.filter(|certificate| certificate.facts().subject_der() == issuer);
    let missing = sent.next()?;
    let error = ReloadError::IssuerMissing {
        file: file.to_owned(),
        name: last.short_name(),
        issuer: missing.short_name(),
    };
    Some((error, chain.len() == 1))
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
