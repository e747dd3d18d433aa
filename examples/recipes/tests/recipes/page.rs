//! The page of the guide says what is here.

use std::path::Path;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn a_recipe_has_sixty_lines_at_most_and_is_on_the_page() {
    let page = read("../../docs/STACKS.md");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(sources).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let lines = read(&format!("src/{name}")).lines().count();
        assert!(lines <= 60, "{name} has {lines} lines");
        let named = page.contains(&format!("`examples/recipes/src/{name}`"));
        assert!(named || name == "lib.rs", "{name} is not on the page");
    }
}

#[test]
fn the_page_names_the_versions_that_are_tried() {
    let (page, lock) = (read("../../docs/STACKS.md"), read("Cargo.lock"));
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows {
        // `name` 1.2.3, `name` 1.2.3
        let stacks = row.split('|').nth(1).unwrap();
        for stack in stacks.split(", ").filter(|stack| stack.contains('`')) {
            let (name, version) = stack.trim().split_once(' ').unwrap();
            let name = name.trim_matches('`');
            let locked = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(
                lock.contains(&locked),
                "{name} {version} is not what is tried"
            );
            named += 1;
        }
    }
    assert!(named > 15, "the page was not read: {named}");
}
