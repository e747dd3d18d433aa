//! How far a query has come: the rows that were read, on standard error, at a terminal only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use indicatif::{ProgressBar, ProgressStyle};

/// A bar that follows a plan while it runs.
pub(super) struct Progress {
    bar: ProgressBar,
    is_done: Arc<AtomicBool>,
}

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(200);

impl Progress {
    /// Begins to follow the plan; where standard error is no terminal, nothing is drawn.
    pub(super) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut scans = Vec::new();
        gather_scans(plan, &mut scans);
        let bar = match total_rows(&scans) {
            Some(total) => ProgressBar::new(total).with_style(style(
                "{elapsed_precise} {bar:30} {human_pos} of {human_len} rows, {per_sec}, {eta} left",
            )),
            None => ProgressBar::new_spinner().with_style(style(
                "{elapsed_precise} {spinner} {human_pos} rows, {per_sec}",
            )),
        };
        let is_done = Arc::new(AtomicBool::new(false));
        if !bar.is_hidden() {
            let (bar, is_done) = (bar.clone(), Arc::clone(&is_done));
            tokio::spawn(async move {
                while !is_done.load(Ordering::Relaxed) {
                    bar.set_position(rows_read(&scans));
                    tokio::time::sleep(INTERVAL).await;
                }
            });
        }
        Self { bar, is_done }
    }

    /// Does something that prints, with the bar out of its way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub(super) fn done(&self) {
        self.is_done.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.done();
    }
}

/// What has nothing below it reads a table.
fn gather_scans(plan: &Arc<dyn ExecutionPlan>, scans: &mut Vec<Arc<dyn ExecutionPlan>>) {
    let children = plan.children();
    if children.is_empty() {
        scans.push(Arc::clone(plan));
    }
    for child in children {
        gather_scans(child, scans);
    }
}

/// `None` where a table does not say how many rows it has, as CSV.
fn total_rows(scans: &[Arc<dyn ExecutionPlan>]) -> Option<u64> {
    let known = StatisticsContext::new();
    let rows = scans.iter().map(|scan| {
        let statistics = known.compute(scan.as_ref(), &StatisticsArgs::new()).ok()?;
        match statistics.num_rows {
            Precision::Exact(rows) | Precision::Inexact(rows) => u64::try_from(rows).ok(),
            Precision::Absent => None,
        }
    });
    rows.sum()
}

fn rows_read(scans: &[Arc<dyn ExecutionPlan>]) -> u64 {
    let rows = scans
        .iter()
        .filter_map(|scan| scan.metrics()?.output_rows());
    rows.filter_map(|rows| u64::try_from(rows).ok()).sum()
}

fn style(template: &str) -> ProgressStyle {
    // The templates are ours; a wrong one would show a plain bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
