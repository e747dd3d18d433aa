//! What happens to files.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use notafter::reload::{ReloadBuildError, ReloadError};
use notafter::{EventCode, Severity};

use super::scene::{Scene, at, code, error, serves};
use crate::support::pki;

#[test]
fn a_renewal_is_served_however_it_is_written() {
    let scene = Scene::new();
    let leaves: Vec<_> = (0..4).map(|n| scene.leaf(-10 + n, 80 + n)).collect();
    scene.deploy(&leaves[0]);
    let key = scene.key();
    assert!(serves(&key, &leaves[0]));
    assert_eq!(key.poll(at(1)).swapped, 0);

    scene.deploy_by_rename(&leaves[1]);
    assert_eq!(key.poll(at(10)).swapped, 1);
    assert!(serves(&key, &leaves[1]));
    let event = scene.told_once(EventCode::ReloadSucceeded);
    assert_eq!(event.severity, Severity::Info);
    let file = scene.path("tls.crt").display().to_string();
    let expected = format!("{file}: 'a.example' is served from now on, until 2026-03-23T00:00:00Z");
    assert_eq!((event.message, event.source), (expected, Some(file)));

    // In place, twice within one tick of the file system's clock.
    scene.deploy(&leaves[2]);
    assert_eq!(key.poll(at(20)).swapped, 1);
    scene.deploy(&leaves[3]);
    assert_eq!(key.poll(at(21)).swapped, 1);
    assert!(serves(&key, &leaves[3]));
    assert_eq!((key.reloads_total(), key.reload_failures_total()), (3, 0));
    assert_eq!((key.stale_since(), key.last_polled()), (None, at(21)));
}

#[test]
fn kubernetes_swaps_a_link() {
    let scene = Scene::new();
    let (first, second) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    for (folder, leaf) in [("..one", &first), ("..two", &second)] {
        fs::create_dir(scene.path(folder)).unwrap();
        scene.write(&format!("{folder}/tls.crt"), scene.chain(leaf));
        scene.write(&format!("{folder}/tls.key"), leaf.key_pair.serialize_pem());
    }
    symlink("..one", scene.path("..data")).unwrap();
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), scene.path(name)).unwrap();
    }
    let key = scene.key();
    assert!(serves(&key, &first));
    // Long after the last change, so that metadata alone must show it.
    key.poll(at(30));
    symlink("..two", scene.path("..data_tmp")).unwrap();
    fs::rename(scene.path("..data_tmp"), scene.path("..data")).unwrap();
    fs::remove_dir_all(scene.path("..one")).unwrap();
    assert_eq!(key.poll(at(40)).swapped, 1);
    assert!(serves(&key, &second));
    assert_eq!(key.reload_failures_total(), 0);
}

#[test]
fn certificate_and_key_may_come_apart() {
    for certificate_first in [true, false] {
        let scene = Scene::new();
        let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
        scene.deploy(&old);
        let key = scene.key();
        let parts = [
            ("tls.crt", scene.chain(&new)),
            ("tls.key", new.key_pair.serialize_pem()),
        ];
        let (first, second) = if certificate_first {
            (&parts[0], &parts[1])
        } else {
            (&parts[1], &parts[0])
        };
        scene.write(first.0, &first.1);
        for seconds in [1, 5, 10] {
            assert_eq!(code(&key.poll(at(seconds))), "key_mismatch");
            assert!(serves(&key, &old));
        }
        // Half-written for nine seconds: nobody is woken.
        assert_eq!(key.reload_failures_total(), 0);
        assert!(scene.told().is_empty());
        assert_eq!(key.stale_since(), Some(at(1)));
        scene.write(second.0, &second.1);
        assert_eq!(key.poll(at(10)).swapped, 1);
        assert!(serves(&key, &new));
        assert_eq!(key.stale_since(), None);
        assert_eq!(scene.told(), ["reload_succeeded"]);
    }
}

