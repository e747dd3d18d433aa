use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::SystemTime;

use lettre::{Message, Transport as _};
use notafter::EventCode;
use notafter::explain::explain;
use notafter::outlook::Usage;
use notafter_recipes::smtp_monitor::{monitor, transport};

use crate::servers::{Running, bounded};
use crate::world::World;

#[test]
fn what_lettre_speaks_to_is_watched_beside_it() {
    let world = World::of(Usage::ClientAuth);
    let Some((port, _running, _folder)) = start(&world) else {
        return;
    };
    let letter = Message::builder()
        .from("a@example.com".parse().unwrap())
        .to("b@example.com".parse().unwrap())
        .body("Until when?".to_owned())
        .unwrap();
    let trusting = transport("localhost", port, [world.ca.root_der().to_vec()]).unwrap();
    trusting.send(&letter).unwrap();

    // lettre's own refusals are explained, too.
    let error = transport("localhost", port, [])
        .unwrap()
        .send(&letter)
        .unwrap_err();
    assert_eq!(
        explain(&error).map(|why| why.code()),
        Some("peer_unknown_issuer"),
        "{error:?}"
    );

    let (anchors, told) = (world.ca.anchors(), world.told.clone());
    let monitor = monitor(anchors, told, "localhost", port).unwrap();
    monitor.tick(SystemTime::now().into());
    let told = world.told.take();
    assert!(
        matches!(&*told, [event] if event.code == EventCode::Expiring),
        "{told:#?}"
    );
}

/// aiosmtpd, which demands STARTTLS and throws away what it gets.
fn start(world: &World) -> Option<(u16, Running, tempfile::TempDir)> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/bin/python");
    let has = std::process::Command::new(&python)
        .args(["-c", "import aiosmtpd"])
        .output();
    if !has.is_ok_and(|said| said.status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "aiosmtpd is missing: run .ci/setup"
        );
        println!("skipped: aiosmtpd is not installed");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let chain = write("server.crt", world.peer.chain_pem());
    let key = write("server.key", world.peer.key_pem());
    // Another process may take the port first: then it ends, and again.
    for _ in 0..5 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut command = bounded(&python);
        command.args(["-W", "ignore", "-m", "aiosmtpd", "-n", "-d", "-d"]);
        command.args([
            "-c",
            "aiosmtpd.handlers.Sink",
            "-l",
            &format!("127.0.0.1:{port}"),
        ]);
        command
            .arg("--tlscert")
            .arg(&chain)
            .arg("--tlskey")
            .arg(&key);
        match Running::start(&mut command, "Starting asyncio loop") {
            Ok((running, _)) => return Some((port, running, folder)),
            Err(said) => println!("{said:#?}"),
        }
    }
    panic!("aiosmtpd does not start");
}
