//! A thousand certificates as OpenSSL reads them: the same fingerprint, serial number, times and key.

use certsweep::domain::cert::{Leaf, public_key};
use certsweep::domain::fingerprint::Sha256Fingerprint;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData};

use super::certificate::*;
use super::sandbox::Sandbox;

const BUILT: usize = 800;
const MUTATED: usize = 200;

/// All that OpenSSL prints of the files with these numbers, each after a line with its number.
fn print_all(sandbox: &Sandbox, first: usize, last: usize) -> String {
    let script = format!(
        "for number in $(seq {first} {last}); do echo \"number=$number\"; \
         openssl x509 -inform DER -in $number.der -noout -fingerprint -sha1 -serial -startdate \
         -enddate -dateopt iso_8601 -pubkey 2>/dev/null; done; true"
    );
    sandbox.ok("sh", ["-c", &script])
}

/// xorshift64 (Marsaglia, 2003).
struct Dice(u64);

impl Dice {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    fn octet(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn octets(&mut self, lengths: std::ops::Range<usize>) -> Vec<u8> {
        let length = lengths.start + self.below(lengths.len());
        (0..length).map(|_| self.octet()).collect()
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// One to twenty octets, the first of which is needed (X.690, section 8.3.2).
    fn serial(&mut self) -> Vec<u8> {
        let first = 1 + self.below(0x7e) as u8 + 0x80 * u8::from(self.below(8) == 0);
        [vec![first], self.octets(0..20)].concat()
    }

    /// Up to five attributes with strings of any kind, of characters that its kind can hold.
    fn name(&mut self) -> Vec<u8> {
        let rdns = (0..self.below(6)).flat_map(|_| {
            let kind = self.one_of(&[3, 6, 7, 8, 10, 11, 99]);
            let tag = self.one_of(&[0x0c, 0x13, 0x14, 0x16, 0x1e]);
            let letters = self.octets(0..24);
            let text: Vec<u8> = match tag {
                0x0c => letters.iter().map(|&octet| char::from(octet)).collect::<String>().into(),
                0x1e => letters.iter().flat_map(|&octet| [octet % 0xd8, octet]).collect(),
                _ => letters.iter().map(|octet| octet & 0x7f).collect(),
            };
            rdn(kind, tag, &text)
        });
        element(0x30, &rdns.collect::<Vec<u8>>())
    }

    fn time(&mut self) -> String {
        let (month, day) = (1 + self.below(12), 1 + self.below(28));
        let (hour, minute, second) = (self.below(24), self.below(60), self.below(60));
        let year = if self.below(4) == 0 {
            format!("{:04}", 2050 + self.below(7_950))
        } else {
            format!("{:02}", self.below(100))
        };
        format!("{year}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z")
    }

    fn extensions(&mut self) -> Vec<Vec<u8>> {
        let count = self.one_of(&[0, 1, 2, 30, 300, 2_000]);
        let names: Vec<Vec<u8>> = (0..count).map(|_| self.octets(0..24)).collect();
        let names: Vec<(u8, &[u8])> = names.iter().map(|name| (0x82, &name[..])).collect();
        let mut extensions = if self.below(2) == 0 { softether_extensions() } else { Vec::new() };
        extensions.push(alternative_names(&names));
        extensions
    }
}

fn keys() -> Vec<Vec<u8>> {
    let made = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519]
        .map(|kind| KeyPair::generate_for(kind).unwrap().subject_public_key_info());
    let rsa = [512, 1024, 2048, 4096].map(rsa);
    made.into_iter().chain(rsa).collect()
}

fn build(dice: &mut Dice, keys: &[Vec<u8>]) -> Vec<u8> {
    let version = dice.one_of(&[Some(2), Some(2), Some(2), None]);
    let fields = Fields {
        version,
        serial: dice.serial(),
        algorithm: SHA256_WITH_RSA.to_vec(),
        issuer: dice.name(),
        validity: validity(&dice.time(), &dice.time()),
        subject: dice.name(),
        spki: dice.one_of(keys),
        extensions: version.map(|_| dice.extensions()),
    };
    fields.der()
}

/// `der` with one octet changed in its signed part, which OpenSSL keeps and hashes as it came.
fn mutate(dice: &mut Dice, mut der: Vec<u8>) -> Vec<u8> {
    const HEADERS: usize = 8;
    let behind_signed = SHA256_WITH_RSA.len() + 5;
    let at = HEADERS + dice.below(der.len() - HEADERS - behind_signed);
    der[at] ^= 1 << dice.below(8);
    der
}

/// The lines that OpenSSL printed for one file.
struct Printed<'a>(&'a str);

