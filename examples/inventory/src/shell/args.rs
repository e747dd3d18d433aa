//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt as _};
use notafter::time::Timestamp;
use thiserror::Error;

use super::ShellError;
use super::output::Format;
use super::question::{Columns, Question};
use super::session::{Settings, Table};
use crate::generate::Generation;

const HELP: &str = include_str!("help.txt");

/// What is to be done.
pub(super) enum Command {
    Help(String),
    Functions,
    Generate(Generation),
    #[cfg(feature = "ballista")]
    Serve(crate::cluster::Part),
    Ask(Asked),
}

/// What is asked, of which tables.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) tables: Vec<Table>,
    pub(super) at: Option<Timestamp>,
    pub(super) format: Format,
    pub(super) expects_none: bool,
    pub(super) settings: Settings,
    #[cfg(feature = "ballista")]
    pub(super) cluster: Option<String>,
    pub(super) columns: Columns,
    of: Option<String>,
    asked: Vec<Ask>,
}

#[derive(Debug)]
enum Ask {
    Sql(String),
    Named(Question),
}

impl Asked {
    pub(super) fn asks_nothing(&self) -> bool {
        self.asked.is_empty()
    }

    /// The SQL of everything that was asked, in its order.
    ///
    /// # Errors
    /// [`ShellError::WhichTable`] where a question has no table.
    pub(super) fn statements(&self) -> Result<Vec<String>, ShellError> {
        let sql = |ask: &Ask| match ask {
            Ask::Sql(sql) => Ok(sql.clone()),
            Ask::Named(question) => self.sql_of(*question),
        };
        self.asked.iter().map(sql).collect()
    }

    /// The SQL of a question about the table that was meant.
    ///
    /// # Errors
    /// [`ShellError::WhichTable`] where there is none, or where it could be any of several.
    pub(super) fn sql_of(&self, question: Question) -> Result<String, ShellError> {
        let table = match (&self.of, self.tables.as_slice()) {
            (Some(of), _) => of,
            (None, [only]) => &only.name,
            (None, tables) => {
                return Err(ShellError::WhichTable {
                    count: tables.len(),
                });
            }
        };
        Ok(question.sql(table, &self.columns))
    }
}

/// A command line that cannot be followed.
#[derive(Debug, Error)]
pub(super) enum ArgsError {
    #[error(transparent)]
    Flags(#[from] lexopt::Error),
    #[error("'{given}' is no table: write NAME=FILE, as in --table certs=certs.parquet")]
    Table { given: String },
    #[error("'{given}' is no size: write a number of bytes, or one with K, M or G")]
    Size { given: String },
    #[error("'{given}' is no question: {}", Question::names())]
    Question { given: String },
    #[error("'{given}' is no format: write table, csv or json")]
    Format { given: String },
    #[error("{what} is missing")]
    Missing { what: &'static str },
    #[error("'{given}' is neither generate nor functions, and no flag: a query goes after -c")]
    Command { given: String },
}

/// Reads it.
///
/// # Errors
/// [`ArgsError`] with what to write instead.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, ArgsError> {
    let mut parser = Parser::from_args(args);
    let mut asked = Asked::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help(HELP.to_owned())),
            Arg::Value(command) if command == "functions" => return Ok(Command::Functions),
            Arg::Value(command) if command == "generate" => {
                return generation(&mut parser);
            }
            #[cfg(feature = "ballista")]
            Arg::Value(command) if command == "scheduler" || command == "executor" => {
                return crate::cluster::Part::parse(&command, &mut parser)
                    .map(Command::Serve)
                    .map_err(ArgsError::from);
            }
            Arg::Value(given) => {
                let given = given.to_string_lossy().into_owned();
                return Err(ArgsError::Command { given });
            }
            Arg::Short('t') | Arg::Long("table") => asked.tables.push(table(parser.value()?)?),
            Arg::Short('c') | Arg::Long("command") => {
                asked.asked.push(Ask::Sql(parser.value()?.string()?));
            }
            Arg::Long("ask") => {
                let given = parser.value()?.string()?;
                let question = Question::named(&given);
                let question = question.ok_or(ArgsError::Question { given })?;
                asked.asked.push(Ask::Named(question));
            }
            Arg::Long("of") => asked.of = Some(parser.value()?.string()?),
            Arg::Long("der") => asked.columns.der = parser.value()?.string()?,
            Arg::Long("host") => asked.columns.host = parser.value()?.string()?,
            Arg::Long("at") => asked.at = Some(parser.value()?.parse()?),
            Arg::Short('f') | Arg::Long("format") => {
                let given = parser.value()?.string()?;
                asked.format = Format::named(&given).ok_or(ArgsError::Format { given })?;
            }
            Arg::Long("expect-none") => asked.expects_none = true,
            Arg::Long("memory") => asked.settings.memory = size(parser.value()?.string()?)?,
            Arg::Long("threads") => asked.settings.threads = Some(parser.value()?.parse()?),
            #[cfg(feature = "ballista")]
            Arg::Long("cluster") => asked.cluster = Some(parser.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Ask(asked))
}

fn table(given: OsString) -> Result<Table, ArgsError> {
    let given = given.string()?;
    match given.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok(Table {
            name: name.to_owned(),
            path: path.to_owned(),
        }),
        _ => Err(ArgsError::Table { given }),
    }
}

fn size(given: String) -> Result<usize, ArgsError> {
    let (digits, unit) = match given.char_indices().next_back() {
        Some((last, 'k' | 'K')) => (&given[..last], 1 << 10),
        Some((last, 'm' | 'M')) => (&given[..last], 1 << 20),
        Some((last, 'g' | 'G')) => (&given[..last], 1 << 30),
        _ => (given.as_str(), 1),
    };
    let bytes = digits
        .parse()
        .ok()
        .and_then(|number: usize| number.checked_mul(unit));
    match bytes.filter(|bytes| *bytes > 0) {
        Some(bytes) => Ok(bytes),
        None => Err(ArgsError::Size { given }),
    }
}

fn generation(parser: &mut Parser) -> Result<Command, ArgsError> {
    let mut generation = Generation::default();
    let mut corpora = false;
    let mut file = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("rows") => generation.rows = parser.value()?.parse()?,
            Arg::Long("seed") => generation.seed = parser.value()?.parse()?,
            Arg::Long("bad") => generation.bad_share = parser.value()?.parse()?,
            Arg::Long("around") => generation.around = parser.value()?.parse()?,
            Arg::Long("corpora") => {
                generation.corpora = PathBuf::from(parser.value()?);
                corpora = true;
            }
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            other => return Err(other.unexpected().into()),
        }
    }
    generation.file = file.ok_or(ArgsError::Missing { what: "FILE" })?;
    match corpora {
        true => Ok(Command::Generate(generation)),
        false => Err(ArgsError::Missing {
            what: "--corpora DIR",
        }),
    }
}
