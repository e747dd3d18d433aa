//! What did I load, and until when does it work?
//!
//! It looks at certificate files, folders and TLS endpoints and says until when they work, which
//! certificate ends them, and what to do. Run it without arguments for a demonstration.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod args;
mod demo;
mod output;

use std::process::ExitCode;
use std::sync::Arc;

use args::{Args, FailOn, Format, Target};
use notafter::endpoint::{Endpoint, EndpointConnector};
use notafter::self_check::{Grouping, Theme};
use notafter::{Certificate, Loader, Report, SelfCheck, Severity, TrustAnchors};
use rustls::crypto::CryptoProvider;

/// Something does not work, or is about not to.
const CRITICAL: u8 = 2;
/// Something could not be judged, or be said.
const UNKNOWN: u8 = 3;

fn main() -> ExitCode {
    let outcome = match Args::parse() {
        Ok(args) if args.help => print(args::USAGE, 0),
        Ok(args) if args.is_bare() => demo::run().map(|()| 0),
        Ok(args) => check(&args),
        Err(error) => Err(format!("{error}\n\n{}", args::USAGE).into()),
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
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let report = report(args, &provider)?;
    let text = match args.format {
        Format::Text => report.to_text(),
        Format::Json => report.to_json() + "\n",
        Format::Nagios => report.to_nagios() + "\n",
        Format::OpenMetrics => report.to_openmetrics(),
        Format::Svg => report.to_svg(Theme::Auto),
        Format::Timeline => report.to_timeline(columns()),
    };
    let code = match args.fail_on {
        FailOn::Warning => report.exit_code(),
        FailOn::Critical => report.exit_code_from(Severity::Critical),
        FailOn::Expired => report.exit_code_of_failures(),
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

fn report(
    args: &Args,
    provider: &Arc<CryptoProvider>,
) -> Result<Report, Box<dyn std::error::Error>> {
    let mut builder = SelfCheck::builder()
        .with_provider(Arc::clone(provider))
        .with_trust_anchors(anchors(args));
    if let Some(timeout) = args.timeout {
        let connector = EndpointConnector::new(Arc::clone(provider)).with_deadline(timeout);
        builder = builder.with_endpoint_connector(connector);
    }
    if let Some(at) = args.at {
        builder = builder.at(at);
    }
    if args.each {
        builder = builder.with_grouping(Grouping::Each);
    }
    for name in &args.names {
        builder = builder.with_expected_name(name);
    }
    for key in &args.keys {
        builder = builder.with_key_file(key);
    }
    for target in &args.targets {
        builder = match target {
            Target::Path(path) => builder.with_path(path),
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
    Ok(builder.build()?.run())
}

fn anchors(args: &Args) -> TrustAnchors {
    if args.trust.is_empty() && !args.mozilla {
        return TrustAnchors::from_os();
    }
    let mut builder = TrustAnchors::builder();
    let loader = Loader::new();
    for path in &args.trust {
        for source in loader.load(path) {
            builder = builder.with_source(&source);
        }
    }
    if args.mozilla {
        let mozilla = TrustAnchors::from_mozilla();
        builder = builder.with_certificates(mozilla.certificates().map(Certificate::der));
    }
    builder.build()
}

/// The width to draw for: `COLUMNS` where it is set, else the terminal's, else 80.
fn columns() -> usize {
    let set = std::env::var("COLUMNS").ok();
    let set = set.and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    set.or_else(terminal).unwrap_or(80)
}
