//! Finishing a handshake with RSA key exchange (RFC 5246, section 7.4.7.1): the one way to prove the key there.
//!
//! The server signs nothing in this exchange. It proves its key by decrypting a fresh secret: only then can it
//! answer with the right Finished message. AES in CBC and GCM mode is spoken, TLS 1.0 to 1.2.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding};
use hmac::Hmac;
use sha1::Sha1;
use sha2::Sha256;

use super::codepoints::{TLS10, TLS12};
use super::prf::{Prf, mac};
use super::records::Record;
use crate::domain::tls::Entropy;
use crate::domain::tls::rsa::encrypt_premaster;

const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;
const HANDSHAKE: u8 = 22;

/// Bytes of an AES block, of a CBC initialisation vector, and of an AEAD tag.
const BLOCK: usize = 16;

/// A suite with RSA key exchange that can be finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Suite {
    key_len: usize,
    protection: Protection,
    prf: Prf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protection {
    CbcSha1,
    CbcSha256,
    Gcm,
}

impl Suite {
    fn of(code: u16, version: u16) -> Option<Self> {
        use Protection::{CbcSha1, CbcSha256, Gcm};
        let (key_len, protection, prf) = match code {
            0x002f => (16, CbcSha1, Prf::Sha256),
            0x0035 => (32, CbcSha1, Prf::Sha256),
            0x003c => (16, CbcSha256, Prf::Sha256),
            0x003d => (32, CbcSha256, Prf::Sha256),
            0x009c => (16, Gcm, Prf::Sha256),
            0x009d => (32, Gcm, Prf::Sha384),
            _ => return None,
        };
        let prf = if version < TLS12 { Prf::Md5Sha1 } else { prf };
        (version >= TLS10 && (version >= TLS12 || protection == CbcSha1)).then_some(Self {
            key_len,
            protection,
            prf,
        })
    }

    const fn mac_len(self) -> usize {
        match self.protection {
            Protection::CbcSha1 => 20,
            Protection::CbcSha256 => 32,
            Protection::Gcm => 0,
        }
    }

    const fn iv_len(self) -> usize {
        match self.protection {
            Protection::Gcm => 4,
            Protection::CbcSha1 | Protection::CbcSha256 => BLOCK,
        }
    }
}

/// What the handshake has come to when the server is done and the client is to answer.
pub(super) struct Turn<'a> {
    pub(super) version: u16,
    pub(super) suite: u16,
    /// Whether the master secret is bound to the transcript (RFC 7627).
    pub(super) is_extended: bool,
    pub(super) wants_client_certificate: bool,
    pub(super) server_random: &'a [u8; 32],
    pub(super) leaf: &'a [u8],
    /// All handshake messages so far.
    pub(super) messages: &'a [u8],
}

/// A handshake that waits for the server's Finished.
pub(super) struct Finishing {
    version: u16,
    suite: Suite,
    master: Vec<u8>,
    server: Keys,
    messages: Vec<u8>,
}

/// One direction's keys.
struct Keys {
    mac: Vec<u8>,
    key: Vec<u8>,
    iv: Vec<u8>,
}

