//! The ClientHello: one for every server, and a few for those that refuse it.

use std::borrow::Cow;

use super::codepoints::handshake_type::CLIENT_HELLO;
use super::codepoints::{
    ECDSA_SCHEMES, EDDSA_SCHEMES, GROUPS, MODERN_GROUPS, MODERN_SCHEMES, MODERN_SUITES,
    RENEGOTIATION_SIGNAL, RSA_SCHEMES, SCHEMES, SSL30, SUITES, TLS10, TLS11, TLS12, TLS13,
    suite_name,
};
use super::groups::{self, Group, StaticKeys};
use super::messages::ZLIB;
use super::schedule;
use crate::domain::tls::{Entropy, ServerName};

/// Bytes of a cookie that are sent back at most, so that every length fits in its place.
pub(super) const COOKIE_MAX: usize = 32 * 1024;

/// What a ClientHello offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hello {
    /// Everything from SSL 3.0 to TLS 1.3.
    Universal,
    /// What is common in TLS 1.2 and 1.3, in few bytes, with a key share like any other.
    Modern,
    /// TLS 1.2 and older, with nothing that came later.
    Tls12,
    /// As universal, for leaves with an RSA key alone.
    Rsa,
    /// As universal, for leaves with an ECDSA key alone.
    Ecdsa,
    /// As universal, for leaves with an Ed25519 or Ed448 key alone.
    Eddsa,
}

/// What a HelloRetryRequest (RFC 8446, section 4.1.4) asks to be said in the second ClientHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// The group that a share is wanted of; none if the shares are to stay.
    pub(super) group: Option<Group>,
    /// To be sent back as it came.
    pub(super) cookie: Option<Vec<u8>>,
}

/// The lists that a ClientHello is made of.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) suites: Cow<'static, [u16]>,
    groups: &'static [u16],
    schemes: &'static [u16],
    versions: &'static [u16],
    /// How many of the first groups have their share in the first ClientHello.
    shares: usize,
}

impl Lists {
    pub(super) fn of(hello: Hello) -> Self {
        // Servers are known that speak SSL 3.0 and read this list: they want to find it there.
        const VERSIONS: &[u16] = &[TLS13, TLS12, TLS11, TLS10, SSL30];
        let universal = Self {
            suites: SUITES[..].into(),
            groups: &GROUPS,
            schemes: &SCHEMES,
            versions: VERSIONS,
            shares: groups::AT_ONCE,
        };
        match hello {
            Hello::Universal => universal,
            Hello::Modern => Self {
                suites: MODERN_SUITES[..].into(),
                groups: &MODERN_GROUPS,
                schemes: &MODERN_SCHEMES,
                versions: VERSIONS,
                shares: 2,
            },
            Hello::Tls12 => Self {
                suites: MODERN_SUITES.into_iter().filter(|suite| !is_tls13(*suite)).collect(),
                groups: &MODERN_GROUPS,
                schemes: &MODERN_SCHEMES,
                versions: &[],
                shares: 0,
            },
            Hello::Rsa => Self { suites: with("RSA"), schemes: &RSA_SCHEMES, ..universal },
            Hello::Ecdsa => Self { suites: with("ECDSA"), schemes: &ECDSA_SCHEMES, ..universal },
            // In TLS 1.2 these keys go with the suites of ECDSA (RFC 8422, section 5.1.3).
            Hello::Eddsa => Self { suites: with("ECDSA"), schemes: &EDDSA_SCHEMES, ..universal },
        }
    }

    /// Whether TLS 1.3 is offered.
    pub(super) fn has_tls13(&self) -> bool {
        self.versions.contains(&TLS13)
    }

    /// Whether a share of `group` was in the first ClientHello.
    pub(super) fn has_share(&self, group: Group) -> bool {
        groups::GROUPS[..self.shares].contains(&group)
    }
}

fn is_tls13(suite: u16) -> bool {
    schedule::Suite::of(suite).is_some()
}

/// The suites of TLS 1.3, and those whose server shows a certificate with a key of kind `key`.
fn with(key: &str) -> Cow<'static, [u16]> {
    let fits = |suite: u16| {
        let name = suite_name(suite);
        let exchange = name.split_once("_WITH_").map_or("", |(exchange, _)| exchange);
        is_tls13(suite)
            || suite == RENEGOTIATION_SIGNAL
            || exchange.split('_').any(|part| part == key)
    };
    SUITES.into_iter().filter(|suite| fits(*suite)).collect()
}

/// What goes into a ClientHello beside its lists.
#[derive(Clone, Copy)]
pub(super) struct Particulars<'a> {
    pub(super) entropy: &'a Entropy,
    pub(super) server_name: Option<&'a ServerName>,
    pub(super) keys: Option<&'a StaticKeys>,
    pub(super) retry: Option<&'a Retry>,
}

/// The ClientHello message (RFC 8446, section 4.1.2), header included, record not.
pub(super) fn client_hello(lists: &Lists, particulars: Particulars<'_>) -> Vec<u8> {
    let entropy = particulars.entropy;
    let mut body = Vec::with_capacity(1024);
    body.extend(TLS12.to_be_bytes());
    body.extend(&entropy[..32]);
    // A session id of 32 bytes is what TLS 1.3 wants said for middleboxes; before, none is the plainest.
    let session = if lists.has_tls13() { &entropy[32..64] } else { &[] };
    with_length8(&mut body, |body| body.extend(session));
    list(&mut body, &lists.suites);
    body.extend([1, 0]); // no compression
    with_length16(&mut body, |body| extensions(body, lists, particulars));
    let mut message = vec![CLIENT_HELLO];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.append(&mut body);
    message
}

