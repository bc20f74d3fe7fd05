//! Reading handshake messages. Every length is checked against what is there before it is believed.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::codepoints::TLS13;
use super::codepoints::handshake_type::CERTIFICATE;
use super::groups::Group;
use super::records::Trouble;

/// A cursor over bytes that gives nothing it does not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A big-endian number of `octets` bytes, at most four.
    pub(super) fn number(&mut self, octets: usize) -> Option<usize> {
        let bytes = self.take(octets)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.number(2).map(|number| number as u16)
    }

    /// Bytes behind their length in `octets` bytes.
    pub(super) fn vector(&mut self, octets: usize) -> Option<&'a [u8]> {
        let length = self.number(octets)?;
        self.take(length)
    }
}

/// A handshake message: its type, and all of its bytes with the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
}

impl Message {
    /// The content, without type and length.
    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[4..]
    }
}

/// Handshake messages, put together from the records that carry them.
#[derive(Debug)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// Bytes before this one have been handed out.
    taken: usize,
    len_max: usize,
}

impl Messages {
    /// Takes messages of at most `len_max` bytes.
    pub(super) const fn new(len_max: usize) -> Self {
        Self { bytes: Vec::new(), taken: 0, len_max }
    }

    pub(super) fn push(&mut self, fragment: &[u8]) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
        self.bytes.extend_from_slice(fragment);
    }

    /// Whether nothing is left over.
    pub(super) const fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// The next whole message, if it is there.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Trouble> {
        let Some((kind, bytes)) = whole(self.rest(), self.len_max)? else { return Ok(None) };
        let message = Message { kind, bytes: bytes.to_vec() };
        self.taken += message.bytes.len();
        Ok(Some(message))
    }

    /// Whether the message that is coming is longer than is taken.
    pub(super) fn is_too_large(&self) -> bool {
        self.head().is_some_and(|(_, length)| length > self.len_max)
    }

    /// Type and content so far of the message that is still coming.
    pub(super) fn incomplete(&self) -> Option<(u8, &[u8])> {
        let (kind, length) = self.head()?;
        let content = &self.rest()[4..];
        Some((kind, &content[..length.min(content.len())]))
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    fn head(&self) -> Option<(u8, usize)> {
        head(self.rest())
    }
}

/// Type and length of the message that `bytes` begin with.
pub(super) fn head(bytes: &[u8]) -> Option<(u8, usize)> {
    let mut reader = Reader::new(bytes);
    Some((reader.number(1)? as u8, reader.number(3)?))
}

/// Type and all bytes of the message that `bytes` begin with, once it is whole; its content has at most `len_max` bytes.
pub(super) fn whole(bytes: &[u8], len_max: usize) -> Result<Option<(u8, &[u8])>, Trouble> {
    match head(bytes) {
        // The leaf stands at the beginning: that much of it is still read.
        Some((CERTIFICATE, length)) if length > len_max => Ok(None),
        Some((_, length)) if length > len_max => Err(Trouble::TooLarge),
        Some((kind, length)) => Ok(bytes.get(..4 + length).map(|bytes| (kind, bytes))),
        None => Ok(None),
    }
}

/// The code point of zlib (RFC 8879, section 3).
pub(super) const ZLIB: u16 = 1;

/// A ServerHello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerHello<'a> {
    /// What the server chose: the supported_versions extension if there is one.
    pub(super) version: u16,
    pub(super) random: &'a [u8],
    pub(super) suite: u16,
    /// The key_share extension, whole.
    pub(super) key_share: Option<&'a [u8]>,
    pub(super) cookie: Option<&'a [u8]>,
    /// Whether the master secret is bound to the transcript (RFC 7627).
    pub(super) is_extended: bool,
}

impl<'a> ServerHello<'a> {
    /// The server's share, and the group that it is of.
    pub(super) fn share(&self) -> Option<(Group, &'a [u8])> {
        let mut reader = Reader::new(self.key_share?);
        Some((reader.u16().and_then(Group::of)?, reader.vector(2)?))
    }
}

