use notafter::outlook::Usage;

use crate::http_peer;
use crate::scenario::{Pool, try_client};
use crate::world::World;

#[tokio::test]
async fn reqwest_012_follows_pins_and_identity_pool_included() {
    for (protocols, version) in [(["http/1.1"], "HTTP/1.1"), (["h2"], "HTTP/2.0")] {
        let world = World::of(Usage::ClientAuth);
        let url = format!(
            "https://localhost:{}",
            http_peer::serve(&world, &protocols).await
        );
        let client = notafter_recipes::reqwest_012::client(world.client_configs());
        try_client(&world, Pool::Kept, async || {
            let response = client.current()?.get(&url).send().await?;
            Ok(http_peer::seen(&response.text().await?, version))
        })
        .await;
    }
}

#[tokio::test]
async fn reqwest_013_follows_pins_and_identity_pool_included() {
    for (protocols, version) in [(["http/1.1"], "HTTP/1.1"), (["h2"], "HTTP/2.0")] {
        let world = World::of(Usage::ClientAuth);
        let url = format!(
            "https://localhost:{}",
            http_peer::serve(&world, &protocols).await
        );
        let client = notafter_recipes::reqwest_013::client(world.client_configs());
        try_client(&world, Pool::Kept, async || {
            let response = client.current()?.get(&url).send().await?;
            Ok(http_peer::seen(&response.text().await?, version))
        })
        .await;
    }
}
