//! The only caller of webpki's path search.

use std::cell::{OnceCell, RefCell};
use std::cmp::Reverse;
use std::ptr;

use pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage,
    VerifiedPath,
};

use super::TrustAnchors;
use super::budget::{Budget, PURPOSE, price_of_names, price_of_parse};
use super::candidates::{Candidates, looked_at};
use super::signatures::SignatureMemory;
use crate::cert::{Certificate, SignatureAlgorithms, in_sequence};
use crate::revocation::Crls;
use crate::time::Validity;

/// One chain with all that it is judged by.
pub(super) struct PathSearch<'a> {
    leaf: &'a Certificate,
    end_entity: EndEntityCert<'a>,
    presented: &'a [Certificate],
    /// The presented certificates that are looked at.
    candidates: Candidates<'a>,
    candidate_ders: Vec<CertificateDer<'a>>,
    /// The same, those that last longest first, where they are needed.
    ders_by_ends: OnceCell<Vec<CertificateDer<'a>>>,
    anchors: &'a TrustAnchors,
    signatures: SignatureMemory,
    rules: SearchRules<'a>,
    budget: &'a Budget,
    /// What webpki's look at all candidates and anchors costs, which it takes once a step.
    price_of_step: u64,
    /// What webpki's check of name constraints costs, once a path.
    price_of_names: u64,
}

/// What a judge searches paths by, besides anchors.
#[derive(Clone, Copy)]
pub(super) struct SearchRules<'a> {
    pub(super) algorithms: SignatureAlgorithms,
    pub(super) usage: KeyUsage,
    /// What `usage` requires of certificates that name any.
    pub(super) purpose: KeyPurposeId<'static>,
    pub(super) crls: &'a Crls,
}

/// A verified path by its parts' indices, nearest the leaf first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundPath {
    pub(super) intermediates: Vec<usize>,
    pub(super) anchor: usize,
}

