//! Applies announcements to a folder and prints what is in force: lines of JSON for scripts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notafter::announce::{
    AnnouncementError, Applied, Durability, PinFloor, PinFolder, StoreNotice,
};
use notafter::pin::{ExpiryRule, Pin, PinsInForce as _};
use notafter::{PinStore, Timestamp};
use serde::Serialize;

use crate::args::Apply;

type Failure = Box<dyn std::error::Error>;

/// The exit code.
pub fn run(args: &Apply) -> Result<u8, Failure> {
    let store = open(args)?;
    let mut code = 0;
    for path in &args.announcements {
        let outcome = store.apply_file(path, args.at);
        match &outcome {
            // Its end would be ours: what only this process remembers is not in force.
            Ok(applied) if applied.durability == Durability::MemoryOnly => {
                tell(&applied.notices);
                return Err(format!("{}: it could not be kept", path.display()).into());
            }
            Ok(applied) => tell(&applied.notices),
            Err(AnnouncementError::Unreadable { .. }) => code = 3,
            Err(_) => code = code.max(1),
        }
        print_line(&Line::new(path, &outcome, store.version()))?;
    }
    print_line(&InForce::of(&store, args.at))?;
    Ok(code)
}

fn print_line(line: &impl Serialize) -> Result<(), Failure> {
    Ok(crate::print(&(serde_json::to_string(line)? + "\n"))?)
}

fn open(args: &Apply) -> Result<Arc<PinStore>, Failure> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", args.floor.display());
    let floor = std::fs::read(&args.floor).map_err(|error| failed(&error))?;
    let floor = PinFloor::from_json(&floor).map_err(|error| failed(&error))?;
    if args.state.exists() && !args.state.is_dir() {
        return Err(format!("{}: it is not a folder", args.state.display()).into());
    }
    let provider = rustls::crypto::ring::default_provider();
    let algorithms = provider.signature_verification_algorithms.all;
    let folder = Arc::new(PinFolder::new(&args.state));
    let mut builder =
        PinStore::builder(floor, ExpiryRule::FailClosed, algorithms).with_storage(folder);
    if let Some(seconds) = args.hold_down {
        builder = builder.with_hold_down(Duration::from_secs(seconds.into()));
    }
    let (store, notices) = builder.open(args.at).map_err(|error| failed(&error))?;
    tell(&notices);
    Ok(store)
}

fn tell(notices: &[StoreNotice]) {
    for notice in notices {
        crate::tell(&format!("{}: {notice}", notice.as_str()));
    }
}

#[derive(Serialize)]
struct Line {
    file: String,
    outcome: &'static str,
    code: Option<&'static str>,
    reason: Option<String>,
    version: u64,
}

impl Line {
    fn new(path: &Path, outcome: &Result<Applied, AnnouncementError>, version: u64) -> Self {
        let refusal = outcome.as_ref().err();
        Self {
            file: path.display().to_string(),
            outcome: if refusal.is_none() {
                "applied"
            } else {
                "refused"
            },
            code: refusal.map(AnnouncementError::code),
            reason: refusal.map(ToString::to_string),
            version,
        }
    }
}

#[derive(Serialize)]
struct InForce {
    at: String,
    version: u64,
    pin_sets: Vec<Set>,
}

#[derive(Serialize)]
struct Set {
    hosts: Vec<String>,
    pins: Vec<OnePin>,
}

#[derive(Serialize)]
struct OnePin {
    pin: String,
    state: &'static str,
    position: &'static str,
    accepted: bool,
    accept_after: Option<String>,
}

impl InForce {
    fn of(store: &PinStore, at: Timestamp) -> Self {
        let generation = store.generation();
        let sets = generation.sets.iter().map(|set| Set {
            hosts: set.scopes().iter().map(ToString::to_string).collect(),
            pins: set.pins().iter().map(|pin| OnePin::of(pin, at)).collect(),
        });
        Self {
            at: at.to_string(),
            version: store.version(),
            pin_sets: sets.collect(),
        }
    }
}

impl OnePin {
    fn of(pin: &Pin, at: Timestamp) -> Self {
        Self {
            pin: pin.key.to_string(),
            state: pin.state.as_str(),
            position: pin.position.as_str(),
            accepted: pin.is_accepted(at),
            accept_after: pin.acceptance.from().map(|from| from.to_string()),
        }
    }
}
