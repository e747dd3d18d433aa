//! The judge: from a chain, anchors and an instant to an outlook for each relying party.

use std::cell::RefCell;
use std::sync::Arc;

use pki_types::ServerName;
use webpki::{EndEntityCert, KeyPurposeId, KeyUsage};

use super::budget::Budget;
use super::horizon::{Horizon, RelyingParty};
use super::paths::{FoundPath, PathSearch, SearchRules};
use super::{
    ChainOutlook, Outlook, PeerOutlook, Refusal, Timeline, TrustAnchors, TrustGeneration,
    VerifiedCertificates,
};
use crate::cert::{Certificate, SignatureAlgorithms};
use crate::revocation::Crls;
use crate::time::Timestamp;

/// What the leaf is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Usage {
    /// It names a TLS server (extended key usage serverAuth, where it has any).
    ServerAuth,
    /// It names a TLS client (clientAuth).
    ClientAuth,
}

impl Usage {
    fn key_usage(self) -> KeyUsage {
        match self {
            Self::ServerAuth => KeyUsage::server_auth(),
            Self::ClientAuth => KeyUsage::client_auth(),
        }
    }

    /// The purpose that this requires (RFC 5280, 4.2.1.12): id-kp-serverAuth, id-kp-clientAuth.
    const fn purpose(self) -> KeyPurposeId<'static> {
        KeyPurposeId::new(self.purpose_oid())
    }

    /// The content octets of that purpose's OID.
    pub(crate) const fn purpose_oid(self) -> &'static [u8] {
        match self {
            Self::ServerAuth => &[0x2b, 6, 1, 5, 5, 7, 3, 1],
            Self::ClientAuth => &[0x2b, 6, 1, 5, 5, 7, 3, 2],
        }
    }
}

/// Judges chains by one set of anchors, for one usage; webpki decides about every path.
///
/// Times are arguments: any instant can be asked about. The first certificate of a chain is its
/// leaf, the others are candidates for intermediates in any order.
///
/// # Bounds
/// An answer is a count of work, never a time, so the same question has the same answer on every
/// machine. At most 512 certificates and 1 MiB of them are looked at behind the leaf (rustls takes
/// no handshake message over 64 KiB). Over all that it makes webpki do, an answer has one budget
/// of parses, signatures and instants, which [`ChainJudge::report`] and [`ChainJudge::timeline`]
/// use up in about 20 milliseconds on the machine of `docs/PERFORMANCE.md`; besides, it asks about
/// at most 64 instants and holds at most 256 paths. [`ChainJudge::handshake`] looks for its first
/// path as long as webpki does, and for better ones at most six times as long as that took. What
/// is over says `complete: false`.
///
/// # Until when does this chain verify, and which certificate ends it?
/// ```
/// use notafter::{ChainJudge, TrustAnchors};
/// use notafter::source::SourceContents;
/// use notafter::outlook::Usage;
/// # macro_rules! pem { ($name:literal) => { include_str!(concat!(
/// #     "../../tests/data/incidents/addtrust-2020-comodo-rsa/certs/", $name, ".pem")) } }
/// # let root = pem!("addtrust-root");
/// # let chain = concat!(pem!("leaf"), pem!("comodo-rsa-ov"), pem!("comodo-rsa-ca-by-addtrust"));
/// # let (root, chain) = (root.as_bytes(), chain.as_bytes());
/// # let provider = rustls::crypto::ring::default_provider();
/// let anchors = TrustAnchors::builder()
///     .with_source(&SourceContents::from_bytes("root.pem", root))
///     .build();
/// let algorithms = provider.signature_verification_algorithms.all;
/// let judge = ChainJudge::new(anchors, algorithms, Usage::ServerAuth);
///
/// let chain: Vec<_> = SourceContents::from_bytes("served.pem", chain)
///     .certificates.into_iter().map(|found| found.certificate).collect();
/// let outlook = judge.report(&chain, None, "2020-05-01T00:00:00Z".parse()?);
/// assert_eq!(outlook.rustls.effective_not_after, Some("2020-05-30T10:48:38Z".parse()?));
/// assert_eq!(outlook.rustls.limiting.unwrap().position.to_string(), "intermediate 1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChainJudge {
    anchors: Arc<TrustAnchors>,
    algorithms: SignatureAlgorithms,
    usage: Usage,
    crls: Crls,
}

impl ChainJudge {
    /// A judge with these anchors and signature algorithms (a rustls provider lists its own in
    /// `signature_verification_algorithms.all`).
    pub fn new(
        anchors: impl Into<Arc<TrustAnchors>>,
        algorithms: SignatureAlgorithms,
        usage: Usage,
    ) -> Self {
        Self {
            anchors: anchors.into(),
            algorithms,
            usage,
            crls: Crls::default(),
        }
    }

