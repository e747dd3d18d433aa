//! A PKI minted into a temporary folder, with a renewal that lies ready.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

pub struct Demo {
    folder: TempDir,
}

impl Demo {
    pub fn mint() -> Result<Self, Box<dyn Error>> {
        let demo = Self {
            folder: tempfile::Builder::new().prefix("axum_service.").tempdir()?,
        };
        let now = OffsetDateTime::now_utc();
        let root_key = KeyPair::generate()?;
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        root.distinguished_name
            .push(DnType::CommonName, "Example Root");
        root.not_before = now - Duration::days(365);
        root.not_after = now + Duration::days(3285);
        fs::write(demo.path("ca.pem"), root.self_signed(&root_key)?.pem())?;
        let root = Issuer::new(root, root_key);
        // The served one is a warning already, its renewal has 90 days.
        for (name, from, to) in [("tls", -75, 15), ("renewed", 0, 90)] {
            let key = KeyPair::generate()?;
            let mut leaf =
                CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
            leaf.distinguished_name
                .push(DnType::CommonName, "localhost");
            leaf.not_before = now + Duration::days(from) - Duration::minutes(1);
            leaf.not_after = now + Duration::days(to);
            let leaf = leaf.signed_by(&key, &root)?;
            fs::write(demo.path(&format!("{name}.crt")), leaf.pem())?;
            fs::write(demo.path(&format!("{name}.key")), key.serialize_pem())?;
        }
        Ok(demo)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What to try.
    pub fn hints(&self, url: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "\nA small PKI was minted into {folder}. In another terminal, try:\n\
             \x20 curl --cacert {folder}/ca.pem {url}/ready\n\
             \x20 curl --cacert {folder}/ca.pem {url}/certificates\n\
             \x20 curl --cacert {folder}/ca.pem {url}/metrics\n\
             Renew, and see that the service picks it up without a restart:\n\
             \x20 mv {folder}/renewed.crt {folder}/tls.crt; mv {folder}/renewed.key {folder}/tls.key\n\
             Break it, and see that the good one is served on:\n\
             \x20 echo > {folder}/tls.crt\n\
             Ctrl-C ends the service and removes the folder.\n"
        )
    }
}
