//! The one place where wrappers hand questions on to the verifier inside of them: all but the
//! verification of certificates, which is what they are for. A method that rustls adds is added here, for
//! all of them (a test counts the methods in rustls's source).

/// The methods of a verifier trait that a wrapper only hands on to `self.inner`, and those that check
/// signatures, after which it looks at `self.signature_checked`.
macro_rules! forward_to_inner {
    (ServerCertVerifier) => {
        $crate::verifier::forward::forward_to_inner!(both);

        fn root_hint_subjects(&self) -> Option<&[rustls::DistinguishedName]> {
            self.inner.root_hint_subjects()
        }
    };
    (ClientCertVerifier) => {
        $crate::verifier::forward::forward_to_inner!(both);

        fn offer_client_auth(&self) -> bool {
            self.inner.offer_client_auth()
        }

        fn client_auth_mandatory(&self) -> bool {
            self.inner.client_auth_mandatory()
        }

        fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
            self.inner.root_hint_subjects()
        }
    };
    (both) => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let checked = self.inner.verify_tls12_signature(message, cert, dss);
            self.signature_checked(cert, &checked);
            checked
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let checked = self.inner.verify_tls13_signature(message, cert, dss);
            self.signature_checked(cert, &checked);
            checked
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            self.inner.supported_verify_schemes()
        }

        fn requires_raw_public_keys(&self) -> bool {
            self.inner.requires_raw_public_keys()
        }
    };
}
pub(super) use forward_to_inner;

/// The methods of both verifier traits by which a verifier checks signatures with the algorithms of
/// `self.provider`, and asks for certificates.
macro_rules! signatures_by_provider {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let algorithms = &self.provider.signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            let algorithms = &self.provider.signature_verification_algorithms;
            algorithms.supported_schemes()
        }

        fn requires_raw_public_keys(&self) -> bool {
            false
        }
    };
}
pub(super) use signatures_by_provider;
