//! What a self-check says of one chain, as data.

use crate::cert::{Certificate, Sha256Digest};
use crate::outlook::{Outlook, Position, Timeline};
use crate::policy::Band;
use crate::time::Timestamp;
use crate::transparency::SctVerdict;

/// One chain, or one certificate of a collection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChainReport {
    /// The file or endpoint that it came from.
    pub source: String,
    /// The other sources that hold the same certificate, where it is one of a collection: it is
    /// reported once.
    pub also_in: Vec<String>,
    /// How it stands: the worst band of the certificates on the path that lasts longest (of all
    /// certificates where no path verifies), or broken.
    pub band: Band,
    /// The certificates as they were presented.
    pub certificates: Vec<ReportedCertificate>,
    /// Its outlook for rustls; `None` for a certificate of a collection that no outlook fits, and for a
    /// chain that is judged by its dates alone.
    pub rustls: Option<Outlook>,
    /// Its outlook for relying parties that count anchors' dates; also `None` where an anchor's
    /// dates are unknown.
    pub strict: Option<Outlook>,
    /// When it verifies, gaps included, whatever the expected names; `None` for certificates of a
    /// collection, and where webpki does not take the leaf.
    pub timeline: Option<Timeline>,
    /// Its stapled OCSP response; `None` where none is known of, or the feature `ocsp` is off.
    pub staple: Option<StapleReport>,
    /// Whether browsers take its SCTs; `None` where there is no list of logs to judge by, or nobody asks for them.
    pub scts: Option<SctVerdict>,
}

/// A presented certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportedCertificate {
    /// Its position among the presented ones.
    pub position: Position,
    /// The certificate.
    pub certificate: Certificate,
}

/// What a chain's stapled OCSP response comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StapleReport {
    /// The stable code of its status: `good`, `revoked`, `stale`, ...
    pub code: &'static str,
    /// What that means for the leaf.
    pub verdict: StapleVerdict,
    /// SHA-256 over the leaf that it was judged for.
    pub sha256: Sha256Digest,
    /// Its cliff: the last second at which it says good. `None` where it does not.
    pub good_until: Option<Timestamp>,
    /// thisUpdate, where it could be read.
    pub this_update: Option<Timestamp>,
    /// nextUpdate, where it states one.
    pub next_update: Option<Timestamp>,
    /// Whether the leaf asks for a staple (RFC 7633).
    pub must_staple: bool,
    /// A sentence that says what to do.
    pub message: String,
}

/// What a stapled OCSP response means for its leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StapleVerdict {
    /// Its issuer says that it is not revoked.
    Good,
    /// Its issuer says that it is revoked.
    Revoked,
    /// It says nothing that counts: clients treat it as no staple at all.
    NotGood,
}

impl ChainReport {
    /// The last second until which rustls accepts it, or, where only dates were judged, the first
    /// notAfter among its certificates. `None` where it does not verify.
    pub fn ends(&self) -> Option<Timestamp> {
        match &self.rustls {
            Some(outlook) => outlook.effective_not_after,
            None => {
                let certificates = self.certificates.iter();
                certificates.map(|c| c.certificate.not_after()).min()
            }
        }
    }

    /// The last second until which OpenSSL accepts it, from `now` on without a gap: of several
    /// issuers it takes the first that fits and does not go back, and it refuses the very second of
    /// notAfter. `Some(None)` where it refuses it now; `None` where that cannot be foreseen (see
    /// [`Timeline::openssl`]).
    ///
    /// # Until when do curl, Python and nginx accept this chain?
    /// By default they verify with OpenSSL: ask for this end besides the others. Like the timeline,
    /// it does not look at names.
    pub fn openssl_ends(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let windows = self.timeline.as_ref()?.openssl.as_ref()?;
        let lit = windows.iter().find(|window| window.contains(now));
        Some(lit.map(|window| window.not_after))
    }
}
