#![no_main]
//! Does every answer of a CA end in an instant within its window, or in an error that can be printed?

use libfuzzer_sys::fuzz_target;
use notafter::renewal::RenewalInfo;
use notafter_fuzz::{NOW, assert_printable};

fuzz_target!(|data: &[u8]| {
    let Some((number, body)) = data.split_first_chunk::<8>() else {
        return;
    };
    let number = u64::from_le_bytes(*number);
    match RenewalInfo::from_json(body) {
        Err(error) => assert_printable(&error.to_string()),
        Ok(info) => {
            assert!(info.start < info.end);
            let chosen = info.chosen(number);
            assert!(info.start <= chosen && chosen <= info.end);
            assert_eq!(info.chosen(0), info.start);
            assert_eq!(info.chosen(u64::MAX), info.end);
            assert_eq!(info.renew_at(number, NOW), chosen.max(NOW));
            if let Some(url) = &info.explanation_url {
                assert!(url.bytes().all(|byte| byte.is_ascii_graphic()) && url.len() <= 2_048);
            }
        }
    }
    let header = std::str::from_utf8(body).ok();
    let again = RenewalInfo::ask_again_at(header, NOW).seconds_since(NOW);
    let (least, most) = RenewalInfo::RETRY_BOUNDS;
    let again = std::time::Duration::from_secs(u64::try_from(again).unwrap());
    assert!((least..=most).contains(&again));
});
