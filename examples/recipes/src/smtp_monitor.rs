//! lettre takes no configuration of rustls: no pins, no reload, no event. It verifies by itself, and beside
//! it a monitor looks at what the same server shows.

use std::sync::Arc;

use lettre::SmtpTransport;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use notafter::endpoint::{EndpointConnector, StartTls};
use notafter::{Monitor, Observer, Target, TrustAnchors};
use rustls::crypto::ring;

use crate::BoxError;

/// STARTTLS or nothing. `roots`, in DER, are trusted besides those of the operating system.
pub fn transport(
    host: &str,
    port: u16,
    roots: impl IntoIterator<Item = Vec<u8>>,
) -> Result<SmtpTransport, BoxError> {
    let mut tls = TlsParameters::builder(host.to_owned());
    for root in roots {
        tls = tls.add_root_certificate(Certificate::from_der(root)?);
    }
    let tls = Tls::Required(tls.build_rustls()?);
    let transport = SmtpTransport::builder_dangerous(host); // dangerous without the line of `tls`
    Ok(transport.port(port).tls(tls).build())
}

/// Asks the server for its certificates, and tells of them. Run it: `monitor.spawn()?.detach()`.
pub fn monitor(
    anchors: TrustAnchors,
    observer: Arc<dyn Observer>,
    host: &str,
    port: u16,
) -> Result<Arc<Monitor>, BoxError> {
    let connector = EndpointConnector::new(Arc::new(ring::default_provider()));
    let monitor = Monitor::builder()
        .with_trust_anchors(anchors)
        .with_connector(Arc::new(connector))
        .with_observer(observer)
        .build()?;
    let server = Target::from_endpoint(format!("{host}:{port}"));
    monitor.watch("mail", server.with_starttls(StartTls::Smtp));
    Ok(monitor)
}
