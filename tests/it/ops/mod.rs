//! What teams already run: Alertmanager, Prometheus, dashboards, the runbook. The kit under
//! `docs/ops/`, and what the application posts, against the real programs.

mod alertmanager;
mod payloads;
mod runbook;
