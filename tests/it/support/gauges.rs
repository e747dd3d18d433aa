//! A recorder for the `metrics` facade that keeps what it is told, by `name{label=value,...}`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

#[derive(Default)]
pub struct Gauges {
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    help: Mutex<BTreeMap<String, String>>,
}

impl Gauges {
    /// The value of a gauge; `None` where nobody has set it.
    pub fn gauge(&self, series: &str) -> Option<f64> {
        let gauges = self.gauges.lock().unwrap();
        gauges
            .get(series)
            .map(|value| f64::from_bits(value.load(Ordering::Relaxed)))
    }

    /// Every gauge with its value.
    pub fn all(&self) -> BTreeMap<String, f64> {
        let gauges = self.gauges.lock().unwrap();
        let value = |value: &Arc<AtomicU64>| f64::from_bits(value.load(Ordering::Relaxed));
        gauges
            .iter()
            .map(|(series, bits)| (series.clone(), value(bits)))
            .collect()
    }

    /// Every gauge that was set.
    pub fn series(&self) -> Vec<String> {
        self.gauges.lock().unwrap().keys().cloned().collect()
    }

    /// What a gauge is said to be.
    pub fn help(&self, name: &str) -> Option<String> {
        self.help.lock().unwrap().get(name).cloned()
    }

    pub fn counter(&self, series: &str) -> Option<u64> {
        let counters = self.counters.lock().unwrap();
        counters
            .get(series)
            .map(|value| value.load(Ordering::Relaxed))
    }
}

fn series(key: &Key) -> String {
    let labels: Vec<_> = key
        .labels()
        .map(|label| format!("{}={}", label.key(), label.value()))
        .collect();
    match labels.as_slice() {
        [] => key.name().to_owned(),
        labels => format!("{}{{{}}}", key.name(), labels.join(",")),
    }
}

fn slot(map: &Mutex<BTreeMap<String, Arc<AtomicU64>>>, key: &Key) -> Arc<AtomicU64> {
    map.lock().unwrap().entry(series(key)).or_default().clone()
}

impl Recorder for Gauges {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        let (name, help) = (name.as_str().to_owned(), help.into_owned());
        self.help.lock().unwrap().insert(name, help);
    }
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(slot(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(slot(&self.gauges, key))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
