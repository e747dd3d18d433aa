//! Which types the arguments may have, and a function of one column over columns and single values.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ColumnarValue;

use super::instant_type;

/// The type as which a column of certificates is read.
///
/// # Errors
/// Where it holds neither bytes nor text: the plan is wrong, before a row was read.
pub(super) fn certificate_type(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View => Ok(given.clone()),
        DataType::FixedSizeBinary(_) | DataType::Null => Ok(DataType::Binary),
        DataType::Dictionary(_, values) => certificate_type(function, values),
        other => plan_err!(
            "{function} takes a certificate as bytes (DER) or as text (base64, PEM, or \\x and hexadecimal), not {other}"
        ),
    }
}

/// The type as which an instant is read.
///
/// # Errors
/// Where it is no kind of instant.
pub(super) fn instant_argument(function: &str, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Int64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Null => Ok(instant_type()),
        other => plan_err!(
            "{function} takes an instant as a timestamp, a date, RFC 3339 or Unix seconds, not {other}"
        ),
    }
}

/// The answer for a column, or for a single value as a column of one row.
pub(super) fn over(
    value: ColumnarValue,
    answer: impl FnOnce(&ArrayRef) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    match value {
        ColumnarValue::Array(column) => answer(&column).map(ColumnarValue::Array),
        ColumnarValue::Scalar(single) => {
            let answered = answer(&single.to_array()?)?;
            ScalarValue::try_from_array(&answered, 0).map(ColumnarValue::Scalar)
        }
    }
}
