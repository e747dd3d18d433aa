//! `cert_not_after(der)` and every other function of one fact.

use datafusion::arrow::array::{Array as _, ArrayRef};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{certificate_type, over};
use super::column::Column;
use super::fact::Fact;
use super::rows::for_each_row;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FactFunction {
    fact: Fact,
    signature: Signature,
}

impl FactFunction {
    pub(super) fn new(fact: Fact) -> Self {
        Self {
            fact,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn answer(&self, certificates: &ArrayRef) -> Result<ArrayRef> {
        let mut column = Column::new(self.fact, certificates.len());
        for_each_row(certificates, |row| column.push(row))?;
        Ok(column.finish())
    }
}

impl ScalarUDFImpl for FactFunction {
    fn name(&self) -> &str {
        self.fact.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [certificates] = take_function_args(self.name(), given)?;
        Ok(vec![certificate_type(self.name(), certificates)?])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.fact.data_type())
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [certificates] = take_function_args(self.name(), given.args)?;
        over(certificates, |column| self.answer(column))
    }
}
