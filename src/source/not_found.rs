//! A path that is not there, and that may never have been meant to be one.

use std::borrow::Cow;

use pki_types::ServerName;

use crate::text::quoted;

/// The ports of URLs whose connections begin with TLS.
const SCHEMES: [(&str, u16); 7] = [
    ("https", 443),
    ("wss", 443),
    ("ldaps", 636),
    ("smtps", 465),
    ("imaps", 993),
    ("pop3s", 995),
    ("ftps", 990),
];

/// Ends of file names: a host is not called so.
const FILE_ENDS: [&str; 10] = [
    ".pem", ".crt", ".cer", ".cert", ".der", ".key", ".p12", ".pfx", ".p7b", ".txt",
];

/// What to do about a path that does not exist.
pub(super) fn advice(path: &str) -> Cow<'static, str> {
    match endpoint(path) {
        Some(Meant::Url { host, port }) => {
            let port = port.unwrap_or(443);
            format!("it is a URL, and an endpoint is named by host and port alone: `{host}:{port}`")
                .into()
        }
        Some(Meant::Host { host }) => {
            format!("check the path; an endpoint is named with its port, as `{host}:443`").into()
        }
        Some(Meant::Service { host }) => {
            format!("check the path; an endpoint's port is a number, as in `{host}:443`").into()
        }
        None => Cow::Borrowed("check the path"),
    }
}

/// What may have been meant instead of a path.
enum Meant {
    Url { host: String, port: Option<u16> },
    Host { host: String },
    Service { host: String },
}

fn endpoint(path: &str) -> Option<Meant> {
    if let Some((scheme, rest)) = path.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let known = SCHEMES
            .iter()
            .find(|(name, _)| scheme.eq_ignore_ascii_case(name));
        let by_scheme = known.map(|(_, port)| *port);
        return Some(match authority.rsplit_once(':') {
            Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok() => Meant::Url {
                host: host.to_owned(),
                port: port.parse().ok(),
            },
            _ if is_host(authority) => Meant::Url {
                host: authority.to_owned(),
                port: by_scheme,
            },
            _ => Meant::Url {
                host: "HOST".to_owned(),
                port: by_scheme,
            },
        });
    }
    match path.split_once(':') {
        Some((host, _)) if is_host(host) && host.len() > 1 => Some(Meant::Service {
            host: host.to_owned(),
        }),
        None if is_host(path) && is_no_file_name(path) => Some(Meant::Host {
            host: quoted(path, 253),
        }),
        _ => None,
    }
}

/// A DNS name or an IP address, one of version 6 in brackets.
fn is_host(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    ServerName::try_from(inner.unwrap_or(text)).is_ok()
}

fn is_no_file_name(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    lower.contains('.') && !FILE_ENDS.iter().any(|end| lower.ends_with(end)) || lower == "localhost"
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn what_is_no_path_is_said_to_be_what_it_is() {
        let url = |endpoint: &str| {
            format!("it is a URL, and an endpoint is named by host and port alone: `{endpoint}`")
        };
        let host = |endpoint: &str| {
            format!("check the path; an endpoint is named with its port, as `{endpoint}`")
        };
        let number = |endpoint: &str| {
            format!("check the path; an endpoint's port is a number, as in `{endpoint}`")
        };
        let path = || "check the path".to_owned();
        let cases = [
            ("https://a.example/", url("a.example:443")),
            ("https://a.example", url("a.example:443")),
            ("HTTPS://user@a.example:8443/x?y", url("a.example:8443")),
            ("ldaps://a.example/", url("a.example:636")),
            ("https://[2001:db8::1]/", url("[2001:db8::1]:443")),
            ("https://[2001:db8::1]:8443/", url("[2001:db8::1]:8443")),
            ("https://192.0.2.1", url("192.0.2.1:443")),
            ("https://a b/", url("HOST:443")),
            ("a.example", host("a.example:443")),
            ("localhost", host("localhost:443")),
            ("192.0.2.1", host("192.0.2.1:443")),
            ("a.example:https", number("a.example:443")),
            ("a.example:65536", number("a.example:443")),
            ("tls.pem", path()),
            ("a.example.crt", path()),
            ("tls", path()),
            ("/etc/a.example", path()),
            ("./a.example", path()),
            ("C:tls.pem", path()),
            ("", path()),
        ];
        for (text, expected) in cases {
            assert_eq!(advice(text), expected, "{text}");
        }
    }
}
