//! Tests that need a process of their own: other variables, other limits.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Says to the process that it is such a one.
const APART: &str = "NOTAFTER_TEST_APART";

/// Runs this one test once more in a process of its own, with these variables and as many open files as
/// there may be, and sees that it passes there. `false` in that process: then go on with the test.
pub fn ran_apart(module: &str, test: &str, variables: &[(&str, &OsStr)]) -> bool {
    let (_, module) = module.split_once("::").unwrap();
    let name = format!("{module}::{test}");
    if env::var_os(APART).as_deref() == Some(OsStr::new(&name)) {
        return false;
    }
    let mut command = match cfg!(unix) {
        true => {
            let mut shell = Command::new("sh");
            let raised = "ulimit -n \"$(ulimit -Hn)\" 2>/dev/null; exec \"$0\" \"$@\"";
            shell.args([OsString::from("-c"), raised.into()]);
            shell.arg(env::current_exe().unwrap());
            shell
        }
        false => Command::new(env::current_exe().unwrap()),
    };
    command.args(["--exact", &name, "--nocapture"]);
    command.env(APART, &name).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("1 passed"), "{said}");
    println!("{said}");
    true
}
