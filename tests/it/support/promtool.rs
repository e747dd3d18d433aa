//! Prometheus's own judge of metrics and rules, from Debian's package `prometheus`.

use std::process::Command;

use super::tools::{run_with, tool};

/// Whether Debian's package `prometheus` is there. Where everything must run, it must be.
pub fn is_there(program: &str) -> bool {
    tool(program).is_some()
}

/// Runs it over this input, and gives whether it is content and what it says.
pub fn promtool(args: &[&str], input: &str) -> (bool, String) {
    run_with(Command::new(tool("promtool").unwrap()).args(args), input)
}
