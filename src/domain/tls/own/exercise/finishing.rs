//! The server's side of SSL 3.0 to TLS 1.2: it says what it is told to say in the clear, and comes to the end of
//! the handshake with a client that wants it to.
//!
//! With Diffie-Hellman the secret is its own share. With RSA it knows the secret without the private key, since it
//! knows the client's entropy; whether that is encrypted rightly is for tests against real servers.

use super::conversation::{ENTROPY, Peer};
use super::encrypting::{handshake_messages, message};
use crate::domain::tls::own::cipher::{Exchange, Suite};
use crate::domain::tls::own::codepoints::content::{CHANGE_CIPHER_SPEC, HANDSHAKE};
use crate::domain::tls::own::codepoints::handshake_type::{
    HELLO_REQUEST, NEW_SESSION_TICKET, SERVER_HELLO, SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};
use crate::domain::tls::own::finish::{finished, key_block, master};
use crate::domain::tls::own::messages::{Messages, key_exchange};
use crate::domain::tls::own::protection::Direction;
use crate::domain::tls::own::records::{Record, Records, record};

/// The random of the server.
pub(in super::super) const SERVER_RANDOM: [u8; 32] = [9; 32];

/// What the server says to the client's Finished.
#[derive(Clone)]
pub(in super::super) enum Reply {
    /// The right Finished.
    Finished,
    /// A session ticket with this content, and the right Finished.
    AfterTicket(Vec<u8>),
    /// A record of this type and content, encrypted rightly.
    Sealed(u8, Vec<u8>),
    /// These bytes after its change_cipher_spec.
    Raw(Vec<u8>),
}

/// One connection's server.
pub(in super::super) struct ClearServer {
    version: u16,
    suite: u16,
    flight: Vec<u8>,
    /// Whether it binds the master secret to the transcript (RFC 7627).
    pub(in super::super) is_extended: bool,
    /// Bytes of a record's content at most, as long as it is not encrypted.
    pub(in super::super) fragment: usize,
    pub(in super::super) reply: Reply,
    client_hello: Option<Vec<u8>>,
}

impl ClearServer {
    /// A server that chooses this version and suite, and says the handshake messages of `flight` after its hello.
    pub(in super::super) fn new(version: u16, suite: u16, flight: Vec<u8>) -> Self {
        Self {
            version,
            suite,
            flight,
            is_extended: false,
            fragment: usize::MAX,
            reply: Reply::Finished,
            client_hello: None,
        }
    }

    /// Its hello and its flight.
    fn messages(&self) -> Vec<u8> {
        let (version, suite) = (self.version.to_be_bytes(), self.suite.to_be_bytes());
        let extensions: &[u8] = if self.is_extended { &[0, 4, 0, 23, 0, 0] } else { &[] };
        let hello = [&version, &SERVER_RANDOM[..], &[0], &suite, &[0], extensions].concat();
        [&message(SERVER_HELLO, &hello)[..], &self.flight].concat()
    }

    /// The premaster secret: of its share, if it has one, or of the client's entropy.
    fn premaster(&self, messages: &[Vec<u8>]) -> Option<Vec<u8>> {
        let is_elliptic = Exchange::of(self.suite) == Exchange::Ecdhe;
        match messages.iter().rfind(|message| kind(message) == SERVER_KEY_EXCHANGE) {
            Some(message) => {
                let read = key_exchange(&message[4..], is_elliptic, self.version > 0x0302)?;
                read.share.answer().map(|(_, secret)| secret)
            }
            None => Some([&[3, 3], &ENTROPY[64..110]].concat()),
        }
    }

    /// Checks the client's Finished, and says what is to be said to it.
    fn reply(&self, client_hello: &[u8], said: &[u8]) -> Option<Vec<u8>> {
        let Suite { protection, prf } = Suite::of(self.suite, self.version)?;
        let mut ours = split(&self.messages());
        ours.retain(|message| kind(message) != HELLO_REQUEST);
        // What it says after that, it says without waiting for the client.
        let done = ours.iter().position(|message| kind(message) == SERVER_HELLO_DONE)?;
        let early = ours.split_off(done + 1);
        let premaster = self.premaster(&ours)?;
        let mut messages = [client_hello, &ours.concat(), &handshake_messages(said)].concat();

        let client_random = &ENTROPY[..32];
        let extended = self.is_extended.then_some(&messages[..]);
        let randoms = [client_random, &SERVER_RANDOM];
        let master = master(prf, &premaster, randoms, extended);
        let randoms = [&SERVER_RANDOM, client_random].concat();
        let lengths = [protection.mac_len(), protection.key_len(), protection.iv_len()];
        let (client, server) = key_block(prf, &master, &randoms, lengths);
        let mut client = Direction::new(protection, self.version, client)?;
        let mut server = Direction::new(protection, self.version, server)?;
        let expected = finished(prf, &master, b"client finished", &messages);
        let said = client.open(&last_record(said)?)?;
        assert_eq!(said, expected, "the client finishes rightly");
        messages.extend(said);
        messages.extend(early.concat());

        let mut out = Vec::new();
        if let Reply::AfterTicket(content) = &self.reply {
            let ticket = message(NEW_SESSION_TICKET, content);
            out.extend(record(HANDSHAKE, self.version, &ticket));
            messages.extend(ticket);
        }
        out.extend(record(CHANGE_CIPHER_SPEC, self.version, &[1]));
        let right = finished(prf, &master, b"server finished", &messages);
        out.extend(match &self.reply {
            Reply::Finished | Reply::AfterTicket(_) => server.seal(HANDSHAKE, &right, &[5; 16])?,
            Reply::Sealed(kind, content) => server.seal(*kind, content, &[5; 16])?,
            Reply::Raw(bytes) => bytes.clone(),
        });
        Some(out)
    }
}

impl Peer for ClearServer {
    fn answer(&mut self, said: &[u8]) -> Vec<u8> {
        if said.is_empty() {
            return Vec::new();
        }
        if let Some(client_hello) = &self.client_hello {
            let reply = self.reply(client_hello, said);
            assert!(reply.is_some(), "the client's end can be read");
            return reply.unwrap_or_default();
        }
        self.client_hello = Some(handshake_messages(said));
        let messages = self.messages();
        let parts = messages.chunks(self.fragment);
        parts.flat_map(|part| record(HANDSHAKE, self.version, part)).collect()
    }
}

/// The whole handshake messages in `stream`.
fn split(stream: &[u8]) -> Vec<Vec<u8>> {
    let (mut messages, mut found) = (Messages::new(stream.len()), Vec::new());
    messages.push(stream);
    while let Ok(Some(message)) = messages.next() {
        found.push(message.bytes);
    }
    found
}

fn kind(message: &[u8]) -> u8 {
    message.first().copied().unwrap_or_default()
}

fn last_record(stream: &[u8]) -> Option<Record> {
    let (mut records, mut last) = (Records::default(), None);
    records.push(stream);
    while let Ok(Some(record)) = records.next() {
        last = Some(record);
    }
    last
}
