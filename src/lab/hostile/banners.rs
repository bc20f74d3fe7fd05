//! Servers that speak something else.

use std::time::Duration;

use super::messages::{certificate, handshake, hello12};
use super::{STALLED, Script, Step, alerted, answer, answering, leaf};
use crate::domain::outcome::{Outcome, Protocol};
use crate::lab::expected::Expected;

const fn spoken(protocol: Protocol) -> Expected {
    Expected::without_leaf(Outcome::NotTls(protocol))
}

/// A server that greets first.
fn greeting(bytes: &[u8]) -> Vec<Step> {
    vec![Step::Send(bytes.to_vec()), Step::Close]
}

pub(super) static SCRIPTS: [Script; 16] = [
    Script {
        name: "openvpn",
        about: "answers with an OpenVPN server reset over TCP",
        own: spoken(Protocol::Openvpn),
        full: None,
        steps: |_| {
            answer(b"\x00\x1a\x40\x11\x22\x33\x44\x55\x66\x77\x88\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00".to_vec())
        },
    },
    Script {
        name: "mysql",
        about: "greets as MySQL 8",
        own: spoken(Protocol::Mysql),
        full: None,
        steps: |_| greeting(b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0saltsalt\0\xff\xff\xff\x02\0"),
    },
    Script {
        name: "mysql_refusal",
        about: "greets as MySQL with the error that the host may not connect",
        own: spoken(Protocol::Mysql),
        full: None,
        steps: |_| greeting(b"\x46\0\0\0\xff\x6a\x04Host '127.0.0.1' is not allowed to connect"),
    },
    Script {
        name: "rdp",
        about: "answers with an RDP connection confirm in TPKT",
        own: spoken(Protocol::Rdp),
        full: None,
        steps: |_| answer(b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0".to_vec()),
    },
    Script {
        name: "ftp",
        about: "greets as an FTP server",
        own: spoken(Protocol::Ftp),
        full: None,
        steps: |_| greeting(b"220 (vsFTPd 3.0.5)\r\n"),
    },
    Script {
        name: "pop3",
        about: "greets as a POP3 server",
        own: spoken(Protocol::Pop3),
        full: None,
        steps: |_| greeting(b"+OK POP3 ready <1@mail.lab.invalid>\r\n"),
    },
    Script {
        name: "imap",
        about: "greets as an IMAP server",
        own: spoken(Protocol::Imap),
        full: None,
        steps: |_| greeting(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"),
    },
    Script {
        name: "telnet",
        about: "greets with Telnet options",
        own: spoken(Protocol::Unknown),
        full: None,
        steps: |_| greeting(&[255, 253, 24, 255, 253, 32, 255, 253, 35, 255, 253, 39]),
    },
    Script {
        name: "sslv2",
        about: "answers with the ServerHello of SSL 2.0",
        own: spoken(Protocol::Unknown),
        full: None,
        steps: |_| answer([&[0x80, 0x0b, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0][..]].concat()),
    },
    Script {
        name: "zeros",
        about: "sends 16 zero bytes at once",
        own: spoken(Protocol::Unknown),
        full: None,
        steps: |_| greeting(&[0; 16]),
    },
    Script {
        name: "short_banner",
        about: "sends three bytes of no protocol and closes",
        own: spoken(Protocol::Unknown),
        full: None,
        steps: |_| greeting(b"hi\n"),
    },
    Script {
        name: "half_banner",
        about: "sends the first three bytes of an SSH banner and nothing more",
        own: spoken(Protocol::Unknown),
        full: None,
        steps: |_| vec![Step::Send(b"SSH".to_vec()), Step::Hold],
    },
    Script {
        name: "tls_after_banner",
        about: "sends an SMTP greeting, and answers the ClientHello with TLS all the same",
        own: spoken(Protocol::Smtp),
        full: None,
        steps: |lab| {
            let flight = handshake(&[hello12(), certificate(&[leaf(lab)])].concat());
            vec![
                Step::Send(b"220 mail.lab.invalid ESMTP\r\n".to_vec()),
                Step::Await,
                Step::Send(flight),
                Step::Close,
            ]
        },
    },
    Script {
        name: "one_byte",
        about: "sends the first byte of a record and closes",
        own: STALLED,
        full: None,
        steps: |_| answer(vec![22]),
    },
    Script {
        name: "byte_a_second",
        about: "sends a ServerHello at one byte a second",
        own: STALLED,
        full: None,
        steps: |_| {
            let bytes = handshake(&hello12());
            answering([Step::Drip { bytes, every: Duration::from_secs(1) }])
        },
    },
    Script {
        name: "alert_before_hello",
        about: "sends a fatal alert 80, internal_error, without having read a byte",
        own: alerted(2, 80),
        full: None,
        steps: |_| greeting(&super::messages::alert(2, 80)),
    },
];
