//! Whether revocation lists may replace those in force: a function of both, and of the instant.

use std::cmp::Reverse;
use std::path::Path;

use pki_types::CertificateRevocationListDer;

use super::crl_files::{CrlFile, MAX_FOLDER_BYTES};
use super::crl_generation::{CrlGeneration, ListInForce};
use super::error::TrustReloadError;
use super::kind::{Admitted, TrustKind, TrustLook};
use super::known_issuers::KnownIssuers;
use crate::alert::{Condition, Matter};
use crate::event::{Event, EventCode, Role, Severity};
use crate::monitor::{Evaluation, Gauge};
use crate::outlook::Position;
use crate::policy::{Band, ThresholdPolicy};
use crate::revocation::{
    CrlDepth, CrlExpiration, CrlScope, Crls, CrlsBuilder, UnknownRevocation, crl_next_update,
    crl_this_update,
};
use crate::self_check::{Finding, FindingCode, list_band, list_gauges};
use crate::source::Loader;
use crate::time::Timestamp;

/// By so much the thisUpdate of a list may lie ahead of this machine's clock, which may be slow. One that
/// lies further ahead would make every good one an older one until its time has come.
const MAX_AHEAD_SECONDS: i64 = 300;

/// What becomes of lists that lack one of an issuer that has one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LostIssuers {
    /// They are refused: what that issuer revoked would be let in, or all of its leaves shut out.
    #[default]
    Refuse,
    /// They are taken, and told as a warning.
    Tell,
}

/// The rules by which lists are replaced and looked up.
#[derive(Debug)]
pub(super) struct CrlRules {
    pub(super) lost_issuers: LostIssuers,
    pub(super) depth: CrlDepth,
    pub(super) unknown: UnknownRevocation,
    pub(super) expiration: CrlExpiration,
    /// Whose keys sign lists, as far as they are known.
    pub(super) issuers: KnownIssuers,
    /// How near its nextUpdate a list is told of.
    pub(super) policy: ThresholdPolicy,
}

impl CrlRules {
    fn empty(&self) -> CrlsBuilder {
        Crls::builder()
            .with_depth(self.depth)
            .with_unknown(self.unknown)
            .with_expiration(self.expiration)
    }

    /// What there would be in force, as the first generation.
    fn generation(
        &self,
        contents: &[CrlFile],
        look: &TrustLook<'_>,
    ) -> Result<CrlGeneration, TrustReloadError> {
        let mut crls = self.empty();
        let mut read = Vec::new();
        for file in contents {
            let found = file.lists()?;
            if found.is_empty() {
                let place = file.name.clone();
                return Err(TrustReloadError::NoLists { place });
            }
            for (index, der) in found.into_iter().enumerate() {
                let unusable = |reason: String| TrustReloadError::ListUnusable {
                    file: file.name.clone(),
                    number: index + 1,
                    reason,
                };
                let added = crls.with_der(&der);
                crls = added.map_err(|error| unusable(error.error.to_string()))?;
                let list = ReadList::new(&file.name, der);
                read.push(list.ok_or_else(|| unusable("its dates cannot be read".to_owned()))?);
            }
        }
        if read.is_empty() {
            return Err(TrustReloadError::NoLists {
                place: look.place.to_owned(),
            });
        }
        // Else an older list that lies beside a later one would take its revocations back.
        read.sort_by_key(|list| Reverse(list.this_update));
        let crls = crls.with_latest_first().build();
        let lists = read.iter().zip(crls.scopes());
        Ok(CrlGeneration {
            epoch: 0,
            lists: lists.map(|(list, scope)| list.in_force(scope)).collect(),
            ders: read.into_iter().map(|list| list.der).collect(),
            crls,
        })
    }

    /// # Errors
    /// Why they may not replace those in force. What there is to warn of comes back where they may.
    fn check(
        &self,
        lists: &[ListInForce],
        in_force: &[ListInForce],
        look: &TrustLook<'_>,
    ) -> Result<Option<TrustReloadError>, TrustReloadError> {
        let place = || look.place.to_owned();
        let mut lost = None;
        for before in in_force {
            let is_of_issuer = |list: &ListInForce| list.scope.issuer == before.scope.issuer;
            if lost.is_none() && !lists.iter().any(is_of_issuer) {
                lost = Some(TrustReloadError::IssuerLost {
                    place: place(),
                    issuer: before.issuer_name(),
                });
            }
            let is_of_scope = |list: &ListInForce| list.scope == before.scope;
            let older = older_list(lists, in_force, is_of_issuer);
            if let Some(older) = older.or_else(|| older_list(lists, in_force, is_of_scope)) {
                return Err(older);
            }
        }
        if let (Some(lost), LostIssuers::Refuse) = (&lost, self.lost_issuers) {
            return Err(lost.clone());
        }
        if lists.len() < in_force.len() && look.written_within > 0 {
            return Err(TrustReloadError::StillWritten {
                place: place(),
                held: lists.len(),
                before: in_force.len(),
                seconds: look.written_within,
            });
        }
        Ok(lost)
    }

