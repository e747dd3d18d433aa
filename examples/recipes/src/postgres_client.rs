//! tokio-postgres and tokio-postgres-rustls, by itself or under a pool (deadpool, bb8).

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::BoxError;
use crate::client_configs::ClientConfigs;

/// What pools take as their TLS: each connection that they open goes by what is in force then.
#[derive(Clone)]
pub struct PinnedTls(pub Arc<ClientConfigs>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for PinnedTls {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<S>>::Stream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect;
    type Error = BoxError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, BoxError> {
        let mut tls = MakeRustlsConnect::new(Arc::unwrap_or_clone(self.0.current()?));
        Ok(MakeTlsConnect::<S>::make_tls_connect(&mut tls, host)?)
    }
}

/// Opens a connection, without a pool.
pub async fn connect(
    mut database: tokio_postgres::Config,
    tls: PinnedTls,
) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
    // Not what comes by default: `prefer` goes on without TLS where the server has none.
    database.ssl_mode(SslMode::Require);
    let (client, connection) = database.connect(tls).await?;
    tokio::spawn(connection);
    Ok(client)
}
