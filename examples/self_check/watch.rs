//! Watching until a signal ends it: each event is a line.

use std::error::Error;
use std::io;
use std::sync::{Arc, mpsc};

use notafter::observer::InlineObserver;
use notafter::{Event, Monitor};
use rustls::crypto::CryptoProvider;

use crate::args::{Args, Format, Target};
use crate::opening::Opening;
use crate::{anchors, connector, log_list, output};

/// Gives the exit code where nobody reads what is told any more.
pub fn run(args: &Args, provider: &Arc<CryptoProvider>) -> Result<u8, Box<dyn Error>> {
    let loader = Opening::of(args)?.loader();
    let anchors = anchors(args, &loader);
    for error in anchors.errors() {
        output::complain(&format!("self_check: {error}"));
    }
    if anchors.is_empty() && !args.dates_only {
        let error = "self_check: there is no trust anchor to judge by: install the system's CA certificates, or name \
                     others with --trust";
        return Err(error.into());
    }
    let (sender, told) = mpsc::channel();
    let observer = InlineObserver(move |event: &Event| {
        let _ = sender.send(event.clone());
    });
    let mut builder = Monitor::builder()
        .with_trust_anchors(anchors)
        .with_loader(loader)
        .with_provider(Arc::clone(provider))
        .with_connector(Arc::new(connector(args, provider)))
        .with_observer(Arc::new(observer));
    if let Some(interval) = args.every {
        builder = builder
            .with_poll_interval(interval)
            .with_endpoint_interval(interval);
    }
    if let Some(list) = log_list::read(args)? {
        builder = builder.with_log_list(list);
    }
    let monitor = builder.build()?;
    for target in &args.targets {
        let (name, target) = watched(target, args);
        monitor.watch(name, target);
    }
    output::complain(&format!(
        "self_check: {} watched, events follow until a signal ends it",
        monitor.len()
    ));
    // It ends with the process.
    let _running = monitor.spawn()?;
    for event in told {
        let line = match args.format {
            Format::Json => event.to_json(),
            _ => event.to_string(),
        };
        match output::write_to_reader(&(line + "\n")) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(0),
            Err(error) => {
                return Err(format!("self_check: an event could not be written: {error}").into());
            }
        }
    }
    Ok(0)
}

fn watched(target: &Target, args: &Args) -> (String, notafter::Target) {
    let (name, mut watched) = match target {
        Target::Path(path) => (
            path.to_string_lossy().into_owned(),
            notafter::Target::from_path(path),
        ),
        Target::Endpoint(address) => {
            let mut endpoint = notafter::Target::from_endpoint(address.to_string());
            if args.no_name {
                endpoint = endpoint.without_expected_name();
            }
            if let Some(protocol) = args.starttls {
                endpoint = endpoint.with_starttls(protocol);
            }
            (address.to_string(), endpoint)
        }
        // Refused with the command line.
        Target::StandardInput => ("-".to_owned(), notafter::Target::from_chain([])),
    };
    if args.dates_only {
        watched = watched.dates_only();
    }
    for name in &args.names {
        watched = watched.with_expected_name(name);
    }
    (name, watched)
}
