//! What did I load, and until when does it work?
//!
//! It looks at certificate files, folders and TLS endpoints and says until when they work, which
//! certificate ends them, and what to do. Run it without arguments for a demonstration.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod args;
mod demo;
mod log_list;
mod opening;
mod output;
mod progress;
mod watch;

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use args::{Args, FailOn, Format, Target};
use notafter::endpoint::{Endpoint, EndpointConnector};
use notafter::self_check::{Grouping, Theme};
use notafter::source::{FailureReason, SourceContents};
use notafter::{Certificate, Loader, Report, SelfCheck, Severity, TrustAnchors};
use opening::Opening;
use progress::ProgressLine;
use rustls::crypto::CryptoProvider;

/// What standard input is called in reports, and how much of it is read.
const INPUT: &str = "stdin";
const MOST_INPUT_BYTES: u64 = 16 * 1024 * 1024;

/// Something does not work, or is about not to.
const CRITICAL: u8 = 2;
/// Something could not be judged, or be said.
const UNKNOWN: u8 = 3;

fn main() -> ExitCode {
    let outcome = match Args::parse() {
        Ok(args) if args.help => print(args::USAGE, 0),
        Ok(args) if args.is_bare() => demo::run().map(|()| 0),
        Ok(args) if args.watch => watch::run(&args, &provider()),
        Ok(args) => check(&args),
        Err(error) => {
            let error = output::visible(&error.to_string());
            Err(format!("{error}\n\n{}", args::USAGE).into())
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(&error.to_string());
            ExitCode::from(UNKNOWN)
        }
    }
}

fn check(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let report = report(args, &provider())?;
    let code = match args.fail_on {
        FailOn::Warning => report.exit_code(),
        FailOn::Critical => report.exit_code_from(Severity::Critical),
        FailOn::Expired => report.exit_code_of_failures(),
    };
    let text = match args.format {
        Format::Text => output::coloured(&report.to_text()),
        Format::Json => report.to_json() + "\n",
        Format::Nagios => report.to_nagios_with(code) + "\n",
        Format::OpenMetrics => report.to_openmetrics(),
        Format::Svg => report.to_svg(Theme::Auto),
        Format::Timeline => report.to_timeline(columns()),
    };
    print(&text, code)
}

/// Prints, and gives the exit code: what was not written says nothing, unless it was critical.
fn print(text: &str, code: u8) -> Result<u8, Box<dyn std::error::Error>> {
    let Err(error) = output::write(text) else {
        return Ok(code);
    };
    output::complain(&format!(
        "self_check: the report could not be written: {error}: see where standard output goes"
    ));
    Ok(match code {
        CRITICAL => CRITICAL,
        _ => UNKNOWN,
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn connector(args: &Args, provider: &Arc<CryptoProvider>) -> EndpointConnector {
    let connector = EndpointConnector::new(Arc::clone(provider));
    match args.timeout {
        Some(timeout) => connector.with_deadline(timeout),
        None => connector,
    }
}

fn report(
    args: &Args,
    provider: &Arc<CryptoProvider>,
) -> Result<Report, Box<dyn std::error::Error>> {
    let opening = Opening::of(args)?;
    let mut builder = SelfCheck::builder()
        .with_provider(Arc::clone(provider))
        .with_endpoint_connector(connector(args, provider))
        .with_loader(opening.loader())
        .with_trust_anchors(anchors(args, &opening.loader()));
    if let Some(list) = log_list::read(args)? {
        builder = builder.with_log_list(list);
    }
    if let Some(at) = args.at {
        builder = builder.at(at);
    }
    if args.dates_only {
        builder = builder.dates_only();
    }
    if args.each {
        builder = builder.with_grouping(Grouping::Each);
    }
    for name in &args.names {
        builder = builder.with_expected_name(name);
    }
    for key in &args.keys {
        builder = match &opening.passphrase {
            Some(passphrase) => builder.with_encrypted_key_file(key, passphrase.clone()),
            None => builder.with_key_file(key),
        };
    }
    for target in &args.targets {
        builder = match target {
            Target::Path(path) => builder.with_path(path),
            Target::StandardInput => builder.with_contents(standard_input(&opening)),
            Target::Endpoint(address) => {
                let mut endpoint = Endpoint::new(address.clone());
                if args.no_name {
                    endpoint = endpoint.without_expected_name();
                }
                if let Some(protocol) = args.starttls {
                    endpoint = endpoint.with_starttls(protocol);
                }
                builder.with_endpoint(endpoint)
            }
        };
    }
    let check = builder.build()?;
    let line = ProgressLine::begin();
    Ok(check.run_telling(|progress| {
        if let Some(line) = &line {
            line.tell(progress);
        }
    }))
}

fn standard_input(opening: &Opening) -> SourceContents {
    let mut bytes = Vec::new();
    let mut input = std::io::stdin().lock().take(MOST_INPUT_BYTES + 1);
    let read = input.read_to_end(&mut bytes);
    match read {
        Err(error) => SourceContents::unreadable(INPUT, FailureReason::Io, error.to_string()),
        Ok(_) if input.limit() == 0 => {
            let detail = format!("over {MOST_INPUT_BYTES} bytes, which are the limit");
            SourceContents::unreadable(INPUT, FailureReason::TooLarge, detail)
        }
        Ok(_) => match &opening.containers {
            Some(containers) => SourceContents::from_bytes_opening(INPUT, &bytes, containers),
            None => SourceContents::from_bytes(INPUT, &bytes),
        },
    }
}

fn anchors(args: &Args, loader: &Loader) -> TrustAnchors {
    let anchors = undated_list(args, loader);
    match args.list_date {
        Some(date) => anchors.with_list_date(date),
        None => anchors,
    }
}

fn undated_list(args: &Args, loader: &Loader) -> TrustAnchors {
    if args.dates_only {
        return TrustAnchors::builder().build();
    }
    if args.trust.is_empty() && !args.mozilla {
        return TrustAnchors::from_os();
    }
    let mut builder = TrustAnchors::builder();
    for path in &args.trust {
        for source in loader.load(path) {
            builder = builder.with_source(&source);
        }
    }
    if args.mozilla {
        let mozilla = TrustAnchors::from_mozilla();
        builder = builder.with_certificates(mozilla.certificates().map(Certificate::der));
    }
    let anchors = builder.build();
    match args.log_list {
        // Nobody asks SCTs of leaves under a root that is not public.
        Some(_) => anchors.with_public(TrustAnchors::from_mozilla().as_slice()),
        None => anchors,
    }
}

/// The width to draw for: `COLUMNS` where it is set, else the terminal's, else 80.
fn columns() -> usize {
    let set = std::env::var("COLUMNS").ok();
    let set = set.and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    set.or_else(terminal).unwrap_or(80)
}
