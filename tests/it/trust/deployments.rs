//! The ways in which files come to change: links that are swapped, renames, folders, slow writers; for
//! anchors and for lists.

#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use notafter::Timestamp;
use notafter::reload::{
    LostIssuers, ReloadingAnchors, ReloadingCrls, TrustReloadError, TrustReloadSummary,
};

use super::scene::{Scene, at};
use crate::support::pki::{self, Ca};

/// What the files hold.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Anchors,
    Lists,
}

const KINDS: [Kind; 2] = [Kind::Anchors, Kind::Lists];

/// What follows them, whatever it is.
struct Follower {
    poll: Box<dyn Fn(Timestamp) -> TrustReloadSummary>,
    push: Box<dyn Fn(&[u8], Timestamp) -> Result<TrustReloadSummary, TrustReloadError>>,
    reload_now: Box<dyn Fn() -> TrustReloadSummary>,
    /// How many are in force, and how many times others came into force.
    held: Box<dyn Fn() -> (usize, u64)>,
}

impl Kind {
    /// PEM of these roots, or of their lists, which a greater number makes later ones.
    fn of(self, roots: &[&Ca], number: i64) -> String {
        let list = |root: &&Ca| {
            let made = at(number - 100_000);
            pki::pem(
                "X509 CRL",
                &pki::crl_between(root, made, at(30 * 86_400), &[]),
            )
        };
        match self {
            Self::Anchors => Scene::bundle(roots),
            Self::Lists => roots.iter().map(list).collect(),
        }
    }

    fn follow(self, scene: &Scene, path: &Path) -> Follower {
        match self {
            Self::Anchors => {
                let anchors = ReloadingAnchors::builder()
                    .with_path(path)
                    .with_observer(scene.events.clone())
                    .with_clock(scene.clock.clone())
                    .build()
                    .unwrap();
                let [looked_at, pushed_to, reloaded] = [(); 3].map(|()| anchors.clone());
                Follower {
                    poll: Box::new(move |now| looked_at.poll(now)),
                    reload_now: Box::new(move || reloaded.reload_now()),
                    push: Box::new(move |bytes, now| pushed_to.set_bytes("pushed", bytes, now)),
                    held: Box::new(move || (anchors.anchors().len(), anchors.reloads_total())),
                }
            }
            Self::Lists => {
                let lists = ReloadingCrls::builder()
                    .with_path(path)
                    // Each may go, as each anchor may.
                    .with_lost_issuers(LostIssuers::Tell)
                    .with_observer(scene.events.clone())
                    .with_clock(scene.clock.clone())
                    .build()
                    .unwrap();
                let [looked_at, pushed_to, reloaded] = [(); 3].map(|()| lists.clone());
                Follower {
                    poll: Box::new(move |now| looked_at.poll(now)),
                    reload_now: Box::new(move || reloaded.reload_now()),
                    push: Box::new(move |bytes, now| pushed_to.set_bytes("pushed", bytes, now)),
                    held: Box::new(move || (lists.generation().ders.len(), lists.reloads_total())),
                }
            }
        }
    }
}

impl Follower {
    /// Whether others are in force since.
    fn swaps(&self, now: i64) -> bool {
        (self.poll)(at(now)).is_swapped
    }

    fn refuses(&self, now: i64) -> &'static str {
        (self.poll)(at(now)).refused.unwrap().code()
    }

    /// Why it is not taken beside the files, if it is not.
    fn push(&self, bytes: impl AsRef<[u8]>, now: i64) -> Option<&'static str> {
        let pushed = (self.push)(bytes.as_ref(), at(now));
        pushed.err().as_ref().map(TrustReloadError::code)
    }
}

#[test]
fn kubernetes_swaps_the_link_to_the_data() {
    for kind in KINDS {
        let scene = Scene::new();
        let volume = scene.path("volume");
        let put = |version: &str, contents: String| {
            std::fs::create_dir_all(volume.join(version)).unwrap();
            std::fs::write(volume.join(version).join("trusted"), contents).unwrap();
            symlink(version, volume.join("..data_tmp")).unwrap();
            std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
        };
        put("..1", kind.of(&[&scene.a, &scene.b], 1));
        symlink("..data/trusted", volume.join("trusted")).unwrap();
        let by_file = kind.follow(&scene, &volume.join("trusted"));
        put("..2", kind.of(&[&scene.b], 2));
        // As a whole, so that fewer count at once.
        assert!(by_file.swaps(10), "{kind:?}");
        assert_eq!((by_file.held)(), (1, 1), "{kind:?}");
        std::fs::remove_dir_all(volume.join("..1")).unwrap();
        put("..3", kind.of(&[&scene.a, &scene.b], 3));
        assert!(by_file.swaps(11), "{kind:?}");
        assert_eq!((by_file.held)(), (2, 2), "{kind:?}");
        // The same volume looked at as a folder, where each is found once.
        let by_folder = kind.follow(&scene, &volume.join("..data"));
        assert_eq!((by_folder.held)(), (2, 0), "{kind:?}");
        put("..4", kind.of(&[&scene.a], 4));
        assert!(by_folder.swaps(12), "{kind:?}");
        assert_eq!((by_folder.held)(), (1, 1), "{kind:?}");
    }
}

