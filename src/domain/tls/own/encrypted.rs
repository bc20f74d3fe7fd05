//! TLS 1.3: the server's flight, encrypted from the ServerHello on (RFC 8446, section 4.3 and 4.4).

use super::Goal;
use super::codepoints::handshake_type::{
    CERTIFICATE, CERTIFICATE_REQUEST, CERTIFICATE_VERIFY, COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS, FINISHED,
};
use super::codepoints::{TLS12, TLS13, content};
use super::handshake::{Session, Step};
use super::messages::{self, Message, Reader};
use super::records::{Record, Trouble, record};
use super::schedule::{Secrets, Suite, Traffic, Transcript};

/// A TLS 1.3 handshake after its ServerHello.
pub(super) struct Encrypted {
    server: Traffic,
    secrets: Secrets,
    transcript: Transcript,
    has_extensions: bool,
    /// What a CertificateRequest wants said back.
    request_context: Option<Vec<u8>>,
    is_verified: bool,
}

impl Encrypted {
    /// From the shared `secret`, and the transcript up to the ServerHello; `None` only if the library refuses a
    /// length.
    pub(super) fn new(suite: Suite, secret: &[u8], transcript: Transcript) -> Option<Self> {
        let secrets = suite.secrets(secret, transcript.hash())?;
        Some(Self {
            server: secrets.server()?,
            secrets,
            transcript,
            has_extensions: false,
            request_context: None,
            is_verified: false,
        })
    }

    /// The content type and content of an encrypted record.
    pub(super) fn open(&mut self, record: &Record) -> Result<(u8, Vec<u8>), Trouble> {
        self.server.open(record)
    }

    pub(super) fn handle_message(
        &mut self,
        session: &mut Session,
        message: &Message,
        out: &mut Vec<u8>,
    ) -> Result<Step, Trouble> {
        let before = self.transcript.hash();
        self.transcript.update(&message.bytes);
        let has_leaf = !session.certificates.is_empty();
        match message.kind {
            ENCRYPTED_EXTENSIONS if !has_leaf && !self.has_extensions => {
                self.has_extensions = true;
                Ok(Step::More)
            }
            CERTIFICATE_REQUEST if !has_leaf && self.request_context.is_none() => {
                let context = Reader::new(message.body()).vector(1).ok_or(Trouble::Malformed)?;
                self.request_context = Some(context.to_vec());
                Ok(Step::More)
            }
            CERTIFICATE if !has_leaf => {
                session.take_certificates(message.body(), TLS13)?;
                Ok(after_certificate(session))
            }
            COMPRESSED_CERTIFICATE if !has_leaf => {
                let body = messages::inflated(message.body(), session.len_max())?;
                session.take_certificates(&body, TLS13)?;
                Ok(after_certificate(session))
            }
            CERTIFICATE_VERIFY if has_leaf && !self.is_verified => {
                let context = b"TLS 1.3, server CertificateVerify\0";
                let content = [&[0x20; 64], &context[..], before.as_ref()].concat();
                session.check(&content, messages::certificate_verify(message.body()));
                self.is_verified = true;
                Ok(Step::More)
            }
            FINISHED if self.is_verified => {
                let expected = self.server.verify_data(before);
                if expected.as_deref() != Some(message.body()) {
                    return Err(Trouble::Malformed);
                }
                out.extend(self.answer().ok_or(Trouble::Malformed)?);
                session.finished = true;
                Ok(Step::Done)
            }
            _ => Err(Trouble::Malformed),
        }
    }

    /// What ends the handshake: no certificate, if one was asked for, and Finished. `None` only if the library
    /// refuses a length.
    fn answer(&mut self) -> Option<Vec<u8>> {
        let mut client = self.secrets.client()?;
        let mut messages = Vec::new();
        if let Some(context) = &self.request_context {
            let body = [&[context.len() as u8], &context[..], &[0, 0, 0]].concat();
            messages.extend([CERTIFICATE, 0]);
            messages.extend((body.len() as u16).to_be_bytes());
            messages.extend(body);
            self.transcript.update(&messages);
        }
        let verify_data = client.verify_data(self.transcript.hash())?;
        messages.extend([FINISHED, 0, 0, verify_data.len() as u8]);
        messages.extend(verify_data);
        let mut out = record(content::CHANGE_CIPHER_SPEC, TLS12, &[1]);
        out.extend(client.seal(content::HANDSHAKE, &messages)?);
        Some(out)
    }
}

const fn after_certificate(session: &Session) -> Step {
    match session.goal() {
        Goal::Leaf => Step::Done,
        Goal::Finish => Step::More,
    }
}