fn extensions(out: &mut Vec<u8>, lists: &Lists, particulars: Particulars<'_>) {
    if let Some(name) = particulars.server_name {
        // server_name: a list of one host_name (RFC 6066, section 3)
        extension(out, 0, |out| {
            with_length16(out, |out| {
                out.push(0);
                with_length16(out, |out| out.extend(name.as_str().as_bytes()));
            });
        });
    }
    extension(out, 10, |out| list(out, lists.groups)); // supported_groups
    extension(out, 11, |out| out.extend([1, 0])); // ec_point_formats: uncompressed
    extension(out, 13, |out| list(out, lists.schemes)); // signature_algorithms
    if !lists.has_tls13() {
        return;
    }
    extension(out, 23, |_| {}); // extended_master_secret
    // compress_certificate (RFC 8879, section 3)
    extension(out, 27, |out| with_length8(out, |out| out.extend(ZLIB.to_be_bytes())));
    extension(out, 43, |out| {
        // supported_versions
        with_length8(out, |out| {
            lists.versions.iter().for_each(|item| out.extend(item.to_be_bytes()))
        });
    });
    if let Some(cookie) = particulars.retry.and_then(|retry| retry.cookie.as_ref()) {
        extension(out, 44, |out| with_length16(out, |out| out.extend(cookie)));
    }
    // key_share
    extension(out, 51, |out| with_length16(out, |out| key_shares(out, lists, particulars)));
}

fn key_shares(out: &mut Vec<u8>, lists: &Lists, particulars: Particulars<'_>) {
    let at_once = &groups::GROUPS[..lists.shares];
    let wanted = particulars.retry.and_then(|retry| retry.group.as_ref());
    for group in wanted.map_or(at_once, std::slice::from_ref) {
        out.extend(group.code.to_be_bytes());
        let share = particulars.keys.map_or_else(|| group.share(), |keys| keys.share(*group));
        with_length16(out, |out| out.extend(share));
    }
}

fn list(out: &mut Vec<u8>, items: &[u16]) {
    with_length16(out, |out| items.iter().for_each(|item| out.extend(item.to_be_bytes())));
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
    use rustls::server::{Accepted, Acceptor};

    use super::*;
    use crate::domain::tls::own::codepoints::content::HANDSHAKE;
    use crate::domain::tls::own::records::record;

    const PLAIN: Particulars<'_> =
        Particulars { entropy: &[7; 112], server_name: None, keys: None, retry: None };

    fn record_of(hello: Hello, particulars: Particulars<'_>) -> Vec<u8> {
        record(HANDSHAKE, TLS10, &client_hello(&Lists::of(hello), particulars))
    }

    fn read(bytes: &[u8]) -> Accepted {
        let mut acceptor = Acceptor::default();
        acceptor.read_tls(&mut &bytes[..]).unwrap();
        acceptor.accept().ok().flatten().expect("a whole ClientHello")
    }

    #[test]
    fn rustls_reads_each_and_finds_no_name_and_no_protocol() {
        for (hello, suites, schemes) in [
            (Hello::Universal, SUITES.len(), SCHEMES.len()),
            (Hello::Modern, MODERN_SUITES.len(), MODERN_SCHEMES.len()),
            (Hello::Tls12, MODERN_SUITES.len() - 3, MODERN_SCHEMES.len()),
        ] {
            let accepted = read(&record_of(hello, PLAIN));
            let read = accepted.client_hello();
            assert_eq!(read.server_name(), None);
            assert!(read.alpn().is_none());
            assert_eq!(read.cipher_suites().len(), suites, "{hello:?}");
            assert_eq!(read.signature_schemes().len(), schemes, "{hello:?}");
        }
    }

    #[test]
    fn a_name_is_sent_where_one_is_given() {
        let name = ServerName::new("vpn.example.org").unwrap();
        for hello in [Hello::Universal, Hello::Modern, Hello::Tls12] {
            let accepted =
                read(&record_of(hello, Particulars { server_name: Some(&name), ..PLAIN }));
            assert_eq!(accepted.client_hello().server_name(), Some("vpn.example.org"));
        }
    }

    #[test]
    fn offers_for_one_kind_of_key_hold_no_suite_of_another() {
        let names = |hello| -> Vec<String> {
            Lists::of(hello).suites.iter().map(|suite| suite_name(*suite).into_owned()).collect()
        };
        let rsa = names(Hello::Rsa);
        assert!(rsa.iter().all(|name| !name.contains("ECDSA") && !name.contains("DSS")));
        assert!(rsa.contains(&"TLS_RSA_WITH_AES_128_CBC_SHA".to_owned()));
        assert!(rsa.contains(&"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".to_owned()));
        let ecdsa = names(Hello::Ecdsa);
        assert!(ecdsa.iter().all(|name| !name.contains("RSA_WITH") || name.contains("ECDSA")));
        assert!(ecdsa.contains(&"TLS_AES_128_GCM_SHA256".to_owned()));
        assert!(ecdsa.len() > 10 && rsa.len() > 60, "{} {}", ecdsa.len(), rsa.len());
    }

    #[test]
    fn each_fits_one_record_and_one_segment() {
        for (hello, most) in [(Hello::Universal, 1_400), (Hello::Modern, 400), (Hello::Tls12, 200)]
        {
            let length = record_of(hello, PLAIN).len();
            assert!(length < most, "{hello:?} {length}");
        }
        let cookie = Some(vec![9; 100]);
        let retry = Retry { group: Group::of(260), cookie };
        let particulars = Particulars { retry: Some(&retry), ..PLAIN };
        let second = client_hello(&Lists::of(Hello::Universal), particulars);
        assert!(second.windows(100).any(|window| window == [9; 100]));
        assert_eq!(second.len(), usize::from(u16::from_be_bytes([second[2], second[3]])) + 4);
    }
}