/// The random of a ServerHello that is a HelloRetryRequest (RFC 8446, section 4.1.3).
pub(super) const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

pub(super) fn server_hello(body: &[u8]) -> Option<ServerHello<'_>> {
    let mut reader = Reader::new(body);
    let version = reader.u16()?;
    let random = reader.take(32)?;
    reader.vector(1)?; // session id
    let suite = reader.u16()?;
    reader.number(1)?; // compression
    let mut hello =
        ServerHello { version, random, suite, key_share: None, cookie: None, is_extended: false };
    if reader.is_empty() {
        return Some(hello);
    }
    let mut extensions = Reader::new(reader.vector(2)?);
    while !extensions.is_empty() {
        let (kind, content) = (extensions.u16()?, extensions.vector(2)?);
        match kind {
            23 => hello.is_extended = true,
            43 => hello.version = Reader::new(content).u16()?,
            44 => {
                let cookie = Reader::new(content).vector(2)?;
                hello.cookie = Some(cookie).filter(|cookie| !cookie.is_empty());
            }
            51 => hello.key_share = Some(content),
            _ => {}
        }
    }
    Some(hello)
}

/// The certificates of a Certificate message in the server's order, where they stand.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    list: Reader<'a>,
    left: usize,
    has_extensions: bool,
}

impl<'a> Chain<'a> {
    /// The certificates in `body`, `len_max` of them at most; `None` if a length among these is wrong.
    pub(super) fn read(body: &'a [u8], version: u16, len_max: usize) -> Option<Self> {
        let mut reader = Reader::new(body);
        let has_extensions = version >= TLS13;
        if has_extensions {
            reader.vector(1)?; // certificate_request_context
        }
        let list = Reader::new(reader.vector(3)?);
        let mut chain = Self { list, left: 0, has_extensions };
        let mut left = 0;
        while !chain.list.is_empty() && left < len_max {
            chain.entry()?;
            left += 1;
        }
        Some(Self { list, left, has_extensions })
    }

    fn entry(&mut self) -> Option<&'a [u8]> {
        let certificate = self.list.vector(3)?;
        if self.has_extensions {
            self.list.vector(2)?;
        }
        Some(certificate)
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        self.entry()
    }
}

/// The first certificate of a Certificate message of which `body` has come so far, if that is all of it.
pub(super) fn leaf(body: &[u8], version: u16) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    if version >= TLS13 {
        reader.vector(1)?;
    }
    let list = reader.number(3)?;
    let mut first = reader;
    let length = first.number(3)?;
    (length > 0 && length + 3 <= list).then(|| first.take(length)).flatten()
}

/// The body of the Certificate message that a CompressedCertificate holds (RFC 8879, section 4), `len_max`
/// bytes at most. zlib is the one algorithm that is offered.
pub(super) fn inflated(body: &[u8], len_max: usize) -> Result<Vec<u8>, Trouble> {
    let mut reader = Reader::new(body);
    let parts = (|| Some((reader.u16()?, reader.number(3)?, reader.vector(3)?)))();
    let (algorithm, length, compressed) = parts.ok_or(Trouble::Malformed)?;
    if length > len_max {
        return Err(Trouble::TooLarge);
    }
    if algorithm != ZLIB || !reader.is_empty() {
        return Err(Trouble::Malformed);
    }
    decompress_to_vec_zlib_with_limit(compressed, length)
        .ok()
        .filter(|inflated| inflated.len() == length)
        .ok_or(Trouble::Malformed)
}

/// A signature over a handshake and what it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    /// The scheme's code point; none before TLS 1.2, where the kind of key says it all.
    pub(super) scheme: Option<u16>,
    pub(super) signature: &'a [u8],
}

/// A CertificateVerify (RFC 8446, section 4.4.3).
pub(super) fn certificate_verify(body: &[u8]) -> Option<Signed<'_>> {
    signed(Reader::new(body), true)
}

