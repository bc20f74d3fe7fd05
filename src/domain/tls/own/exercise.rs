//! What is asserted of any bytes: one total function for each fuzz target, which takes what the fuzzer makes up.
//!
//! The same functions run over the corpus in `tests/fuzz/corpus` and over seeds with every `cargo test`. They are
//! compiled for tests and for cargo-fuzz alone.

pub(super) mod conversation;
pub(super) mod encrypting;
pub(super) mod finishing;
pub(super) mod glancing;
mod input;

use sha1::{Digest, Sha1};

use self::conversation::{Peer, Script, converse};
use self::encrypting::EncryptingServer;
use self::finishing::{ClearServer, Reply};
use self::glancing::{agrees, first_flight, glance};
use self::input::Input;
use super::handshake::Wish;
use super::messages::{self, Messages};
use super::records::{self, Records};
use super::{Goal, Hello};
use crate::domain::cert::{Description, Leaf, public_key};
use crate::domain::tls::{End, Limits, proof, rsa};

const CHUNKS: [usize; 6] = [usize::MAX, 1, 2, 7, 64, 300];

/// Cuts `input` into records: whatever the chunks, the same ones come, which hold all that came before them.
pub fn records(input: &[u8]) {
    let mut input = Input(input);
    let chunk = input.one_of(&CHUNKS);
    let whole = cut(input.0, usize::MAX);
    assert_eq!(cut(input.0, chunk), whole, "in chunks of {chunk}");
    let (found, trouble) = whole;
    let together: Vec<u8> =
        found.iter().flat_map(|record| [&record.header[..], &record.fragment].concat()).collect();
    assert!(input.0.starts_with(&together));
    assert!(trouble.is_some() || input.0.len() - together.len() < 5 + (1 << 14) + 2048);
    assert!(found.iter().all(|record| (20..=23).contains(&record.kind)));
    let written = records::record(22, 0x0303, input.0);
    let (read, trouble) = cut(&written, chunk);
    assert_eq!(trouble, None);
    assert_eq!(read.into_iter().flat_map(|record| record.fragment).collect::<Vec<_>>(), input.0);
}

fn cut(stream: &[u8], chunk: usize) -> (Vec<records::Record>, Option<records::Trouble>) {
    let (mut records, mut found) = (Records::default(), Vec::new());
    for piece in stream.chunks(chunk) {
        records.push(piece);
        loop {
            match records.next() {
                Ok(Some(record)) => found.push(record),
                Ok(None) => break,
                Err(trouble) => return (found, Some(trouble)),
            }
        }
    }
    (found, None)
}

/// Puts `input` together to handshake messages and reads each as everything that it could be.
pub fn messages(input: &[u8]) {
    let mut input = Input(input);
    let chunk = input.one_of(&CHUNKS);
    let len_max = input.one_of(&[256 * 1024, 64, 1024]);
    let whole = put_together(input.0, usize::MAX, len_max);
    assert_eq!(put_together(input.0, chunk, len_max), whole, "in chunks of {chunk}");
    let (found, trouble) = whole;
    let together: Vec<u8> = found.iter().flat_map(|message| message.bytes.clone()).collect();
    assert!(input.0.starts_with(&together));
    assert!(found.iter().all(|message| message.body().len() <= len_max));
    assert!(trouble.is_none_or(|trouble| trouble == records::Trouble::TooLarge));
    found.iter().for_each(|message| read_body(message.body(), len_max));
    read_body(input.0, len_max);
}

fn put_together(
    stream: &[u8],
    chunk: usize,
    len_max: usize,
) -> (Vec<messages::Message>, Option<records::Trouble>) {
    let (mut messages, mut found) = (Messages::new(len_max), Vec::new());
    for piece in stream.chunks(chunk) {
        messages.push(piece);
        loop {
            match messages.next() {
                Ok(Some(message)) => found.push(message),
                Ok(None) => break,
                Err(trouble) => return (found, Some(trouble)),
            }
        }
        let (_, content) = messages.incomplete().unwrap_or_default();
        assert!(content.len() <= stream.len());
    }
    (found, None)
}

/// Reads `body` as every message in turn.
fn read_body(body: &[u8], len_max: usize) {
    if let Some(hello) = messages::server_hello(body) {
        assert_eq!(hello.random.len(), 32);
        let parts = [hello.key_share, hello.cookie].into_iter().flatten();
        assert!(parts.map(<[u8]>::len).sum::<usize>() <= body.len());
    }
    for version in [0x0303, 0x0304] {
        let leaf = messages::leaf(body, version);
        if let Some(mut chain) = messages::Chain::read(body, version, 3) {
            assert!(chain.clone().count() <= 3);
            let first = chain.next().filter(|first| !first.is_empty());
            assert_eq!(leaf, first, "the first is the leaf");
        }
        // Once it is known, more bytes do not change it.
        let known = (0..body.len()).find_map(|length| messages::leaf(&body[..length], version));
        assert!(known.is_none() || known == leaf);
    }
    if let Ok(inflated) = messages::inflated(body, len_max) {
        assert!(inflated.len() <= len_max);
    }
    if let Some(signed) = messages::certificate_verify(body) {
        assert_eq!(signed.signature.len() + 4, body.len());
    }
    for (is_elliptic, has_scheme) in [(true, true), (true, false), (false, true), (false, false)] {
        let Some(read) = messages::key_exchange(body, is_elliptic, has_scheme) else { continue };
        assert!(body.starts_with(read.params) && body.ends_with(read.signed.signature));
        if let Some((ours, secret)) = read.share.answer() {
            assert!(!ours.is_empty() || !is_elliptic);
            assert!(!secret.is_empty() && secret.len() <= body.len());
        }
    }
}

