//! JSON without second meanings: what two readers could read differently is refused, also inside
//! of fields that nobody looks at.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::AnnouncementError;

/// Objects and lists within each other; a payload needs 5.
const MAX_DEPTH: usize = 16;

/// How serde_json hands over a number where some crate of the build has switched its feature
/// `arbitrary_precision` on.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// A JSON value whose numbers are integers and whose objects have each key once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(u64),
    Negative,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads exactly one value.
    ///
    /// # Errors
    /// `Malformed`, with line and column.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self, AnnouncementError> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = Strict { depth: 0 }.deserialize(&mut reader);
        let whole = value.and_then(|value| reader.end().map(|()| value));
        whole.map_err(|error| AnnouncementError::malformed(what, error.to_string()))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a number",
            Self::Negative => "a negative number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// A value with its place in the document, so that each complaint names it.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    place: String,
    value: &'a Json,
}

impl<'a> Node<'a> {
    pub(super) fn root(place: &str, value: &'a Json) -> Self {
        let place = place.to_owned();
        Self { place, value }
    }

    pub(super) fn malformed(&self, reason: impl Into<String>) -> AnnouncementError {
        AnnouncementError::malformed(&self.place, reason)
    }

    fn expected(&self, what: &str) -> AnnouncementError {
        self.malformed(format!("expected {what}, found {}", self.value.kind()))
    }

    /// A field that must be there.
    pub(super) fn field(&self, name: &str) -> Result<Self, AnnouncementError> {
        let missing = || self.malformed(format!("the field '{name}' is missing"));
        let Json::Object(fields) = self.value else {
            return Err(self.expected("an object"));
        };
        let found = fields.iter().find(|(key, _)| key == name);
        let (_, value) = found.ok_or_else(missing)?;
        let place = format!("{}.{name}", self.place);
        Ok(Self { place, value })
    }

    /// A field that may be missing; `null` is the same.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Self>, AnnouncementError> {
        let Json::Object(fields) = self.value else {
            return Err(self.expected("an object"));
        };
        let found = fields.iter().find(|(key, _)| key == name);
        let found = found.filter(|(_, value)| *value != Json::Null);
        Ok(found.map(|(_, value)| Self {
            place: format!("{}.{name}", self.place),
            value,
        }))
    }

    pub(super) fn text(&self) -> Result<&'a str, AnnouncementError> {
        match self.value {
            Json::Text(text) => Ok(text),
            _ => Err(self.expected("a text")),
        }
    }

    pub(super) fn boolean(&self) -> Result<bool, AnnouncementError> {
        match self.value {
            Json::Bool(value) => Ok(*value),
            _ => Err(self.expected("true or false")),
        }
    }

    pub(super) fn integer(&self) -> Result<u64, AnnouncementError> {
        match self.value {
            Json::Integer(number) => Ok(*number),
            _ => Err(self.expected("a whole number of at most 64 bits, not negative")),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Self>, AnnouncementError> {
        let Json::List(values) = self.value else {
            return Err(self.expected("a list"));
        };
        let nodes = values.iter().enumerate().map(|(n, value)| Self {
            place: format!("{}[{n}]", self.place),
            value,
        });
        Ok(nodes.collect())
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            return Err(E::custom(format_args!(
                "objects and lists are nested more than {MAX_DEPTH} deep"
            )));
        }
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose numbers are integers")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Integer(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or(Json::Negative, Json::Integer))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Json, E> {
        Err(E::custom("a number is not an integer of at most 64 bits"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let inside = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inside = self.deeper();
        let mut keys = std::collections::HashSet::new();
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER_TOKEN && fields.is_empty() {
                return number(&map.next_value::<String>()?);
            }
            let Ok(inside) = inside else {
                return inside.map(|_| Json::Null);
            };
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} stands twice"
                )));
            }
            fields.push((key, map.next_value_seed(inside)?));
        }
        inside.map(|_| Json::Object(fields))
    }
}

/// A number by its digits, judged as serde_json itself would without its feature.
fn number<E: serde::de::Error>(digits: &str) -> Result<Json, E> {
    match (digits.parse::<u64>(), digits.parse::<i64>()) {
        (Ok(number), _) => Ok(Json::Integer(number)),
        (_, Ok(negative)) if negative < 0 => Ok(Json::Negative),
        _ => Err(E::custom("a number is not an integer of at most 64 bits")),
    }
}
