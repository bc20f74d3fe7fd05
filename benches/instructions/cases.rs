//! What is counted: the parts of a target's way that take the most, each on fixed data.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use certsweep::domain::address::{Prefix, Target};
use certsweep::domain::cert::Leaf;
use certsweep::domain::coverage::Coverage;
use certsweep::domain::dispatch::{Dispatch, Next};
use certsweep::domain::fingerprint::{Fingerprint, Sha1Fingerprint, Sha256Fingerprint};
use certsweep::domain::indicator::{Certificate, Index, IndicatorSet, SharedLimits, Tlp};
use certsweep::domain::observation::{Evidence, TlsFacts};
use certsweep::domain::outcome::Outcome;
use certsweep::domain::pace::Pace;
use certsweep::domain::plan::{Plan, Tempo};
use certsweep::domain::recogniser::Recogniser;
use certsweep::domain::record::{Lines, Origin};
use certsweep::domain::scan::Shard;
use certsweep::domain::scope;
use certsweep::domain::time::Timestamp;
use certsweep::domain::tls::own::{Glance, Goal, Hello, Look, OwnOffer};
use certsweep::domain::tls::{Ask, Asked, Limits, Offer, Verdict};
use certsweep::domain::visit::Visit;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};

use crate::flights::{answers, told};

const ENTROPY: [u8; 112] = [7; 112];

/// SoftEther's default certificate.
const LEAF: &str = include_str!("../../src/domain/cert/softether-default.pem");

/// One operation, for which all is ready.
pub(crate) type Operation = Box<dyn FnMut()>;

/// What is counted.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How often the operation is done.
    pub(crate) times: u32,
    pub(crate) begin: fn() -> Operation,
}

const fn case(name: &'static str, times: u32, begin: fn() -> Operation) -> Case {
    Case { name, times, begin }
}

/// All cases: cheap ones are done often, so that what grows now and then is spread.
pub(crate) const CASES: [Case; 19] = [
    case("client_hello", 1_000, client_hello),
    case("look_tls12", 1_000, || look(&TLS12, "")),
    case("look_tls13_aes128", 100, || look(&TLS13, "AES_128_GCM_SHA256")),
    case("look_tls13_aes256", 100, || look(&TLS13, "AES_256_GCM_SHA384")),
    case("look_tls13_chacha20", 100, || look(&TLS13, "CHACHA20")),
    case("client_tls12_leaf", 100, || client(Goal::Leaf, &TLS12)),
    case("client_tls12_finish", 100, || client(Goal::Finish, &TLS12)),
    case("client_tls13_leaf", 100, || client(Goal::Leaf, &TLS13)),
    case("client_tls13_finish", 100, || client(Goal::Finish, &TLS13)),
    case("leaf_read", 1_000, leaf_read),
    case("leaf_known", 1_000, leaf_known),
    case("index_hit", 10_000, || index(true)),
    case("index_miss", 10_000, || index(false)),
    case("order_target", 10_000, order_target),
    case("pace_take", 10_000, pace_take),
    case("pace_take_of", 10_000, pace_take_of),
    case("dispatch", 10_000, || dispatch(None)),
    case("dispatch_paced", 10_000, || dispatch(Some(1e9))),
    case("record_line", 1_000, record_line),
];

fn offer(goal: Goal) -> OwnOffer {
    OwnOffer::new(Limits::default(), goal)
}

fn client_hello() -> Operation {
    let (offer, mut out) = (offer(Goal::Leaf), Vec::new());
    Box::new(move || {
        out.clear();
        let mut client = offer.start(Duration::ZERO, ENTROPY);
        assert!(client.poll_transmit(&mut out));
    })
}

fn look(version: &'static SupportedProtocolVersion, suite: &str) -> Operation {
    let glance = Glance::new(Limits::default(), ENTROPY).expect("the library takes the length");
    let flights = answers(glance.client(Duration::ZERO), glance.hello(), version, suite);
    let mut scratch = Vec::new();
    Box::new(move || {
        let look = glance.look(&flights[0], &mut scratch);
        assert!(matches!(look, Look::Certificates { .. }));
    })
}

/// A whole client, from its ClientHello to its verdict.
fn client(goal: Goal, version: &'static SupportedProtocolVersion) -> Operation {
    let (offer, mut out) = (offer(goal), Vec::new());
    let mut client = offer.start(Duration::ZERO, ENTROPY);
    assert!(client.poll_transmit(&mut out));
    let flights = answers(client, &out, version, "AES_128_GCM_SHA256");
    Box::new(move || {
        let verdict = told(offer.start(Duration::ZERO, ENTROPY), &flights, &mut out);
        assert_eq!(verdict.outcome, Outcome::Certificate);
        assert_eq!(verdict.evidence.handshake_finished, goal == Goal::Finish);
    })
}

fn der() -> Vec<u8> {
    let base64: String = LEAF.lines().filter(|line| !line.starts_with('-')).collect();
    data_encoding::BASE64.decode(base64.as_bytes()).expect("the file is PEM")
}

