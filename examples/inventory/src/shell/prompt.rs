//! At a terminal: a line, an answer, and the next.

use datafusion::prelude::SessionContext;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::answer::answer;
use super::args::Asked;
use super::output::print;
use super::question::Question;
use super::{ShellError, functions};

const HELLO: &str = "A statement ends with a semicolon. \\h helps, \\q leaves.\n";
const HELP: &str = "\
SHOW TABLES;   DESCRIBE certs;   SELECT cert_subject(der), cert_band(der, now()) FROM certs LIMIT 10;
\\f lists the functions. \\expiring, \\shared-keys, \\outlives and \\bad-rows ask what --ask asks. \\q leaves.
";

/// Answers until the end of input. A statement that fails is told, and the next one is read.
///
/// # Errors
/// [`ShellError::Terminal`] where no line can be read, and where nothing can be printed.
pub(super) async fn prompt(context: &SessionContext, asked: &Asked) -> Result<(), ShellError> {
    let mut editor = DefaultEditor::new().map_err(terminal)?;
    print(HELLO)?;
    let mut statement = String::new();
    loop {
        let sign = match statement.is_empty() {
            true => "inventory> ",
            false => "       ..> ",
        };
        match editor.readline(sign) {
            Ok(line) => {
                statement.push_str(&line);
                statement.push('\n');
            }
            Err(ReadlineError::Interrupted) => {
                statement.clear();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => return Err(terminal(error)),
        }
        let text = statement.trim();
        let sql = match text.strip_prefix('\\') {
            Some("q") => return Ok(()),
            Some("h") => help(HELP)?,
            Some("f") => help(&functions())?,
            Some(name) => match Question::named(name) {
                Some(question) => asked.sql_of(question),
                None => help(HELP)?,
            },
            None if text.is_empty() => help("")?,
            None if text.ends_with(';') => Ok(text.to_owned()),
            None => continue,
        };
        // A history that cannot hold a line loses nothing else.
        let _ = editor.add_history_entry(text);
        let answered = match sql {
            Ok(sql) => answer(context, &sql, asked.format).await.map(drop),
            Err(error) => Err(error),
        };
        match answered {
            Err(error @ ShellError::Output(_)) => return Err(error),
            Err(error) => eprintln!("{error}"),
            Ok(()) => {}
        }
        statement.clear();
    }
}

/// Prints instead of asking: no statement at all is left.
fn help(text: &str) -> Result<Result<String, ShellError>, ShellError> {
    print(text)?;
    Ok(Ok(String::new()))
}

fn terminal(error: ReadlineError) -> ShellError {
    ShellError::Terminal {
        reason: error.to_string(),
    }
}
