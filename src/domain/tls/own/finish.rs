//! Finishing a handshake of TLS 1.0 to 1.2 (RFC 5246, section 7.3).
//!
//! With RSA key exchange this is the one way to prove the key: the server signs nothing, and can answer with the
//! right Finished only if it could decrypt a fresh secret. With Diffie-Hellman our share is the base point or
//! generator, so that the secret is the server's own share (see `groups`).

use sha2::{Digest, Sha256};

use super::cipher::Suite;
use super::codepoints::handshake_type::{CERTIFICATE, CLIENT_KEY_EXCHANGE, FINISHED};
use super::codepoints::{TLS12, content};
use super::prf::Prf;
use super::protection::{Direction, Keys};
use super::records::{Record, record};
use crate::domain::observation::Unproven;
use crate::domain::outcome::Alert;
use crate::domain::tls::{Entropy, rsa};

/// What the handshake has come to when the server is done and the client is to answer.
pub(super) struct Turn<'a> {
    pub(super) version: u16,
    pub(super) suite: Suite,
    /// Whether the master secret is bound to the transcript (RFC 7627).
    pub(super) is_extended: bool,
    pub(super) wants_client_certificate: bool,
    pub(super) server_random: &'a [u8; 32],
    pub(super) secret: Secret,
    /// All handshake messages so far.
    pub(super) messages: &'a [u8],
}

/// The premaster secret, and what of it is told to the server: the body of ClientKeyExchange.
pub(super) struct Secret {
    premaster: Vec<u8>,
    told: Vec<u8>,
}

impl Secret {
    /// A fresh secret for the RSA key of `leaf` (RFC 5246, section 7.4.7.1), or why there is none.
    pub(super) fn encrypted(leaf: &[u8], entropy: &Entropy) -> Result<Self, Unproven> {
        let mut premaster = [0; 48];
        // The version offered, not the one chosen.
        premaster[..2].copy_from_slice(&TLS12.to_be_bytes());
        premaster[2..].copy_from_slice(&entropy[64..110]);
        let padding: [u8; 32] = Sha256::digest(entropy).into();
        let sealed = rsa::encrypt_premaster(leaf, &premaster, &padding)?;
        // A modulus has no more than 2,048 bytes.
        let length = (sealed.len() as u16).to_be_bytes();
        Ok(Self { premaster: premaster.to_vec(), told: [&length, &sealed[..]].concat() })
    }

    /// The secret that follows from our share, a curve's point or not, and the server's.
    pub(super) fn shared((ours, premaster): (Vec<u8>, Vec<u8>), is_elliptic: bool) -> Option<Self> {
        let told = if is_elliptic {
            [&[u8::try_from(ours.len()).ok()?], &ours[..]].concat()
        } else {
            [&u16::try_from(ours.len()).ok()?.to_be_bytes(), &ours[..]].concat()
        };
        Some(Self { premaster, told })
    }
}

/// A handshake that waits for the server's Finished.
pub(super) struct Finishing {
    prf: Prf,
    master: Vec<u8>,
    client: Direction,
    server: Direction,
    /// What the last record that was sealed had as its explicit initialisation vector.
    iv: [u8; 16],
    messages: Vec<u8>,
}

/// What the server's first encrypted record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// The Finished that only whoever knows the secret can make.
    Finished,
    /// It gives up.
    Alert(Alert),
    /// Nothing that can be read.
    Nothing,
}

