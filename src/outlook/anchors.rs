//! Trust anchors that remember their certificates, and so their dates.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use pki_types::{CertificateDer, TrustAnchor};
use thiserror::Error;

use super::SctConstraint;
use crate::cert::{
    Certificate, CertificateFacts, CertificateParseError, Sha256Digest, count_constraints,
    in_sequence, name_for_people,
};
use crate::source::SourceContents;
use crate::text::visible;
use crate::time::Timestamp;

/// Trust anchors for path search: with their dates where they came as certificates, without where
/// they came as bare names and keys.
///
/// The `rustls` relying party never looks at an anchor's dates, the `strict` one does.
///
/// # Which trust anchors do I have, and which could not be used?
/// ```
/// use notafter::source::SourceContents;
/// use notafter::TrustAnchors;
/// # let pem = include_bytes!("../../tests/data/incidents/dst-root-x3-2021/certs/isrg-x1-root.pem");
/// let anchors = TrustAnchors::builder()
///     .with_source(&SourceContents::from_bytes("ca.pem", pem))
///     .build();
/// assert_eq!(anchors.len(), 1);
/// assert!(anchors.errors().is_empty());
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustAnchors {
    /// Distinct in (subject, key, name constraints), as webpki sees them.
    anchors: Vec<TrustAnchor<'static>>,
    /// For each of them, the certificates that it came from.
    certificates: Vec<Vec<Certificate>>,
    /// The names of all anchors, and how many bear each.
    subjects: HashMap<Vec<u8>, usize>,
    /// The indices of those that are known to be public.
    public: HashSet<usize>,
    /// By the index of those that browsers stop trusting: what is issued after it is refused.
    distrust_after: HashMap<usize, Timestamp>,
    list_date: Option<Timestamp>,
    /// By the index of those of whose leaves Chrome wants certain SCTs: one of these must be met.
    sct_constraints: HashMap<usize, Vec<SctConstraint>>,
    errors: Vec<AnchorError>,
}

/// An anchor that could not be used; the others still count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("trust anchor {} cannot be used: {}; {}", visible(.place), visible(.reason), visible(.advice))]
#[non_exhaustive]
pub struct AnchorError {
    /// The file that it was found in, or what the caller called it.
    pub source_name: String,
    /// Where it was found, or its number in the list given.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    advice: Cow<'static, str>,
}

impl AnchorError {
    fn new(source_name: String, place: String, reason: String) -> Self {
        Self {
            source_name,
            place,
            reason,
            advice: Cow::Borrowed("remove it or replace it"),
        }
    }
}

impl TrustAnchors {
    /// Starts with none.
    pub fn builder() -> TrustAnchorsBuilder {
        TrustAnchorsBuilder::default()
    }

    /// How many distinct anchors there are.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there are none: then nothing verifies.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors as webpki and rustls take them.
    pub fn as_slice(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// The certificates that anchors came from, in no particular order.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().flatten()
    }

    /// What could not be used.
    pub fn errors(&self) -> &[AnchorError] {
        &self.errors
    }

    /// The certificates of the anchor at this index; none where only its name and key are known.
    pub(super) fn certificates_of(&self, index: usize) -> &[Certificate] {
        self.certificates.get(index).map_or(&[], Vec::as_slice)
    }

    /// An anchor's name for people, and its SubjectPublicKeyInfo with the outer SEQUENCE that
    /// [`TrustAnchor`] lacks.
    pub(super) fn name_and_spki(&self, index: usize) -> (String, Vec<u8>) {
        let anchor = self.anchors.get(index);
        anchor.map_or_else(Default::default, |anchor| {
            let name = name_for_people(&anchor.subject);
            (name, in_sequence(&anchor.subject_public_key_info))
        })
    }

    /// What people call the anchor with this SubjectPublicKeyInfo; nothing where there is none.
    #[cfg(feature = "reload")]
    pub(crate) fn name_of_key(&self, spki: &[u8]) -> String {
        let dated = self.certificates().find(|c| c.facts().spki_der() == spki);
        if let Some(certificate) = dated {
            return certificate.short_name();
        }
        let mut names = (0..self.len()).map(|index| self.name_and_spki(index));
        let named = names.find(|(_, of_anchor)| of_anchor == spki);
        named.map(|(name, _)| name).unwrap_or_default()
    }

    /// Whether an anchor has this certificate's name and key.
    #[cfg(feature = "monitor")]
    pub(crate) fn has_key_of(&self, certificate: &Certificate) -> bool {
        let facts = certificate.facts();
        (self.anchors.iter()).any(|anchor| {
            anchor.subject.as_ref() == facts.subject_der()
                && in_sequence(&anchor.subject_public_key_info) == facts.spki_der()
        })
    }

    /// How many subtrees the name constraints of each anchor name that has any.
    pub(super) fn constraint_counts(&self) -> impl Iterator<Item = usize> {
        let constraints = self.anchors.iter();
        let constraints = constraints.filter_map(|anchor| anchor.name_constraints.as_ref());
        constraints.map(|content| count_constraints(content))
    }

