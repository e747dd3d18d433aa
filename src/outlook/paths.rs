//! The only caller of webpki's path search.

use std::cell::RefCell;
use std::ptr;

use pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::TrustAnchors;
use super::candidates::Candidates;
use super::signatures::SignatureMemory;
use crate::cert::{Certificate, Validity, in_sequence};
use crate::revocation::Crls;

/// Signature algorithms as a crypto provider lists them.
pub(super) type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// One chain with all that it is judged by.
pub(super) struct PathSearch<'a> {
    leaf: &'a Certificate,
    end_entity: EndEntityCert<'a>,
    presented: &'a [Certificate],
    /// The presented certificates that are looked at.
    candidates: Candidates<'a>,
    candidate_ders: Vec<CertificateDer<'a>>,
    few_ders: Option<Vec<CertificateDer<'a>>>,
    anchors: &'a TrustAnchors,
    signatures: SignatureMemory,
    algorithms: Algorithms,
    usage: KeyUsage,
    crls: &'a Crls,
}

/// A verified path by its parts' indices, nearest the leaf first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) intermediates: Vec<usize>,
    pub(super) anchor: usize,
}

/// What one search at one instant found.
pub(super) struct Found {
    pub(super) paths: Vec<Path>,
    /// Whether everything was looked at, rather than one of the budgets, webpki's or ours, used up.
    pub(super) complete: bool,
    /// What webpki said last, where it accepted no path.
    pub(super) error: webpki::Error,
}

impl<'a> PathSearch<'a> {
    /// # Errors
    /// webpki's, where it does not accept the leaf as an end-entity certificate at all.
    pub(super) fn new(
        leaf: &'a Certificate,
        presented: &'a [Certificate],
        anchors: &'a TrustAnchors,
        algorithms: Algorithms,
        usage: KeyUsage,
        crls: &'a Crls,
    ) -> Result<Self, webpki::Error> {
        let candidates = Candidates::choose(leaf, presented, anchors);
        let ders = |certificates: &[&'a Certificate]| {
            let ders = certificates
                .iter()
                .map(|c| CertificateDer::from(c.der().as_ref()));
            ders.collect()
        };
        Ok(Self {
            leaf,
            end_entity: EndEntityCert::try_from(leaf.der())?,
            presented,
            candidate_ders: ders(&candidates.certificates),
            few_ders: candidates.few.as_deref().map(ders),
            candidates,
            anchors,
            signatures: SignatureMemory::default(),
            algorithms,
            usage,
            crls,
        })
    }

    /// Asks webpki for paths that verify at `now`, until one is `enough` or there are no more.
    ///
    /// Where there are too many ways to look at all of them, a few are, and if none of those
    /// verifies, a thorough search takes the first that webpki finds among all.
    pub(super) fn at(
        &self,
        now: UnixTime,
        thorough: bool,
        enough: impl Fn(&Path) -> bool,
    ) -> Found {
        let Some(few) = &self.few_ders else {
            return self.search(&self.candidate_ders, now, enough);
        };
        let mut found = self.search(few, now, enough);
        if found.paths.is_empty() && thorough {
            found = self.search(&self.candidate_ders, now, |_| true);
        }
        found.complete = false;
        found
    }

    /// Asks webpki for the first path that verifies at `now` and is `wanted`; every verified path
    /// is put to `wanted` until then.
    pub(super) fn first(&self, now: UnixTime, wanted: impl Fn(&Path) -> bool) -> Found {
        let few = self.few_ders.as_deref();
        let found = self.search(few.unwrap_or(&self.candidate_ders), now, &wanted);
        let is_found = found.paths.last().is_some_and(&wanted);
        if few.is_none() || is_found {
            return found;
        }
        self.search(&self.candidate_ders, now, &wanted)
    }

