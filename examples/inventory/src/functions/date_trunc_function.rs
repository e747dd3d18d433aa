//! `date_trunc(unit, instant)` for every year that a certificate can state.
//!
//! DataFusion's own goes through nanoseconds, which end in 2262: one certificate of the year 9999 (RFC 5280,
//! 4.1.2.5: no well-defined end) would fail the whole query. Instants in seconds of UTC are cut off here,
//! everything else by DataFusion's own, whose place this takes in a session.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray as _, TimestampSecondArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit, TimestampSecondType};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use time::{Date, Month, UtcDateTime};

use super::arguments::over;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DateTruncFunction {
    datafusions: Arc<ScalarUDF>,
    aliases: Vec<String>,
}

impl DateTruncFunction {
    pub(super) fn new() -> Self {
        let datafusions = datafusion::functions::datetime::date_trunc();
        Self {
            aliases: datafusions.aliases().to_vec(),
            datafusions,
        }
    }
}

impl ScalarUDFImpl for DateTruncFunction {
    fn name(&self) -> &str {
        self.datafusions.name()
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.datafusions.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.datafusions.coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.datafusions.return_type(given)
    }

    fn return_field_from_args(&self, given: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.datafusions.return_field_from_args(given)
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let unit = match given.args.as_slice() {
            [ColumnarValue::Scalar(unit), instants] if is_ours(&instants.data_type()) => {
                unit.try_as_str().flatten().and_then(Unit::named)
            }
            _ => None,
        };
        match (unit, given.args.as_slice()) {
            (Some(unit), [_, instants]) => over(instants.clone(), |column| Ok(cut(column, unit))),
            _ => self.datafusions.invoke_with_args(given),
        }
    }
}

fn is_ours(kind: &DataType) -> bool {
    match kind {
        DataType::Timestamp(TimeUnit::Second, zone) => {
            let zone = zone.as_deref();
            zone.is_none_or(|zone| matches!(zone, "+00:00" | "UTC" | "Z"))
        }
        _ => false,
    }
}

/// What an instant is cut off to.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// Units that are finer than a second cut off nothing of one.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "microsecond" | "millisecond" | "second" => Self::Second,
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// The first second of the unit; `None` for years that the calendar does not have.
    fn cut(self, instant: i64) -> Option<i64> {
        const DAY: i64 = 86_400;
        let multiple_of = |span: i64| instant.checked_sub(instant.rem_euclid(span));
        match self {
            Self::Second => Some(instant),
            Self::Minute => multiple_of(60),
            Self::Hour => multiple_of(3_600),
            Self::Day => multiple_of(DAY),
            Self::Week => {
                // The first day of 1970 was a Thursday, three days after a Monday.
                let since_monday = (instant.div_euclid(DAY) + 3).rem_euclid(7);
                multiple_of(DAY)?.checked_sub(since_monday * DAY)
            }
            Self::Month | Self::Quarter | Self::Year => {
                let date = UtcDateTime::from_unix_timestamp(instant).ok()?.date();
                let month = u8::from(date.month());
                let first = match self {
                    Self::Year => 1,
                    Self::Quarter => (month - 1) / 3 * 3 + 1,
                    _ => month,
                };
                let month = Month::try_from(first).ok()?;
                let date = Date::from_calendar_date(date.year(), month, 1).ok()?;
                Some(date.midnight().as_utc().unix_timestamp())
            }
        }
    }
}

fn cut(column: &ArrayRef, unit: Unit) -> ArrayRef {
    let instants = column.as_primitive::<TimestampSecondType>();
    let cut: TimestampSecondArray = instants.unary_opt(|instant| unit.cut(instant));
    Arc::new(cut.with_data_type(column.data_type().clone()))
}
