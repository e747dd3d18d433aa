//! What teams already run: Alertmanager, Prometheus, dashboards, the runbook. The kit under
//! `docs/ops/`, and what the application posts, against the real programs.

mod alertmanager;
mod end_to_end;
mod exported;
mod fleet;
mod kit;
mod lives;
mod matters;
mod payloads;
mod runbook;
