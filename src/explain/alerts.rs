//! What an alert of the peer means (RFC 8446, 6.2; RFC 5246, 7.2.2; the registry of IANA).

use rustls::AlertDescription;

use super::explanation::{Detail, Explanation, Whose};
use crate::verifier::RefusalReason;

/// What one alert means.
struct Meaning {
    whose: Whose,
    reason: Option<RefusalReason>,
    code: &'static str,
    sentence: &'static str,
}

/// The peer refused our own certificate.
const fn own(reason: RefusalReason, code: &'static str, sentence: &'static str) -> Meaning {
    Meaning {
        whose: Whose::Own,
        reason: Some(reason),
        code,
        sentence,
    }
}

/// It is no certificate that the peer complains about.
const fn neither(code: &'static str, sentence: &'static str) -> Meaning {
    Meaning {
        whose: Whose::Neither,
        reason: None,
        code,
        sentence,
    }
}

/// What it means that the peer sent this alert.
pub(super) fn explain_alert(alert: AlertDescription) -> Explanation {
    let Meaning {
        whose,
        reason,
        code,
        sentence,
    } = meaning(alert);
    Explanation {
        reason,
        detail: Detail::Alert(u8::from(alert)),
        sentence: Some(sentence),
        ..Explanation::new(whose, code)
    }
}

/// Explains the error code with which the *peer* closed a QUIC connection: those from 0x0100 on are its alerts
/// (RFC 9001, 4.8); `None` for every other.
///
/// In QUIC no error of rustls's travels with a connection that was closed. quinn has the code in
/// `ConnectionError::ConnectionClosed`; what *this* side refused is in its `TransportError`, in words alone.
///
/// # Why did the server close my QUIC connection?
/// ```
/// use notafter::explain::explain_quic_close;
/// // u64::from(close.error_code), of a `quinn::ConnectionClose`
/// assert_eq!(explain_quic_close(0x0100 + 45).unwrap().code(), "own_expired");
/// assert!(explain_quic_close(0x0a).is_none()); // PROTOCOL_VIOLATION
/// ```
pub fn explain_quic_close(code: u64) -> Option<Explanation> {
    let alert = code.checked_sub(0x0100)?;
    Some(explain_alert(u8::try_from(alert).ok()?.into()))
}

/// The alert that rustls writes so.
///
/// Of an error of the connection, h2 keeps no more than its text, so under HTTP/2 this is all that is
/// left of the alert by which a TLS 1.3 server refuses a client. The text is compared with what this very
/// rustls writes; nothing is read out of it.
pub(super) fn alert_written_as(text: &str) -> Option<AlertDescription> {
    let mut alerts = (u8::MIN..=u8::MAX).map(AlertDescription::from);
    alerts.find(|alert| rustls::Error::AlertReceived(*alert).to_string() == text)
}

