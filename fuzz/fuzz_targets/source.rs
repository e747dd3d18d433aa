#![no_main]
//! Is every certificate found that rustls-pki-types finds, however the bytes arrive, and nothing lost
//! beside what is damaged?

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use notafter::SpkiPin;
use notafter::cert::CertificateFacts;
use notafter::source::{CertificateScan, Scanned, SourceContents};
use notafter_fuzz::assert_printable;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

/// Gives a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((step, bytes)) = data.split_first() else {
        return;
    };
    let whole = SourceContents::from_bytes("source", bytes);
    let step = usize::from(*step) + 1;
    let streamed = SourceContents::from_reader("source", Trickle(bytes, step));
    assert_eq!(whole, streamed, "read {step} bytes at a time");

    let mut scan = CertificateScan::new("source", Trickle(bytes, step));
    let scanned = scan
        .by_ref()
        .filter(|found| matches!(found, Scanned::Certificate(_)));
    let scanned = scanned.count();
    assert!(scanned <= whole.certificates.len());
    assert!(scan.next().is_none());

    for failure in &whole.failures {
        assert_printable(&failure.to_string());
    }
    for block in &whole.other_blocks {
        assert!(block.label.chars().count() <= 64);
    }
    assert!(!whole.certificates.is_empty() || !whole.failures.is_empty());
    let _ = SpkiPin::from_pem(bytes).map_err(|error| assert_printable(&error.to_string()));

    // rustls-pki-types stops at damage, where ours goes on.
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes).map_while(Result::ok);
    for (kind, der) in sections {
        if kind == SectionKind::Certificate && CertificateFacts::parse(&der).is_ok() {
            let found = whole.certificates.iter();
            let mut found = found.map(|found| found.certificate.der());
            assert!(found.any(|found| found.as_ref() == der), "rustls finds it");
        }
    }
});
