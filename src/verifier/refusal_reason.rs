//! Why handshakes are refused, in a bounded set of words: for counters, and for whoever explains an
//! error.

use std::fmt;

use crate::pin::PinError;

/// Makes the enum, its names and the list of all from one table. The second name is the code by which
/// an explanation calls it where it is the peer that was refused.
macro_rules! refusal_reasons {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $of_peer:literal;)+) => {
        /// Why a peer was refused. [`RefusalReason::as_str`] is stable.
        ///
        /// Reasons are few, and none is made of what a peer shows: they are safe as a metric's label.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RefusalReason {
            $($(#[$doc])+ $variant,)+
        }

        impl RefusalReason {
            /// Every reason, for metrics that want to start at zero.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable code, in snake case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What an explanation calls it where it is the peer that was refused.
            pub(crate) const fn code_of_peer(self) -> &'static str {
                match self {
                    $(Self::$variant => $of_peer,)+
                }
            }
        }
    };
}

refusal_reasons! {
    /// A certificate has expired.
    Expired = "expired", "peer_expired";
    /// A certificate is not valid yet.
    NotYetValid = "not_yet_valid", "peer_not_yet_valid";
    /// The chain leads to nobody who is trusted.
    UnknownIssuer = "unknown_issuer", "peer_unknown_issuer";
    /// The leaf is not for the name that was asked for.
    NameNotCovered = "name_not_covered", "peer_name_not_covered";
    /// The extended key usage does not allow the use.
    WrongUsage = "wrong_usage", "peer_wrong_usage";
    /// A signature in the chain does not fit its issuer's key.
    BadSignature = "bad_signature", "peer_bad_signature";
    /// A key or a signature algorithm that the crypto provider does not support.
    UnsupportedAlgorithm = "unsupported_algorithm", "peer_unsupported_algorithm";
    /// A revocation list or a staple says that a certificate is revoked.
    Revoked = "revoked", "peer_revoked";
    /// No revocation list speaks for a certificate, and one must.
    RevocationUnknown = "revocation_unknown", "peer_revocation_unknown";
    /// A revocation list that must be current is not.
    CrlExpired = "crl_expired", "peer_crl_expired";
    /// The stapled OCSP response is not what the rule asks for.
    StapleNotGood = "staple_not_good", "peer_staple_not_good";
    /// A certificate cannot be read.
    BadEncoding = "bad_encoding", "peer_bad_encoding";
    /// A certificate has a critical extension that the inner verifier does not know.
    CriticalExtension = "critical_extension", "peer_critical_extension";
    /// None of the keys that count is pinned.
    PinMismatch = "pin_mismatch", "pin_mismatch";
    /// A key was shown that is announced, and not accepted yet.
    PinAnnouncedEarly = "pin_announced_early", "pin_announced_early";
    /// A key was shown that is known to be in wrong hands.
    PinRejected = "pin_rejected", "pin_rejected";
    /// The pin set is past its date, and fails closed.
    PinSetExpired = "pin_set_expired", "pin_set_expired";
    /// Its leaf does not say who it is, where peers are known by identities.
    Unidentified = "unidentified", "peer_unidentified";
    /// It is who it says, and nobody said that it may be spoken to.
    NotAccepted = "not_accepted", "peer_not_accepted";
    /// More was presented than the bounds allow.
    PresentedTooMuch = "presented_too_much", "peer_presented_too_much";
    /// It would have been accepted, but the handshake's signature is not by its key.
    Unproven = "unproven", "peer_unproven";
    /// The application's own verifier refuses it, for a reason of its own.
    Application = "refused_by_application", "peer_refused_by_application";
    /// The inner verifier does not accept the chain for another reason.
    DoesNotVerify = "does_not_verify", "peer_does_not_verify";
    /// The inner verifier could not judge it: what it said is not about a certificate.
    NotJudged = "not_judged", "peer_not_judged";
}

impl RefusalReason {
    /// The reason of a refusal by pins, by the name of its event.
    pub(crate) fn of_pins(refusal: &PinError) -> Self {
        match refusal {
            PinError::SetExpired { .. } => Self::PinSetExpired,
            PinError::Rejected { .. } => Self::PinRejected,
            _ if refusal.accepted_from().is_some() => Self::PinAnnouncedEarly,
            _ => Self::PinMismatch,
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
