//! One direction of a connection up to TLS 1.2 once it is encrypted (RFC 5246, section 6.2.3; RFC 2246, section 6.2.3).

use aes::{Aes128, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, StreamCipher};
use des::TdesEde3;
use hmac::Hmac;
use md5::Md5;
use rc4::{KeyInit, Rc4};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::aead;
use super::cipher::{Block, Protection, Stream};
use super::codepoints::TLS10;
use super::prf::{Hash, mac};
use super::records::{Record, record};

/// The keys of one direction, as the key block gives them (RFC 5246, section 6.3).
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    pub(super) mac: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) iv: Vec<u8>,
}

/// What one side encrypts with and the other decrypts with, record after record.
pub(super) struct Direction {
    version: u16,
    sequence: u64,
    cipher: Cipher,
}

enum Cipher {
    Stream { state: Option<Box<Rc4>>, mac: Mac },
    Cbc { block: Block, key: Vec<u8>, iv: Vec<u8>, mac: Mac },
    Aead { key: aead::Key, algorithm: aead::Algorithm, iv: Vec<u8> },
}

/// A hash and the key of its HMAC.
struct Mac(Hash, Vec<u8>);

impl Mac {
    fn of(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self.0 {
            Hash::Md5 => mac::<Hmac<Md5>>(&self.1, parts),
            Hash::Sha1 => mac::<Hmac<Sha1>>(&self.1, parts),
            Hash::Sha256 => mac::<Hmac<Sha256>>(&self.1, parts),
            Hash::Sha384 => mac::<Hmac<Sha384>>(&self.1, parts),
        }
    }
}

impl Direction {
    /// `None` if `keys` have not the lengths that `protection` needs.
    pub(super) fn new(protection: Protection, version: u16, keys: Keys) -> Option<Self> {
        let cipher = match protection {
            Protection::Stream(stream, hash) => {
                let state = match stream {
                    Stream::Null => None,
                    Stream::Rc4 => Some(Box::new(Rc4::new_from_slice(&keys.key).ok()?)),
                };
                Cipher::Stream { state, mac: Mac(hash, keys.mac) }
            }
            Protection::Cbc(block, hash) => {
                let mac = Mac(hash, keys.mac);
                Cipher::Cbc { block, key: keys.key, iv: keys.iv, mac }
            }
            Protection::Aead(algorithm) => {
                let key = aead::Key::new(algorithm, &keys.key)?;
                Cipher::Aead { key, algorithm, iv: keys.iv }
            }
        };
        Some(Self { version, sequence: 0, cipher })
    }

    /// `content` as an encrypted record. `iv` is what the record's explicit initialisation vector is made
    /// of, where it has one.
    pub(super) fn seal(&mut self, kind: u8, content: &[u8], iv: &[u8; 16]) -> Option<Vec<u8>> {
        let header = self.header(kind, content.len());
        let sealed = match &mut self.cipher {
            Cipher::Stream { state, mac } => {
                let mut plain = [content, &mac.of(&[&header, content])].concat();
                if let Some(state) = state {
                    state.apply_keystream(&mut plain);
                }
                plain
            }
            Cipher::Cbc { block, key, iv: implicit, mac } => {
                let mut plain = [content, &mac.of(&[&header, content])].concat();
                let padding = block.block_len() - plain.len() % block.block_len();
                plain.extend(std::iter::repeat_n(padding as u8 - 1, padding));
                if self.version > TLS10 {
                    let iv = &iv[..block.block_len()];
                    [iv, &encrypt(*block, key, iv, &plain)?].concat()
                } else {
                    let sealed = encrypt(*block, key, implicit, &plain)?;
                    *implicit = sealed[sealed.len() - block.block_len()..].to_vec();
                    sealed
                }
            }
            Cipher::Aead { key, iv, .. } => {
                let (nonce, explicit) = nonce(iv, self.sequence.to_be_bytes(), None)?;
                let sealed = key.seal(nonce, &header, content.to_vec())?;
                [&explicit[..], &sealed].concat()
            }
        };
        self.sequence += 1;
        Some(record(kind, self.version, &sealed))
    }