fn leaf_read() -> Operation {
    let der = der();
    Box::new(move || drop(black_box(Leaf::new(der.clone()))))
}

fn leaf_known() -> Operation {
    let (der, mut recogniser) = (der(), Recogniser::new(Arc::default()));
    Box::new(move || drop(black_box(recogniser.recognise(&der))))
}

/// Among 10,000 fingerprints.
fn index(is_named: bool) -> Operation {
    let leaf = Leaf::new(der());
    let others = (0..9_999_u32).map(|number| Sha1Fingerprint::of(&number.to_be_bytes()));
    let last = if is_named { leaf.sha1 } else { Sha1Fingerprint::of(b"another") };
    let certificate = |sha1| Certificate {
        fingerprint: Fingerprint::Sha1(sha1),
        spki_sha256: None,
        label: None,
        source: "bench".to_owned(),
        note: None,
    };
    let set = IndicatorSet {
        name: "bench".to_owned(),
        file: "set.toml".to_owned(),
        tlp: Tlp::Clear,
        hash: Sha256Fingerprint::of(b""),
        sources: Vec::new(),
        shared: SharedLimits::default(),
        certificates: others.chain([last]).map(certificate).collect(),
        entries: Vec::new(),
        profiles: Vec::new(),
        addresses: Vec::new(),
    };
    let index = Index::new([&set]);
    Box::new(move || assert_eq!(index.matches(black_box(&leaf)).len(), usize::from(is_named)))
}

/// A plan over half of IPv4 on four ports: 8.4 thousand million targets.
fn plan(rate: Option<f64>) -> Arc<Plan> {
    let text = "name = \"half\"\noperator = \"x\"\ncontact = \"x\"\nauthorised_by = \"x\"\n\
                valid_until = 2026-12-31\ninclude = [\"0.0.0.0/1\"]\nports = [\"softether\"]\n";
    let scope = scope::read("half.toml", text).expect("the scope is right");
    let ports = scope.ports.clone();
    let tempo = Tempo { rate, rate_per_prefix: rate, ..Tempo::default() };
    Arc::new(Plan::new(scope, ports, None, (7, Shard::WHOLE), tempo).expect("the plan is right"))
}

fn order_target() -> Operation {
    let plan = plan(None);
    let mut position = 0;
    Box::new(move || {
        black_box(plan.order.target(position));
        position += 1;
    })
}

fn pace_take() -> Operation {
    let (mut pace, mut now) = (Pace::new(Some(1e6), None), Duration::ZERO);
    Box::new(move || {
        now += Duration::from_micros(1);
        assert_eq!(pace.take(now), Ok(()));
    })
}

/// Each time another prefix, so that they grow in number as in a scan.
fn pace_take_of() -> Operation {
    let (mut pace, mut number) = (Pace::new(None, Some(5.0)), 0);
    Box::new(move || {
        number += 1;
        assert_eq!(pace.take_of(Prefix::of(address(number)), Duration::ZERO), Ok(()));
    })
}

/// One target is begun and finished.
fn dispatch(rate: Option<f64>) -> Operation {
    let mut dispatch = Dispatch::new(plan(rate), Coverage::default());
    let mut now = Duration::ZERO;
    Box::new(move || {
        loop {
            match dispatch.next(now) {
                Next::Start(ticket) => {
                    dispatch.finished(ticket);
                    return;
                }
                Next::Wait(until) => now = until,
                Next::Skip { .. } | Next::Full | Next::Done => {}
            }
        }
    })
}

/// Address number `number` of many, scattered over a /8.
fn address(number: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 | number.wrapping_mul(0x9e37_79b1) >> 8))
}

/// The record of a host that shows the same leaf as others before it.
fn record_line() -> Operation {
    let asked = Asked::Own(Hello::Universal, Goal::Leaf);
    let ask = Ask { asked, server_name: None, after: Duration::ZERO, request: None };
    let visit = Visit {
        time: Timestamp::from_micros(1_795_486_704_512_999),
        target: Target::new(address(1), 443),
        began: Duration::ZERO,
        connected: Some(Duration::from_micros(30)),
        ask: &ask,
    };
    let verdict = Verdict {
        outcome: Outcome::Certificate,
        ended: None,
        certificates: vec![der()],
        tls: Some(TlsFacts {
            version: "1.2",
            cipher_suite: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256".into(),
        }),
        evidence: Evidence::of(Ok(true), false),
        first_byte: Some(Duration::from_micros(60)),
        leaf: Some(Duration::from_micros(70)),
        reply: None,
    };
    let observation = visit.observation(verdict, &mut Recogniser::new(Arc::default()));
    let mut lines = Lines::default();
    let origin = Origin { scan: Some("01JD0000000000000000000001"), vantage: "default" };
    Box::new(move || {
        black_box(lines.observation(origin, &observation).len());
    })
}
