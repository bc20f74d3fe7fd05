//! Hostile servers, played in memory: no socket, and a clock that is told. Each comes to the one outcome that its
//! script names, however its bytes are cut.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use certsweep::domain::outcome::Outcome;
use certsweep::domain::tls::own::{Glance, Goal, Look, OwnOffer};
use certsweep::domain::tls::{Client, End, Limits, Moment, Offer, RustlsOffer, Verdict};
use certsweep::lab::hostile::{Script, Step, scripts};
use certsweep::lab::{CertificateKind, Certificates, Expected};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| Certificates::generate().unwrap());

/// By how many bytes at a time a client gets what a server sends; no engine reads more at once than the last.
const CHUNKS: [usize; 4] = [1, 2, 7, WHOLE];
const WHOLE: usize = 1 << 14;

fn own(goal: Goal) -> Box<dyn Client> {
    OwnOffer::new(Limits::default(), goal).start(Moment::ZERO, [7; 112])
}

fn rustls() -> Box<dyn Client> {
    RustlsOffer::new(Limits::default()).unwrap().start(Moment::ZERO, [7; 112])
}

fn sent_by(client: &mut dyn Client) -> Vec<u8> {
    let mut out = Vec::new();
    while client.poll_transmit(&mut out) {}
    out
}

/// A client, the time on its clock, and what it has said and has not been read.
struct Table {
    client: Box<dyn Client>,
    now: Moment,
    said: Vec<u8>,
    verdict: Option<Verdict>,
    chunk: usize,
}

impl Table {
    /// Whether there is a verdict, after a look at what the client says.
    fn is_over(&mut self) -> bool {
        self.said.extend(sent_by(self.client.as_mut()));
        self.verdict = self.verdict.take().or_else(|| self.client.verdict());
        self.verdict.is_some()
    }

    fn send(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.chunk) {
            self.client.handle_bytes(self.now, piece);
            if self.is_over() {
                return;
            }
        }
    }

    fn end(&mut self, end: End) {
        self.client.handle_end(self.now, end);
        assert!(self.is_over(), "a connection that has ended has a verdict");
    }

    fn read_handshake(&mut self) -> Option<Vec<u8>> {
        loop {
            let record = self.read()?;
            if record[0] == 22 {
                return Some(record);
            }
        }
    }

    /// The next record that the client has said.
    fn read(&mut self) -> Option<Vec<u8>> {
        let header = self.said.first_chunk::<5>()?;
        let length = 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        (self.said.len() >= length).then(|| self.said.drain(..length).collect())
    }

    fn drip(&mut self, bytes: &[u8], every: Duration) {
        for byte in bytes {
            self.now += every;
            if self.now >= self.client.deadline() {
                return self.end(End::Deadline);
            }
            self.send(&[*byte]);
        }
    }

    fn step(&mut self, step: &Step, hello: &mut Vec<u8>) {
        match step {
            Step::Await => match self.read_handshake() {
                Some(record) => *hello = record,
                None => self.wait(),
            },
            Step::Send(_) | Step::Echo { .. } | Step::Sealed(_) => self.send(&step.bytes(hello)),
            Step::Repeat { bytes, count } => self.send(&bytes.repeat(*count)),
            Step::Drip { bytes, every } => self.drip(bytes, *every),
            Step::Close => self.end(End::EndOfStream),
            Step::Reset => self.end(End::Reset),
            Step::Hold => self.wait(),
        }
    }

    /// Both wait until the client's patience ends.
    fn wait(&mut self) {
        self.now = self.client.deadline();
        self.end(End::Deadline);
    }
}

/// What `client` makes of `script`, in pieces of `chunk` bytes.
fn play(script: &Script, client: Box<dyn Client>, chunk: usize) -> Verdict {
    let mut table = Table { client, now: Duration::ZERO, said: Vec::new(), verdict: None, chunk };
    assert!(!table.is_over());
    let mut hello = Vec::new();
    for step in script.steps(&CERTIFICATES).iter().chain([&Step::Close]) {
        if table.verdict.is_none() {
            table.step(step, &mut hello);
        }
    }
    table.verdict.unwrap()
}

/// The verdict in the words of the lab; a leaf that the lab has not is an error.
fn told(verdict: &Verdict, expected: &Expected) -> Expected {
    let leaf = verdict.certificates.first().map(|shown| {
        let known = |kind: &CertificateKind| CERTIFICATES.leaf(*kind).der == *shown;
        CertificateKind::ALL.into_iter().find(known).expect("a leaf of the lab")
    });
    assert_eq!(verdict.evidence.presented, leaf.is_some());
    assert!(verdict.certificates.len() <= Limits::default().chain_len_max);
    Expected {
        outcome: verdict.outcome,
        ended: verdict.ended,
        leaf,
        key_proven: verdict.evidence.key_proven,
        handshake_finished: verdict.evidence.handshake_finished,
        matches: expected.matches,
        tls_version: verdict.tls.as_ref().map(|tls| tls.version),
    }
}

