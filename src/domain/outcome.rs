//! How a probe ended: a closed list of stable words.

use std::fmt;

/// How a probe ended. An outcome is data about the target, never an error of ours.
///
/// The list is closed and its words are part of the record format; see [`Outcome::word`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A leaf certificate was seen, whatever happened afterwards.
    Certificate,
    /// The connection was refused (TCP reset in answer to the SYN).
    Refused,
    /// The network said that the host or network cannot be reached.
    Unreachable,
    /// Nothing answered the SYN before the connect deadline.
    ConnectTimeout,
    /// Accepted, then end of stream before any byte of an answer.
    Closed,
    /// Accepted, then a TCP reset before a certificate.
    Reset,
    /// Accepted, then no byte before the handshake deadline.
    Silent,
    /// Began to answer, then neither finished nor closed before the deadline, or closed midway.
    Stalled,
    /// Answered with something that is not TLS.
    NotTls(Protocol),
    /// A TLS alert before a certificate (RFC 8446, section 6).
    Alert(Alert),
    /// Began as TLS, then broke its rules.
    Malformed,
    /// More bytes than a probe takes.
    TooLarge,
}

/// Every word that [`Outcome::word`] can give, in the order of the manual.
pub const WORDS: [&str; 12] = [
    "certificate",
    "refused",
    "unreachable",
    "connect_timeout",
    "closed",
    "reset",
    "silent",
    "stalled",
    "not_tls",
    "alert",
    "malformed",
    "too_large",
];

impl Outcome {
    /// The stable word for this outcome, as records and the ledger hold it.
    pub const fn word(&self) -> &'static str {
        WORDS[self.index()]
    }

    /// The position of this outcome's word in [`WORDS`].
    pub const fn index(&self) -> usize {
        match self {
            Self::Certificate => 0,
            Self::Refused => 1,
            Self::Unreachable => 2,
            Self::ConnectTimeout => 3,
            Self::Closed => 4,
            Self::Reset => 5,
            Self::Silent => 6,
            Self::Stalled => 7,
            Self::NotTls(_) => 8,
            Self::Alert(_) => 9,
            Self::Malformed => 10,
            Self::TooLarge => 11,
        }
    }

    /// What the word leaves out: the protocol of `not_tls`, level and description of `alert`.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::NotTls(protocol) => Some(protocol.word().to_owned()),
            Self::Alert(alert) => Some(alert.to_string()),
            _ => None,
        }
    }
}

/// The word alone.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl serde::Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What an endpoint spoke that did not speak TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// An SSH identification string (RFC 4253, section 4.2).
    Ssh,
    /// An HTTP status line (RFC 9112, section 4), as web servers send when spoken to in TLS.
    Http,
    /// An SMTP greeting (RFC 5321, section 4.2).
    Smtp,
    /// The greeting of an FTP server whose name is well known (RFC 959, section 5.4): it begins as SMTP's does.
    Ftp,
    /// A POP3 greeting (RFC 1939, section 4).
    Pop3,
    /// An IMAP greeting (RFC 9051, section 7.1).
    Imap,
    /// MySQL's greeting or refusal: a packet's length and number, then version 10 or an error.
    Mysql,
    /// A connection confirm in TPKT (RFC 1006, section 6; ITU-T X.224, section 13.4), as RDP servers answer.
    Rdp,
    /// An OpenVPN packet over TCP: a length, then an opcode.
    Openvpn,
    /// Anything else.
    Unknown,
}

impl Protocol {
    /// The stable word for this protocol.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Http => "http",
            Self::Smtp => "smtp",
            Self::Ftp => "ftp",
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Mysql => "mysql",
            Self::Rdp => "rdp",
            Self::Openvpn => "openvpn",
            Self::Unknown => "unknown",
        }
    }

    /// What the first bytes of an answer that is not TLS belong to; eight of them are enough.
    pub fn recognise(first: &[u8]) -> Self {
        let begins = |with: &[&str]| with.iter().any(|text| first.starts_with(text.as_bytes()));
        match first {
            _ if begins(&["SSH-"]) => Self::Ssh,
            _ if begins(&["HTTP/"]) => Self::Http,
            _ if begins(&FTP_GREETINGS) => Self::Ftp,
            _ if begins(&["220 ", "220-"]) => Self::Smtp,
            _ if begins(&["+OK"]) => Self::Pop3,
            _ if begins(&["* OK", "* PREAUT", "* BYE"]) => Self::Imap,
            // A packet shorter than 64 KiB, number zero: protocol 10 and a version, or error 1000 to 1999.
            [_, _, 0, 0, 10, b'0'..=b'9', ..] | [_, _, 0, 0, 255, _, 3..=7, ..] => Self::Mysql,
            // TPKT version 3, a short packet; X.224 connection confirm.
            [3, 0, 0, _, _, 0xd0, ..] => Self::Rdp,
            _ if is_openvpn(first) => Self::Openvpn,
            _ => Self::Unknown,
        }
    }
}

