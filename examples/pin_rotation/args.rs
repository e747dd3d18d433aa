//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;
use notafter::Timestamp;

pub const USAGE: &str = "\
usage: pin_rotation apply --floor FILE --state FOLDER --at TIME [--hold-down SECONDS] [ANNOUNCEMENT...]
  --floor FILE         what an application compiles in: an unsigned payload with its authority
  --state FOLDER       where announced pins are kept; made where it is missing
  --at TIME            the instant: RFC 3339 or Unix seconds
  --hold-down SECONDS  how long a new pin is held down (default 2592000, 30 days)
prints one line of JSON for each ANNOUNCEMENT, then one for the pins in force
exit code: 0 all were applied; 1 some were refused; 3 something could not be read, kept or printed
without arguments: the whole story on loopback
";

pub enum Command {
    Help,
    Story,
    Apply(Apply),
}

pub struct Apply {
    pub floor: PathBuf,
    pub state: PathBuf,
    pub at: Timestamp,
    pub hold_down: Option<u32>,
    pub announcements: Vec<PathBuf>,
}

impl Command {
    pub fn parse() -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_env();
        match parser.next()? {
            None => return Ok(Self::Story),
            Some(Short('h') | Long("help")) => return Ok(Self::Help),
            Some(Value(word)) if word == "apply" => {}
            Some(other) => return Err(other.unexpected()),
        }
        let (mut floor, mut state, mut at, mut hold_down) = (None, None, None, None);
        let mut announcements = Vec::new();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => return Ok(Self::Help),
                Long("floor") => floor = Some(parser.value()?.into()),
                Long("state") => state = Some(parser.value()?.into()),
                Long("at") => at = Some(parser.value()?.parse()?),
                Long("hold-down") => hold_down = Some(parser.value()?.parse()?),
                Value(path) => announcements.push(path.into()),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self::Apply(Apply {
            floor: floor.ok_or("--floor FILE is missing")?,
            state: state.ok_or("--state FOLDER is missing")?,
            at: at.ok_or("--at TIME is missing")?,
            hold_down,
            announcements,
        }))
    }
}
