//! The list of logs that SCTs are judged by.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;

use notafter::transparency::LogList;

use crate::args::Args;
use crate::output;

/// How much of a list is read: a byte more than is taken.
const MOST_LIST_BYTES: u64 = 4 * 1024 * 1024 + 1;

/// The list that the command line names; what of it cannot be read is complained of.
pub fn read(args: &Args) -> Result<Option<LogList>, Box<dyn Error>> {
    let Some(path) = &args.log_list else {
        return Ok(None);
    };
    let named = |what: &str| format!("--log-list {}: {what}", path.display());
    let file = File::open(path).map_err(|error| named(&error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MOST_LIST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| named(&error.to_string()))?;
    let list = LogList::from_json(&bytes).map_err(|error| named(&error.to_string()))?;
    for problem in list.problems() {
        output::complain(&format!("self_check: {}", named(&problem.to_string())));
    }
    Ok(Some(list))
}
