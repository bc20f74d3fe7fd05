//! The short way to a certificate: one look at all that a server has said so far, with no client behind it.
//!
//! Most servers answer the one ClientHello with a flight that holds their certificate. What can be computed before is
//! computed once for a run; a look then costs a pass over the bytes and, in TLS 1.3, the keys that open them. The
//! bytes are those of the connection from the first one on, every time: who looks keeps nothing in between.
//!
//! A look decides nothing but a certificate. Alerts, retries, compressed certificates and whatever else breaks the pattern
//! are for the client, which reads the same bytes with the same functions and has said the same hello.

use super::codepoints::content::{APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE};
use super::codepoints::handshake_type::{
    CERTIFICATE, CERTIFICATE_REQUEST, ENCRYPTED_EXTENSIONS, SERVER_HELLO,
};
use super::codepoints::{TLS10, content};
use super::handshake::{Choice, Wish, choice};
use super::hello::{self, Hello, Lists, Particulars};
use super::messages::{self, Chain, RETRY_RANDOM, Reader, ServerHello};
use super::records::{self, Cut, Trouble, record};
use super::schedule::{Beginning, Hash, Suite, Traffic, Transcript};
use super::{Goal, OwnClient, facts};
use crate::domain::observation::TlsFacts;
use crate::domain::tls::{Client, Entropy, Limits, Moment};

/// What a look at a server's first bytes came to.
#[derive(Clone, Debug)]
pub enum Look<'a> {
    /// The Certificate message is whole.
    Certificates {
        /// Version and suite.
        tls: TlsFacts,
        /// The certificates, of which the first is the leaf and is not empty.
        chain: Chain<'a>,
    },
    /// All is well so far, and more must come.
    More,
    /// Something that is for a client to read: [`Glance::client`].
    Unusual,
}

/// One ClientHello for all first attempts of a run, and what is needed to read the answers to it.
pub struct Glance {
    wish: Wish,
    lists: Lists,
    entropy: Entropy,
    hello: Vec<u8>,
    bytes_max: usize,
    sha256: Prepared,
    sha384: Prepared,
}

/// What of the key schedule with one hash is the same on every connection.
struct Prepared {
    beginning: Beginning,
    /// After the ClientHello.
    transcript: Transcript,
}

impl Prepared {
    fn new(hash: Hash, client_hello: &[u8]) -> Option<Self> {
        let mut transcript = hash.transcript();
        transcript.update(client_hello);
        Some(Self { beginning: hash.beginning()?, transcript })
    }
}

/// What the short way does not lead through.
struct Unusual;

impl From<Trouble> for Unusual {
    fn from(_: Trouble) -> Self {
        Self
    }
}

/// What was looked for, if all of it has come.
type Found<T> = Result<Option<T>, Unusual>;

/// Version and suite.
type Chosen = (u16, u16);

impl Glance {
    /// How many bytes are looked at; a flight that has its certificate beyond them is unusual.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// The offer of everything, without a server name, in a ClientHello made of `entropy`; `None` only if the
    /// cryptographic library refuses a length.
    ///
    /// Its random is the same on every connection. That proves nothing, and nothing is proven: whoever goes on to a
    /// signature takes a client with an [`Entropy`] of its own.
    pub fn new(limits: Limits, entropy: Entropy) -> Option<Self> {
        let hello = Hello::Universal;
        let goal = Goal::Leaf;
        let wish = Wish { hello, goal, limits, server_name: None, keys: None, request: None };
        let lists = Lists::of(hello);
        let particulars =
            Particulars { entropy: &entropy, server_name: None, keys: None, retry: None };
        let message = hello::client_hello(&lists, particulars);
        Some(Self {
            sha256: Prepared::new(Hash::Sha256, &message)?,
            sha384: Prepared::new(Hash::Sha384, &message)?,
            hello: record(content::HANDSHAKE, TLS10, &message),
            bytes_max: limits.bytes_in_max.min(Self::BYTES_MAX),
            wish,
            lists,
            entropy,
        })
    }

    /// The bytes to send on every connection.
    pub fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// A client for a connection that was accepted at `now` and on which [`Glance::hello`] has been sent. It must be
    /// given all bytes that came, from the first one on.
    pub fn client(&self, now: Moment) -> Box<dyn Client> {
        let mut client = OwnClient::new(self.wish.clone(), now, self.entropy);
        client.out.clear();
        Box::new(client)
    }

    /// What there is in `bytes`, all that the server has said so far. `scratch` takes what cannot be read in place; what
    /// it holds before does not matter.
    pub fn look<'b>(&self, bytes: &'b [u8], scratch: &'b mut Vec<u8>) -> Look<'b> {
        if bytes.len() > self.bytes_max {
            return Look::Unusual;
        }
        match self.read(bytes, scratch) {
            Ok(Some((tls, chain))) => Look::Certificates { tls, chain },
            Ok(None) if bytes.len() < self.bytes_max => Look::More,
            Ok(None) | Err(Unusual) => Look::Unusual,
        }
    }

