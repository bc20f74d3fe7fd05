//! Up to TLS 1.2: the server's flight in the clear, and where that is the goal, the end of the handshake.

use super::Goal;
use super::cipher::{Exchange, Suite};
use super::codepoints::handshake_type::{
    CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_STATUS, HELLO_REQUEST, NEW_SESSION_TICKET,
    SERVER_HELLO_DONE, SERVER_KEY_EXCHANGE,
};
use super::codepoints::{TLS10, TLS12};
use super::finish::{Finishing, Last, Secret, Turn};
use super::handshake::{Session, Step};
use super::messages::{self, Message};
use super::records::{Record, Trouble};
use crate::domain::observation::Unproven;

/// What a handshake up to TLS 1.2 has come to.
pub(super) struct Clear {
    random: [u8; 32],
    is_extended: bool,
    wants_client_certificate: bool,
    /// Our share and the secret, of a Diffie-Hellman exchange.
    share: Option<(Vec<u8>, Vec<u8>)>,
    has_key_exchange: bool,
    /// Once everything is said, and the server's Finished is awaited.
    finishing: Option<Box<Finishing>>,
    is_encrypted: bool,
}

impl Clear {
    /// A handshake after its ServerHello.
    pub(super) const fn new(random: [u8; 32], is_extended: bool) -> Self {
        Self {
            random,
            is_extended,
            wants_client_certificate: false,
            share: None,
            has_key_exchange: false,
            finishing: None,
            is_encrypted: false,
        }
    }

    /// Whether the next record is an encrypted one.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The server will encrypt what it says next: that is its turn once we have answered, and not before.
    pub(super) const fn handle_change_cipher_spec(&mut self) -> Result<Step, Trouble> {
        if self.finishing.is_none() {
            return Err(Trouble::Malformed);
        }
        self.is_encrypted = true;
        Ok(Step::More)
    }

    /// Takes the server's first encrypted record, which is its last that matters.
    pub(super) fn handle_last(
        &mut self,
        session: &mut Session,
        record: &Record,
    ) -> Result<Step, Trouble> {
        let finishing = self.finishing.as_mut().ok_or(Trouble::Malformed)?;
        match finishing.last(record) {
            Last::Finished => {
                session.finished = true;
                if session.chosen.is_some_and(|(_, suite)| Exchange::of(suite) == Exchange::Rsa) {
                    session.proof = Ok(true);
                }
                Ok(Step::Done)
            }
            Last::Alert(alert) => Ok(Step::Alert(alert)),
            Last::Nothing => Err(Trouble::Malformed),
        }
    }

    /// The two directions of the connection, to talk over once the handshake is finished.
    pub(super) fn finishing(&mut self) -> Option<&mut Finishing> {
        self.finishing.as_deref_mut()
    }

    pub(super) fn handle_message(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        if message.kind == HELLO_REQUEST {
            return Ok(Step::More); // no part of the transcript (RFC 5246, section 7.4.1.1)
        }
        if let Some(finishing) = &mut self.finishing {
            // Nothing but a session ticket comes before the server's Finished (RFC 5077, section 3.3).
            finishing.handle_message(&message.bytes);
            let is_ticket = message.kind == NEW_SESSION_TICKET;
            return if is_ticket { Ok(Step::More) } else { Err(Trouble::Malformed) };
        }
        session.first_messages.extend(&message.bytes);
        let (version, suite) = session.chosen.ok_or(Trouble::Malformed)?;
        let has_leaf = !session.certificates.is_empty();
        match message.kind {
            CERTIFICATE if !has_leaf => {
                session.take_certificates(message.body(), version)?;
                Ok(after_certificate(session, version, Exchange::of(suite)))
            }
            SERVER_KEY_EXCHANGE if has_leaf && !self.has_key_exchange => {
                self.has_key_exchange = true;
                Ok(self.take_key_exchange(session, message, version, Exchange::of(suite)))
            }
            // Its share may not be missing.
            SERVER_HELLO_DONE if Exchange::of(suite).is_signed() && !self.has_key_exchange => {
                Err(Trouble::Malformed)
            }
            SERVER_HELLO_DONE if has_leaf => Ok(self.answer(session, version, suite, out)),
            CERTIFICATE_REQUEST => {
                self.wants_client_certificate = true;
                Ok(Step::More)
            }
            CERTIFICATE_STATUS => Ok(Step::More),
            _ => Err(Trouble::Malformed),
        }
    }

    /// The server's share, which it signs together with both randoms.
    fn take_key_exchange(
        &mut self,
        session: &mut Session,
        message: &Message,
        version: u16,
        exchange: Exchange,
    ) -> Step {
        if !exchange.is_signed() {
            session.proof = Err(Unproven::NoSignature);
            return Step::Done;
        }
        let is_elliptic = exchange == Exchange::Ecdhe;
        let read = messages::key_exchange(message.body(), is_elliptic, version >= TLS12);
        let params = read.map(|read| read.params).unwrap_or_default();
        let content = [&session.entropy[..32], &self.random, params].concat();
        session.check(&content, read.map(|read| read.signed));
        self.share = read.and_then(|read| read.share.answer());
        Step::More
    }

    /// Answers the server's flight where that can be done, and else has what there is to have.
    fn answer(
        &mut self,
        session: &mut Session,
        version: u16,
        code: u16,
        out: &mut Vec<u8>,
    ) -> Step {
        let exchange = Exchange::of(code);
        let answer = self.secret(session, exchange).and_then(|secret| {
            let turn = Turn {
                version,
                suite: Suite::of(code, version).ok_or(Unproven::Cipher)?,
                is_extended: self.is_extended,
                wants_client_certificate: self.wants_client_certificate,
                server_random: &self.random,
                secret,
                messages: &session.first_messages,
            };
            Finishing::answer(&turn, &session.entropy).ok_or(Unproven::Cipher)
        });
        match answer {
            Ok((finishing, answer)) => {
                out.extend(answer);
                self.finishing = Some(Box::new(finishing));
                if exchange == Exchange::Rsa {
                    session.proof = Err(Unproven::NotFinished);
                }
                Step::More
            }
            Err(reason) => {
                if !exchange.is_signed() {
                    session.proof = Err(reason);
                }
                Step::Done
            }
        }
    }

    fn secret(&mut self, session: &Session, exchange: Exchange) -> Result<Secret, Unproven> {
        let leaf = session.certificates.first().ok_or(Unproven::NotReached)?;
        match exchange {
            Exchange::Rsa => Secret::encrypted(leaf, &session.entropy),
            Exchange::Ecdhe | Exchange::Dhe => self
                .share
                .take()
                .and_then(|share| Secret::shared(share, exchange == Exchange::Ecdhe))
                .ok_or(Unproven::Cipher),
            Exchange::Other => Err(Unproven::NoSignature),
        }
    }
}

/// Whether there is more to wait for once the certificates are there.
fn after_certificate(session: &mut Session, version: u16, exchange: Exchange) -> Step {
    match session.goal() {
        Goal::Leaf => Step::Done,
        Goal::Finish if exchange.is_signed() || version >= TLS10 => Step::More,
        Goal::Finish => {
            session.proof = Err(Unproven::NoSignature);
            Step::Done
        }
    }
}
