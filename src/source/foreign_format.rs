//! Formats that hold certificates and keys and that rustls does not load, told by their first bytes.

use memchr::memmem::find;

/// How a PEM text begins after a byte order mark in UTF-8, which rustls-pki-types does not skip.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A format that rustls does not load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignFormat {
    /// RFC 7292: `SEQUENCE { INTEGER 3, SEQUENCE ...`.
    Pkcs12,
    /// RFC 2315: `SEQUENCE { OID 1.2.840.113549.1.7.n ...`.
    Pkcs7,
    /// `JavaKeyStore` of `keytool`, before Java 9 its default.
    Jks,
    /// The same with other encryption.
    Jceks,
    /// PEM in UTF-16 with a byte order mark, as PowerShell's `>` writes it.
    Utf16,
    /// The same without a mark.
    Utf16LittleEndian,
    /// The same without a mark.
    Utf16BigEndian,
    /// PEM behind a byte order mark in UTF-8.
    MarkedUtf8,
}

impl ForeignFormat {
    /// What these bytes, or the first of them, are, if it is one of these. DER or BER is told by its
    /// outline.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xfe, 0xed, 0xfe, 0xed, ..] => Some(Self::Jks),
            [0xce, 0xce, 0xce, 0xce, ..] => Some(Self::Jceks),
            [0x30, length, ..] => Self::of_sequence(bytes, *length),
            _ if bytes.starts_with(BYTE_ORDER_MARK) => {
                find(bytes, b"-----BEGIN ").map(|_| Self::MarkedUtf8)
            }
            _ => Self::of_utf16(bytes),
        }
    }

    fn of_sequence(bytes: &[u8], length: u8) -> Option<Self> {
        const PKCS12: &[u8] = &[0x02, 0x01, 0x03, 0x30];
        const PKCS7: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
        let length = usize::from(length);
        let header = if length < 0x80 { 2 } else { length - 0x80 + 2 };
        let content = bytes.get(header..)?;
        if content.starts_with(PKCS12) {
            Some(Self::Pkcs12)
        } else {
            content.starts_with(PKCS7).then_some(Self::Pkcs7)
        }
    }

    fn of_utf16(bytes: &[u8]) -> Option<Self> {
        let begin = find(bytes, b"-\0B\0E\0G\0I\0N")?;
        match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Self::Utf16),
            _ if begin % 2 == 0 => Some(Self::Utf16LittleEndian),
            _ => Some(Self::Utf16BigEndian),
        }
    }

    /// Whether it may hold private keys, and lies beside certificates for others than rustls.
    pub(super) const fn is_key_store(self) -> bool {
        matches!(self, Self::Pkcs12 | Self::Jks | Self::Jceks)
    }

    /// Whether it holds certificates behind an outline of its own.
    #[cfg(feature = "containers")]
    pub(super) const fn is_container(self) -> bool {
        matches!(self, Self::Pkcs12 | Self::Pkcs7 | Self::Jks | Self::Jceks)
    }

    /// What a file of it is called.
    #[cfg(feature = "containers")]
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pkcs12 => "the PKCS#12 file",
            Self::Pkcs7 => "the PKCS#7 file",
            Self::Jks => "the Java keystore (JKS)",
            Self::Jceks => "the Java keystore (JCEKS)",
            _ => "the file",
        }
    }

    /// What it is.
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::Pkcs12 => "it is PKCS#12 (.p12, .pfx), which rustls does not load",
            Self::Pkcs7 => "it is PKCS#7 (.p7b, .p7c), which rustls does not load",
            Self::Jks => "it is a Java keystore (JKS), which rustls does not load",
            Self::Jceks => "it is a Java keystore (JCEKS), which rustls does not load",
            Self::Utf16 | Self::Utf16LittleEndian | Self::Utf16BigEndian => {
                "it is PEM in UTF-16, and PEM is ASCII"
            }
            Self::MarkedUtf8 => {
                "a byte order mark stands before the first BEGIN line, so rustls does not see it"
            }
        }
    }

    /// How to get certificates in PEM out of it.
    pub(super) const fn to_certificates(self) -> &'static str {
        match self {
            Self::Pkcs12 => "to PEM by `openssl pkcs12 -in FILE -nokeys -out FILE.pem`",
            Self::Pkcs7 => {
                "to PEM by `openssl pkcs7 -inform DER -in FILE -print_certs -out FILE.pem`"
            }
            Self::Jks => "to PEM by `keytool -list -rfc -keystore FILE > FILE.pem`",
            Self::Jceks => {
                "to PEM by `keytool -list -rfc -storetype JCEKS -keystore FILE > FILE.pem`"
            }
            _ => self.to_ascii(),
        }
    }

    /// How to get a private key in PEM out of it.
    #[cfg(feature = "monitor")]
    pub(super) const fn to_key(self) -> &'static str {
        match self {
            Self::Pkcs12 => "to PEM by `openssl pkcs12 -in FILE -nocerts -nodes -out FILE.key`",
            Self::Pkcs7 => "it holds no private key: give the key's own file",
            Self::Jks => {
                "to PEM by `keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12` \
                 and `openssl pkcs12 -in FILE.p12 -nocerts -nodes -out FILE.key`"
            }
            Self::Jceks => {
                "to PEM by `keytool -importkeystore -srcstoretype JCEKS -srckeystore FILE -destkeystore FILE.p12 \
                 -deststoretype PKCS12` and `openssl pkcs12 -in FILE.p12 -nocerts -nodes -out FILE.key`"
            }
            _ => self.to_ascii(),
        }
    }

    const fn to_ascii(self) -> &'static str {
        match self {
            Self::Utf16LittleEndian => "to ASCII by `iconv -f UTF-16LE -t ASCII FILE > FILE.pem`",
            Self::Utf16BigEndian => "to ASCII by `iconv -f UTF-16BE -t ASCII FILE > FILE.pem`",
            Self::MarkedUtf8 => "take it away by `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`",
            _ => "to ASCII by `iconv -f UTF-16 -t ASCII FILE > FILE.pem`",
        }
    }
}
