//! Pins that rotate by signed announcements: applies announcements to a folder and prints the pins
//! in force.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod apply;
mod args;
mod loopback;
mod story;

use std::io::Write as _;
use std::process::ExitCode;

use args::{Command, USAGE};

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Ok(Command::Help) => {
            print(USAGE);
            Ok(0)
        }
        Ok(Command::Story) => story::run().map(|()| 0),
        Ok(Command::Apply(args)) => apply::run(&args),
        Err(error) => Err(format!("{error}\n\n{USAGE}").into()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

/// A reader that has gone away (`| head`) is no reason to fail.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
