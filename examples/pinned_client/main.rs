//! Would a client with these pins accept that server?
//!
//! It makes one handshake and says in one line what came of it.
//!
//! Exit code: 0 accepted, 1 refused by pins, 2 refused by the inner verifier, 3 anything else.

mod args;

use std::error::Error;
use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use args::{Args, USAGE};
use notafter::pin::{Pin, PinMode, PinPosition, PinSetBuilder, PinState};
use notafter::{
    Event, EventCode, Loader, PinSet, Timestamp, TrustAnchors, WatchingServerVerifier, pin_error,
};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

const PATIENCE: Duration = Duration::from_secs(10);

/// What came of the handshake; the discriminant is the exit code.
#[derive(Clone, Copy)]
enum Verdict {
    Accepted = 0,
    RefusedByPins = 1,
    RefusedByVerifier = 2,
    Other = 3,
}

fn main() -> ExitCode {
    let args = match Args::parse() {
        Ok(args) if args.help => {
            print(USAGE);
            return ExitCode::SUCCESS;
        }
        Ok(args) => args,
        Err(error) => {
            let message = format!("pinned_client: {error}\n{USAGE}");
            let _ = io::stderr().write_all(message.as_bytes());
            return ExitCode::from(Verdict::Other as u8);
        }
    };
    let (verdict, line) = run(&args).unwrap_or_else(|error| (Verdict::Other, error.to_string()));
    let word = match verdict {
        Verdict::Accepted => "accepted",
        Verdict::RefusedByPins => "refused by pins",
        Verdict::RefusedByVerifier => "refused by the verifier",
        Verdict::Other => "failed",
    };
    print(&format!("{word}: {line}\n"));
    ExitCode::from(verdict as u8)
}

fn run(args: &Args) -> Result<(Verdict, String), Box<dyn Error>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let verifier = verifier(args, &told)?;
    let config = Arc::new(config(args, Arc::clone(&verifier))?);
    let name = ServerName::try_from(args.name.clone())
        .map_err(|_| format!("'{}' is neither a DNS name nor an IP address", args.name))?;
    let mut connection = ClientConnection::new(config, name)?;
    let mut stream = connect(&args.host, args.port)?;
    while connection.is_handshaking() {
        if let Err(error) = connection.complete_io(&mut stream) {
            return refusal(error);
        }
    }
    verifier.flush_events(PATIENCE);
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((Verdict::Accepted, acceptance(args, &told)))
}

/// The inner verifier is rustls's own; pins can only refuse more, and a grace is asked for.
fn verifier(
    args: &Args,
    told: &Arc<Mutex<Vec<Event>>>,
) -> Result<Arc<WatchingServerVerifier>, Box<dyn Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let anchors = anchors(args)?;
    let roots = Arc::new(RootCertStore::from(&anchors));
    let inner = WebPkiServerVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let told = Arc::clone(told);
    let mut builder = WatchingServerVerifier::builder(inner)
        .with_provider(provider)
        .with_trust_anchors(anchors)
        .with_observer(Arc::new(move |event: &Event| {
            told.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event.clone());
        }));
    if let Some(pins) = pins(args)? {
        builder = builder.with_pin_set(pins);
    }
    if let Some(grace) = args.grace {
        builder = builder.with_grace(grace);
    }
    Ok(builder.build()?)
}

fn config(
    args: &Args,
    verifier: Arc<WatchingServerVerifier>,
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clock: Arc<dyn TimeProvider> = match args.at {
        Some(at) => Arc::new(Fixed(at)),
        None => Arc::new(DefaultTimeProvider),
    };
    Ok(ClientConfig::builder_with_details(provider, clock)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn pins(args: &Args) -> Result<Option<PinSet>, Box<dyn Error>> {
    if args.pins.is_empty() && args.ca_pins.is_empty() {
        return Ok(None);
    }
    let mode = match args.report_only {
        true => PinMode::ReportOnly,
        false => PinMode::Enforce,
    };
    let leaf_pins = args
        .pins
        .iter()
        .map(|pin| Pin::new(*pin, PinState::Current));
    let ca_pins = args
        .ca_pins
        .iter()
        .map(|pin| Pin::new(*pin, PinState::Current).with_position(PinPosition::Ca));
    let builder = leaf_pins
        .chain(ca_pins)
        .fold(PinSet::builder(), PinSetBuilder::with_pin);
    Ok(Some(builder.with_mode(mode).build()?))
}

fn anchors(args: &Args) -> Result<TrustAnchors, String> {
    let loader = Loader::new();
    let sources = args.trust.iter().flat_map(|path| loader.load(path));
    let anchors = sources
        .fold(TrustAnchors::builder(), |builder, source| {
            builder.with_source(&source)
        })
        .build();
    match (anchors.is_empty(), anchors.errors()) {
        (true, [first, ..]) => Err(first.to_string()),
        (true, []) => Err("--trust holds no trust anchor".to_owned()),
        (false, _) => Ok(anchors),
    }
}

fn refusal(error: io::Error) -> Result<(Verdict, String), Box<dyn Error>> {
    let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    else {
        return Err(error.into());
    };
    let verdict = match tls {
        _ if pin_error(tls).is_some() => Verdict::RefusedByPins,
        rustls::Error::InvalidCertificate(_) => Verdict::RefusedByVerifier,
        _ => Verdict::Other,
    };
    let reason = pin_error(tls).map_or_else(|| tls.to_string(), ToString::to_string);
    Ok((verdict, reason))
}

/// Why it was accepted: what pins and grace had to say of it, or that there was nothing to say.
fn acceptance(args: &Args, told: &[Event]) -> String {
    let of_interest = [EventCode::PinGraceUsed, EventCode::PinReportOnly];
    let mut told = told.iter();
    match told.find(|event| of_interest.contains(&event.code)) {
        Some(event) => event.message.clone(),
        None if args.pins.is_empty() && args.ca_pins.is_empty() => {
            format!("{} verifies; no pins were given", args.name)
        }
        None => format!("{} verifies and a pin matches", args.name),
    }
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[derive(Debug)]
struct Fixed(Timestamp);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        self.0.to_unix_time()
    }
}

/// A reader that has gone away is no reason to fail.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