/// How FTP servers begin that do not begin with a host's name: vsftpd, ProFTPD, Pure-FTPd, FileZilla, and
/// those that say what they are.
const FTP_GREETINGS: [&str; 6] =
    ["220 (vsF", "220 ProF", "220-----", "220-File", "220 File", "220 FTP"];

/// OpenVPN over TCP: 16 bits of length that hold a control packet, then opcode and key id, where the
/// opcode is `P_CONTROL_HARD_RESET_SERVER_V2` (8) or the older V1 (2).
fn is_openvpn(first: &[u8]) -> bool {
    match first {
        [high, low, opcode, ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            (14..=1500).contains(&length) && matches!(opcode >> 3, 2 | 8)
        }
        _ => false,
    }
}

/// A TLS alert (RFC 8446, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alert {
    /// 1 is a warning, 2 is fatal; other values are kept as received.
    pub level: u8,
    /// The description's code point.
    pub description: u8,
}

impl Alert {
    /// The registered name of the description, or `unknown`.
    pub const fn name(self) -> &'static str {
        match self.description {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => "unknown",
        }
    }

    /// `warning`, `fatal`, or `unknown` for a level that no RFC defines.
    pub const fn level_name(self) -> &'static str {
        match self.level {
            1 => "warning",
            2 => "fatal",
            _ => "unknown",
        }
    }
}

/// `fatal handshake_failure(40)`.
impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}({})", self.level_name(), self.name(), self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_pinned() {
        let alert = Alert { level: 2, description: 40 };
        let all = [
            (Outcome::Certificate, "certificate"),
            (Outcome::Refused, "refused"),
            (Outcome::Unreachable, "unreachable"),
            (Outcome::ConnectTimeout, "connect_timeout"),
            (Outcome::Closed, "closed"),
            (Outcome::Reset, "reset"),
            (Outcome::Silent, "silent"),
            (Outcome::Stalled, "stalled"),
            (Outcome::NotTls(Protocol::Ssh), "not_tls"),
            (Outcome::Alert(alert), "alert"),
            (Outcome::Malformed, "malformed"),
            (Outcome::TooLarge, "too_large"),
        ];
        for (outcome, word) in all {
            assert_eq!(outcome.word(), word);
        }
        assert_eq!(Outcome::Alert(alert).detail().as_deref(), Some("fatal handshake_failure(40)"));
        assert_eq!(Outcome::NotTls(Protocol::Ssh).detail().as_deref(), Some("ssh"));
    }

    #[test]
    fn protocols_are_told_by_their_first_bytes() {
        assert_eq!(Protocol::recognise(b"SSH-2.0-OpenSSH_9.2p1\r\n"), Protocol::Ssh);
        assert_eq!(Protocol::recognise(b"HTTP/1.1 400 Bad Request\r\n"), Protocol::Http);
        assert_eq!(Protocol::recognise(b"220 mail ESMTP\r\n"), Protocol::Smtp);
        assert_eq!(Protocol::recognise(&[0x00, 0x1a, 0x40, 1, 2]), Protocol::Openvpn);
        for (first, protocol) in [
            (&b"220 (vsFTPd 3.0.5)\r\n"[..], Protocol::Ftp),
            (b"220 ProFTPD Server\r\n", Protocol::Ftp),
            (b"220---------- Welcome to Pure-FTPd", Protocol::Ftp),
            (b"220-mail.example.org ESMTP\r\n", Protocol::Smtp),
            (b"+OK ready\r\n", Protocol::Pop3),
            (b"* OK ready\r\n", Protocol::Imap),
            (b"* BYE no\r\n", Protocol::Imap),
            (b"\x4a\0\0\0\x0a8.0.36", Protocol::Mysql),
            (b"\x46\0\0\0\xff\x6a\x04Host", Protocol::Mysql),
            (b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0", Protocol::Rdp),
            (b"\x4a\0\0\0\x0b\0\0\0", Protocol::Unknown),
        ] {
            assert_eq!(Protocol::recognise(first), protocol, "{first:?}");
            assert_eq!(Protocol::recognise(first.get(..8).unwrap()), protocol, "{first:?}");
        }
        assert_eq!(Protocol::recognise(b"\0"), Protocol::Unknown);
        assert_eq!(Protocol::recognise(b""), Protocol::Unknown);
    }
}
