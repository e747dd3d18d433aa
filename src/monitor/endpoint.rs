//! Endpoints asked over TCP and TLS: an edge, for it connects.

use std::error::Error;
use std::time::Duration;

use pki_types::CertificateDer;

use super::watched::{Connector, EndpointQuestion};
use crate::endpoint::{Endpoint, EndpointConnector, EndpointError};

impl Connector for EndpointConnector {
    fn certificates(
        &self,
        endpoint: &str,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        Ok(self.presented(endpoint)?.chain)
    }

    fn answer(
        &self,
        question: &EndpointQuestion<'_>,
    ) -> Result<Vec<CertificateDer<'static>>, Box<dyn Error + Send + Sync>> {
        let mut endpoint: Endpoint = question.endpoint.parse().map_err(EndpointError::from)?;
        for name in question.names {
            endpoint = endpoint.with_expected_name(name);
        }
        if let Some(protocol) = question.starttls {
            endpoint = endpoint.with_starttls(protocol);
        }
        Ok(self.presented_by(&endpoint)?.chain)
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.deadline)
    }
}
