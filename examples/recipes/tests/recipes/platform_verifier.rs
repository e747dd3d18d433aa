use notafter::outlook::Usage;
use notafter_recipes::{platform_verifier, tokio_client};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::http_peer;
use crate::scenario::{Pool, try_client};
use crate::world::World;

#[tokio::test]
async fn pins_and_events_come_upon_what_the_platform_accepts() {
    let world = World::of(Usage::ClientAuth);
    let port = http_peer::serve(&world, &["http/1.1"]).await;
    let roots = vec![world.ca.root_der().clone()];
    let (pins, own, told) = (world.pins.clone(), world.own.clone(), world.told.clone());
    let configs = platform_verifier::client_configs(roots, pins, own, told).unwrap();
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
