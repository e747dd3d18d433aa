//! Trust anchors and revocation lists that change while verifiers go by them.

mod anchors;
mod deployments;
mod full_and_resumed;
mod lists;
mod scene;
mod storm;
mod verdicts;
