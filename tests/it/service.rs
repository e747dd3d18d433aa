//! The example `axum_service`, whose arguments and pages scripts depend on: as a real process, with
//! real clients, watched by a real Prometheus.

mod closing;
mod ground;
mod openssl;
mod pages;
mod prometheus;
mod renewal;