    /// The content of an encrypted record, if it is authentic.
    pub(super) fn open(&mut self, record: &Record) -> Option<Vec<u8>> {
        let (version, sequence) = (self.version, self.sequence);
        let content = match &mut self.cipher {
            Cipher::Stream { state, mac } => {
                let mut plain = record.fragment.clone();
                if let Some(state) = state {
                    state.apply_keystream(&mut plain);
                }
                authentic(mac, version, sequence, record.kind, plain)?
            }
            Cipher::Cbc { block, key, iv: implicit, mac } => {
                let (iv, sealed) = if version > TLS10 {
                    record.fragment.split_at_checked(block.block_len())?
                } else {
                    (&implicit[..], &record.fragment[..])
                };
                let mut plain = decrypt(*block, key, iv, sealed)?;
                let last = sealed.len().checked_sub(block.block_len())?;
                *implicit = sealed[last..].to_vec();
                let padding = usize::from(*plain.last()?) + 1;
                plain.truncate(plain.len().checked_sub(padding)?);
                authentic(mac, version, sequence, record.kind, plain)?
            }
            Cipher::Aead { key, algorithm, iv } => {
                let (explicit, sealed) = match iv.len() {
                    4 => record.fragment.split_first_chunk::<8>().map(|(a, b)| (Some(*a), b))?,
                    _ => (None, &record.fragment[..]),
                };
                let (nonce, _) = nonce(iv, sequence.to_be_bytes(), explicit)?;
                let length = sealed.len().checked_sub(algorithm.tag_len())?;
                let header = header(version, sequence, record.kind, length);
                key.open(nonce, &header, sealed.to_vec())?
            }
        };
        self.sequence += 1;
        Some(content)
    }

    fn header(&self, kind: u8, length: usize) -> [u8; 13] {
        header(self.version, self.sequence, kind, length)
    }
}

/// What is authenticated with a record: sequence number, type, version, length.
fn header(version: u16, sequence: u64, kind: u8, length: usize) -> [u8; 13] {
    let mut header = [0; 13];
    header[..8].copy_from_slice(&sequence.to_be_bytes());
    header[8] = kind;
    header[9..11].copy_from_slice(&version.to_be_bytes());
    header[11..].copy_from_slice(&(length as u16).to_be_bytes());
    header
}

/// `plain` without the MAC at its end, if that is right.
fn authentic(
    mac: &Mac,
    version: u16,
    sequence: u64,
    kind: u8,
    mut plain: Vec<u8>,
) -> Option<Vec<u8>> {
    let tag = plain.split_off(plain.len().checked_sub(mac.0.len())?);
    let header = header(version, sequence, kind, plain.len());
    (mac.of(&[&header, &plain]) == tag).then_some(plain)
}

/// The nonce of a record, and the part of it that travels with the record: 4 + 8 bytes (RFC 5288, section 3), or
/// 12 bytes of which none travel (RFC 7905, section 2).
fn nonce(iv: &[u8], sequence: [u8; 8], explicit: Option<[u8; 8]>) -> Option<([u8; 12], Vec<u8>)> {
    if let Ok(mut nonce) = <[u8; 12]>::try_from(iv) {
        nonce[4..].iter_mut().zip(sequence).for_each(|(byte, number)| *byte ^= number);
        return Some((nonce, Vec::new()));
    }
    let explicit = explicit.unwrap_or(sequence);
    Some(([iv, &explicit].concat().try_into().ok()?, explicit.to_vec()))
}

