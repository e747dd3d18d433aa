//! PKCS#7 in PEM, as OpenSSL and Windows write it (RFC 7468, section 8).

use std::collections::VecDeque;
use std::sync::Arc;

use super::open;
use crate::source::foreign_format::ForeignFormat;
use crate::source::pem::{self, Blocks};
use crate::source::scan::{self, Scanned};

/// Reads PEM like `CertificateScan`, and the certificates of PKCS#7 blocks in it.
pub(in super::super) struct ContainerBlocks<'b> {
    source: Arc<str>,
    blocks: Blocks<&'b [u8]>,
    der: Vec<u8>,
    /// What one block held.
    next: VecDeque<Scanned>,
}

impl<'b> ContainerBlocks<'b> {
    /// Whether a block of this label is such a container.
    pub(in super::super) fn is_one(label: &str) -> bool {
        matches!(label, "PKCS7" | "CMS")
    }

    pub(in super::super) fn new(source: Arc<str>, bytes: &'b [u8]) -> Self {
        Self {
            source,
            blocks: Blocks::new(bytes),
            der: Vec::new(),
            next: VecDeque::new(),
        }
    }
}

impl Iterator for ContainerBlocks<'_> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        loop {
            if let Some(scanned) = self.next.pop_front() {
                return Some(scanned);
            }
            // A slice is read without an error.
            let block = self.blocks.next().ok()??;
            let scanned = scan::read(&self.source, &block, &mut self.der);
            match (scanned, &block.body) {
                (Scanned::OtherBlock(found), Ok(body)) if Self::is_one(&found.label) => {
                    let Some(der) = pem::decode(body, &mut self.der) else {
                        return Some(scan::damaged_base64(found.place));
                    };
                    let things = open::read(&found.place, ForeignFormat::Pkcs7, der, None);
                    self.next.extend(things);
                }
                (scanned, _) => return Some(scanned),
            }
        }
    }
}