    /// Makes a judge by the anchors and lists of one generation: those of
    /// [`TrustInForce::generation`](super::TrustInForce::generation) are what counts now. Where its
    /// epoch has changed, make another judge.
    ///
    /// # Would this peer still be accepted, now that roots and lists have changed?
    /// ```
    /// use notafter::{Certificate, ChainJudge, Timestamp};
    /// use notafter::outlook::{TrustInForce, Usage};
    /// fn is_accepted(trust: &dyn TrustInForce, client: &[Certificate], now: Timestamp) -> bool {
    ///     let provider = rustls::crypto::ring::default_provider();
    ///     let algorithms = provider.signature_verification_algorithms.all;
    ///     let judge = ChainJudge::from_generation(&trust.generation(), algorithms, Usage::ClientAuth);
    ///     judge.report(client, None, now).rustls.refusal.is_none()
    /// }
    /// ```
    pub fn from_generation(
        generation: &TrustGeneration,
        algorithms: SignatureAlgorithms,
        usage: Usage,
    ) -> Self {
        let judge = Self::new(Arc::clone(&generation.anchors), algorithms, usage);
        judge.with_crls(generation.crls.clone())
    }

    /// Looks certificates up in these revocation lists, as a rustls verifier with the same lists
    /// and rules would.
    #[must_use]
    pub fn with_crls(mut self, crls: Crls) -> Self {
        self.crls = crls;
        self
    }

    /// One with these anchors instead, and without lists.
    #[cfg(feature = "monitor")]
    pub(crate) fn with_anchors_alone(&self, anchors: impl Into<Arc<TrustAnchors>>) -> Self {
        Self::new(anchors, self.algorithms, self.usage)
    }

    /// The signature algorithms that it judges by.
    #[cfg(feature = "monitor")]
    pub(crate) const fn algorithms(&self) -> SignatureAlgorithms {
        self.algorithms
    }

    /// The anchors that it judges by.
    pub fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// The whole outlook of a chain at `now`: all paths, both relying parties.
    ///
    /// With `name`, the leaf must cover it. A chain with one path costs one verification; each
    /// further path costs the signatures that it does not share.
    pub fn report(
        &self,
        chain: &[Certificate],
        name: Option<&ServerName<'_>>,
        now: Timestamp,
    ) -> ChainOutlook {
        self.report_within(chain, name, now, &Budget::of_report())
    }

    /// The same for what is left of a budget.
    pub(crate) fn report_within(
        &self,
        chain: &[Certificate],
        name: Option<&ServerName<'_>>,
        now: Timestamp,
        budget: &Budget,
    ) -> ChainOutlook {
        match self.search(chain, budget) {
            Ok(search) => Self::outlook(&search, &mut Horizon::of_all_paths(&search), name, now),
            Err(refusal) => refused_by_all(refusal, 0),
        }
    }

    /// Outlook and timeline of one chain together; no timeline where webpki does not take the leaf.
    /// The timeline does not ask for the name.
    #[cfg(feature = "monitor")]
    pub(crate) fn examine(
        &self,
        chain: &[Certificate],
        name: Option<&ServerName<'_>>,
        now: Timestamp,
        budget: &Budget,
    ) -> (ChainOutlook, Option<Timeline>) {
        match self.search(chain, budget) {
            Ok(search) => {
                let mut horizon = Horizon::of_all_paths(&search);
                let outlook = Self::outlook(&search, &mut horizon, name, now);
                (outlook, Some(Timeline::of(&search, Some(&horizon))))
            }
            Err(refusal) => (refused_by_all(refusal, 0), None),
        }
    }