#[test]
fn a_failure_that_lasts_is_told_until_it_is_fixed() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    scene.write("tls.crt", scene.chain(&new));
    key.poll(at(1));
    key.poll(at(10));
    assert!(scene.told().is_empty());
    key.poll(at(11));
    let event = scene.told_once(EventCode::ReloadFailed);
    assert_eq!(event.severity, Severity::Warning);
    let (crt, key_file) = (scene.path("tls.crt"), scene.path("tls.key"));
    assert_eq!(
        event.message,
        format!(
            "the private key {} does not belong to the leaf in {}: deploy certificate and key of the \
             same order together; 'a.example', which was loaded at 2026-01-01T00:00:00Z, is served \
             on, until 2026-03-22T00:00:00Z",
            key_file.display(),
            crt.display()
        )
    );
    // Counted once, told daily.
    for seconds in [12, 3_600, 86_410] {
        key.poll(at(seconds));
    }
    assert!(scene.told().is_empty());
    key.poll(at(86_411));
    assert_eq!(scene.told(), ["reload_failed"]);
    assert_eq!(key.reload_failures_total(), 1);
    // Ten days before the end of what is served it is critical, and told hourly.
    key.poll(at(71 * 86_400));
    key.poll(at(71 * 86_400 + 3_600));
    let events = scene.events.take();
    let severities: Vec<_> = events.iter().map(|event| event.severity).collect();
    assert_eq!(severities, [Severity::Critical; 2]);
    assert_eq!(key.stale_since(), Some(at(1)));
    // The old certificate comes back: nothing to load, and no longer a failure.
    scene.write("tls.crt", scene.chain(&old));
    key.poll(at(71 * 86_400 + 3_601));
    assert_eq!(scene.told(), ["reload_recovered"]);
    assert_eq!((key.reloads_total(), key.stale_since()), (0, None));
    // A second failure is news again.
    scene.write("tls.key", "");
    key.poll(at(72 * 86_400));
    key.poll(at(72 * 86_400 + 10));
    assert_eq!(scene.told(), ["reload_failed"]);
    assert_eq!(key.reload_failures_total(), 2);
}

#[test]
fn what_cannot_be_read_leaves_the_good_pair_served() {
    let cases: [(&str, &str, fn(&Scene)); 10] = [
        ("certificate removed", "not_found", |s| {
            fs::remove_file(s.path("tls.crt")).unwrap();
        }),
        ("key removed", "not_found", |s| {
            fs::remove_file(s.path("tls.key")).unwrap();
        }),
        ("a folder", "not_a_file", |s| {
            fs::remove_file(s.path("tls.crt")).unwrap();
            fs::create_dir(s.path("tls.crt")).unwrap();
        }),
        ("key a folder", "not_a_file", |s| {
            fs::remove_file(s.path("tls.key")).unwrap();
            fs::create_dir(s.path("tls.key")).unwrap();
        }),
        ("a dangling link", "broken_symlink", |s| {
            fs::remove_file(s.path("tls.crt")).unwrap();
            symlink("nowhere", s.path("tls.crt")).unwrap();
        }),
        ("a link to itself", "io", |s| {
            fs::remove_file(s.path("tls.crt")).unwrap();
            symlink("tls.crt", s.path("tls.crt")).unwrap();
        }),
        ("empty", "no_certificate_found", |s| s.write("tls.crt", "")),
        ("key empty", "key_unreadable", |s| s.write("tls.key", "")),
        ("far too large", "too_large", |s| {
            s.write("tls.crt", vec![b'\n'; 1024 * 1024 + 1]);
        }),
        ("key encrypted", "key_unreadable", |s| {
            s.write("tls.key", pki::pem("ENCRYPTED PRIVATE KEY", b"0000"));
        }),
    ];
    for (what, expected, break_it) in cases {
        let scene = Scene::new();
        let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
        scene.deploy(&old);
        let key = scene.key();
        break_it(&scene);
        assert_eq!(code(&key.poll(at(1))), expected, "{what}");
        key.poll(at(11));
        assert_eq!(scene.told(), ["reload_failed"], "{what}");
        assert!(serves(&key, &old), "{what}");
        assert_eq!(key.served()[0].error.as_ref().unwrap().code(), expected);
        for name in ["tls.crt", "tls.key"] {
            let path = scene.path(name);
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
        }
        scene.deploy_by_rename(&new);
        assert_eq!(key.poll(at(20)).swapped, 1, "{what}");
        assert_eq!(scene.told(), ["reload_succeeded"], "{what}");
    }
}

#[test]
fn a_file_of_a_pair_has_one_mib_at_the_most() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    scene.deploy(&new);
    let chain = scene.chain(&new);
    let long = |bytes: usize| chain.clone() + &"#".repeat(bytes - chain.len());
    scene.write("tls.crt", long((1 << 20) + 1));
    let refused = key.poll(at(10)).refused;
    assert_eq!(refused[0].code(), "too_large", "{}", refused[0]);
    assert!(serves(&key, &old));
    scene.write("tls.crt", long(1 << 20));
    assert_eq!(key.poll(at(20)).swapped, 1);
    assert!(serves(&key, &new));
}

