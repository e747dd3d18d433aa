use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use notafter::outlook::Usage;
use notafter_recipes::{BoxError, quinn_client, quinn_server};
use quinn::Endpoint;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ServerConfig};

use crate::scenario::{Exchange, PinErrorIn, Pool, Seen, try_client_whose, try_server};
use crate::world::{World, name_of};

const PROTOCOL: &[u8] = b"recipe";
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Says to each client what its certificate is called, over one stream each.
fn serve(config: ServerConfig) -> SocketAddr {
    let endpoint = quinn_server::endpoint(ANYWHERE, config, PROTOCOL).unwrap();
    let address = endpoint.local_addr().unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(async move {
                let Ok(connection) = incoming.await else {
                    return; // one of the two refused
                };
                let client = quinn_server::client(&connection).unwrap().short_name();
                let said = format!("{} {client}", connection.stable_id());
                let mut stream = connection.open_uni().await.unwrap();
                let _ = stream.write_all(said.as_bytes()).await;
                let _ = stream.finish();
                connection.closed().await;
            });
        }
    });
    address
}

async fn read(connection: &quinn::Connection) -> Result<Seen, BoxError> {
    let said = connection.accept_uni().await?.read_to_end(1000).await?;
    let (connection, client) = str::from_utf8(&said)?.split_once(' ').unwrap();
    Ok(Seen {
        connection: connection.parse()?,
        client: client.to_owned(),
    })
}

#[tokio::test]
async fn a_client_on_quinn_follows_pins_and_identity() {
    let world = World::of(Usage::ClientAuth);
    let address = serve(world.peer_server());
    let (endpoint, configs) = (Endpoint::client(ANYWHERE).unwrap(), world.client_configs());
    try_client_whose(PinErrorIn::Text, &world, Pool::None, async || {
        let to = (address, "localhost");
        read(&quinn_client::connect(&endpoint, &configs, to, PROTOCOL).await?).await
    })
    .await;
}

#[tokio::test]
async fn a_server_on_quinn_serves_what_was_reloaded_and_knows_its_clients() {
    let world = World::of(Usage::ServerAuth);
    let address = serve(world.server_config());
    let endpoint = Endpoint::client(ANYWHERE).unwrap();
    try_server(&world, async |config: Arc<ClientConfig>| {
        let mut config = Arc::unwrap_or_clone(config);
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config)?));
        let connection = endpoint.connect_with(config, address, "localhost")?.await?;
        let seen = read(&connection).await?;
        let chain = connection.peer_identity().unwrap();
        let chain = chain.downcast::<Vec<CertificateDer<'_>>>().unwrap();
        Ok(Exchange {
            kind: None,
            server: name_of(&chain[0]),
            client: seen.client,
        })
    })
    .await;
}
