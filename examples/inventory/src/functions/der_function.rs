//! `cert_der(text)`: the bytes that a text stands for.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, BinaryViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::utils::take_function_args;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{certificate_type, over};
use super::rows::for_each_der;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DerFunction {
    signature: Signature,
}

impl DerFunction {
    pub(super) fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for DerFunction {
    fn name(&self) -> &str {
        "cert_der"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [text] = take_function_args(self.name(), given)?;
        Ok(vec![certificate_type(self.name(), text)?])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text] = take_function_args(self.name(), given.args)?;
        over(text, bytes)
    }
}

/// What cannot be decoded is null; whether the bytes are a certificate is not asked.
fn bytes(text: &ArrayRef) -> Result<ArrayRef> {
    let mut cells = BinaryViewBuilder::with_capacity(text.len());
    for_each_der(text, |der| cells.append_option(der.ok().flatten()))?;
    Ok(Arc::new(cells.finish()))
}
