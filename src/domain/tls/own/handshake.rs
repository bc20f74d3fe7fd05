//! The handshake as we see it: from ClientHello to the leaf, and to the server's signature after it.

use aws_lc_rs::digest;

use super::Goal;
use super::codepoints::{KeyExchange, SSL30, SUITES, TLS10, TLS12, TLS13, key_exchange};
use super::finish::{Finishing, Turn};
use super::groups::{self, Group};
use super::hello::{self, Retry};
use super::messages::{self, Message, Messages, RETRY_RANDOM, ServerHello, Signed};
use super::records::{Record, Trouble};
use super::schedule::{ServerKey, Suite};
use crate::domain::outcome::Alert;
use crate::domain::tls::{Entropy, Limits, proof};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const HELLO_REQUEST: u8 = 0;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const CERTIFICATE_STATUS: u8 = 22;

/// Records that carry nothing for us, taken from a connection at most: warnings, change_cipher_spec, empty ones.
const IDLE_RECORDS_MAX: u32 = 32;

const CLOSE_NOTIFY: u8 = 0;
const WARNING: u8 = 1;

/// What a record led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    More,
    /// The goal is reached, or the server has nothing more that could reach it.
    Done,
    /// The server ended it.
    Alert(Alert),
}

/// Where the handshake is.
enum State {
    /// The ServerHello is awaited.
    Hello { retried: bool },
    /// Up to TLS 1.2: the rest of the server's flight, in the clear.
    Clear(Clear),
    /// Up to TLS 1.2: everything is said, and the server's Finished is awaited.
    Finishing { finishing: Box<Finishing>, is_encrypted: bool },
    /// TLS 1.3: the rest of the server's flight, encrypted.
    Encrypted { key: Box<ServerKey>, transcript: digest::Context },
}

/// What a handshake up to TLS 1.2 has come to.
#[derive(Clone, Copy, Default)]
struct Clear {
    random: [u8; 32],
    is_extended: bool,
    wants_client_certificate: bool,
}

/// One handshake: records in, and a ClientHello or two out.
pub(super) struct Handshake {
    goal: Goal,
    limits: Limits,
    entropy: Entropy,
    /// All handshake messages until the hash over them is known: in TLS 1.3 with the suite, before at the end.
    first_messages: Vec<u8>,
    client_hello: Vec<u8>,
    messages: Messages,
    state: State,
    chosen: Option<(u16, u16)>,
    certificates: Vec<Vec<u8>>,
    key_proven: Option<bool>,
    finished: bool,
    idle: u32,
}

impl Handshake {
    /// A handshake, and the bytes that begin it.
    pub(super) fn start(goal: Goal, limits: Limits, entropy: Entropy) -> (Self, Vec<u8>) {
        let client_hello = hello::client_hello(&entropy, None);
        let out = hello::record(&client_hello, TLS10);
        let handshake = Self {
            goal,
            limits,
            entropy,
            first_messages: Vec::new(),
            client_hello,
            messages: Messages::new(limits.bytes_in_max),
            state: State::Hello { retried: false },
            chosen: None,
            certificates: Vec::new(),
            key_proven: None,
            finished: false,
            idle: 0,
        };
        (handshake, out)
    }

    /// Version and suite, once the server chose them.
    pub(super) const fn chosen(&self) -> Option<(u16, u16)> {
        self.chosen
    }

    /// Whether the server's signature over this handshake checks, if one was seen that can be checked.
    pub(super) const fn key_proven(&self) -> Option<bool> {
        self.key_proven
    }

    /// Whether both Finished messages were exchanged.
    pub(super) const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the leaf is there, be the rest of its message or not.
    pub(super) fn has_leaf(&self) -> bool {
        !self.certificates.is_empty() || self.coming_leaf().is_some()
    }

    /// The certificates in the server's order; of a message that never ended, the leaf if it is whole.
    pub(super) fn take_certificates(&mut self) -> Vec<Vec<u8>> {
        if self.certificates.is_empty() {
            self.certificates.extend(self.coming_leaf().map(<[u8]>::to_vec));
        }
        std::mem::take(&mut self.certificates)
    }

