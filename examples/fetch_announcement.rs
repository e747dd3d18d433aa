//! How does my application fetch an announcement of pins?
//!
//! Over HTTPS, from hosts that these pins do not pin: else a mistake in them would lock out its own
//! correction. All addresses are asked at once, and the newest announcement that they give is
//! applied: one mirror that stands still, or a network that answers with a page of its own, hides
//! nothing.

use std::cmp::Reverse;
use std::error::Error;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lexopt::prelude::*;
use notafter::announce::{Announcement, Envelope, PinFloor, PinFolder};
use notafter::pin::{ExpiryRule, PinsInForce as _};
use notafter::{Certificate, Loader, PinStore, Timestamp, TrustAnchors};
use rustls::pki_types::ServerName;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

const USAGE: &str = "\
usage: fetch_announcement --floor FILE --state FOLDER --trust FILE [--at TIME] URL...
  --floor FILE    what an application compiles in: an unsigned payload with its authority
  --state FOLDER  where announced pins are kept; made where it is missing
  --trust FILE    trust anchors for the fetching, PEM
  --at TIME       the instant at which it is applied: RFC 3339 or Unix seconds (default now)
all addresses are asked, and the newest announcement that they give is applied
exit code: 0 applied; 1 refused; 3 nothing could be fetched, or something could not be read, kept or printed
";

/// A larger envelope is refused anyway.
const MOST_BYTES: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Args {
    floor: PathBuf,
    state: PathBuf,
    trust: PathBuf,
    at: Option<Timestamp>,
    urls: Vec<String>,
}

fn main() -> ExitCode {
    let (code, line) = match parse().map_err(Into::into).and_then(|args| run(&args)) {
        Ok(outcome) => outcome,
        Err(error) => (3, format!("{error}\n\n{USAGE}")),
    };
    // A reader that has gone away is no reason to fail; a full disk is.
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("the output could not be written: {error}"));
            ExitCode::from(3)
        }
        _ => ExitCode::from(code),
    }
}

fn run(args: &Args) -> Result<(u8, String), Box<dyn Error>> {
    let now = match args.at {
        Some(at) => at,
        None => now()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let floor = PinFloor::from_json(&std::fs::read(&args.floor)?)?;
    let algorithms = provider.signature_verification_algorithms.all;
    let (store, notices) = PinStore::builder(floor, ExpiryRule::FailClosed, algorithms)
        .with_storage(Arc::new(PinFolder::new(&args.state)))
        .open(now)?;
    notices.iter().for_each(|notice| tell(&notice.to_string()));
    let agent = agent(args)?;
    let fetched: Vec<_> = thread::scope(|scope| {
        let asked = args.urls.iter().map(|url| {
            let asking = scope.spawn(|| fetch(&agent, url, &store).map_err(|e| e.to_string()));
            (url.as_str(), asking)
        });
        let asked: Vec<_> = asked.collect();
        let answers = asked.into_iter().map(|(url, asking)| {
            let panicked = |_| Err("it could not be asked".to_owned());
            (url, asking.join().unwrap_or_else(panicked))
        });
        answers.collect()
    });
    let mut found = Vec::new();
    for (url, answer) in fetched {
        match answer {
            Ok(envelope) => found.push(Found::new(url, envelope)),
            Err(error) => tell(&format!("{url}: {error}")),
        }
    }
    found.sort_by_key(|found| Reverse(found.version));
    Ok(apply(&store, &found, now))
}

/// What an address gave.
struct Found<'a> {
    url: &'a str,
    /// As it claims, believed for nothing but its turn.
    version: Option<u64>,
    envelope: Vec<u8>,
}

impl<'a> Found<'a> {
    fn new(url: &'a str, envelope: Vec<u8>) -> Self {
        let parsed = Envelope::parse(&envelope).ok();
        let claimed = parsed.and_then(|e| Announcement::from_json(e.payload()).ok());
        Self {
            url,
            version: claimed.map(|announcement| announcement.version),
            envelope,
        }
    }
}

/// The newest first, until one is applied; where that lets in a newer one (other keys announce from
/// then on), that too.
fn apply(store: &PinStore, found: &[Found<'_>], now: Timestamp) -> (u8, String) {
    let mut outcome = (3, "nothing could be fetched".to_owned());
    let mut left = found;
    loop {
        let mut applied_at = 0;
        for (at, found) in left.iter().enumerate() {
            match store.apply(&found.envelope, now) {
                Ok(applied) => {
                    applied.notices.iter().for_each(|n| tell(&n.to_string()));
                    outcome = (0, format!("version {} is in force", applied.version));
                    applied_at = at;
                    break;
                }
                Err(refused) => {
                    let line = format!("refused ({}): {refused}", refused.code());
                    tell(&format!("{}: {line}", found.url));
                    if outcome.0 == 3 {
                        outcome = (1, line);
                    }
                }
            }
        }
        match left.get(..applied_at) {
            Some(newer) if !newer.is_empty() => left = newer,
            _ => return outcome,
        }
    }
}

/// At most as many bytes as an envelope may have, from a host that is not pinned itself.
fn fetch(agent: &Agent, url: &str, store: &PinStore) -> Result<Vec<u8>, Box<dyn Error>> {
    let address: ureq::http::Uri = url.parse()?;
    let host = address.host().ok_or("there is no host in it")?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    if store.generation().sets.for_server(&name).is_some() {
        return Err("this host is pinned by the very pins that are to change: \
                    publish them elsewhere too"
            .into());
    }
    let mut response = agent.get(url).call()?;
    let body = response.body_mut().with_config().limit(MOST_BYTES);
    Ok(body.read_to_vec()?)
}

fn agent(args: &Args) -> Result<Agent, Box<dyn Error>> {
    let sources = Loader::new().load(&args.trust);
    let anchors = sources
        .iter()
        .fold(TrustAnchors::builder(), |builder, source| {
            builder.with_source(source)
        })
        .build();
    if anchors.is_empty() {
        return Err(format!("{}: there is no trust anchor in it", args.trust.display()).into());
    }
    let roots = anchors.certificates().map(Certificate::der);
    let roots: Vec<_> = roots
        .map(|der| ureq::tls::Certificate::from_der(der).to_owned())
        .collect();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .https_only(true)
        .max_redirects(0)
        .timeout_global(Some(PATIENCE))
        .build();
    Ok(Agent::new_with_config(config))
}

fn parse() -> Result<Args, lexopt::Error> {
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("floor") => args.floor = parser.value()?.into(),
            Long("state") => args.state = parser.value()?.into(),
            Long("trust") => args.trust = parser.value()?.into(),
            Long("at") => args.at = Some(parser.value()?.parse()?),
            Value(url) => args.urls.push(url.string()?),
            other => return Err(other.unexpected()),
        }
    }
    if args.urls.is_empty() {
        return Err("give at least one URL".into());
    }
    Ok(args)
}

fn now() -> Result<Timestamp, Box<dyn Error>> {
    use rustls::time_provider::{DefaultTimeProvider, TimeProvider as _};
    let now = DefaultTimeProvider.current_time();
    Ok(now.ok_or("the clock cannot be read")?.into())
}

fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
