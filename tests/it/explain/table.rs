//! Every error of rustls has a code, and a sentence that says what to do.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::sync::Arc;

use notafter::explain::{ClockDoubt, Detail, Whose, explain};
use notafter::outlook::Position;
use notafter::pin::PinError;
use notafter::time::ClockSuspicion;
use notafter::verifier::{PresentedError, RefusalReason};
use rustls::pki_types::{ServerName, alg_id};
use rustls::{
    AlertDescription, CertRevocationListError, CertificateError, Error, ExtendedKeyPurpose,
    InvalidMessage, OtherError, PeerIncompatible, PeerMisbehaved,
};

use super::{later, refused, unix};
use crate::support::certificate_errors::certificate_errors;
use crate::support::pki::{NOW, days};

const DAY: i64 = 86_400;

#[test]
#[allow(deprecated)] // Verifiers may still return `UnsupportedSignatureAlgorithm`.
fn every_certificate_error_of_the_peer_has_its_code() {
    use CertificateError as Certificate;
    use RefusalReason as Reason;
    let other =
        |error: Arc<dyn std::error::Error + Send + Sync>| Certificate::Other(OtherError(error));
    let (now, before, after) = (later(), days(397), days(402));
    let pin = PinError::NotPinned {
        identity: None,
        host: Some("a.example".to_owned()),
    };
    let presented = PresentedError::TooMany {
        count: 17,
        bound: 16,
    };
    let words = |text: &str| Detail::Words(text.to_owned());
    let cases = [
        (
            Certificate::BadEncoding,
            "peer_bad_encoding",
            Reason::BadEncoding,
            Detail::Nothing,
        ),
        (
            Certificate::Expired,
            "peer_expired",
            Reason::Expired,
            Detail::Nothing,
        ),
        (
            Certificate::ExpiredContext {
                time: unix(now),
                not_after: unix(before),
            },
            "peer_expired",
            Reason::Expired,
            Detail::Expired {
                not_after: before,
                at: now,
            },
        ),
        (
            Certificate::NotValidYet,
            "peer_not_yet_valid",
            Reason::NotYetValid,
            Detail::Nothing,
        ),
        (
            Certificate::NotValidYetContext {
                time: unix(now),
                not_before: unix(after),
            },
            "peer_not_yet_valid",
            Reason::NotYetValid,
            Detail::NotYetValid {
                not_before: after,
                at: now,
            },
        ),
        (
            Certificate::Revoked,
            "peer_revoked",
            Reason::Revoked,
            Detail::Nothing,
        ),
        (
            Certificate::UnhandledCriticalExtension,
            "peer_critical_extension",
            Reason::CriticalExtension,
            Detail::Nothing,
        ),
        (
            Certificate::UnknownIssuer,
            "peer_unknown_issuer",
            Reason::UnknownIssuer,
            Detail::Nothing,
        ),
        (
            Certificate::UnknownRevocationStatus,
            "peer_revocation_unknown",
            Reason::RevocationUnknown,
            Detail::Nothing,
        ),
        (
            Certificate::ExpiredRevocationList,
            "peer_crl_expired",
            Reason::CrlExpired,
            Detail::Nothing,
        ),
        (
            Certificate::ExpiredRevocationListContext {
                time: unix(now),
                next_update: unix(before),
            },
            "peer_crl_expired",
            Reason::CrlExpired,
            Detail::CrlExpired {
                next_update: before,
                at: now,
            },
        ),
        (
            Certificate::BadSignature,
            "peer_bad_signature",
            Reason::BadSignature,
            Detail::Nothing,
        ),
        (
            Certificate::UnsupportedSignatureAlgorithm,
            "peer_unsupported_algorithm",
            Reason::UnsupportedAlgorithm,
            Detail::Nothing,
        ),
        (
            Certificate::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: alg_id::ECDSA_SHA384.to_vec(),
                supported_algorithms: Vec::new(),
            },
            "peer_unsupported_algorithm",
            Reason::UnsupportedAlgorithm,
            words(
                "a signature in it is ecdsa-with-SHA384, which the crypto provider does not verify: have it signed \
                 with another algorithm, such as sha256WithRSAEncryption or ecdsa-with-SHA256",
            ),
        ),
        (
            Certificate::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: alg_id::ECDSA_SHA256.to_vec(),
                public_key_algorithm_id: alg_id::ECDSA_P521.to_vec(),
            },
            "peer_unsupported_algorithm",
            Reason::UnsupportedAlgorithm,
            words(
                "a signature in it is ecdsa-with-SHA256 by a key of the kind EC P-521, which the crypto provider does \
                 not verify: aws-lc-rs does, so take that provider, or have it signed with another algorithm",
            ),
        ),
        (
            Certificate::NotValidForName,
            "peer_name_not_covered",
            Reason::NameNotCovered,
            Detail::Nothing,
        ),
        (
            Certificate::NotValidForNameContext {
                expected: ServerName::try_from("a.example").unwrap(),
                presented: vec!["DnsName(\"b.example\")".to_owned()],
            },
            "peer_name_not_covered",
            Reason::NameNotCovered,
            Detail::Names {
                expected: "a.example".to_owned(),
                presented: vec!["b.example".to_owned()],
            },
        ),
        (
            Certificate::InvalidPurpose,
            "peer_wrong_usage",
            Reason::WrongUsage,
            Detail::Nothing,
        ),
        (
            Certificate::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ServerAuth,
                presented: vec![ExtendedKeyPurpose::ClientAuth],
            },
            "peer_wrong_usage",
            Reason::WrongUsage,
            Detail::Usages {
                required: "server authentication".to_owned(),
                presented: vec!["client authentication".to_owned()],
            },
        ),
        (
            Certificate::InvalidOcspResponse,
            "peer_staple_not_good",
            Reason::StapleNotGood,
            Detail::Nothing,
        ),
        (
            Certificate::ApplicationVerificationFailure,
            "peer_refused_by_application",
            Reason::Application,
            Detail::Nothing,
        ),
        (
            other(Arc::new(pin.clone())),
            "pin_mismatch",
            Reason::PinMismatch,
            Detail::Pin(pin),
        ),
        (
            other(Arc::new(presented.clone())),
            "peer_presented_too_much",
            Reason::PresentedTooMuch,
            Detail::Presented(presented),
        ),
        (
            other(Arc::new(webpki::Error::PathLenConstraintViolated)),
            "peer_does_not_verify",
            Reason::DoesNotVerify,
            words("a CA in it may not have so many CAs below it"),
        ),
        (
            other(Arc::new(std::io::Error::other("the platform says no"))),
            "peer_does_not_verify",
            Reason::DoesNotVerify,
            words("the platform says no"),
        ),
    ];
    for error in certificate_errors() {
        let is_here = cases
            .iter()
            .any(|(case, ..)| discriminant(case) == discriminant(&error));
        assert!(is_here, "{error:?}");
    }
    for (error, code, reason, detail) in cases {
        let error = refused(error);
        let explanation = explain(&error).unwrap();
        assert_eq!(explanation.code(), code, "{error}");
        assert_eq!(explanation.whose, Whose::Peer, "{error}");
        assert_eq!(explanation.reason, Some(reason), "{error}");
        assert_eq!(explanation.detail, detail, "{error}");
        assert_eq!(explanation.clock, None, "{error}");
        let of_leaf = matches!(reason, Reason::NameNotCovered | Reason::StapleNotGood);
        assert_eq!(
            explanation.position,
            of_leaf.then_some(Position::Leaf),
            "{error}"
        );
    }
}