/// Makes sure that `make`'s clients see each script as `expected` says.
#[track_caller]
fn assert_seen(make: impl Fn() -> Box<dyn Client>, expected: impl Fn(&Script) -> Expected) {
    let mut report = String::new();
    for script in scripts() {
        let expected = expected(script);
        let seen = CHUNKS.map(|chunk| told(&play(script, make(), chunk), &expected));
        if seen != [expected; CHUNKS.len()] {
            let seen = seen.map(|seen| short(&seen)).join("\n  ");
            report += &format!("{}: {}\n  {seen}\n", script.name, short(&expected));
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// For people who read why a test failed.
fn short(told: &Expected) -> String {
    format!(
        "{} {:?} ended {:?}, {:?} proven {:?}, {:?}",
        told.outcome,
        told.outcome.detail(),
        told.ended,
        told.leaf,
        told.key_proven,
        told.tls_version
    )
}

#[test]
fn our_own_client_sees_each_as_what_it_is_in_any_chunking() {
    assert_seen(|| own(Goal::Finish), |script| script.own);
}

#[test]
fn who_stops_at_the_certificate_sees_the_same_up_to_there() {
    assert_seen(|| own(Goal::Leaf), Script::expected_of_leaf);
}

#[test]
fn rustls_sees_each_as_its_second_column_says_in_any_chunking() {
    assert_seen(rustls, Script::expected_of_rustls);
}

#[test]
fn there_are_forty_and_more_and_each_is_described_once() {
    let names: BTreeSet<&str> = scripts().map(|script| script.name).collect();
    assert_eq!(names.len(), scripts().count());
    assert!(names.len() >= 40);
    for script in scripts() {
        assert!(script.name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_')));
        assert!(script.about.len() > 15, "{}", script.name);
        assert!(!script.about.ends_with('.') && !script.about.contains(['|', '\n']));
        assert!(script.full != Some(script.own), "{}: a second column like the first", script.name);
    }
}

/// What the server of `script` says at once to this hello, as much as is looked at.
fn said_at_once(script: &Script, hello: &[u8]) -> Vec<u8> {
    let (mut said, mut awaited) = (Vec::new(), 0);
    for step in script.steps(&CERTIFICATES) {
        match &step {
            Step::Await => awaited += 1,
            Step::Send(_) | Step::Echo { .. } | Step::Sealed(_) => said.extend(step.bytes(hello)),
            Step::Repeat { bytes, count } => {
                said.extend(bytes.repeat((*count).min(Glance::BYTES_MAX / bytes.len())));
            }
            Step::Drip { bytes, .. } => said.extend(bytes),
            Step::Close | Step::Reset | Step::Hold => break,
        }
        if awaited > 1 {
            break;
        }
    }
    said.truncate(Glance::BYTES_MAX);
    said
}

/// Whether a look at `said` tells the certificates; whatever it tells, the client tells of the same bytes.
fn is_told(glance: &Glance, said: &[u8], scratch: &mut Vec<u8>, name: &str) -> bool {
    let mut client = glance.client(Moment::ZERO);
    client.handle_bytes(Moment::ZERO, said);
    match (glance.look(said, scratch), client.verdict()) {
        (Look::Certificates { tls, chain }, verdict) => {
            let verdict = verdict.expect(name);
            assert_eq!((verdict.outcome, verdict.ended), (Outcome::Certificate, None), "{name}");
            assert_eq!(chain.collect::<Vec<_>>(), verdict.certificates, "{name}");
            assert_eq!(Some(tls), verdict.tls, "{name}");
            true
        }
        (Look::More, verdict) => {
            assert_eq!(verdict, None, "{name}: the client waits as well");
            false
        }
        (Look::Unusual, _) => false,
    }
}

/// The short way tells nothing of any of them that the client does not tell, wherever the bytes are cut.
#[test]
fn a_look_tells_the_same_as_the_client_or_nothing() {
    let glance = Glance::new(Limits::default(), [7; 112]).unwrap();
    let (mut scratch, mut told) = (Vec::new(), 0);
    for script in scripts() {
        let said = said_at_once(script, glance.hello());
        // After every byte, but of those that say very much.
        for cut in (0..said.len()).step_by(1 + said.len() / 2_500) {
            is_told(&glance, &said[..cut], &mut scratch, script.name);
        }
        let is_told = is_told(&glance, &said, &mut scratch, script.name);
        assert!(!is_told || script.expected_of_leaf().leaf.is_some(), "{}", script.name);
        told += usize::from(is_told);
    }
    assert!(told >= 30, "{told}: the short way is taken");
}

/// Whoever has no key proves none, whatever the goal.
#[test]
fn no_script_proves_a_key() {
    for script in scripts() {
        for client in [own(Goal::Leaf), own(Goal::Finish), rustls()] {
            let verdict = play(script, client, WHOLE);
            assert_ne!(verdict.evidence.key_proven, Some(true), "{}", script.name);
            assert!(!verdict.evidence.handshake_finished, "{}", script.name);
        }
    }
}

/// With RSA key exchange, a copied certificate is caught by what the server cannot decrypt.
#[test]
fn a_made_up_finished_is_no_proof() {
    for name in ["replay_rsa_12", "replay_rsa_11", "replay_rsa_10"] {
        let script = scripts().find(|script| script.name == name).unwrap();
        for chunk in CHUNKS {
            let verdict = play(script, own(Goal::Finish), chunk);
            assert_eq!(verdict.outcome, Outcome::Certificate, "{name}");
            assert_eq!(verdict.ended, Some(Outcome::Malformed), "{name}");
            assert_ne!(verdict.evidence.key_proven, Some(true), "{name}");
        }
    }
}

/// A server of one version with a leaf of its own, whose messages are spread over small records.
fn server(version: &'static SupportedProtocolVersion) -> (Arc<ServerConfig>, Vec<u8>) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["server.test".to_owned()]).unwrap();
    let leaf = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.clone()], key)
        .unwrap();
    config.max_fragment_size = Some(64);
    (Arc::new(config), leaf.to_vec())
}

/// What the server says at first to this client.
fn flight(client: &mut dyn Client, config: &Arc<ServerConfig>) -> Vec<u8> {
    let mut server = ServerConnection::new(Arc::clone(config)).unwrap();
    server.read_tls(&mut &sent_by(client)[..]).unwrap();
    server.process_new_packets().unwrap();
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).unwrap();
    }
    flight
}

