//! docs/SECURITY-MODEL.md names no test that there is not, and no attack is tried that it does not name.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::corpora::files_below;

/// Every test below a folder of the repository, as `file::name`.
pub fn tests_below(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = files_below(&folder).into_iter();
    let sources = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let mut tests = BTreeSet::new();
    for path in sources {
        let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        let file = match stem(&path).as_str() {
            "mod" => stem(path.parent().unwrap()),
            other => other.to_owned(),
        };
        let code = std::fs::read_to_string(&path).unwrap();
        let after_marks = code.split("#[test]").skip(1);
        let names = after_marks.filter_map(|rest| {
            let (_, rest) = rest.split_once("fn ")?;
            rest.split_once('(').map(|(name, _)| name.to_owned())
        });
        tests.extend(names.map(|name| format!("{file}::{name}")));
    }
    tests
}

/// What the document names: words in backticks of the form `file::name`, all in lower case.
fn named() -> BTreeSet<String> {
    let text = include_str!("../../docs/SECURITY-MODEL.md");
    let words = text.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| {
        let of_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c);
        word.contains("::") && word.chars().all(of_a_name)
    };
    words
        .filter(|word| is_test(word) && !word.contains(":::"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_test_that_the_security_model_names_exists() {
    let mut tests = tests_below("tests");
    tests.extend(tests_below("src"));
    let named = named();
    assert!(named.len() > 80, "the document was not read: {named:?}");
    let missing: Vec<_> = named.difference(&tests).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_attack_that_is_tried_is_named_by_the_security_model() {
    let tried = tests_below("tests/it/attacks");
    assert!(tried.len() > 40, "the sources were not read: {tried:?}");
    let named = named();
    let unnamed: Vec<_> = tried.difference(&named).collect();
    assert!(unnamed.is_empty(), "{unnamed:#?}");
}
