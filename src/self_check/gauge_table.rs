//! What each number is: one table for OpenMetrics text and for the `metrics` facade.

/// Every gauge that is shown of something watched, and of all of it together, with what it says.
pub(crate) const GAUGES: &[(&str, &str)] = &[
    (
        "x509_cert_not_before",
        "First second at which the certificate is valid, Unix seconds.",
    ),
    (
        "x509_cert_not_after",
        "Last second at which the certificate is valid, Unix seconds.",
    ),
    ("x509_cert_expired", "Whether the certificate has expired."),
    (
        "notafter_cert_due",
        "First second at which the certificate is due for renewal, Unix seconds.",
    ),
    (
        "notafter_cert_warning",
        "First second at which the certificate is a warning, Unix seconds.",
    ),
    ("notafter_cert_band", BAND_OF_CERTIFICATE),
    ("notafter_chain_band", BAND_OF_CHAIN),
    (
        "notafter_effective_not_after",
        "Last second at which the chain verifies for the relying party, Unix seconds; 0 where it does not.",
    ),
    (
        "notafter_staple_next_update",
        "nextUpdate of the stapled OCSP response, Unix seconds.",
    ),
    (
        "notafter_crl_this_update",
        "thisUpdate of the revocation list, Unix seconds.",
    ),
    (
        "notafter_crl_next_update",
        "nextUpdate of the revocation list, Unix seconds.",
    ),
    (
        "notafter_crl_due",
        "First second at which the next revocation list is due, Unix seconds.",
    ),
    (
        "notafter_crl_warning",
        "First second at which the revocation list is a warning, Unix seconds.",
    ),
    ("notafter_crl_band", BAND_OF_LIST),
    (
        "notafter_evaluation_overdue",
        "Whether what is watched has been due for minutes and was not evaluated.",
    ),
    (
        "notafter_findings",
        "How many findings there are in the source, by code and severity.",
    ),
    (
        "notafter_source_readable",
        "Whether everything in the source could be read at the latest look; what was read before is still judged.",
    ),
    ("notafter_anchors", "Trust anchors in force."),
    (
        "notafter_anchor_list_date",
        "Of when the list is that the trust anchors come from, Unix seconds.",
    ),
    ("notafter_crls", "Revocation lists in force."),
    (
        "notafter_pins_usable",
        "How many distinct keys of a pin set are or will be accepted.",
    ),
    (
        "notafter_pins_accepted",
        "How many distinct keys of a pin set are accepted now; 0 once the set is closed.",
    ),
    (
        "notafter_pin_set_not_after",
        "Last good second of a pin set, Unix seconds.",
    ),
    ("notafter_pin_set_band", BAND_OF_PINS),
    (
        "notafter_pin_epoch",
        "The number of the generation of pins in force.",
    ),
    (
        "notafter_announcement_expires",
        "Last second at which the announcement of pins in force could be applied, Unix seconds.",
    ),
    (
        "notafter_reload_stale_since_timestamp_seconds",
        "Since when nothing on disk can be served, Unix seconds; 0, or absent, where disk and serving agree.",
    ),
    (
        "notafter_worst",
        "0 ok or due, 1 warning, 2 critical, 3 not everything could be judged and nothing was critical.",
    ),
    (
        "notafter_last_evaluated_timestamp_seconds",
        "The instant of the latest evaluation, Unix seconds.",
    ),
];

/// What only a report shows.
const OF_REPORTS: &[(&str, &str)] = &[(
    "notafter_chain_verifies",
    "Whether the chain verifies for the relying party.",
)];

macro_rules! band_of {
    ($what:literal) => {
        concat!(
            "How ",
            $what,
            " stands: 0 ok, 1 due, 2 warning, 3 critical, 4 not yet valid, 5 expired, 6 broken."
        )
    };
}

const BAND_OF_CERTIFICATE: &str = band_of!("the certificate");
const BAND_OF_CHAIN: &str = band_of!("the chain");
const BAND_OF_LIST: &str = band_of!("the revocation list");
const BAND_OF_PINS: &str = band_of!("the pin set");

/// What a gauge says; of one that the application made, no more than that.
pub(super) fn help(name: &str) -> &'static str {
    let mut known = GAUGES.iter().chain(OF_REPORTS);
    let known = known.find(|(known, _)| *known == name);
    known.map_or("A number of something watched.", |(_, help)| help)
}