    fn read<'b>(&self, bytes: &'b [u8], scratch: &'b mut Vec<u8>) -> Found<(TlsFacts, Chain<'b>)> {
        let Some((first, rest)) = handshake_record(bytes)? else { return Ok(None) };
        match self.whole(first)? {
            Some((kind, message)) => {
                let after = &first[message.len()..];
                match self.follow(kind, message)? {
                    (chosen, None) => self.clear(chosen, after, rest, scratch),
                    (chosen, Some(traffic)) if after.is_empty() => {
                        self.encrypted(chosen, traffic, rest, scratch)
                    }
                    (_, Some(_)) => Err(Unusual),
                }
            }
            None => self.read_split(first, rest, scratch),
        }
    }

    /// The same where the ServerHello is spread over several records.
    fn read_split<'b>(
        &self,
        first: &[u8],
        rest: &'b [u8],
        scratch: &'b mut Vec<u8>,
    ) -> Found<(TlsFacts, Chain<'b>)> {
        scratch.clear();
        scratch.extend_from_slice(first);
        let Some((length, rest)) = self.gather(0, rest, scratch)? else { return Ok(None) };
        let message = scratch.get(..length).ok_or(Unusual)?;
        let kind = message.first().ok_or(Unusual)?;
        match self.follow(*kind, message)? {
            (chosen, None) => self.clear_split(chosen, length, rest, scratch),
            (chosen, Some(traffic)) if scratch.len() == length => {
                self.encrypted(chosen, traffic, rest, scratch)
            }
            (_, Some(_)) => Err(Unusual),
        }
    }

    /// What the ServerHello `message` chooses, and in TLS 1.3 the server's keys.
    fn follow(&self, kind: u8, message: &[u8]) -> Result<(Chosen, Option<Traffic>), Unusual> {
        let body = message.get(4..).filter(|_| kind == SERVER_HELLO).ok_or(Unusual)?;
        let hello = messages::server_hello(body).ok_or(Unusual)?;
        let chosen = (hello.version, hello.suite);
        match choice(&self.lists, &hello).ok_or(Unusual)? {
            Choice::Clear => Ok((chosen, None)),
            Choice::Encrypted(_) if hello.random == RETRY_RANDOM => Err(Unusual),
            Choice::Encrypted(suite) => {
                let traffic = self.traffic(suite, &hello, message).ok_or(Unusual)?;
                Ok((chosen, Some(traffic)))
            }
        }
    }

    /// The keys of a server of TLS 1.3.
    fn traffic(&self, suite: Suite, hello: &ServerHello<'_>, message: &[u8]) -> Option<Traffic> {
        let prepared = match suite.hash() {
            Hash::Sha256 => &self.sha256,
            Hash::Sha384 => &self.sha384,
        };
        let (group, theirs) = hello.share()?;
        let secret = group.secret(theirs).filter(|_| self.lists.has_share(group))?;
        let mut transcript = prepared.transcript.clone();
        transcript.update(message);
        prepared.beginning.secrets(suite, secret, transcript.hash())?.server()
    }

    /// Up to TLS 1.2: the Certificate message comes `after` the ServerHello in its record, or in the `rest`.
    fn clear<'b>(
        &self,
        chosen: Chosen,
        after: &'b [u8],
        rest: &'b [u8],
        scratch: &'b mut Vec<u8>,
    ) -> Found<(TlsFacts, Chain<'b>)> {
        let (part, rest) = match handshake_record(rest) {
            _ if !after.is_empty() => (after, rest),
            Ok(Some(next)) => next,
            Ok(None) => return Ok(None),
            Err(Unusual) => return Err(Unusual),
        };
        if let Some((_, message)) = self.whole(part)? {
            return self.certificates(chosen, message).map(Some);
        }
        scratch.clear();
        scratch.extend_from_slice(part);
        self.clear_split(chosen, 0, rest, scratch)
    }

    /// The same where the message is spread over several records: it begins in `scratch` at `at`.
    fn clear_split<'b>(
        &self,
        chosen: Chosen,
        at: usize,
        rest: &[u8],
        scratch: &'b mut Vec<u8>,
    ) -> Found<(TlsFacts, Chain<'b>)> {
        let Some((length, _)) = self.gather(at, rest, scratch)? else { return Ok(None) };
        let message = scratch.get(at..at + length).ok_or(Unusual)?;
        self.certificates(chosen, message).map(Some)
    }

    /// Adds records of `rest` to `scratch` until the message at `at` is whole: its length, and what is left of `rest`.
    fn gather<'b>(
        &self,
        at: usize,
        mut rest: &'b [u8],
        scratch: &mut Vec<u8>,
    ) -> Found<(usize, &'b [u8])> {
        loop {
            if let Some((_, message)) = self.whole(scratch.get(at..).ok_or(Unusual)?)? {
                return Ok(Some((message.len(), rest)));
            }
            let Some((fragment, left)) = handshake_record(rest)? else { return Ok(None) };
            scratch.extend_from_slice(fragment);
            rest = left;
        }
    }

    /// TLS 1.3: opens the records of `rest` until the Certificate message is whole.
    fn encrypted<'b>(
        &self,
        chosen: Chosen,
        mut traffic: Traffic,
        mut rest: &[u8],
        scratch: &'b mut Vec<u8>,
    ) -> Found<(TlsFacts, Chain<'b>)> {
        scratch.clear();
        let (mut at, mut is_changed) = (0, false);
        let mut before = Before::default();
        let length = loop {
            if let Some((kind, message)) = self.whole(scratch.get(at..).ok_or(Unusual)?)? {
                if kind == CERTIFICATE {
                    break message.len();
                }
                before.take(kind, message)?;
                at += message.len();
                continue;
            }
            let Some((record, left)) = records::cut(rest)? else { return Ok(None) };
            rest = left;
            match (record.kind(), record.fragment) {
                // Sent for the sake of middleboxes (RFC 8446, appendix D.4), and once.
                (CHANGE_CIPHER_SPEC, [1]) if !is_changed => is_changed = true,
                (APPLICATION_DATA, _) => open(&mut traffic, record, scratch)?,
                _ => return Err(Unusual),
            }
        };
        let message = scratch.get(at..at + length).ok_or(Unusual)?;
        self.certificates(chosen, message).map(Some)
    }

    /// The message that `bytes` begin with, if it is whole; one that is longer than is looked at is unusual.
    fn whole<'b>(&self, bytes: &'b [u8]) -> Found<(u8, &'b [u8])> {
        match messages::head(bytes) {
            Some((_, length)) if length > self.bytes_max => Err(Unusual),
            _ => Ok(messages::whole(bytes, self.bytes_max)?),
        }
    }

    fn certificates<'b>(
        &self,
        (version, suite): Chosen,
        message: &'b [u8],
    ) -> Result<(TlsFacts, Chain<'b>), Unusual> {
        let (kind, body) = message.split_at_checked(4).ok_or(Unusual)?;
        let len_max = self.wish.limits.chain_len_max;
        Chain::read(body, version, len_max)
            .filter(|_| kind.first() == Some(&CERTIFICATE))
            .filter(|chain| chain.clone().next().is_some_and(|leaf| !leaf.is_empty()))
            .zip(facts(version, suite))
            .map(|(chain, tls)| (tls, chain))
            .ok_or(Unusual)
    }
}

