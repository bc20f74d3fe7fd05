//! The bytes that servers send which do not speak TLS, or do not speak it to the end.

use std::iter;

/// RFC 9112, section 4, as web servers answer TLS on a port for plain HTTP.
pub(super) const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

/// RFC 4253, section 4.2.
pub(super) const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1\r\n";

/// RFC 5321, section 4.2.
pub(super) const SMTP: &[u8] = b"220 mail.lab.invalid ESMTP\r\n";

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;

/// The largest payload of a record that is not encrypted (RFC 8446, section 5.1).
const RECORD_PAYLOAD: usize = 1 << 14;

/// A fatal alert in a record of its own.
pub(super) fn fatal_alert(description: u8) -> Vec<u8> {
    record(ALERT, &[2, description])
}

/// A TLS 1.2 ServerHello that every client of TLS 1.2 can take: no session, no extensions, and
/// ECDHE with ECDSA and AES-128-GCM.
pub(super) fn server_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x5a; 32]);
    body.extend([0, 0xc0, 0x2b, 0]);
    let mut message = vec![SERVER_HELLO, 0, 0, body.len() as u8];
    message.extend(body);
    record(HANDSHAKE, &message)
}

/// A handshake record whose ServerHello has an unknown version and a session identifier of 255
/// bytes, where at most 32 are allowed.
pub(super) fn garbage() -> Vec<u8> {
    let mut message = vec![SERVER_HELLO, 0, 0, 60];
    message.extend([0xff; 60]);
    record(HANDSHAKE, &message)
}

/// The records of a Certificate message as long as TLS can say, with one certificate in it: 16 MiB,
/// which is three bytes short of the end.
pub(super) fn endless_certificate() -> impl Iterator<Item = Vec<u8>> {
    let header = [CERTIFICATE, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc, 0xff, 0xff, 0xf9];
    let mut first = header.to_vec();
    first.resize(RECORD_PAYLOAD, 0x30);
    let later = iter::repeat_with(|| record(HANDSHAKE, &[0x30; RECORD_PAYLOAD]));
    iter::once(record(HANDSHAKE, &first)).chain(later.take((1 << 24) / RECORD_PAYLOAD - 1))
}

/// `payload`, which fits into one, as a record that says TLS 1.2.
fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let [.., high, low] = payload.len().to_be_bytes();
    [&[kind, 3, 3, high, low], payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_say_their_own_length() {
        assert_eq!(fatal_alert(40), [21, 3, 3, 0, 2, 2, 40]);
        for record in [server_hello(), garbage()] {
            assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), record.len() - 5);
            assert_eq!(usize::from(record[8]), record.len() - 9);
        }
    }

    #[test]
    fn the_endless_certificate_never_comes_to_its_end() {
        let total: usize = endless_certificate().map(|record| record.len() - 5).sum();
        assert_eq!(total, 4 + 0xff_ffff - 3);
        assert_eq!(endless_certificate().next().map(|record| record.len()), Some(16_389));
    }
}
