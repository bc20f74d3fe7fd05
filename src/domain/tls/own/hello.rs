//! The ClientHello: one for every server.

use super::codepoints::{GROUPS, SCHEMES, SUITES, TLS10, TLS11, TLS12, TLS13};
use super::groups::{self, Group};
use crate::domain::tls::Entropy;

const CLIENT_HELLO: u8 = 1;

/// Bytes of a cookie that are sent back at most, so that every length fits in its place.
pub(super) const COOKIE_MAX: usize = 32 * 1024;

/// Content of a record at most (RFC 8446, section 5.1).
const FRAGMENT_MAX: usize = 1 << 14;

/// What a HelloRetryRequest (RFC 8446, section 4.1.4) asks to be said in the second ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// The group that a share is wanted of; none if the shares are to stay.
    pub(super) group: Option<Group>,
    /// To be sent back as it came.
    pub(super) cookie: Option<Vec<u8>>,
}

/// The ClientHello message, header included, record not.
pub(super) fn client_hello(entropy: &Entropy, retry: Option<&Retry>) -> Vec<u8> {
    let mut body = Vec::with_capacity(1024);
    body.extend(TLS12.to_be_bytes());
    body.extend(&entropy[..32]);
    with_length8(&mut body, |body| body.extend(&entropy[32..64]));
    with_length16(&mut body, |body| {
        SUITES.iter().for_each(|suite| body.extend(suite.to_be_bytes()))
    });
    body.extend([1, 0]); // no compression
    with_length16(&mut body, |body| extensions(body, retry));
    let mut message = vec![CLIENT_HELLO];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.append(&mut body);
    message
}

/// `message` in handshake records of `version`: TLS 1.0 for a first ClientHello, TLS 1.2 for what follows a
/// HelloRetryRequest (RFC 8446, section 5.1).
pub(super) fn record(message: &[u8], version: u16) -> Vec<u8> {
    let mut records = Vec::with_capacity(message.len() + 5);
    for fragment in message.chunks(FRAGMENT_MAX) {
        records.push(22);
        records.extend(version.to_be_bytes());
        records.extend((fragment.len() as u16).to_be_bytes());
        records.extend(fragment);
    }
    records
}

fn extensions(out: &mut Vec<u8>, retry: Option<&Retry>) {
    let list = |out: &mut Vec<u8>, items: &[u16]| {
        with_length16(out, |out| items.iter().for_each(|item| out.extend(item.to_be_bytes())));
    };
    extension(out, 10, |out| list(out, &GROUPS)); // supported_groups
    extension(out, 11, |out| out.extend([1, 0])); // ec_point_formats: uncompressed
    extension(out, 13, |out| list(out, &SCHEMES)); // signature_algorithms
    extension(out, 23, |_| {}); // extended_master_secret
    extension(out, 43, |out| {
        // supported_versions
        let versions = [TLS13, TLS12, TLS11, TLS10];
        with_length8(out, |out| versions.iter().for_each(|item| out.extend(item.to_be_bytes())));
    });
    if let Some(cookie) = retry.and_then(|retry| retry.cookie.as_ref()) {
        extension(out, 44, |out| with_length16(out, |out| out.extend(cookie)));
    }
    extension(out, 51, |out| with_length16(out, |out| key_shares(out, retry))); // key_share
}

fn key_shares(out: &mut Vec<u8>, retry: Option<&Retry>) {
    let at_once = &groups::GROUPS[..groups::AT_ONCE];
    let wanted = retry.and_then(|retry| retry.group.as_ref()).map_or(at_once, std::slice::from_ref);
    for group in wanted {
        out.extend(group.code.to_be_bytes());
        with_length16(out, |out| out.extend(group.share()));
    }
}

fn extension(out: &mut Vec<u8>, code: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend(code.to_be_bytes());
    with_length16(out, content);
}

fn with_length16(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0, 0]);
    content(out);
    let length = (out.len() - at - 2) as u16;
    out[at..at + 2].copy_from_slice(&length.to_be_bytes());
}

fn with_length8(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    content(out);
    out[at] = (out.len() - at - 1) as u8;
}

#[cfg(test)]
mod tests {
    use rustls::server::Acceptor;

    use super::*;

    #[test]
    fn rustls_reads_it_and_finds_no_name_and_no_protocol() {
        let bytes = record(&client_hello(&[7; 112], None), TLS10);
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &bytes[..]).unwrap();
        let accepted = acceptor.accept().ok().flatten().expect("a whole ClientHello");
        let hello = accepted.client_hello();
        assert_eq!(hello.server_name(), None);
        assert!(hello.alpn().is_none());
        assert_eq!(hello.cipher_suites().len(), SUITES.len());
        assert_eq!(hello.signature_schemes().len(), SCHEMES.len());
    }

    #[test]
    fn it_fits_one_record_and_one_segment() {
        let hello = record(&client_hello(&[7; 112], None), TLS10);
        assert!((512..1_400).contains(&hello.len()), "{}", hello.len());
        let cookie = Some(vec![9; 100]);
        let retry = Retry { group: Group::of(260), cookie };
        let second = client_hello(&[7; 112], Some(&retry));
        assert!(second.windows(100).any(|window| window == [9; 100]));
        assert_eq!(second.len(), usize::from(u16::from_be_bytes([second[2], second[3]])) + 4);
    }
}
