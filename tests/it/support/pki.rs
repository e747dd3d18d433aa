//! Certificates minted at a fixed instant: nothing here expires.

use notafter::{Certificate, Timestamp, TrustAnchors};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams,
    CrlIssuingDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use time::{Duration, OffsetDateTime};

/// 2026-01-01T00:00:00Z: the instant that tests call now.
pub const NOW: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

pub fn now() -> UnixTime {
    NOW.to_unix_time().unwrap()
}

/// So many days after [`NOW`].
pub fn days(days: i64) -> Timestamp {
    NOW.saturating_add(days * 86_400)
}

/// A CA: root or intermediate.
pub struct Ca {
    pub der: CertificateDer<'static>,
    params: CertificateParams,
    key: KeyPair,
}

/// A leaf and its key.
pub struct Leaf {
    pub der: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    pub key_pair: KeyPair,
}

impl Leaf {
    pub fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.der).unwrap()
    }
}

/// A self-signed root, valid between these days from now.
pub fn root(name: &str, from: i64, to: i64) -> Ca {
    root_with(name, from, to, |_| {})
}

/// The same, changed before it is signed.
pub fn root_with(
    name: &str,
    from: i64,
    to: i64,
    change: impl FnOnce(&mut CertificateParams),
) -> Ca {
    let (mut params, key) = (ca_params(name, from, to), KeyPair::generate().unwrap());
    change(&mut params);
    let der = params.self_signed(&key).unwrap().der().clone();
    Ca { der, params, key }
}

impl Ca {
    pub fn certificate(&self) -> Certificate {
        Certificate::from_der(&self.der).unwrap()
    }

    /// A new CA below this one.
    pub fn intermediate(&self, name: &str, from: i64, to: i64) -> Self {
        let (params, key) = (ca_params(name, from, to), KeyPair::generate().unwrap());
        let der = params
            .signed_by(&key, &self.issuer())
            .unwrap()
            .der()
            .clone();
        Self { der, params, key }
    }

    /// Another certificate for the key and name of `other`, issued by this CA.
    pub fn cross_sign(&self, other: &Self, from: i64, to: i64) -> CertificateDer<'static> {
        let mut params = other.params.clone();
        validity(&mut params, from, to);
        params
            .signed_by(&other.key, &self.issuer())
            .unwrap()
            .der()
            .clone()
    }

    /// A server and client certificate for these names.
    pub fn leaf(&self, names: &[&str], from: i64, to: i64) -> Leaf {
        self.leaf_with(names, from, to, |_| {})
    }

    /// The same, changed before it is signed.
    pub fn leaf_with(
        &self,
        names: &[&str],
        from: i64,
        to: i64,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Leaf {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        if let Some(name) = names.first() {
            params
                .distinguished_name
                .push(DnType::CommonName, name.clone());
        }
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        validity(&mut params, from, to);
        change(&mut params);
        let key_pair = KeyPair::generate().unwrap();
        let der = params
            .signed_by(&key_pair, &self.issuer())
            .unwrap()
            .der()
            .clone();
        Leaf {
            der,
            key: PrivateKeyDer::Pkcs8(key_pair.serialize_der().into()),
            key_pair,
        }
    }

    pub fn key(&self) -> &KeyPair {
        &self.key
    }

    pub fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

fn ca_params(name: &str, from: i64, to: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    validity(&mut params, from, to);
    params
}

pub fn validity(params: &mut CertificateParams, from: i64, to: i64) {
    let now = OffsetDateTime::from_unix_timestamp(NOW.as_unix_seconds()).unwrap();
    params.not_before = now + Duration::days(from);
    params.not_after = now + Duration::days(to);
}

/// A revocation list of this CA over these certificates, in DER.
pub fn crl(ca: &Ca, revoked: &[&Certificate]) -> Vec<u8> {
    crl_between(ca, days(-1), days(30), revoked)
}

/// The same, made at one instant and to be replaced before another.
pub fn crl_between(
    ca: &Ca,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: &[&Certificate],
) -> Vec<u8> {
    crl_of(ca, this_update, next_update, revoked, None)
}

/// The same, of the part of its certificates that a distribution point is for.
pub fn crl_of(
    ca: &Ca,
    this_update: Timestamp,
    next_update: Timestamp,
    revoked: &[&Certificate],
    part: Option<CrlIssuingDistributionPoint>,
) -> Vec<u8> {
    let at = |at: Timestamp| OffsetDateTime::from_unix_timestamp(at.as_unix_seconds()).unwrap();
    let revoked = revoked.iter().map(|certificate| {
        let serial = data_encoding::HEXLOWER_PERMISSIVE
            .decode(certificate.serial_hex().replace(':', "").as_bytes())
            .unwrap();
        RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: at(this_update),
            reason_code: None,
            invalidity_date: None,
        }
    });
    let params = CertificateRevocationListParams {
        this_update: at(this_update),
        next_update: at(next_update),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: part,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(&ca.issuer()).unwrap();
    list.der().to_vec()
}

/// Anchors with their dates.
pub fn anchors<'c>(roots: impl IntoIterator<Item = &'c Ca>) -> TrustAnchors {
    let ders: Vec<_> = roots.into_iter().map(|root| root.der.clone()).collect();
    TrustAnchors::builder().with_certificates(&ders).build()
}

/// One PEM block.
pub fn pem(label: &str, der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    let lines: Vec<_> = base64
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

pub fn pem_bundle<'c>(ders: impl IntoIterator<Item = &'c CertificateDer<'static>>) -> String {
    ders.into_iter()
        .map(|der| pem("CERTIFICATE", der))
        .collect()
}
