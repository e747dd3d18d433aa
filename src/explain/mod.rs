//! What a failed connection failed of: whose certificate, why, since when, and by whose clock.
//!
//! A TLS error arrives inside of others: an HTTP client's around an `io::Error` around rustls's.
//! [`explain`] finds its way through them, and gives an [`Explanation`]: data, a stable code, and a
//! sentence that says what to do. It tells apart what is mostly confused: a peer that was refused here,
//! by this machine's clock, and *our own* certificate that the peer refused, which arrives as an alert
//! (RFC 8446, 6.2).
//!
//! # Who is at fault that this connection failed?
//! ```
//! use notafter::explain::{Whose, explain};
//! use rustls::AlertDescription;
//! // As it comes from tokio-rustls, and within the errors of hyper, reqwest, tonic or tungstenite:
//! let alert = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
//! let error = std::io::Error::new(std::io::ErrorKind::InvalidData, alert);
//!
//! let explanation = explain(&error).unwrap();
//! assert_eq!(explanation.whose, Whose::Own); // renew ours, not the peer's
//! assert_eq!(explanation.code(), "own_expired");
//! println!("{explanation}");
//! ```
//!
//! Where the error lacks something, the explanation says less. Which certificate of a chain it was, no
//! error says: [`Explanation::with_chain`] finds it in the chain that was shown.

mod alerts;
mod causes;
mod chain;
mod explanation;
mod rustls_errors;
mod sentence;

pub use alerts::explain_quic_close;
pub use causes::{explain, find_pin_error};
pub use explanation::{ClockDoubt, Detail, Explanation, Whose};