impl Finishing {
    /// The client's answer to `turn` in records, and what waits for the server's; `None` where suite, version or
    /// key are of a kind that cannot be finished.
    pub(super) fn answer(turn: &Turn<'_>, entropy: &Entropy) -> Option<(Self, Vec<u8>)> {
        let suite = Suite::of(turn.suite, turn.version)?;
        // The version offered, not the one chosen (RFC 5246, section 7.4.7.1).
        let mut premaster = [0; 48];
        premaster[..2].copy_from_slice(&TLS12.to_be_bytes());
        premaster[2..].copy_from_slice(&entropy[64..110]);
        let mut messages = turn.messages.to_vec();
        let mut out = Vec::new();
        if turn.wants_client_certificate {
            let none = [11, 0, 0, 3, 0, 0, 0];
            messages.extend(none);
            out.extend(record(HANDSHAKE, turn.version, &none));
        }
        let exchange = client_key_exchange(turn.leaf, &premaster)?;
        messages.extend(&exchange);
        out.extend(record(HANDSHAKE, turn.version, &exchange));
        out.extend(record(20, turn.version, &[1]));

        let client_random = &entropy[..32];
        let master = if turn.is_extended {
            let session = suite.prf.hash(&messages);
            suite.prf.expand(&premaster, b"extended master secret", &session, 48)
        } else {
            let randoms = [client_random, turn.server_random].concat();
            suite.prf.expand(&premaster, b"master secret", &randoms, 48)
        };
        let randoms = [&turn.server_random[..], client_random].concat();
        let (client, server) = keys(suite, &master, &randoms);
        let verify = suite.prf.expand(&master, b"client finished", &suite.prf.hash(&messages), 12);
        let finished = [&[FINISHED, 0, 0, 12], &verify[..]].concat();
        let sealed = seal(suite, turn.version, &client, &finished, entropy)?;
        out.extend(record(HANDSHAKE, turn.version, &sealed));
        messages.extend(&finished);
        Some((Self { version: turn.version, suite, master, server, messages }, out))
    }

    /// A handshake message in the clear before the server's change_cipher_spec: a session ticket.
    pub(super) fn handle_message(&mut self, message: &[u8]) {
        self.messages.extend_from_slice(message);
    }

    /// Whether `record`, the first encrypted one, is the Finished that only a holder of the key can make.
    pub(super) fn is_proof(&self, record: &Record) -> bool {
        let hash = self.suite.prf.hash(&self.messages);
        let verify = self.suite.prf.expand(&self.master, b"server finished", &hash, 12);
        let expected = [&[FINISHED, 0, 0, 12], &verify[..]].concat();
        open(self.suite, self.version, &self.server, record).is_some_and(|plain| plain == expected)
    }
}

/// The padding is expanded from numbers of the secret itself: all others have been sent, or will be.
fn client_key_exchange(leaf: &[u8], premaster: &[u8; 48]) -> Option<Vec<u8>> {
    let sealed = encrypt_premaster(leaf, premaster, premaster.last_chunk()?)?;
    let length = (sealed.len() as u32 + 2).to_be_bytes();
    let inner = (sealed.len() as u16).to_be_bytes();
    Some([&[CLIENT_KEY_EXCHANGE], &length[1..], &inner, &sealed].concat())
}

/// The keys of client and server (RFC 5246, section 6.3).
fn keys(suite: Suite, master: &[u8], randoms: &[u8]) -> (Keys, Keys) {
    let lengths = [suite.mac_len(), suite.key_len, suite.iv_len()];
    let total = 2 * lengths.iter().sum::<usize>();
    let block = suite.prf.expand(master, b"key expansion", randoms, total);
    let mut rest = &block[..];
    let mut take = |length| {
        let (taken, left) = rest.split_at(length);
        rest = left;
        taken.to_vec()
    };
    let [mac, key, iv] = lengths.map(|length| [take(length), take(length)]);
    let [client_mac, server_mac] = mac;
    let [client_key, server_key] = key;
    let [client_iv, server_iv] = iv;
    (
        Keys { mac: client_mac, key: client_key, iv: client_iv },
        Keys { mac: server_mac, key: server_key, iv: server_iv },
    )
}

/// What is authenticated with the first record of a direction: sequence number zero, type, version, length.
fn header(version: u16, length: usize) -> [u8; 13] {
    let mut header = [0; 13];
    header[8] = HANDSHAKE;
    header[9..11].copy_from_slice(&version.to_be_bytes());
    header[11..].copy_from_slice(&(length as u16).to_be_bytes());
    header
}

