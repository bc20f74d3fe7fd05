//! Records and handshake messages to build scripts from, right ones and wrong ones.
//!
//! Nothing here refuses to write nonsense: a length that lies is what it is for.

use super::Step;

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(in crate::lab) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const CERTIFICATE: u8 = 11;
pub(in crate::lab) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(in crate::lab) const CERTIFICATE_VERIFY: u8 = 15;
pub(super) const FINISHED: u8 = 20;

pub(in crate::lab) const TLS12: u16 = 0x0303;
pub(super) const TLS13: u16 = 0x0304;

/// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
pub(in crate::lab) const ECDHE: u16 = 0xc02b;
/// TLS_RSA_WITH_AES_128_CBC_SHA.
pub(super) const RSA: u16 = 0x002f;
/// TLS_DHE_RSA_WITH_AES_128_CBC_SHA.
pub(super) const DHE: u16 = 0x0033;
/// TLS_AES_128_GCM_SHA256.
pub(in crate::lab) const AES_128_GCM: u16 = 0x1301;
/// TLS_AES_256_GCM_SHA384.
pub(super) const AES_256_GCM: u16 = 0x1302;

/// Groups (IANA TLS Supported Groups).
pub(super) const P256: u16 = 23;
pub(super) const P521: u16 = 25;
pub(in crate::lab) const X25519: u16 = 29;

pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const COOKIE: u16 = 44;
pub(super) const KEY_SHARE: u16 = 51;

/// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that name (RFC 8446, section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The last bytes of `number`, as many as `octets`.
fn octets(number: usize, octets: usize) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip(size_of::<usize>() - octets).collect()
}

/// `content` behind its length in `width` bytes.
pub(in crate::lab) fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    [&octets(content.len(), width), content].concat()
}

/// A record that says TLS 1.2; what is longer than 65,535 bytes lies about its length.
pub(super) fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    record_of(kind, TLS12, content)
}

/// A record of `version`.
pub(super) fn record_of(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &version.to_be_bytes(), &vector(2, content)].concat()
}

/// Handshake messages in records with `length` bytes in each.
pub(super) fn records(length: usize, messages: &[u8]) -> Vec<u8> {
    messages.chunks(length).flat_map(|fragment| record(HANDSHAKE, fragment)).collect()
}

/// Handshake messages in as few records as they fit into.
pub(in crate::lab) fn handshake(messages: &[u8]) -> Vec<u8> {
    records(1 << 14, messages)
}

/// A handshake message.
pub(in crate::lab) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    lying_message(kind, body.len(), body)
}

/// A handshake message that says to be of `length` bytes.
pub(super) fn lying_message(kind: u8, length: usize, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &octets(length, 3), body].concat()
}

/// An alert in a record of its own.
pub(super) fn alert(level: u8, description: u8) -> Vec<u8> {
    record(ALERT, &[level, description])
}

/// An extension of a hello.
pub(super) fn extension(code: u16, content: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], &vector(2, content)].concat()
}

/// The key_share extension of a ServerHello.
pub(in crate::lab) fn key_share(group: u16, share: &[u8]) -> Vec<u8> {
    extension(KEY_SHARE, &[&group.to_be_bytes()[..], &vector(2, share)].concat())
}

/// The supported_versions extension of a ServerHello.
pub(super) fn chosen_version(version: u16) -> Vec<u8> {
    extension(SUPPORTED_VERSIONS, &version.to_be_bytes())
}

/// The fields of a ServerHello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3).
#[derive(Clone, Debug)]
pub(in crate::lab) struct Hello {
    pub(super) version: u16,
    pub(super) random: [u8; 32],
    pub(in crate::lab) session: Vec<u8>,
    pub(super) suite: u16,
    pub(super) compression: u8,
    /// All extensions one after the other; without any, their length is left out too.
    pub(super) extensions: Vec<u8>,
}

