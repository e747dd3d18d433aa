use std::sync::Arc;

use notafter::outlook::Usage;

use crate::http_peer;
use crate::scenario::{Pool, try_client};
use crate::world::World;

#[tokio::test]
async fn ureq_follows_pins_and_identity_pool_included() {
    let world = World::of(Usage::ClientAuth);
    let port = http_peer::serve(&world, &[]).await;
    let agent = notafter_recipes::ureq_client::agent(world.client_configs());
    let agent = Arc::new(agent);
    try_client(&world, Pool::Kept, async || {
        let agent = agent.current()?;
        let request = move || {
            let mut response = agent.get(format!("https://localhost:{port}")).call()?;
            response.body_mut().read_to_string()
        };
        let answer = tokio::task::spawn_blocking(request).await??;
        Ok(http_peer::seen(&answer, "HTTP/1.1"))
    })
    .await;
}
