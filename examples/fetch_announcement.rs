//! Fetches an announcement of pins over HTTPS and applies it.
//!
//! From a host that these pins do not pin: else a mistake in them would lock out its own
//! correction. Several addresses are tried in their order.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lexopt::prelude::*;
use notafter::{
    Certificate, ExpiryRule, Loader, PinFloor, PinFolder, PinStore, PinsInForce as _, Timestamp,
    TrustAnchors,
};
use rustls::pki_types::ServerName;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

const USAGE: &str = "\
usage: fetch_announcement --floor FILE --state FOLDER --trust FILE [--at TIME] URL...
  --floor FILE    what an application compiles in: an unsigned payload with its authority
  --state FOLDER  where announced pins are kept; made where it is missing
  --trust FILE    trust anchors for the fetching, PEM
  --at TIME       the instant at which it is applied: RFC 3339 or Unix seconds (default now)
exit code: 0 applied; 1 refused; 3 nothing could be fetched, or something could not be read or kept
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
    // A reader that has gone away is no reason to fail.
    let _ = writeln!(std::io::stdout(), "{line}");
    ExitCode::from(code)
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
    for url in &args.urls {
        match fetch(&agent, url, &store) {
            Ok(envelope) => {
                return Ok(match store.apply(&envelope, now) {
                    Ok(applied) => {
                        applied.notices.iter().for_each(|n| tell(&n.to_string()));
                        (0, format!("version {} is in force", applied.version))
                    }
                    Err(refused) => (1, format!("refused ({}): {refused}", refused.code())),
                });
            }
            Err(error) => tell(&format!("{url}: {error}")),
        }
    }
    Ok((3, "nothing could be fetched".to_owned()))
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
