//! Sentences for somebody at 3 a.m.: each says what it is, and what to type.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use notafter::endpoint::{Endpoint, EndpointAddress, EndpointConnector, EndpointError, StartTls};
use notafter::self_check::FindingCode;
use notafter::source::{Loader, SourceContents};
use notafter::{Report, SelfCheck, TrustAnchors};

use crate::support::corpora;
use crate::support::peers::Peer;
use crate::support::pki::{self, NOW};
use crate::support::tls::ring;

/// Runs OpenSSL in this folder; `false`, with a line, where there is none. In CI there must be.
fn openssl(folder: &Path, command: &str) -> bool {
    let run = Command::new("openssl")
        .current_dir(folder)
        .args(command.split(' '))
        .output();
    match run {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {command}: {said}");
            true
        }
        Err(error) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "openssl is missing: {error}"
            );
            println!("skipped in part: openssl is missing ({error})");
            false
        }
    }
}

/// A chain that is well, and what lies beside it.
struct Ground {
    folder: tempfile::TempDir,
    root: pki::Ca,
    pem: String,
    key: String,
}

impl Ground {
    fn new() -> Self {
        let root = pki::root("Root", -1000, 3000);
        let leaf = root.leaf(&["a.example"], -10, 80);
        let ground = Self {
            folder: tempfile::tempdir().unwrap(),
            root,
            pem: pki::pem_bundle([&leaf.der]),
            key: leaf.key_pair.serialize_pem(),
        };
        ground.write("tls.pem", ground.pem.as_bytes());
        ground.write("tls.key", ground.key.as_bytes());
        ground
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// What is said of a file where a certificate belongs, after the file's name.
    fn of_certificate(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        let report = self.check(|check| check.with_path(&path));
        let finding = &report.findings[0];
        assert_eq!(finding.code, FindingCode::Unreadable, "{name}: {finding}");
        let path = path.to_str().unwrap();
        let message = finding.message.strip_prefix(path);
        message.unwrap_or_else(|| panic!("{finding}")).to_owned()
    }

    /// What is said of a file where a private key belongs.
    fn of_key(&self, name: &str) -> (FindingCode, String) {
        let path = self.folder.path().join(name);
        let chain = self.folder.path().join("tls.pem");
        let report = self.check(|check| check.with_path(&chain).with_key_file(&path));
        let finding = &report.findings[0];
        assert_eq!(finding.source.as_deref(), path.to_str(), "{finding}");
        (finding.code, finding.message.clone())
    }

    fn check(
        &self,
        with: impl FnOnce(
            notafter::self_check::SelfCheckBuilder,
        ) -> notafter::self_check::SelfCheckBuilder,
    ) -> Report {
        let check = SelfCheck::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .at(NOW);
        with(check).build().unwrap().run()
    }
}

/// UTF-16 as it is stored, with a byte order mark if there shall be one.
fn utf16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some('\u{feff}').into_iter();
    let text: String = mark.chain(text.chars()).collect();
    text.encode_utf16().flat_map(bytes).collect()
}

fn marked(text: &str) -> Vec<u8> {
    [b"\xef\xbb\xbf", text.as_bytes()].concat()
}

const KEEP: &str = "(other_format); convert it to PEM";

