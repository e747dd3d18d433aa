use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc;

use actix_web::HttpRequest;
use actix_web::rt::System;
use actix_web::web::{ServiceConfig, get};
use notafter::outlook::Usage;
use notafter_recipes::actix_server::{Client, server};

use crate::http_peer;
use crate::scenario::try_server;
use crate::world::World;

async fn who(request: HttpRequest) -> String {
    let Client(leaf) = request.conn_data().unwrap();
    leaf.short_name()
}

fn routes(service: &mut ServiceConfig) {
    service.route("/", get().to(who));
}

#[tokio::test]
async fn actix_web_serves_what_was_reloaded_and_knows_its_clients() {
    let world = World::of(Usage::ServerAuth);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = world.server_config();
    let (started, handle) = mpsc::channel();
    let serving = std::thread::spawn(move || {
        System::new().block_on(async {
            let server = server(listener, config, routes).unwrap();
            started.send(server.handle()).unwrap();
            server.await
        })
    });
    let handle = handle.recv().unwrap();
    try_server(&world, async |config| http_peer::get(config, port).await).await;
    http_peer::curl_is_known(&world, port, "--http1.1").await;
    handle.stop(false).await;
    serving.join().unwrap().unwrap();
}
