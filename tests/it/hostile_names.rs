//! Names that others choose, put through everything that is printed: no name writes a line of its
//! own, turns its neighbours around, or says anything to a terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notafter::event::Role;
use notafter::payload::{Alertmanager, CloudEvents};
use notafter::reload::{ReloadingAnchors, ReloadingCrls};
use notafter::self_check::Theme;
use notafter::source::{FailureReason, SourceContents};
use notafter::{
    Event, EventCode, Loader, Monitor, Observer as _, ReloadingKey, SelfCheck, Severity, Target,
    TrustAnchors,
};
use serde_json::Value;

use crate::support::gauges::Gauges;
use crate::support::graph::Dice;
use crate::support::pki::{self, NOW};
use crate::support::tls::{FixedTime, Recorder, ring};

/// What hides, turns around, ends a line, a label or a quotation.
const HOSTILE: [&str; 26] = [
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\u{1b}[2J",
    "\u{1b}]0;x\u{7}",
    "\u{8}",
    "\u{7f}",
    "\u{85}",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{200b}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{e0041}",
    "\"",
    "'",
    "\\",
    "|",
    "=",
    "{",
    "} 1\n",
    "# EOF\n",
];

/// What must be in no text, whatever the names.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0041}')
}

/// Everything that is printed of a world in which everything bears this name.
struct Printed {
    /// Each kind of output, as text whose lines are its own.
    texts: Vec<(&'static str, String)>,
    json: Vec<(&'static str, Value)>,
    folder: String,
}

impl Printed {
    fn text(&mut self, what: &'static str, text: impl ToString) {
        self.texts.push((what, text.to_string()));
    }

    fn json(&mut self, what: &'static str, json: String) {
        self.json.push((what, serde_json::from_str(&json).unwrap()));
        self.text(what, json);
    }

    fn events(&mut self, what: &'static str, recorder: &Recorder) {
        let events = recorder.take();
        assert!(!events.is_empty(), "{what}");
        for event in events {
            self.text(what, &event);
            self.text(what, &event.message);
            self.json(what, event.to_json());
            self.payloads(&event);
        }
    }

    /// What is posted of it.
    fn payloads(&mut self, event: &Event) {
        let cloud_events = CloudEvents::new("/a").unwrap();
        self.json("CloudEvent", cloud_events.body(event));
        let alertmanager = Alertmanager::builder().build().unwrap();
        for body in alertmanager.bodies(event) {
            self.json("alerts", body);
        }
    }
}

struct World {
    name: String,
    folder: PathBuf,
    root: pki::Ca,
    _temporary: tempfile::TempDir,
}

impl World {
    fn new(name: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join(format!("f{name}"));
        std::fs::create_dir(&folder).unwrap();
        let root = pki::root("Root", -1000, 3000);
        let leaf = root.leaf(&["a.example"], -85, 5);
        let world = Self {
            name: name.to_owned(),
            folder,
            root,
            _temporary: temporary,
        };
        world.write("good.pem", pki::pem_bundle([&leaf.der]));
        world.write("bad.pem", pki::pem("CERTIFICATE", b"no certificate"));
        world.write(
            "odd.pem",
            pki::pem(&format!("X {} Y", name.replace(['\n', '\r'], " ")), b"1"),
        );
        let other = world.root.leaf(&["b.example"], -85, 5);
        world.write("other.key", other.key_pair.serialize_pem());
        world
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.name))
    }

    fn write(&self, suffix: &str, contents: String) {
        std::fs::write(self.path(suffix), contents).unwrap();
    }

    fn print(&self) -> Printed {
        let folder = self.folder.to_str().unwrap().to_owned();
        let mut printed = Printed {
            texts: Vec::new(),
            json: Vec::new(),
            folder,
        };
        self.report(&mut printed);
        self.failures(&mut printed);
        self.monitor(&mut printed);
        self.coalesced(&mut printed);
        self.reloads(&mut printed);
        self.events(&mut printed);
        printed
    }