fn signed(mut reader: Reader<'_>, has_scheme: bool) -> Option<Signed<'_>> {
    let scheme = if has_scheme { Some(reader.u16()?) } else { None };
    let signed = Signed { scheme, signature: reader.vector(2)? };
    reader.is_empty().then_some(signed)
}

/// What a ServerKeyExchange of TLS 1.2 or older holds (RFC 5246, section 7.4.3; RFC 8422, section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyExchange<'a> {
    /// The parameters, which are what is signed.
    pub(super) params: &'a [u8],
    pub(super) signed: Signed<'a>,
    pub(super) share: ServerShare<'a>,
}

/// The server's part of a Diffie-Hellman exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerShare<'a> {
    /// A point of the curve with this code point.
    Elliptic { group: u16, point: &'a [u8] },
    /// A finite field's generator, and the server's power of it.
    Finite { generator: &'a [u8], power: &'a [u8] },
}

impl ServerShare<'_> {
    /// Our part, the base point or the generator, and the premaster secret that follows from it; `None` on a curve
    /// that we have no base point of.
    pub(super) fn answer(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match *self {
            Self::Elliptic { group, point } => {
                let group = Group::of(group)?;
                Some((group.share(), group.secret(point)?.to_vec()))
            }
            Self::Finite { generator, power } => {
                // Leading zeros do not count (RFC 5246, section 8.1.2).
                let first = power.iter().position(|byte| *byte != 0)?;
                Some((generator.to_vec(), power[first..].to_vec()))
            }
        }
    }
}

