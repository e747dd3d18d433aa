//! The envelope: DSSE v1 (secure-systems-lab/dsse), its JSON form.

use base64_simd::STANDARD as BASE64;
use serde_json::{Value, json};

use super::AnnouncementError;
use super::json_place::{self, JsonPlace};

/// What the payload is, as the signatures cover it.
const PAYLOAD_TYPE: &str = "application/vnd.notafter.pins.v2+json";

/// An envelope of more bytes is not looked at.
const MAX_BYTES: usize = 64 * 1024;

/// More signatures are not read: each costs up to one verification for each key.
const MAX_SIGNATURES: usize = 32;

/// More handovers are not read: authorities change rarely, and a device that missed more of them gets
/// a new floor.
const MAX_HANDOVERS: usize = 8;

/// So many signatures are read of all handovers together.
const MAX_HANDOVER_SIGNATURES: usize = 64;

/// An announcement as it travels: the payload's exact bytes and signatures over them.
///
/// # What do I have to sign?
/// ```
/// use notafter::announce::Envelope;
/// let signed = Envelope::pre_authentication_encoding(b"{}");
/// assert_eq!(signed, b"DSSEv1 37 application/vnd.notafter.pins.v2+json 2 {}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<Vec<u8>>,
    handovers: Vec<Envelope>,
}

impl Envelope {
    /// The payload type of announcements.
    pub const PAYLOAD_TYPE: &'static str = PAYLOAD_TYPE;

    /// The most bytes that an envelope may have.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Reads an envelope. Nothing is verified yet.
    ///
    /// # Errors
    /// [`AnnouncementError::TooLarge`] and [`AnnouncementError::Malformed`], also for a foreign
    /// payload type, base64 that is not the standard one with its padding (RFC 4648, 4), and
    /// more than 32 signatures; and for more than 8 handovers, or 64 signatures of them together.
    pub fn parse(bytes: &[u8]) -> Result<Self, AnnouncementError> {
        if bytes.len() > MAX_BYTES {
            return Err(AnnouncementError::TooLarge {
                bytes: bytes.len(),
                limit: MAX_BYTES,
            });
        }
        let json = json_place::parse("envelope", bytes)?;
        let envelope = JsonPlace::root("envelope", &json);
        let handovers = envelope.optional("handovers")?;
        let mut read = Self::read(&envelope)?;
        if let Some(list) = handovers {
            let handovers = list.list()?;
            if handovers.len() > MAX_HANDOVERS {
                let reason = format!("{}, at most {MAX_HANDOVERS} are read", handovers.len());
                return Err(list.malformed(reason));
            }
            let handovers = handovers.iter().map(Self::read);
            read.handovers = handovers.collect::<Result<_, _>>()?;
            let signatures: usize = read.handovers.iter().map(|h| h.signatures.len()).sum();
            if signatures > MAX_HANDOVER_SIGNATURES {
                let reason =
                    format!("{signatures} signatures, at most {MAX_HANDOVER_SIGNATURES} are read");
                return Err(list.malformed(reason));
            }
        }
        Ok(read)
    }

    /// One envelope, without those that came along with it.
    fn read(envelope: &JsonPlace<'_>) -> Result<Self, AnnouncementError> {
        let payload_type = envelope.field("payloadType")?;
        if payload_type.text()? != PAYLOAD_TYPE {
            return Err(payload_type.malformed(format!("it is not {PAYLOAD_TYPE}")));
        }
        let payload = base64(&envelope.field("payload")?)?;
        let list = envelope.field("signatures")?;
        let signatures = list.list()?;
        if signatures.len() > MAX_SIGNATURES {
            let reason = format!("{}, at most {MAX_SIGNATURES} are read", signatures.len());
            return Err(list.malformed(reason));
        }
        let signatures = signatures.iter().map(|signature| {
            // A hint for people: who signed is found out by verifying.
            if let Some(key_id) = signature.optional("keyid")? {
                key_id.text()?;
            }
            base64(&signature.field("sig")?)
        });
        Ok(Self {
            payload,
            signatures: signatures.collect::<Result<_, _>>()?,
            handovers: Vec::new(),
        })
    }

    /// The payload's bytes, as signed.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The envelopes of earlier announcements in which an authority names the next one, the oldest
    /// first, for devices that missed them.
    pub fn handovers(&self) -> &[Self] {
        &self.handovers
    }

    /// The envelope with only those signatures and handovers for which the questions say yes.
    pub(super) fn only(
        &self,
        signatures: impl Fn(&Self, &[u8]) -> bool,
        handover: impl Fn(&Self) -> bool,
    ) -> Self {
        let only = |envelope: &Self| {
            let kept = envelope.signatures.iter();
            let kept = kept.filter(|signature| signatures(envelope, signature));
            kept.cloned().collect()
        };
        let handovers = self.handovers.iter().filter(|other| handover(other));
        let handovers = handovers.map(|other| Self {
            payload: other.payload.clone(),
            signatures: only(other),
            handovers: Vec::new(),
        });
        Self {
            payload: self.payload.clone(),
            signatures: only(self),
            handovers: handovers.collect(),
        }
    }

    pub(super) fn signatures(&self) -> &[Vec<u8>] {
        &self.signatures
    }

    /// Writes the envelope as JSON again, without key ids and whatever else nobody reads.
    pub(super) fn to_json(&self) -> Vec<u8> {
        self.to_value().to_string().into_bytes()
    }

    fn to_value(&self) -> Value {
        let signatures = self.signatures.iter();
        let signatures = signatures.map(|sig| json!({ "sig": BASE64.encode_to_string(sig) }));
        let mut value = json!({
            "payloadType": PAYLOAD_TYPE,
            "payload": BASE64.encode_to_string(&self.payload),
            "signatures": signatures.collect::<Vec<_>>(),
        });
        if let (false, Some(fields)) = (self.handovers.is_empty(), value.as_object_mut()) {
            let handovers = self.handovers.iter().map(Self::to_value);
            fields.insert("handovers".to_owned(), handovers.collect());
        }
        value
    }

    /// What the signatures are made over: `DSSEv1 LEN TYPE LEN BODY`, the lengths in bytes.
    pub fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
        let head = format!(
            "DSSEv1 {} {PAYLOAD_TYPE} {} ",
            PAYLOAD_TYPE.len(),
            payload.len()
        );
        [head.as_bytes(), payload].concat()
    }
}

fn base64(node: &JsonPlace<'_>) -> Result<Vec<u8>, AnnouncementError> {
    let decoded = BASE64.decode_to_vec(node.text()?.as_bytes());
    decoded.map_err(|error| node.malformed(format!("not standard base64 with padding: {error}")))
}
