use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use notafter::EventCode;
use notafter::explain::{explain, find_pin_error};
use notafter::outlook::Usage;
use notafter_recipes::nats_client::{connect, follow};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::servers::{PATIENCE, Running, bounded, tool};
use crate::world::{FIRST, SECOND, World};

#[tokio::test]
async fn async_nats_follows_pins_and_identity_within_one_client() {
    let world = World::of(Usage::ClientAuth);
    let Some(server) = Nats::start(&world) else {
        return;
    };
    let url = format!("tls://localhost:{}", server.port);
    let configs = world.client_configs();
    let client = connect(&configs, &url).await.unwrap();
    let answers = async || {
        let answer = tokio::time::timeout(PATIENCE, client.flush()).await;
        answer.unwrap().unwrap();
    };
    answers().await;
    assert!(world.told.take_codes().contains(&EventCode::PeerExpiring));
    server.sees(FIRST).await;
    follow(&configs, &client).await.unwrap();
    let connection = client.server_info().client_id;

    world.rotate();
    follow(&configs, &client).await.unwrap();
    server.sees(SECOND).await;
    answers().await;
    assert_ne!(client.server_info().client_id, connection);

    world.pin_another_key();
    let error = connect(&configs, &url).await.unwrap_err();
    assert_eq!(
        explain(&*error).map(|why| why.code()),
        Some("pin_mismatch"),
        "{error:?}"
    );
    assert!(find_pin_error(&*error).is_some(), "{error:?}");

    world.pin_the_peer();
    follow(&configs, &client).await.unwrap();
    answers().await;
}

struct Nats {
    _running: Running,
    _folder: tempfile::TempDir,
    port: u16,
    pages: u16,
}

impl Nats {
    fn start(world: &World) -> Option<Self> {
        let program = tool("nats-server")?;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file.display().to_string()
        };
        let tls = [
            ("cert_file", write("server.crt", &world.peer.chain_pem())),
            ("key_file", write("server.key", &world.peer.key_pem())),
            ("ca_file", write("root.crt", world.ca.root_pem())),
        ];
        let tls = tls
            .map(|(name, file)| format!("{name}: \"{file}\""))
            .join(", ");
        let settings = format!(
            "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\ntls {{ {tls}, verify: true }}\n"
        );
        let file = write("nats.conf", &settings);
        let mut command = bounded(&program);
        let (_running, said) =
            Running::start(command.args(["-c", &file]), "Server is ready").unwrap();
        let port_in = |what: &str| {
            let line = said.iter().find(|line| line.contains(what)).unwrap();
            line.rsplit(':').next().unwrap().trim().parse().unwrap()
        };
        Some(Self {
            _folder: folder,
            port: port_in("Listening for client connections on"),
            pages: port_in("Starting http monitor on"),
            _running,
        })
    }

    /// Waits until the only open connection is one of a client with this certificate.
    async fn sees(&self, client: &str) {
        let start = Instant::now();
        loop {
            let page = self.connections().await;
            let subjects = page.matches("\"subject\": \"").count();
            if subjects == 1 && page.contains(&format!("\"subject\": \"CN={client}\"")) {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "no connection of {client}: {page}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn connections(&self) -> String {
        let mut tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, self.pages))
            .await
            .unwrap();
        tcp.write_all(b"GET /connz?auth=1 HTTP/1.0\r\n\r\n")
            .await
            .unwrap();
        let mut page = String::new();
        tcp.read_to_string(&mut page).await.unwrap();
        page
    }
}
