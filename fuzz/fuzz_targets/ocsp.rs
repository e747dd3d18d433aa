#![no_main]
//! Does no staple that its issuer did not sign say anything, and do the same bytes always say the same?

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use notafter::revocation::{StapleCache, StapleJudge, StapleStatus};
use notafter::source::SourceContents;
use notafter::{Certificate, Timestamp};
use notafter_fuzz::{algorithms, assert_printable};

struct Scene {
    leaf: Certificate,
    issuer: Certificate,
    genuine: &'static [u8],
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let read = |pem: &[u8]| {
        let mut contents = SourceContents::from_bytes("", pem);
        contents.certificates.remove(0).certificate
    };
    Scene {
        leaf: read(include_bytes!("../../tests/data/staples/leaf.pem")),
        issuer: read(include_bytes!("../../tests/data/staples/issuer.pem")),
        genuine: include_bytes!("../../tests/data/staples/good.der"),
    }
});

fuzz_target!(|data: &[u8]| {
    let Some((day, staple)) = data.split_first() else {
        return;
    };
    let Scene {
        leaf,
        issuer,
        genuine,
    } = &*SCENE;
    let start: Timestamp = "2025-12-25T00:00:00Z".parse().expect("a date");
    let now = start.saturating_add(i64::from(*day) * 43_200);
    let outlook = StapleJudge::new().judge(staple, leaf, issuer, algorithms(), now);
    assert_printable(&outlook.to_string());
    assert_printable(&format!("{outlook:?}"));
    if outlook.status.is_authentic() {
        // The signed bytes are those of the one response that this issuer ever signed.
        let mut windows = genuine.windows(64);
        assert!(windows.any(|signature| staple.windows(64).any(|other| other == signature)));
    }
    if let StapleStatus::Good { until } = outlook.status {
        assert!(now <= until && outlook.good_until() == Some(until));
    }
    assert_eq!(
        outlook,
        StapleJudge::new().judge(staple, leaf, issuer, algorithms(), now)
    );
    let stricter = StapleJudge::new()
        .with_max_age(std::time::Duration::from_secs(86_400))
        .judge(staple, leaf, issuer, algorithms(), now);
    assert!(
        outlook.is_good() || !stricter.is_good(),
        "a bound made it better"
    );
    let cache = StapleCache::new(4);
    let _ = cache.offer(leaf.fingerprint(), staple, &outlook, now);
    assert_eq!(
        cache.get(leaf.fingerprint(), now).is_some(),
        outlook.is_good()
    );
});
