//! Test cases in the layout of x509-limbo, with the verdicts that other implementations recorded.

use std::io::Read as _;
use std::path::Path;

use notafter::{Certificate, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName};
use serde_json::Value;

pub const RUSTLS: &str = "rustls-webpki 0.103.13";
pub const PYCA: &str = "pyca-cryptography 46.0.7";

/// One case.
pub struct Case {
    pub id: String,
    pub json: Value,
    pub trusted: Vec<CertificateDer<'static>>,
    pub chain_ders: Vec<CertificateDer<'static>>,
    /// `None` where the leaf cannot be read; intermediates that cannot be are left out.
    pub chain: Option<Vec<Certificate>>,
    pub crls: Vec<CertificateRevocationListDer<'static>>,
}

pub fn load(file: &Path) -> Vec<Case> {
    let mut text = String::new();
    let compressed = std::fs::File::open(file).unwrap();
    flate2::read::GzDecoder::new(compressed)
        .read_to_string(&mut text)
        .unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(cases) = document["testcases"].take() else {
        panic!("no cases")
    };
    cases.into_iter().map(Case::new).collect()
}

impl Case {
    fn new(json: Value) -> Self {
        let ders = |value: &Value| -> Vec<CertificateDer<'static>> {
            let pems = value
                .as_array()
                .unwrap()
                .iter()
                .map(|pem| pem.as_str().unwrap());
            pems.flat_map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap))
                .collect()
        };
        let leaf =
            CertificateDer::from_pem_slice(json["peer_certificate"].as_str().unwrap().as_bytes());
        let mut chain_ders = vec![leaf.unwrap()];
        chain_ders.extend(ders(&json["untrusted_intermediates"]));
        let crls = json["crls"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter();
        let crls = crls.map(|pem| {
            CertificateRevocationListDer::from_pem_slice(pem.as_str().unwrap().as_bytes()).unwrap()
        });
        Self {
            id: json["id"].as_str().unwrap().to_owned(),
            trusted: ders(&json["trusted_certs"]),
            crls: crls.collect(),
            chain: parse(&chain_ders),
            chain_ders,
            json,
        }
    }

    /// A case of a suite that is not in limbo's layout.
    pub fn of_ders(
        id: &str,
        kind: &str,
        trusted: Vec<CertificateDer<'static>>,
        chain_ders: Vec<CertificateDer<'static>>,
        crls: Vec<CertificateRevocationListDer<'static>>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            json: serde_json::json!({ "validation_kind": kind }),
            chain: parse(&chain_ders),
            trusted,
            chain_ders,
            crls,
        }
    }

    pub fn is_server(&self) -> bool {
        self.json["validation_kind"] == "SERVER"
    }

    /// The expected DNS name or IP address, if there is one that rustls can express.
    pub fn name(&self) -> Option<ServerName<'static>> {
        let name = &self.json["expected_peer_name"];
        ServerName::try_from(name["value"].as_str()?.to_owned()).ok()
    }

    pub fn has_name(&self) -> bool {
        !self.json["expected_peer_name"].is_null()
    }

    /// The instant of the case; the corpus's own day where it says "now".
    pub fn at(&self) -> Timestamp {
        let time = self.json["validation_time"]
            .as_str()
            .unwrap_or("2026-11-21T12:00:00Z");
        time.parse().unwrap()
    }

    pub fn recorded_result(&self, who: &str) -> Option<&str> {
        self.json["recorded_results"][who]["result"].as_str()
    }

    /// First and last good seconds; `None` where the verifier was not asked.
    pub fn recorded_intervals(&self, who: &str) -> Option<Vec<(i64, i64)>> {
        let intervals = self.json["recorded_valid_intervals"][who]
            .as_array()?
            .iter();
        let pair = |pair: &Value| (pair[0].as_i64().unwrap(), pair[1].as_i64().unwrap());
        Some(intervals.map(pair).collect())
    }

    /// Every notBefore and notAfter of the chain and its anchors.
    pub fn dates(&self) -> Vec<Timestamp> {
        let anchors = self
            .trusted
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok());
        let all = self.chain.iter().flatten().cloned().chain(anchors);
        let mut dates: Vec<_> = all.flat_map(|c| [c.not_before(), c.not_after()]).collect();
        dates.sort();
        dates.dedup();
        dates
    }
}

fn parse(ders: &[CertificateDer<'static>]) -> Option<Vec<Certificate>> {
    let parse = |der| Certificate::from_der(der).ok();
    let leaf = parse(ders.first()?)?;
    Some(
        std::iter::once(leaf)
            .chain(ders[1..].iter().filter_map(parse))
            .collect(),
    )
}
