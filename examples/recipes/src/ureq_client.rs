//! ureq 3, which takes no configuration of rustls: a connector in the place of its own.

use std::sync::Arc;

use notafter::session::PinnedClient;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectionDetails, Connector, TcpConnector};
use ureq::unversioned::transport::{Transport, TransportAdapter};
use ureq::{Agent, Error};

use crate::BoxError;
use crate::client_configs::ClientConfigs;
use crate::ureq_transport::TlsTransport;

/// Keep it, and ask it before each request: `agent.current()?.get(url)`. A clone of the same agent, with its
/// pool, until pins or the own certificate change.
pub fn agent(configs: ClientConfigs) -> PinnedClient<Agent, BoxError> {
    PinnedClient::new(configs, |config| {
        let settings = Config::builder().https_only(true).build();
        let connector = ().chain(TcpConnector::default()).chain(Tls(config));
        let resolver = DefaultResolver::default();
        Ok(Agent::with_parts(settings, connector, resolver))
    })
}

#[derive(Debug)]
struct Tls(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for Tls {
    type Out = TlsTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        tcp: Option<In>,
    ) -> Result<Option<TlsTransport>, Error> {
        let tcp = tcp.ok_or(Error::ConnectionFailed)?;
        let host = details.uri.host().ok_or(Error::HostNotFound)?;
        let host = host.trim_matches(['[', ']']).to_owned(); // an IPv6 address
        let name = ServerName::try_from(host).map_err(|error| Error::Other(error.into()))?;
        let mut sock = TransportAdapter::new(tcp.boxed(), details.current_time.clone());
        sock.set_timeout(details.timeout);
        let mut conn = ClientConnection::new(self.0.clone(), name)?;
        conn.complete_io(&mut sock)?;
        let stream = StreamOwned { conn, sock };
        Ok(Some(TlsTransport::new(stream, details.config)))
    }
}
