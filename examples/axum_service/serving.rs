//! One connection, from its handshake to its end: nothing in flight is cut off while there is time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::map_response;
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use crate::listener::Connection;

/// How long a client of HTTP/1 may say nothing, once its connection is told to end: closing it at
/// once would cut off a request that is under way.
const LAST_REQUEST: Duration = Duration::from_millis(500);

pub async fn serve(connection: Connection, router: Router, mut ending: watch::Receiver<bool>) {
    let is_http1 = !connection.is_http2();
    let (closing, overdue) = (connection.open.closing(), connection.open.overdue());
    let last_response = Arc::new(AtomicBool::new(false));
    let told = async {
        closing.await;
        if is_http1 {
            last_response.store(true, Ordering::Relaxed);
            tokio::time::sleep(LAST_REQUEST).await;
        }
    };
    let last = Arc::clone(&last_response);
    let router = router.layer(map_response(move |mut response: Response| {
        if last.load(Ordering::Relaxed) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        async { response }
    }));
    let server = Builder::new(TokioExecutor::new());
    let connection = TokioIo::new(connection);
    let mut served = pin!(server.serve_connection(connection, TowerToHyperService::new(router)));
    // What a peer does wrong on its connection is its own affair.
    tokio::select! {
        _ = served.as_mut() => return,
        () = told => {}
        _ = ending.wait_for(|ending| *ending) => {}
    }
    // HTTP/1 ends after the request in flight, HTTP/2 sends GOAWAY.
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ = served.as_mut() => {}
        () = overdue => {}
    }
}
