//! Answers as a table for people, as CSV, and as JSON.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json;
use datafusion::arrow::json::writer::LineDelimited;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// For people: the first 1,000 rows, the first 80 characters of a cell, control characters escaped.
    #[default]
    Table,
    /// RFC 4180, with a header. Lists and structs are texts.
    Csv,
    /// One object a line, nulls included; bytes in hexadecimal.
    Json,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "table" => Some(Self::Table),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// So many rows are read by a person at most, and held in memory for the width of the columns.
const MAX_SHOWN: usize = 1_000;

/// So many characters of a cell are shown: names in certificates are as long as others make them.
const MAX_CELL: usize = 80;

/// Prints the answer to one statement.
pub(super) struct Printer {
    schema: SchemaRef,
    rows: Rows,
}

enum Rows {
    Shown {
        batches: Vec<RecordBatch>,
        left: usize,
        more: usize,
    },
    Csv(Box<csv::Writer<BufWriter<Stdout>>>),
    Json(Box<json::Writer<BufWriter<Stdout>, LineDelimited>>),
}

impl Printer {
    pub(super) fn new(format: Format, schema: SchemaRef) -> Self {
        let out = BufWriter::new(io::stdout());
        let rows = match format {
            Format::Table => Rows::Shown {
                batches: Vec::new(),
                left: MAX_SHOWN,
                more: 0,
            },
            Format::Csv => Rows::Csv(Box::new(csv::WriterBuilder::new().build(out))),
            Format::Json => {
                let builder = json::WriterBuilder::new().with_explicit_nulls(true);
                Rows::Json(Box::new(builder.build(out)))
            }
        };
        Self { schema, rows }
    }

    /// Takes the next rows.
    ///
    /// # Errors
    /// Where nobody reads them.
    pub(super) fn print(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match &mut self.rows {
            Rows::Shown {
                batches,
                left,
                more,
            } => {
                let shown = batch.num_rows().min(*left);
                *left -= shown;
                *more += batch.num_rows() - shown;
                if shown > 0 {
                    batches.push(batch.slice(0, shown));
                }
                Ok(())
            }
            Rows::Csv(writer) => flat(batch)
                .and_then(|batch| writer.write(&batch))
                .map_err(from_arrow),
            Rows::Json(writer) => writer.write(batch).map_err(from_arrow),
        }
    }

    /// Prints what is left to be printed.
    ///
    /// # Errors
    /// Where nobody reads it.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.rows {
            // A statement that answers nothing, as CREATE VIEW, prints nothing.
            _ if self.schema.fields().is_empty() => Ok(()),
            Rows::Shown { batches, more, .. } => {
                let batches = match batches.is_empty() {
                    true => vec![RecordBatch::new_empty(self.schema)],
                    false => batches,
                };
                let batches: Result<Vec<_>, _> = batches.iter().map(cut_short).collect();
                let table =
                    batches.and_then(|batches| Ok(pretty_format_batches(&batches)?.to_string()));
                let table = table.map_err(from_arrow)?;
                print(&format!("{}\n", escaped(&table)))?;
                match more {
                    0 => Ok(()),
                    more => print(&format!(
                        "and {more} rows more: --format csv and json print them all\n"
                    )),
                }
            }
            Rows::Csv(mut writer) => {
                let empty = flat(&RecordBatch::new_empty(self.schema));
                // An answer without rows has its header too.
                empty
                    .and_then(|empty| writer.write(&empty))
                    .map_err(from_arrow)?;
                writer.into_inner().flush()
            }
            Rows::Json(mut writer) => {
                writer.finish().map_err(from_arrow)?;
                writer.into_inner().flush()
            }
        }
    }
}

/// Prints a text.
///
/// # Errors
/// Where nobody reads it.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A name in a certificate can hold what moves a terminal's cursor.
fn escaped(table: &str) -> String {
    let mut text = String::with_capacity(table.len());
    for character in table.chars() {
        match character {
            '\n' => text.push('\n'),
            other if other.is_control() => text.extend(other.escape_default()),
            other => text.push(other),
        }
    }
    text
}

/// Cells as texts of a length that a line has room for.
fn cut_short(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let is_any = |_: &DataType| true;
    as_texts(batch, is_any, |text| {
        match text.char_indices().nth(MAX_CELL) {
            Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
            None => text,
        }
    })
}

/// CSV has no lists, no structs and no bytes: they become texts.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let is_none_of_csv = |kind: &DataType| kind.is_nested() || is_binary(kind);
    as_texts(batch, is_none_of_csv, |text| text)
}

/// The columns of these kinds as texts.
fn as_texts(
    batch: &RecordBatch,
    is_text: impl Fn(&DataType) -> bool,
    shown: impl Fn(String) -> String,
) -> Result<RecordBatch, ArrowError> {
    let options = FormatOptions::default();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if !is_text(column.data_type()) {
            fields.push(field.as_ref().clone());
            columns.push(column.clone());
            continue;
        }
        let cells = ArrayFormatter::try_new(column.as_ref(), &options)?;
        let texts = (0..column.len()).map(|row| {
            column
                .is_valid(row)
                .then(|| cells.value(row).try_to_string().map(&shown))
                .transpose()
        });
        columns.push(Arc::new(texts.collect::<Result<StringArray, _>>()?));
        fields.push(Field::new(field.name(), DataType::Utf8, true));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn is_binary(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

fn from_arrow(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(other),
    }
}
