//! A session with the functions, an instant and a bound on memory; and its tables.

use std::path::Path;
use std::sync::Arc;

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{CsvReadOptions, ParquetReadOptions, SessionConfig, SessionContext};
use notafter::time::Timestamp;

use super::ShellError;
use crate::functions;

/// How much of the machine a session may use.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Bytes that sorting, grouping and joining may hold before they use the disk.
    pub memory: usize,
    /// Threads; one for each core where that is not said.
    pub threads: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            threads: None,
        }
    }
}

/// A table of the command line.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) path: String,
}

/// Rows that are looked at together: a certificate has 1 to 2 KB, so that a batch is some 6 MB.
const BATCH: usize = 4096;

/// What each sort keeps for merging what it wrote to the disk.
const RESERVED: usize = 1 << 20;

/// A session in which `now()` is `at`.
///
/// # Errors
/// [`ShellError::Session`] where the engine cannot be set up.
pub fn session(settings: &Settings, at: Timestamp) -> Result<SessionContext, ShellError> {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_batch_size(BATCH)
        .with_sort_spill_reservation_bytes(RESERVED);
    // How many rows a condition on certificates leaves is not known to the engine: it would hold the larger side.
    config.options_mut().optimizer.join_reordering = false;
    if let Some(threads) = settings.threads {
        config = config.with_target_partitions(threads.max(1));
    }
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(settings.memory)))
        .build_arc()
        .map_err(|error| ShellError::Session(Box::new(error)))?;
    let context = SessionContext::new_with_config_rt(config, runtime);
    functions::register(&context);
    functions::fix_instant(&context, at);
    Ok(context)
}

/// Opens a file or a folder as a table.
///
/// # Errors
/// [`ShellError::Table`] where it cannot be read as what its name says.
pub(super) async fn register_table(
    context: &SessionContext,
    table: &Table,
) -> Result<(), ShellError> {
    let path = Path::new(&table.path);
    let failed = |reason: String| ShellError::Table {
        table: table.name.clone(),
        path: table.path.clone(),
        reason,
    };
    // The engine takes a file that is not there for an empty table.
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let name = quoted(&table.name);
    let registered = match extension {
        Some("parquet") => context.register_parquet(name, &table.path, parquet()).await,
        Some("csv") => context.register_csv(name, &table.path, csv()).await,
        _ if metadata.is_dir() => {
            // A folder is one for the engine only with a slash behind it.
            let folder = format!("{}/", table.path.trim_end_matches('/'));
            context.register_parquet(name, folder, parquet()).await
        }
        _ => return Err(failed("its name must end with .parquet or .csv".to_owned())),
    };
    registered.map_err(|error| failed(error.strip_backtrace()))
}

/// A name as SQL has it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn parquet() -> ParquetReadOptions<'static> {
    ParquetReadOptions::default()
}

/// PEM has line ends in it; a line with too few fields has nulls in the others.
fn csv() -> CsvReadOptions<'static> {
    CsvReadOptions::new()
        .newlines_in_values(true)
        .truncated_rows(true)
}