    fn outlook<'a>(
        search: &PathSearch<'a>,
        horizon: &mut Horizon<'_, 'a>,
        name: Option<&ServerName<'_>>,
        now: Timestamp,
    ) -> ChainOutlook {
        let error = match horizon.ask(now, 1) {
            Ok(error) => error,
            Err(refusal) => return refused_by_all(refusal, 0),
        };
        let paths = horizon.ways_at(RelyingParty::Rustls, now).len();
        if paths == 0 {
            let refusal = Refusal::from_search(&error, search, now);
            let refused = Outlook::refused(refusal, 0, horizon.is_complete());
            return ChainOutlook {
                rustls: refused.clone(),
                strict: Some(refused),
                longest_path: Vec::new(),
            };
        }
        let longest_path = horizon.longest_path(now);
        let uncovered = name.and_then(|name| Self::covers(search.leaf(), name).err());
        if let Some(refusal) = uncovered {
            return ChainOutlook {
                longest_path,
                ..refused_by_all(refusal, paths)
            };
        }
        ChainOutlook {
            rustls: horizon.outlook(RelyingParty::Rustls, now),
            strict: horizon
                .knows_anchor_dates(Some(now))
                .then(|| horizon.outlook(RelyingParty::Strict, now)),
            longest_path,
        }
    }

    /// When a chain verifies, from 1970 to its leaf's end, gaps included.
    ///
    /// Asks webpki at every instant at which a presented certificate begins, no more.
    /// With `name`, a leaf that does not cover it never verifies.
    ///
    /// # Errors
    /// [`Refusal`] where webpki does not accept the leaf as an end-entity certificate at all, or
    /// the leaf does not cover the name.
    pub fn timeline(
        &self,
        chain: &[Certificate],
        name: Option<&ServerName<'_>>,
    ) -> Result<Timeline, Refusal> {
        let budget = Budget::of_report();
        let search = self.search(chain, &budget)?;
        if let Some(name) = name {
            Self::covers(search.leaf(), name)?;
        }
        Ok(Timeline::of(&search, None))
    }

    /// The outlook of a chain that a handshake just accepted: stops at the first path that lasts
    /// as long as the leaf, since nothing lasts longer.
    ///
    /// It finds a path wherever webpki does.
    ///
    /// # Errors
    /// [`Refusal`] where no path verifies at `now` by this judge's own anchors;
    /// [`Refusal::TooComplex`] where none was found, but not everything was looked at.
    pub fn handshake(&self, chain: &[Certificate], now: Timestamp) -> Result<PeerOutlook, Refusal> {
        let budget = Budget::of_handshake();
        let search = self.search(chain, &budget)?;
        let mut horizon = Horizon::of_lasting_path(&search);
        let error = horizon.ask(now, 1)?;
        match horizon.end(RelyingParty::Rustls, now) {
            Some((effective_not_after, limiting)) => Ok(PeerOutlook {
                effective_not_after,
                limiting,
                complete: horizon.is_complete(),
                path: horizon.longest_path(now),
            }),
            None if horizon.is_complete() => Err(Refusal::from_search(&error, &search, now)),
            None => Err(Refusal::too_complex(error)),
        }
    }

    /// Asks about every path that verifies at `now`, one after the other, until an answer is
    /// found. At least the path by which webpki accepts the chain is asked about.
    ///
    /// # Errors
    /// [`Refusal`] where no path verifies; [`Refusal::TooComplex`] where there is no answer, but a
    /// budget may have hidden a path that was not asked about.
    pub(crate) fn find_path<T>(
        &self,
        chain: &[Certificate],
        now: Timestamp,
        mut ask: impl FnMut(VerifiedCertificates<'_>) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let budget = Budget::of_handshake();
        let search = self.search(chain, &budget)?;
        let at = now.to_unix_time().ok_or(Refusal::BeforeEpoch { now })?;
        let answer = RefCell::new(None);
        let ask = RefCell::new(&mut ask);
        let wanted = |path: &FoundPath| {
            if answer.borrow().is_some() {
                return true;
            }
            let Some(anchor_spki) = search.anchor_spki(path) else {
                return false;
            };
            let certificates = search.certificates(path);
            let verified = VerifiedCertificates {
                certificates,
                anchor_spki,
            };
            let found = (ask.borrow_mut())(verified);
            *answer.borrow_mut() = found;
            answer.borrow().is_some()
        };
        let found = search.at(at, 1, wanted);
        match answer.into_inner() {
            Some(answer) => Ok(Some(answer)),
            None if !found.complete => Err(Refusal::too_complex(found.error)),
            None if found.paths.is_empty() => Err(Refusal::from_search(&found.error, &search, now)),
            None => Ok(None),
        }
    }

    /// Whether a leaf covers a DNS name or an IP address, by webpki's rules.
    ///
    /// # Errors
    /// [`Refusal::NameNotCovered`] with the names that it does cover.
    pub fn covers(leaf: &Certificate, name: &ServerName<'_>) -> Result<(), Refusal> {
        let leaf = EndEntityCert::try_from(leaf.der());
        let leaf = leaf.map_err(|error| Refusal::LeafUnusable { error })?;
        let covers = leaf.verify_is_valid_for_subject_name(name);
        covers.map_err(|error| Refusal::from_name(error, name))
    }

    fn search<'a>(
        &'a self,
        chain: &'a [Certificate],
        budget: &'a Budget,
    ) -> Result<PathSearch<'a>, Refusal> {
        let (leaf, presented) = chain.split_first().ok_or(Refusal::NoCertificate)?;
        let rules = SearchRules {
            algorithms: self.algorithms,
            usage: self.usage.key_usage(),
            purpose: self.usage.purpose(),
            crls: &self.crls,
        };
        let search = PathSearch::new(leaf, presented, &self.anchors, rules, budget);
        search.map_err(|error| Refusal::LeafUnusable { error })
    }
}

fn refused_by_all(refusal: Refusal, paths: usize) -> ChainOutlook {
    let outlook = Outlook::refused(refusal, paths, true);
    ChainOutlook {
        rustls: outlook.clone(),
        strict: Some(outlook),
        longest_path: Vec::new(),
    }
}
