//! The picture of the design, held by reading the sources: a room imports from rows above its own, or
//! from its own row without a circle; within a room no files import each other in a circle; and only
//! the files that are listed here name rustls, read a clock, open a file or start a thread.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::corpora::files_below;

/// From the ground up. A room of `src/` that is missing here fails the test.
const ROWS: [(&str, &[&str]); 5] = [
    (
        "facts",
        &["strict_json", "text", "time", "cert", "identity", "source"],
    ),
    (
        "judgement",
        &["outlook", "policy", "renewal", "revocation", "transparency"],
    ),
    ("pins", &["announce", "pin"]),
    ("telling", &["alert", "event", "observer", "payload"]),
    (
        "edges",
        &[
            "config",
            "endpoint",
            "explain",
            "monitor",
            "provider",
            "reload",
            "self_check",
            "session",
            "testing",
            "verifier",
        ],
    ),
];

/// The files that may name what only edges may; they import what they need, and nothing but edges
/// imports them. A folder stands for the files in it.
const EDGES: &[&str] = &[
    "announce/files.rs",
    "announce/folder.rs",
    "config/client.rs",
    "config/reloading.rs",
    "config/server.rs",
    "endpoint/connection.rs",
    "endpoint/connector.rs",
    "endpoint/looker.rs",
    "endpoint/resolver.rs",
    "explain/alerts.rs",
    "explain/causes.rs",
    "explain/rustls_errors.rs",
    "monitor/builder.rs",
    "monitor/certified_key.rs",
    "monitor/attempts.rs",
    "monitor/cores.rs",
    "monitor/endpoint.rs",
    "monitor/fresh.rs",
    "monitor/monitor.rs",
    "monitor/run.rs",
    "monitor/work.rs",
    "observer/outbox.rs",
    "observer/queue.rs",
    "outlook/anchors_files.rs",
    "outlook/anchors_os.rs",
    "outlook/anchors_rustls.rs",
    "pin/private.rs",
    "provider.rs",
    "reload/builder.rs",
    "reload/files.rs",
    "reload/key.rs",
    "reload/key_material.rs",
    "reload/key_source.rs",
    "reload/live.rs",
    "reload/pair.rs",
    "reload/pairs.rs",
    "reload/place.rs",
    "reload/poller.rs",
    "reload/slot.rs",
    "reload/table.rs",
    "reload/trust/anchor_rules.rs",
    "reload/trust/anchors.rs",
    "reload/trust/anchors_builder.rs",
    "reload/trust/crl_files.rs",
    "reload/trust/crl_rules.rs",
    "reload/trust/crls.rs",
    "reload/trust/crls_builder.rs",
    "reload/trust/kind.rs",
    "reload/trust/places.rs",
    "reload/trust/reloader.rs",
    "self_check/builder.rs",
    "self_check/check.rs",
    "self_check/key.rs",
    "self_check/looks.rs",
    "self_check/settings.rs",
    "session/client.rs",
    "session/configs.rs",
    "session/pinned_client.rs",
    "session/guard.rs",
    "session/install.rs",
    "session/server.rs",
    "source/listing.rs",
    "source/loader.rs",
    "source/private_key.rs",
    "source/regular_file.rs",
    "testing/clock.rs",
    "testing/mint.rs",
    "testing/server.rs",
    "time/clock.rs",
    "verifier/builder.rs",
    "verifier/cache/",
    "verifier/client.rs",
    "verifier/error.rs",
    "verifier/events.rs",
    "verifier/forward.rs",
    "verifier/handshake.rs",
    "verifier/pin_only.rs",
    "verifier/proof.rs",
    "verifier/refusal.rs",
    "verifier/reloading/",
    "verifier/server.rs",
    "verifier/spiffe/",
];

/// What only edges may name.
const EDGE_WORDS: [&str; 12] = [
    "rustls::",
    "rustls_native_certs",
    "SystemTime::now",
    "Instant::now",
    "UnixTime::now",
    "UtcDateTime::now",
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
        assert!(
            !source.code.contains("SystemTime") || source.file == "time/timestamp.rs",
            "{} names SystemTime, which Timestamp converts from and to",
            source.file
        );
        let reads_clock = [
            "SystemTime::now",
            "UtcDateTime::now",
            "OffsetDateTime::now",
            "UnixTime::now",
            "Instant::now",
            "DefaultTimeProvider",
        ]
        .iter()
        .any(|w| source.code.contains(w));
        assert!(
            !reads_clock || source.file == "time/clock.rs",
            "{} reads the clock",
            source.file
        );
    }
}

/// The paths that a `use` tree names, one for each of its leaves.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut parts) = (0_i32, vec![String::new()]);
    for letter in inner.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(|part| leaves(part))
        .map(|leaf| format!("{}{leaf}", before.trim()))
        .collect()
}

/// The trees of all `use` lines of a file, and the paths that its code names in full.
fn named_paths(code: &str) -> Vec<String> {
    let mut statements = code.split(';');
    let uses = statements.by_ref().filter_map(|statement| {
        let at = statement.rfind("use ")?;
        Some(statement[at + 4..].to_owned())
    });
    let mut paths: Vec<String> = uses.flat_map(|tree| leaves(&tree)).collect();
    for start in ["super::", "crate::"] {
        for (at, _) in code.match_indices(start) {
            let word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            let rest = &code[at..];
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            paths.push(rest[..end].trim_end_matches(':').to_owned());
        }
    }
    paths
}