fn encrypt(block: Block, key: &[u8], iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    fn with<C: KeyIvInit + BlockModeEncrypt>(
        key: &[u8],
        iv: &[u8],
        plain: &[u8],
    ) -> Option<Vec<u8>> {
        Some(C::new_from_slices(key, iv).ok()?.encrypt_padded_vec::<NoPadding>(plain))
    }
    match block {
        Block::Aes128 => with::<cbc::Encryptor<Aes128>>(key, iv, plain),
        Block::Aes256 => with::<cbc::Encryptor<Aes256>>(key, iv, plain),
        Block::TripleDes => with::<cbc::Encryptor<TdesEde3>>(key, iv, plain),
    }
}

fn decrypt(block: Block, key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    fn with<C: KeyIvInit + BlockModeDecrypt>(
        key: &[u8],
        iv: &[u8],
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        C::new_from_slices(key, iv).ok()?.decrypt_padded_vec::<NoPadding>(sealed).ok()
    }
    match block {
        Block::Aes128 => with::<cbc::Decryptor<Aes128>>(key, iv, sealed),
        Block::Aes256 => with::<cbc::Decryptor<Aes256>>(key, iv, sealed),
        Block::TripleDes => with::<cbc::Decryptor<TdesEde3>>(key, iv, sealed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tls::own::cipher::Suite;
    use crate::domain::tls::own::codepoints::{SUITES, TLS11, TLS12};
    use crate::domain::tls::own::records::Records;

    fn direction(protection: Protection, version: u16) -> Direction {
        let keys = Keys {
            mac: vec![1; protection.mac_len()],
            key: (0..protection.key_len() as u8).collect(),
            iv: vec![3; protection.iv_len()],
        };
        Direction::new(protection, version, keys).unwrap()
    }

    fn read(bytes: &[u8]) -> Record {
        let mut records = Records::default();
        records.push(bytes);
        records.next().unwrap().unwrap()
    }

    /// Every suite that is spoken, in every version: several records each way, and no record that was changed,
    /// repeated or cut.
    #[test]
    fn what_one_side_seals_the_other_opens() {
        let mut spoken = 0;
        for (code, version) in
            SUITES.iter().flat_map(|code| [(*code, TLS10), (*code, TLS11), (*code, TLS12)])
        {
            let Some(suite) = Suite::of(code, version) else { continue };
            spoken += 1;
            let [mut ours, mut theirs, mut other] =
                [(); 3].map(|()| direction(suite.protection, version));
            for content in [&b"finished"[..], b"", &[5; 1000]] {
                let sealed = read(&ours.seal(22, content, &[9; 16]).unwrap());
                assert_eq!(theirs.open(&sealed).unwrap(), content, "{code:04x} {version:04x}");
                let mut changed = sealed.clone();
                *changed.fragment.last_mut().unwrap() ^= 0x10;
                assert_eq!(other.open(&changed), None, "{code:04x} {version:04x}");
                assert_eq!(theirs.open(&sealed), None, "a record counts once: {code:04x}");
                [theirs, other] = [(); 2].map(|()| direction(suite.protection, version));
                ours = direction(suite.protection, version);
            }
            let mut sealed = read(&ours.seal(22, b"finished", &[9; 16]).unwrap());
            sealed.kind = 23;
            assert_eq!(theirs.open(&sealed), None, "another type");
            sealed.fragment.truncate(3);
            assert_eq!(other.open(&sealed), None, "cut");
        }
        assert!(spoken > 150, "{spoken}");
    }

    #[test]
    fn records_follow_one_another() {
        for code in [0x002f, 0x000a, 0x0005, 0x009c, 0xcca8, 0xc09c, 0x003b] {
            for version in [TLS10, TLS11, TLS12] {
                let Some(suite) = Suite::of(code, version) else { continue };
                let mut ours = direction(suite.protection, version);
                let mut theirs = direction(suite.protection, version);
                for round in 0..5 {
                    let content = vec![round; usize::from(round) * 40];
                    let sealed = read(&ours.seal(23, &content, &[round; 16]).unwrap());
                    assert_eq!(theirs.open(&sealed).unwrap(), content, "{code:04x} {version:04x}");
                }
            }
        }
    }
}
