//! The way to what TLS says, through the errors that others put around it.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use notafter::explain::{explain, find_pin_error};
use notafter::pin::PinError;
use rustls::{AlertDescription, CertificateError, OtherError};

use super::{code, expired, invalid_data, own_expired, refused};

/// An error with a source, as other crates have them.
#[derive(Debug)]
struct Around<E>(E);

impl<E> fmt::Display for Around<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("request failed")
    }
}

impl<E: Error + 'static> Error for Around<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn pin_refusal() -> PinError {
    PinError::NotPinned {
        identity: None,
        host: Some("a.example".to_owned()),
    }
}

fn by_pins() -> rustls::Error {
    refused(CertificateError::Other(OtherError(Arc::new(pin_refusal()))))
}

#[test]
fn it_is_found_however_it_is_carried() {
    let carried: [(&str, Box<dyn Error + Send + Sync>); 12] = [
        ("bare", Box::new(expired())),
        ("tokio-rustls", Box::new(invalid_data(expired()))),
        (
            "hyper-rustls",
            Box::new(io::Error::other(invalid_data(expired()))),
        ),
        ("a source", Box::new(Around(expired()))),
        ("tonic", Box::new(Around(Around(invalid_data(expired()))))),
        ("tungstenite, boxed", Box::new(Around(Box::new(expired())))),
        ("shared", Box::new(Around(Arc::new(expired())))),
        (
            "io, boxed",
            Box::new(Around(Box::new(invalid_data(expired())))),
        ),
        (
            "io, shared",
            Box::new(Around(Arc::new(invalid_data(expired())))),
        ),
        (
            "an error in io",
            Box::new(invalid_data(Around(invalid_data(expired())))),
        ),
        (
            "shared, of any kind",
            Box::new(Around(Arc::<dyn Error + Send + Sync>::from(Box::<
                dyn Error + Send + Sync,
            >::from(
                invalid_data(expired()),
            )))),
        ),
        (
            "rustls in rustls",
            Box::new(rustls::Error::Other(OtherError(Arc::new(invalid_data(
                expired(),
            ))))),
        ),
    ];
    for (how, error) in carried {
        assert_eq!(code(error.as_ref()), Some("peer_expired"), "{how}");
        assert_eq!(find_pin_error(error.as_ref()), None, "{how}");
    }
}

#[test]
fn pins_are_found_however_they_are_carried() {
    let carried: [Box<dyn Error + Send + Sync>; 4] = [
        Box::new(by_pins()),
        Box::new(Around(io::Error::other(invalid_data(by_pins())))),
        Box::new(Around(pin_refusal())),
        // A verifier around a verifier that carries its error so.
        Box::new(refused(CertificateError::Other(OtherError(Arc::new(
            Around(by_pins()),
        ))))),
    ];
    for error in carried {
        assert_eq!(code(error.as_ref()), Some("pin_mismatch"), "{error:?}");
        assert_eq!(
            find_pin_error(error.as_ref()),
            Some(&pin_refusal()),
            "{error:?}"
        );
    }
}

#[test]
fn of_an_alert_whose_text_alone_is_left_it_is_told_too() {
    // What h2 makes of an error of its connection.
    for number in u8::MIN..=u8::MAX {
        let alert = AlertDescription::from(number);
        let error = rustls::Error::AlertReceived(alert);
        let text = error.to_string();
        assert_eq!(
            explain(&Around(invalid_data(text.as_str()))),
            explain(&error),
            "{text}"
        );
        // Another kind of error with the same words is none of rustls's.
        assert_eq!(code(&io::Error::other(text)), None);
    }
    for text in [
        "received fatal alert: CertificateExpired.",
        "CertificateExpired",
        "invalid peer certificate: Expired",
    ] {
        assert_eq!(code(&invalid_data(text)), None, "{text}");
    }
}

#[test]
fn what_is_no_matter_of_tls_is_not_explained() {
    let errors: [Box<dyn Error>; 6] = [
        Box::new(io::Error::from(io::ErrorKind::UnexpectedEof)),
        Box::new(io::Error::from(io::ErrorKind::ConnectionReset)),
        Box::new(io::Error::from_raw_os_error(111)),
        Box::new(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "tls handshake eof",
        )),
        Box::new(Around(io::Error::other("dns error"))),
        Box::new(fmt::Error),
    ];
    for error in errors {
        assert_eq!(explain(error.as_ref()), None, "{error:?}");
    }
}

/// An error whose source is itself.
#[derive(Debug)]
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("endless")
    }
}

impl Error for Endless {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self)
    }
}

/// An error within so many others.
fn nested(depth: usize) -> Box<dyn Error + Send + Sync> {
    let innermost: Box<dyn Error + Send + Sync> = Box::new(own_expired());
    (0..depth).fold(innermost, |error, _| Box::new(io::Error::other(error)))
}

#[test]
fn so_many_errors_within_each_other_are_looked_through() {
    assert_eq!(code(&Endless), None);
    assert_eq!(code(nested(63).as_ref()), Some("own_expired"));
    assert_eq!(code(nested(64).as_ref()), None);
}
