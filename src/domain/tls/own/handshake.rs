//! The handshake as we see it: from ClientHello to what the goal asks for.
//!
//! Here is what all versions have in common, up to the ServerHello. What follows it is `clear`'s up to TLS 1.2 and
//! `encrypted`'s in TLS 1.3.

use std::sync::Arc;

use super::Goal;
use super::clear::Clear;
use super::codepoints::handshake_type::{CERTIFICATE, HELLO_REQUEST, SERVER_HELLO};
use super::codepoints::{RENEGOTIATION_SIGNAL, SSL30, TLS10, TLS12, TLS13, content};
use super::encrypted::Encrypted;
use super::finish::Finishing;
use super::groups::{Group, StaticKeys};
use super::hello::{self, Hello, Lists, Particulars, Retry};
use super::messages::{self, Chain, Message, Messages, RETRY_RANDOM, ServerHello, Signed};
use super::records::{Record, Trouble, record};
use super::schedule::Suite;
use crate::domain::observation::Unproven;
use crate::domain::outcome::Alert;
use crate::domain::tls::{Entropy, Limits, Request, ServerName, proof};

/// Records that carry nothing for us, taken from a connection at most: warnings, change_cipher_spec, empty ones.
const IDLE_RECORDS_MAX: u32 = 32;

pub(super) const CLOSE_NOTIFY: u8 = 0;
pub(super) const WARNING: u8 = 1;

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

/// What is said in a ClientHello, and how far to go.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) hello: Hello,
    pub(super) goal: Goal,
    pub(super) limits: Limits,
    pub(super) server_name: Option<ServerName>,
    pub(super) keys: Option<Arc<StaticKeys>>,
    pub(super) request: Option<Request>,
}

/// What a connection has come to, whatever its version.
pub(super) struct Session {
    wish: Wish,
    lists: Lists,
    pub(super) entropy: Entropy,
    client_hello: Vec<u8>,
    /// All handshake messages until the hash over them is known: in TLS 1.3 with the suite, before at the end.
    pub(super) first_messages: Vec<u8>,
    /// Version and suite, once the server chose them.
    pub(super) chosen: Option<(u16, u16)>,
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) proof: Result<bool, Unproven>,
    /// Whether both Finished messages were exchanged.
    pub(super) finished: bool,
}

impl Session {
    pub(super) const fn goal(&self) -> Goal {
        self.wish.goal
    }

    pub(super) const fn len_max(&self) -> usize {
        self.wish.limits.bytes_in_max
    }

    /// Takes the body of a Certificate message.
    pub(super) fn take_certificates(&mut self, body: &[u8], version: u16) -> Result<(), Trouble> {
        self.certificates = match Chain::read(body, version, self.wish.limits.chain_len_max) {
            Some(chain) => chain.map(<[u8]>::to_vec).collect(),
            // Something after the leaf is wrong; the leaf is still a leaf.
            None => messages::leaf(body, version).map(<[u8]>::to_vec).into_iter().collect(),
        };
        if self.certificates.first().is_none_or(Vec::is_empty) {
            self.certificates.clear();
            return Err(Trouble::Malformed);
        }
        Ok(())
    }

    /// What is to be asked once the handshake is finished.
    pub(super) const fn request(&self) -> Option<Request> {
        self.wish.request
    }

    /// Checks the server's signature over `content`.
    pub(super) fn check(&mut self, content: &[u8], signed: Option<Signed<'_>>) {
        let Some(signed) = signed else {
            self.proof = Err(Unproven::SignatureUnreadable);
            return;
        };
        let Some(leaf) = self.certificates.first() else { return };
        let scheme = signed.scheme.map_or(proof::Scheme::Legacy, proof::Scheme::Named);
        self.proof = proof::check(leaf, scheme, content, signed.signature).proof();
    }

    fn say_hello(&mut self, retry: Option<&Retry>) {
        let particulars = Particulars {
            entropy: &self.entropy,
            server_name: self.wish.server_name.as_ref(),
            keys: self.wish.keys.as_deref(),
            retry,
        };
        self.client_hello = hello::client_hello(&self.lists, particulars);
    }

    /// The secret that is shared through `group` with a server whose share is `theirs`.
    fn secret(&self, group: Group, theirs: &[u8]) -> Option<Vec<u8>> {
        match &self.wish.keys {
            Some(keys) => keys.secret(group, theirs),
            None => group.secret(theirs).map(<[u8]>::to_vec),
        }
    }
}

/// Where the handshake is.
enum State {
    /// The ServerHello is awaited; after a HelloRetryRequest, one with this suite and this group.
    Hello { retried: Option<(u16, Option<Group>)> },
    /// Up to TLS 1.2.
    Clear(Clear),
    /// TLS 1.3.
    Encrypted(Box<Encrypted>),
}

/// One handshake: records in, and a ClientHello or two out.
pub(super) struct Handshake {
    session: Session,
    messages: Messages,
    state: State,
    idle: u32,
}

