//! How do I get what a monitor says into Alertmanager?
//!
//! It watches files and folders, and posts what fires, what is said again, and what recovers. With
//! an Alertmanager on this machine:
//!
//! ```sh
//! cargo run --example post_alerts -- http://127.0.0.1:9093 --label service=billing /etc/service/tls.crt
//! ```
//!
//! It runs until it is ended.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lexopt::prelude::*;
use notafter::alert::RepeatPolicy;
use notafter::payload::Alertmanager;
use notafter::{Band, Event, Loader, Monitor, Target, TrustAnchors};
use ureq::Agent;

const USAGE: &str = "\
usage: post_alerts ALERTMANAGER [OPTIONS] FILE | FOLDER...
  ALERTMANAGER         its address: http://127.0.0.1:9093
  --label NAME=VALUE   a label of every alert, repeatable
  --trust FILE         trust anchors, PEM; default the OS store
  --poll SECONDS       how often files are read (default 60)
  --repeat SECONDS     how often all that is not ok is said again (default warnings daily, worse hourly)
";

/// How long one post may take, and how often and how soon one that failed is tried again. The
/// observer has a thread of its own, so nothing else waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Args {
    alertmanager: String,
    labels: Vec<(String, String)>,
    trust: Option<PathBuf>,
    poll: Option<u64>,
    repeat: Option<u64>,
    paths: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match parse().map_err(Into::into).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error}\n\n{USAGE}"));
            ExitCode::from(3)
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let every = args.repeat.map(Duration::from_secs);
    let repeat = match every {
        None => RepeatPolicy::default(),
        every => (Band::ALL.into_iter()).fold(RepeatPolicy::never(), |repeat, band| {
            repeat.with_band(band, every)
        }),
    };
    let mut alerts = Alertmanager::builder().with_repeat(repeat);
    for (name, value) in args.labels {
        alerts = alerts.with_label(name, value);
    }
    let alerts = alerts.build()?;
    let agent = Agent::new_with_config(
        Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .build(),
    );
    let url = format!("{}/api/v2/alerts", args.alertmanager.trim_end_matches('/'));
    let observer = move |event: &Event| {
        tell(&event.to_string());
        for body in alerts.bodies(event) {
            post(&agent, &url, &body);
        }
    };
    let anchors = match &args.trust {
        None => TrustAnchors::from_os(),
        Some(file) => {
            let source = Loader::default().load_file(file);
            TrustAnchors::builder().with_source(&source).build()
        }
    };
    let monitor = Monitor::builder()
        .with_trust_anchors(anchors)
        .with_provider(rustls::crypto::ring::default_provider().into())
        .with_repeat(repeat)
        .with_poll_interval(Duration::from_secs(args.poll.unwrap_or(60)))
        .with_observer(Arc::new(observer))
        .build()?;
    for path in &args.paths {
        monitor.watch(path.display().to_string(), Target::from_path(path));
    }
    let _running = monitor.spawn()?;
    loop {
        thread::park();
    }
}

/// What could not be posted after all is said again at its interval, before what was posted ends.
fn post(agent: &Agent, url: &str, body: &str) {
    for attempt in 1..=ATTEMPTS {
        let posted = agent.post(url).header("Content-Type", "application/json");
        match posted.send(body) {
            Ok(_) => return,
            Err(error) => tell(&format!("{url}, attempt {attempt} of {ATTEMPTS}: {error}")),
        }
        thread::sleep(PAUSE);
    }
}

/// A log that is full ends nothing.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn parse() -> Result<Args, lexopt::Error> {
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("label") => {
                let text = parser.value()?.string()?;
                let (name, value) = text.split_once('=').ok_or("--label takes NAME=VALUE")?;
                args.labels.push((name.to_owned(), value.to_owned()));
            }
            Long("trust") => args.trust = Some(parser.value()?.into()),
            Long("poll") => args.poll = Some(parser.value()?.parse()?),
            Long("repeat") => args.repeat = Some(parser.value()?.parse()?),
            Value(value) if args.alertmanager.is_empty() => args.alertmanager = value.string()?,
            Value(path) => args.paths.push(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    if args.paths.is_empty() {
        return Err("name an Alertmanager, and at least one FILE or FOLDER".into());
    }
    Ok(args)
}