fn authenticate(suite: Suite, key: &[u8], version: u16, content: &[u8]) -> Vec<u8> {
    let header = header(version, content.len());
    match suite.protection {
        Protection::CbcSha256 => mac::<Hmac<Sha256>>(key, &[&header, content]),
        Protection::CbcSha1 | Protection::Gcm => mac::<Hmac<Sha1>>(key, &[&header, content]),
    }
}

/// `content` as the payload of the first encrypted record.
fn seal(
    suite: Suite,
    version: u16,
    keys: &Keys,
    content: &[u8],
    entropy: &Entropy,
) -> Option<Vec<u8>> {
    if suite.protection == Protection::Gcm {
        let mut sealed = content.to_vec();
        let nonce = gcm_nonce(&keys.iv, &[0; 8])?;
        let aad = Aad::from(header(version, content.len()));
        gcm(suite, &keys.key)?.seal_in_place_append_tag(nonce, aad, &mut sealed).ok()?;
        return Some([&[0; 8], &sealed[..]].concat());
    }
    let mut plain = [content, &authenticate(suite, &keys.mac, version, content)].concat();
    let padding = BLOCK - plain.len() % BLOCK;
    plain.extend(vec![padding as u8 - 1; padding]);
    let has_explicit_iv = version > TLS10;
    let iv = if has_explicit_iv { &entropy[32..32 + BLOCK] } else { &keys.iv[..] };
    let sealed = if suite.key_len == 16 {
        cbc::Encryptor::<aes::Aes128>::new_from_slices(&keys.key, iv)
            .ok()?
            .encrypt_padded_vec::<NoPadding>(&plain)
    } else {
        cbc::Encryptor::<aes::Aes256>::new_from_slices(&keys.key, iv)
            .ok()?
            .encrypt_padded_vec::<NoPadding>(&plain)
    };
    Some(if has_explicit_iv { [iv, &sealed].concat() } else { sealed })
}

/// The content of the first encrypted record, if it is authentic.
fn open(suite: Suite, version: u16, keys: &Keys, record: &Record) -> Option<Vec<u8>> {
    if suite.protection == Protection::Gcm {
        let (explicit, sealed) = record.fragment.split_first_chunk::<8>()?;
        let mut content = sealed.to_vec();
        let nonce = gcm_nonce(&keys.iv, explicit)?;
        let aad = Aad::from(header(version, content.len().checked_sub(BLOCK)?));
        let plain = gcm(suite, &keys.key)?.open_in_place(nonce, aad, &mut content).ok()?;
        return Some(plain.to_vec());
    }
    let (iv, sealed) = if version > TLS10 {
        record.fragment.split_at_checked(BLOCK)?
    } else {
        (&keys.iv[..], &record.fragment[..])
    };
    let plain = if suite.key_len == 16 {
        cbc::Decryptor::<aes::Aes128>::new_from_slices(&keys.key, iv)
            .ok()?
            .decrypt_padded_vec::<NoPadding>(sealed)
    } else {
        cbc::Decryptor::<aes::Aes256>::new_from_slices(&keys.key, iv)
            .ok()?
            .decrypt_padded_vec::<NoPadding>(sealed)
    };
    let mut content = plain.ok()?;
    let padding = usize::from(*content.last()?) + 1;
    content.truncate(content.len().checked_sub(padding)?);
    let tag = content.split_off(content.len().checked_sub(suite.mac_len())?);
    (authenticate(suite, &keys.mac, version, &content) == tag).then_some(content)
}

fn gcm(suite: Suite, key: &[u8]) -> Option<LessSafeKey> {
    let algorithm = if suite.key_len == 16 { &AES_128_GCM } else { &AES_256_GCM };
    Some(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?))
}

fn gcm_nonce(salt: &[u8], explicit: &[u8; 8]) -> Option<Nonce> {
    Nonce::try_assume_unique_for_key(&[salt, explicit].concat()).ok()
}

fn record(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16).to_be_bytes();
    [&[kind], &version.to_be_bytes()[..], &length, content].concat()
}