    fn coming_leaf(&self) -> Option<&[u8]> {
        let (version, _) = self.chosen?;
        let (kind, body) = self.messages.incomplete()?;
        (kind == CERTIFICATE).then(|| messages::leaf(body, version)).flatten()
    }

    /// Takes a record; what is to be sent goes to `out`.
    pub(super) fn handle_record(
        &mut self,
        record: &Record,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        if let State::Finishing { finishing, is_encrypted: true } = &self.state {
            self.finished = record.kind == HANDSHAKE && finishing.is_proof(record);
            self.key_proven = self.finished.then_some(true);
            return if self.finished { Ok(Step::Done) } else { Err(Trouble::Malformed) };
        }
        let opened = match (&mut self.state, record.kind) {
            (State::Encrypted { key, .. }, APPLICATION_DATA) => Some(key.open(record)?),
            _ => None,
        };
        let (kind, content) = match &opened {
            Some((kind, content)) => (*kind, content.as_slice()),
            None => (record.kind, record.fragment.as_slice()),
        };
        if kind != HANDSHAKE || content.is_empty() {
            self.idle += 1;
            if self.idle > IDLE_RECORDS_MAX {
                return Err(Trouble::Malformed);
            }
        }
        match kind {
            ALERT => self.handle_alert(content),
            CHANGE_CIPHER_SPEC => self.handle_change_cipher_spec(content),
            HANDSHAKE => {
                self.messages.push(content);
                self.handle_messages(out)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    /// Warnings are passed over, but for the one that says goodbye.
    fn handle_alert(&self, content: &[u8]) -> Result<Step, Trouble> {
        let &[level, description] = content else { return Err(Trouble::Malformed) };
        let goes_on = level == WARNING && description != CLOSE_NOTIFY && !self.is_encrypted();
        Ok(if goes_on { Step::More } else { Step::Alert(Alert { level, description }) })
    }

    /// Sent for the sake of middleboxes in TLS 1.3 (RFC 8446, appendix D.4); before, it announces Finished.
    fn handle_change_cipher_spec(&mut self, content: &[u8]) -> Result<Step, Trouble> {
        match (&mut self.state, content) {
            (State::Hello { .. } | State::Encrypted { .. }, [1]) => Ok(Step::More),
            (State::Finishing { is_encrypted, .. }, [1]) => {
                *is_encrypted = true;
                Ok(Step::More)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    const fn is_encrypted(&self) -> bool {
        matches!(self.state, State::Encrypted { .. })
    }

    fn handle_messages(&mut self, out: &mut Vec<u8>) -> Result<Step, Trouble> {
        while let Some(message) = self.messages.next()? {
            let step = match &self.state {
                State::Hello { retried } => {
                    let retried = *retried;
                    self.handle_server_hello(&message, retried, out)?
                }
                State::Clear(clear) => {
                    let clear = *clear;
                    self.handle_clear(&message, clear, out)?
                }
                State::Finishing { .. } => self.handle_finishing(&message)?,
                State::Encrypted { .. } => self.handle_encrypted(&message)?,
            };
            if step != Step::More {
                return Ok(step);
            }
        }
        let reached = self.goal == Goal::Leaf && self.has_leaf();
        Ok(if reached { Step::Done } else { Step::More })
    }

    fn handle_server_hello(
        &mut self,
        message: &Message,
        retried: bool,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        match message.kind {
            HELLO_REQUEST => return Ok(Step::More),
            SERVER_HELLO => {}
            _ => return Err(Trouble::Malformed),
        }
        let hello = messages::server_hello(message.body()).ok_or(Trouble::Malformed)?;
        let offered = SUITES.contains(&hello.suite) && hello.suite != 0x00ff;
        if !offered || !(SSL30..=TLS13).contains(&hello.version) {
            return Err(Trouble::Malformed);
        }
        match hello.version {
            TLS13 if hello.random == RETRY_RANDOM && retried => Err(Trouble::Malformed),
            TLS13 if hello.random == RETRY_RANDOM => self.retry(&hello, message, out),
            TLS13 => self.encrypt(&hello, message),
            _ if retried || Suite::of(hello.suite).is_some() => Err(Trouble::Malformed),
            _ => {
                let random = hello.random.try_into().map_err(|_| Trouble::Malformed)?;
                let is_extended = hello.is_extended;
                self.chosen = Some((hello.version, hello.suite));
                self.state = State::Clear(Clear { random, is_extended, ..Clear::default() });
                self.first_messages = [&self.client_hello[..], &message.bytes].concat();
                Ok(Step::More)
            }
        }
    }

    /// Says the ClientHello again with the share that the server wants.
    fn retry(
        &mut self,
        hello: &ServerHello<'_>,
        message: &Message,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        let suite = Suite::of(hello.suite).ok_or(Trouble::Malformed)?;
        let group = match hello.key_share {
            Some(share) => Some(wanted_group(share, hello.cookie.is_some())?),
            None if hello.cookie.is_some() => None,
            None => return Err(Trouble::Malformed),
        };
        if hello.cookie.is_some_and(|cookie| cookie.len() > hello::COOKIE_MAX) {
            return Err(Trouble::TooLarge);
        }
        let retry = Retry { group, cookie: hello.cookie.map(<[u8]>::to_vec) };
        self.first_messages = suite.message_hash(&self.client_hello);
        self.first_messages.extend(&message.bytes);
        self.client_hello = hello::client_hello(&self.entropy, Some(&retry));
        out.extend(hello::record(&self.client_hello, TLS12));
        self.state = State::Hello { retried: true };
        Ok(Step::More)
    }

    /// From here on the server encrypts.
    fn encrypt(&mut self, hello: &ServerHello<'_>, message: &Message) -> Result<Step, Trouble> {
        let suite = Suite::of(hello.suite).ok_or(Trouble::Malformed)?;
        let mut share = messages::Reader::new(hello.key_share.ok_or(Trouble::Malformed)?);
        let group = share.u16().and_then(Group::of).ok_or(Trouble::Malformed)?;
        let theirs = share.vector(2).ok_or(Trouble::Malformed)?;
        let secret = group.secret(theirs).ok_or(Trouble::Malformed)?;
        let mut transcript = suite.transcript();
        transcript.update(&self.first_messages);
        transcript.update(&self.client_hello);
        transcript.update(&message.bytes);
        let so_far = transcript.clone().finish();
        let key = suite.server_key(secret, so_far.as_ref()).ok_or(Trouble::Malformed)?;
        self.chosen = Some((hello.version, hello.suite));
        self.state = State::Encrypted { key: Box::new(key), transcript };
        Ok(Step::More)
    }

    fn handle_clear(
        &mut self,
        message: &Message,
        clear: Clear,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        if message.kind == HELLO_REQUEST {
            return Ok(Step::More); // no part of the transcript (RFC 5246, section 7.4.1.1)
        }
        self.first_messages.extend(&message.bytes);
        match message.kind {
            CERTIFICATE if self.certificates.is_empty() => self.take_certificate_message(message),
            SERVER_KEY_EXCHANGE if !self.certificates.is_empty() => {
                self.check_key_exchange(message, &clear.random);
                Ok(Step::Done)
            }
            SERVER_HELLO_DONE if self.certificates.is_empty() => Err(Trouble::Malformed),
            SERVER_HELLO_DONE if self.goal == Goal::Finish => Ok(self.answer(clear, out)),
            SERVER_HELLO_DONE => Ok(Step::Done),
            CERTIFICATE_REQUEST => {
                self.state = State::Clear(Clear { wants_client_certificate: true, ..clear });
                Ok(Step::More)
            }
            CERTIFICATE_STATUS => Ok(Step::More),
            _ => Err(Trouble::Malformed),
        }
    }

    /// Answers the server's flight where that can be done, and else has what there is to have.
    fn answer(&mut self, clear: Clear, out: &mut Vec<u8>) -> Step {
        let (Some((version, suite)), Some(leaf)) = (self.chosen, self.certificates.first()) else {
            return Step::Done;
        };
        let turn = Turn {
            version,
            suite,
            is_extended: clear.is_extended,
            wants_client_certificate: clear.wants_client_certificate,
            server_random: &clear.random,
            leaf,
            messages: &self.first_messages,
        };
        match Finishing::answer(&turn, &self.entropy) {
            None => Step::Done,
            Some((finishing, answer)) => {
                out.extend(answer);
                let finishing = Box::new(finishing);
                self.state = State::Finishing { finishing, is_encrypted: false };
                Step::More
            }
        }
    }

    /// A session ticket may come before the server's Finished.
    fn handle_finishing(&mut self, message: &Message) -> Result<Step, Trouble> {
        match &mut self.state {
            State::Finishing { finishing, .. } if message.kind == NEW_SESSION_TICKET => {
                finishing.handle_message(&message.bytes);
                Ok(Step::More)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    fn handle_encrypted(&mut self, message: &Message) -> Result<Step, Trouble> {
        let State::Encrypted { transcript, .. } = &mut self.state else {
            return Err(Trouble::Malformed);
        };
        if message.kind == CERTIFICATE_VERIFY && !self.certificates.is_empty() {
            let hash = transcript.clone().finish();
            self.check_certificate_verify(message, hash.as_ref());
            return Ok(Step::Done);
        }
        transcript.update(&message.bytes);
        match message.kind {
            CERTIFICATE if self.certificates.is_empty() => self.take_certificate_message(message),
            ENCRYPTED_EXTENSIONS | CERTIFICATE_REQUEST => Ok(Step::More),
            _ => Err(Trouble::Malformed),
        }
    }

    fn take_certificate_message(&mut self, message: &Message) -> Result<Step, Trouble> {
        let (version, suite) = self.chosen.ok_or(Trouble::Malformed)?;
        let whole = messages::certificates(message.body(), version, self.limits.chain_len_max);
        self.certificates = match whole {
            Some(certificates) => certificates,
            // Something after the leaf is wrong; the leaf is still a leaf.
            None => {
                messages::leaf(message.body(), version).map(<[u8]>::to_vec).into_iter().collect()
            }
        };
        if self.certificates.first().is_none_or(Vec::is_empty) {
            self.certificates.clear();
            return Err(Trouble::Malformed);
        }
        let signature_follows = version == TLS13 || key_exchange(suite) != KeyExchange::Unsigned;
        let goes_on = match self.goal {
            Goal::Leaf => false,
            // Older signatures are made with hashes that are not checked here.
            Goal::Proof => version >= TLS12 && signature_follows,
            Goal::Finish => version >= TLS12 || version >= TLS10 && !signature_follows,
        };
        Ok(if goes_on { Step::More } else { Step::Done })
    }

    /// TLS 1.2 signs the randoms and the parameters under a named scheme. Older versions sign other hashes
    /// that are not checked here.
    fn check_key_exchange(&mut self, message: &Message, random: &[u8; 32]) {
        let Some((TLS12, suite)) = self.chosen else { return };
        let is_elliptic = key_exchange(suite) == KeyExchange::Ecdhe;
        let Some((params, signed)) = messages::key_exchange12(message.body(), is_elliptic) else {
            return;
        };
        let content = [&self.entropy[..32], random, params].concat();
        self.check(&content, signed);
    }

    fn check_certificate_verify(&mut self, message: &Message, transcript: &[u8]) {
        let Some(signed) = messages::certificate_verify(message.body()) else { return };
        let context = b"TLS 1.3, server CertificateVerify\0";
        let content = [&[0x20; 64], &context[..], transcript].concat();
        self.check(&content, signed);
    }

    fn check(&mut self, content: &[u8], signed: Signed<'_>) {
        let Some(leaf) = self.certificates.first() else { return };
        let scheme = proof::Scheme::Named(signed.scheme);
        self.key_proven = proof::check(leaf, scheme, content, signed.signature).key_proven();
    }
}

/// The group that a HelloRetryRequest asks for: one that no share was sent of, unless it asks for a cookie too.
fn wanted_group(share: &[u8], wants_cookie: bool) -> Result<Group, Trouble> {
    let code = messages::Reader::new(share).u16();
    let group = code.and_then(Group::of).ok_or(Trouble::Malformed)?;
    let was_sent = groups::GROUPS[..groups::AT_ONCE].contains(&group);
    if was_sent && !wants_cookie { Err(Trouble::Malformed) } else { Ok(group) }
}
