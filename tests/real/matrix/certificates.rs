//! The certificates of the matrix: kinds of key, signatures of other days, and strange forms.

use std::collections::BTreeMap;

use super::super::sandbox::Sandbox;

/// Shell commands, each of which makes the certificate `$n.pem` with its key `$n.key`.
const MAKE: [(&str, &str); 28] = [
    ("rsa", "self -newkey rsa:2048"),
    ("rsa-4096", "self -newkey rsa:4096"),
    ("rsa-1024-sha1", "self -newkey rsa:1024 -sha1"),
    ("rsa-512", "self -newkey rsa:512 -sha1"),
    ("rsa-pss", "self -newkey rsa-pss -pkeyopt rsa_keygen_bits:2048"),
    ("dsa-1024", "dsa 1024"),
    ("dsa-2048", "dsa 2048"),
    ("p256", "curve P-256"),
    ("p384", "curve P-384"),
    ("p521", "curve P-521"),
    ("p256-explicit", "curve P-256 -pkeyopt ec_param_enc:explicit"),
    ("secp256k1", "curve secp256k1"),
    ("secp224r1", "curve secp224r1"),
    ("brainpool", "curve brainpoolP256r1"),
    ("ed25519", "self -newkey ed25519"),
    ("ed448", "self -newkey ed448"),
    ("other", "self -newkey rsa:2048"),
    ("md5", "same -md5"),
    ("version-1", "version_1 -days 30"),
    ("expired", "version_1 -days -1"),
    ("serial-0", "same -set_serial 0"),
    ("serial-negative", "same -set_serial -5"),
    ("serial-60-octets", "same -set_serial 0x7f$(printf '%0118d' 1)"),
    ("names-none", "same -subj /"),
    ("octets-28k", "names 700"),
    ("octets-98k", "names 2500"),
    ("chain-14", "chain 13"),
    ("chain-105", "chain 104"),
];

/// What the commands above are short for.
const SHORT: &str = r#"
self() { openssl req -x509 -nodes -subj "/CN=$n.test" -keyout "$n.key" -out "$n.pem" "$@"; }
curve() { c=$1; shift; self -newkey ec -pkeyopt "ec_paramgen_curve:$c" "$@"; }
dsa() {
    openssl dsaparam -out "$n.params" "$1"
    self -newkey "dsa:$n.params"
}
same() { cp rsa.key "$n.key"; openssl req -x509 -key rsa.key -subj "/CN=$n.test" -out "$n.pem" "$@"; }
version_1() {
    cp rsa.key "$n.key"
    openssl req -new -key rsa.key -subj "/CN=$n.test" |
        openssl x509 -req -signkey rsa.key -out "$n.pem" "$@"
}
names() { same -addext "subjectAltName=$(seq -f 'DNS:name-%04g.of-a-large-leaf.example' -s , "$1")"; }
# A chain of one certificate again and again is as long as any other.
chain() {
    same
    for _ in $(seq "$1"); do cat rsa.pem; done >"$n.chain"
}
digest() {
    # Some of the servers are nobody when they read them.
    chmod a+r "$n.key" "$n.pem"
    openssl x509 -in "$n.pem" -noout -fingerprint -sha1
}
set -e
"#;

/// All of them, made inside one sandbox.
pub(super) struct Certificates(BTreeMap<&'static str, String>);

impl Certificates {
    /// Makes them all.
    pub(super) fn make(sandbox: &Sandbox) -> Self {
        let mut script = SHORT.to_owned();
        for (name, command) in MAKE {
            script += &format!("n={name}; {command}; digest\n");
        }
        let said = sandbox.ok("bash", ["-c", &script]);
        let names = MAKE.iter().map(|(name, _)| *name);
        let certificates: BTreeMap<_, _> = names.zip(said.lines().filter_map(sha1)).collect();
        assert_eq!(certificates.len(), MAKE.len(), "{said}");
        Self(certificates)
    }

    /// The SHA-1 of the leaf with that name.
    pub(super) fn sha1(&self, name: &str) -> &str {
        &self.0[name]
    }

    /// The SHA-1 of every leaf.
    pub(super) fn all(&self) -> Vec<&str> {
        self.0.values().map(String::as_str).collect()
    }
}

/// The digest in a line such as `sha1 Fingerprint=AB:CD`.
pub(super) fn sha1(said: &str) -> Option<String> {
    let (_, colons) = said.trim().rsplit_once('=')?;
    Some(colons.replace(':', "").to_lowercase())
}