impl<'a> Printed<'a> {
    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }

    /// The SHA-256 of the key that it wrote out as PEM.
    fn spki_sha256(&self) -> Option<Sha256Fingerprint> {
        let (_, from) = self.0.split_once("-----BEGIN PUBLIC KEY-----")?;
        let base64: String = from.split_once("-----END")?.0.split_whitespace().collect();
        Some(Sha256Fingerprint::of(&data_encoding::BASE64.decode(base64.as_bytes()).unwrap()))
    }
}

/// A serial number's octets as OpenSSL prints them: sign and magnitude.
fn sign_and_magnitude(octets: &[u8]) -> String {
    let negative = octets.first().is_some_and(|first| first & 0x80 != 0);
    let mut carry = true;
    let mut magnitude: Vec<u8> = octets.to_vec();
    if negative {
        for octet in magnitude.iter_mut().rev() {
            let (sum, carried) = (!*octet).overflowing_add(u8::from(carry));
            (*octet, carry) = (sum, carried);
        }
    }
    let zeros = magnitude.iter().take_while(|octet| **octet == 0).count();
    let magnitude = &magnitude[zeros.min(magnitude.len().saturating_sub(1))..];
    let sign = if negative { "-" } else { "" };
    format!("{sign}{}", data_encoding::HEXUPPER.encode(magnitude))
}

fn compare(number: usize, der: &[u8], printed: &Printed<'_>) {
    let leaf = Leaf::new(der.to_vec());
    let says = &leaf.description;
    let sha1 = printed.value("sha1 Fingerprint").unwrap().replace(':', "").to_lowercase();
    assert_eq!(leaf.sha1.to_string(), sha1, "{number}");
    let serial = data_encoding::HEXLOWER.decode(says.serial.as_ref().unwrap().as_bytes()).unwrap();
    assert_eq!(Some(&sign_and_magnitude(&serial)[..]), printed.value("serial"), "{number}");
    for (key, ours) in [("notBefore", says.not_before), ("notAfter", says.not_after)] {
        // What OpenSSL cannot read it calls a bad time.
        let theirs =
            printed.value(key).filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
        let ours = ours.map(|time| time.to_string().replace('T', " "));
        let ours = ours.as_deref().and_then(|text| text.get(..19));
        assert_eq!(ours, theirs.and_then(|text| text.get(..19)), "{number} {key} {says:?}");
    }
    if number < BUILT {
        assert_eq!(says.parse_error, None, "{number}");
        assert!(public_key(der).is_some());
        assert_eq!(leaf.spki_sha256, printed.spki_sha256(), "{number}");
    }
}

#[test]
fn a_thousand_leaves_are_read_as_openssl_reads_them() {
    let (mut dice, keys, sandbox) = (Dice(20_261_124), keys(), Sandbox::new());
    let mut leaves: Vec<Vec<u8>> = (0..BUILT).map(|_| build(&mut dice, &keys)).collect();
    for _ in 0..MUTATED {
        let original = dice.one_of(&leaves[..BUILT]);
        leaves.push(mutate(&mut dice, original));
    }
    for (number, der) in leaves.iter().enumerate() {
        std::fs::write(sandbox.outside(&format!("{number}.der")), der).unwrap();
    }
    // A thousand starts of OpenSSL take their time: one half beside the other.
    let half = leaves.len() / 2;
    let printed = std::thread::scope(|scope| {
        let second = scope.spawn(|| print_all(&sandbox, half, leaves.len() - 1));
        print_all(&sandbox, 0, half - 1) + &second.join().unwrap()
    });
    let printed: Vec<&str> = printed.split("number=").skip(1).collect();
    assert_eq!(printed.len(), leaves.len());
    let mut read = [0, 0];
    for (number, (der, printed)) in leaves.iter().zip(printed).enumerate() {
        let printed = Printed(printed);
        if printed.value("sha1 Fingerprint").is_some() {
            compare(number, der, &printed);
            read[usize::from(number >= BUILT)] += 1;
        }
    }
    assert_eq!(read[0], BUILT, "OpenSSL reads all that were built");
    assert!(read[1] >= MUTATED / 2, "OpenSSL reads {} of those with a changed octet", read[1]);
}
