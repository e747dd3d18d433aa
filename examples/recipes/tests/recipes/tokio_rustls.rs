use std::net::Ipv4Addr;

use notafter::outlook::Usage;
use notafter_recipes::{tokio_client, tokio_server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::http_peer;
use crate::scenario::{Pool, try_client, try_server};
use crate::world::World;

#[tokio::test]
async fn a_client_on_tokio_rustls_follows_pins_and_identity() {
    let world = World::of(Usage::ClientAuth);
    let port = http_peer::serve(&world, &["http/1.1"]).await;
    let configs = world.client_configs();
    try_client(&world, Pool::None, async || {
        let mut tls = tokio_client::connect(&configs, "localhost", port).await?;
        tls.write_all(http_peer::REQUEST).await?;
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await?;
        Ok(http_peer::seen(
            answer.rsplit('\n').next().unwrap(),
            "HTTP/1.1",
        ))
    })
    .await;
}

#[tokio::test]
async fn a_server_on_tokio_rustls_serves_what_was_reloaded_and_knows_its_clients() {
    let world = World::of(Usage::ServerAuth);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(tokio_server::serve(
        listener,
        world.server_config(),
        |mut tls| async move {
            let mut request = [0; 1024];
            let _ = tls.read(&mut request).await;
            let client = tokio_server::client(tls.get_ref().1).unwrap().short_name();
            let _ = tls.write_all(format!("\n{client}").as_bytes()).await;
            let _ = tls.shutdown().await;
        },
    ));
    try_server(&world, async |config| http_peer::get(config, port).await).await;
    serving.abort();
}
