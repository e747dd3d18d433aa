//! What will this announcement do to my pins, before anyone else applies it?
//!
//! It applies announcements to a folder, at any instant, and prints the pins in force. Run it without
//! arguments for the story of a rotation.

mod apply;
mod args;
mod loopback;
mod story;

use std::io::{self, Write as _};
use std::process::ExitCode;

use args::{Command, USAGE};

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Ok(Command::Help) => print(USAGE).map(|()| 0).map_err(Into::into),
        Ok(Command::Story) => story::run().map(|()| 0),
        Ok(Command::Apply(args)) => apply::run(&args),
        Err(error) => Err(format!("{error}\n\n{USAGE}").into()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::from(3)
        }
    }
}

/// A reader that has gone away (`| head`) is no reason to fail; a full disk is.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let reason = format!("the output could not be written: {error}");
            Err(io::Error::new(error.kind(), reason))
        }
        _ => Ok(()),
    }
}

/// Where it cannot be said, the exit code still says something.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