    fn condition(&self, list: &ListInForce, now: Timestamp) -> Condition {
        let band = list_band(&self.policy, list.validity(), now);
        let code = match band {
            Band::Ok => EventCode::Recovered,
            Band::Expired => EventCode::Expired,
            _ => EventCode::Expiring,
        };
        let issuer = list.issuer_name();
        let worth = match self.expiration {
            CrlExpiration::Enforce => "from then on whatever it speaks for is refused",
            CrlExpiration::Ignore => "from then on it may lack what was revoked",
        };
        let message = match band {
            Band::Ok => format!("{}: the list of '{issuer}' is current", list.file),
            _ => format!(
                "{}: the list of '{issuer}' is to be replaced before {}; {worth}: fetch the next one from its CA",
                list.file, list.next_update
            ),
        };
        let matter = Matter::new(EventCode::Expiring, Role::Crl)
            .with_name(format!("{}: {issuer}", list.file));
        let event = Event::new(now, code, Severity::of_band(band), Role::Crl, message)
            .with_source(list.file.clone());
        Condition::new(matter, band, event)
    }
}

impl TrustKind for CrlRules {
    type Contents = CrlFile;
    type Value = CrlGeneration;

    const ROLE: Role = Role::Crl;

    fn read_path(&self, path: &Path, loader: &Loader) -> Vec<CrlFile> {
        CrlFile::read(path, loader, MAX_FOLDER_BYTES)
    }

    fn read_bytes(&self, name: &str, bytes: &[u8]) -> Vec<CrlFile> {
        vec![CrlFile {
            name: name.to_owned(),
            bytes: Ok(bytes.to_owned()),
        }]
    }

    fn read_os(&self) -> Vec<CrlFile> {
        Vec::new()
    }

    fn admit(
        &self,
        contents: &[CrlFile],
        look: &TrustLook<'_>,
        in_force: Option<&CrlGeneration>,
    ) -> Result<Admitted<CrlGeneration>, TrustReloadError> {
        let mut generation = self.generation(contents, look)?;
        for (list, der) in generation.lists.iter().zip(&generation.ders) {
            if !self.issuers.vouch_for(&list.scope.issuer, der) {
                return Err(TrustReloadError::SignatureFails {
                    file: list.file.clone(),
                    issuer: list.issuer_name(),
                });
            }
            if list.this_update.seconds_since(look.now) > MAX_AHEAD_SECONDS {
                return Err(TrustReloadError::ListNotYetValid {
                    file: list.file.clone(),
                    issuer: list.issuer_name(),
                    this_update: list.this_update,
                });
            }
        }
        let Some(in_force) = in_force else {
            return Ok(Admitted::without_warning(generation));
        };
        generation.epoch = in_force.epoch + 1;
        Ok(Admitted {
            warning: self.check(&generation.lists, &in_force.lists, look)?,
            value: generation,
        })
    }

    fn is_same(&self, value: &CrlGeneration, other: &CrlGeneration) -> bool {
        value.ders == other.ders
    }

    fn describe(&self, value: &CrlGeneration) -> String {
        let next = value.lists.iter().map(|list| list.next_update).min();
        let next = next.map_or_else(String::new, |next| format!(", current until before {next}"));
        format!("{} revocation lists{next}", value.lists.len())
    }

    fn remark(&self, _: &CrlGeneration) -> Option<String> {
        // One list that cannot be used stops all.
        None
    }

    fn conditions(&self, value: &CrlGeneration, now: Timestamp) -> Vec<Condition> {
        let lists = value.lists.iter();
        lists.map(|list| self.condition(list, now)).collect()
    }

    fn evaluate(&self, value: &CrlGeneration, _: &str, now: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for list in &value.lists {
            let next = self
                .policy
                .next_change(list.validity(), Position::Leaf, now);
            evaluation.next_change = evaluation.next_change.into_iter().chain(next).min();
            let condition = self.condition(list, now);
            let (code, severity) = match condition.band {
                Band::Ok | Band::Due => continue,
                Band::Expired if self.expiration == CrlExpiration::Ignore => {
                    (FindingCode::CrlExpired, Severity::Warning)
                }
                Band::Expired => (FindingCode::CrlExpired, Severity::Critical),
                band => (FindingCode::CrlExpiring, Severity::of_band(band)),
            };
            let finding = Finding::new(severity, code, condition.event.message);
            evaluation.findings.push(finding.with_source(&list.file));
        }
        let held = u32::try_from(value.lists.len()).unwrap_or(u32::MAX);
        evaluation.gauges = list_gauges(&value.crls, &self.policy, now);
        evaluation.with_gauge(Gauge::new("notafter_crls", held.into()))
    }
}

/// A list as it was read.
struct ReadList {
    file: String,
    this_update: Timestamp,
    next_update: Timestamp,
    der: CertificateRevocationListDer<'static>,
}

impl ReadList {
    /// `None` where its dates cannot be read.
    fn new(file: &str, der: CertificateRevocationListDer<'static>) -> Option<Self> {
        Some(Self {
            file: file.to_owned(),
            this_update: crl_this_update(&der)?,
            next_update: crl_next_update(&der)?,
            der,
        })
    }

    fn in_force(&self, scope: CrlScope) -> ListInForce {
        ListInForce {
            file: self.file.clone(),
            scope,
            this_update: self.this_update,
            next_update: self.next_update,
        }
    }
}

/// Why the latest of these lists may not replace the latest of those in force: it was made before that.
fn older_list(
    lists: &[ListInForce],
    in_force: &[ListInForce],
    is_meant: impl Fn(&ListInForce) -> bool,
) -> Option<TrustReloadError> {
    let latest = |lists: &[ListInForce]| {
        let meant = lists.iter().filter(|list| is_meant(list));
        meant.max_by_key(|list| list.this_update).cloned()
    };
    let (latest, before) = (latest(lists)?, latest(in_force)?);
    (latest.this_update < before.this_update).then(|| TrustReloadError::OlderList {
        issuer: latest.issuer_name(),
        file: latest.file,
        this_update: latest.this_update,
        in_force: before.this_update,
    })
}
