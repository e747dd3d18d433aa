//! Calls within source text of Java or Kotlin, and their arguments where those are literal strings.

use std::iter::Peekable;
use std::str::Chars;

use super::error::{FormPlace, FormProblem, FormReadError};

/// A literal string, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) text: String,
    pub(super) place: FormPlace,
}

/// The arguments of every call of `add(...)`; comments, other strings and all other code are passed over.
pub(super) fn arguments_of_add(source: &str) -> Result<Vec<Vec<Literal>>, FormReadError> {
    let mut reader = SourceReader {
        rest: source.chars().peekable(),
        line: 1,
        column: 1,
    };
    let mut calls = Vec::new();
    while let Some(c) = reader.peek() {
        match c {
            '/' => reader.pass_comment(),
            '"' => {
                reader.literal()?;
            }
            '\'' => reader.pass_character(),
            _ if is_of_word(c) => {
                let is_add = reader.word() == "add";
                reader.pass_blanks();
                if is_add && reader.next_if('(') {
                    calls.push(reader.arguments()?);
                }
            }
            _ => {
                reader.next();
            }
        }
    }
    Ok(calls)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct SourceReader<'s> {
    rest: Peekable<Chars<'s>>,
    line: u32,
    column: u32,
}

impl SourceReader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        match next {
            Some('\n') => {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            }
            _ => self.column = self.column.saturating_add(1),
        }
        next
    }

    fn next_if(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        if is_next {
            self.next();
        }
        is_next
    }

    const fn place(&self) -> FormPlace {
        FormPlace::Position {
            line: self.line,
            column: self.column,
        }
    }

    fn unexpected(&mut self, expected: &'static str) -> FormReadError {
        let place = self.place();
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(c) if c.is_alphanumeric() => self.word(),
            Some(c) => c.to_string(),
        };
        FormProblem::unexpected(&found, expected).at(place)
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| is_of_word(*c)) {
            word.push(c);
            self.next();
        }
        word
    }

    /// Spaces, line ends and comments.
    fn pass_blanks(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                '/' => self.pass_comment(),
                _ if c.is_whitespace() => {
                    self.next();
                }
                _ => return,
            }
        }
    }

    /// `'"'` begins no string.
    fn pass_character(&mut self) {
        self.next();
        if self.next() == Some('\\') {
            self.next();
        }
        self.next_if('\'');
    }

    /// A slash, and what it begins.
    fn pass_comment(&mut self) {
        self.next();
        if self.next_if('/') {
            while self.peek().is_some_and(|c| c != '\n') {
                self.next();
            }
        } else if self.next_if('*') {
            while let Some(c) = self.next() {
                if c == '*' && self.next_if('/') {
                    return;
                }
            }
        }
    }

    /// Up to the closing parenthesis, with a comma after each but perhaps the last.
    fn arguments(&mut self) -> Result<Vec<Literal>, FormReadError> {
        let mut arguments = Vec::new();
        loop {
            self.pass_blanks();
            if !arguments.is_empty() && self.next_if(')') {
                return Ok(arguments);
            }
            arguments.push(self.literal()?);
            self.pass_blanks();
            if self.next_if(')') {
                return Ok(arguments);
            }
            if !self.next_if(',') {
                return Err(self.unexpected("a comma or )"));
            }
        }
    }

    /// Neither hosts nor pins need escapes, and what is computed cannot be read.
    fn literal(&mut self) -> Result<Literal, FormReadError> {
        let place = self.place();
        if !self.next_if('"') {
            return Err(self.unexpected("a literal string"));
        }
        let mut text = String::new();
        loop {
            match self.peek() {
                None | Some('\n') => return Err(self.unexpected("a closing quote")),
                Some('"') => {
                    self.next();
                    return Ok(Literal { text, place });
                }
                Some('\\') => {
                    text.extend(self.next());
                    text.extend(self.next());
                }
                Some(_) => text.extend(self.next()),
            }
        }
    }
}
