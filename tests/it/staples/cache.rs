//! The cache of last good staples.

use std::sync::Arc;

use notafter::Timestamp;
use notafter::revocation::{StapleCache, StapleOffer};
use x509_cert::ext::pkix::CrlReason;

use super::scene::Scene;
use crate::support::ocsp::{good, revoked, unknown};
use crate::support::pki::{NOW, days};

#[test]
fn the_freshest_statement_that_verified_rules() {
    let scene = Scene::new();
    let cache = StapleCache::default();
    let fingerprint = scene.leaf.fingerprint();
    let mint = |status, from, to| scene.staple(vec![scene.answer(status, days(from), days(to))]);
    let offer = |bytes: &[u8], now: Timestamp| {
        cache.offer(fingerprint, bytes, &scene.judge(bytes, now), now)
    };
    let first = mint(good(), 0, 7);
    let second = mint(good(), 2, 9);
    let revocation = mint(revoked(days(3), Some(CrlReason::Superseded)), 3, 10);
    assert_eq!(offer(&first, days(0)), StapleOffer::Kept);
    assert_eq!(offer(&first, days(1)), StapleOffer::NotFresher);
    assert_eq!(cache.get(fingerprint, days(7)).as_deref(), Some(&*first));
    assert_eq!(cache.good_until(fingerprint), Some(days(7)));
    let too_late = days(7).saturating_add(1);
    assert_eq!(cache.get(fingerprint, too_late), None);
    assert_eq!(
        cache.get(fingerprint, days(-1)),
        None,
        "the clock was set back"
    );

    assert_eq!(offer(&second, days(2)), StapleOffer::Kept);
    assert_eq!(offer(&first, days(2)), StapleOffer::NotFresher);
    let nothing_good = [
        Vec::new(),
        b"<html>".to_vec(),
        vec![0x30, 0x03, 0x0a, 0x01, 0x03],
        mint(unknown(), 3, 10),
        mint(good(), 3, 3),
        mint(good(), 20, 30),
    ];
    for bytes in nothing_good {
        assert_eq!(offer(&bytes, days(4)), StapleOffer::NotGood);
    }
    assert_eq!(cache.get(fingerprint, days(4)).as_deref(), Some(&*second));

    assert_eq!(offer(&revocation, days(4)), StapleOffer::Revoked);
    assert_eq!(cache.get(fingerprint, days(4)), None);
    assert_eq!(cache.good_until(fingerprint), None);
    assert_eq!(cache.revocation(fingerprint).unwrap().code(), "revoked");
    assert_eq!(offer(&second, days(4)), StapleOffer::NotFresher);
    assert_eq!(
        offer(&mint(good(), 3, 10), days(4)),
        StapleOffer::NotFresher
    );
    // The CA takes it back: as after a wrong answer for everyone, or the end of a hold.
    let restored = mint(good(), 5, 12);
    assert_eq!(offer(&restored, days(5)), StapleOffer::Kept);
    assert_eq!(cache.revocation(fingerprint), None);
    // An older revocation does not come back, one as fresh as the good answer does.
    assert_eq!(offer(&revocation, days(5)), StapleOffer::NotFresher);
    let tie = mint(revoked(days(5), None), 5, 12);
    assert_eq!(offer(&tie, days(5)), StapleOffer::Revoked);

    assert!(cache.remove(fingerprint) && !cache.remove(fingerprint));
    assert_eq!(offer(&first, days(1)), StapleOffer::Kept);
    assert_eq!(cache.len(), 1);
    cache.flush();
    assert!(cache.is_empty() && cache.get(fingerprint, days(1)).is_none());
}

#[test]
fn an_outlook_counts_for_its_own_bytes_and_leaf_only() {
    let scene = Scene::new();
    let cache = StapleCache::default();
    let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
    let outlook = scene.judge(&staple, NOW);
    let other = scene.issuer.fingerprint();
    let offers = [
        cache.offer(other, &staple, &outlook, NOW),
        cache.offer(scene.leaf.fingerprint(), b"other", &outlook, NOW),
    ];
    assert_eq!(offers, [StapleOffer::NotTheJudgedOne; 2]);
    // Judged in time, offered too late.
    let offer = cache.offer(scene.leaf.fingerprint(), &staple, &outlook, days(8));
    assert_eq!(offer, StapleOffer::NotGood);
    assert!(cache.is_empty());
}

#[test]
fn it_is_bounded_and_shared() {
    let cache = Arc::new(StapleCache::new(2));
    let scenes: Vec<_> = (0..3).map(|_| Scene::new()).collect();
    let threads: Vec<_> = scenes
        .into_iter()
        .map(|scene| {
            let cache = Arc::clone(&cache);
            std::thread::spawn(move || {
                let staple = scene.staple(vec![scene.answer(good(), days(0), days(7))]);
                let outlook = scene.judge(&staple, NOW);
                cache.offer(scene.leaf.fingerprint(), &staple, &outlook, NOW)
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), StapleOffer::Kept);
    }
    assert_eq!(cache.len(), 2);
    assert!(!StapleCache::new(0).remove(notafter::cert::Sha256Digest::of(b"")));
}
