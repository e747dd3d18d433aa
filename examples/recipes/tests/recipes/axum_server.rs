use std::net::{Ipv4Addr, TcpListener};

use axum::routing::get;
use axum::{Extension, Router};
use notafter::outlook::Usage;
use notafter_recipes::axum_server::{Client, server};

use crate::http_peer;
use crate::scenario::try_server;
use crate::world::World;

async fn who(Extension(Client(client)): Extension<Client>) -> String {
    client.unwrap().short_name()
}

#[tokio::test]
async fn axum_server_serves_what_was_reloaded_and_knows_its_clients() {
    let world = World::of(Usage::ServerAuth);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/", get(who));
    let server = server(listener, world.server_config()).unwrap();
    let serving = tokio::spawn(server.serve(router.into_make_service()));
    try_server(&world, async |config| http_peer::get(config, port).await).await;
    http_peer::curl_is_known(&world, port, "--http2").await;
    serving.abort();
}