/// Lets the whole client talk with a server that says what `input` says: in the clear, encrypted as TLS 1.3 is, or up
/// to the end of a handshake of TLS 1.0 to 1.2. A look at the first flight tells nothing else than the client.
pub fn client(input: &[u8]) {
    let mut input = Input(input);
    let mode = input.byte();
    let hello = input.one_of(&[
        Hello::Universal,
        Hello::Modern,
        Hello::Tls12,
        Hello::Rsa,
        Hello::Ecdsa,
        Hello::Eddsa,
    ]);
    let goal = input.one_of(&[Goal::Finish, Goal::Leaf]);
    let chunk = input.one_of(&CHUNKS);
    let bytes_in_max = input.one_of(&[256 * 1024, 4096, 700]);
    let end = input.one_of(&[End::EndOfStream, End::Reset, End::Deadline]);
    let limits = Limits { bytes_in_max, ..Limits::default() };
    let wish = Wish { hello, goal, limits, server_name: None, keys: None, request: None };
    let converse_with = |peer: &dyn Fn() -> Box<dyn Peer>| {
        let whole = converse(wish.clone(), peer().as_mut(), usize::MAX, usize::MAX, end);
        let chunked = converse(wish.clone(), peer().as_mut(), chunk, usize::MAX, end);
        assert_eq!(chunked, whole, "in chunks of {chunk}");
        if let Some(glance) = glance(limits) {
            let flight = first_flight(&glance, peer().as_mut());
            agrees(&glance, &flight);
            agrees(&glance, &flight[..chunk.min(flight.len())]);
        }
    };
    match mode % 3 {
        0 => converse_with(&|| Box::new(Script::new(input.0))),
        1 => converse_with(&|| Box::new(encrypting(input))),
        _ => converse_with(&|| Box::new(finishing(input))),
    }
}

/// A server of TLS 1.3 as `input` describes it.
fn encrypting(mut input: Input<'_>) -> EncryptingServer {
    let suite = input.one_of(&[0x1301, 0x1302, 0x1303, 0x1304, 0x1305]);
    let (group, length) = input.one_of(&[(29, 32), (23, 65), (24, 97), (30, 56), (256, 256)]);
    let retry: &[u8] = input.one_of(&[
        &[],
        &[0, 51, 0, 2, 0, 30],
        &[0, 51, 0, 2, 1, 0],
        &[0, 44, 0, 5, 0, 3, 7, 8, 9],
    ]);
    let mut share = vec![4; length];
    share[length / 2..].fill(input.byte());
    let flags = input.byte();
    let fragment = input.one_of(&[usize::MAX, 1, 50]);
    let said = match flags & 1 {
        0 => vec![(22, input.0.to_vec())],
        _ => std::iter::from_fn(|| input.kind_and_content()).collect(),
    };
    let mut server = EncryptingServer::new(suite, group, share, said);
    server.retry = retry.to_vec();
    server.fragment = fragment;
    server.finishes = flags & 2 != 0;
    server.then = (flags & 4 != 0).then(|| (0x1301, 29, vec![0x42; 32]));
    server
}

/// A server of TLS 1.0 to 1.2 as `input` describes it.
fn finishing(mut input: Input<'_>) -> ClearServer {
    let version = input.one_of(&[0x0303, 0x0302, 0x0301, 0x0300]);
    let suite = u16::from_be_bytes([input.byte(), input.byte()]);
    let flags = input.byte();
    let kind = input.one_of(&[22, 21, 23, 20]);
    let length = usize::from(input.byte());
    let said = input.take(length).to_vec();
    let reply = match flags & 6 {
        0 => Reply::Finished,
        2 => Reply::Sealed(kind, said),
        4 => Reply::AfterTicket(said),
        _ => Reply::Raw(said),
    };
    let mut server = ClearServer::new(version, suite, input.0.to_vec());
    server.is_extended = flags & 1 != 0;
    server.reply = reply;
    server
}

/// Reads `input` as a certificate and checks signatures against its key.
pub fn certificate(input: &[u8]) {
    let mut input = Input(input);
    let named = u16::from_be_bytes([input.byte(), input.byte()]);
    let scheme = if named == 0 { proof::Scheme::Legacy } else { proof::Scheme::Named(named) };
    let octets = usize::from(input.byte()) * 2;
    let (signature, der) = (input.take(octets), input.0);
    let leaf = Leaf::new(der.to_vec());
    assert_eq!(leaf.der, der);
    assert_eq!(leaf.sha1.0, <[u8; 20]>::from(Sha1::digest(der)));
    assert_eq!(leaf, Leaf::new(der.to_vec()), "the same bytes are the same leaf");
    let description = &leaf.description;
    assert_eq!(*description, Description::read(der));
    let texts = [&description.subject, &description.issuer, &description.common_name];
    let texts = texts.into_iter().flatten().chain(&description.names);
    let length: usize = texts.map(String::len).sum();
    assert!(length <= 8 * der.len() + 200, "{length} bytes of text from {}", der.len());
    let key = public_key(der);
    assert_eq!(leaf.spki_sha256.is_some(), key.is_some());
    if let Some(key) = key {
        assert!(key.spki.len() <= der.len() && key.key.len() < key.spki.len());
    }
    let worth = proof::check(der, scheme, b"handshake", signature);
    assert_eq!(proof::check(der, scheme, b"handshake", signature), worth);
    assert_ne!(proof::check(der, scheme, b"handshake", &[]), proof::Check::Proven);
    if let Ok(sealed) = rsa::encrypt_premaster(der, &[3; 48], &[7; 32]) {
        assert!((64..=2048).contains(&sealed.len()));
    }
}