#[test]
fn every_pin_refusal_has_the_code_of_its_event() {
    use notafter::SpkiPin;
    let host = || Some("a.example".to_owned());
    let key: SpkiPin = "sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="
        .parse()
        .unwrap();
    let reason = || "no path".to_owned();
    let cases = [
        (
            PinError::NotPinned {
                identity: None,
                host: host(),
            },
            "pin_mismatch",
        ),
        (
            PinError::NoPath {
                identity: None,
                host: host(),
                reason: reason(),
            },
            "pin_mismatch",
        ),
        (
            PinError::Unreadable {
                identity: None,
                host: host(),
                reason: reason(),
            },
            "pin_mismatch",
        ),
        (
            PinError::Rejected {
                identity: None,
                host: host(),
                key,
            },
            "pin_rejected",
        ),
        (
            PinError::SetExpired {
                identity: None,
                host: host(),
                not_after: NOW,
            },
            "pin_set_expired",
        ),
    ];
    for (refusal, code) in cases {
        let sentence = refusal.to_string();
        let explanation = explain(&refusal).unwrap();
        assert_eq!((explanation.code(), explanation.whose), (code, Whose::Peer));
        assert_eq!(explanation.to_string(), sentence);
    }
}

#[test]
fn every_alert_of_the_peer_has_its_code() {
    use RefusalReason as Reason;
    let own = |reason: Reason, code: &'static str| (Whose::Own, Some(reason), code);
    let neither = |code: &'static str| (Whose::Neither, None, code);
    let expected = BTreeMap::from([
        (0, neither("close_notify")),
        (10, neither("unexpected_message")),
        (20, neither("bad_record_mac")),
        (21, neither("decryption_failed")),
        (22, neither("record_overflow")),
        (30, neither("decompression_failure")),
        (40, neither("handshake_failure")),
        (41, (Whose::Peer, None, "peer_no_certificate")),
        (42, own(Reason::DoesNotVerify, "own_bad_certificate")),
        (43, own(Reason::WrongUsage, "own_unsupported_certificate")),
        (44, own(Reason::Revoked, "own_revoked")),
        (45, own(Reason::Expired, "own_expired")),
        (46, own(Reason::DoesNotVerify, "own_certificate_unknown")),
        (47, neither("illegal_parameter")),
        (48, own(Reason::UnknownIssuer, "own_unknown_issuer")),
        (49, own(Reason::Application, "own_access_denied")),
        (50, neither("decode_error")),
        (51, own(Reason::BadSignature, "own_bad_signature")),
        (60, neither("export_restriction")),
        (70, neither("protocol_version")),
        (71, neither("insufficient_security")),
        (80, neither("internal_error")),
        (86, neither("inappropriate_fallback")),
        (90, neither("user_canceled")),
        (100, neither("no_renegotiation")),
        (109, neither("missing_extension")),
        (110, neither("unsupported_extension")),
        (
            111,
            own(Reason::DoesNotVerify, "own_certificate_unobtainable"),
        ),
        (112, neither("unrecognised_name")),
        (113, own(Reason::StapleNotGood, "own_staple_not_good")),
        (
            114,
            own(Reason::DoesNotVerify, "own_bad_certificate_hash_value"),
        ),
        (115, neither("unknown_psk_identity")),
        (116, (Whose::Own, None, "own_no_certificate")),
        (120, neither("no_application_protocol")),
        (121, neither("encrypted_client_hello_required")),
    ]);
    for number in u8::MIN..=u8::MAX {
        let alert = AlertDescription::from(number);
        let explanation = explain(&Error::AlertReceived(alert)).unwrap();
        let (whose, reason, code) = match expected.get(&number) {
            Some(expected) => *expected,
            None => neither("unknown_alert"),
        };
        // rustls knows no more of them than this table.
        let is_known = !format!("{alert:?}").starts_with("AlertDescription(");
        assert_eq!(is_known, expected.contains_key(&number), "{alert:?}");
        assert_eq!(explanation.code(), code, "{alert:?}");
        assert_eq!(explanation.whose, whose, "{alert:?}");
        assert_eq!(explanation.reason, reason, "{alert:?}");
        assert_eq!(explanation.detail, Detail::Alert(number), "{alert:?}");
        assert_eq!(explanation.position, None, "{alert:?}");
    }
}