    /// webpki tries the next path whenever the callback rejects one; so rejecting each path
    /// after noting it down visits all of them, at the price of the signatures that are new.
    fn search(
        &self,
        candidates: &[CertificateDer<'a>],
        now: UnixTime,
        enough: impl Fn(&Path) -> bool,
    ) -> Found {
        let paths = RefCell::new(Vec::new());
        let note = |verified: &VerifiedPath<'_>| {
            let path = self.identify(verified);
            let is_enough = enough(&path) || self.candidates.one_way;
            paths.borrow_mut().push(path);
            if is_enough {
                Ok(())
            } else {
                Err(webpki::Error::UnknownIssuer)
            }
        };
        let remembering = self.signatures.remembering(self.algorithms);
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
            remembering.iter().map(|algorithm| algorithm as _).collect();
        let crls = self.crls.references();
        let result = self.end_entity.verify_for_usage(
            &algorithms,
            self.anchors.as_slice(),
            candidates,
            now,
            self.usage,
            self.crls.options(&crls),
            Some(&note),
        );
        let error = result.err().unwrap_or(webpki::Error::UnknownIssuer);
        Found {
            paths: paths.into_inner(),
            complete: !is_budget(&error)
                && !self.signatures.gave_up()
                && !self.candidates.exhausting,
            error,
        }
    }

    /// webpki hands out references into what it was given: their addresses say which.
    fn identify(&self, verified: &VerifiedPath<'_>) -> Path {
        let index_of = |der: &[u8]| {
            let mut ders = self.candidate_ders.iter();
            ders.position(|ours| ptr::eq(ours.as_ref(), der))
        };
        let mut anchors = self.anchors.as_slice().iter();
        Path {
            intermediates: verified
                .intermediate_certificates()
                .filter_map(|certificate| index_of(&certificate.der()))
                .collect(),
            anchor: anchors
                .position(|anchor| ptr::eq(anchor, verified.anchor()))
                .unwrap_or(usize::MAX),
        }
    }

    pub(super) fn leaf(&self) -> &'a Certificate {
        self.leaf
    }

    /// Everything that came with the leaf, in its order.
    pub(super) fn presented(&self) -> &'a [Certificate] {
        self.presented
    }

    /// What is looked at of it.
    pub(super) fn candidates(&self) -> &[&'a Certificate] {
        &self.candidates.certificates
    }

    pub(super) fn anchors(&self) -> &'a TrustAnchors {
        self.anchors
    }

    pub(super) fn crls(&self) -> &'a Crls {
        self.crls
    }

    /// The certificates of a path, leaf first, without its anchor.
    pub(super) fn certificates(&self, path: &Path) -> Vec<&'a Certificate> {
        let intermediates = path.intermediates.iter();
        let intermediates =
            intermediates.filter_map(|index| self.candidates.certificates.get(*index));
        std::iter::once(self.leaf)
            .chain(intermediates.copied())
            .collect()
    }

    /// The certificates that the path's anchor came from; none where its dates are unknown.
    pub(super) fn anchor_certificates(&self, path: &Path) -> &'a [Certificate] {
        self.anchors.certificates_of(path.anchor)
    }

    /// The SubjectPublicKeyInfo of a path's anchor, in its outer SEQUENCE.
    pub(super) fn anchor_spki(&self, path: &Path) -> Option<Vec<u8>> {
        let anchor = self.anchors.as_slice().get(path.anchor)?;
        // webpki keeps only the content.
        Some(in_sequence(&anchor.subject_public_key_info))
    }

    /// When all of the path's certificates are valid, its anchor left aside.
    pub(super) fn window(&self, path: &Path) -> Validity {
        let intermediates = path.intermediates.iter();
        intermediates
            .filter_map(|index| self.candidates.certificates.get(*index))
            .fold(self.leaf.validity(), |window, certificate| {
                window.intersection(&certificate.validity())
            })
    }
}

/// Whether webpki gave up rather than came to an end.
pub(super) fn is_budget(error: &webpki::Error) -> bool {
    matches!(
        error,
        webpki::Error::MaximumSignatureChecksExceeded
            | webpki::Error::MaximumPathBuildCallsExceeded
            | webpki::Error::MaximumNameConstraintComparisonsExceeded
    )
}
