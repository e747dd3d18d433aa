//! Reports to be drawn.

use notafter::self_check::SelfCheckBuilder;
use notafter::source::{FailureReason, SourceContents};
use notafter::{Report, SelfCheck, TrustAnchors};
use rcgen::DnType;

use crate::support::corpora;
use crate::support::pki::{self, NOW};
use crate::support::tls::ring;

pub fn check(anchors: TrustAnchors) -> SelfCheckBuilder {
    SelfCheck::builder()
        .with_trust_anchors(anchors)
        .with_provider(ring())
}

pub fn run(builder: SelfCheckBuilder) -> Report {
    builder.at(NOW).build().unwrap().run()
}

pub fn refused(source: &str) -> SourceContents {
    SourceContents::unreadable(source, FailureReason::Connection, "connection refused")
}

/// The chain of the documents, from real bytes.
pub fn addtrust() -> Report {
    let folder = corpora::data("incidents/addtrust-2020-comodo-rsa/certs");
    let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let served = [
        file("leaf.pem"),
        file("comodo-rsa-ov.pem"),
        file("comodo-rsa-ca-by-addtrust.pem"),
    ];
    let root = SourceContents::from_bytes("root.pem", &file("addtrust-root.pem"));
    let anchors = TrustAnchors::builder().with_source(&root).build();
    check(anchors)
        .with_contents(SourceContents::from_bytes("served.pem", &served.concat()))
        .with_expected_name("no-common-name.badssl.com")
        .at("2020-05-01T00:00:00Z".parse().unwrap())
        .build()
        .unwrap()
        .run()
}

/// One chain, fine for 60 days, whose places are easily reckoned.
pub fn small() -> Report {
    let root = pki::root("Root", -1000, 3000);
    let intermediate = root.intermediate("Issuing CA", -300, 1500);
    let leaf = intermediate.leaf(&["a.example"], -30, 60);
    let chain = [leaf.der.clone(), intermediate.der.clone()];
    run(check(pki::anchors([&root])).with_chain("a.pem", chain))
}

/// Chains in every band; with a gap, with a cliff, with an anchor that ends first; a collection; and
/// an endpoint that could not be read.
pub fn fleet() -> Report {
    let root = pki::root("Root", -3650, 3650);
    let old = pki::root("Old Root", -7000, 25);
    let upper = root.intermediate("Issuing CA", -300, 1500);
    let short = root.intermediate("Short CA", -356, 9);
    let mut builder = check(pki::anchors([&root, &old]));
    let leaves = [
        ("ok.example", -10, 80),
        ("due.example", -62, 28),
        ("warning.example", -70, 20),
        ("critical.example", -82, 8),
        ("expired.example", -95, -5),
        ("later.example", 3, 93),
    ];
    for (name, from, to) in leaves {
        let leaf = upper.leaf(&[name], from, to);
        builder = builder.with_chain(format!("{name}:443"), [leaf.der, upper.der.clone()]);
    }
    let leaf = short.leaf(&["service.example"], -70, 20);
    builder = builder.with_chain(
        "/etc/service/tls/service.pem",
        [leaf.der, short.der.clone()],
    );
    let leaf = old.leaf(&["old.example"], -20, 70);
    builder = builder.with_chain("old.pem", [leaf.der]);
    for (name, end, begin) in [("gap", 12, 20), ("cliff", 15, -20)] {
        let first = root.intermediate(&format!("First {name} CA"), -300, end);
        let second = root.cross_sign(&first, begin, 800);
        let leaf = first.leaf(&[&format!("{name}.example")], -20, 70);
        let chain = [leaf.der, first.der.clone(), second];
        builder = builder.with_chain(format!("{name}.pem"), chain);
    }
    let stranger = pki::root("Nobody", -10, 300).leaf(&["stranger.example"], -5, 40);
    let collection = pki::pem_bundle([&root.der, &old.der, &upper.der]);
    let collection = SourceContents::from_bytes("bundle.pem", collection.as_bytes());
    run(builder
        .with_chain("stranger.pem", [stranger.der])
        .with_contents(collection)
        .with_contents(refused("10.0.0.7:443")))
}

/// What an attacker would have drawn.
pub const HOSTILE: [&str; 6] = [
    "</text><script>alert(1)</script>",
    "\"/><image href='https://evil.example/'/>",
    "]]>&lt;&#0;<!--",
    "a\n\u{1b}[31m\u{0}\u{7f}",
    "moc.\u{202e}evil\u{2066}",
    "\u{fffe}\u{ffff} Z\u{fc}rich \u{6771}\u{4eac} \u{fdfd}",
];

pub fn hostile() -> Report {
    let root = pki::root("Root", -1000, 3000);
    let mut builder = check(pki::anchors([&root]));
    for name in HOSTILE {
        let leaf = root.leaf_with(&["a.example"], -85, 5, |params| {
            params.distinguished_name.push(DnType::CommonName, name);
        });
        builder = builder
            .with_chain(name, [leaf.der])
            .with_contents(refused(name))
            .with_expected_name(name);
    }
    run(builder)
}

pub fn empty() -> Report {
    let mut report = run(check(TrustAnchors::builder().build()));
    report.findings.clear();
    report
}

pub fn blind() -> Report {
    let mut report = fleet();
    report.chains.clear();
    report.findings.retain(|f| f.code.is_blindness());
    report
}

pub fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("addtrust", addtrust()),
        ("small", small()),
        ("fleet", fleet()),
        ("hostile", hostile()),
        ("empty", empty()),
        ("blind", blind()),
    ]
}
