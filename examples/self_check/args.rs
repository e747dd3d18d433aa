//! The command line.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lexopt::prelude::*;
use notafter::Timestamp;
use notafter::endpoint::{EndpointAddress, StartTls};

pub const USAGE: &str = "\
usage: self_check [OPTIONS] [FILE | FOLDER | HOST:PORT | -]...
  -              certificates from standard input
  --at TIME      evaluate at this instant, RFC 3339 or Unix seconds; default now
  --trust FILE   anchors with their dates, PEM, repeatable; default the OS store
  --mozilla      Mozilla's anchors
  --list-date TIME
                 of when the list of anchors is, to hear that it is old
  --dates-only   judge chains by their dates, whoever is trusted
  --name NAME    DNS name or IP address that the leaf must cover, repeatable;
                 default HOST, which is also asked for (SNI)
  --no-name      the leaf of HOST:PORT may have any name
  --starttls smtp|imap|postgres|ldap|mysql
                 endpoints speak this, and go over to TLS when asked
  --timeout SECONDS
                 for the whole look at an endpoint (default 10)
  --key FILE     the leaf's private key
  --log-list FILE
                 log_list.json of Google or Apple: say whether browsers
                 take the SCTs of leaves that lead to a public anchor
  --containers   open PKCS#12, PKCS#7 and Java keystores, also with --trust
  --passphrase-file FILE
                 its first line opens them, and encrypted keys; repeatable: what
                 the first does not open is tried with the next
  --each         treat every certificate on its own instead of as a chain
  --format text|json|nagios|openmetrics|svg|timeline
  --fail-on expired|critical|warning
                 exit with 0 below that; expired: only what does not work now
                 (default warning)
  --watch        go on watching, and print each event as a line, or as JSON,
                 until a signal ends it
  --every SECONDS
                 with --watch: look so often (default: at files every minute,
                 at endpoints every hour)
exit code: 0 ok or due; 1 warning; 2 critical; 3 something could not be read,
           judged or written
without arguments: a demonstration
colour: on a terminal, unless NO_COLOR is set
";

#[derive(Default)]
pub struct Args {
    pub help: bool,
    pub at: Option<Timestamp>,
    pub trust: Vec<PathBuf>,
    pub mozilla: bool,
    pub list_date: Option<Timestamp>,
    pub dates_only: bool,
    pub names: Vec<String>,
    pub no_name: bool,
    pub starttls: Option<StartTls>,
    pub timeout: Option<Duration>,
    pub keys: Vec<PathBuf>,
    pub log_list: Option<PathBuf>,
    pub containers: bool,
    pub passphrase_files: Vec<PathBuf>,
    pub each: bool,
    pub format: Format,
    pub fail_on: FailOn,
    pub watch: bool,
    pub every: Option<Duration>,
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

/// From where on the exit code is not 0.
#[derive(Default, Clone, Copy)]
pub enum FailOn {
    #[default]
    Warning,
    Critical,
    Expired,
}

pub enum Target {
    Path(PathBuf),
    Endpoint(EndpointAddress),
    StandardInput,
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
                Long("list-date") => args.list_date = Some(parser.value()?.parse()?),
                Long("dates-only") => args.dates_only = true,
                Long("name") => args.names.push(parser.value()?.string()?),
                Long("no-name") => args.no_name = true,
                Long("starttls") => args.starttls = Some(parser.value()?.parse()?),
                Long("timeout") => args.timeout = Some(seconds(&mut parser)?),
                Long("watch") => args.watch = true,
                Long("every") => args.every = Some(seconds(&mut parser)?),
                Long("key") => args.keys.push(parser.value()?.into()),
                Long("log-list") => args.log_list = Some(parser.value()?.into()),
                Long("containers") => args.containers = true,
                Long("passphrase-file") => {
                    args.passphrase_files.push(parser.value()?.into());
                }
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
                Long("fail-on") => {
                    let value = parser.value()?.string()?;
                    args.fail_on = match value.as_str() {
                        "expired" => FailOn::Expired,
                        "critical" => FailOn::Critical,
                        "warning" => FailOn::Warning,
                        _ => {
                            return Err(format!(
                                "--fail-on takes expired, critical or warning, not '{value}'"
                            )
                            .into());
                        }
                    };
                }
                Value(value) => args.targets.push(Target::from(PathBuf::from(value))),
                other => return Err(other.unexpected()),
            }
        }
        args.refuse_what_excludes_itself()?;
        if args.no_name && !args.names.is_empty() {
            return Err("--name and --no-name exclude each other: give one of them".into());
        }
        if args.dates_only && (args.mozilla || !args.trust.is_empty()) {
            return Err(
                "--dates-only does not go with --trust or --mozilla: leave one of them out".into(),
            );
        }
        if args.targets.is_empty() && !args.is_bare() && !args.help {
            return Err("name at least one FILE, FOLDER or HOST:PORT".into());
        }
        Ok(args)
    }

    fn refuse_what_excludes_itself(&self) -> Result<(), lexopt::Error> {
        let inputs = |target: &&Target| matches!(target, Target::StandardInput);
        let inputs = self.targets.iter().filter(inputs).count();
        if inputs > 1 {
            return Err("name - once: standard input is read once".into());
        }
        if self.every.is_some() && !self.watch {
            return Err("--every is for --watch: give both".into());
        }
        let is_for_reports = !matches!(self.format, Format::Text | Format::Json);
        let excluded = [
            ("-", inputs > 0),
            ("--at", self.at.is_some()),
            ("--each", self.each),
            ("--key", !self.keys.is_empty()),
            ("--fail-on", !matches!(self.fail_on, FailOn::Warning)),
            ("--format other than text or json", is_for_reports),
        ];
        match excluded.iter().find(|(_, given)| self.watch && *given) {
            Some((what, _)) => {
                Err(format!("--watch does not go with {what}: leave one of them out").into())
            }
            None => Ok(()),
        }
    }

    /// Whether nothing at all was given.
    pub fn is_bare(&self) -> bool {
        self.given == 0
    }
}

impl From<PathBuf> for Target {
    /// What exists is a path, whatever it looks like.
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" {
            return Self::StandardInput;
        }
        let text = path.to_str().filter(|_| !Path::exists(&path));
        match text.and_then(address) {
            Some(address) => Self::Endpoint(address),
            None => Self::Path(path),
        }
    }
}

fn seconds(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    let seconds = parser.value()?.parse()?;
    let seconds = Duration::try_from_secs_f64(seconds).ok();
    let seconds = seconds.filter(|seconds| !seconds.is_zero());
    seconds.ok_or_else(|| "--timeout and --every take seconds, more than 0".into())
}

/// `HOST:PORT`; an IPv6 address without brackets, too.
fn address(text: &str) -> Option<EndpointAddress> {
    text.parse().ok().or_else(|| {
        let (host, port) = text.rsplit_once(':')?;
        let ip: Ipv6Addr = host.parse().ok()?;
        Some(EndpointAddress::new(ip.to_string(), port.parse().ok()?))
    })
}