impl Finishing {
    /// The client's answer to `turn` in records, and what waits for the server's; `None` only if a library
    /// refuses a length.
    pub(super) fn answer(turn: &Turn<'_>, entropy: &Entropy) -> Option<(Self, Vec<u8>)> {
        let Turn { version, suite: Suite { protection, prf }, .. } = *turn;
        let mut messages = turn.messages.to_vec();
        let mut out = Vec::new();
        let mut say = |kind: u8, body: &[u8]| {
            let message = [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat();
            out.extend(record(content::HANDSHAKE, version, &message));
            messages.extend(message);
        };
        if turn.wants_client_certificate {
            say(CERTIFICATE, &[0, 0, 0]);
        }
        say(CLIENT_KEY_EXCHANGE, &turn.secret.told);

        let client_random = &entropy[..32];
        let randoms = [client_random, turn.server_random];
        let extended = turn.is_extended.then_some(&messages[..]);
        let master = master(prf, &turn.secret.premaster, randoms, extended);
        let randoms = [&turn.server_random[..], client_random].concat();
        let lengths = [protection.mac_len(), protection.key_len(), protection.iv_len()];
        let (client, server) = key_block(prf, &master, &randoms, lengths);
        let mut client = Direction::new(protection, version, client)?;
        let server = Direction::new(protection, version, server)?;

        let finished = finished(prf, &master, b"client finished", &messages);
        out.extend(record(content::CHANGE_CIPHER_SPEC, version, &[1]));
        // It is sent in the clear, and so is made of nothing that the secret is made of.
        let digest = Sha256::new().chain_update(b"iv").chain_update(entropy).finalize();
        let iv = digest.first_chunk::<16>()?;
        out.extend(client.seal(content::HANDSHAKE, &finished, iv)?);
        messages.extend(&finished);
        Some((Self { prf, master, client, server, iv: *iv, messages }, out))
    }

    /// `content` as a record that follows our Finished; `None` only if a library refuses a length.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8]) -> Option<Vec<u8>> {
        let next: [u8; 32] = Sha256::digest([&self.master[..], &self.iv].concat()).into();
        self.iv = *next.first_chunk()?;
        self.client.seal(kind, content, &self.iv)
    }

    /// The content of a record that follows the server's Finished, if it is authentic.
    pub(super) fn open(&mut self, record: &Record) -> Option<Vec<u8>> {
        self.server.open(record)
    }

    /// A handshake message in the clear before the server's change_cipher_spec: a session ticket.
    pub(super) fn handle_message(&mut self, message: &[u8]) {
        self.messages.extend_from_slice(message);
    }

    /// What `record`, the first encrypted one, says.
    pub(super) fn last(&mut self, record: &Record) -> Last {
        let expected = finished(self.prf, &self.master, b"server finished", &self.messages);
        match (record.kind, self.server.open(record)) {
            (content::HANDSHAKE, Some(plain)) if plain == expected => Last::Finished,
            (content::ALERT, Some(plain)) => match plain[..] {
                [level, description] => Last::Alert(Alert { level, description }),
                _ => Last::Nothing,
            },
            _ => Last::Nothing,
        }
    }
}

/// The master secret from the randoms of client and server (RFC 5246, section 8.1), or where it is bound to the
/// transcript, from the `extended` messages (RFC 7627, section 4).
pub(super) fn master(
    prf: Prf,
    premaster: &[u8],
    randoms: [&[u8]; 2],
    extended: Option<&[u8]>,
) -> Vec<u8> {
    match extended {
        Some(messages) => prf.expand(premaster, b"extended master secret", &prf.hash(messages), 48),
        None => prf.expand(premaster, b"master secret", &randoms.concat(), 48),
    }
}

/// A whole Finished message (RFC 5246, section 7.4.9).
pub(super) fn finished(prf: Prf, master: &[u8], label: &[u8], messages: &[u8]) -> Vec<u8> {
    let verify_data = prf.expand(master, label, &prf.hash(messages), 12);
    [&[FINISHED, 0, 0, 12], &verify_data[..]].concat()
}

/// The keys of client and server: `lengths` of MAC, key and initialisation vector (RFC 5246, section 6.3).
pub(super) fn key_block(
    prf: Prf,
    master: &[u8],
    randoms: &[u8],
    lengths: [usize; 3],
) -> (Keys, Keys) {
    let block = prf.expand(master, b"key expansion", randoms, 2 * lengths.iter().sum::<usize>());
    let mut rest = &block[..];
    let mut take = |length| {
        let (taken, left) = rest.split_at(length);
        rest = left;
        taken.to_vec()
    };
    let [mac, key, iv] = lengths.map(|length| [take(length), take(length)]);
    let ([client_mac, server_mac], [client_key, server_key], [client_iv, server_iv]) =
        (mac, key, iv);
    (
        Keys { mac: client_mac, key: client_key, iv: client_iv },
        Keys { mac: server_mac, key: server_key, iv: server_iv },
    )
}
