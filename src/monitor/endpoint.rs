//! Endpoints asked over TCP and TLS: an edge, for it connects.

use std::error::Error;
use std::time::Duration;

use pki_types::CertificateDer;

use super::watched::Connector;
use crate::endpoint::EndpointConnector;

impl Connector for EndpointConnector {
    fn certificates(
        &self,
        endpoint: &str,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        Ok(self.presented(endpoint)?.chain)
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.deadline)
    }
}
