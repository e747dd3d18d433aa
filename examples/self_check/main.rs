//! What did I load, and until when does it work?
//!
//! It looks at certificate files, folders and TLS endpoints and says until when they work, which
//! certificate ends them, and what to do. Run it without arguments for a demonstration.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod args;
mod demo;
mod look;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use args::{Args, Format, Target};
use notafter::self_check::{Grouping, Theme};
use notafter::{Certificate, Loader, Report, SelfCheck, TrustAnchors};
use rustls::crypto::CryptoProvider;

fn main() -> ExitCode {
    let outcome = match Args::parse() {
        Ok(args) if args.help => {
            print(args::USAGE);
            Ok(0)
        }
        Ok(args) if args.is_bare() => demo::run().map(|()| 0),
        Ok(args) => check(&args),
        Err(error) => Err(format!("{error}\n\n{}", args::USAGE).into()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
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
    print(&text);
    Ok(report.exit_code())
}

fn report(
    args: &Args,
    provider: &Arc<CryptoProvider>,
) -> Result<Report, Box<dyn std::error::Error>> {
    let mut builder = SelfCheck::builder()
        .with_provider(Arc::clone(provider))
        .with_trust_anchors(anchors(args));
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
            Target::Endpoint { text, host, port } => {
                let name = args.names.first().unwrap_or(host);
                match look::served_chain(host, *port, name, provider) {
                    Ok(served) if !args.each => {
                        let builder = builder.with_staple(text, served.staple);
                        builder.with_chain(text, served.chain)
                    }
                    Ok(served) => builder.with_contents(look::collection(text, &served.chain)),
                    Err(error) => builder.with_contents(look::failure(text, &*error)),
                }
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

/// A reader that has gone away (`| head`) is no reason to fail.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
