//! The alerts over whole lives of certificates, from the numbers that the library itself shows: a
//! monitor is ticked through them, and Prometheus's own rule tester is given its series.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use notafter::outlook::Position;
use notafter::time::Validity;
use notafter::{Band, Monitor, Target, ThresholdPolicy, Timestamp};

use super::exported::Exported;
use super::kit;
use crate::support::pki::{self, Ca};
use crate::support::promtool::{is_there, promtool};
use crate::support::tls::ring;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// The rule tester begins in 1970, and so does this.
const START_IN_DAYS: i64 = -20_454;

/// How a life goes.
#[derive(Clone, Copy)]
enum Fate {
    /// Renewed and reloaded so many seconds after it is due, again and again.
    Renewed(i64),
    /// Not renewed.
    Forgotten,
    /// Renewed on disk, and not reloaded.
    NotServed,
    /// The monitor stands from this second on.
    Blind(i64),
    /// The service is gone from this second on.
    Gone(i64),
}

struct Life {
    seconds: i64,
    step: i64,
    fate: Fate,
}

impl Life {
    fn due(&self) -> i64 {
        self.before_end(Band::Due)
    }

    /// How long before its end a band begins.
    fn before_end(&self, band: Band) -> i64 {
        let at = Timestamp::from_unix_seconds;
        let validity = Validity {
            not_before: at(0),
            not_after: at(self.seconds),
        };
        let policy = ThresholdPolicy::default();
        policy
            .threshold_seconds(band, validity, Position::Leaf)
            .unwrap()
    }

