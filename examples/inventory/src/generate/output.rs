//! The file: rows by the row group, so that neither writer nor reader holds more than one.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64_simd::STANDARD;
use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, RecordBatch, StringBuilder, UInt16Builder,
};
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::hosts::Host;
use super::{GROUP, GenerateError};

/// Columns `host`, `port` and `der`; in CSV `der` is base64.
pub(super) struct Output {
    path: PathBuf,
    schema: SchemaRef,
    writer: Writer,
    hosts: StringBuilder,
    ports: UInt16Builder,
    certificates: Certificates,
    rows: usize,
}

enum Writer {
    Parquet(Box<ArrowWriter<BufWriter<File>>>),
    Csv(Box<csv::Writer<BufWriter<File>>>),
}

enum Certificates {
    Bytes(BinaryBuilder),
    Texts(StringBuilder),
}

impl Output {
    /// Makes the file, over one that is there.
    ///
    /// # Errors
    /// [`GenerateError`] where it cannot be made.
    pub(super) fn create(path: &Path) -> Result<Self, GenerateError> {
        let failed = |error| GenerateError::File {
            path: path.to_owned(),
            error,
        };
        let is_parquet = match path.extension().and_then(|extension| extension.to_str()) {
            Some("parquet") => true,
            Some("csv") => false,
            _ => {
                return Err(GenerateError::Format {
                    path: path.to_owned(),
                });
            }
        };
        let der = match is_parquet {
            true => DataType::Binary,
            false => DataType::Utf8,
        };
        let schema: SchemaRef = Arc::new(Schema::new(vec![
            Field::new("host", DataType::Utf8, false),
            Field::new("port", DataType::UInt16, false),
            Field::new("der", der, true),
        ]));
        let file = BufWriter::new(File::create(path).map_err(failed)?);
        Ok(Self {
            path: path.to_owned(),
            writer: match is_parquet {
                true => Writer::Parquet(Box::new(ArrowWriter::try_new(
                    file,
                    Arc::clone(&schema),
                    Some(properties()),
                )?)),
                false => Writer::Csv(Box::new(csv::WriterBuilder::new().build(file))),
            },
            schema,
            hosts: StringBuilder::new(),
            ports: UInt16Builder::new(),
            certificates: match is_parquet {
                true => Certificates::Bytes(BinaryBuilder::new()),
                false => Certificates::Texts(StringBuilder::new()),
            },
            rows: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`GenerateError`] where what is full cannot be written.
    pub(super) fn row(&mut self, host: &Host, der: Option<&[u8]>) -> Result<(), GenerateError> {
        self.hosts.append_value(&host.name);
        self.ports.append_value(host.port);
        match &mut self.certificates {
            Certificates::Bytes(cells) => cells.append_option(der),
            Certificates::Texts(cells) => {
                cells.append_option(der.map(|der| STANDARD.encode_to_string(der)));
            }
        }
        self.rows += 1;
        match self.rows {
            GROUP => self.write(),
            _ => Ok(()),
        }
    }

    /// Writes the rest and closes the file.
    ///
    /// # Errors
    /// [`GenerateError`] where it cannot be written.
    pub(super) fn finish(mut self) -> Result<(), GenerateError> {
        self.write()?;
        let file = match self.writer {
            Writer::Parquet(writer) => writer.into_inner()?,
            Writer::Csv(writer) => writer.into_inner(),
        };
        let mut file = file;
        file.flush().map_err(|error| GenerateError::File {
            path: self.path,
            error,
        })
    }

    fn write(&mut self) -> Result<(), GenerateError> {
        let certificates: ArrayRef = match &mut self.certificates {
            Certificates::Bytes(cells) => Arc::new(cells.finish()),
            Certificates::Texts(cells) => Arc::new(cells.finish()),
        };
        let columns = vec![
            Arc::new(self.hosts.finish()) as ArrayRef,
            Arc::new(self.ports.finish()),
            certificates,
        ];
        self.rows = 0;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write(&batch)?,
            Writer::Csv(writer) => writer.write(&batch)?,
        }
        Ok(())
    }
}

/// No dictionary: no two rows are alike. Statistics of certificates and of random hosts exclude nothing.
fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP))
        .set_dictionary_enabled(false)
        .set_column_statistics_enabled("der".into(), EnabledStatistics::None)
        .set_created_by("notafter-inventory".to_owned())
        .build()
}