/// What came before a Certificate message of TLS 1.3.
#[derive(Default)]
struct Before {
    has_extensions: bool,
    has_request: bool,
}

impl Before {
    fn take(&mut self, kind: u8, message: &[u8]) -> Result<(), Unusual> {
        let is_new = match kind {
            ENCRYPTED_EXTENSIONS => !std::mem::replace(&mut self.has_extensions, true),
            CERTIFICATE_REQUEST => {
                let body = message.get(4..).ok_or(Unusual)?;
                Reader::new(body).vector(1).ok_or(Unusual)?;
                !std::mem::replace(&mut self.has_request, true)
            }
            _ => false,
        };
        if is_new { Ok(()) } else { Err(Unusual) }
    }
}

/// Adds the handshake content of an encrypted record to `scratch`.
fn open(traffic: &mut Traffic, record: Cut<'_>, scratch: &mut Vec<u8>) -> Result<(), Unusual> {
    let at = scratch.len();
    scratch.extend_from_slice(record.fragment);
    let sealed = scratch.get_mut(at..).ok_or(Unusual)?;
    let (kind, length) = traffic.open_in_place(record.header, sealed)?;
    scratch.truncate(at + length);
    if kind == HANDSHAKE && length > 0 { Ok(()) } else { Err(Unusual) }
}

/// The content of the handshake record that `bytes` begin with, and what follows it, once it is whole.
fn handshake_record(bytes: &[u8]) -> Found<(&[u8], &[u8])> {
    match records::cut(bytes)? {
        None => Ok(None),
        Some((record, rest)) if record.kind() == HANDSHAKE && !record.fragment.is_empty() => {
            Ok(Some((record.fragment, rest)))
        }
        Some(_) => Err(Unusual),
    }
}
