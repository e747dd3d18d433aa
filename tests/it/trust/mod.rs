//! Trust anchors and revocation lists that change while verifiers go by them.

mod aged;
mod anchors;
mod deployments;
mod full_and_resumed;
mod in_flight;
mod lists;
mod openssl;
mod os_store;
mod peers;
mod scene;
mod several_lists;
mod storm;
mod verdicts;
mod watched;
