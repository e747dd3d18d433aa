//! `now()` and `current_date`, as of the instant that is asked about.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;
use notafter::time::Timestamp;

use super::{UTC, instant_type};

/// Has `now()`, `current_timestamp`, `current_date` and `today()` of a session mean this instant.
///
/// Their clock is nowhere read after this, and `now()` is in seconds, as the dates of certificates are: one of
/// the year 9999 can be compared with it, which nanoseconds cannot hold.
pub fn fix_instant(context: &SessionContext, instant: Timestamp) {
    for kind in [Kind::Second, Kind::Day] {
        context.register_udf(InstantFunction::new(kind, instant).into());
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Second,
    Day,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct InstantFunction {
    kind: Kind,
    instant: Timestamp,
    aliases: Vec<String>,
    signature: Signature,
}

impl InstantFunction {
    fn new(kind: Kind, instant: Timestamp) -> Self {
        let alias = match kind {
            Kind::Second => "current_timestamp",
            Kind::Day => "today",
        };
        Self {
            kind,
            instant,
            aliases: vec![alias.to_owned()],
            signature: Signature::nullary(Volatility::Stable),
        }
    }

    fn value(&self) -> ScalarValue {
        let seconds = self.instant.as_unix_seconds();
        match self.kind {
            Kind::Second => ScalarValue::TimestampSecond(Some(seconds), Some(UTC.into())),
            // Years 0 to 9999 are within 32 bits of days.
            Kind::Day => ScalarValue::Date32(i32::try_from(seconds.div_euclid(86_400)).ok()),
        }
    }
}

impl ScalarUDFImpl for InstantFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Second => "now",
            Kind::Day => "current_date",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Second => instant_type(),
            Kind::Day => DataType::Date32,
        })
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = Field::new(self.name(), self.return_type(&[])?, false);
        Ok(field.into())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value()))
    }

    /// A literal goes to other machines as it is.
    fn simplify(&self, _: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(
            self.value(),
            None,
        )))
    }
}
