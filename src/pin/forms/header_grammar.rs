//! Directives as the headers of RFC 7469, 2.1 have them: names with values that are tokens or quoted strings,
//! between semicolons (RFC 7230, 3.2.6).

use std::iter::Peekable;
use std::str::Chars;

use super::error::{FormPlace, FormProblem, FormReadError};

/// One directive, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    /// In lower case: names are compared without regard to it.
    pub(super) name: String,
    pub(super) value: DirectiveValue,
    pub(super) place: FormPlace,
}

/// What stands behind a directive's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DirectiveValue {
    None,
    Token(String),
    /// Without its quotes and backslashes.
    Quoted(String),
}

pub(super) fn directives(value: &str) -> Result<Vec<Directive>, FormReadError> {
    let mut reader = HeaderReader {
        rest: value.chars().peekable(),
        column: 1,
    };
    let mut found = Vec::new();
    loop {
        reader.pass_white_space();
        let place = reader.place();
        let name = reader
            .token("the name of a directive")?
            .to_ascii_lowercase();
        let value = match reader.rest.peek() {
            Some('=') => {
                reader.next();
                reader.value()?
            }
            _ => DirectiveValue::None,
        };
        found.push(Directive { name, value, place });
        reader.pass_white_space();
        match reader.rest.peek() {
            None => return Ok(found),
            Some(';') => reader.next(),
            Some(_) => return Err(reader.unexpected("a semicolon")),
        };
    }
}

struct HeaderReader<'h> {
    rest: Peekable<Chars<'h>>,
    column: u32,
}

impl HeaderReader<'_> {
    fn next(&mut self) -> Option<char> {
        self.column = self.column.saturating_add(1);
        self.rest.next()
    }

    fn next_if(&mut self, is_meant: impl Fn(char) -> bool) -> Option<char> {
        let found = self.rest.next_if(|c| is_meant(*c))?;
        self.column = self.column.saturating_add(1);
        Some(found)
    }

    const fn place(&self) -> FormPlace {
        let (line, column) = (1, self.column);
        FormPlace::Position { line, column }
    }

    fn unexpected(&mut self, expected: &'static str) -> FormReadError {
        let found = match self.rest.peek() {
            Some(c) => c.to_string(),
            None => "the end".to_owned(),
        };
        FormProblem::unexpected(&found, expected).at(self.place())
    }

    fn pass_white_space(&mut self) {
        while self.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
    }

    fn token(&mut self, expected: &'static str) -> Result<String, FormReadError> {
        let mut token = String::new();
        while let Some(c) = self.next_if(is_of_token) {
            token.push(c);
        }
        match token.is_empty() {
            true => Err(self.unexpected(expected)),
            false => Ok(token),
        }
    }

    fn value(&mut self) -> Result<DirectiveValue, FormReadError> {
        if self.next_if(|c| c == '"').is_none() {
            let token = self.token("a value")?;
            return Ok(DirectiveValue::Token(token));
        }
        let mut text = String::new();
        loop {
            match self.rest.peek().copied() {
                Some('"') => {
                    self.next();
                    return Ok(DirectiveValue::Quoted(text));
                }
                Some('\\') => {
                    self.next();
                    let quoted = self.next_if(is_of_quoted);
                    text.push(quoted.ok_or_else(|| self.unexpected("a character after \\"))?);
                }
                Some(c) if is_of_quoted(c) => text.extend(self.next()),
                _ => return Err(self.unexpected("a closing quote")),
            }
        }
    }
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// Whatever may follow a backslash: tabs, spaces, what can be seen, and what is not ASCII.
fn is_of_quoted(c: char) -> bool {
    matches!(c, '\t' | ' '..='~') || !c.is_ascii()
}
