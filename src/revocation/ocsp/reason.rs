//! The whys: of a revocation, of a responder that gave no answer, of a staple that does not count.

use std::fmt;

use thiserror::Error;

use crate::time::Timestamp;

/// Why a certificate was revoked, by the names of RFC 5280, 5.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevocationReason {
    /// No reason is given.
    Unspecified,
    /// The private key is, or may be, in other hands.
    KeyCompromise,
    /// The CA's private key is, or may be, in other hands.
    CaCompromise,
    /// A name in the certificate is no longer right.
    AffiliationChanged,
    /// Another certificate took its place.
    Superseded,
    /// It is no longer needed for what it was issued for.
    CessationOfOperation,
    /// It is suspended: the only revocation that may be lifted again.
    CertificateHold,
    /// It is to be taken from the list (delta CRLs).
    RemoveFromCrl,
    /// A privilege in the certificate was withdrawn.
    PrivilegeWithdrawn,
    /// The attribute authority's key is, or may be, in other hands.
    AaCompromise,
}

impl RevocationReason {
    /// The name in RFC 5280, 5.3.1: `keyCompromise`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a responder gave no answer (OCSPResponseStatus, RFC 6960, 4.2.1). Such a response is not
/// signed: anyone can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponderStatus {
    /// The responder did not understand the request.
    MalformedRequest,
    /// The responder is in trouble.
    InternalError,
    /// The responder cannot answer now.
    TryLater,
    /// The responder answers only signed requests.
    SigRequired,
    /// The responder does not answer this client, or not for this certificate (RFC 5019, 2.2.3).
    Unauthorized,
}

impl ResponderStatus {
    /// The stable code, in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed_request",
            Self::InternalError => "internal_error",
            Self::TryLater => "try_later",
            Self::SigRequired => "sig_required",
            Self::Unauthorized => "unauthorized",
        }
    }

    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::MalformedRequest => "check the OCSP request that was sent",
            Self::InternalError => "ask again later, and tell the CA if it lasts",
            Self::TryLater => "ask again later",
            Self::SigRequired => "sign the request, or use another responder of the CA",
            Self::Unauthorized => {
                "check that the request names this certificate and goes to its own CA's responder"
            }
        }
    }
}

impl fmt::Display for ResponderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why no signature counts that was found (RFC 6960, 4.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureProblem {
    /// The responderID names neither the issuer nor a certificate inside of the response.
    #[error(
        "its responderID is neither the issuer nor a certificate in the response: fetch it again from the responder that the certificate names"
    )]
    NoResponder,
    /// The signature was not made by the key that the responderID names, over these bytes.
    #[error(
        "the key that its responderID names did not sign these bytes: it is forged or damaged, fetch it again"
    )]
    NotSignedByResponder,
    /// The delegated responder was not issued by exactly the leaf's issuer.
    #[error(
        "its responder certificate was not issued by the leaf's own issuer: fetch it again from the responder that the certificate names"
    )]
    ResponderNotIssuedByIssuer,
    /// The delegated responder's certificate lacks id-kp-OCSPSigning.
    #[error(
        "its responder certificate may not sign OCSP responses (no OCSPSigning in its extended key usage): tell the CA"
    )]
    ResponderNotAuthorized,
    /// The delegated responder's certificate is over.
    #[error("its responder certificate expired at {not_after}: fetch a fresh staple")]
    ResponderExpired {
        /// Its last good second.
        not_after: Timestamp,
    },
    /// The delegated responder's certificate has not begun.
    #[error("its responder certificate is not valid before {not_before}: check the clock")]
    ResponderNotYetValid {
        /// Its first good second.
        not_before: Timestamp,
    },
    /// The delegated responder's certificate cannot be read, or demands what is not understood.
    #[error("its responder certificate cannot be used ({reason}): tell the CA")]
    ResponderUnusable {
        /// Why.
        reason: String,
    },
}

/// Why the bytes are not a staple that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnreadableStaple {
    /// More bytes than are looked at.
    #[error(
        "it has {bytes} bytes, more than the limit of {limit}: fetch it again, or raise the limit"
    )]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are looked at.
        limit: usize,
    },
    /// Not the DER of an OCSPResponse.
    #[error("it is not a DER OCSP response ({reason}): fetch it again")]
    Malformed {
        /// What the parser says, with the place.
        reason: String,
    },
    /// It says successful, but holds no answer.
    #[error("it says successful but holds no answer: tell the CA")]
    NoAnswer,
    /// An answer of another type than id-pkix-ocsp-basic (RFC 6960, 4.2.1).
    #[error("its response type {oid} is not id-pkix-ocsp-basic: tell the CA")]
    UnknownResponseType {
        /// The type's OID.
        oid: String,
    },
    /// An extension marked critical that is not understood (RFC 6960, 4.4).
    #[error("its critical extension {oid} is not understood: use a responder that does without")]
    UnknownCriticalExtension {
        /// The extension's OID.
        oid: String,
    },
    /// The issuer's public key cannot be read, so nothing can be compared with it.
    #[error(
        "the issuer's own public key cannot be read: give the certificate that issued the leaf"
    )]
    IssuerKey,
}