#[test]
fn a_file_that_may_not_be_read_is_said_to_be_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let leaf = scene.leaf(-10, 80);
    scene.deploy(&leaf);
    let key = scene.key();
    key.poll(at(30));
    fs::set_permissions(scene.path("tls.key"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(scene.path("tls.key")).is_ok() {
        // The superuser may read everything: then nothing has changed.
        assert_eq!(code(&key.poll(at(40))), "");
        return;
    }
    assert_eq!(code(&key.poll(at(40))), "permission_denied");
    assert!(serves(&key, &leaf));
}

#[test]
fn truncation_at_every_byte_never_replaces_a_good_pair() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    let (chain, private) = (scene.chain(&new), new.key_pair.serialize_pem());
    // The line ends after the last line are nobody's.
    let whole = |text: &str| text.trim_end().len();
    scene.write("tls.key", &private);
    let (mut seconds, mut missing_issuer) = (0, 0);
    for length in 0..whole(&chain) {
        scene.write("tls.crt", &chain[..length]);
        seconds += 1;
        let summary = key.poll(at(seconds));
        assert_eq!(summary.swapped, 0, "{length}: {summary:?}");
        missing_issuer += usize::from(code(&summary) == "issuer_missing");
    }
    // A file that ends between two certificates, or within the next one's BEGIN line.
    assert!((2..=40).contains(&missing_issuer), "{missing_issuer}");
    scene.write("tls.crt", &chain);
    assert_eq!(key.poll(at(seconds)).swapped, 1);
    assert!(serves(&key, &new));
    let key = {
        scene.deploy(&old);
        scene.key()
    };
    scene.write("tls.crt", &chain);
    for length in 0..whole(&private) {
        scene.write("tls.key", &private[..length]);
        seconds += 1;
        let summary = key.poll(at(seconds));
        assert_eq!(summary.swapped, 0, "{length}: {summary:?}");
        assert!(
            matches!(error(&summary), ReloadError::KeyUnreadable { .. }),
            "{length}: {summary:?}"
        );
        assert!(!error(&summary).to_string().contains(&private[40..60]));
    }
    scene.write("tls.key", &private);
    assert_eq!(key.poll(at(seconds + 1)).swapped, 1);
    assert!(serves(&key, &new));
}

#[test]
fn nothing_starts_without_a_good_pair() {
    let scene = Scene::new();
    let start = || {
        let builder = scene.builder();
        builder
            .with_pair(scene.path("tls.crt"), scene.path("tls.key"))
            .build()
    };
    let refusal = |expected: &str| match start() {
        Err(ReloadBuildError::Pair { error }) => {
            assert_eq!(error.code(), expected);
            error.to_string()
        }
        other => panic!("{expected}: {other:?}"),
    };
    refusal("not_found");
    scene.deploy(&scene.leaf(-90, -1));
    assert!(refusal("expired").contains("expired at 2025-12-31T00:00:00Z, 1 d ago"));
    scene.deploy(&scene.leaf(1, 90));
    assert!(refusal("not_yet_valid").contains("not valid before 2026-01-02T00:00:00Z, in 1 d"));
    scene.deploy(&scene.leaf(-1, 90));
    assert!(start().is_ok());
    assert!(matches!(
        scene.builder().build(),
        Err(ReloadBuildError::NoPair)
    ));
}

#[test]
fn the_thread_reloads_and_stops() {
    let scene = Scene::new();
    let (old, new) = (scene.leaf(-10, 80), scene.leaf(-1, 89));
    scene.deploy(&old);
    let key = scene.key();
    let thread = key.spawn(Duration::from_millis(5)).unwrap();
    *scene.clock.0.lock().unwrap() = at(60);
    scene.deploy_by_rename(&new);
    for _ in 0..4_000 {
        if key.reloads_total() == 1 {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(serves(&key, &new));
    assert_eq!(key.last_polled(), at(60));
    thread.stop();
    scene.deploy_by_rename(&old);
    let polled = key.last_polled();
    *scene.clock.0.lock().unwrap() = at(600);
    assert_eq!(key.last_polled(), polled);

    // It ends with its key, too.
    let thread = key.spawn(Duration::from_millis(5)).unwrap();
    drop(key);
    for _ in 0..4_000 {
        if thread.is_finished() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the thread outlives its key");
}
