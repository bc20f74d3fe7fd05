//! Where the servers of the matrix run, and how they come to run there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::super::sandbox::{HOME, Sandbox, until};
use super::Server;
use super::certificates::sha1;

/// Holds all their addresses.
pub(super) const RANGE: &str = "127.0.1.0/24";

const FIRST_PORT: u16 = 20_000;

/// A server with its address and its port, neither of which another one has.
///
/// Commands and files name them as `{address}` and `{port}`, a directory of the server's own as `{here}`,
/// and its first certificate and key as `{leaf}` and `{key}`.
pub(super) struct Place<'a> {
    pub(super) server: &'a Server,
    number: u8,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.address(), self.port())
    }
}

impl Place<'_> {
    pub(super) fn address(&self) -> IpAddr {
        Ipv4Addr::new(127, 0, 1, self.number).into()
    }

    fn port(&self) -> u16 {
        FIRST_PORT + u16::from(self.number)
    }

    fn directory(&self) -> String {
        format!("server-{}", self.number)
    }

    fn fill(&self, text: &str) -> String {
        let certificate = self.server.leaves.first().unwrap_or(&"rsa");
        text.replace("{address}", &self.address().to_string())
            .replace("{port}", &self.port().to_string())
            .replace("{here}", &format!("{HOME}/{}", self.directory()))
            .replace("{leaf}", &format!("{HOME}/{certificate}.pem"))
            .replace("{key}", &format!("{HOME}/{certificate}.key"))
    }

    fn start(&self, sandbox: &Sandbox) {
        std::fs::create_dir(sandbox.outside(&self.directory())).unwrap();
        for (name, text) in self.server.files {
            sandbox.write(&format!("{}/{name}", self.directory()), &self.fill(text));
        }
        let command = self.fill(self.server.command);
        let script = format!("cd {HOME}/{} && exec >said 2>&1 && {command}", self.directory());
        sandbox.start_in_background("bash", &["-c", &script]);
    }
}

/// Starts all `servers` and waits until each of them listens.
pub(super) fn start_all<'a>(
    sandbox: &Sandbox,
    servers: impl Iterator<Item = &'a Server>,
) -> Vec<Place<'a>> {
    let places = (1..).zip(servers).map(|(number, server)| Place { server, number });
    let places: Vec<Place<'a>> = places.collect();
    // Not all at once, so that each has time enough on a machine that is busy.
    for some in places.chunks(32) {
        some.iter().for_each(|place| place.start(sandbox));
        wait(sandbox, some);
    }
    places
}

/// Waits until somebody listens at each of `places`.
pub(super) fn wait(sandbox: &Sandbox, places: &[Place<'_>]) {
    until(Missing { sandbox, places }, || missing(sandbox, places).is_empty().then_some(()));
}

/// Those of `places` where nobody listens.
fn missing<'a, 'b>(sandbox: &Sandbox, places: &'a [Place<'b>]) -> Vec<&'a Place<'b>> {
    let listening = listening(sandbox);
    places.iter().filter(|place| !listening.contains(&place.port())).collect()
}

/// What the servers that do not listen have to say.
struct Missing<'a> {
    sandbox: &'a Sandbox,
    places: &'a [Place<'a>],
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in missing(self.sandbox, self.places) {
            let file = self.sandbox.outside(&format!("{}/said", place.directory()));
            let said = std::fs::read(file).unwrap_or_default();
            let said = String::from_utf8_lossy(&said);
            writeln!(formatter, "{} does not listen:\n{said}", place.server.name)?;
        }
        write!(formatter, "servers")
    }
}

/// The ports that anything inside listens on.
fn listening(sandbox: &Sandbox) -> BTreeSet<u16> {
    let said = sandbox.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
    let local = said.lines().filter_map(|line| line.split_whitespace().nth(3));
    local.filter_map(|local| local.rsplit(':').next()?.parse().ok()).collect()
}

/// The ports of `places`, as `--ports` takes them.
pub(super) fn ports(places: &[Place<'_>]) -> String {
    format!("{}-{}", FIRST_PORT + 1, FIRST_PORT + u16::try_from(places.len()).unwrap())
}

/// Asks every place for its leaf with everything that OpenSSL's own client can offer, but for suites
/// without certificates.
const ASK: &str = "
ask() {
    timeout 20 openssl s_client -connect \"$1\" -noservername -legacy_server_connect \
        -min_protocol TLSv1 -cipher 'ALL:COMPLEMENTOFALL:!aNULL:@SECLEVEL=0' -ciphersuites \"$SUITES\" \
        ${2:+-groups \"$2\"} </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha1 2>/dev/null
}
both() { echo \"$1 $(ask \"$1\" || ask \"$1\" \"$GROUPS_TOO\")\"; }
export -f ask both
export SUITES=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
SUITES+=:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256
export GROUPS_TOO=X25519:P-256:X448:P-384:P-521:secp256k1:secp224r1
GROUPS_TOO+=:brainpoolP256r1:brainpoolP384r1:brainpoolP512r1
xargs -P 4 -I {} bash -c 'both {}' <targets.txt
";

/// The SHA-1 of the leaf that `openssl s_client` got of each of `places`, which `targets.txt` holds.
pub(super) fn ask_s_client(sandbox: &Sandbox, places: &[Place<'_>]) -> Vec<Option<String>> {
    let said = sandbox.ok("bash", ["-c", ASK]);
    let got: BTreeMap<&str, String> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(place, said)| Some((place, sha1(said)?)))
        .collect();
    places.iter().map(|place| got.get(&*place.to_string()).cloned()).collect()
}
