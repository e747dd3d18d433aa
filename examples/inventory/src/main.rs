//! The command `inventory`: see `inventory --help` and the README.

use std::process::ExitCode;

fn main() -> ExitCode {
    notafter_inventory::shell::main(std::env::args_os().skip(1))
}
