//! The picture of the design, held by reading the sources: a room imports from rows above its own, or
//! from its own row without a circle; within a room no files import each other in a circle; and only
//! the files that are listed here name rustls, read a clock, open a file or start a thread.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::corpora::files_below;

/// From the ground up. A room of `src/` that is missing here fails the test.
const ROWS: [(&str, &[&str]); 5] = [
    ("facts", &["time", "cert", "source"]),
    ("judgement", &["outlook", "policy", "renewal", "revocation"]),
    ("pins", &["announce", "pin"]),
    ("telling", &["alert", "event", "observer"]),
    (
        "edges",
        &["monitor", "reload", "self_check", "session", "verifier"],
    ),
];

/// The files that may name what only edges may; they import what they need, and nothing but edges
/// imports them. A folder stands for the files in it.
const EDGES: &[&str] = &[
    "announce/files.rs",
    "announce/folder.rs",
    "monitor/",
    "observer/queue.rs",
    "outlook/anchors_stored.rs",
    "pin/private.rs",
    "reload/",
    "self_check/",
    "session/",
    "source/loader.rs",
    "source/private_key.rs",
    "source/regular_file.rs",
    "time/clock.rs",
    "verifier/",
];

/// What only edges may name.
const EDGE_WORDS: [&str; 11] = [
    "rustls::",
    "rustls_native_certs",
    "SystemTime",
    "Instant::now",
    "UnixTime::now",
    "std::fs",
    "fs4::",
    "rustix::",
    "std::net::Tcp",
    "std::thread",
    "OffsetDateTime::now",
];

struct Source {
    module: String,
    file: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files_below(&root).into_iter().filter_map(|path| {
        let file = path.strip_prefix(&root).unwrap();
        let file = file.to_str().unwrap().replace('\\', "/");
        if file == "lib.rs" || file.ends_with("tests.rs") {
            return None;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        let without_comments = code.lines().map(|line| line.split("//").next().unwrap());
        Some(Source {
            module: file
                .split('/')
                .next()
                .unwrap()
                .trim_end_matches(".rs")
                .to_owned(),
            code: without_comments.collect::<Vec<_>>().join("\n"),
            file,
        })
    });
    files.collect()
}

fn row_of(module: &str) -> usize {
    let row = ROWS
        .iter()
        .position(|(_, modules)| modules.contains(&module));
    row.unwrap_or_else(|| panic!("src/{module} is in no row of the picture"))
}

fn is_edge(file: &str) -> bool {
    EDGES
        .iter()
        .any(|edge| file == *edge || edge.ends_with('/') && file.starts_with(edge))
}

/// The rooms of this crate that the code names.
fn imports(code: &str) -> BTreeSet<String> {
    let named = code.split("crate::").skip(1);
    let words = named.map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap()
    });
    // `crate::Name` would be an import through the export list, which hides its layer.
    words.map(str::to_owned).collect()
}

#[test]
fn modules_import_only_from_their_own_row_or_from_rows_above_it() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        for import in imports(&source.code) {
            if is_edge(&source.file) {
                continue;
            }
            let upward = row_of(&import) <= row_of(&source.module);
            assert!(upward, "{} imports {import}, of a later layer", source.file);
            if import != source.module {
                graph
                    .entry(source.module.clone())
                    .or_default()
                    .insert(import);
            }
        }
    }
    assert!(graph.len() >= 8, "the sources were not read: {graph:?}");
    for module in graph.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = graph[module].iter().collect();
        while let Some(import) = next.pop() {
            assert_ne!(
                import, module,
                "{module} imports itself in a circle: {graph:?}"
            );
            if reached.insert(import) {
                next.extend(graph.get(import).into_iter().flatten());
            }
        }
    }
}

#[test]
fn only_edges_name_rustls_read_clocks_open_files_or_start_threads() {
    for source in sources() {
        for word in EDGE_WORDS {
            let named = source.code.contains(word) && !is_edge(&source.file);
            assert!(!named, "{} names {word}, which only edges may", source.file);
        }
        let reads_clock = ["SystemTime", "UnixTime::now", "Instant::now"]
            .iter()
            .any(|w| source.code.contains(w));
        assert!(
            !reads_clock || source.file == "time/clock.rs",
            "{} reads the clock",
            source.file
        );
    }
}

#[test]
fn files_stay_readable_in_one_sitting() {
    for source in sources() {
        let lines = source.code.lines().count();
        assert!(
            lines <= 450,
            "{} has {lines} lines: look for a seam",
            source.file
        );
    }
}