#[test]
fn what_lies_where_a_certificate_belongs_is_called_by_its_name() {
    let ground = Ground::new();
    let write = |name: &str, bytes: &[u8]| ground.write(name, bytes);
    write("utf16.pem", &utf16(&ground.pem, true, u16::to_le_bytes));
    write("utf16be.pem", &utf16(&ground.pem, true, u16::to_be_bytes));
    write(
        "unmarked.pem",
        &utf16(&format!("a note\n{}", ground.pem), false, u16::to_le_bytes),
    );
    write(
        "unmarked-be.pem",
        &utf16(&ground.pem, false, u16::to_be_bytes),
    );
    write("marked.pem", &marked(&ground.pem));
    write("cut.pem", &marked("-----BEGIN CERTIFICATE-----\nAAAA\n"));
    // What keytool writes: magic, version, no entries, and a digest.
    write(
        "java.jks",
        &[
            &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0][..],
            &[7; 20],
        ]
        .concat(),
    );
    write(
        "request.pem",
        pki::pem("CERTIFICATE REQUEST", b"1").as_bytes(),
    );
    write(
        "trusted.pem",
        pki::pem("TRUSTED CERTIFICATE", b"1").as_bytes(),
    );
    write("p7.pem", pki::pem("PKCS7", b"1").as_bytes());
    write("public.pem", pki::pem("PUBLIC KEY", b"1").as_bytes());
    write("noise.pem", b"\x01\x02\x03");
    let utf16 = |form: &str| {
        format!(
            ": it is PEM in UTF-16, and PEM is ASCII; to ASCII by `iconv -f {form} -t ASCII FILE > FILE.pem` {KEEP}"
        )
    };
    let mark = |place: &str| {
        format!(
            "{place}: a byte order mark stands before the first BEGIN line, so rustls does not see it (bad_pem); \
             take it away by `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`"
        )
    };
    let labelled = |label: &str, advice: &str| {
        format!(
            ": it holds PEM blocks such as '{label}', which rustls does not load as certificates \
             (no_certificate_found); {advice}"
        )
    };
    let java = |kind: &str, option: &str| {
        format!(
            ": it is a Java keystore ({kind}), which rustls does not load; \
             to PEM by `keytool -list -rfc {option}-keystore FILE > FILE.pem` {KEEP}"
        )
    };
    let mut cases = vec![
        ("utf16.pem", utf16("UTF-16")),
        ("utf16be.pem", utf16("UTF-16")),
        ("unmarked.pem", utf16("UTF-16LE")),
        ("unmarked-be.pem", utf16("UTF-16BE")),
        ("marked.pem", mark(", block 1, line 1")),
        ("cut.pem", mark(", block 1, line 1")),
        ("java.jks", java("JKS", "")),
        (
            "tls.key",
            ": it holds a private key but no certificate (no_certificate_found); \
             name the certificate's file here, and this one as the key's (`--key FILE`)"
                .to_owned(),
        ),
        (
            "request.pem",
            labelled(
                "CERTIFICATE REQUEST",
                "it is a request: put the certificate there that the CA issued for it",
            ),
        ),
        (
            "trusted.pem",
            labelled(
                "TRUSTED CERTIFICATE",
                "to PEM by `openssl x509 -in FILE -out FILE.pem`",
            ),
        ),
        (
            "p7.pem",
            labelled(
                "PKCS7",
                "to PEM by `openssl pkcs7 -in FILE -print_certs -out FILE.pem`",
            ),
        ),
        (
            "public.pem",
            labelled(
                "PUBLIC KEY",
                "it is a public key: name the certificate's file",
            ),
        ),
        (
            "noise.pem",
            ": there is no PEM block in it, and it is not DER (no_certificate_found); \
             check the path: a certificate in PEM or DER belongs here"
                .to_owned(),
        ),
        (
            "missing.pem",
            ": No such file or directory (os error 2) (not_found); check the path".to_owned(),
        ),
    ];
    if openssl(
        ground.folder.path(),
        "pkcs12 -export -in tls.pem -inkey tls.key -passout pass:x -out tls.p12",
    ) {
        openssl(
            ground.folder.path(),
            "crl2pkcs7 -nocrl -certfile tls.pem -outform DER -out tls.p7b",
        );
        cases.push((
            "tls.p12",
            format!(
                ": it is PKCS#12 (.p12, .pfx), which rustls does not load; \
                 to PEM by `openssl pkcs12 -in FILE -nokeys -out FILE.pem` {KEEP}"
            ),
        ));
        cases.push((
            "tls.p7b",
            format!(
                ": it is PKCS#7 (.p7b, .p7c), which rustls does not load; \
                 to PEM by `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem` {KEEP}"
            ),
        ));
    }
    for (name, expected) in cases {
        assert_eq!(ground.of_certificate(name), expected, "{name}");
    }
    // From bytes, as from files.
    for name in ["utf16.pem", "java.jks", "marked.pem"] {
        let path = ground.folder.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        let contents = SourceContents::from_bytes(path.to_str().unwrap(), &bytes);
        assert_eq!(contents, Loader::new().load_file(&path));
    }
    // The first certificate is lost, the others are not.
    let bundle = marked(&(ground.pem.clone() + &pki::pem_bundle([&ground.root.der])));
    let contents = SourceContents::from_bytes("bundle.pem", &bundle);
    assert_eq!(
        (contents.certificates.len(), contents.failures.len()),
        (1, 1)
    );
    assert_eq!(
        contents.failures[0].advice(),
        "take it away by `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`"
    );
}

