//! ServerHello messages that lie: versions, suites, lengths, shares, downgrades.

use super::messages::{
    AES_128_GCM, CERTIFICATE, ECDHE, ENCRYPTED_EXTENSIONS, HANDSHAKE, Hello, P521, RSA,
    SERVER_HELLO, TLS12, TLS13, X25519, certificate, chosen_version, extension, handshake, hello13,
    key_share, lying_message, message, record, vector,
};
use super::{MALFORMED, STALLED, Script, Step, TOO_LARGE, answer, answering, leaf, leaf_then};
use crate::domain::outcome::Outcome;

/// A broken hello: the client must see it as such, whatever follows.
const fn broken(
    name: &'static str,
    about: &'static str,
    steps: fn(&super::Certificates) -> Vec<Step>,
) -> Script {
    Script { name, about, own: MALFORMED, full: None, steps }
}

/// A hello that breaks a rule and shows what it means: its leaf is a leaf to us, and rustls refuses it.
const fn odd(
    name: &'static str,
    about: &'static str,
    steps: fn(&super::Certificates) -> Vec<Step>,
) -> Script {
    Script { name, about, own: leaf_then(Outcome::Stalled), full: Some(MALFORMED), steps }
}

/// A ServerHello, then a good Certificate message, then the end of the stream.
fn with_leaf(hello: &Hello, certificates: &super::Certificates) -> Vec<Step> {
    answer(handshake(&[hello.message(), certificate(&[leaf(certificates)])].concat()))
}

/// A ServerHello of TLS 1.2 that says `version` in the old place.
fn with_version(version: u16, certificates: &super::Certificates) -> Vec<Step> {
    with_leaf(&Hello::old(version, ECDHE), certificates)
}

fn with_suite(suite: u16, certificates: &super::Certificates) -> Vec<Step> {
    with_leaf(&Hello::old(TLS12, suite), certificates)
}

/// The random of a TLS 1.3 server that was made to speak an older version (RFC 8446, section 4.1.3).
fn downgraded(last: u8, certificates: &super::Certificates) -> Vec<Step> {
    let mut hello = Hello::old(TLS12, ECDHE);
    let (_, end) = hello.random.split_at_mut(24);
    end.copy_from_slice(&[0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last]);
    with_leaf(&hello, certificates)
}

/// A ServerHello of TLS 1.3 that answers the session rightly and has these extensions.
fn with_extensions(suite: u16, extensions: &[u8]) -> Vec<Step> {
    answering([Hello::new(suite, extensions).echoing(), Step::Close])
}

fn cut(bytes: &[u8], length: usize) -> Vec<u8> {
    bytes.get(..length).unwrap_or(bytes).to_vec()
}