#[test]
fn certbot_moves_the_link_to_the_next_file() {
    for kind in KINDS {
        let scene = Scene::new();
        scene.write("chain1.pem", kind.of(&[&scene.a], 1));
        scene.write("chain2.pem", kind.of(&[&scene.b], 2));
        symlink(scene.path("chain1.pem"), scene.path("chain.pem")).unwrap();
        let follower = kind.follow(&scene, &scene.path("chain.pem"));
        std::fs::remove_file(scene.path("chain.pem")).unwrap();
        // Between the two there is none.
        assert!((follower.poll)(at(5)).refused.is_some(), "{kind:?}");
        assert_eq!((follower.held)(), (1, 0), "{kind:?}");
        symlink(scene.path("chain2.pem"), scene.path("chain.pem")).unwrap();
        assert!(follower.swaps(6), "{kind:?}");
        assert_eq!((follower.held)(), (1, 1), "{kind:?}");
        let told = scene.events.take();
        assert_eq!(told.len(), 1, "{kind:?}: only the swap is told: {told:?}");
    }
}

#[test]
fn a_slow_writer_in_place_takes_nothing_away_meanwhile() {
    for kind in KINDS {
        let scene = Scene::new();
        let roots: Vec<_> = (0..4)
            .map(|n| pki::root(&format!("root {n}"), -100, 3650))
            .collect();
        let before = kind.of(&roots[..3].iter().collect::<Vec<_>>(), 1);
        scene.write("trusted", before);
        let follower = kind.follow(&scene, &scene.path("trusted"));
        let next = kind.of(&[&roots[1], &roots[2], &roots[3]], 2);
        let mut file = std::fs::File::create(scene.path("trusted")).unwrap();
        let mut now = 10;
        // A piece every two seconds, a third of one each.
        for piece in next.as_bytes().chunks(200) {
            assert!(!follower.swaps(now), "{kind:?}: after {now} s");
            assert_eq!((follower.held)(), (3, 0), "{kind:?}");
            file.write_all(piece).unwrap();
            file.flush().unwrap();
            now += 2;
        }
        drop(file);
        assert!(follower.swaps(now), "{kind:?}");
        assert_eq!((follower.held)(), (3, 1), "{kind:?}");
    }
}

#[test]
fn fewer_written_in_place_count_once_the_file_holds_still() {
    for kind in KINDS {
        let scene = Scene::new();
        scene.write("trusted", kind.of(&[&scene.a, &scene.b], 1));
        let follower = kind.follow(&scene, &scene.path("trusted"));
        scene.write("trusted", kind.of(&[&scene.b], 2));
        assert_eq!(follower.refuses(10), "still_written", "{kind:?}");
        assert!(!follower.swaps(19), "{kind:?}");
        assert!(follower.swaps(20), "{kind:?}");
        // As many as before count at once.
        scene.write("trusted", kind.of(&[&scene.a], 3));
        assert!(follower.swaps(30), "{kind:?}");
    }
}

#[test]
fn who_says_that_it_has_been_written_has_it_taken_for_whole() {
    for kind in KINDS {
        let scene = Scene::new();
        scene.write("trusted", kind.of(&[&scene.a, &scene.b], 1));
        let follower = kind.follow(&scene, &scene.path("trusted"));
        scene.write("trusted", kind.of(&[&scene.b], 2));
        assert_eq!(follower.refuses(0), "still_written", "{kind:?}");
        assert!((follower.reload_now)().is_swapped, "{kind:?}");
        scene.events.take();
        // What is bad is told at once.
        scene.write("trusted", "");
        assert!((follower.poll)(at(0)).refused.is_some(), "{kind:?}");
        assert_eq!(scene.events.take(), [], "{kind:?}");
        assert!((follower.reload_now)().refused.is_some(), "{kind:?}");
        assert_eq!(scene.events.take().len(), 1, "{kind:?}");
    }
}

