//! The server's side of TLS 1.3 (RFC 8446): it says in right encryption whatever it is told to say.
//!
//! The client's shares are base points, so that the secret is the server's own share and the server needs no private
//! key for it. Any bytes are a share then.

use super::conversation::Peer;
use crate::domain::tls::own::codepoints::content::{
    APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE,
};
use crate::domain::tls::own::codepoints::handshake_type::{
    CERTIFICATE_VERIFY, FINISHED, SERVER_HELLO,
};
use crate::domain::tls::own::groups::Group;
use crate::domain::tls::own::messages::{Messages, RETRY_RANDOM};
use crate::domain::tls::own::records::{Records, record};
use crate::domain::tls::own::schedule::{Secrets, Suite, Traffic, Transcript};

/// Makes the body of a CertificateVerify for what is to be signed (RFC 8446, section 4.4.3).
pub(in super::super) type Sign = dyn Fn(&[u8]) -> Vec<u8>;

/// One connection's server.
pub(in super::super) struct EncryptingServer {
    suite: u16,
    group: u16,
    share: Vec<u8>,
    /// Types and contents of what it says under encryption.
    pub(in super::super) said: Vec<(u8, Vec<u8>)>,
    /// The extensions of a HelloRetryRequest beside supported_versions; no request without any.
    pub(in super::super) retry: Vec<u8>,
    /// Suite, group and share of its ServerHello after a retry, if it does not keep its word.
    pub(in super::super) then: Option<(u16, u16, Vec<u8>)>,
    /// Bytes of a record's content at most.
    pub(in super::super) fragment: usize,
    /// Signs what was said.
    pub(in super::super) sign: Option<Box<Sign>>,
    /// Whether what was said is followed by the right Finished.
    pub(in super::super) finishes: bool,
    first_messages: Vec<u8>,
    is_retried: bool,
    waits: Option<(Secrets, Transcript)>,
}

impl EncryptingServer {
    /// A server that chooses this suite and group, and says types and contents of records. The transcript holds
    /// those that are handshake messages.
    pub(in super::super) fn new(
        suite: u16,
        group: u16,
        share: Vec<u8>,
        said: Vec<(u8, Vec<u8>)>,
    ) -> Self {
        Self {
            suite,
            group,
            share,
            said,
            retry: Vec::new(),
            then: None,
            fragment: usize::MAX,
            sign: None,
            finishes: false,
            first_messages: Vec::new(),
            is_retried: false,
            waits: None,
        }
    }

    fn retry_request(&mut self, suite: Suite, client_hello: &[u8]) -> Vec<u8> {
        let extensions = [&[0, 43, 0, 2, 3, 4][..], &self.retry].concat();
        let request = server_hello(&RETRY_RANDOM, self.suite, &extensions);
        self.first_messages = [&suite.message_hash(client_hello)[..], &request].concat();
        self.is_retried = true;
        if let Some((suite, group, share)) = self.then.take() {
            (self.suite, self.group, self.share) = (suite, group, share);
        }
        record(HANDSHAKE, 0x0303, &request)
    }