    /// What the tester reads: the series of a monitor through this life, and then `asked`.
    fn test(&self, asked: &str) -> String {
        let root = pki::root("Root", START_IN_DAYS, 3_000);
        let leaf = |from: i64| {
            let at = |t| time::OffsetDateTime::from_unix_timestamp(t).unwrap();
            let leaf = root.leaf_with(&["a.example"], 0, 0, |params| {
                (params.not_before, params.not_after) = (at(from), at(from + self.seconds));
            });
            leaf.der
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tls.crt");
        let write = |der| std::fs::write(&file, pki::pem_bundle([&der])).unwrap();
        let exported = Exported::default();
        let monitor = metrics::with_local_recorder(&exported, || monitor(&root));
        let first = leaf(0);
        write(first.clone());
        monitor.watch("served", Target::from_chain([first]));
        monitor.watch("on disk", Target::from_path(&file));
        let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut renewed = 0;
        for count in 0..self.steps() {
            let now = self.at(count);
            let late = match self.fate {
                Fate::Renewed(late) => Some(late),
                Fate::NotServed if renewed == 0 => Some(0),
                _ => None,
            };
            let end = renewed + self.seconds;
            if late.is_some_and(|late| now >= end - self.due() + late) {
                renewed = now;
                let leaf = leaf(now);
                write(leaf.clone());
                monitor.refresh("on disk");
                if let Fate::Renewed(_) = self.fate {
                    monitor.replace("served", [leaf]);
                }
            }
            let stands = matches!(self.fate, Fate::Blind(from) if now >= from);
            if !stands {
                let now = Timestamp::from_unix_seconds(now);
                metrics::with_local_recorder(&exported, || monitor.tick(now));
            }
            if matches!(self.fate, Fate::Gone(from) if now >= from) {
                break;
            }
            let target = [("job", "tls"), ("service", "a"), ("instance", "a-1")];
            let path = file.to_str().unwrap();
            for sample in exported.samples() {
                let name = sample.series(&target).replace(path, "/etc/tls.crt");
                let values = series.entry(name).or_default();
                // It was not there before.
                values.resize(count, "_".to_owned());
                values.push(sample.value.to_string());
            }
        }
        assert!(series.len() >= 20, "{series:?}");
        let mut test = format!("- interval: {}\n  input_series:\n", span(self.step));
        for (name, values) in series {
            let _ = writeln!(
                test,
                "  - series: '{name}'\n    values: '{}'",
                values.join(" ")
            );
        }
        let _ = writeln!(test, "  promql_expr_test:\n{asked}");
        test
    }

    fn steps(&self) -> usize {
        let lasts = match self.fate {
            Fate::Renewed(_) => 2 * self.seconds,
            _ => self.seconds + 2 * DAY,
        };
        usize::try_from(lasts / self.step).unwrap()
    }

    fn at(&self, count: usize) -> i64 {
        i64::try_from(count).unwrap() * self.step
    }

    /// The first step at or after this second, and one more for the rule to be evaluated.
    fn step_after(&self, t: i64) -> i64 {
        t.div_euclid(self.step) * self.step + 2 * self.step
    }
}

fn monitor(root: &Ca) -> std::sync::Arc<Monitor> {
    Monitor::builder()
        .with_trust_anchors(pki::anchors([root]))
        .with_provider(ring())
        .with_metrics()
        .build()
        .unwrap()
}

fn span(seconds: i64) -> String {
    format!("{}m", seconds / 60)
}

/// At this second, these alerts fire and no others.
fn firing(at: i64, alerts: &[&str]) -> String {
    let samples = alerts
        .iter()
        .map(|alert| format!("{{ labels: '{{alertname=\"{alert}\"}}', value: 1 }}"));
    let samples = samples.collect::<Vec<_>>().join(", ");
    format!(
        "  - expr: 'group by (alertname) (ALERTS{{alertstate=\"firing\"}})'\n    eval_time: {}\n    exp_samples: [ {samples} ]\n",
        span(at)
    )
}

/// Up to this second, none fired.
fn silent_until(at: i64) -> String {
    format!(
        "  - expr: 'count by (alertname) (count_over_time(ALERTS{{alertstate=\"firing\"}}[{}d]))'\n    eval_time: {}\n    exp_samples: []\n",
        at / DAY + 1,
        span(at)
    )
}

/// Runs these tests, which all have this step.
fn run(step: i64, tests: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.yml");
    let text = format!(
        "rule_files: [ {} ]\nevaluation_interval: {}\ntests:\n{}",
        kit::file("alerts.yml"),
        span(step),
        tests.concat()
    );
    std::fs::write(&file, text).unwrap();
    let (good, said) = promtool(&["test", "rules", file.to_str().unwrap()], "");
    assert!(good, "{said}");
}

/// Lives of 6, 47 and 398 days, each looked at at its own step.
const LIVES: [(i64, i64); 3] = [(6 * DAY, HOUR), (47 * DAY, HOUR), (398 * DAY, 6 * HOUR)];

#[test]
fn no_alert_fires_over_a_healthy_life() {
    if !is_there("promtool") {
        return;
    }
    for (seconds, step) in LIVES {
        let fate = Fate::Renewed(12 * HOUR);
        let life = Life {
            seconds,
            step,
            fate,
        };
        let end = life.at(life.steps() - 1);
        run(step, &[life.test(&silent_until(end))]);
    }
}

#[test]
fn where_the_renewal_fails_one_alert_after_the_other_fires_in_time() {
    if !is_there("promtool") {
        return;
    }
    for (seconds, step) in LIVES {
        let fate = Fate::Forgotten;
        let life = Life {
            seconds,
            step,
            fate,
        };
        let begins = |band| seconds - life.before_end(band);
        let (warning, critical) = (begins(Band::Warning), begins(Band::Critical));
        let asked = [
            silent_until(warning - step),
            firing(life.step_after(warning), &["NotafterRenewalOverdue"]),
            firing(life.step_after(critical), &["NotafterCritical"]),
            firing(life.step_after(seconds), &["NotafterDark"]),
        ];
        run(step, &[life.test(&asked.concat())]);
    }
}

#[test]
fn what_is_renewed_and_not_served_is_told_before_anybody_would_look_at_the_date() {
    if !is_there("promtool") {
        return;
    }
    for (seconds, step) in LIVES {
        let fate = Fate::NotServed;
        let life = Life {
            seconds,
            step,
            fate,
        };
        let renewed = seconds - life.due();
        let told = life.step_after(renewed + HOUR) + step;
        assert!(told < seconds - life.before_end(Band::Warning));
        let asked = [
            silent_until(renewed - step),
            firing(told, &["NotafterRenewedNotServed"]),
        ];
        run(step, &[life.test(&asked.concat())]);
    }
}

#[test]
fn a_monitor_that_stands_and_a_service_that_is_gone_are_told() {
    if !is_there("promtool") {
        return;
    }
    let life = |fate| Life {
        seconds: 47 * DAY,
        step: HOUR,
        fate,
    };
    let at = 5 * DAY;
    let blind = life(Fate::Blind(at));
    let asked = [
        silent_until(at),
        firing(at + 2 * HOUR, &["NotafterMonitorStands"]),
    ];
    let gone = life(Fate::Gone(at));
    let vanished = ["NotafterMonitorsVanished", "NotafterSeriesVanished"];
    let asked_of_gone = [
        silent_until(at - HOUR),
        firing(at + 3 * HOUR, &vanished),
        firing(at + 20 * HOUR, &vanished),
    ];
    let tests = [
        blind.test(&asked.concat()),
        gone.test(&asked_of_gone.concat()),
    ];
    run(HOUR, &tests);
}
