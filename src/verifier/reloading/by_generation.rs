//! What a verifier of servers and one of clients do alike for each generation: rustls has a builder and a
//! trait for each, with the same methods.

/// A builder of rustls's with these revocation lists and their rules, where there are any.
macro_rules! with_lists {
    ($builder:expr, $lists:expr) => {{
        let mut builder = $builder;
        if let Some(lists) = $lists {
            builder = builder.with_crls(lists.ders.iter().cloned());
            if lists.crls.depth() == $crate::revocation::CrlDepth::Leaf {
                builder = builder.only_check_end_entity_revocation();
            }
            if lists.crls.unknown() == $crate::revocation::UnknownRevocation::Accept {
                builder = builder.allow_unknown_revocation_status();
            }
            if lists.crls.enforces_expiration() {
                builder = builder.enforce_revocation_expiration();
            }
        }
        builder
    }};
}

/// The methods of both verifier traits that the verifier of the generation in force answers, or that
/// all generations answer alike.
macro_rules! by_generation {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let current = self.current.current();
            current
                .verifier()?
                .verify_tls12_signature(message, cert, dss)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &pki_types::CertificateDer<'_>,
            dss: &rustls::DigitallySignedStruct,
        ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
            let current = self.current.current();
            current
                .verifier()?
                .verify_tls13_signature(message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            let provider = &self.current.maker.provider;
            provider
                .signature_verification_algorithms
                .supported_schemes()
        }

        fn requires_raw_public_keys(&self) -> bool {
            // webpki's verifiers of certificates never do.
            false
        }
    };
}

pub(super) use {by_generation, with_lists};
