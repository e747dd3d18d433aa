//! The judge of staples: from bytes, leaf, issuer and instant to an outlook.

use std::time::Duration;

use x509_cert::ext::pkix::CrlReason;
use x509_ocsp::{CertStatus, SingleResponse};

use super::cert_id::Asked;
use super::outlook::StatedDates;
use super::responder::{Issuer, find_signer};
use super::response::{BasicResponse, basic_response, instant, refuse_critical};
use super::signature::PublicKey;
use super::{RevocationReason, StapleOutlook, StapleStatus, UnreadableStaple};
use crate::cert::{Certificate, SignatureAlgorithms, is_issued_by};
use crate::time::Timestamp;
use crate::time::span::whole_seconds;

/// An answer without nextUpdate counts for so long: 10 days.
const AGE_WITHOUT_NEXT_UPDATE: Duration = Duration::from_secs(10 * 86_400);

/// Judges stapled OCSP responses (RFC 6960; RFC 5019 for what servers staple).
///
/// It asks: is this answer about this certificate, did its issuer or a responder that the issuer
/// authorized sign it, and does it count now? It does not ask whether leaf and issuer verify
/// themselves, nor whether a delegated responder's certificate was revoked. Signatures are verified
/// over the bytes as received, with the algorithms given: rustls's providers have none with SHA-1,
/// and staples signed so are [`StapleStatus::UnsupportedSignature`].
///
/// # What does this staple say, and until when?
/// ```
/// use notafter::Certificate;
/// use notafter::revocation::StapleJudge;
/// # use notafter::source::SourceContents;
/// # macro_rules! data { ($name:literal) => {
/// #     include_bytes!(concat!("../../../tests/data/staples/", $name)) } }
/// # let read = |pem: &[u8]| SourceContents::from_bytes("", pem).certificates.remove(0).certificate;
/// # let (leaf, issuer) = (read(data!("leaf.pem")), read(data!("issuer.pem")));
/// # let staple: &[u8] = data!("good.der");
/// # let provider = rustls::crypto::ring::default_provider();
/// let algorithms = provider.signature_verification_algorithms.all;
/// let judge = StapleJudge::new();
/// let outlook = judge.judge(staple, &leaf, &issuer, algorithms, "2026-01-01T00:00:00Z".parse()?);
/// assert_eq!(outlook.good_until(), Some("2026-01-08T00:00:00Z".parse()?));
///
/// let outlook = judge.judge(staple, &leaf, &issuer, algorithms, "2026-01-08T00:00:01Z".parse()?);
/// assert_eq!(outlook.code(), "stale");
/// # Ok::<(), notafter::time::TimestampParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StapleJudge {
    max_age: Option<Duration>,
    skew_tolerance: Duration,
    max_bytes: usize,
}

impl Default for StapleJudge {
    fn default() -> Self {
        Self::new()
    }
}

impl StapleJudge {
    /// A judge that takes nextUpdate at its word, lets an answer without nextUpdate count for 10
    /// days, tolerates 5 minutes of clock skew, and looks at 64 KiB.
    pub const fn new() -> Self {
        Self {
            max_age: None,
            skew_tolerance: Duration::from_secs(300),
            max_bytes: 64 * 1024,
        }
    }

    /// No answer counts longer after its thisUpdate, whatever its nextUpdate says. Parts of a second
    /// are dropped.
    #[must_use]
    pub const fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// So far thisUpdate may lie in the future. Parts of a second are dropped.
    #[must_use]
    pub const fn with_skew_tolerance(mut self, tolerance: Duration) -> Self {
        self.skew_tolerance = tolerance;
        self
    }

