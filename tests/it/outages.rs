//! Known outages, replayed: which event would have come, how many days ahead. `docs/OUTAGES.md` shows
//! exactly what comes out here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use notafter::event::Role;
use notafter::revocation::{StapleCache, StapleJudge, StapleOffer};
use notafter::{Event, Loader, Monitor, ReloadingKey, Target, Timestamp, TrustAnchors};
use rustls::pki_types::CertificateDer;

use crate::support::corpora;
use crate::support::ocsp::{self, Hash};
use crate::support::pki::{self, Ca, NOW};
use crate::support::tls::{Recorder, SetTime, ring};

const DAY: i64 = 86_400;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The midnight that begins a date, in days from NOW, as certificates are minted.
fn day(date: &str) -> i64 {
    at(&format!("{date}T00:00:00Z")).seconds_since(NOW) / DAY
}

/// What was told, each kind and severity once, with how long before the outage.
struct Story {
    outage: Timestamp,
    lines: Vec<String>,
    seen: BTreeSet<(String, &'static str, &'static str)>,
    events: usize,
}

impl Story {
    fn until(outage: Timestamp) -> Self {
        Self {
            outage,
            lines: Vec::new(),
            seen: BTreeSet::new(),
            events: 0,
        }
    }

    fn tell(&mut self, events: Vec<Event>) {
        for event in events {
            self.events += 1;
            let who = event.source.as_deref().unwrap_or_default().to_owned();
            if self
                .seen
                .insert((who, event.code.as_str(), event.severity.as_str()))
            {
                let ahead = self.outage.seconds_since(event.at) / DAY;
                let when = match ahead {
                    1.. => format!("{ahead} d ahead"),
                    0 => "at the outage".to_owned(),
                    _ => format!("{} d after", -ahead),
                };
                self.lines.push(format!("{when:>14}: {event}"));
            }
        }
    }

    /// The page shows exactly these lines.
    fn is_in_the_page(&self) {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OUTAGES.md"));
        let told = self.lines.join("\n");
        assert!(!told.is_empty());
        let block = format!("```text\n{told}\n```");
        assert!(
            page.unwrap_or_default().contains(&block),
            "docs/OUTAGES.md does not show:\n{block}"
        );
    }
}

/// A monitor that is ticked whenever it asks to be, from one instant to another.
struct Watch {
    monitor: Arc<Monitor>,
    recorder: Arc<Recorder>,
}

impl Watch {
    fn new(anchors: TrustAnchors) -> Self {
        let recorder = Arc::new(Recorder::default());
        let monitor = Monitor::builder()
            .with_trust_anchors(anchors)
            .with_provider(ring())
            .with_observer(recorder.clone())
            .with_interval(Duration::from_secs(86_400))
            .with_jitter_seed(1)
            .build()
            .unwrap();
        Self { monitor, recorder }
    }

    fn chain(self, name: &str, chain: Vec<CertificateDer<'static>>, role: Role) -> Self {
        self.monitor
            .watch(name, Target::from_chain(chain).with_role(role));
        self
    }

    fn replay(&self, story: &mut Story, from: Timestamp, until: Timestamp) {
        let mut now = from;
        while now <= until {
            let next = self.monitor.tick(now);
            story.tell(self.recorder.take());
            now = next.max(now.saturating_add(1));
        }
    }
}

fn real(incident: &str, files: &[&str]) -> Vec<CertificateDer<'static>> {
    let folder = corpora::data("incidents").join(incident).join("certs");
    let load = |file: &&str| Loader::new().load_file(folder.join(file)).certificates;
    let found = files.iter().flat_map(load);
    found.map(|found| found.certificate.der().clone()).collect()
}

