//! Going through a column of certificates: bytes as they are, text through one buffer for all rows.

use base64_simd::forgiving_decode_inplace;
use datafusion::arrow::array::{Array as _, ArrayRef, AsArray as _};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use notafter::cert::CertificateFacts;
use pki_types::CertificateDer;
use pki_types::pem::PemObject as _;

use super::BadRow;
use super::bad_row::MAX_ROW;

/// One row of a column of certificates.
pub(super) enum Row<'a> {
    /// Nothing is known.
    Null,
    /// Something that is no certificate.
    Bad(BadRow),
    /// What the certificate states.
    Certificate(CertificateFacts<'a>),
}

impl<'a> Row<'a> {
    fn of(der: Result<Option<&'a [u8]>, BadRow>) -> Self {
        match der {
            Ok(None) => Self::Null,
            Ok(Some(der)) => match CertificateFacts::parse(der) {
                Ok(facts) => Self::Certificate(facts),
                Err(error) => Self::Bad(error.into()),
            },
            Err(bad) => Self::Bad(bad),
        }
    }
}

/// Gives each row, in its order, parsed once.
///
/// # Errors
/// Where the column has a type that no plan gives.
pub(super) fn for_each_row(column: &ArrayRef, mut row: impl FnMut(&Row<'_>)) -> Result<()> {
    for_each_der(column, |der| row(&Row::of(der)))
}

/// Gives the bytes of each row in its order, whatever they are.
///
/// # Errors
/// Where the column has a type that no plan gives.
pub(super) fn for_each_der(
    column: &ArrayRef,
    row: impl FnMut(Result<Option<&[u8]>, BadRow>),
) -> Result<()> {
    match column.data_type() {
        DataType::Binary => binary(column.as_binary::<i32>(), row),
        DataType::LargeBinary => binary(column.as_binary::<i64>(), row),
        DataType::BinaryView => binary(column.as_binary_view(), row),
        DataType::Utf8 => text(column.as_string::<i32>(), row),
        DataType::LargeUtf8 => text(column.as_string::<i64>(), row),
        DataType::Utf8View => text(column.as_string_view(), row),
        other => return internal_err!("certificates in a column of {other}"),
    }
    Ok(())
}

fn binary<'a>(
    column: impl IntoIterator<Item = Option<&'a [u8]>>,
    mut row: impl FnMut(Result<Option<&[u8]>, BadRow>),
) {
    for bytes in column {
        row(bytes.map(bounded).transpose());
    }
}

fn text<'a>(
    column: impl IntoIterator<Item = Option<&'a str>>,
    mut row: impl FnMut(Result<Option<&[u8]>, BadRow>),
) {
    let mut buffer = Vec::new();
    for text in column {
        row(text.map(|text| decoded(text, &mut buffer)).transpose());
    }
}

fn bounded(bytes: &[u8]) -> Result<&[u8], BadRow> {
    match bytes.len() {
        0 => Err(BadRow::Empty),
        length if length > MAX_ROW => Err(BadRow::TooLong { length }),
        _ => Ok(bytes),
    }
}

/// The bytes that a text stands for, in the buffer.
fn decoded<'b>(text: &str, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], BadRow> {
    let text = bounded(text.trim_ascii().as_bytes())?;
    buffer.clear();
    if let Some(digits) = text.strip_prefix(b"\\x") {
        buffer.resize(digits.len() / 2, 0);
        return base16ct::mixed::decode(digits, buffer).map_err(|_| BadRow::NotHex);
    }
    // Base64 has no dash, which is soon found out.
    if text.contains(&b'-') && is_pem(text) {
        let der = CertificateDer::from_pem_slice(text).map_err(BadRow::of_pem)?;
        buffer.extend_from_slice(&der);
        return Ok(buffer);
    }
    buffer.extend_from_slice(text);
    match forgiving_decode_inplace(buffer) {
        Ok(der) => Ok(der),
        Err(_) => Err(BadRow::NotBase64),
    }
}

fn is_pem(text: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    text.windows(BEGIN.len()).any(|part| part == BEGIN)
}