/// Reads a ServerKeyExchange; before TLS 1.2 its signature names no scheme.
pub(super) fn key_exchange(
    body: &[u8],
    is_elliptic: bool,
    has_scheme: bool,
) -> Option<KeyExchange<'_>> {
    let mut reader = Reader::new(body);
    let share = if is_elliptic {
        let named_curve = reader.number(1)? == 3;
        if !named_curve {
            return None;
        }
        ServerShare::Elliptic { group: reader.u16()?, point: reader.vector(1)? }
    } else {
        reader.vector(2)?; // the modulus
        ServerShare::Finite { generator: reader.vector(2)?, power: reader.vector(2)? }
    };
    let params = &body[..body.len() - reader.0.len()];
    Some(KeyExchange { params, signed: signed(reader, has_scheme)?, share })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_from_any_fragments() {
        let stream = [2, 0, 0, 3, 1, 2, 3, 14, 0, 0, 0, 11, 0, 0, 9, 5];
        for chunk in 1..=stream.len() {
            let (mut messages, mut found) = (Messages::new(100), Vec::new());
            for piece in stream.chunks(chunk) {
                messages.push(piece);
                while let Some(message) = messages.next().unwrap() {
                    found.push((message.kind, message.body().to_vec()));
                }
            }
            assert_eq!(found, [(2, vec![1, 2, 3]), (14, vec![])], "{chunk}");
            assert_eq!(messages.incomplete(), Some((11, &[5][..])));
        }
        let mut messages = Messages::new(100);
        messages.push(&[2, 0, 0, 101]);
        assert_eq!(messages.next(), Err(Trouble::TooLarge));
        let mut messages = Messages::new(100);
        messages.push(&[11, 0, 0, 101, 7]);
        assert_eq!(messages.next(), Ok(None), "its leaf may still come");
        assert!(messages.is_too_large() && !messages.is_empty());
        assert_eq!(messages.incomplete(), Some((11, &[7][..])));
    }

    #[test]
    fn a_leaf_is_known_as_soon_as_it_is_there_and_not_before() {
        let old = [0, 0, 9, 0, 0, 3, 7, 7, 7, 0, 0, 0];
        let new = [0, 0, 0, 11, 0, 0, 3, 7, 7, 7, 0, 0, 0, 0, 0];
        for (body, version, complete) in [(&old[..], 0x0303, 9), (&new[..], TLS13, 10)] {
            for length in 0..=body.len() {
                let expected = (length >= complete).then_some(&[7, 7, 7][..]);
                assert_eq!(leaf(&body[..length], version), expected, "{length}");
            }
        }
        // A leaf that is longer than the list that holds it, and one of no length.
        assert_eq!(leaf(&[0, 0, 5, 0, 0, 3, 7, 7, 7], 0x0303), None);
        assert_eq!(leaf(&[0, 0, 3, 0, 0, 0], 0x0303), None);
    }

    #[test]
    fn length_lies_give_nothing() {
        let chain = |body, len_max| Some(Chain::read(body, 0x0303, len_max)?.collect::<Vec<_>>());
        assert_eq!(chain(&[0, 0, 9, 0, 0, 3, 7, 7], 9), None);
        assert_eq!(chain(&[0, 0, 0], 9), Some(vec![]));
        let three = [0, 0, 12, 0, 0, 1, 7, 0, 0, 1, 8, 0, 0, 1, 9];
        assert_eq!(chain(&three, 2), Some(vec![&[7][..], &[8]]));
        assert_eq!(server_hello(&[3, 3]), None);
        let hello = [&[3, 3][..], &[1; 32], &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
        assert_eq!(server_hello(&hello).unwrap().version, TLS13);
        for length in 0..hello.len() {
            let cut = server_hello(&hello[..length]);
            assert!(cut.is_none() || length == 38, "{length}");
        }
    }

    #[test]
    fn signed_parameters_end_where_the_signature_begins() {
        let elliptic = [3, 0, 29, 2, 5, 5, 4, 3, 0, 1, 9];
        let read = key_exchange(&elliptic, true, true).unwrap();
        assert_eq!(read.params, &elliptic[..6]);
        assert_eq!(read.signed, Signed { scheme: Some(0x0403), signature: &[9] });
        assert_eq!(read.share, ServerShare::Elliptic { group: 29, point: &[5, 5] });
        let finite = [0, 1, 7, 0, 1, 2, 0, 2, 0, 5, 8, 4, 0, 2, 1, 1];
        let read = key_exchange(&finite, false, true).unwrap();
        assert_eq!((read.params, read.signed.scheme), (&finite[..10], Some(0x0804)));
        assert_eq!(read.share.answer(), Some((vec![2], vec![5])), "without leading zeros");
        let old = [0, 1, 7, 0, 1, 2, 0, 1, 0, 0, 1, 9];
        let read = key_exchange(&old, false, false).unwrap();
        assert_eq!(read.signed, Signed { scheme: None, signature: &[9] });
        assert_eq!(read.share.answer(), None, "no power of anything");
        assert_eq!(key_exchange(&elliptic[..10], true, true), None);
        assert_eq!(key_exchange(&[1, 0, 29, 0], true, true), None);
    }

    #[test]
    fn bombs_are_told_by_what_they_say_and_by_what_they_do() {
        let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&[0; 100_000], 9);
        let message = |algorithm: u8, length: u32, compressed: &[u8]| {
            let inner = (compressed.len() as u32).to_be_bytes();
            [&[0, algorithm], &length.to_be_bytes()[1..], &inner[1..], compressed].concat()
        };
        let limit = 65_536;
        assert_eq!(inflated(&message(1, 100_000, &bomb), limit), Err(Trouble::TooLarge));
        assert_eq!(inflated(&message(1, 1_000, &bomb), limit), Err(Trouble::Malformed));
        assert_eq!(inflated(&message(2, 1_000, &bomb), limit), Err(Trouble::Malformed));
        assert_eq!(inflated(&[0, 1, 0], limit), Err(Trouble::Malformed));
        let honest = miniz_oxide::deflate::compress_to_vec_zlib(b"certificate", 9);
        assert_eq!(inflated(&message(1, 11, &honest), limit), Ok(b"certificate".to_vec()));
        assert_eq!(inflated(&message(1, 12, &honest), limit), Err(Trouble::Malformed));
    }
}
