//! The way to what TLS says, through the errors that others put around it.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::{CertificateError, OtherError};

use super::alerts::{alert_written_as, explain_alert};
use super::explanation::Explanation;
use super::rustls_errors::{detail_of_other, explain_rustls};
use crate::pin::PinError;
use crate::verifier::of_our_own;

/// So many errors within each other are looked through.
const MAX_CAUSES: usize = 64;

/// An error of any crate.
type AnyError = dyn Error + 'static;

/// Explains why a connection failed: whose certificate it was, why it was refused, since when and by
/// whose clock; `None` where TLS has no part in it (a refused connection, a timeout, a peer that went
/// away).
///
/// It looks through `source()`, and into `io::Error`, which hides what it holds from its source; that
/// leads through the errors of tokio-rustls, hyper, reqwest, tonic, tungstenite and most others. ureq 3
/// hides its cause altogether: with the feature `ureq` it is found too, else give `error.into_io()`.
///
/// Under HTTP/2 a client may learn of a refusal only that the connection is closed: h2 loses what TLS
/// says when it comes while a request is written. Then the server's side knows more.
///
/// # Must I renew, or must they?
/// ```
/// use notafter::explain::{Whose, explain};
/// fn log(error: &(dyn std::error::Error + 'static)) {
///     match explain(error) {
///         Some(why) if why.whose == Whose::Own => eprintln!("ours ({}): {why}", why.code()),
///         Some(why) => eprintln!("{}: {why}", why.code()),
///         None => eprintln!("not a matter of TLS: {error}"),
///     }
/// }
/// # let expired = rustls::CertificateError::Expired;
/// # log(&std::io::Error::other(rustls::Error::InvalidCertificate(expired)));
/// ```
pub fn explain(error: &(dyn Error + 'static)) -> Option<Explanation> {
    let mut general = None;
    for cause in causes(error) {
        match explain_one(cause) {
            CauseFound::Explained(explanation) => return Some(explanation),
            CauseFound::InGeneral(explanation) => general = general.or(Some(explanation)),
            CauseFound::Nothing => {}
        }
    }
    general
}

/// Finds the pin refusal inside of any error, however deep; see [`pin_error`](crate::pin_error) for
/// rustls's own.
///
/// # Did this request fail because of a pin?
/// ```
/// # let error = std::io::Error::other("another");
/// if let Some(refusal) = notafter::explain::find_pin_error(&error) {
///     eprintln!("{refusal}");
/// }
/// ```
pub fn find_pin_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e PinError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// What one of several errors within each other says.
enum CauseFound {
    Nothing,
    Explained(Explanation),
    /// Something more exact may lie below.
    InGeneral(Explanation),
}

fn explain_one(cause: &AnyError) -> CauseFound {
    if let Some(reason) = of_our_own(cause) {
        CauseFound::Explained(Explanation::of_peer(reason, detail_of_other(cause)))
    } else if let Some(error) = rustls_error(cause) {
        match other_in(error) {
            Some(_) => CauseFound::InGeneral(explain_rustls(error)),
            None => CauseFound::Explained(explain_rustls(error)),
        }
    } else if let Some(error) = io_error(cause) {
        match alert_in_text_of(error) {
            Some(explanation) => CauseFound::Explained(explanation),
            None => CauseFound::Nothing,
        }
    } else {
        CauseFound::Nothing
    }
}

/// The error, and what lies in it, and so on.
fn causes<'e>(error: &'e AnyError) -> impl Iterator<Item = &'e AnyError> + 'e {
    std::iter::successors(Some(error), |error: &&'e AnyError| cause_of(*error)).take(MAX_CAUSES)
}

/// What an error holds, also where it does not call it its source.
fn cause_of(error: &AnyError) -> Option<&AnyError> {
    if let Some(error) = io_error(error) {
        return match error.get_ref() {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    if let Some(error) = rustls_error(error) {
        return other_in(error).map(|other| other.0.as_ref() as &AnyError);
    }
    // A pointer to an error is an error whose source is that of what it points to.
    if let Some(held) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return Some(held.as_ref());
    }
    #[cfg(feature = "ureq")]
    if let Some(error) = error.downcast_ref::<ureq::Error>() {
        return match error {
            ureq::Error::Io(error) => Some(error),
            ureq::Error::Other(error) => Some(error.as_ref()),
            _ => None,
        };
    }
    error.source()
}

fn rustls_error(error: &AnyError) -> Option<&rustls::Error> {
    let boxed = || error.downcast_ref::<Box<rustls::Error>>();
    let shared = || error.downcast_ref::<Arc<rustls::Error>>();
    error
        .downcast_ref()
        .or_else(|| boxed().map(AsRef::as_ref))
        .or_else(|| shared().map(AsRef::as_ref))
}

fn io_error(error: &AnyError) -> Option<&io::Error> {
    let boxed = || error.downcast_ref::<Box<io::Error>>();
    let shared = || error.downcast_ref::<Arc<io::Error>>();
    error
        .downcast_ref()
        .or_else(|| boxed().map(AsRef::as_ref))
        .or_else(|| shared().map(AsRef::as_ref))
}

/// Where a verifier or a provider put an error of its own.
fn other_in(error: &rustls::Error) -> Option<&OtherError> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other))
        | rustls::Error::Other(other) => Some(other),
        _ => None,
    }
}

/// An alert of which nothing is left but the text.
fn alert_in_text_of(error: &io::Error) -> Option<Explanation> {
    let held = error.get_ref()?;
    let is_text = error.kind() == io::ErrorKind::InvalidData && held.source().is_none();
    let text = is_text.then(|| held.to_string())?;
    alert_written_as(&text).map(explain_alert)
}
