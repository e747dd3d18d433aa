//! The words of the events about peers, but for those about pins.

use super::dates::DatesAssessment;
use super::grace::GraceUse;
use super::judgement::Assessment;
use super::peer::Peer;
#[cfg(feature = "ocsp")]
use super::staple::StapleAssessment;
use crate::cert::Certificate;
use crate::event::{Role, Subject};
use crate::outlook::Refusal;
use crate::policy::Band;
#[cfg(feature = "ocsp")]
use crate::revocation::StapleOutlook;
use crate::time::span::readable;

#[cfg(feature = "ocsp")]
const UNKNOWN_STAPLE: &str = "nobody who could have signed its staple is known: \
                              give the verifier trust anchors with their certificates";

pub(super) fn unproven(peer: &Peer<'_>, leaf: Option<&Certificate>) -> String {
    let shown = match leaf {
        Some(leaf) => format!("the certificate '{}'", leaf.short_name()),
        None => "a key".to_owned(),
    };
    format!(
        "{} presented {shown} and did not prove (so far) that it has the key: a broken connection, or somebody else",
        peer.met_as()
    )
}

pub(super) fn anchors_do_not_lead(name: &str, refusal: &Refusal) -> String {
    format!(
        "{name} was accepted, but not by the trust anchors that the wrapper was given, so nobody knows until when \
         its chain verifies: give with_trust_anchors those of the inner verifier ({refusal})"
    )
}

pub(super) fn sessions_unguarded(name: &str, role: Role) -> String {
    let shortest = match role {
        Role::PeerClient => "with_watching_client_verifier",
        _ => "with_watching_verifier",
    };
    format!(
        "{name} fits the pins, but nobody guards the sessions: rustls resumes them without asking, also after the pins \
         changed; build the configuration by {shortest}, or put a SessionGuard before its session store"
    )
}

pub(super) fn refused_for_dates(name: &str, role: Role, band: Band, subject: &Subject) -> String {
    let (position, certificate) = (subject.position, brief(&subject.name));
    if band != Band::Expired {
        return format!(
            "{name} was refused: its {position} '{certificate}' is not valid yet; check this machine's clock first"
        );
    }
    let end = subject.not_after.map(|t| t.to_string()).unwrap_or_default();
    let who = match role {
        Role::PeerClient => "the client's operator",
        _ => "its operator",
    };
    format!(
        "{name} was refused: its {position} '{certificate}' expired at {end}; {who} must renew it"
    )
}

pub(super) fn nears_its_end(peer: &Peer<'_>, dates: &DatesAssessment) -> String {
    let (name, band, reach) = (peer.name(), dates.band, dates.reach);
    if band == Band::Ok {
        return format!("{name} is ok again; its chain {reach}");
    }
    let end = dates.subject.not_after;
    let left = end.map_or(0, |end| end.seconds_since(peer.at()));
    format!(
        "{name}: {} '{}' ends in {} ({band}); its chain {reach}: have it renewed before that",
        dates.subject.position,
        dates.subject.name,
        readable(left)
    )
}

/// What there is to say of a staple, refused or not, or that it is good again.
#[cfg(feature = "ocsp")]
pub(super) fn staple(peer: &Peer<'_>, staple: &StapleAssessment, band: Band) -> String {
    let name = peer.name();
    match (band, staple.refusal) {
        (Band::Ok, _) => format!("{name}: its staple is good (again)"),
        (_, Some(_)) => format!("{name} was refused: {}", why_not_good(&staple.outlook)),
        (_, None) => format!("{name}: {}", why_not_good(&staple.outlook)),
    }
}

#[cfg(feature = "ocsp")]
fn why_not_good(outlook: &Option<StapleOutlook>) -> String {
    match outlook {
        Some(outlook) => outlook.to_string(),
        None => UNKNOWN_STAPLE.to_owned(),
    }
}

/// Why a staple, or that there is none, refused a peer that proved nothing.
#[cfg(feature = "ocsp")]
pub(super) fn refused_by_staple(peer: &Peer<'_>, assessment: &Assessment) -> String {
    let why = why_not_good(&assessment.staple.outlook);
    format!("{} was refused: {why}", peer.met_as())
}

/// Without OCSP nothing but pins refuses what the inner verifier accepted.
#[cfg(not(feature = "ocsp"))]
pub(super) fn refused_by_staple(peer: &Peer<'_>, _: &Assessment) -> String {
    format!("{} was refused", peer.met_as())
}

pub(super) fn within_grace(peer: &Peer<'_>, grace: &GraceUse) -> String {
    let GraceUse {
        leaf, pin, until, ..
    } = grace;
    format!(
        "{} was accepted only within its grace: its pinned leaf '{}' ({pin}) expired at {}, {} ago; refused after {until}: renew it now",
        peer.name(),
        leaf.short_name(),
        leaf.not_after(),
        readable(peer.at().seconds_since(leaf.not_after()))
    )
}

/// At most 128 characters of a name.
fn brief(name: &str) -> &str {
    let end = name.char_indices().nth(128).map(|(end, _)| end);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}