    /// Longer responses are not looked at.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Judges a staple by the first of these certificates that issued the leaf and that it fits:
    /// anyone can send a certificate with the issuer's name along, so only those count whose key
    /// signed the leaf. `None` where there are none; that a staple is missing can be said without.
    pub(crate) fn judge_among<'c>(
        &self,
        response: &[u8],
        leaf: &'c Certificate,
        candidates: impl Iterator<Item = &'c Certificate>,
        algorithms: SignatureAlgorithms,
        now: Timestamp,
    ) -> Option<StapleOutlook> {
        let issuers = candidates.filter(|issuer| is_issued_by(leaf, issuer, algorithms));
        let fallback = response.is_empty().then_some(leaf);
        let mut first = None;
        for issuer in issuers.chain(fallback) {
            let outlook = self.judge(response, leaf, issuer, algorithms, now);
            // A CA with two names for one key, or a responder of another certificate of it.
            let unfit = matches!(
                outlook.status,
                StapleStatus::BadSignature { .. } | StapleStatus::WrongCertificate { .. }
            );
            if !unfit {
                return Some(outlook);
            }
            first = first.or(Some(outlook));
        }
        first
    }

    /// Judges the bytes of an OCSPResponse as a staple for `leaf`, which `issuer` issued, at `now`.
    ///
    /// `issuer` must be the certificate whose key signed the leaf, as on a verified path: one that
    /// only bears the issuer's name could vouch for anything.
    ///
    /// `algorithms` are a crypto provider's (rustls lists them in
    /// `signature_verification_algorithms.all`). Where several answers are about the leaf, the one
    /// with the latest thisUpdate counts, and among equals the worst.
    pub fn judge(
        &self,
        response: &[u8],
        leaf: &Certificate,
        issuer: &Certificate,
        algorithms: SignatureAlgorithms,
        now: Timestamp,
    ) -> StapleOutlook {
        let mut dates = StatedDates::default();
        let status = self.status(response, (leaf, issuer), algorithms, now, &mut dates);
        let status = status.unwrap_or_else(|refusal| refusal);
        StapleOutlook::new(status, dates, (response, leaf), now)
    }

    /// # Errors
    /// The statuses that do not stand on a signature.
    fn status(
        &self,
        response: &[u8],
        (leaf, issuer): (&Certificate, &Certificate),
        algorithms: SignatureAlgorithms,
        now: Timestamp,
        dates: &mut StatedDates,
    ) -> Result<StapleStatus, StapleStatus> {
        if response.is_empty() {
            return Err(StapleStatus::Absent);
        }
        if response.len() > self.max_bytes {
            let (bytes, limit) = (response.len(), self.max_bytes);
            return Err(UnreadableStaple::TooLarge { bytes, limit }.into());
        }
        let basic = basic_response(response)?;
        let basic = BasicResponse::parse(&basic)?;
        let produced_at = instant(basic.data.produced_at);
        dates.produced_at = Some(produced_at);
        let issuer = Issuer {
            certificate: issuer,
            key: PublicKey::of(issuer).map_err(|_| UnreadableStaple::IssuerKey)?,
        };
        let asked = Asked::new(leaf, &issuer.key);
        let answers = &basic.data.responses;
        let ours = answers.iter().filter(|a| asked.is_subject_of(&a.cert_id));
        let Some(answer) = ours.max_by_key(|a| (instant(a.this_update), severity(a))) else {
            return Err(StapleStatus::WrongCertificate {
                serial: leaf.serial_hex(),
                answers: answers.len(),
            });
        };
        let this_update = instant(answer.this_update);
        dates.this_update = Some(this_update);
        dates.next_update = answer.next_update.map(instant);
        refuse_critical(answer.single_extensions.as_deref())?;

        // A delegated responder must have been authorized while its answer counted: now, or when a
        // stale answer ended. A final revocation stays, so there it is when it was signed.
        let end = self.end_of(this_update, dates.next_update);
        let is_final = is_final_revocation(&answer.cert_status);
        let authorized_at = if is_final {
            produced_at
        } else {
            now.max(this_update).min(end)
        };
        let responder = find_signer(&basic, &issuer, algorithms, authorized_at)?;
        let until = responder.map_or(end, |validity| end.min(validity.not_after));
        let status = match answer.cert_status {
            CertStatus::Good(_) => StapleStatus::Good { until },
            CertStatus::Unknown(_) => StapleStatus::Unknown { until },
            CertStatus::Revoked(info) => StapleStatus::Revoked {
                since: instant(info.revocation_time),
                reason: info.revocation_reason.map(reason),
            },
        };
        if is_final {
            return Ok(status);
        }
        let ahead = this_update.seconds_since(now);
        if ahead > whole_seconds(self.skew_tolerance) {
            return Ok(StapleStatus::NotYetValid {
                this_update,
                seconds: ahead,
            });
        }
        if now > until {
            return Ok(StapleStatus::Stale {
                until,
                seconds: now.seconds_since(until),
            });
        }
        Ok(status)
    }

    /// The last second at which an answer with these dates counts.
    fn end_of(&self, this_update: Timestamp, next_update: Option<Timestamp>) -> Timestamp {
        let oldest = |age| this_update.saturating_add(whole_seconds(age));
        match (next_update, self.max_age) {
            (Some(next_update), Some(age)) => next_update.min(oldest(age)),
            (Some(next_update), None) => next_update,
            (None, age) => oldest(age.unwrap_or(AGE_WITHOUT_NEXT_UPDATE)),
        }
    }
}

const fn severity(answer: &SingleResponse) -> u8 {
    match answer.cert_status {
        CertStatus::Good(_) => 0,
        CertStatus::Unknown(_) => 1,
        CertStatus::Revoked(_) => 2,
    }
}

/// Whether it is a revocation that cannot be lifted: any but certificateHold, which removeFromCRL
/// ends (RFC 5280, 5.3.1).
const fn is_final_revocation(status: &CertStatus) -> bool {
    use CrlReason::{CertificateHold, RemoveFromCRL};
    match status {
        CertStatus::Good(_) | CertStatus::Unknown(_) => false,
        CertStatus::Revoked(info) => !matches!(
            info.revocation_reason,
            Some(CertificateHold | RemoveFromCRL)
        ),
    }
}

const fn reason(reason: CrlReason) -> RevocationReason {
    match reason {
        CrlReason::Unspecified => RevocationReason::Unspecified,
        CrlReason::KeyCompromise => RevocationReason::KeyCompromise,
        CrlReason::CaCompromise => RevocationReason::CaCompromise,
        CrlReason::AffiliationChanged => RevocationReason::AffiliationChanged,
        CrlReason::Superseded => RevocationReason::Superseded,
        CrlReason::CessationOfOperation => RevocationReason::CessationOfOperation,
        CrlReason::CertificateHold => RevocationReason::CertificateHold,
        CrlReason::RemoveFromCRL => RevocationReason::RemoveFromCrl,
        CrlReason::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        CrlReason::AaCompromise => RevocationReason::AaCompromise,
    }
}
