use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use hyper_util::rt::TokioIo;
use notafter::outlook::Usage;
use notafter_recipes::{BoxError, tonic_client, tonic_server};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::scenario::{Exchange, Pool, Seen, try_client, try_server};
use crate::world::{World, name_of};

/// Says in the answer's metadata who asks, over which connection.
struct Who;

#[tonic::async_trait]
impl Health for Who {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let client = tonic_server::client(&request).unwrap().short_name();
        let port = request.remote_addr().unwrap().port();
        let mut answer = Response::new(HealthCheckResponse::default());
        answer
            .metadata_mut()
            .insert("client", client.parse().unwrap());
        answer.metadata_mut().insert("port", port.into());
        Ok(answer)
    }

    type WatchStream = tokio_stream::Pending<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("watch"))
    }
}

async fn serve(config: ServerConfig) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Server::builder().add_service(HealthServer::new(Who));
    tokio::spawn(router.serve_with_incoming(tonic_server::incoming(listener, config)));
    port
}

async fn check(channel: Channel) -> Result<Seen, Status> {
    let answer = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await?;
    let said = |name| answer.metadata().get(name).unwrap().to_str().unwrap();
    Ok(Seen {
        connection: said("port").parse().unwrap(),
        client: said("client").to_owned(),
    })
}

#[tokio::test]
async fn a_client_on_tonic_follows_pins_and_identity_channel_included() {
    let world = World::of(Usage::ClientAuth);
    let port = serve(world.peer_server()).await;
    let address = format!("localhost:{port}");
    let channel = tonic_client::channel(world.client_configs(), &address);
    try_client(&world, Pool::Kept, async || {
        Ok(check(channel.current()?).await?)
    })
    .await;
}

#[tokio::test]
async fn a_server_on_tonic_serves_what_was_reloaded_and_knows_its_clients() {
    let world = World::of(Usage::ServerAuth);
    let port = serve(world.server_config()).await;
    try_server(&world, async |config| exchange(config, port).await).await;
}

/// One call over one connection, by a client that has nothing of notafter.
async fn exchange(config: Arc<ClientConfig>, port: u16) -> Result<Exchange, BoxError> {
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = TlsConnector::from(Arc::new(config));
    let handshake = Arc::new(Mutex::new(None));
    let noted = handshake.clone();
    let connector = tower::service_fn(move |_| {
        let (tls, noted) = (tls.clone(), noted.clone());
        async move {
            let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let tls = tls.connect(ServerName::try_from("localhost")?, tcp).await?;
            let connection = tls.get_ref().1;
            let server = name_of(&connection.peer_certificates().unwrap()[0]);
            *noted.lock().unwrap() = Some((connection.handshake_kind(), server));
            Ok::<_, BoxError>(TokioIo::new(tls))
        }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let seen = check(endpoint.connect_with_connector(connector).await?).await?;
    let (kind, server) = handshake.lock().unwrap().take().unwrap();
    Ok(Exchange {
        kind,
        server,
        client: seen.client,
    })
}
