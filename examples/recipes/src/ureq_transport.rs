//! What ureq 3 wants of a stream: the other half of `ureq_client`.

use std::fmt;
use std::io::{Read as _, Write as _};

use rustls::{ClientConnection, StreamOwned};
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout};
use ureq::unversioned::transport::{Transport, TransportAdapter};

type Stream = StreamOwned<ClientConnection, TransportAdapter>;

/// A connection of rustls's with ureq's buffers.
pub struct TlsTransport(Stream, LazyBuffers);

impl TlsTransport {
    /// After the handshake.
    pub fn new(stream: Stream, config: &Config) -> Self {
        let sizes = (config.input_buffer_size(), config.output_buffer_size());
        Self(stream, LazyBuffers::new(sizes.0, sizes.1))
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.1
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.sock.set_timeout(timeout);
        Ok(self.0.write_all(&self.1.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.sock.set_timeout(timeout);
        let read = self.0.read(self.1.input_append_buf())?;
        self.1.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.0.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}