/// What one search at one instant found.
pub(super) struct FoundPaths {
    pub(super) paths: Vec<FoundPath>,
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
        rules: SearchRules<'a>,
        budget: &'a Budget,
    ) -> Result<Self, webpki::Error> {
        let end_entity = EndEntityCert::try_from(leaf.der())?;
        let candidates = Candidates::choose(leaf, presented, anchors);
        let prices = candidates.certificates.iter().map(|c| price_of_parse(c));
        let price_of_anchors = u64::try_from(anchors.len()).unwrap_or(u64::MAX);
        Ok(Self {
            leaf,
            end_entity,
            presented,
            candidate_ders: ders(&candidates.certificates),
            ders_by_ends: OnceCell::new(),
            price_of_step: prices.fold(price_of_anchors, u64::saturating_add),
            price_of_names: price_of_names(leaf, &candidates.certificates, anchors),
            candidates,
            anchors,
            signatures: SignatureMemory::default(),
            rules,
            budget,
        })
    }

    /// Asks webpki for paths that verify at `now`, until one is `enough` or there are no more; it
    /// may use one of so many equal `parts` of what is left of the budget.
    ///
    /// Where a budget, webpki's or ours, ends the search, a second one goes by ends: of several
    /// certificates with one name, the one that lasts longest first.
    pub(super) fn at(
        &self,
        now: UnixTime,
        parts: u64,
        enough: impl Fn(&FoundPath) -> bool,
    ) -> FoundPaths {
        let mut found = self.search(&self.candidate_ders, now, parts, &enough);
        let cut = !found.complete;
        if cut && !found.paths.last().is_some_and(&enough) {
            let by_ends = self.ders_by_ends.get_or_init(|| {
                let mut by_ends = self.candidates.certificates.clone();
                by_ends.sort_by_key(|certificate| Reverse(certificate.not_after()));
                ders(&by_ends)
            });
            let more = self.search(by_ends, now, 2, &enough);
            for path in more.paths {
                if !found.paths.contains(&path) {
                    found.paths.push(path);
                }
            }
        }
        if cut && found.paths.is_empty() && !is_budget(&found.error) {
            found.error = webpki::Error::MaximumPathBuildCallsExceeded;
        }
        found.complete &= !self.candidates.exhausting;
        found
    }

    /// webpki tries the next path whenever the callback rejects one; so rejecting each path
    /// after noting it down visits all of them, at the price of the signatures that are new.
    fn search(
        &self,
        candidates: &[CertificateDer<'_>],
        now: UnixTime,
        parts: u64,
        enough: impl Fn(&FoundPath) -> bool,
    ) -> FoundPaths {
        let paths = RefCell::new(Vec::new());
        let note = |verified: &VerifiedPath<'_>| {
            let path = self.identify(verified);
            self.budget.found();
            let is_enough = enough(&path) || self.candidates.one_way;
            paths.borrow_mut().push(path);
            if is_enough {
                Ok(())
            } else {
                Err(webpki::Error::UnknownIssuer)
            }
        };
        self.budget.begin(parts);
        let SearchRules {
            algorithms,
            usage,
            purpose,
            crls,
        } = self.rules;
        let remembering =
            (self.signatures).remembering(algorithms, self.budget, self.price_of_names);
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
            remembering.iter().map(|algorithm| algorithm as _).collect();
        let lists = crls.references();
        let result = self.end_entity.verify_for_usage(
            &algorithms,
            self.anchors.as_slice(),
            candidates,
            now,
            Metered {
                usage,
                purpose,
                budget: self.budget,
                price_of_step: self.price_of_step,
            },
            crls.options(&lists),
            Some(&note),
        );
        let error = result.err().unwrap_or(webpki::Error::UnknownIssuer);
        FoundPaths {
            paths: paths.into_inner(),
            complete: !is_budget(&error) && !self.signatures.gave_up(),
            error,
        }
    }

    /// webpki hands out references into what it was given: their addresses say which.
    fn identify(&self, verified: &VerifiedPath<'_>) -> FoundPath {
        let index_of = |der: &[u8]| {
            let mut ders = self.candidate_ders.iter();
            ders.position(|ours| ptr::eq(ours.as_ref(), der))
        };
        let mut anchors = self.anchors.as_slice().iter();
        FoundPath {
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

    /// What is looked at of it, before names rule anything out.
    pub(super) fn looked_at(&self) -> &'a [Certificate] {
        looked_at(self.presented)
    }

    /// What can be part of a path.
    pub(super) fn candidates(&self) -> &[&'a Certificate] {
        &self.candidates.certificates
    }

    pub(super) fn anchors(&self) -> &'a TrustAnchors {
        self.anchors
    }

    pub(super) fn crls(&self) -> &'a Crls {
        self.rules.crls
    }

    /// The certificates of a path, leaf first, without its anchor.
    pub(super) fn certificates(&self, path: &FoundPath) -> Vec<&'a Certificate> {
        let intermediates = path.intermediates.iter();
        let intermediates =
            intermediates.filter_map(|index| self.candidates.certificates.get(*index));
        std::iter::once(self.leaf)
            .chain(intermediates.copied())
            .collect()
    }

    /// The certificates that the path's anchor came from; none where its dates are unknown.
    pub(super) fn anchor_certificates(&self, path: &FoundPath) -> &'a [Certificate] {
        self.anchors.certificates_of(path.anchor)
    }

    /// The SubjectPublicKeyInfo of a path's anchor, in its outer SEQUENCE.
    pub(super) fn anchor_spki(&self, path: &FoundPath) -> Option<Vec<u8>> {
        let anchor = self.anchors.as_slice().get(path.anchor)?;
        // webpki keeps only the content.
        Some(in_sequence(&anchor.subject_public_key_info))
    }

    /// When all of the path's certificates are valid, its anchor left aside.
    pub(super) fn window(&self, path: &FoundPath) -> Validity {
        let intermediates = path.intermediates.iter();
        intermediates
            .filter_map(|index| self.candidates.certificates.get(*index))
            .fold(self.leaf.validity(), |window, certificate| {
                window.intersection(&certificate.validity())
            })
    }
}

/// The usage, with the budget before it: webpki asks it once for each certificate that it goes on
/// from, before it looks at all candidates for the issuer's.
struct Metered<'m> {
    usage: KeyUsage,
    purpose: KeyPurposeId<'static>,
    budget: &'m Budget,
    price_of_step: u64,
}

impl ExtendedKeyUsageValidator for Metered<'_> {
    /// What [`KeyUsage`] says. The list that it would make of purposes that do not fit is not
    /// made: nobody reads it, and it may be long.
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        if self.budget.is_over() {
            // webpki ends its search at once by this.
            return Err(webpki::Error::MaximumPathBuildCallsExceeded);
        }
        self.budget.charge(self.price_of_step);
        let mut any = false;
        for purpose in purposes {
            self.budget.charge(PURPOSE);
            any = true;
            if purpose? == self.purpose {
                return Ok(());
            }
        }
        if any {
            let present = Vec::new();
            let required = self.usage;
            let context = webpki::RequiredEkuNotFoundContext { required, present };
            return Err(webpki::Error::RequiredEkuNotFoundContext(context));
        }
        Ok(())
    }
}

fn ders<'a>(certificates: &[&'a Certificate]) -> Vec<CertificateDer<'a>> {
    let ders = certificates.iter();
    ders.map(|c| CertificateDer::from(c.der().as_ref()))
        .collect()
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
