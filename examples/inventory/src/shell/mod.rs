//! The command: tables by name, questions in SQL or by name, answers as a table, CSV or JSON.

mod answer;
mod args;
mod error;
mod output;
mod progress;
mod prompt;
mod question;
mod session;

pub use error::ShellError;
pub use output::Format;
pub use question::{Columns, Question};
pub use session::{Settings, session};

use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::time::SystemTime;

use answer::answer;
use args::{Asked, Command};
use datafusion::prelude::SessionContext;
use notafter::time::Timestamp;

/// Everything was answered.
const ANSWERED: u8 = 0;
/// With `--expect-none`: rows were answered.
const ROWS: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;
/// Something could not be read or asked, so that nothing is known of it.
const FAILED: u8 = 3;

/// Runs the command, and gives its exit code.
///
/// 0: everything was answered. 1: `--expect-none` was given and rows were answered. 2: the command line
/// is wrong. 3: a table could not be read, a query failed, or a file could not be written.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match args::parse(args) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("inventory: {error}\nTry: inventory --help");
            return ExitCode::from(USAGE);
        }
    };
    match run(command) {
        Ok(code) => ExitCode::from(code),
        // Who reads no further wants no more of it.
        Err(error) if error.is_broken_pipe() => ExitCode::from(ANSWERED),
        Err(error) => {
            eprintln!("inventory: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: Command) -> Result<u8, ShellError> {
    match command {
        Command::Help(text) => output::print(&text)?,
        Command::Functions => output::print(&functions())?,
        Command::Generate(settings) => crate::generate::generate(&settings)?,
        #[cfg(feature = "ballista")]
        Command::Serve(part) => runtime()?.block_on(part.serve())?,
        Command::Ask(asked) => return runtime()?.block_on(ask(&asked)),
    }
    Ok(ANSWERED)
}

fn runtime() -> Result<tokio::runtime::Runtime, ShellError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(ShellError::Runtime)
}

fn functions() -> String {
    let described = crate::functions::descriptions();
    let lines = described
        .iter()
        .map(|(call, says)| format!("{call:<32} {says}\n"));
    lines.collect()
}

async fn ask(asked: &Asked) -> Result<u8, ShellError> {
    // The one place that reads the clock.
    let at = asked
        .at
        .unwrap_or_else(|| Timestamp::from(SystemTime::now()));
    let context = context(asked, at).await?;
    for table in &asked.tables {
        session::register_table(&context, table).await?;
    }
    let mut rows = 0_u64;
    for sql in &asked.statements()? {
        rows += answer(&context, sql, asked.format).await?;
    }
    if asked.asks_nothing() {
        if std::io::stdin().is_terminal() {
            return prompt::prompt(&context, asked).await.map(|()| ANSWERED);
        }
        let mut sql = String::new();
        let read = std::io::stdin().read_to_string(&mut sql);
        read.map_err(ShellError::Input)?;
        rows += answer(&context, &sql, asked.format).await?;
    }
    Ok(match asked.expects_none && rows > 0 {
        true => ROWS,
        false => ANSWERED,
    })
}

async fn context(asked: &Asked, at: Timestamp) -> Result<SessionContext, ShellError> {
    #[cfg(feature = "ballista")]
    if let Some(scheduler) = &asked.cluster {
        let context = crate::cluster::client(scheduler).await;
        let context = context.map_err(|error| ShellError::Cluster {
            reason: error.to_string(),
        })?;
        crate::functions::fix_instant(&context, at);
        return Ok(context);
    }
    session(&asked.settings, at)
}