    /// Whether the anchor at this index is known to be public.
    pub(super) fn is_public(&self, index: usize) -> bool {
        self.public.contains(&index)
    }

    /// Says that the anchors with a key from this list are public: the limits of the
    /// CA/Browser Forum apply to what they issue.
    #[must_use]
    pub fn with_public(mut self, list: &[TrustAnchor<'_>]) -> Self {
        let index: HashMap<_, _> = (self.anchors.iter().enumerate())
            .map(|(index, anchor)| (anchor.subject_public_key_info.to_vec(), index))
            .collect();
        let keys = list
            .iter()
            .map(|anchor| anchor.subject_public_key_info.as_ref());
        self.public.extend(keys.filter_map(|key| index.get(key)));
        self
    }

    /// Says of when the list is that they come from, where it is compiled in or shipped: neither a certificate
    /// nor `webpki-root-certs` states it. Roots that were added or distrusted since are missing in what is trusted,
    /// so a check has the finding `anchor_list_old` once it is
    /// [too old](crate::policy::ThresholdPolicyBuilder::with_anchor_list), a monitor tells the event of that name, and
    /// metrics show `notafter_anchor_list_date`. Of several dates the earliest counts. No verdict changes.
    ///
    /// # How do I hear that the roots in my program are out of date?
    /// ```
    /// use notafter::{Timestamp, TrustAnchors};
    /// # fn compiled_in() -> TrustAnchors { TrustAnchors::default() }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // A build script puts it in: `git log -1 --format=%cI Cargo.lock`, for example.
    /// let locked = option_env!("CARGO_LOCK_DATE").unwrap_or("2026-11-01T00:00:00Z");
    /// let anchors = compiled_in().with_list_date(locked.parse::<Timestamp>()?);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_list_date(mut self, date: Timestamp) -> Self {
        self.list_date = Some(self.list_date.map_or(date, |known| known.min(date)));
        self
    }

    /// Of when the list is that they come from, where that [was said](Self::with_list_date).
    pub const fn list_date(&self) -> Option<Timestamp> {
        self.list_date
    }

    /// From when on browsers trust nothing more that the anchor at this index issues.
    pub(super) fn distrust_after(&self, index: usize) -> Option<Timestamp> {
        self.distrust_after.get(&index).copied()
    }

    /// What Chrome wants of the SCTs of leaves of the anchor at this index: one of these, or nothing.
    pub(super) fn sct_constraints(&self, index: usize) -> &[SctConstraint] {
        self.sct_constraints.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Whether any anchor has this name (DER without the outer SEQUENCE).
    pub(super) fn has_subject(&self, subject: &[u8]) -> bool {
        self.count_of_subject(subject) > 0
    }

    /// How many anchors have this name.
    pub(super) fn count_of_subject(&self, subject: &[u8]) -> usize {
        self.subjects.get(subject).copied().unwrap_or(0)
    }
}

/// Gathers trust anchors.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct TrustAnchorsBuilder {
    anchors: TrustAnchors,
    index: HashMap<TrustAnchor<'static>, usize>,
    given: usize,
}

impl TrustAnchorsBuilder {
    /// Adds every certificate of a source; its failures become [`TrustAnchors::errors`].
    pub fn with_source(mut self, source: &SourceContents) -> Self {
        for found in &source.certificates {
            let place = || (source.source.to_string(), found.place.to_string());
            self.add(found.certificate.der(), place);
        }
        for failure in &source.failures {
            let reason = format!("{} ({})", failure.detail, failure.reason);
            let (name, place) = (source.source.to_string(), failure.place.to_string());
            self.anchors.errors.push(AnchorError {
                advice: failure.advice().to_owned().into(),
                ..AnchorError::new(name, place, reason)
            });
        }
        self
    }

