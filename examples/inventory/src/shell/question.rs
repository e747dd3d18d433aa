//! Questions that need no SQL.

use super::session::quoted;

/// A question that every organisation has, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// What expires in the next 90 days, by issuer and week.
    Expiring,
    /// Keys that several hosts share.
    SharedKeys,
    /// Certificates that outlive every certificate of their issuer in the same table.
    Outlives,
    /// Rows that are no certificate, by reason.
    BadRows,
}

/// What the columns of a table are called.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Columns {
    /// That of certificates.
    pub der: String,
    /// That of hosts.
    pub host: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            der: "der".to_owned(),
            host: "host".to_owned(),
        }
    }
}

impl Question {
    /// Every question.
    pub const ALL: [Self; 4] = [
        Self::Expiring,
        Self::SharedKeys,
        Self::Outlives,
        Self::BadRows,
    ];

    /// Its name, as `--ask` takes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expiring => "expiring",
            Self::SharedKeys => "shared-keys",
            Self::Outlives => "outlives",
            Self::BadRows => "bad-rows",
        }
    }

    /// The question of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|question| question.as_str() == name)
    }

    pub(super) fn names() -> String {
        let names = Self::ALL.map(Self::as_str);
        format!("write one of {}", names.join(", "))
    }

    /// Its SQL, about this table.
    pub fn sql(self, table: &str, columns: &Columns) -> String {
        let template = match self {
            Self::Expiring => include_str!("../questions/expiring.sql"),
            Self::SharedKeys => include_str!("../questions/shared_keys.sql"),
            Self::Outlives => include_str!("../questions/outlives.sql"),
            Self::BadRows => include_str!("../questions/bad_rows.sql"),
        };
        template
            .replace("{certs}", &quoted(table))
            .replace("{der}", &quoted(&columns.der))
            .replace("{host}", &quoted(&columns.host))
    }
}
