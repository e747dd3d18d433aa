//! The ways in which files come to change: links that are swapped, renames, folders, slow writers.

#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::fs::symlink;

use notafter::outlook::TrustInForce as _;
use notafter::reload::ReloadingAnchors;

use super::scene::{Scene, at};
use crate::support::pki;

#[test]
fn kubernetes_swaps_the_link_to_the_data() {
    let scene = Scene::new();
    let volume = scene.path("volume");
    let put = |version: &str, bundle: String| {
        std::fs::create_dir_all(volume.join(version)).unwrap();
        std::fs::write(volume.join(version).join("ca.crt"), bundle).unwrap();
        symlink(version, volume.join("..data_tmp")).unwrap();
        std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
    };
    put("..1", Scene::bundle(&[&scene.a, &scene.b]));
    symlink("..data/ca.crt", volume.join("ca.crt")).unwrap();
    let by_file = ReloadingAnchors::builder()
        .with_path(volume.join("ca.crt"))
        .build()
        .unwrap();
    put("..2", Scene::bundle(&[&scene.b]));
    // As a whole, so that fewer anchors count at once.
    assert!(by_file.poll(at(10)).is_swapped);
    assert_eq!(by_file.anchors().len(), 1);
    std::fs::remove_dir_all(volume.join("..1")).unwrap();
    put("..3", Scene::bundle(&[&scene.a, &scene.b]));
    assert!(by_file.poll(at(11)).is_swapped);
    assert_eq!(by_file.generation().epoch, 2);
}

#[test]
fn certbot_moves_the_link_to_the_next_file() {
    let scene = Scene::new();
    scene.write("chain1.pem", Scene::bundle(&[&scene.a]));
    scene.write("chain2.pem", Scene::bundle(&[&scene.b]));
    symlink(scene.path("chain1.pem"), scene.path("ca.pem")).unwrap();
    let anchors = scene.builder().build().unwrap();
    std::fs::remove_file(scene.path("ca.pem")).unwrap();
    // Between the two there is none.
    assert!(anchors.poll(at(5)).refused.is_some());
    symlink(scene.path("chain2.pem"), scene.path("ca.pem")).unwrap();
    assert!(anchors.poll(at(6)).is_swapped);
    let subject = anchors
        .anchors()
        .certificates()
        .next()
        .unwrap()
        .short_name();
    assert_eq!(subject, "root B");
    assert_eq!(scene.events.take().len(), 1, "only the swap is told");
}

#[test]
fn a_slow_writer_in_place_takes_no_anchor_away_meanwhile() {
    let scene = Scene::new();
    let roots: Vec<_> = (0..4)
        .map(|n| pki::root(&format!("root {n}"), -100, 3650))
        .collect();
    let anchors = scene.anchors(&roots[..3].iter().collect::<Vec<_>>());
    let next = Scene::bundle(&[&roots[1], &roots[2], &roots[3]]);
    let mut file = std::fs::File::create(scene.path("ca.pem")).unwrap();
    let mut now = 10;
    // A piece every two seconds, a third of a certificate each.
    for piece in next.as_bytes().chunks(200) {
        let summary = anchors.poll(at(now));
        assert!(!summary.is_swapped, "after {now} s");
        assert_eq!(anchors.anchors().len(), 3);
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        now += 2;
    }
    drop(file);
    assert!(anchors.poll(at(now)).is_swapped);
    assert_eq!(anchors.anchors().len(), 3);
    assert_eq!(anchors.reloads_total(), 1);
}

#[test]
fn fewer_anchors_written_in_place_count_once_the_file_holds_still() {
    let scene = Scene::new();
    let anchors = scene.anchors(&[&scene.a, &scene.b]);
    scene.write("ca.pem", Scene::bundle(&[&scene.b]));
    let refused = anchors.poll(at(10)).refused.unwrap();
    assert_eq!(refused.code(), "still_written");
    assert!(!anchors.poll(at(19)).is_swapped);
    assert!(anchors.poll(at(20)).is_swapped);
    // As many as before count at once.
    scene.write("ca.pem", Scene::bundle(&[&scene.a]));
    assert!(anchors.poll(at(30)).is_swapped);
}

#[test]
fn files_come_and_go_in_a_folder() {
    let scene = Scene::new();
    std::fs::create_dir(scene.path("roots")).unwrap();
    scene.write("roots/a.pem", Scene::bundle(&[&scene.a]));
    scene.write("roots/README", "not a certificate");
    let anchors = ReloadingAnchors::builder()
        .with_path(scene.path("roots"))
        .build()
        .unwrap();
    assert_eq!(anchors.anchors().len(), 1);
    scene.write("roots/b.pem", Scene::bundle(&[&scene.b]));
    assert!(anchors.poll(at(10)).is_swapped);
    std::fs::remove_file(scene.path("roots/a.pem")).unwrap();
    assert!(anchors.poll(at(20)).is_swapped);
    // In place, in a file that the folder has had all along.
    scene.write("roots/b.pem", Scene::bundle(&[&scene.a]));
    assert!(anchors.poll(at(30)).is_swapped);
    std::fs::remove_file(scene.path("roots/b.pem")).unwrap();
    assert_eq!(anchors.poll(at(40)).refused.unwrap().code(), "no_anchors");
    assert_eq!(anchors.anchors().len(), 1);
}
