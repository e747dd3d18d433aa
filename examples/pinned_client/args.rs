//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;
use notafter::verifier::PinnedGrace;
use notafter::{SpkiPin, Timestamp};

pub const USAGE: &str = "\
usage: pinned_client HOST:PORT --name NAME --trust FILE [OPTIONS]
  --name NAME      the DNS name or IP address that the server must be
  --trust FILE     trust anchors, PEM, repeatable
  --pin PIN        a leaf pin, repeatable: sha256/B64, sha256//B64;.. (as for curl), hexadecimal, ..
  --pin-ca PIN     the same of a CA on the verified path
  --report-only    pins are told about, and decide nothing
  --grace SECONDS  for so long a pinned leaf is accepted after it expired
  --at TIME        as if it were this instant: RFC 3339 or Unix seconds (default now)
exit code: 0 accepted; 1 refused by pins; 2 refused by the inner verifier; 3 anything else
";

#[derive(Default)]
pub struct Args {
    pub help: bool,
    pub host: String,
    pub port: u16,
    pub name: String,
    pub trust: Vec<PathBuf>,
    pub pins: Vec<SpkiPin>,
    pub ca_pins: Vec<SpkiPin>,
    pub report_only: bool,
    pub grace: Option<PinnedGrace>,
    pub at: Option<Timestamp>,
}

impl Args {
    pub fn parse() -> Result<Self, lexopt::Error> {
        let mut args = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => args.help = true,
                Long("name") => args.name = parser.value()?.string()?,
                Long("trust") => args.trust.push(parser.value()?.into()),
                Long("pin") => args
                    .pins
                    .extend(parser.value()?.parse_with(SpkiPin::parse_list)?),
                Long("pin-ca") => args
                    .ca_pins
                    .extend(parser.value()?.parse_with(SpkiPin::parse_list)?),
                Long("report-only") => args.report_only = true,
                Long("grace") => {
                    let seconds = parser.value()?.parse()?;
                    let grace = PinnedGrace::from_seconds(seconds);
                    args.grace = Some(grace.map_err(|error| error.to_string())?);
                }
                Long("at") => args.at = Some(parser.value()?.parse()?),
                Value(target) if args.host.is_empty() => {
                    let target = target.string()?;
                    let (host, port) = target
                        .rsplit_once(':')
                        .ok_or_else(|| format!("'{target}' is not HOST:PORT"))?;
                    args.host = host.trim_matches(['[', ']']).to_owned();
                    args.port = port
                        .parse()
                        .map_err(|_| format!("'{port}' is not a port"))?;
                }
                other => return Err(other.unexpected()),
            }
        }
        let needed = [
            (args.host.is_empty(), "HOST:PORT"),
            (args.name.is_empty(), "--name"),
            (args.trust.is_empty(), "--trust"),
        ];
        match needed.iter().find(|(missing, _)| *missing) {
            Some((_, what)) if !args.help => Err(format!("{what} is missing").into()),
            _ => Ok(args),
        }
    }
}
