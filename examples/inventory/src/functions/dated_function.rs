//! `cert_band(der, at)` and `cert_left_seconds(der, at)`: how a certificate stands at an instant.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, Int64Builder, StringBuilder, TimestampSecondArray,
};
use datafusion::arrow::datatypes::{DataType, TimestampSecondType};
use datafusion::common::utils::take_function_args;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use notafter::outlook::Position;
use notafter::time::{Timestamp, Validity};
use notafter::{Band, ThresholdPolicy};

use super::arguments::{certificate_type, instant_argument};
use super::rows::{Row, for_each_row};

/// What is asked of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Dated {
    Band,
    LeftSeconds,
}

impl Dated {
    pub(super) const ALL: [Self; 2] = [Self::Band, Self::LeftSeconds];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Band => "cert_band",
            Self::LeftSeconds => "cert_left_seconds",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Band => {
                "ok, due, warning, critical, not_yet_valid or expired, by the default thresholds of leaves and of CAs"
            }
            Self::LeftSeconds => "not_after - at; negative once it has expired",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Band => DataType::Utf8,
            Self::LeftSeconds => DataType::Int64,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct DatedFunction {
    dated: Dated,
    signature: Signature,
}

impl DatedFunction {
    pub(super) fn new(dated: Dated) -> Self {
        Self {
            dated,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for DatedFunction {
    fn name(&self) -> &str {
        self.dated.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [certificates, at] = take_function_args(self.name(), given)?;
        Ok(vec![
            certificate_type(self.name(), certificates)?,
            instant_argument(self.name(), at)?,
        ])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.dated.data_type())
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = given.number_rows;
        let [certificates, at] = take_function_args(self.name(), given.args)?;
        let instants = Instants::of(&at)?;
        match (certificates, &at) {
            (ColumnarValue::Array(column), _) => {
                let mut answers = Answers::new(self.dated, column.len());
                let mut number = 0;
                for_each_row(&column, |row| {
                    answers.push(Standing::of(row), instants.get(number));
                    number += 1;
                })?;
                Ok(ColumnarValue::Array(answers.finish()))
            }
            (ColumnarValue::Scalar(single), ColumnarValue::Array(_)) => {
                let standing = standing_of(&single)?;
                let mut answers = Answers::new(self.dated, rows);
                (0..rows).for_each(|number| answers.push(standing, instants.get(number)));
                Ok(ColumnarValue::Array(answers.finish()))
            }
            (ColumnarValue::Scalar(single), ColumnarValue::Scalar(_)) => {
                let mut answers = Answers::new(self.dated, 1);
                answers.push(standing_of(&single)?, instants.get(0));
                let answer = ScalarValue::try_from_array(&answers.finish(), 0)?;
                Ok(ColumnarValue::Scalar(answer))
            }
        }
    }
}

/// One instant for all rows, or one for each.
enum Instants<'a> {
    One(Option<Timestamp>),
    Each(&'a TimestampSecondArray),
}

impl<'a> Instants<'a> {
    fn of(at: &'a ColumnarValue) -> Result<Self> {
        match at {
            ColumnarValue::Scalar(ScalarValue::TimestampSecond(at, _)) => {
                Ok(Self::One(at.map(Timestamp::from_unix_seconds)))
            }
            ColumnarValue::Array(column) => {
                match column.as_primitive_opt::<TimestampSecondType>() {
                    Some(column) => Ok(Self::Each(column)),
                    None => internal_err!("instants in a column of {}", column.data_type()),
                }
            }
            ColumnarValue::Scalar(other) => internal_err!("an instant as {}", other.data_type()),
        }
    }

    fn get(&self, row: usize) -> Option<Timestamp> {
        match self {
            Self::One(at) => *at,
            Self::Each(column) => (row < column.len() && column.is_valid(row))
                .then(|| Timestamp::from_unix_seconds(column.value(row))),
        }
    }
}

/// What of a certificate its band depends on.
#[derive(Clone, Copy)]
struct Standing {
    validity: Validity,
    position: Position,
}

impl Standing {
    /// A row has no position in a chain: what says cA is judged as one, everything else as a leaf.
    fn of(row: &Row<'_>) -> Option<Self> {
        let Row::Certificate(facts) = row else {
            return None;
        };
        Some(Self {
            validity: facts.validity(),
            position: match facts.is_ca() {
                true => Position::Intermediate(0),
                false => Position::Leaf,
            },
        })
    }

    fn band(self, at: Timestamp) -> Band {
        ThresholdPolicy::default().band(self.validity, self.position, at)
    }

    fn left(self, at: Timestamp) -> i64 {
        self.validity.not_after.seconds_since(at)
    }
}

fn standing_of(single: &ScalarValue) -> Result<Option<Standing>> {
    let mut standing = None;
    for_each_row(&single.to_array()?, |row| standing = Standing::of(row))?;
    Ok(standing)
}

enum Answers {
    Bands(StringBuilder),
    Left(Int64Builder),
}

impl Answers {
    fn new(dated: Dated, rows: usize) -> Self {
        match dated {
            Dated::Band => Self::Bands(StringBuilder::with_capacity(rows, 0)),
            Dated::LeftSeconds => Self::Left(Int64Builder::with_capacity(rows)),
        }
    }

    fn push(&mut self, standing: Option<Standing>, at: Option<Timestamp>) {
        let known = standing.zip(at);
        match self {
            Self::Bands(cells) => {
                cells.append_option(known.map(|(standing, at)| standing.band(at).as_str()));
            }
            Self::Left(cells) => cells.append_option(known.map(|(standing, at)| standing.left(at))),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Bands(mut cells) => Arc::new(cells.finish()),
            Self::Left(mut cells) => Arc::new(cells.finish()),
        }
    }
}