    /// ServerHello, change_cipher_spec, and what is said under encryption.
    fn flight(&mut self, suite: Suite, client_hello: &[u8]) -> Option<Vec<u8>> {
        let group = self.group.to_be_bytes();
        let share = [&group[..], &(self.share.len() as u16).to_be_bytes(), &self.share].concat();
        let extension = [&[0, 51][..], &(share.len() as u16).to_be_bytes(), &share].concat();
        let extensions = [&[0, 43, 0, 2, 3, 4][..], &extension].concat();
        let hello = server_hello(&[9; 32], self.suite, &extensions);
        let mut transcript = suite.transcript();
        for part in [&self.first_messages[..], client_hello, &hello] {
            transcript.update(part);
        }
        let secret = Group::of(self.group)?.secret(&self.share)?.to_vec();
        let secrets = suite.secrets(&secret, transcript.hash())?;
        let mut traffic = secrets.server()?;
        let mut out = record(HANDSHAKE, 0x0303, &hello);
        out.extend(record(CHANGE_CIPHER_SPEC, 0x0303, &[1]));
        for (kind, content) in &self.said {
            self.say(&mut traffic, *kind, content, &mut out)?;
            if *kind == HANDSHAKE {
                transcript.update(content);
            }
        }
        if let Some(sign) = &self.sign {
            let context = b"TLS 1.3, server CertificateVerify\0";
            let hash = transcript.hash();
            let body = sign(&[&[0x20; 64], &context[..], hash.as_ref()].concat());
            let message = message(CERTIFICATE_VERIFY, &body);
            self.say(&mut traffic, HANDSHAKE, &message, &mut out)?;
            transcript.update(&message);
        }
        if self.finishes {
            let verify_data = traffic.verify_data(transcript.hash())?;
            let message = message(FINISHED, &verify_data);
            self.say(&mut traffic, HANDSHAKE, &message, &mut out)?;
            transcript.update(&message);
            self.waits = Some((secrets, transcript));
        }
        Some(out)
    }

    fn say(
        &self,
        traffic: &mut Traffic,
        kind: u8,
        content: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        for part in content.chunks(self.fragment.min(1 << 14)) {
            out.extend(traffic.seal(kind, part)?);
        }
        Some(())
    }

    /// Reads the client's last words: its Finished, and no certificate if one was asked for.
    fn read_end(&mut self, said: &[u8]) -> Option<()> {
        let (secrets, mut transcript) = self.waits.take()?;
        let mut traffic = secrets.client()?;
        let (mut records, mut messages) = (Records::default(), Messages::new(1 << 16));
        records.push(said);
        while let Some(record) = records.next().ok()? {
            if record.kind == APPLICATION_DATA {
                let (kind, content) = traffic.open(&record).ok()?;
                assert_eq!(kind, HANDSHAKE);
                messages.push(&content);
            }
        }
        let mut is_finished = false;
        while let Some(message) = messages.next().ok()? {
            let expected = traffic.verify_data(transcript.hash())?;
            is_finished = message.kind == FINISHED;
            assert!(!is_finished || message.body() == expected, "the client finishes rightly");
            transcript.update(&message.bytes);
        }
        assert!(is_finished, "the client finishes");
        Some(())
    }
}

impl Peer for EncryptingServer {
    fn answer(&mut self, said: &[u8]) -> Vec<u8> {
        if said.is_empty() {
            return Vec::new();
        }
        if self.waits.is_some() {
            assert!(self.read_end(said).is_some(), "the client's end can be read");
            return Vec::new();
        }
        let Some(suite) = Suite::of(self.suite) else { return Vec::new() };
        let client_hello = &handshake_messages(said);
        if !self.retry.is_empty() && !self.is_retried {
            return self.retry_request(suite, client_hello);
        }
        self.flight(suite, client_hello).unwrap_or_default()
    }
}

/// The handshake messages in `stream`, a stream of records, up to the first of another type.
pub(super) fn handshake_messages(stream: &[u8]) -> Vec<u8> {
    let (mut records, mut found) = (Records::default(), Vec::new());
    records.push(stream);
    while let Ok(Some(record)) = records.next() {
        if record.kind != HANDSHAKE {
            break;
        }
        found.extend(record.fragment);
    }
    found
}

/// A whole handshake message.
pub(in super::super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// A whole ServerHello with TLS 1.2 in the old place.
pub(in super::super) fn server_hello(random: &[u8; 32], suite: u16, extensions: &[u8]) -> Vec<u8> {
    let length = (extensions.len() as u16).to_be_bytes();
    let suite = suite.to_be_bytes();
    message(SERVER_HELLO, &[&[3, 3], &random[..], &[0], &suite, &[0], &length, extensions].concat())
}
