//! Writes certificates field by field, right or wrong, which no library of that kind would do.
//!
//! The signature is of no meaning: nothing here verifies one.

#![allow(dead_code, reason = "two test programs share it, and each needs a part")]

/// 1.2.840.113549.1.1.11 with its NULL: sha256WithRSAEncryption.
pub(crate) const SHA256_WITH_RSA: [u8; 15] =
    [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];

/// The three extensions of a SoftEther default certificate.
pub(crate) fn softether_extensions() -> Vec<Vec<u8>> {
    let purposes: Vec<u8> = (1..=9).flat_map(|last| [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, last]).collect();
    vec![
        sequence(&[&[6, 3, 0x55, 0x1d, 0x13], &[1, 1, 0xff], &[4, 5, 0x30, 3, 1, 1, 0xff]]),
        extension(0x0f, &[3, 2, 1, 0xf6]),
        extension(0x25, &element(0x30, &purposes)),
    ]
}

/// Tag, the shortest length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().position(|octet| *octet != 0).unwrap_or(7)..];
    let head = match length {
        [short] if *short < 0x80 => vec![tag, *short],
        long => [&[tag, 0x80 | u8::try_from(long.len()).unwrap()], long].concat(),
    };
    [head, content.to_vec()].concat()
}

/// A SEQUENCE of `parts`.
pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

/// An attribute 2.5.4.`kind` with a value of that tag, as an RDN of its own.
pub(crate) fn rdn(kind: u8, tag: u8, value: &[u8]) -> Vec<u8> {
    element(0x31, &sequence(&[&[6, 3, 0x55, 4, kind], &element(tag, value)]))
}

/// A Name of one common name in UTF8String, whatever its octets.
pub(crate) fn common_name(value: &[u8]) -> Vec<u8> {
    element(0x30, &rdn(3, 0x0c, value))
}

/// `CN, O, OU, C`, as SoftEther writes them.
pub(crate) fn softether_name(host: [&str; 3], country: &str) -> Vec<u8> {
    let [cn, o, ou] = host.map(str::as_bytes);
    let rdns = [rdn(3, 12, cn), rdn(10, 12, o), rdn(11, 12, ou), rdn(6, 19, country.as_bytes())];
    element(0x30, &rdns.concat())
}

/// An extension 2.5.29.`kind` that is not critical.
pub(crate) fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[&[6, 3, 0x55, 0x1d, kind], &element(4, value)])
}

/// A subjectAltName of names with their tags.
pub(crate) fn alternative_names(names: &[(u8, &[u8])]) -> Vec<u8> {
    let names: Vec<u8> = names.iter().flat_map(|(tag, name)| element(*tag, name)).collect();
    extension(0x11, &element(0x30, &names))
}

/// A Validity of two times, each UTCTime if it has 13 characters.
pub(crate) fn validity(start: &str, end: &str) -> Vec<u8> {
    let time = |text: &str| element(if text.len() == 13 { 0x17 } else { 0x18 }, text.as_bytes());
    sequence(&[&time(start), &time(end)])
}

/// A SubjectPublicKeyInfo of algorithm identifier, parameters (with tag and length), and key.
pub(crate) fn spki(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let identifier = sequence(&[&element(6, algorithm), parameters]);
    sequence(&[&identifier, &element(3, &[&[0], key].concat())])
}

/// An RSA key with a modulus of so many bits, all of them set.
pub(crate) fn rsa(bits: usize) -> Vec<u8> {
    let modulus = element(2, &[vec![0], vec![0xff; bits / 8]].concat());
    let key = sequence(&[&modulus, &[2, 3, 1, 0, 1]]);
    spki(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1], &[5, 0], &key)
}

/// The fields of a certificate, each as it will stand there.
#[derive(Clone)]
pub(crate) struct Fields {
    /// The version's number, unless it is left out.
    pub(crate) version: Option<u8>,
    /// Content octets.
    pub(crate) serial: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) validity: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Option<Vec<Vec<u8>>>,
}

impl Fields {
    /// What SoftEther writes for a host of that name, started in 2026.
    pub(crate) fn softether() -> Self {
        let name = softether_name(["host"; 3], "US");
        Self {
            version: Some(2),
            serial: vec![0],
            algorithm: SHA256_WITH_RSA.to_vec(),
            issuer: name.clone(),
            validity: validity("261124021824Z", "371231021824Z"),
            subject: name,
            spki: rsa(2048),
            extensions: Some(softether_extensions()),
        }
    }

    /// The certificate.
    pub(crate) fn der(&self) -> Vec<u8> {
        sequence(&[&self.signed(), &self.algorithm, &[3, 3, 0, 0xaa, 0xbb]])
    }

    /// What would be signed.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let version = self.version.map(|number| vec![0xa0, 3, 2, 1, number]).unwrap_or_default();
        let extensions =
            self.extensions.as_ref().map(|all| element(0xa3, &element(0x30, &all.concat())));
        sequence(&[
            &version,
            &element(2, &self.serial),
            &self.algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.spki,
            &extensions.unwrap_or_default(),
        ])
    }
}