pub(super) static SCRIPTS: [Script; 29] = [
    broken("hello_version_2", "chooses version 2.0", |lab| with_version(0x0200, lab)),
    broken("hello_version_0", "chooses version 0.0", |lab| with_version(0, lab)),
    broken("hello_version_5", "chooses a version after TLS 1.3", |lab| with_version(0x0305, lab)),
    broken("hello_version_13", "chooses TLS 1.3 in the place of older versions", |lab| {
        with_version(TLS13, lab)
    }),
    broken("hello_version_draft", "chooses a draft of TLS 1.3", |_| {
        let extensions = [chosen_version(0x7f1c), key_share(X25519, &[0x5a; 32])].concat();
        let hello = Hello { extensions, ..Hello::old(TLS12, AES_128_GCM) };
        answering([hello.echoing(), Step::Close])
    }),
    odd("hello_version_12_extended", "chooses TLS 1.2 in the place of TLS 1.3", |lab| {
        let extensions = chosen_version(TLS12);
        with_leaf(&Hello { extensions, ..Hello::old(TLS12, ECDHE) }, lab)
    }),
    Script {
        name: "downgrade_to_12",
        about: "chooses TLS 1.2 and says in its random that it was made to; a leaf is a leaf",
        own: leaf_then(Outcome::Stalled),
        full: Some(MALFORMED.in_version("1.2")),
        steps: |lab| downgraded(1, lab),
    },
    Script {
        name: "downgrade_to_11",
        about: "chooses TLS 1.2 with the random of a downgrade to TLS 1.1; a leaf is a leaf",
        own: leaf_then(Outcome::Stalled),
        full: Some(STALLED.in_version("1.2")),
        steps: |lab| downgraded(0, lab),
    },
    broken("suite_not_offered", "chooses an anonymous suite that nobody offered", |lab| {
        with_suite(0x0034, lab)
    }),
    broken("suite_null", "chooses the suite without keys or ciphers", |lab| with_suite(0, lab)),
    broken("suite_signal", "chooses the signal of secure renegotiation as suite", |lab| {
        with_suite(0x00ff, lab)
    }),
    broken("suite_of_13_in_12", "chooses TLS 1.2 with a suite of TLS 1.3", |lab| {
        with_suite(AES_128_GCM, lab)
    }),
    broken("suite_of_12_in_13", "chooses TLS 1.3 with a suite of TLS 1.2", |_| {
        with_extensions(ECDHE, &key_share(X25519, &[0x5a; 32]))
    }),
    odd("compressed", "chooses compression that nobody offered", |lab| {
        with_leaf(&Hello { compression: 1, ..Hello::old(TLS12, ECDHE) }, lab)
    }),
    odd("session_of_33", "sends a session identifier of 33 bytes", |lab| {
        with_leaf(&Hello { session: vec![0x5a; 33], ..Hello::old(TLS12, ECDHE) }, lab)
    }),
    Script {
        name: "session_not_echoed",
        about: "chooses TLS 1.3, sends no session identifier back, and closes",
        own: STALLED.in_version("1.3"),
        full: None,
        steps: |_| answering([hello13().sent(), Step::Close]),
    },
    broken("share_missing", "chooses TLS 1.3 and sends no key share", |_| {
        with_extensions(AES_128_GCM, &[])
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    broken("share_short", "sends a share of X25519 that is one byte short", |_| {
        with_extensions(AES_128_GCM, &key_share(X25519, &[0x5a; 31]))
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    Script {
        name: "share_zero",
        about: "sends a share of X25519 that makes every secret zero, and closes",
        own: STALLED.in_version("1.3"),
        full: Some(MALFORMED.in_version("1.3")),
        steps: |_| with_extensions(AES_128_GCM, &key_share(X25519, &[0; 32])),
    },
    broken("share_of_another_group", "sends a share of a group that no share was sent of", |_| {
        let point = [&[4][..], &[0x5a; 132]].concat();
        with_extensions(AES_128_GCM, &key_share(P521, &point))
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    odd("extension_twice", "sends the extended_master_secret extension twice", |lab| {
        let extensions = [extension(23, &[]), extension(23, &[])].concat();
        with_leaf(&Hello { extensions, ..Hello::old(TLS12, ECDHE) }, lab)
    }),
    broken("extensions_too_long", "says that its extensions are longer than the message", |lab| {
        let body = [Hello::old(TLS12, ECDHE).body(), vec![0, 9, 0, 23, 0, 0]].concat();
        let messages = [message(SERVER_HELLO, &body), certificate(&[leaf(lab)])].concat();
        answer(handshake(&messages))
    }),
    odd("hello_trailing", "has bytes after the extensions of its ServerHello", |lab| {
        let body = [Hello::old(TLS12, ECDHE).body(), vec![0, 4, 0, 23, 0, 0, 0x5a]].concat();
        let messages = [message(SERVER_HELLO, &body), certificate(&[leaf(lab)])].concat();
        answer(handshake(&messages))
    }),
    broken("hello_cut", "ends its ServerHello in the middle of the random", |_| {
        answer(handshake(&message(SERVER_HELLO, &cut(&Hello::old(TLS12, RSA).body(), 20))))
    }),
    broken("hello_empty", "sends a ServerHello of no content", |_| {
        answer(handshake(&message(SERVER_HELLO, &[])))
    }),
    Script {
        name: "hello_of_16_mib",
        about: "says that its ServerHello has 16 MiB",
        own: TOO_LARGE,
        full: None,
        steps: |_| {
            let body = Hello::old(TLS12, ECDHE).body();
            answer(handshake(&lying_message(SERVER_HELLO, 0xff_ffff, &body)))
        },
    },
    Script {
        name: "hello_never_whole",
        about: "says that its ServerHello is longer than what it sends, and closes",
        own: STALLED,
        full: None,
        steps: |_| {
            let body = Hello::old(TLS12, ECDHE).body();
            answer(handshake(&lying_message(SERVER_HELLO, body.len() + 1, &body)))
        },
    },
    Script {
        name: "clear_after_hello13",
        about: "TLS 1.3: sends its certificate in the clear",
        own: MALFORMED.in_version("1.3"),
        full: None,
        steps: |lab| {
            let extensions = message(ENCRYPTED_EXTENSIONS, &[0, 0]);
            let entry = [&vector(3, leaf(lab))[..], &[0, 0]].concat();
            let list = message(CERTIFICATE, &[&[0][..], &vector(3, &entry)].concat());
            let later = record(HANDSHAKE, &[extensions, list].concat());
            answering([hello13().echoing_before(&[], &later), Step::Close])
        },
    },
    Script {
        name: "leftover_at_key_change",
        about: "TLS 1.3: has EncryptedExtensions in the record of its ServerHello",
        own: MALFORMED.in_version("1.3"),
        full: None,
        steps: |_| {
            let rest = message(ENCRYPTED_EXTENSIONS, &[0, 0]);
            answering([hello13().echoing_before(&rest, &[]), Step::Close])
        },
    },
];
