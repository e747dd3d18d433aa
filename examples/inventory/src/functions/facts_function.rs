//! `cert_facts(der)`: every fact of one walk over the bytes, in one struct.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, NullBufferBuilder, StructArray};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{certificate_type, over};
use super::column::Column;
use super::fact::Fact;
use super::rows::{Row, for_each_row};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FactsFunction {
    signature: Signature,
}

impl FactsFunction {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FactsFunction {
    fn name(&self) -> &str {
        "cert_facts"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [certificates] = take_function_args(self.name(), given)?;
        Ok(vec![certificate_type(self.name(), certificates)?])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields()))
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [certificates] = take_function_args(self.name(), given.args)?;
        over(certificates, structs)
    }
}

fn facts() -> impl Iterator<Item = Fact> {
    Fact::ALL.into_iter().filter(|fact| !fact.needs_details())
}

fn fields() -> Fields {
    facts()
        .map(|fact| Field::new(fact.field(), fact.data_type(), true))
        .collect()
}

/// A bad row is a struct with its error in it; a null row is null.
fn structs(certificates: &ArrayRef) -> Result<ArrayRef> {
    let rows = certificates.len();
    let mut columns: Vec<_> = facts().map(|fact| Column::new(fact, rows)).collect();
    let mut known = NullBufferBuilder::new(rows);
    for_each_row(certificates, |row| {
        known.append(!matches!(row, Row::Null));
        columns.iter_mut().for_each(|column| column.push(row));
    })?;
    let columns = columns.into_iter().map(Column::finish).collect();
    let structs = StructArray::try_new(fields(), columns, known.finish())?;
    Ok(Arc::new(structs))
}