    fn report(&self, printed: &mut Printed) {
        let bad = std::fs::read(self.path("bad.pem")).unwrap();
        let anchors = TrustAnchors::builder()
            .with_certificates([&self.root.der])
            .with_source(&SourceContents::from_bytes(self.name.as_str(), &bad))
            .build();
        let leaf = self.root.leaf(&["a.example"], -85, 5);
        let report = SelfCheck::builder()
            .with_path(&self.folder)
            .with_path(self.path("missing.pem"))
            .with_chain(self.name.as_str(), [leaf.der])
            .with_key_file(self.path("other.key"))
            .with_key_file(self.path("missing.key"))
            .with_expected_name(format!("no name {}", self.name))
            .with_trust_anchors(anchors)
            .with_provider(ring())
            .at(NOW)
            .build()
            .unwrap()
            .run();
        printed.text("text", report.to_text_within(10_000));
        // How many lines these have depends on how long the names are.
        let by_length = [
            report.to_text(),
            report.to_timeline(100),
            report.to_svg(Theme::Light),
        ];
        for text in by_length {
            let dangerous = text.chars().find(|c| is_dangerous(*c) && *c != '\n');
            assert_eq!(dangerous, None, "{text:?}");
        }
        printed.text("nagios", report.to_nagios());
        printed.text("openmetrics", report.to_openmetrics());
        printed.json("report as JSON", report.to_json());
        printed.text("first failure", report.first_failure().unwrap().message);
        for finding in &report.findings {
            printed.text("finding", finding);
            printed.text("finding's message", &finding.message);
        }
        let error = report.into_result().unwrap_err();
        printed.text("failed check", &error);
        printed.text("failed check's Debug", format!("{error:?}"));
    }

    fn failures(&self, printed: &mut Printed) {
        let unreadable =
            SourceContents::unreadable(&self.name, FailureReason::Connection, self.name.as_str());
        for contents in Loader::new().load(&self.folder).iter().chain([&unreadable]) {
            for failure in &contents.failures {
                printed.text("failure", failure);
                printed.text("place", &failure.place);
            }
        }
        let bad = SourceContents::from_bytes(self.name.as_str(), b"-----BEGIN CERTIFICATE-----\n");
        for error in TrustAnchors::builder().with_source(&bad).build().errors() {
            printed.text("anchor", error);
        }
    }

    fn monitor(&self, printed: &mut Printed) {
        let (recorder, gauges) = (Arc::new(Recorder::default()), Gauges::default());
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .with_observer(recorder.clone())
            .with_connector(Arc::new(|endpoint: &str| {
                Err::<Vec<_>, _>(format!("no answer from {endpoint}"))
            }))
            .with_metrics()
            .build()
            .unwrap();
        monitor.watch(self.name.as_str(), Target::from_path(&self.folder));
        monitor.watch(
            format!("{}2", self.name),
            // A hostile host is no name to look for, which is a finding more.
            Target::from_endpoint(format!("{}:443", self.name)).without_expected_name(),
        );
        metrics::with_local_recorder(&gauges, || monitor.tick(NOW));
        printed.events("monitor's event", &recorder);
        let health = monitor.health_at(NOW.saturating_add(6 * 86_400));
        printed.json("health", health.to_json());
        for reason in &health.reasons {
            printed.text("health's reason", &reason.message);
        }
        for series in gauges.series() {
            printed.text("gauge", series);
        }
        std::fs::remove_file(self.path("bad.pem")).unwrap();
        monitor.tick(NOW.saturating_add(120));
        printed.events("recovered", &recorder);
    }

    /// Many at once, each with the name.
    fn coalesced(&self, printed: &mut Printed) {
        let recorder = Arc::new(Recorder::default());
        let monitor = Monitor::builder()
            .with_trust_anchors(pki::anchors([&self.root]))
            .with_provider(ring())
            .with_observer(recorder.clone())
            .build()
            .unwrap();
        let leaf = self.root.leaf(&["a.example"], -85, 5);
        for n in 0..3 {
            let target = Target::from_chain([leaf.der.clone()]);
            monitor.watch(format!("{}{n}", self.name), target);
        }
        monitor.tick(NOW);
        printed.events("coalesced event", &recorder);
    }

    fn reloads(&self, printed: &mut Printed) {
        let clock = Arc::new(FixedTime(pki::now()));
        for (certificates, key) in [
            ("good.pem", "other.key"),
            ("missing.pem", "other.key"),
            ("good.pem", "missing.key"),
            ("good.pem", "good.pem"),
            ("odd.pem", "other.key"),
        ] {
            let key = ReloadingKey::builder()
                .with_pair(self.path(certificates), self.path(key))
                .with_provider(ring())
                .with_clock(clock.clone())
                .build();
            printed.text("key", key.unwrap_err());
        }
        for suffix in ["odd.pem", "missing.pem"] {
            let anchors = ReloadingAnchors::builder()
                .with_path(self.path(suffix))
                .with_clock(clock.clone())
                .build();
            printed.text("anchors", anchors.unwrap_err());
            let lists = ReloadingCrls::builder()
                .with_path(self.path(suffix))
                .with_provider(ring())
                .with_clock(clock.clone())
                .build();
            printed.text("lists", lists.unwrap_err());
        }
    }

