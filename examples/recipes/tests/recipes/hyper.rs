use http_body_util::BodyExt as _;
use notafter::outlook::Usage;

use crate::http_peer;
use crate::scenario::{Pool, try_client};
use crate::world::World;

#[tokio::test]
async fn hyper_follows_pins_and_identity_pool_included() {
    for (protocols, version) in [(["http/1.1"], "HTTP/1.1"), (["h2"], "HTTP/2.0")] {
        let world = World::of(Usage::ClientAuth);
        let port = http_peer::serve(&world, &protocols).await;
        let uri: ::hyper::Uri = format!("https://localhost:{port}/").parse().unwrap();
        let client = notafter_recipes::hyper_client::client(world.client_configs());
        try_client(&world, Pool::Kept, async || {
            let response = client.current()?.get(uri.clone()).await?;
            let body = response.into_body().collect().await?.to_bytes();
            Ok(http_peer::seen(str::from_utf8(&body)?, version))
        })
        .await;
    }
}