impl Handshake {
    /// A handshake, and the bytes that begin it.
    pub(super) fn start(wish: Wish, entropy: Entropy) -> (Self, Vec<u8>) {
        let messages = Messages::new(wish.limits.bytes_in_max);
        let mut session = Session {
            lists: Lists::of(wish.hello),
            wish,
            entropy,
            client_hello: Vec::new(),
            first_messages: Vec::new(),
            chosen: None,
            certificates: Vec::new(),
            proof: Err(Unproven::NotReached),
            finished: false,
        };
        session.say_hello(None);
        // The first ClientHello goes in records of TLS 1.0 (RFC 8446, section 5.1).
        let out = record(content::HANDSHAKE, TLS10, &session.client_hello);
        (Self { session, messages, state: State::Hello { retried: None }, idle: 0 }, out)
    }

    /// What it has come to.
    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// What to talk over after a finished handshake up to TLS 1.2. In TLS 1.3 there is nothing: rustls speaks that.
    pub(super) fn finished(&mut self) -> Option<&mut Finishing> {
        match &mut self.state {
            State::Clear(clear) if self.session.finished => clear.finishing(),
            _ => None,
        }
    }

    /// Whether the leaf is there, be the rest of its message or not.
    pub(super) fn has_leaf(&self) -> bool {
        !self.session.certificates.is_empty() || self.coming_leaf().is_some()
    }

    /// The certificates in the server's order; of a message that never ended, the leaf if it is whole.
    pub(super) fn take_certificates(&mut self) -> Vec<Vec<u8>> {
        if self.session.certificates.is_empty() {
            self.session.certificates =
                self.coming_leaf().map(<[u8]>::to_vec).into_iter().collect();
        }
        std::mem::take(&mut self.session.certificates)
    }

    fn coming_leaf(&self) -> Option<&[u8]> {
        let (version, _) = self.session.chosen?;
        let (kind, body) = self.messages.incomplete()?;
        (kind == CERTIFICATE).then(|| messages::leaf(body, version)).flatten()
    }

    /// Takes a record; what is to be sent goes to `out`.
    pub(super) fn handle_record(
        &mut self,
        record: &Record,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        match (&mut self.state, record.kind) {
            (State::Clear(clear), _) if clear.is_encrypted() => {
                clear.handle_last(&mut self.session, record)
            }
            (State::Encrypted(encrypted), content::APPLICATION_DATA) => {
                let (kind, content) = encrypted.open(record)?;
                match kind {
                    content::CHANGE_CIPHER_SPEC => Err(Trouble::Malformed),
                    _ => self.handle_content(kind, &content, out),
                }
            }
            // Whoever has the keys uses them.
            (State::Encrypted(_), content::HANDSHAKE) => Err(Trouble::Malformed),
            _ => self.handle_content(record.kind, &record.fragment, out),
        }
    }

