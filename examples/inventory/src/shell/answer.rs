//! From SQL to printed rows, batch by batch.

use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::DFParser;
use futures_util::StreamExt as _;

use super::ShellError;
use super::output::{Format, Printer};
use super::progress::Progress;

/// Answers every statement of a text in its order, and gives the number of rows.
///
/// # Errors
/// [`ShellError`] of the first statement that fails; what was printed before stays.
pub(super) async fn answer(
    context: &SessionContext,
    sql: &str,
    format: Format,
) -> Result<u64, ShellError> {
    let mut rows = 0;
    for statement in DFParser::parse_sql(sql)? {
        let plan = context.state().statement_to_plan(statement).await?;
        let frame = context.execute_logical_plan(plan).await?;
        let task = std::sync::Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let progress = Progress::of(&plan);
        let mut batches = execute_stream(plan, task)?;
        let mut printer = Printer::new(format, batches.schema());
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            progress.aside(|| printer.print(&batch))?;
        }
        progress.done();
        printer.finish()?;
    }
    Ok(rows)
}
