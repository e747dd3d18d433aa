//! The outline of an OCSP response, keeping the exact bytes that were signed.

use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use x509_cert::ext::Extension;
use x509_ocsp::{OcspGeneralizedTime, OcspResponse, OcspResponseStatus, ResponseData};

use super::signature::SignedBytes;
use super::{ResponderStatus, StapleStatus, UnreadableStaple};
use crate::time::Timestamp;

const ID_PKIX_OCSP_BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// Extensions that may be critical: none of them changes what an answer means for a staple.
const UNDERSTOOD: [ObjectIdentifier; 6] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2"), // nonce: no request to compare with
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.3"), // CRL references
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.6"), // archive cutoff
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.9"), // extended revoked definition
    ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.5"), // SCT list (RFC 6962, 3.3)
    ObjectIdentifier::new_unwrap("2.5.29.24"),            // invalidityDate
];

/// The bytes of the BasicOCSPResponse inside of a successful OCSPResponse (RFC 6960, 4.2.1).
///
/// # Errors
/// `Unsuccessful` or `Unreadable`.
pub(super) fn basic_response(der: &[u8]) -> Result<Vec<u8>, StapleStatus> {
    let response = OcspResponse::from_der(der).map_err(malformed)?;
    let status = match response.response_status {
        OcspResponseStatus::Successful => {
            let answer = response.response_bytes.ok_or(UnreadableStaple::NoAnswer)?;
            if answer.response_type != ID_PKIX_OCSP_BASIC {
                let oid = answer.response_type.to_string();
                return Err(UnreadableStaple::UnknownResponseType { oid }.into());
            }
            return Ok(answer.response.into_bytes());
        }
        OcspResponseStatus::MalformedRequest => ResponderStatus::MalformedRequest,
        OcspResponseStatus::InternalError => ResponderStatus::InternalError,
        OcspResponseStatus::TryLater => ResponderStatus::TryLater,
        OcspResponseStatus::SigRequired => ResponderStatus::SigRequired,
        OcspResponseStatus::Unauthorized => ResponderStatus::Unauthorized,
    };
    Err(StapleStatus::Unsuccessful { status })
}

/// BasicOCSPResponse (RFC 6960, 4.2.1): what is signed, by whom, and certificates to help.
pub(super) struct BasicResponse<'a> {
    pub(super) signed: SignedBytes<'a>,
    pub(super) data: ResponseData,
    /// Each as DER, not looked at so far.
    pub(super) certificates: Vec<&'a [u8]>,
}

impl<'a> BasicResponse<'a> {
    /// # Errors
    /// `Malformed`, or a critical extension of the whole response that is not understood.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, UnreadableStaple> {
        let (signed, rest) = SignedBytes::parse(der).map_err(malformed)?;
        let certificates = certificates(rest).map_err(malformed)?;
        let data = ResponseData::from_der(signed.message).map_err(malformed)?;
        refuse_critical(data.response_extensions.as_deref())?;
        Ok(Self {
            signed,
            data,
            certificates,
        })
    }
}

/// `certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL`
fn certificates(der: &[u8]) -> der::Result<Vec<&[u8]>> {
    if der.is_empty() {
        return Ok(Vec::new());
    }
    let tagged = AnyRef::from_der(der)?;
    tagged.tag().assert_eq(Tag::ContextSpecific {
        constructed: true,
        number: TagNumber::N0,
    })?;
    let list = AnyRef::from_der(tagged.value())?;
    list.tag().assert_eq(Tag::Sequence)?;
    let mut reader = SliceReader::new(list.value())?;
    let mut certificates = Vec::new();
    while !reader.is_finished() {
        certificates.push(reader.tlv_bytes()?);
    }
    Ok(certificates)
}

/// # Errors
/// `UnknownCriticalExtension` for the first that is not understood.
pub(super) fn refuse_critical(extensions: Option<&[Extension]>) -> Result<(), UnreadableStaple> {
    let mut extensions = extensions.unwrap_or_default().iter();
    match extensions.find(|e| e.critical && !UNDERSTOOD.contains(&e.extn_id)) {
        None => Ok(()),
        Some(extension) => Err(UnreadableStaple::UnknownCriticalExtension {
            oid: extension.extn_id.to_string(),
        }),
    }
}

pub(super) fn instant(time: OcspGeneralizedTime) -> Timestamp {
    let seconds = time.0.to_unix_duration().as_secs();
    Timestamp::from_unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[allow(clippy::needless_pass_by_value)] // a function for map_err
fn malformed(error: der::Error) -> UnreadableStaple {
    let reason = error.to_string();
    UnreadableStaple::Malformed { reason }
}