    /// Adds certificates as anchors: their dates are remembered.
    pub fn with_certificates<'a, 'b: 'a>(
        mut self,
        certificates: impl IntoIterator<Item = &'a CertificateDer<'b>>,
    ) -> Self {
        for der in certificates {
            let number = self.given;
            let place = format!("number {number}");
            self.add(der, || (place.clone(), place.clone()));
        }
        self
    }

    /// Adds anchors of which only name and key are known, such as those of a rustls
    /// `RootCertStore`: `strict` will say "unknown" where a path ends at one.
    pub fn with_undated_anchors(
        mut self,
        anchors: impl IntoIterator<Item = TrustAnchor<'static>>,
    ) -> Self {
        for anchor in anchors {
            self.given += 1;
            self.slot(anchor);
        }
        self
    }

    /// Notes an anchor that could not even be handed in, for [`TrustAnchors::errors`].
    pub fn with_error(mut self, place: String, reason: String) -> Self {
        let error = AnchorError::new(place.clone(), place, reason);
        self.anchors.errors.push(error);
        self
    }

    /// Says that those of the anchors added until now that have a key from this list are public, as
    /// [`TrustAnchors::with_public`] does.
    pub fn with_public(mut self, list: &[TrustAnchor<'_>]) -> Self {
        self.anchors = self.anchors.with_public(list);
        self
    }

    /// Says of those of the anchors added until now that came from a certificate with one of these
    /// fingerprints (SHA-256) that browsers refuse leaves whose notBefore is later than this: Mozilla's
    /// "Distrust for TLS After Date" and Chrome's constraints, as the CCADB publishes them. Nobody but
    /// browsers goes by it, rustls not either: it makes findings (`issued_after_distrust`,
    /// `distrust_ahead`), and changes no verdict.
    ///
    /// # How do I hear that browsers stop trusting my root?
    /// ```
    /// use notafter::cert::Sha256Digest;
    /// use notafter::{Timestamp, TrustAnchors};
    /// # fn anchors(roots: &[rustls::pki_types::CertificateDer<'_>]) -> Result<TrustAnchors, Box<dyn std::error::Error>> {
    /// let entrust = "02ed0eb28c14da45165c566791700d6451d7fb56f0b2ab1d3b8eb070e56edff5";
    /// let dates = [(entrust.parse::<Sha256Digest>()?, "2024-11-30T23:59:59Z".parse::<Timestamp>()?)];
    /// Ok(TrustAnchors::builder().with_certificates(roots).with_distrust_after(dates).build())
    /// # }
    /// ```
    pub fn with_distrust_after(
        mut self,
        dates: impl IntoIterator<Item = (Sha256Digest, Timestamp)>,
    ) -> Self {
        let dates: HashMap<_, _> = dates.into_iter().collect();
        for (index, certificates) in self.anchors.certificates.iter().enumerate() {
            let of_anchor = certificates.iter().map(Certificate::fingerprint);
            let earliest = of_anchor.filter_map(|print| dates.get(&print)).min();
            if let Some(date) = earliest {
                self.anchors.distrust_after.insert(index, *date);
            }
        }
        self
    }

    /// Says of those of the anchors added until now that came from a certificate with one of these
    /// fingerprints (SHA-256) of which SCTs Chrome takes their leaves: `sct_not_after` and `sct_all_after` of
    /// its root store. Where a root is given more than once, one of its constraints must be met. Nobody else
    /// goes by them: they make the findings of
    /// [`with_distrust_after`](Self::with_distrust_after), by the SCTs that the leaf embeds, and change no
    /// verdict.
    pub fn with_sct_constraints(
        mut self,
        constraints: impl IntoIterator<Item = (Sha256Digest, SctConstraint)>,
    ) -> Self {
        let mut given: HashMap<_, Vec<_>> = HashMap::new();
        for (print, constraint) in constraints {
            given.entry(print).or_default().push(constraint);
        }
        for (index, certificates) in self.anchors.certificates.iter().enumerate() {
            let of_anchor = certificates.iter().map(Certificate::fingerprint);
            let of_anchor = of_anchor.filter_map(|print| given.get(&print)).flatten();
            let of_anchor: Vec<_> = of_anchor.copied().collect();
            if !of_anchor.is_empty() {
                let known = self.anchors.sct_constraints.entry(index).or_default();
                known.extend(of_anchor);
            }
        }
        self
    }

    /// The anchors; what could not be used is in [`TrustAnchors::errors`].
    pub fn build(self) -> TrustAnchors {
        self.anchors
    }

    fn add(&mut self, der: &CertificateDer<'_>, place: impl Fn() -> (String, String)) {
        self.given += 1;
        match webpki::anchor_from_trusted_cert(der) {
            Ok(anchor) => {
                let slot = self.slot(anchor.to_owned());
                // webpki does not read an anchor's dates: one with damaged dates is an anchor
                // still, only not a dated one.
                if let Ok(certificate) = Certificate::from_der(der) {
                    let known = self.anchors.certificates.get_mut(slot);
                    if let Some(known) = known.filter(|known| !known.contains(&certificate)) {
                        known.push(certificate);
                    }
                }
            }
            Err(error) => {
                let facts: Result<_, CertificateParseError> = CertificateFacts::parse(der);
                let reason = match facts {
                    Ok(facts) => format!("webpki says {error} of '{}'", facts.subject()),
                    Err(parse_error) => parse_error.to_string(),
                };
                let (source_name, place) = place();
                let error = AnchorError::new(source_name, place, reason);
                self.anchors.errors.push(error);
            }
        }
    }

    /// The index of this anchor, which is added if it is new.
    fn slot(&mut self, anchor: TrustAnchor<'static>) -> usize {
        let next = self.anchors.anchors.len();
        let slot = *self.index.entry(anchor.clone()).or_insert(next);
        if slot == next {
            let name = anchor.subject.to_vec();
            *self.anchors.subjects.entry(name).or_default() += 1;
            self.anchors.anchors.push(anchor);
            self.anchors.certificates.push(Vec::new());
        }
        slot
    }
}
