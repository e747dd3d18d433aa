//! Reading a JSON value field by field, so that each complaint names its place.

use serde_json::Value;

use super::AnnouncementError;
use crate::strict_json;

/// Reads strict JSON, called so.
///
/// # Errors
/// `Malformed`, with line and column.
pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Value, AnnouncementError> {
    strict_json::parse(bytes).map_err(|error| AnnouncementError::malformed(what, error.to_string()))
}

/// A value with its place in the document, like `payload.pin_sets[0].pins[2].state`.
#[derive(Debug, Clone)]
pub(super) struct JsonPlace<'a> {
    place: String,
    value: &'a Value,
}

impl<'a> JsonPlace<'a> {
    /// The whole document, called so.
    pub(super) fn root(place: &str, value: &'a Value) -> Self {
        let place = place.to_owned();
        Self { place, value }
    }

    /// That something is wrong here.
    pub(super) fn malformed(&self, reason: impl Into<String>) -> AnnouncementError {
        AnnouncementError::malformed(&self.place, reason)
    }

    /// A field that must be there.
    pub(super) fn field(&self, name: &str) -> Result<Self, AnnouncementError> {
        self.find(name)?
            .ok_or_else(|| self.malformed(format!("the field '{name}' is missing")))
    }

    /// A field that may be missing; `null` is the same.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Self>, AnnouncementError> {
        Ok(self.find(name)?.filter(|found| !found.value.is_null()))
    }

    pub(super) fn text(&self) -> Result<&'a str, AnnouncementError> {
        self.value.as_str().ok_or_else(|| self.expected("a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, AnnouncementError> {
        let value = self.value.as_bool();
        value.ok_or_else(|| self.expected("true or false"))
    }

    pub(super) fn integer(&self) -> Result<u64, AnnouncementError> {
        let number = self.value.as_u64();
        number.ok_or_else(|| self.expected("a whole number of at most 64 bits, not negative"))
    }

    /// The values of a list, each with its place.
    pub(super) fn list(&self) -> Result<Vec<Self>, AnnouncementError> {
        let values = self.value.as_array();
        let values = values.ok_or_else(|| self.expected("a list"))?;
        let places = values.iter().enumerate().map(|(n, value)| Self {
            place: format!("{}[{n}]", self.place),
            value,
        });
        Ok(places.collect())
    }

    fn find(&self, name: &str) -> Result<Option<Self>, AnnouncementError> {
        let fields = self.value.as_object();
        let fields = fields.ok_or_else(|| self.expected("an object"))?;
        Ok(fields.get(name).map(|value| Self {
            place: format!("{}.{name}", self.place),
            value,
        }))
    }

    fn expected(&self, what: &str) -> AnnouncementError {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(number) if number.is_u64() => "a number",
            Value::Number(_) => "a negative number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.malformed(format!("expected {what}, found {found}"))
    }
}
