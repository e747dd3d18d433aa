//! The functions, as DataFusion takes them.
//!
//! | what is asked | functions |
//! | --- | --- |
//! | one fact of each certificate | `cert_not_after(der)` and the like: [`Fact`] |
//! | all cheap facts, from one look | `cert_facts(der)`, a struct whose fields are those names without `cert_` |
//! | how it stands at an instant | `cert_band(der, at)`, `cert_left_seconds(der, at)` |
//! | the bytes of what stands there as text | `cert_der(text)` |
//!
//! `der` is a column of bytes (Binary, LargeBinary, BinaryView, FixedSizeBinary) or of text (Utf8,
//! LargeUtf8, Utf8View: base64, PEM, or hexadecimal after `\x`, as PostgreSQL writes bytes). Dictionaries of
//! these are read too. `at` is a timestamp, a date, RFC 3339, or Unix seconds.
//!
//! A row that is no certificate is null everywhere, and `cert_error(der)` says why; a null row is null
//! there too. No row can fail a query.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod arguments;
mod bad_row;
mod column;
mod date_trunc_function;
mod dated_function;
mod der_function;
mod fact;
mod fact_function;
mod facts_function;
mod instant_function;
mod rows;

pub use bad_row::BadRow;
pub use fact::Fact;
pub use instant_function::fix_instant;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;

use date_trunc_function::DateTruncFunction;
use dated_function::{Dated, DatedFunction};
use der_function::DerFunction;
use fact_function::FactFunction;
use facts_function::FactsFunction;

/// Every function, in the order in which they are told to people.
pub fn all() -> Vec<ScalarUDF> {
    let mut functions: Vec<_> = Fact::ALL
        .into_iter()
        .map(|fact| ScalarUDF::from(FactFunction::new(fact)))
        .collect();
    functions.push(FactsFunction::new().into());
    functions.extend(Dated::ALL.map(|dated| DatedFunction::new(dated).into()));
    functions.push(DerFunction::new().into());
    functions
}

/// Registers every function in a session, and has its `date_trunc` answer for years after 2262 too.
pub fn register(context: &SessionContext) {
    for function in registered() {
        context.register_udf(function);
    }
}

/// What is in the registry of every process that runs a part of a query.
pub(crate) fn registered() -> impl Iterator<Item = ScalarUDF> {
    let date_trunc = ScalarUDF::from(DateTruncFunction::new());
    all().into_iter().chain([date_trunc])
}

/// How each function is called, and what it answers, in the order of [`all`].
pub fn descriptions() -> Vec<(String, &'static str)> {
    let facts = Fact::ALL.map(|fact| (format!("{}(der)", fact.function()), fact.description()));
    let dated = Dated::ALL.map(|dated| (format!("{}(der, at)", dated.name()), dated.description()));
    let mut described = facts.to_vec();
    described.push((
        "cert_facts(der)".to_owned(),
        "a struct of the facts above, up to error_code, from one look at the bytes",
    ));
    described.extend(dated);
    described.push((
        "cert_der(text)".to_owned(),
        "the bytes of base64, PEM, or hexadecimal after \\x",
    ));
    described
}

/// Seconds of UTC: nanoseconds hold no year after 2262, and certificates go up to 9999.
pub(crate) fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Second, Some(UTC.into()))
}

/// As DataFusion writes UTC.
const UTC: &str = "+00:00";
