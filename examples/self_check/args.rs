//! The command line.

use std::path::{Path, PathBuf};

use lexopt::prelude::*;
use notafter::Timestamp;

pub const USAGE: &str = "\
usage: self_check [OPTIONS] [FILE | FOLDER | HOST:PORT]...
  --at TIME      evaluate at this instant: RFC 3339 or Unix seconds (default now)
  --trust FILE   anchors with their dates, PEM, repeatable; default the OS store
  --mozilla      Mozilla's anchors
  --name NAME    DNS name or IP address that the leaf must cover
  --key FILE     the leaf's private key
  --each         treat every certificate on its own instead of as a chain
  --format text|json|nagios|openmetrics|svg|timeline
exit code: 0 ok or due; 1 warning; 2 critical; 3 something could not be read or judged
without FILE, FOLDER or HOST:PORT and without options: a demonstration
";

#[derive(Default)]
pub struct Args {
    pub help: bool,
    pub at: Option<Timestamp>,
    pub trust: Vec<PathBuf>,
    pub mozilla: bool,
    pub names: Vec<String>,
    pub keys: Vec<PathBuf>,
    pub each: bool,
    pub format: Format,
    pub targets: Vec<Target>,
    given: usize,
}

#[derive(Default, Clone, Copy)]
pub enum Format {
    #[default]
    Text,
    Json,
    Nagios,
    OpenMetrics,
    Svg,
    Timeline,
}

pub enum Target {
    Path(PathBuf),
    Endpoint {
        text: String,
        host: String,
        port: u16,
    },
}

impl Args {
    pub fn parse() -> Result<Self, lexopt::Error> {
        let mut args = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            args.given += 1;
            match arg {
                Short('h') | Long("help") => args.help = true,
                Long("at") => args.at = Some(parser.value()?.parse()?),
                Long("trust") => args.trust.push(parser.value()?.into()),
                Long("mozilla") => args.mozilla = true,
                Long("name") => args.names.push(parser.value()?.string()?),
                Long("key") => args.keys.push(parser.value()?.into()),
                Long("each") => args.each = true,
                Long("format") => {
                    let value = parser.value()?.string()?;
                    args.format = match value.as_str() {
                        "text" => Format::Text,
                        "json" => Format::Json,
                        "nagios" => Format::Nagios,
                        "openmetrics" => Format::OpenMetrics,
                        "svg" => Format::Svg,
                        "timeline" => Format::Timeline,
                        _ => return Err(format!("unknown format '{value}'").into()),
                    };
                }
                Value(value) => args.targets.push(Target::from(PathBuf::from(value))),
                other => return Err(other.unexpected()),
            }
        }
        if args.targets.is_empty() && !args.is_bare() && !args.help {
            return Err("name at least one FILE, FOLDER or HOST:PORT".into());
        }
        Ok(args)
    }

    /// Whether nothing at all was given.
    pub fn is_bare(&self) -> bool {
        self.given == 0
    }
}

impl From<PathBuf> for Target {
    /// What exists is a path, whatever it looks like.
    fn from(path: PathBuf) -> Self {
        let endpoint = path
            .to_str()
            .filter(|_| !Path::exists(&path))
            .and_then(|text| {
                let (host, port) = text.rsplit_once(':')?;
                let host = host.trim_start_matches('[').trim_end_matches(']');
                let port = port.parse().ok()?;
                (!host.is_empty() && !host.contains('/')).then(|| Self::Endpoint {
                    text: text.to_owned(),
                    host: host.to_owned(),
                    port,
                })
            });
        endpoint.unwrap_or(Self::Path(path))
    }
}
