use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use notafter::outlook::Usage;
use notafter_recipes::postgres_client::{PinnedTls, connect};

use crate::scenario::{Pool, Seen, try_client};
use crate::servers::{Running, bounded, is_root, tool};
use crate::world::World;

/// Clients must show a certificate, and are believed who they say that they are.
const ACCESS: &str = "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca\n";

#[tokio::test]
async fn tokio_postgres_follows_pins_and_identity() {
    let world = World::of(Usage::ClientAuth);
    let Some(server) = Postgres::start(&world) else {
        return;
    };
    let mut database = tokio_postgres::Config::new();
    database
        .host("localhost")
        .hostaddr(Ipv4Addr::LOCALHOST.into());
    database
        .port(server.port)
        .user("recipes")
        .dbname("postgres");
    let tls = PinnedTls(Arc::new(world.client_configs()));
    try_client(&world, Pool::None, async || {
        let client = connect(database.clone(), tls.clone()).await?;
        let query = "select pid, client_dn from pg_stat_ssl where pid = pg_backend_pid()";
        let row = client.query_one(query, &[]).await?;
        let (process, name): (i32, String) = (row.get(0), row.get(1));
        Ok(Seen {
            connection: process.try_into()?,
            client: name.trim_start_matches("/CN=").to_owned(),
        })
    })
    .await;
}

/// PostgreSQL in a folder of its own.
struct Postgres {
    // Ended before its folder goes.
    _running: Running,
    _folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    fn start(world: &World) -> Option<Self> {
        let (initdb, postgres) = (tool("initdb")?, tool("postgres")?);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
            own(&file);
        };
        own(folder.path());
        write("server.crt", &world.peer.chain_pem());
        write("server.key", &world.peer.key_pem());
        write("root.crt", world.ca.root_pem());
        write("access", ACCESS);
        let mut initdb = bounded(&initdb);
        initdb.args([
            "-A",
            "trust",
            "-U",
            "recipes",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        let made = as_its_user(initdb.arg("-D").arg(folder.path().join("data")))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        // Another process may take the port first: then it ends, and again.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut command = bounded(&postgres);
            command.arg("-D").arg(folder.path().join("data"));
            let files = ["ssl_cert_file=server.crt", "ssl_key_file=server.key"];
            for setting in files
                .into_iter()
                .chain(["ssl_ca_file=root.crt", "hba_file=access"])
            {
                let (name, file) = setting.split_once('=').unwrap();
                let file = folder.path().join(file);
                command.arg("-c").arg(format!("{name}={}", file.display()));
            }
            let port_setting = format!("port={port}");
            let settings = [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "ssl=on",
            ];
            for setting in settings.into_iter().chain([&*port_setting, "fsync=off"]) {
                command.args(["-c", setting]);
            }
            match Running::start(as_its_user(&mut command), "ready to accept connections") {
                Ok((_running, _)) => {
                    return Some(Self {
                        _running,
                        _folder: folder,
                        port,
                    });
                }
                Err(said) => println!("{said:#?}"),
            }
        }
        panic!("PostgreSQL does not start");
    }
}

/// PostgreSQL does not run as root: then as the user of Debian's package, or as nobody.
fn user() -> Option<(u32, u32)> {
    let id = |which| {
        let said = Command::new("id").args([which, "postgres"]).output().ok()?;
        String::from_utf8(said.stdout).ok()?.trim().parse().ok()
    };
    is_root().then(|| (id("-u").unwrap_or(65534), id("-g").unwrap_or(65534)))
}

fn own(path: &Path) {
    if let Some((user, group)) = user() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

fn as_its_user(command: &mut Command) -> &mut Command {
    if let Some((user, group)) = user() {
        command.uid(user).gid(group);
    }
    command.env("LC_ALL", "C").current_dir("/")
}