#[test]
fn what_is_about_no_certificate_has_a_code_too() {
    let cases = [
        (
            Error::NoCertificatesPresented,
            Whose::Peer,
            "peer_no_certificate",
        ),
        (
            Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch),
            Whose::Own,
            "own_key_mismatch",
        ),
        (
            Error::FailedToGetCurrentTime,
            Whose::Neither,
            "clock_unreadable",
        ),
        (
            Error::NoApplicationProtocol,
            Whose::Neither,
            "no_application_protocol",
        ),
        (
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Whose::Neither,
            "peer_incompatible",
        ),
        (
            Error::InvalidMessage(InvalidMessage::InvalidContentType),
            Whose::Neither,
            "not_tls",
        ),
        (
            Error::InvalidMessage(InvalidMessage::MessageTooShort),
            Whose::Neither,
            "tls_error",
        ),
        (
            Error::InvalidCertRevocationList(CertRevocationListError::ParseError),
            Whose::Neither,
            "crl_unusable",
        ),
        (
            Error::UnsupportedNameType,
            Whose::Neither,
            "unsupported_name",
        ),
        (
            Error::PeerMisbehaved(PeerMisbehaved::IncorrectBinder),
            Whose::Neither,
            "tls_error",
        ),
        (Error::DecryptError, Whose::Neither, "tls_error"),
        (Error::General("x".to_owned()), Whose::Neither, "tls_error"),
        (
            Error::Other(OtherError(Arc::new(std::io::Error::other("x")))),
            Whose::Neither,
            "tls_error",
        ),
    ];
    for (error, whose, code) in cases {
        let explanation = explain(&error).unwrap();
        assert_eq!(
            (explanation.whose, explanation.code()),
            (whose, code),
            "{error}"
        );
        assert_eq!(explanation.reason, None, "{error}");
    }
}