fn trusted(ders: &[CertificateDer<'static>]) -> TrustAnchors {
    TrustAnchors::builder().with_certificates(ders).build()
}

#[test]
fn ericsson_2018_a_certificate_in_shipped_software() {
    let root = pki::root("Vendor Root", day("2010-01-01"), day("2040-01-01"));
    let (from, to) = (day("2016-12-06"), day("2018-12-06"));
    let shipped = root.leaf(&["mme.vendor.example"], from, to);
    let outage = at("2018-12-06T00:00:01Z");
    let mut story = Story::until(outage);
    Watch::new(pki::anchors([&root]))
        .chain("in the release", vec![shipped.der], Role::OwnClient)
        .replay(&mut story, at("2018-01-01T00:00:00Z"), outage);
    story.is_in_the_page();
}

#[test]
fn megaphone_2022_a_leaf_that_nobody_renewed() {
    let root = pki::root("Public Root", day("2015-01-01"), day("2035-01-01"));
    let issuing = root.intermediate("Issuing CA", day("2018-01-01"), day("2030-01-01"));
    let (from, to) = (day("2021-04-30"), day("2022-05-31"));
    let leaf = issuing.leaf(&["cms.podcasts.example"], from, to);
    let outage = at("2022-05-31T00:00:01Z");
    let mut story = Story::until(outage);
    let watch = Watch::new(pki::anchors([&root])).chain(
        "tls.crt",
        vec![leaf.der, issuing.der.clone()],
        Role::OwnServer,
    );
    watch.replay(&mut story, at("2022-01-01T00:00:00Z"), outage);
    story.is_in_the_page();
    let before = story.events;
    // The outage lasted for eight hours; hourly, until somebody acts.
    watch.replay(&mut story, outage, outage.saturating_add(8 * 3_600));
    assert_eq!(story.events - before, 8);
}

#[test]
fn addtrust_2020_one_of_two_paths() {
    let incident = "addtrust-2020-comodo-rsa";
    let chain = real(
        incident,
        &[
            "leaf.pem",
            "comodo-rsa-ov.pem",
            "comodo-rsa-ca-by-addtrust.pem",
        ],
    );
    let outage = at("2020-05-30T10:48:39Z");
    let mut story = Story::until(outage);
    let old = trusted(&real(incident, &["addtrust-root.pem"]));
    Watch::new(old)
        .chain("tls.crt", chain, Role::OwnServer)
        .replay(&mut story, at("2019-06-01T00:00:00Z"), outage);
    story.is_in_the_page();
}

#[test]
fn dst_root_x3_2021_a_root_that_only_some_look_at() {
    let incident = "dst-root-x3-2021";
    let outage = at("2021-09-30T14:01:16Z");
    let mut story = Story::until(outage);
    let root = trusted(&real(incident, &["dst-x3-root.pem"]));
    let watch = Watch::new(root.clone());
    watch.monitor.watch("anchors", Target::from_anchors(root));
    watch.replay(&mut story, at("2021-01-01T00:00:00Z"), outage);
    story.is_in_the_page();
}

#[test]
fn vedge_2023_an_intermediate_on_the_device() {
    let root = pki::root("Device Root", day("2013-01-01"), day("2043-01-01"));
    let (from, to) = (day("2013-05-09"), day("2023-05-09"));
    let issuing = root.intermediate("Device Issuing CA", from, to);
    let device = issuing.leaf(&["vedge.example"], day("2015-01-01"), day("2035-01-01"));
    let outage = at("2023-05-09T00:00:01Z");
    let mut story = Story::until(outage);
    Watch::new(pki::anchors([&root]))
        .chain(
            "device.crt",
            vec![device.der, issuing.der.clone()],
            Role::OwnClient,
        )
        .replay(&mut story, at("2022-01-01T00:00:00Z"), outage);
    story.is_in_the_page();
}

/// The new certificate lay there for weeks; it was never served.
#[test]
fn azure_2013_renewed_but_not_deployed() {
    let root = pki::root("Public Root", day("2005-01-01"), day("2035-01-01"));
    let names = &["storage.example"][..];
    let served = root.leaf(names, day("2011-02-22"), day("2013-02-22"));
    let renewed = root.leaf(names, day("2013-01-20"), day("2015-01-20"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("tls.crt"), pki::pem("CERTIFICATE", &served.der)).unwrap();
    std::fs::write(file("tls.key"), served.key_pair.serialize_pem()).unwrap();
    let clock = SetTime::at(at("2013-01-01T00:00:00Z"));
    let key = ReloadingKey::builder()
        .with_files(notafter::reload::KeyFiles::new(
            file("tls.crt"),
            file("tls.key"),
        ))
        .with_provider(ring())
        .with_trust_anchors(pki::anchors([&root]))
        .with_clock(clock.clone())
        .build()
        .unwrap();
    let outage = at("2013-02-22T00:00:01Z");
    let mut story = Story::until(outage);
    let watch = Watch::new(pki::anchors([&root]));
    watch
        .monitor
        .watch("served", Target::from_watched(key.clone()));
    let mut now = at("2013-01-01T00:00:00Z");
    while now <= outage {
        if now == at("2013-01-22T00:00:00Z") {
            // Somebody renewed, and left the key elsewhere.
            std::fs::write(file("tls.crt"), pki::pem("CERTIFICATE", &renewed.der)).unwrap();
        }
        clock.set(now);
        key.poll(now);
        watch.monitor.tick(now);
        story.tell(watch.recorder.take());
        now = now.saturating_add(3_600);
    }
    for line in &mut story.lines {
        *line = line.replace(folder.path().to_str().unwrap(), "/etc/service");
    }
    story.is_in_the_page();
}

#[test]
fn globalsign_2016_a_wrong_status_that_caches_kept() {
    let root = pki::root("Public Root", day("2010-01-01"), day("2035-01-01"));
    let leaf = root.leaf(&["shop.example"], day("2016-06-01"), day("2017-06-01"));
    let pair = (&leaf.certificate(), &root.certificate());
    let staple = |status, from: &str, to: &str| {
        let dates = (at(from), Some(at(to)));
        let answer = ocsp::answer(pair, Hash::Sha1, status, dates);
        let data = ocsp::data(ocsp::by_key(pair.1), at(from), vec![answer]);
        ocsp::signed(data, root.key(), &[])
    };
    let outage = at("2016-10-13T11:00:00Z");
    let wrong = ocsp::revoked(outage, None);
    let wrong = staple(wrong, "2016-10-13T11:00:00Z", "2016-10-17T11:00:00Z");
    let mut story = Story::until(outage);
    let watch = Watch::new(pki::anchors([&root]));
    let served = Target::from_chain([leaf.der.clone()]).with_staple(wrong.clone());
    watch.monitor.watch("tls.crt", served);
    watch.replay(&mut story, outage, outage.saturating_add(60));
    story.is_in_the_page();

    // What a cache holds for four days can be taken away, and a right answer of before served again.
    let (cache, now) = (StapleCache::new(8), outage.saturating_add(60));
    let offer = |bytes: &[u8]| {
        let algorithms = ring().signature_verification_algorithms.all;
        let outlook = StapleJudge::new().judge(bytes, pair.0, pair.1, algorithms, now);
        cache.offer(pair.0.fingerprint(), bytes, &outlook, now)
    };
    let right = staple(ocsp::good(), "2016-10-13T10:00:00Z", "2016-10-17T10:00:00Z");
    assert_eq!(offer(&wrong), StapleOffer::Revoked);
    assert_eq!(offer(&right), StapleOffer::NotFresher);
    cache.flush();
    assert_eq!(offer(&right), StapleOffer::Kept);
    assert!(cache.get(pair.0.fingerprint(), now).is_some());
}

#[test]
fn equifax_2017_a_monitor_that_had_itself_gone_blind() {
    let root: Ca = pki::root("Inspection Root", day("2010-01-01"), day("2035-01-01"));
    let leaf = root.leaf(&["inspect.example"], day("2015-01-31"), day("2016-01-31"));
    let expired = at("2016-01-31T00:00:01Z");
    let mut story = Story::until(expired);
    let watch =
        Watch::new(pki::anchors([&root])).chain("device.crt", vec![leaf.der], Role::OwnServer);
    watch.replay(&mut story, at("2015-12-01T00:00:00Z"), expired);
    let before = story.events;
    // For 19 months nobody looked: it says so every hour.
    let found = at("2017-07-29T00:00:00Z");
    watch.replay(&mut story, expired, found);
    assert_eq!(story.events - before, 13_079);
    // And where the monitor itself stands still, readiness says so, and the heartbeat is as old.
    let health = watch.monitor.health_at(found.saturating_add(30 * DAY));
    let mut reasons = health.reasons.iter();
    let overdue = reasons.find(|reason| reason.code == "evaluation_overdue");
    let overdue = overdue.unwrap();
    story
        .lines
        .push(format!("readiness: {}: {}", overdue.code, overdue.message));
    story.is_in_the_page();
}
