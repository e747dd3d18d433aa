//! JSON values with the paths at which they stand, so that each complaint names its place.

use serde_json::{Map, Value};

use super::draft::bounded;
use super::error::{FormPlace, FormProblem, FormReadError};
use crate::strict_json;

/// Reads JSON in which no key stands twice.
pub(super) fn parse(text: &str) -> Result<Value, FormReadError> {
    strict_json::parse(bounded(text)?.as_bytes()).map_err(|error| {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let place = FormPlace::Position {
            line: number(error.line()),
            column: number(error.column()),
        };
        FormProblem::syntax(error).at(place)
    })
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct JsonValue<'v> {
    path: String,
    value: &'v Value,
}

impl<'v> JsonValue<'v> {
    pub(super) const fn root(value: &'v Value) -> Self {
        let path = String::new();
        Self { path, value }
    }

    pub(super) fn at(&self, problem: FormProblem) -> FormReadError {
        match self.path.as_str() {
            "" => problem.at(FormPlace::Whole),
            path => problem.at(FormPlace::path(path)),
        }
    }

    /// A field; `null` is as if it were missing.
    pub(super) fn field(&self, name: &str) -> Result<Option<Self>, FormReadError> {
        let found = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(found.map(|value| self.inner(name, value)))
    }

    /// The fields of an object.
    pub(super) fn fields(&self) -> Result<Vec<(&'v str, Self)>, FormReadError> {
        let fields = self.object()?.iter();
        let fields = fields.map(|(name, value)| (name.as_str(), self.inner(name, value)));
        Ok(fields.collect())
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, FormReadError> {
        let list = self
            .value
            .as_array()
            .ok_or_else(|| self.expected("a list"))?;
        let places = list.iter().enumerate().map(|(number, value)| Self {
            path: format!("{}[{number}]", self.path),
            value,
        });
        Ok(places.collect())
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    pub(super) fn text(&self) -> Result<&'v str, FormReadError> {
        self.value.as_str().ok_or_else(|| self.expected("a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, FormReadError> {
        let value = self.value.as_bool();
        value.ok_or_else(|| self.expected("true or false"))
    }

    pub(super) fn integer(&self) -> Result<i64, FormReadError> {
        let value = self.value.as_i64();
        value.ok_or_else(|| self.expected("a whole number"))
    }

    fn object(&self) -> Result<&'v Map<String, Value>, FormReadError> {
        let object = self.value.as_object();
        object.ok_or_else(|| self.expected("an object"))
    }

    fn inner(&self, name: &str, value: &'v Value) -> Self {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Self { path, value }
    }

    fn expected(&self, what: &'static str) -> FormReadError {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.at(FormProblem::unexpected(found, what))
    }
}
