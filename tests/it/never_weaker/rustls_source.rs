//! The tests here must know every method of rustls's verifier traits and every kind of
//! `CertificateError`: so they are counted in the source of the very version that is built with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::certificate_errors::certificate_errors;

pub const SERVER_METHODS: [&str; 6] = [
    "verify_server_cert",
    "verify_tls12_signature",
    "verify_tls13_signature",
    "supported_verify_schemes",
    "requires_raw_public_keys",
    "root_hint_subjects",
];

pub const CLIENT_METHODS: [&str; 8] = [
    "offer_client_auth",
    "client_auth_mandatory",
    "root_hint_subjects",
    "verify_client_cert",
    "verify_tls12_signature",
    "verify_tls13_signature",
    "supported_verify_schemes",
    "requires_raw_public_keys",
];

/// The folder of rustls's source: where cargo keeps what it unpacked, or among vendored crates.
fn folder() -> Option<PathBuf> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    let lock = std::fs::read_to_string(lock).ok()?;
    let version = lock.split("name = \"rustls\"\nversion = \"").nth(1)?;
    let version = version.split('"').next()?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let folders = registries.filter_map(|registry| {
        let folder = registry.ok()?.path().join(format!("rustls-{version}"));
        folder.exists().then_some(folder)
    });
    folders.into_iter().next()
}

/// The lines between this one and the brace that closes it.
fn block(file: &str, head: &str) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(folder()?.join(file)).ok()?;
    let lines = text.lines().skip_while(|line| !line.starts_with(head));
    let lines = lines.skip(1).take_while(|line| *line != "}");
    Some(lines.map(str::to_owned).collect())
}

fn methods(of: &str) -> Option<BTreeSet<String>> {
    let lines = block("src/verify.rs", &format!("pub trait {of}"))?;
    let names = lines.iter().filter_map(|line| {
        let rest = line.strip_prefix("    fn ")?;
        Some(rest.split('(').next()?.to_owned())
    });
    Some(names.collect())
}

fn variants(of: &str) -> Option<BTreeSet<String>> {
    let lines = block("src/error.rs", &format!("pub enum {of}"))?;
    let names = lines.iter().filter_map(|line| {
        let rest = line.strip_prefix("    ")?;
        let is_name = rest.starts_with(|c: char| c.is_ascii_uppercase());
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
        is_name.then(|| name.to_owned())
    });
    Some(names.collect())
}

fn compare(what: &str, theirs: Option<BTreeSet<String>>, ours: BTreeSet<String>) {
    match theirs {
        None => println!("skipped: rustls's source is not at hand to count {what}"),
        Some(theirs) => assert_eq!(theirs, ours, "{what}: test what rustls has added"),
    }
}

#[test]
fn no_method_of_the_verifier_traits_is_unknown() {
    let ours = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    compare(
        "methods",
        methods("ServerCertVerifier"),
        ours(&SERVER_METHODS),
    );
    compare(
        "methods",
        methods("ClientCertVerifier"),
        ours(&CLIENT_METHODS),
    );
}

#[test]
fn no_kind_of_certificate_error_is_unknown() {
    let name = |error: &rustls::CertificateError| {
        let text = format!("{error:?}");
        let end = text.find(|c: char| !c.is_ascii_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let ours = certificate_errors().iter().map(name).collect();
    compare("kinds", variants("CertificateError"), ours);
}