/// What it must come to that a good flight ends so after `cut` bytes, if no leaf was seen.
const fn without_leaf(cut: usize, end: End) -> Outcome {
    match (end, cut) {
        (End::Reset, _) => Outcome::Reset,
        (End::EndOfStream, 0) => Outcome::Closed,
        (End::Deadline, 0) => Outcome::Silent,
        (End::EndOfStream | End::Deadline, _) => Outcome::Stalled,
    }
}

/// Close, reset or silence after every byte of a good flight: there is one place from which on the leaf is kept,
/// and one from which on the key is proven.
#[test]
fn a_good_flight_may_end_at_every_byte() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (config, leaf) = server(version);
        for end in [End::EndOfStream, End::Reset, End::Deadline] {
            let (mut shown, mut proven) = (BTreeSet::new(), BTreeSet::new());
            let mut client = own(Goal::Finish);
            // The client's randoms are the same each time, and so one recorded flight serves all.
            let flight = flight(client.as_mut(), &config);
            for cut in 0..=flight.len() {
                let mut client = own(Goal::Finish);
                sent_by(client.as_mut());
                client.handle_bytes(Duration::ZERO, &flight[..cut]);
                let early = client.verdict();
                client.handle_end(Duration::ZERO, end);
                let verdict = early.or_else(|| client.verdict()).unwrap();
                assert_eq!(client.verdict(), None, "one verdict");
                if verdict.certificates.is_empty() {
                    assert_eq!(verdict.outcome, without_leaf(cut, end), "{cut}");
                    assert_eq!(verdict.ended, None);
                    continue;
                }
                shown.insert(cut);
                assert_eq!(
                    (verdict.outcome, &verdict.certificates[0]),
                    (Outcome::Certificate, &leaf)
                );
                if verdict.evidence.key_proven.is_some() {
                    assert_eq!(verdict.evidence.key_proven, Some(true));
                    proven.insert(cut);
                }
                let is_finished = verdict.evidence.handshake_finished;
                let ended = Some(without_leaf(cut, end)).filter(|_| !is_finished);
                assert_eq!(verdict.ended, ended, "{cut}");
            }
            assert!(proven.first() > shown.first());
            assert_eq!(shown.len(), flight.len() + 1 - shown.first().unwrap());
            assert_eq!(proven.len(), flight.len() + 1 - proven.first().unwrap());
        }
    }
}

/// An outcome as the manual writes it.
fn written(expected: &Expected) -> String {
    let word = |outcome: &Outcome| match outcome.detail() {
        Some(detail) => format!("`{outcome}` ({detail})"),
        None => format!("`{outcome}`"),
    };
    let mut text = word(&expected.outcome);
    if let Some(ended) = &expected.ended {
        text += &format!(", then {}", word(ended));
    }
    match expected.key_proven {
        Some(proven) => text + &format!(", key proven: {proven}"),
        None => text,
    }
}

/// The manual's page is the data and nothing else; what it must say is printed where it does not.
#[test]
fn the_manual_lists_every_script_with_its_outcome() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/hostile.rs");
    let page = std::fs::read_to_string(path).unwrap();
    let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("//! | `")).collect();
    let data: Vec<String> = scripts()
        .map(|script| {
            let own = written(&script.own);
            let full = written(&script.expected_of_rustls());
            let full = if full == own { "the same".to_owned() } else { full };
            format!("//! | `{}` | {} | {own} | {full} |", script.name, script.about)
        })
        .collect();
    assert!(listed == data, "the page must have:\n{}", data.join("\n"));
}
