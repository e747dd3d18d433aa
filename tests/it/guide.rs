//! The README and the pages of the guide: their links lead somewhere, and nothing that can be told
//! is missing from the page for whoever is on call.

use std::collections::BTreeMap;
use std::path::Path;

use notafter::EventCode;

const SITE: &str = "https://docs.rs/notafter/latest/notafter/";
const ON_CALL: &str = include_str!("../../docs/ON-CALL.md");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The file of each page, by its module in the guide.
pub fn pages() -> BTreeMap<String, String> {
    let guide = read("src/guide.rs");
    let mut pages = BTreeMap::new();
    let mut page = None;
    for rest in guide.split("include_str!(\"../").skip(1) {
        let (file, rest) = rest.split_once('"').unwrap();
        // A page may have a picture behind it.
        page = Some(file).filter(|file| file.ends_with(".md")).or(page);
        if let Some((_, rest)) = rest.split_once("pub mod ") {
            let (module, _) = rest.split_once(' ').unwrap();
            pages.insert(module.to_owned(), page.unwrap().to_owned());
        }
    }
    pages
}

/// The anchors of a page's headings, as rustdoc and GitHub make them.
pub fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().chars();
        let kept = kept.filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_file_of_docs_is_a_page_of_the_guide() {
    let pages = pages();
    let mut files: Vec<_> = pages.values().map(String::as_str).collect();
    files.sort_unstable();
    let in_docs = crate::support::corpora::files_below(&root().join("docs"));
    let names = in_docs
        .iter()
        .map(|file| file.strip_prefix(root()).unwrap().to_str().unwrap());
    let mut expected: Vec<_> = names.filter(|name| name.ends_with(".md")).collect();
    expected.sort_unstable();
    assert_eq!(files, expected);
}

#[test]
fn links_in_the_readme_and_in_the_guide_lead_somewhere() {
    let pages = pages();
    let rooms = read("src/lib.rs");
    let mut links = 0;
    for file in pages
        .values()
        .map(String::as_str)
        .chain(["README.md", "DESIGN.md"])
    {
        let text = read(file);
        for rest in text.split(SITE).skip(1) {
            links += 1;
            let link = rest
                .split(|c: char| c.is_whitespace() || c == ')')
                .next()
                .unwrap();
            let (page, anchor) = link.split_once('#').map_or((link, None), |(page, anchor)| {
                (page, Some(anchor.to_owned()))
            });
            let page = page.strip_suffix("/index.html").unwrap();
            match page.strip_prefix("guide/") {
                Some(page) => {
                    let there = anchors(&read(&pages[page]));
                    let found = anchor.is_none_or(|anchor| there.contains(&anchor));
                    assert!(found, "{file}: {link}");
                }
                None => assert!(
                    rooms.contains(&format!("pub mod {page};")),
                    "{file}: {link}"
                ),
            }
        }
        // A page is read in two places, which have no folder in common.
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            let own = target.strip_prefix('#').map(str::to_owned);
            let found = own.is_some_and(|own| anchors(&text).contains(&own));
            assert!(
                found || target.starts_with("https://"),
                "{file}: a link to {target}"
            );
        }
        // `[text][name]` and `[name]` need their line at the end.
        for rest in text.split("][").skip(1) {
            let Some((name, _)) = rest.split_once(']') else {
                continue;
            };
            let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let defined = text.contains(&format!("\n[{name}]: "));
            assert!(defined || !is_name || name.is_empty(), "{file}: [{name}]");
        }
    }
    assert!(links > 30, "the documents were not read: {links} links");
}

#[test]
fn files_that_the_documents_name_are_there() {
    if !root().join("fuzz").is_dir() {
        println!("skipped: this is the published package, which leaves some of the repository out");
        return;
    }
    let pages = pages();
    let pages = pages.values().map(String::as_str);
    let mut named = 0;
    let others = ["README.md", "CONTRIBUTING.md", "DESIGN.md", "SECURITY.md"];
    for file in pages.chain(others) {
        let text = read(file);
        for path in text.split('`').skip(1).step_by(2) {
            let folders = ["src/", "tests/", "docs/", "examples/", "fuzz/", "benches/"];
            let is_path = folders.iter().any(|folder| path.starts_with(folder))
                && !path.contains([' ', '*', '\n'])
                && !path.starts_with("fuzz/corpus")
                && !path.starts_with("fuzz/artifacts");
            if is_path {
                named += 1;
                assert!(root().join(path).exists(), "{file}: there is no {path}");
            }
        }
    }
    assert!(named > 40, "the documents were not read: {named} paths");
}

