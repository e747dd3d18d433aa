//! Endpoints asked over TCP and TLS: an edge, for it connects.

use std::error::Error;

use pki_types::CertificateDer;

use super::watched::{Connector, EndpointQuestion};
use crate::endpoint::{EndpointConnector, EndpointError};

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
        let address = question.endpoint.parse().map_err(EndpointError::from)?;
        let names = question.names.iter().map(String::as_str);
        Ok(self.presented_by(&address, names)?.chain)
    }
}