#[test]
fn real_keystores_are_called_by_their_name() {
    let Some(folder) = corpora::folder("containers") else {
        return;
    };
    let ground = Ground::new();
    let mut formats = [0; 3];
    for path in corpora::files_below(&folder) {
        let end = path
            .extension()
            .and_then(|end| end.to_str())
            .unwrap_or_default();
        let (format, name, options) = match end {
            "jceks" => (
                0,
                "a Java keystore (JCEKS)",
                "keytool -list -rfc -storetype JCEKS",
            ),
            "p12" => (1, "PKCS#12 (.p12, .pfx)", "openssl pkcs12 -in FILE -nokeys"),
            "p7b" | "der" => (2, "PKCS#7 (.p7b, .p7c)", "openssl pkcs7 -inform DER"),
            _ => continue,
        };
        std::fs::copy(&path, ground.folder.path().join("file")).unwrap();
        let said = ground.of_certificate("file");
        let expected = format!(": it is {name}, which rustls does not load; to PEM by `{options}");
        assert!(said.starts_with(&expected), "{}: {said}", path.display());
        formats[format] += 1;
        // In a folder, stores of keys lie beside certificates for others.
        if format < 2 {
            let beside = tempfile::tempdir().unwrap();
            std::fs::copy(&path, beside.path().join("store")).unwrap();
            std::fs::write(beside.path().join("tls.pem"), &ground.pem).unwrap();
            assert_eq!(
                Loader::new().load(beside.path()).len(),
                1,
                "{}",
                path.display()
            );
        }
    }
    assert!(formats.iter().all(|count| *count >= 1), "{formats:?}");
}