/// For each folder, in which of its files a name that its `mod.rs` hands on is defined.
fn handed_on(sources: &[Source]) -> BTreeMap<String, BTreeMap<String, String>> {
    let files: BTreeSet<&str> = sources.iter().map(|source| source.file.as_str()).collect();
    let mut folders = BTreeMap::new();
    for source in sources {
        let Some(folder) = source.file.strip_suffix("/mod.rs") else {
            continue;
        };
        let mut names = BTreeMap::new();
        for path in named_paths(&source.code) {
            let mut words = path.split("::");
            let (Some(child), Some(name)) = (words.next(), words.next()) else {
                continue;
            };
            for file in [
                format!("{folder}/{child}.rs"),
                format!("{folder}/{child}/mod.rs"),
            ] {
                if files.contains(file.as_str()) {
                    let name = name.rsplit(" as ").next().unwrap();
                    names.insert(name.to_owned(), file);
                }
            }
        }
        folders.insert(folder.to_owned(), names);
    }
    folders
}

/// The file of the same room that this path leads to, from a file in `folder`.
fn file_of(
    path: &str,
    folder: &str,
    files: &BTreeSet<&str>,
    handed_on: &BTreeMap<String, BTreeMap<String, String>>,
) -> Option<String> {
    let mut words: Vec<&str> = path.split("::").collect();
    let mut folder = folder.to_owned();
    match *words.first()? {
        "crate" => {
            folder = (*words.get(1)?).to_owned();
            words.drain(..2);
        }
        "super" => {
            words.remove(0);
        }
        _ => return None,
    }
    while words.first() == Some(&"super") {
        words.remove(0);
        folder = folder.rsplit_once('/')?.0.to_owned();
    }
    let first = words.first()?.split(' ').next()?;
    for file in [
        format!("{folder}/{first}.rs"),
        format!("{folder}/{first}/mod.rs"),
    ] {
        if files.contains(file.as_str()) {
            return Some(file);
        }
    }
    handed_on.get(&folder)?.get(first).cloned()
}

#[test]
fn within_a_room_no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let files: BTreeSet<&str> = sources.iter().map(|source| source.file.as_str()).collect();
    let handed_on = handed_on(&sources);
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        // What a `mod.rs` defines for its files is the room's, and it names all of them.
        let Some((folder, name)) = source.file.rsplit_once('/') else {
            continue;
        };
        if name == "mod.rs" {
            continue;
        }
        for path in named_paths(&source.code) {
            // `Type::builder()` gives the builder that builds the type: they know each other.
            if path.ends_with("Builder") {
                continue;
            }
            let Some(file) = file_of(&path, folder, &files, &handed_on) else {
                continue;
            };
            let same_room = file.split('/').next() == source.file.split('/').next();
            if file != source.file && same_room && !file.ends_with("mod.rs") {
                graph.entry(source.file.clone()).or_default().insert(file);
            }
        }
    }
    assert!(graph.len() >= 60, "the sources were not read: {graph:?}");
    let mut circles = Vec::new();
    for file in graph.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = graph[file].iter().collect();
        while let Some(import) = next.pop() {
            if reached.insert(import) {
                next.extend(graph.get(import).into_iter().flatten());
            }
        }
        if reached.contains(file) {
            let with: Vec<_> = graph[file].iter().filter(|f| reached.contains(f)).collect();
            circles.push(format!("{file} -> {with:?}"));
        }
    }
    assert!(
        circles.is_empty(),
        "circles of files:\n{}",
        circles.join("\n")
    );
}

/// Words that stand before the name of a type.
const TYPES: [&str; 4] = ["struct ", "enum ", "trait ", "union "];

#[test]
fn no_two_types_have_one_name() {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources() {
        // Mocks of a file's own tests are nobody else's.
        let code = source.code.split("#[cfg(test)]\nmod ").next().unwrap();
        for line in code.lines() {
            let line = line.trim_start();
            let line = match line.strip_prefix("pub") {
                Some(rest) if rest.starts_with('(') => rest.split_once(") ").map_or("", |(_, r)| r),
                Some(rest) => rest.trim_start(),
                None => line,
            };
            let Some(rest) = TYPES.iter().find_map(|word| line.strip_prefix(word)) else {
                continue;
            };
            let end = rest
                .find(|c: char| !c.is_alphanumeric())
                .unwrap_or(rest.len());
            let files = names.entry(rest[..end].to_owned()).or_default();
            files.push(source.file.clone());
        }
    }
    assert!(names.len() >= 200, "the sources were not read: {names:?}");
    // Two of one name in one file stand under different features.
    names.retain(|_, files| files.windows(2).any(|two| two[0] != two[1]));
    assert!(names.is_empty(), "several types of one name: {names:#?}");
}

#[test]
fn nothing_but_edges_imports_edges() {
    let sources = sources();
    let files: BTreeSet<&str> = sources.iter().map(|source| source.file.as_str()).collect();
    let handed_on = handed_on(&sources);
    let mut wrong = Vec::new();
    for source in &sources {
        let Some((folder, name)) = source.file.rsplit_once('/') else {
            continue;
        };
        if name == "mod.rs" || is_edge(&source.file) {
            continue;
        }
        for path in named_paths(&source.code) {
            let Some(file) = file_of(&path, folder, &files, &handed_on) else {
                continue;
            };
            if is_edge(&file) {
                wrong.push(format!("{} imports {path} of {file}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "only edges may:\n{}", wrong.join("\n"));
}

#[test]
fn only_one_place_chooses_a_provider() {
    for source in sources() {
        let chooses = source.code.contains("get_default") && source.file != "provider.rs";
        assert!(!chooses, "{} chooses a provider", source.file);
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
