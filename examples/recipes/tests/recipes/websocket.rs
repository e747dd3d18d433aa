use std::net::Ipv4Addr;

use futures_util::{SinkExt as _, StreamExt as _};
use notafter::outlook::Usage;
use notafter_recipes::{tokio_server, websocket_client};
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::scenario::{Pool, Seen, try_client};
use crate::world::World;

#[tokio::test]
async fn tokio_tungstenite_follows_pins_and_identity() {
    let world = World::of(Usage::ClientAuth);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("wss://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(tokio_server::serve(
        listener,
        world.peer_server(),
        |tls| async move {
            let (tcp, connection) = tls.get_ref();
            let port = tcp.peer_addr().unwrap().port();
            let client = tokio_server::client(connection).unwrap().short_name();
            let mut socket = accept_async(tls).await.unwrap();
            let _ = socket.send(Message::text(format!("{port} {client}"))).await;
            let _ = socket.close(None).await;
        },
    ));
    let configs = world.client_configs();
    try_client(&world, Pool::None, async || {
        let mut socket = websocket_client::connect(&configs, &url).await?;
        let said = socket.next().await.unwrap()?.into_text()?;
        let (connection, client) = said.split_once(' ').unwrap();
        Ok(Seen {
            connection: connection.parse()?,
            client: client.to_owned(),
        })
    })
    .await;
}