#[test]
fn what_lies_where_a_private_key_belongs_is_called_by_its_name() {
    let ground = Ground::new();
    let write = |name: &str, bytes: &[u8]| ground.write(name, bytes);
    write("utf16.key", &utf16(&ground.key, true, u16::to_le_bytes));
    write("marked.key", &marked(&ground.key));
    write(
        "java.jks",
        &[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 0],
    );
    write(
        "store.jceks",
        &[0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2, 0, 0, 0, 0],
    );
    write(
        "openssh.key",
        pki::pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0").as_bytes(),
    );
    write("empty.key", b"");
    let unusable = |what: &str| {
        format!(
            "rustls cannot use the private key: {what}: use a key type that the crypto provider supports, such as one \
             that `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes, and order a certificate for it"
        )
    };
    let pkcs12 = "`openssl pkcs12 -in FILE.p12 -nocerts -nodes -out FILE.key`";
    let mut cases = vec![
        (
            "utf16.key",
            FindingCode::Unreadable,
            "it is PEM in UTF-16, and PEM is ASCII; to ASCII by `iconv -f UTF-16 -t ASCII FILE > FILE.pem`".to_owned(),
        ),
        (
            "marked.key",
            FindingCode::Unreadable,
            "a byte order mark stands before the first BEGIN line, so rustls does not see it; \
             take it away by `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`"
                .to_owned(),
        ),
        (
            "java.jks",
            FindingCode::Unreadable,
            format!(
                "it is a Java keystore (JKS), which rustls does not load; to PEM by `keytool -importkeystore \
                 -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` and {pkcs12}"
            ),
        ),
        (
            "store.jceks",
            FindingCode::Unreadable,
            format!(
                "it is a Java keystore (JCEKS), which rustls does not load; to PEM by `keytool -importkeystore \
                 -srcstoretype JCEKS -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` and {pkcs12}"
            ),
        ),
        (
            "openssh.key",
            FindingCode::Unreadable,
            "it is a key in the format of OpenSSH, which rustls does not load: \
             convert a copy of it with `ssh-keygen -p -m PKCS8 -f COPY`"
                .to_owned(),
        ),
        (
            "tls.pem",
            FindingCode::Unreadable,
            "there is no private key in it, only certificates: \
             give the key's own file, an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM"
                .to_owned(),
        ),
        (
            "empty.key",
            FindingCode::Unreadable,
            "there is no private key in it: give an unencrypted PKCS#8, PKCS#1 or SEC1 key as PEM".to_owned(),
        ),
    ];
    let legacy = "the private key is encrypted in the legacy way (`Proc-Type: 4,ENCRYPTED`), which is not opened: \
                  convert it once with `openssl pkcs8 -topk8 -in OLD -out NEW`, which asks for its passphrase";
    let made = [
        ("tls.p12", "pkcs12 -export -in tls.pem -inkey tls.key -passout pass:x -out tls.p12", FindingCode::Unreadable,
         "it is PKCS#12 (.p12, .pfx), which rustls does not load; to PEM by `openssl pkcs12 -in FILE -nocerts -nodes -out FILE.key`".to_owned()),
        ("tls.p7b", "crl2pkcs7 -nocrl -certfile tls.pem -outform DER -out tls.p7b", FindingCode::Unreadable,
         "it is PKCS#7 (.p7b, .p7c), which rustls does not load; it holds no private key: give the key's own file".to_owned()),
        ("legacy.key", "genrsa -aes256 -traditional -passout pass:x -out legacy.key 2048", FindingCode::Unreadable, legacy.to_owned()),
        ("legacy-ec.key", "ec -in tls.key -aes256 -passout pass:x -out legacy-ec.key", FindingCode::Unreadable, legacy.to_owned()),
        ("rsa1024.key", "genrsa -traditional -out rsa1024.key 1024", FindingCode::KeyUnusable, unusable("it is RSA with 1024 bits, and 2048 are the least")),
        ("rsa1024.p8", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.p8", FindingCode::KeyUnusable, unusable("it is RSA with 1024 bits, and 2048 are the least")),
        ("pss.key", "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key", FindingCode::KeyUnusable, unusable("it is RSA for PSS alone")),
        ("p521.key", "ecparam -name secp521r1 -genkey -noout -out p521.key", FindingCode::KeyUnusable, unusable("it is ECDSA over P-521, which aws-lc-rs takes and ring does not")),
        ("p521.p8", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.p8", FindingCode::KeyUnusable, unusable("it is ECDSA over P-521, which aws-lc-rs takes and ring does not")),
        ("secp256k1.key", "ecparam -name secp256k1 -genkey -noout -out secp256k1.key", FindingCode::KeyUnusable, unusable("it is ECDSA over secp256k1")),
        ("brainpool.key", "ecparam -name brainpoolP256r1 -genkey -noout -out brainpool.key", FindingCode::KeyUnusable, unusable("it is ECDSA over an uncommon curve")),
        ("ed448.key", "genpkey -algorithm ed448 -out ed448.key", FindingCode::KeyUnusable, unusable("it is Ed448")),
        ("x25519.key", "genpkey -algorithm x25519 -out x25519.key", FindingCode::KeyUnusable, unusable("it is X25519, which signs nothing")),
    ];
    for (name, command, code, message) in made {
        if openssl(ground.folder.path(), command) {
            cases.push((name, code, message));
        }
    }
    for (name, code, message) in cases {
        assert_eq!(ground.of_key(name), (code, message), "{name}");
    }
}

#[test]
fn an_endpoint_that_is_not_written_as_one_is_told_how() {
    let ground = Ground::new();
    let cases = [
        (
            "https://a.example/",
            "it is a URL, and an endpoint is named by host and port alone: `a.example:443`",
        ),
        (
            "a.example",
            "check the path; an endpoint is named with its port, as `a.example:443`",
        ),
        (
            "a.example:https",
            "check the path; an endpoint's port is a number, as in `a.example:443`",
        ),
        ("missing.pem", "check the path"),
    ];
    for (target, advice) in cases {
        let report = ground.check(|check| check.with_path(target));
        let expected =
            format!("{target}: No such file or directory (os error 2) (not_found); {advice}");
        assert_eq!(report.findings[0].message, expected);
    }
}

/// A peer that says this to whoever connects, once it has heard something if it shall.
struct Speaker {
    port: u16,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Speaker {
    fn new(said: &'static [u8], listens_first: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(20)))
                .unwrap();
            let mut heard = [0; 4096];
            if listens_first {
                let _ = stream.read(&mut heard);
            }
            let _ = stream.write_all(said);
            let _ = stream.shutdown(Shutdown::Write);
            // Until the other side has gone.
            while stream.read(&mut heard).is_ok_and(|count| count > 0) {}
        });
        Self {
            port,
            thread: Some(thread),
        }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn what_does_not_answer_in_tls_is_told_what_it_is_and_what_to_type() {
    const ALERT: &[u8] = b"\x15\x03\x03\0\x02\x02";
    let ground = Ground::new();
    let look = |port: u16, starttls: Option<StartTls>| {
        let mut endpoint = Endpoint::new(EndpointAddress::new("127.0.0.1", port));
        if let Some(protocol) = starttls {
            endpoint = endpoint.with_starttls(protocol);
        }
        let report = ground.check(|check| {
            let connector =
                EndpointConnector::new(ring()).with_deadline(Duration::from_millis(700));
            check
                .with_endpoint_connector(connector)
                .with_endpoint(endpoint.with_expected_name("a.example"))
        });
        let finding = report.findings[0].to_string();
        let lead = format!("critical unreadable in 127.0.0.1:{port}: 127.0.0.1:{port}: ");
        finding
            .strip_prefix(&lead)
            .unwrap_or_else(|| panic!("{finding}"))
            .to_owned()
    };
    let starttls = |protocol: &str, option: &str| {
        format!(
            "it speaks {protocol}, which begins without TLS (connection); say `--starttls {option}`"
        )
    };
    let refused = |alert: &str| {
        format!(
            "it refused the handshake (TLS alert {alert}) when asked for 'a.example' (connection); \
             name a host that it serves with `--name`"
        )
    };
    let silent = "it showed no certificate (unexpected end of file) (connection); check that it speaks TLS on this port; \
                  to PostgreSQL, LDAP and others that begin without it, say `--starttls PROTOCOL`";
    let cases: [(&'static [u8], bool, String); 16] = [
        (b"220 mail.example ESMTP Postfix\r\n", false, starttls("SMTP", "smtp")),
        (b"554 no service\r\n", false, starttls("SMTP", "smtp")),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", false, starttls("IMAP", "imap")),
        (
            b"d\0\0\0\n5.5.5-10.11.19-MariaDB-0+deb12u1\0",
            false,
            starttls("MySQL", "mysql"),
        ),
        (
            b"220 (vsFTPd 3.0.3)\r\n",
            false,
            "it speaks FTP, which begins without TLS (connection); ask its port for TLS from the first byte, often 990".to_owned(),
        ),
        (
            b"+OK Dovecot ready.\r\n",
            false,
            "it speaks POP3, which begins without TLS (connection); ask its port for TLS from the first byte, often 995".to_owned(),
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            true,
            "it speaks HTTP without TLS (connection); ask the port on which it speaks HTTPS, often 443".to_owned(),
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            false,
            "it speaks SSH, which has no certificates of TLS (connection); check the port".to_owned(),
        ),
        (
            b"hello\r\n",
            false,
            "it answers in something else than TLS (connection); check the port".to_owned(),
        ),
        (
            b"",
            true,
            silent.to_owned(),
        ),
        (&[ALERT, b"\x70"].concat().leak()[..], true, refused("unrecognized_name")),
        (&[ALERT, b"\x28"].concat().leak()[..], true, refused("handshake_failure")),
        (&[ALERT, b"\x50"].concat().leak()[..], true, refused("internal_error")),
        (
            &[ALERT, b"\x46"].concat().leak()[..],
            true,
            refused("protocol_version").replace("name a host that it serves with `--name`", "have it speak TLS 1.2 or 1.3"),
        ),
        // A ServerHello of TLS 1.1.
        (
            b"\x16\x03\x02\0\x2a\x02\0\0\x26\x03\x0200000000000000000000000000000000\0\xc0\x13\0",
            true,
            "it speaks no TLS that is spoken here (ServerDoesNotSupportTls12Or13) (connection); have it speak TLS 1.2 or 1.3".to_owned(),
        ),
        (
            b"\x16\x03\x03",
            true,
            silent.to_owned(),
        ),
    ];
    for (said, listens_first, expected) in cases {
        let speaker = Speaker::new(said, listens_first);
        assert_eq!(look(speaker.port, None), expected, "{said:?}");
    }
    let hanging = Peer::hanging();
    assert_eq!(
        look(hanging.port, None),
        "it accepted the connection, and showed no certificate within 0.7 s (connection); \
         look whether it hangs; `--timeout SECONDS` waits longer"
    );
    assert_eq!(
        look(hanging.port, Some(StartTls::Smtp)),
        "it accepted the connection, and did not go over to TLS from SMTP within 0.7 s (connection); \
         if it wants TLS from the first byte, as port 465 does, leave out `--starttls`"
    );
    let refusing = look(Peer::refusing_port(), None);
    assert_eq!(
        refusing,
        "nothing accepts connections there (Connection refused (os error 111)) (connection); check that it is up, and the port"
    );
    let mail = Speaker::new(b"220 mail.example ESMTP Postfix\r\n", false);
    assert_eq!(
        look(mail.port, Some(StartTls::Imap)),
        "it does not go over to TLS from IMAP: it says '220 mail.example ESMTP Postfix' (connection); \
         check the port, and that `--starttls` names what it speaks"
    );
}

#[test]
fn a_port_that_is_known_says_which_protocol_it_is_for() {
    let at = |port: u16| {
        let error = EndpointError::Handshake {
            address: EndpointAddress::new("a.example", port),
            source: std::io::ErrorKind::UnexpectedEof.into(),
        };
        error.advice().into_owned()
    };
    let starttls = |port: u16, protocol: &str, option: &str| {
        format!("port {port} is {protocol}'s, which begins without TLS: say `--starttls {option}`")
    };
    assert_eq!(at(5432), starttls(5432, "PostgreSQL", "postgres"));
    assert_eq!(at(389), starttls(389, "LDAP", "ldap"));
    assert_eq!(at(587), starttls(587, "SMTP", "smtp"));
    assert!(at(443).starts_with("check that it speaks TLS on this port; "));
}

#[test]
fn a_missing_file_of_anchors_is_told_first_and_by_its_name() {
    let ground = Ground::new();
    let chain = ground.folder.path().join("tls.pem");
    let report = |anchors: TrustAnchors| {
        let report = ground.check(|check| check.with_path(&chain).with_trust_anchors(anchors));
        let text = report.to_text_within(1_000);
        let (_, findings) = text.split_once("\nfindings\n").unwrap();
        findings
            .lines()
            .map(str::trim)
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let missing = Loader::new().load_file("/missing/ca.pem");
    let why = "trust anchor /missing/ca.pem cannot be used: No such file or directory (os error 2) (not_found); check the path";
    let alone = TrustAnchors::builder().with_source(&missing).build();
    assert_eq!(
        report(alone),
        [
            "critical  no_trust_anchors /missing/ca.pem".to_owned(),
            format!("there is no trust anchor to judge by: {why}"),
        ]
    );
    let beside = TrustAnchors::builder()
        .with_source(&missing)
        .with_certificates([&ground.root.der])
        .build();
    assert_eq!(
        report(beside),
        [
            "warning   unusable_anchor /missing/ca.pem".to_owned(),
            why.to_owned()
        ]
    );
    assert_eq!(
        report(TrustAnchors::builder().build()),
        [
            "critical  no_trust_anchors",
            "there is no trust anchor to judge by: install the system's CA certificates, or name a file of your own"
        ]
    );
}