#[test]
fn the_readme_fits_a_screen_in_width() {
    for (number, line) in read("README.md").lines().enumerate() {
        let columns = line.chars().count();
        assert!(columns <= 100, "line {} has {columns} columns", number + 1);
    }
}

#[test]
fn on_call_names_every_event() {
    for code in EventCode::ALL {
        let row = format!("| `{code}` |");
        assert!(ON_CALL.contains(&row), "{code} is not explained");
    }
}

/// The codes of findings, as the source has them.
pub fn finding_codes() -> Vec<String> {
    let source = read("src/self_check/finding.rs");
    let literals = source.split('"').skip(1).step_by(2);
    let codes: Vec<_> = literals
        .filter(|text| text.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .map(str::to_owned)
        .collect();
    assert!(codes.len() >= 35, "the source was not read: {codes:?}");
    codes
}

#[test]
fn on_call_names_every_finding() {
    let (_, findings) = ON_CALL.split_once("## Findings").unwrap();
    for code in finding_codes() {
        let row = format!("| `{code}` |");
        assert!(findings.contains(&row), "{code} is not explained");
    }
}

/// All code of a room.
fn room(name: &str) -> String {
    let folder = root().join("src").join(name);
    if folder.is_dir() {
        let files = crate::support::corpora::files_below(&folder);
        files.into_iter().map(read).collect()
    } else {
        read(format!("src/{name}.rs"))
    }
}

#[test]
fn every_word_of_the_vocabulary_is_carried_by_something() {
    let text = read("CONTRIBUTING.md");
    let (_, table) = text.split_once("## Vocabulary").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut carried = 0;
    for cell in rows.skip(2).filter_map(|row| row.rsplit('|').nth(1)) {
        for path in cell.split('`').skip(1).step_by(2) {
            carried += 1;
            let words: Vec<_> = path.split("::").collect();
            let code = room(words[0]);
            let kinds = ["struct", "enum", "trait"];
            let found = kinds.iter().any(|kind| {
                let named = format!("pub {kind} {}", words[1]);
                let mut after = code.split(&named).skip(1);
                after.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
            });
            assert!(found, "there is no {path}");
            if let Some(member) = words.get(2) {
                assert!(
                    code.contains(&format!("pub {member}: ")),
                    "there is no {path}"
                );
            }
        }
    }
    assert!(carried >= 30, "the table was not read: {carried} names");
}

#[test]
fn on_call_names_every_code_of_an_explanation() {
    let (_, table) = ON_CALL.split_once("who is at fault?").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let first_cells = table.lines().filter_map(|line| line.strip_prefix("| "));
    let named: Vec<_> = first_cells
        .filter_map(|line| line.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let alerts = (u8::MIN..=u8::MAX).map(rustls::AlertDescription::from);
    let alerts = alerts.filter_map(|alert| notafter::explain(&rustls::Error::AlertReceived(alert)));
    let alerts = alerts.map(|explanation| explanation.code().to_owned());
    let source = read("src/explain/rustls_errors.rs") + &read("src/explain/chain.rs");
    let source = source + &read("src/verifier/refusal_reason.rs");
    let literals = source.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        let is_word = text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        is_word && !text.is_empty()
    };
    let reasons: Vec<_> = notafter::verifier::RefusalReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .filter(|reason| !reason.starts_with("pin_"))
        .collect();
    let others = literals
        .filter(is_code)
        .filter(|text| !reasons.contains(text));
    let mut codes: Vec<_> = alerts.chain(others.map(str::to_owned)).collect();
    codes.sort();
    codes.dedup();
    assert!(codes.len() >= 65, "the sources were not read: {codes:?}");
    let missing: Vec<_> = codes
        .iter()
        .filter(|code| !named.contains(&code.as_str()))
        .collect();
    assert!(missing.is_empty(), "not explained: {missing:?}");
    let unknown: Vec<_> = named
        .iter()
        .filter(|code| !codes.iter().any(|known| known == *code))
        .collect();
    assert!(unknown.is_empty(), "no code: {unknown:?}");
}