#[test]
fn sentences_say_who_when_by_whose_clock_and_what_to_do() {
    let now = later();
    let cases = [
        (
            refused(CertificateError::ExpiredContext {
                time: unix(now),
                not_after: unix(days(397)),
            }),
            "a certificate in the peer's chain expired at 2027-02-02T00:00:00Z, 3 d ago by this machine's \
             clock (2027-02-05T00:00:00Z): the peer's operator must renew it",
        ),
        (
            refused(CertificateError::Expired),
            "a certificate in the peer's chain has expired by this machine's clock: the peer's operator must \
             renew it",
        ),
        (
            refused(CertificateError::NotValidYetContext {
                time: unix(now),
                not_before: unix(now.saturating_add(300)),
            }),
            "a certificate in the peer's chain is not valid before 2027-02-05T00:05:00Z, in 5 min by this \
             machine's clock (2027-02-05T00:00:00Z): check this clock first, then ask the \
             peer's operator what was deployed too early",
        ),
        (
            refused(CertificateError::ExpiredRevocationListContext {
                time: unix(now),
                next_update: unix(days(399)),
            }),
            "a revocation list that the peer is looked up in was to be replaced before \
             2027-02-04T00:00:00Z, 1 d ago by this machine's clock (2027-02-05T00:00:00Z): \
             fetch the next one from its CA",
        ),
        (
            refused(CertificateError::NotValidForNameContext {
                expected: ServerName::try_from("a.example").unwrap(),
                presented: Vec::new(),
            }),
            "the peer's leaf is not for 'a.example', but for nothing at all: check the name that is connected \
             to, else its operator must serve one with that name",
        ),
        (
            Error::AlertReceived(AlertDescription::CertificateExpired),
            "the peer refused our own certificate: by its clock, a certificate that we show has expired, or \
             is not valid yet: look at what we show, renew it and reload; if all of it is within its dates, \
             the peer's clock is wrong",
        ),
        (
            Error::AlertReceived(AlertDescription::CertificateRequired),
            "the peer asks for a certificate, and we showed none: configure one for this client",
        ),
    ];
    for (error, sentence) in cases {
        assert_eq!(explain(&error).unwrap().to_string(), sentence);
    }
}

#[test]
fn a_clock_that_is_behind_is_blamed_rather_than_the_certificate() {
    // The clock of the tests stands before this crate was released.
    let error = refused(CertificateError::NotValidYetContext {
        time: unix(NOW),
        not_before: unix(days(3)),
    });
    let explanation = explain(&error).unwrap();
    assert_eq!(explanation.code(), "peer_not_yet_valid");
    assert!(matches!(
        explanation.clock,
        Some(ClockDoubt::Own(ClockSuspicion::BeforeKnownPast {
            now: NOW,
            ..
        }))
    ));
    let sentence = explanation.to_string();
    let begin = "the clock says 2026-01-01T00:00:00Z, which is before ";
    assert!(sentence.starts_with(begin), "{sentence}");
    let end = "set the clock (is NTP running?) before blaming certificates; by it, a certificate in the \
             peer's chain is not valid before 2026-01-04T00:00:00Z, in 3 d by this machine's \
             clock (2026-01-01T00:00:00Z)";
    assert!(sentence.ends_with(end), "{sentence}");
    // A clock that is behind cannot make anything expire.
    let error = refused(CertificateError::ExpiredContext {
        time: unix(NOW),
        not_after: unix(NOW.saturating_add(-DAY)),
    });
    assert_eq!(explain(&error).unwrap().clock, None);
}

#[test]
fn what_a_stranger_wrote_is_short_and_writes_no_lines() {
    let name = format!("DnsName(\"evil\n{}\")", "x".repeat(1000));
    let error = refused(CertificateError::NotValidForNameContext {
        expected: ServerName::try_from("a.example").unwrap(),
        presented: vec![name; 1000],
    });
    let sentence = explain(&error).unwrap().to_string();
    assert!(
        sentence.len() < 1500 && sentence.contains("and 992 more"),
        "{sentence}"
    );
    assert!(!sentence.contains('\n'), "{sentence}");
}