    /// What an application makes itself.
    fn events(&self, printed: &mut Printed) {
        let (code, severity) = (EventCode::SourceFailed, Severity::Warning);
        let mut event = Event::new(NOW, code, severity, Role::OwnServer, self.name.as_str())
            .with_source(self.name.clone())
            .with_host(self.name.clone());
        printed.text("own event", &event);
        event.message = self.name.clone();
        printed.text("own event", &event);
        printed.json("own event", event.to_json());
        for (field, value) in traced(&event) {
            printed.text("tracing", format!("{field}={value}"));
        }
    }
}

/// The fields that `tracing` is given.
fn traced(event: &Event) -> BTreeMap<String, String> {
    use std::sync::Mutex;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};

    #[derive(Default, Clone)]
    struct Kept(Arc<Mutex<BTreeMap<String, String>>>);
    struct Fields<'f>(&'f mut BTreeMap<String, String>);
    impl Visit for Fields<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            self.0.insert(field.name().to_owned(), format!("{value:?}"));
        }
        fn record_str(&mut self, field: &Field, value: &str) {
            self.0.insert(field.name().to_owned(), value.to_owned());
        }
    }
    impl tracing::Subscriber for Kept {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target() == "notafter"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            event.record(&mut Fields(&mut self.0.lock().unwrap()));
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }
    let kept = Kept::default();
    tracing::subscriber::with_default(kept.clone(), || {
        notafter::observer::TracingObserver::new().observe(event);
    });
    kept.0.lock().unwrap().clone()
}

/// Each hostile thing alone, and a few dozen mixtures.
fn names() -> Vec<String> {
    let mut dice = Dice::new(7);
    let mut names: Vec<String> = HOSTILE
        .iter()
        .map(|hostile| format!("a{hostile}b"))
        .collect();
    for _ in 0..24 {
        let mut name = String::new();
        for _ in 0..=dice.below(8) {
            let words = ["", "x", "ok: all is well", "2026-01-01T00:00:00Z critical"];
            name += *dice.pick(&HOSTILE);
            name += *dice.pick(&words);
        }
        names.push(name);
    }
    names
}

#[test]
fn no_name_writes_a_line_or_speaks_to_a_terminal() {
    let plain = World::new("plain").print();
    let lines = |text: &str| text.split('\n').count();
    let shape = |printed: &Printed| -> Vec<(&'static str, usize)> {
        printed
            .texts
            .iter()
            .map(|(what, text)| (*what, lines(text)))
            .collect()
    };
    assert!(plain.texts.len() > 70, "{}", plain.texts.len());
    for name in names() {
        let printed = World::new(&name).print();
        for (what, text) in &printed.texts {
            let dangerous = text.chars().find(|c| is_dangerous(*c) && *c != '\n');
            assert_eq!(dangerous, None, "{what} of {name:?}: {text:?}");
        }
        assert_eq!(shape(&printed), shape(&plain), "{name:?}");
        // A script gets the name as it is.
        let (_, report) = &printed.json[0];
        let sources = report["findings"].as_array().unwrap().iter();
        let sources: Vec<_> = sources
            .filter_map(|finding| finding["source"].as_str())
            .collect();
        let bad = format!("{}/{name}.bad.pem", printed.folder);
        assert!(sources.contains(&bad.as_str()), "{name:?}: {sources:?}");
    }
}

#[test]
fn nagios_labels_hold_whatever_the_names() {
    for name in names() {
        let printed = World::new(&name).print();
        let (_, line) = printed
            .texts
            .iter()
            .find(|(what, _)| *what == "nagios")
            .unwrap();
        let (_, data) = line.split_once(" | ").unwrap();
        assert!(!data.contains('|'), "{line}");
        // 'label'=value;warning;critical, where a quote inside is doubled.
        let mut rest = data;
        let mut labels = 0;
        while let Some(quoted) = rest.strip_prefix('\'') {
            let mut end = 0;
            while quoted[end..].starts_with("''") || !quoted[end..].starts_with('\'') {
                end += if quoted[end..].starts_with("''") {
                    2
                } else {
                    quoted[end..].chars().next().unwrap().len_utf8()
                };
            }
            let (_, value) = quoted.split_at(end + 1);
            let value = value.strip_prefix('=').unwrap_or_else(|| panic!("{line}"));
            let (value, after) = value.split_once(' ').unwrap_or((value, ""));
            assert!(value.contains("s;"), "{line}");
            rest = after;
            labels += 1;
        }
        assert!(rest.is_empty() && labels == 2, "{line}");
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_shown() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder
            .path()
            .join(std::ffi::OsStr::from_bytes(b"a\xff\n.pem"));
        std::fs::write(&path, "").unwrap();
        let contents = Loader::new().load_file(Path::new(&path));
        let shown = contents.failures[0].to_string();
        assert!(
            shown.contains("a\u{fffd}\\u{a}.pem: the file is empty"),
            "{shown}"
        );
    }
}