#[test]
fn a_push_does_not_let_a_file_count_that_is_being_written() {
    for kind in KINDS {
        let scene = Scene::new();
        let c = pki::root("root C", -100, 3650);
        scene.write("trusted", kind.of(&[&scene.a, &scene.b], 1));
        let follower = kind.follow(&scene, &scene.path("trusted"));
        assert_eq!(follower.push(kind.of(&[&c], 1), 1), None, "{kind:?}");
        assert_eq!((follower.held)(), (3, 1), "{kind:?}");
        scene.write("trusted", kind.of(&[&scene.b], 2));
        let next = kind.of(&[&pki::root("root D", -100, 3650)], 2);
        let refused = follower.push(&next, 10);
        assert_eq!(refused, Some("still_written"), "{kind:?}");
        assert_eq!((follower.held)(), (3, 1), "{kind:?}");
        // The file is found to be written to at the next look.
        assert_eq!(follower.refuses(11), "still_written", "{kind:?}");
        assert!(follower.swaps(21), "{kind:?}");
        assert_eq!((follower.held)(), (2, 2), "{kind:?}");
        assert_eq!(follower.push(&next, 22), None, "{kind:?}");
        assert_eq!((follower.held)(), (2, 3), "{kind:?}");
    }
}

#[test]
fn after_a_refused_push_a_file_that_is_being_written_is_known_as_such() {
    for kind in KINDS {
        let scene = Scene::new();
        scene.write("trusted", kind.of(&[&scene.a, &scene.b], 1));
        let follower = kind.follow(&scene, &scene.path("trusted"));
        let whole = kind.of(&[&scene.a], 1);
        let cut = &whole[..whole.len() - 100];
        assert!(follower.push(cut, 1).is_some(), "{kind:?}");
        scene.write("trusted", kind.of(&[&scene.b], 2));
        assert_eq!(follower.refuses(10), "still_written", "{kind:?}");
        assert_eq!((follower.held)(), (2, 0), "{kind:?}");
    }
}

#[test]
fn files_come_and_go_in_a_folder() {
    for (kind, nothing) in KINDS.into_iter().zip(["no_anchors", "no_lists"]) {
        let scene = Scene::new();
        std::fs::create_dir(scene.path("folder")).unwrap();
        scene.write("folder/a.pem", kind.of(&[&scene.a], 1));
        scene.write("folder/README", "neither a certificate nor a list");
        let follower = kind.follow(&scene, &scene.path("folder"));
        assert_eq!((follower.held)(), (1, 0), "{kind:?}");
        scene.write("folder/b.pem", kind.of(&[&scene.b], 2));
        assert!(follower.swaps(10), "{kind:?}");
        std::fs::remove_file(scene.path("folder/a.pem")).unwrap();
        assert!(follower.swaps(20), "{kind:?}");
        // In place, in a file that the folder has had all along.
        scene.write("folder/b.pem", kind.of(&[&scene.a], 3));
        assert!(follower.swaps(30), "{kind:?}");
        std::fs::remove_file(scene.path("folder/b.pem")).unwrap();
        assert_eq!(follower.refuses(40), nothing, "{kind:?}");
        assert_eq!((follower.held)(), (1, 3), "{kind:?}");
    }
}

#[test]
fn what_cannot_be_read_in_a_folder_of_lists_is_told_and_what_lies_deeper_counts() {
    let scene = Scene::new();
    std::fs::create_dir_all(scene.path("folder/more")).unwrap();
    let list = |root: &Ca| Kind::Lists.of(&[root], 1);
    scene.write("folder/a.crl", list(&scene.a));
    let lists = Kind::Lists.follow(&scene, &scene.path("folder"));
    // A link to what is not mounted yet.
    symlink(scene.path("mounted"), scene.path("folder/b.crl")).unwrap();
    assert_eq!(lists.refuses(10), "broken_symlink");
    assert_eq!((lists.held)(), (1, 0));
    scene.write("mounted", list(&scene.b));
    assert!(lists.swaps(20));
    assert_eq!((lists.held)(), (2, 1));
    // A folder of folders.
    let c = pki::root("root C", -100, 3650);
    scene.write("folder/more/c.crl", list(&c));
    assert!(lists.swaps(30));
    assert_eq!((lists.held)(), (3, 2));
}
