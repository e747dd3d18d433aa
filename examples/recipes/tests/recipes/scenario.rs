//! What is tried of every client and of every server.

use std::sync::Arc;

use notafter::event::Role;
use notafter::explain::{explain, find_pin_error};
use notafter::{Event, EventCode};
use notafter_recipes::BoxError;
use rustls::{ClientConfig, HandshakeKind};

use crate::world::{FIRST, PEER, SECOND, World};

/// What becomes of the connection that an earlier request was sent over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// It serves the next one.
    Kept,
    /// There is one for each request.
    None,
}

/// Where a client says that pins refused the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PinErrorIn {
    /// In what its error comes from: `explain` and `find_pin_error` find it.
    Sources,
    /// In words alone.
    Text,
}

/// What the server saw of one request.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Another one for each connection.
    pub connection: u64,
    /// What the client's certificate is called.
    pub client: String,
}

/// Sends requests by a client that pins, whose identity is rotated, and whose pins are changed.
pub async fn try_client(
    world: &World,
    pool: Pool,
    request: impl AsyncFn() -> Result<Seen, BoxError>,
) {
    try_client_whose(PinErrorIn::Sources, world, pool, request).await;
}

/// The same of one that says a refusal in its own way.
pub async fn try_client_whose(
    pin_error_in: PinErrorIn,
    world: &World,
    pool: Pool,
    request: impl AsyncFn() -> Result<Seen, BoxError>,
) {
    let first = request().await.unwrap();
    assert_eq!(first.client, FIRST);
    told_of_the_peer(&world.told.take(), Role::PeerServer);

    let again = request().await.unwrap();
    assert_eq!(again.client, FIRST);
    assert_eq!(again.connection == first.connection, pool == Pool::Kept);

    world.rotate();
    let rotated = request().await.unwrap();
    assert_eq!(
        rotated.client, SECOND,
        "the next request is with the new certificate"
    );
    assert_ne!(rotated.connection, again.connection);

    world.pin_another_key();
    let error = request().await.unwrap_err();
    match pin_error_in {
        PinErrorIn::Sources => {
            let code = explain(&*error).map(|why| why.code());
            assert_eq!(code, Some("pin_mismatch"), "{error:?}");
            assert!(find_pin_error(&*error).is_some(), "{error:?}");
        }
        PinErrorIn::Text => assert!(error.to_string().contains("localhost showed"), "{error}"),
    }

    world.pin_the_peer();
    assert_eq!(request().await.unwrap().client, SECOND);
}

/// What a client saw of one connection.
#[derive(Debug)]
pub struct Exchange {
    /// `None` where the client does not tell.
    pub kind: Option<HandshakeKind>,
    /// What the server's certificate is called.
    pub server: String,
    /// What the server says that the client's certificate is called.
    pub client: String,
}

/// Connects to a server that pins its clients, whose key is rotated, and whose pins are changed.
pub async fn try_server(
    world: &World,
    connect: impl AsyncFn(Arc<ClientConfig>) -> Result<Exchange, BoxError>,
) {
    let config = Arc::new(world.peer_client());
    let first = connect(config.clone()).await.unwrap();
    assert_eq!((&*first.server, &*first.client), (FIRST, PEER));
    told_of_the_peer(&world.told.take(), Role::PeerClient);

    let resumed = connect(config.clone()).await.unwrap();
    assert!(matches!(resumed.kind, None | Some(HandshakeKind::Resumed)));
    assert_eq!(resumed.client, PEER);

    world.pin_another_key();
    let refused = connect(config.clone()).await;
    assert!(
        refused.is_err(),
        "no session outlives its pins: {refused:?}"
    );

    world.pin_the_peer();
    world.rotate();
    let rotated = connect(Arc::new(world.peer_client())).await.unwrap();
    assert_eq!((&*rotated.server, &*rotated.client), (SECOND, PEER));
    assert!(matches!(rotated.kind, None | Some(HandshakeKind::Full)));
}

/// That the peer's certificate ends soon; and nothing of a recipe that leaves something out.
fn told_of_the_peer(told: &[Event], role: Role) {
    let expiring = |event: &Event| event.code == EventCode::PeerExpiring && event.role == role;
    assert!(told.iter().any(expiring), "{told:?}");
    let left_out = [EventCode::SessionsUnguarded, EventCode::AnchorsDoNotLead];
    let left_out = told.iter().find(|event| left_out.contains(&event.code));
    assert!(left_out.is_none(), "{left_out:?}");
}
