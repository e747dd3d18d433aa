//! actix-web, features `rustls-0_23`; and actix-tls, for the name of its stream.

use std::any::Any;
use std::io;
use std::net::TcpListener;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::{Extensions, Server};
use actix_web::rt::net::TcpStream;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use notafter::Certificate;
use rustls::ServerConfig;

/// Whose certificate the client showed: a handler asks `request.conn_data::<Client>()`.
pub struct Client(pub Certificate);

/// Run it with `.await`. The protocols of ALPN are actix-web's to set.
pub fn server(
    listener: TcpListener,
    config: ServerConfig,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<Server> {
    let server = HttpServer::new(move || App::new().configure(routes.clone()));
    // Before the listener: what is set after it has no effect on it.
    let server = server.on_connect(note_client);
    Ok(server.listen_rustls_0_23(listener, config)?.run())
}

fn note_client(connection: &dyn Any, data: &mut Extensions) {
    let Some(tls) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
    let leaf = chain.first().map(Certificate::from_der);
    if let Some(Ok(leaf)) = leaf {
        data.insert(Client(leaf));
    }
}
