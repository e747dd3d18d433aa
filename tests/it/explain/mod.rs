//! What a failed connection failed of: every error of rustls, in every error that carries it, and real
//! handshakes that fail.

mod carriers;
mod chain;
mod clients;
mod handshakes;
mod table;

use std::error::Error;
use std::io;

use notafter::Timestamp;
use notafter::explain::{Explanation, explain};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError};

use crate::support::pki::days;

/// An instant at which no clock is doubted: this crate is released before it.
fn later() -> Timestamp {
    days(400)
}

fn unix(t: Timestamp) -> UnixTime {
    t.to_unix_time().unwrap()
}

fn refused(error: CertificateError) -> rustls::Error {
    rustls::Error::InvalidCertificate(error)
}

fn expired() -> rustls::Error {
    refused(CertificateError::ExpiredContext {
        time: unix(later()),
        not_after: unix(later().saturating_add(-3 * 86_400)),
    })
}

fn own_expired() -> rustls::Error {
    rustls::Error::AlertReceived(AlertDescription::CertificateExpired)
}

fn invalid_data(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn code(error: &(dyn Error + 'static)) -> Option<&'static str> {
    explain(error).as_ref().map(Explanation::code)
}