impl Hello {
    /// A ServerHello of TLS 1.2 or older that every client which offers the suite can take.
    pub(in crate::lab) const fn old(version: u16, suite: u16) -> Self {
        Self {
            version,
            random: [0x5a; 32],
            session: Vec::new(),
            suite,
            compression: 0,
            extensions: Vec::new(),
        }
    }

    /// A ServerHello of TLS 1.3 with `extensions` after the version.
    pub(in crate::lab) fn new(suite: u16, extensions: &[u8]) -> Self {
        Self {
            extensions: [&chosen_version(TLS13), extensions].concat(),
            ..Self::old(TLS12, suite)
        }
    }

    /// A HelloRetryRequest (RFC 8446, section 4.1.4).
    pub(super) fn retry(suite: u16, extensions: &[u8]) -> Self {
        Self { random: RETRY_RANDOM, ..Self::new(suite, extensions) }
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let extensions = match &self.extensions[..] {
            [] => Vec::new(),
            some => vector(2, some),
        };
        [
            &self.version.to_be_bytes()[..],
            &self.random,
            &vector(1, &self.session),
            &self.suite.to_be_bytes(),
            &[self.compression],
            &extensions,
        ]
        .concat()
    }

    pub(in crate::lab) fn message(&self) -> Vec<u8> {
        message(SERVER_HELLO, &self.body())
    }

    /// The hello in a record of its own, sent as it is.
    pub(super) fn sent(&self) -> Step {
        Step::Send(handshake(&self.message()))
    }

    /// The hello in a record of its own with the client's session identifier, which has 32 bytes in both of our
    /// clients and which TLS 1.3 wants back.
    pub(super) fn echoing(&self) -> Step {
        self.echoing_before(&[], &[])
    }

    /// The same with `rest` after it in the same record, and `later` after that record.
    pub(super) fn echoing_before(&self, rest: &[u8], later: &[u8]) -> Step {
        let whole = Self { session: vec![0; 32], ..self.clone() };
        let record = record(HANDSHAKE, &[&whole.message(), rest].concat());
        // Record header, message header, version, random, length of the session.
        let (before, after) = record.split_at(5 + 4 + 2 + 32 + 1);
        let after = [after.get(32..).unwrap_or_default(), later].concat();
        Step::Echo { before: before.to_vec(), after }
    }
}

/// A ServerHello of TLS 1.2 with ECDHE.
pub(super) fn hello12() -> Vec<u8> {
    Hello::old(TLS12, ECDHE).message()
}

/// A ServerHello of TLS 1.3 with a share of X25519.
pub(super) fn hello13() -> Hello {
    Hello::new(AES_128_GCM, &key_share(X25519, &[0x5a; 32]))
}

/// A Certificate message of TLS 1.2 and older.
pub(in crate::lab) fn certificate(chain: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| vector(3, der)).collect();
    message(CERTIFICATE, &vector(3, &list))
}

/// A Certificate message of TLS 1.3 (RFC 8446, section 4.4.2).
pub(in crate::lab) fn certificate13(leaf: &[u8]) -> Vec<u8> {
    let entry = [&vector(3, leaf)[..], &[0, 0]].concat();
    message(CERTIFICATE, &[&[0][..], &vector(3, &entry)].concat())
}

/// A well-formed ECDSA signature that nobody made: r and s are one.
pub(super) const MADE_UP: [u8; 8] = [0x30, 6, 2, 1, 1, 2, 1, 1];

/// A TLS 1.2 ServerKeyExchange with an X25519 share and a signature that nobody made, of ECDSA with SHA-256.
pub(super) fn made_up_key_exchange() -> Vec<u8> {
    let share = [&[3, 0, 29][..], &vector(1, &[0x5a; 32])].concat();
    let signature = [&[4, 3][..], &vector(2, &MADE_UP)].concat();
    message(SERVER_KEY_EXCHANGE, &[share, signature].concat())
}
