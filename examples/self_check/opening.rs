//! What opens containers and encrypted keys.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use notafter::Loader;
use notafter::source::{Containers, Passphrase};

use crate::args::Args;

/// How much of a passphrase's file is read.
const MOST_PASSPHRASE_BYTES: u64 = 4096;

/// What the command line says of containers and encrypted keys.
pub struct Opening {
    pub containers: Option<Containers>,
    pub passphrase: Option<Passphrase>,
}

impl Opening {
    pub fn of(args: &Args) -> Result<Self, Box<dyn Error>> {
        let known = args.passphrase_files.iter().map(|path| passphrase(path));
        let mut known = known.collect::<Result<Vec<_>, _>>()?;
        let passphrase = match known.len() {
            ..=1 => known.pop(),
            _ => Some(Passphrase::any_of(known)),
        };
        let containers = match &passphrase {
            Some(passphrase) => Some(Containers::new().with_passphrase(passphrase.clone())),
            None => args.containers.then(Containers::new),
        };
        Ok(Self {
            containers,
            passphrase,
        })
    }

    pub fn loader(&self) -> Loader {
        match &self.containers {
            Some(containers) => Loader::new().with_containers(containers.clone()),
            None => Loader::new(),
        }
    }
}

/// The first line of the file, without its end.
fn passphrase(path: &Path) -> Result<Passphrase, Box<dyn Error>> {
    let named = |what: &str| format!("--passphrase-file {}: {what}", path.display());
    // A passphrase may come through a pipe, too.
    let file = File::open(path).map_err(|error| named(&error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MOST_PASSPHRASE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| named(&error.to_string()))?;
    let end = bytes.iter().position(|byte| *byte == b'\n');
    bytes.truncate(end.unwrap_or(bytes.len()));
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    match u64::try_from(bytes.len())? {
        ..=MOST_PASSPHRASE_BYTES => Ok(Passphrase::new(bytes)),
        _ => Err(named("its first line is over 4,096 bytes").into()),
    }
}
