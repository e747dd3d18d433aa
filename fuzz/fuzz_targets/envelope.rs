#![no_main]
//! Does an envelope that nobody signed ever count, and is JSON refused that two readers read differently?

use libfuzzer_sys::fuzz_target;
use notafter::announce::Envelope;
use notafter_fuzz::announcing::{POOL, accepted, open};
use notafter_fuzz::{NOW, assert_printable};
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    match Envelope::parse(data) {
        Err(error) => assert_printable(&error.to_string()),
        Ok(envelope) => {
            let theirs: Value = serde_json::from_slice(data).expect("what we read is JSON");
            let payload = theirs["payload"].as_str().expect("a text");
            let payload = base64_simd::STANDARD
                .decode_to_vec(payload)
                .expect("base64");
            assert_eq!(envelope.payload(), payload);
            assert_eq!(theirs["payloadType"], Envelope::PAYLOAD_TYPE);
        }
    }
    let (store, _) = open(None, NOW);
    match store.apply(data, NOW) {
        Err(error) => {
            assert_printable(&error.to_string());
            assert_eq!(store.version(), 10);
        }
        // Of other signatures or order, maybe; the payload is one that was signed.
        Ok(_) => {
            let payload = |bytes| {
                Envelope::parse(bytes)
                    .expect("it is read")
                    .payload()
                    .to_vec()
            };
            let ours = POOL
                .iter()
                .filter(|signed| signed.counts)
                .map(|signed| &signed.envelope);
            assert!(ours.into_iter().any(|ours| payload(ours) == payload(data)));
        }
    }
    accepted(&store, NOW);
});
