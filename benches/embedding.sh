#!/usr/bin/env bash
# What it costs to embed the crate: a TLS client of rustls and ring, built without it, with it but
# without default features, with it as it comes, and with all of it. Prints one line for each, tab-separated:
# crates, CPU seconds of a clean release build, bytes of the stripped binary, and how much of each
# comes on top of the client alone.
set -euo pipefail
crate=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CARGO_TARGET_DIR RUSTFLAGS

# client NAME DEPENDENCY USE VERIFIER REPORT
client() {
    mkdir -p "$work/$1/src"
    cp "$crate/Cargo.lock" "$work/$1/"
    cat >"$work/$1/Cargo.toml" <<TOML
[package]
name = "client"
version = "0.0.0"
edition = "2024"
[workspace]
[profile.release]
strip = true
[dependencies]
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
$2
TOML
    cat >"$work/$1/src/main.rs" <<RUST
use std::io::{Read, Write};
use std::sync::Arc;
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream, client::WebPkiServerVerifier};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let ca = std::fs::read("ca.der")?;
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone().into())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone()).build()?;
    $3
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    $4
    let mut tls = ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
    let mut tcp = std::net::TcpStream::connect("localhost:4433")?;
    let mut stream = Stream::new(&mut tls, &mut tcp);
    stream.write_all(b"hello world\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    Ok(())
}
RUST
}

watching='let anchors = notafter::TrustAnchors::builder().with_certificates([&rustls::pki_types::CertificateDer::from(ca)]).build();
    let verifier = notafter::WatchingServerVerifier::builder(verifier)
        .with_trust_anchors(anchors.clone())
        .with_provider(provider.clone())
        .with_leaf_pin("sha256/C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=".parse()?)
        .with_observer(Arc::new(|event: &notafter::Event| eprintln!("{event}")))
        .build()?;'
checking='let report = notafter::SelfCheck::builder()
        .with_path("tls.crt")
        .with_trust_anchors(notafter::TrustAnchors::from_os())
        .with_provider(provider)
        .build()?
        .run()
        .into_result()?;
    println!("{}", report.to_text());'

client alone "" "" ""
client no_default_features "notafter = { path = \"$crate\", default-features = false }" "$watching" ""
client defaults "notafter = { path = \"$crate\" }" "$watching" "$checking"
client full "notafter = { path = \"$crate\", features = [\"full\"] }" "$watching" "$checking"

export TIMEFORMAT='%U %S'
printf 'build\tcrates\tcpu_s\tbytes\tcrates_added\tcpu_s_added\tbytes_added\n'
for name in alone no_default_features defaults full; do
    cd "$work/$name"
    cargo fetch -q
    cpu=$({ time cargo build -q --release 2>"$work/$name.log"; } 2>&1) || { cat "$work/$name.log" >&2; exit 1; }
    cpu=$(awk '{ printf "%.1f", $1 + $2 }' <<<"$cpu")
    crates=$(cargo tree -e normal,build --prefix none | sed 's/ (.*//' | sort -u | wc -l)
    bytes=$(stat -c %s target/release/client)
    if [ "$name" = alone ]; then base_crates=$crates base_cpu=$cpu base_bytes=$bytes; fi
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$crates" "$cpu" "$bytes" $((crates - base_crates)) \
        "$(awk "BEGIN { printf \"%.1f\", $cpu - $base_cpu }")" $((bytes - base_bytes))
    rm -rf target
done
