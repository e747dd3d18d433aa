//! How does my service pick up its renewed certificate by itself, and say how it stands?
//!
//! An HTTPS service with metrics, readiness and a report. Run it without arguments for a PKI of its
//! own.

#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::indexing_slicing
)]

mod args;
mod client_trust;
mod demo;
mod listener;
mod pages;
mod service;
mod serving;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use args::Args;
use demo::Demo;
use service::Service;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_rustls::TlsAcceptor;

/// How long open requests may take after the end was asked for.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse() {
        Ok(args) if args.help => {
            print(args::USAGE);
            Ok(())
        }
        Ok(args) => run(args).await,
        Err(error) => Err(format!("{error}\n\n{}", args::USAGE).into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut args: Args) -> Result<(), Box<dyn Error>> {
    let demo = match args.pair {
        Some(_) => None,
        None => Some(Demo::mint()?),
    };
    let pair = match (&args.pair, &demo) {
        (Some(pair), _) => pair.clone(),
        (None, Some(demo)) => {
            args.trust.push(demo.path("ca.pem"));
            (demo.path("tls.crt"), demo.path("tls.key"))
        }
        (None, None) => return Err("there is nothing to serve".into()),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let service = Arc::new(Service::new(&args, pair, &provider)?);
    let acceptor = TlsAcceptor::from(Arc::new(service.tls(&provider)?));

    let listener = TcpListener::bind(args.listen).await?;
    // Before it says where it listens: who reads that may send it.
    #[cfg(unix)]
    tokio::spawn(reload_on(
        signal(SignalKind::hangup())?,
        Arc::clone(&service),
    ));
    let url = format!("https://{}", listener.local_addr()?);
    print(&format!("listening on {url}\n"));
    if let Some(demo) = &demo {
        print(&demo.hints(&url));
    }
    service::said_where();

    let watching = service.monitor.spawn()?;
    tokio::spawn(reload(Arc::clone(&service), args.poll));
    tokio::spawn(end_connections(Arc::clone(&service)));
    let (ending, end_is_asked_for) = watch::channel(false);
    let server = listener::accept(listener, acceptor, service, end_is_asked_for);
    let server = tokio::spawn(server);
    asked_to_end().await;
    ending.send_replace(true);
    server.await?;
    // Each connection holds a receiver until it has ended.
    let _ = tokio::time::timeout(LAST_REQUESTS, ending.closed()).await;
    watching.stop(Duration::from_secs(1));
    Ok(())
}

/// Reads files, so on a thread where that may take its time.
async fn reload(service: Arc<Service>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let service = Arc::clone(&service);
        let polled = tokio::task::spawn_blocking(move || service.poll()).await;
        if let Err(error) = polled {
            eprintln!("the files could not be looked at: {error}");
        }
    }
}

/// What services are asked with to look at their files.
#[cfg(unix)]
async fn reload_on(mut hangup: Signal, service: Arc<Service>) {
    while hangup.recv().await.is_some() {
        let service = Arc::clone(&service);
        let reloaded = tokio::task::spawn_blocking(move || service.reload_now()).await;
        if let Err(error) = reloaded {
            eprintln!("the files could not be looked at: {error}");
        }
    }
}

/// Tells those connections that are due.
async fn end_connections(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        service.end_connections();
    }
}

/// Ctrl-C, or what stops services.
async fn asked_to_end() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// A reader that has gone away is no reason to fail.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
