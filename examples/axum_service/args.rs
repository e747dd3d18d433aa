//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

pub const USAGE: &str = "\
usage: axum_service [OPTIONS]
  --cert FILE          the certificate chain to serve, PEM, leaf first; with --key
  --key FILE           its private key, PEM
  --client-ca FILE     ask clients for certificates that verify by these anchors, PEM
  --client-crl FILE    look them up in these revocation lists of every CA in
                       their chains, PEM or DER; with --client-ca
  --trust FILE         judge what is served by these anchors, PEM, repeatable: /ready fails where
                       it does not verify; without, /ready looks at the dates alone, and reports
                       judge by the system's anchors
  --listen ADDRESS     default 127.0.0.1:8443; port 0 picks a free one
  --poll MILLISECONDS  look at the files so often, default 1000
  --drain SECONDS      after a renewal, end connections that were shown the certificate before
                       it, gracefully, within so long, default 60
SIGHUP: look at all of them at once
pages: /metrics (Prometheus), /ready (200 or 503 with reasons), /certificates (JSON)
without --cert: serves a PKI minted into a temporary folder
";

pub struct Args {
    pub help: bool,
    pub pair: Option<(PathBuf, PathBuf)>,
    pub client_ca: Option<PathBuf>,
    pub client_crl: Option<PathBuf>,
    pub trust: Vec<PathBuf>,
    pub listen: SocketAddr,
    pub poll: Duration,
    pub drain_seconds: u32,
}

impl Args {
    pub fn parse() -> Result<Self, lexopt::Error> {
        let mut args = Self {
            help: false,
            pair: None,
            client_ca: None,
            client_crl: None,
            trust: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            poll: Duration::from_millis(1000),
            drain_seconds: 60,
        };
        let (mut cert, mut key) = (None, None);
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => args.help = true,
                Long("cert") => cert = Some(PathBuf::from(parser.value()?)),
                Long("key") => key = Some(PathBuf::from(parser.value()?)),
                Long("client-ca") => args.client_ca = Some(parser.value()?.into()),
                Long("client-crl") => args.client_crl = Some(parser.value()?.into()),
                Long("trust") => args.trust.push(parser.value()?.into()),
                Long("listen") => args.listen = parser.value()?.parse()?,
                Long("poll") => match parser.value()?.parse::<u64>()? {
                    0 => return Err("--poll takes milliseconds, at least 1".into()),
                    milliseconds => args.poll = Duration::from_millis(milliseconds),
                },
                Long("drain") => args.drain_seconds = parser.value()?.parse()?,
                other => return Err(other.unexpected()),
            }
        }
        if args.client_crl.is_some() && args.client_ca.is_none() {
            return Err("--client-crl is for clients that --client-ca asks for: give both".into());
        }
        args.pair = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err("--cert and --key belong together: give both".into()),
        };
        Ok(args)
    }
}