    fn handle_content(
        &mut self,
        kind: u8,
        content: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        if kind != content::HANDSHAKE || content.is_empty() {
            self.idle += 1;
            if self.idle > IDLE_RECORDS_MAX {
                return Err(Trouble::Malformed);
            }
        }
        match kind {
            content::ALERT => self.handle_alerts(content),
            content::CHANGE_CIPHER_SPEC => self.handle_change_cipher_spec(content),
            content::HANDSHAKE => {
                self.messages.push(content);
                self.handle_messages(out)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    /// Warnings are passed over, but for the one that says goodbye; in TLS 1.3 there are no others (RFC 8446,
    /// section 6).
    fn handle_alerts(&self, content: &[u8]) -> Result<Step, Trouble> {
        let (alerts, rest) = content.as_chunks::<2>();
        if alerts.is_empty() || !rest.is_empty() {
            return Err(Trouble::Malformed);
        }
        let is_final = |level, description| {
            let encrypted = matches!(self.state, State::Encrypted(_));
            level != WARNING || description == CLOSE_NOTIFY || encrypted
        };
        let last = alerts.iter().find(|[level, description]| is_final(*level, *description));
        Ok(last
            .map_or(Step::More, |&[level, description]| Step::Alert(Alert { level, description })))
    }

    /// Sent for the sake of middleboxes in TLS 1.3 (RFC 8446, appendix D.4); before, it announces Finished.
    fn handle_change_cipher_spec(&mut self, content: &[u8]) -> Result<Step, Trouble> {
        match &mut self.state {
            _ if content != [1] => Err(Trouble::Malformed),
            State::Hello { .. } | State::Encrypted(_) => Ok(Step::More),
            State::Clear(_) if !self.messages.is_empty() => Err(Trouble::Malformed),
            State::Clear(clear) => clear.handle_change_cipher_spec(),
        }
    }

    fn handle_messages(&mut self, out: &mut Vec<u8>) -> Result<Step, Trouble> {
        while let Some(message) = self.messages.next()? {
            let step = match &mut self.state {
                State::Hello { .. } => self.handle_server_hello(&message, out)?,
                State::Clear(clear) => clear.handle_message(&mut self.session, &message, out)?,
                State::Encrypted(encrypted) => {
                    encrypted.handle_message(&mut self.session, &message, out)?
                }
            };
            if step != Step::More {
                return Ok(step);
            }
        }
        let has_all_that_is_taken = self.messages.is_too_large() && self.has_leaf();
        if has_all_that_is_taken { Err(Trouble::TooLarge) } else { Ok(Step::More) }
    }

    fn handle_server_hello(
        &mut self,
        message: &Message,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        match message.kind {
            HELLO_REQUEST => return Ok(Step::More),
            SERVER_HELLO => {}
            _ => return Err(Trouble::Malformed),
        }
        let hello = messages::server_hello(message.body()).ok_or(Trouble::Malformed)?;
        match choice(&self.session.lists, &hello) {
            Some(Choice::Encrypted(suite)) => {
                if hello.random == RETRY_RANDOM {
                    self.retry(suite, &hello, message, out)?;
                } else {
                    self.encrypt(suite, &hello, message)?;
                }
                // What follows is encrypted, or waits for our next ClientHello: nothing may be left over.
                if self.messages.is_empty() { Ok(Step::More) } else { Err(Trouble::Malformed) }
            }
            Some(Choice::Clear) if matches!(self.state, State::Hello { retried: None }) => {
                let random = hello.random.try_into().map_err(|_| Trouble::Malformed)?;
                let session = &mut self.session;
                session.chosen = Some((hello.version, hello.suite));
                session.first_messages = [&session.client_hello[..], &message.bytes].concat();
                self.state = State::Clear(Clear::new(random, hello.is_extended));
                Ok(Step::More)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    /// Says the ClientHello again with the share that the server wants.
    fn retry(
        &mut self,
        suite: Suite,
        hello: &ServerHello<'_>,
        message: &Message,
        out: &mut Vec<u8>,
    ) -> Result<(), Trouble> {
        if !matches!(self.state, State::Hello { retried: None }) {
            return Err(Trouble::Malformed);
        }
        let session = &mut self.session;
        let group = match hello.key_share {
            Some(share) => Some(wanted_group(share, &session.lists, hello.cookie.is_some())?),
            None if hello.cookie.is_some() => None,
            None => return Err(Trouble::Malformed),
        };
        if hello.cookie.is_some_and(|cookie| cookie.len() > hello::COOKIE_MAX) {
            return Err(Trouble::TooLarge);
        }
        let retry = Retry { group, cookie: hello.cookie.map(<[u8]>::to_vec) };
        session.first_messages = suite.message_hash(&session.client_hello);
        session.first_messages.extend(&message.bytes);
        session.say_hello(Some(&retry));
        // From here on records say TLS 1.2 (RFC 8446, section 5.1).
        out.extend(record(content::HANDSHAKE, TLS12, &session.client_hello));
        self.state = State::Hello { retried: Some((hello.suite, group)) };
        Ok(())
    }

    /// From here on the server encrypts.
    fn encrypt(
        &mut self,
        suite: Suite,
        hello: &ServerHello<'_>,
        message: &Message,
    ) -> Result<(), Trouble> {
        let (group, theirs) = hello.share().ok_or(Trouble::Malformed)?;
        let State::Hello { retried } = self.state else { return Err(Trouble::Malformed) };
        let keeps_its_word = retried.is_none_or(|(suite, _)| suite == hello.suite);
        let has_share = match retried {
            Some((_, Some(wanted))) => wanted == group,
            _ => self.session.lists.has_share(group),
        };
        if !keeps_its_word || !has_share {
            return Err(Trouble::Malformed);
        }
        let secret = self.session.secret(group, theirs).ok_or(Trouble::Malformed)?;
        let mut transcript = suite.transcript();
        transcript.update(&self.session.first_messages);
        transcript.update(&self.session.client_hello);
        transcript.update(&message.bytes);
        let encrypted = Encrypted::new(suite, &secret, transcript).ok_or(Trouble::Malformed)?;
        self.session.chosen = Some((hello.version, hello.suite));
        self.state = State::Encrypted(Box::new(encrypted));
        Ok(())
    }
}

/// What follows a ServerHello.
pub(super) enum Choice {
    /// The flight of a version up to TLS 1.2.
    Clear,
    /// That of TLS 1.3.
    Encrypted(Suite),
}

/// What follows `hello`, if it chooses what was offered in `lists`.
pub(super) fn choice(lists: &Lists, hello: &ServerHello<'_>) -> Option<Choice> {
    if !lists.suites.contains(&hello.suite) || hello.suite == RENEGOTIATION_SIGNAL {
        return None;
    }
    match (hello.version, Suite::of(hello.suite)) {
        (TLS13, Some(suite)) if lists.has_tls13() => Some(Choice::Encrypted(suite)),
        (SSL30..=TLS12, None) => Some(Choice::Clear),
        _ => None,
    }
}

/// The group that a HelloRetryRequest asks for: one that no share was sent of, unless it asks for a cookie too.
fn wanted_group(share: &[u8], lists: &Lists, wants_cookie: bool) -> Result<Group, Trouble> {
    let code = messages::Reader::new(share).u16();
    let group = code.and_then(Group::of).ok_or(Trouble::Malformed)?;
    if lists.has_share(group) && !wants_cookie { Err(Trouble::Malformed) } else { Ok(group) }
}