fn meaning(alert: AlertDescription) -> Meaning {
    use RefusalReason as Reason;
    match alert {
        AlertDescription::CertificateExpired => own(
            Reason::Expired,
            "own_expired",
            "the peer refused our own certificate: by its clock, a certificate that we show has expired, or \
             is not valid yet: look at what we show, renew it and reload; if all of it is within its dates, \
             the peer's clock is wrong",
        ),
        AlertDescription::UnknownCA => own(
            Reason::UnknownIssuer,
            "own_unknown_issuer",
            "the peer refused our own certificate: it leads to no CA that the peer trusts (or the peer \
             cannot learn whether it is revoked): see that we show all intermediates, and that the peer \
             trusts our CA",
        ),
        AlertDescription::CertificateRevoked => own(
            Reason::Revoked,
            "own_revoked",
            "the peer refused our own certificate: it is revoked: replace it, and find out why",
        ),
        AlertDescription::BadCertificate => own(
            Reason::DoesNotVerify,
            "own_bad_certificate",
            "the peer refused our own certificate: it takes it for damaged, or it is not for the name that \
             the peer connected to: look at what we show, and at its names",
        ),
        AlertDescription::UnsupportedCertificate => own(
            Reason::WrongUsage,
            "own_unsupported_certificate",
            "the peer refused our own certificate: its extended key usage does not allow this use, or the \
             peer does not support its kind of key: order one for servers (or for clients)",
        ),
        AlertDescription::CertificateUnknown => own(
            Reason::DoesNotVerify,
            "own_certificate_unknown",
            "the peer refused our own certificate, for a reason that it does not say (pins of its own, for \
             example): ask its operator, with the instant",
        ),
        AlertDescription::AccessDenied => own(
            Reason::Application,
            "own_access_denied",
            "the peer accepts our own certificate, and does not let us in: have its operator allow us",
        ),
        AlertDescription::DecryptError => own(
            Reason::BadSignature,
            "own_bad_signature",
            "the peer could not verify a signature of ours: see that our certificate, its intermediates and \
             its private key belong together, and that the peer trusts our CA by its present key",
        ),
        AlertDescription::BadCertificateStatusResponse => own(
            Reason::StapleNotGood,
            "own_staple_not_good",
            "the peer refused the OCSP response that we staple: see that it is fresh and for this certificate",
        ),
        AlertDescription::BadCertificateHashValue => own(
            Reason::DoesNotVerify,
            "own_bad_certificate_hash_value",
            "the peer refused our own certificate: what it fetched is not what we named",
        ),
        AlertDescription::CertificateUnobtainable => own(
            Reason::DoesNotVerify,
            "own_certificate_unobtainable",
            "the peer could not fetch our own certificate from where we said it lies: show it instead",
        ),
        AlertDescription::CertificateRequired => Meaning {
            whose: Whose::Own,
            reason: None,
            code: "own_no_certificate",
            sentence: "the peer asks for a certificate, and we showed none: configure one for this client",
        },
        AlertDescription::NoCertificate => Meaning {
            whose: Whose::Peer,
            reason: None,
            code: "peer_no_certificate",
            sentence: "we asked the peer for a certificate, and it has none: its operator must configure one",
        },
        AlertDescription::HandshakeFailure => neither(
            "handshake_failure",
            "the peer found no common ground: no cipher suite, or no signature scheme for its key; under TLS \
             1.2 also that we showed no certificate where it wants one",
        ),
        AlertDescription::ProtocolVersion => neither(
            "protocol_version",
            "the peer does not speak the versions of TLS that we offer: enable one that it speaks",
        ),
        AlertDescription::InsufficientSecurity => neither(
            "insufficient_security",
            "the peer wants stronger cipher suites than we offer: enable them",
        ),
        AlertDescription::NoApplicationProtocol => neither(
            "no_application_protocol",
            "the peer speaks none of the application protocols that we offer (ALPN): offer one that it speaks",
        ),
        AlertDescription::UnrecognisedName => neither(
            "unrecognised_name",
            "the server does not know the name that we asked for (SNI): check the name that is connected to",
        ),
        AlertDescription::UnknownPSKIdentity => neither(
            "unknown_psk_identity",
            "the server does not know the session that we want to resume: connect anew",
        ),
        AlertDescription::EncryptedClientHelloRequired => neither(
            "encrypted_client_hello_required",
            "the server wants an encrypted client hello: configure its keys",
        ),
        AlertDescription::CloseNotify => neither(
            "close_notify",
            "the peer closed the connection before the handshake was over: it changed its mind, or only \
             looked whether the port is open",
        ),
        AlertDescription::UserCanceled => neither(
            "user_canceled",
            "the peer gave the handshake up for a reason of its own, which is not TLS",
        ),
        AlertDescription::InternalError => neither(
            "internal_error",
            "something broke inside of the peer: look at its log (a server whose own certificate or key \
             cannot be used says so too)",
        ),
        AlertDescription::InappropriateFallback => neither(
            "inappropriate_fallback",
            "the server says that we fell back to an older version of TLS than both speak: somebody may be \
             in between",
        ),
        AlertDescription::UnexpectedMessage => neither("unexpected_message", PROTOCOL),
        AlertDescription::BadRecordMac => neither("bad_record_mac", PROTOCOL),
        AlertDescription::DecryptionFailed => neither("decryption_failed", PROTOCOL),
        AlertDescription::RecordOverflow => neither("record_overflow", PROTOCOL),
        AlertDescription::DecompressionFailure => neither("decompression_failure", PROTOCOL),
        AlertDescription::IllegalParameter => neither("illegal_parameter", PROTOCOL),
        AlertDescription::DecodeError => neither("decode_error", PROTOCOL),
        AlertDescription::ExportRestriction => neither("export_restriction", PROTOCOL),
        AlertDescription::NoRenegotiation => neither("no_renegotiation", PROTOCOL),
        AlertDescription::MissingExtension => neither("missing_extension", PROTOCOL),
        AlertDescription::UnsupportedExtension => neither("unsupported_extension", PROTOCOL),
        _ => neither("unknown_alert", PROTOCOL),
    }
}

const PROTOCOL: &str = "the peer does not understand our TLS, or ours was changed on its way: look at the \
                        versions of both sides, and at what stands between them";
