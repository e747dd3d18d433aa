//! Prints what rustdoc's JSON says of a crate's public API, for `.ci/api`.
//!
//! `api FILE`: each item on a line. Derived implementations stand there without their methods; of the
//! traits that the compiler implements by itself, only where one does not hold.
//! `foreign FILE`: each path in it that neither the crate nor the standard library defines.

use std::collections::BTreeSet;
use std::process::ExitCode;

use public_api::tokens::Token;
use public_api::{Builder, PublicItem};

const OWN: [&str; 4] = ["alloc", "core", "notafter", "std"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let lines = match arguments.as_slice() {
        [what, file] if what == "api" => api(file),
        [what, file] if what == "foreign" => foreign(file),
        _ => {
            eprintln!("usage: notafter-public-api api|foreign FILE");
            return ExitCode::from(2);
        }
    };
    match lines {
        Ok(lines) => {
            for line in lines {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "rustdoc's JSON cannot be read: {error}. Its format changes with the compiler: take the version of \
                 public-api in .ci/public-api/Cargo.toml that reads it."
            );
            ExitCode::FAILURE
        }
    }
}

/// Everything but blanket implementations.
fn all(file: &str) -> Builder {
    Builder::from_rustdoc_json(file).omit_blanket_impls(true)
}

fn api(file: &str) -> public_api::Result<Vec<String>> {
    let written = all(file)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true);
    let written = written.build()?;
    let written: BTreeSet<String> = written.items().map(ToString::to_string).collect();
    let derived = all(file).omit_auto_trait_impls(true).build()?;
    let derived: BTreeSet<String> = derived.items().map(ToString::to_string).collect();
    let mut lines = Vec::new();
    for item in all(file).build()?.items() {
        let line = item.to_string();
        let is_kept = written.contains(&line)
            || line.starts_with("impl") && derived.contains(&line)
            || line.starts_with("impl !");
        if is_kept && !line.contains("StructuralPartialEq") && lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn foreign(file: &str) -> public_api::Result<Vec<String>> {
    let api = all(file).omit_auto_trait_impls(true).build()?;
    let mut found = BTreeSet::new();
    for item in api.items() {
        found.extend(paths(item).into_iter().filter(|path| {
            path.split_once("::")
                .is_some_and(|(first, _)| !OWN.contains(&first) && first != "Self")
        }));
    }
    Ok(found.into_iter().collect())
}

/// The paths of types and traits in an item: identifiers held together by `::`.
fn paths(item: &PublicItem) -> Vec<String> {
    let mut paths = Vec::new();
    let mut path = String::new();
    for token in item.tokens() {
        let is_part = match token {
            Token::Symbol(symbol) => symbol == "::" && !path.is_empty(),
            Token::Identifier(_) => true,
            // The end of a path.
            Token::Type(name) => {
                path.push_str(name);
                paths.push(std::mem::take(&mut path));
                continue;
            }
            _ => false,
        };
        match is_part {
            true => path.push_str(token.text()),
            false => path.clear(),
        }
    }
    paths
}
