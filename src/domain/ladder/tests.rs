//! Which attempts follow which, and what they come to.

use std::cell::Cell;
use std::sync::Arc;

use super::*;
use crate::domain::address::Target;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::indicator::{Indicator, Match, Tier};
use crate::domain::observation::{TlsFacts, Unproven};
use crate::domain::recogniser::Recogniser;
use crate::domain::time::Timestamp;
use crate::domain::tls::Verdict;
use crate::domain::visit::Visit;

const OWN: Asked = Asked::Own(Hello::Universal, Goal::Leaf);
const OWN_FINISH: Asked = Asked::Own(Hello::Universal, Goal::Finish);
const MODERN: Asked = Asked::Own(Hello::Modern, Goal::Leaf);
const TLS12: Asked = Asked::Own(Hello::Tls12, Goal::Leaf);

const fn alert(description: u8) -> Outcome {
    Outcome::Alert(Alert { level: 2, description })
}

/// What a server does: with a connection, and so with each.
#[derive(Clone)]
struct Server {
    leaf: Option<&'static [u8]>,
    outcome: Outcome,
    tls: TlsFacts,
    proof: Result<bool, Unproven>,
    matches: bool,
    key: Option<&'static str>,
    softether_default: bool,
}

fn showing(leaf: &'static [u8], version: &'static str, suite: &str) -> Server {
    Server {
        leaf: Some(leaf),
        outcome: Outcome::Certificate,
        tls: TlsFacts { version, cipher_suite: suite.to_owned().into() },
        proof: Ok(true),
        matches: false,
        key: None,
        softether_default: false,
    }
}

fn failing(outcome: Outcome) -> Server {
    Server { leaf: None, outcome, ..showing(b"", "1.2", "") }
}

impl Server {
    fn answer(&self, ask: &Ask) -> Observation {
        let finished = matches!(ask.asked, Asked::Rustls | Asked::Own(_, Goal::Finish));
        let verdict = match self.leaf {
            None => Verdict::without_leaf(self.outcome),
            Some(leaf) => Verdict {
                certificates: vec![leaf.to_vec()],
                tls: Some(self.tls.clone()),
                evidence: Evidence::of(self.proof, finished),
                reply: ask.request.filter(|_| finished).map(|_| greeting()),
                ..Verdict::without_leaf(Outcome::Certificate)
            },
        };
        let visit = Visit {
            time: Timestamp::from_seconds(1),
            target: Target::new("127.0.0.1".parse().unwrap(), 443),
            began: Duration::ZERO,
            connected: None,
            ask,
        };
        let mut seen = visit.observation(verdict, &mut Recogniser::new(Arc::default()));
        if let Some(leaf) = seen.leaf.as_mut().map(Arc::make_mut) {
            leaf.description.key = self.key.map(str::to_owned);
            leaf.description.softether_default = self.softether_default;
            seen.matches.extend(self.matches.then(|| Match {
                set: "s".into(),
                tier: Tier::A,
                indicator: Indicator::Leaf(Fingerprint::Sha1(leaf.sha1)),
                label: None,
                source: "r".into(),
            }));
        }
        seen
    }
}

/// What a SoftEther server answers: a PACK of its product alone.
fn greeting() -> Vec<u8> {
    let pack = b"\0\0\0\x01\0\0\0\x06hello\0\0\0\x02\0\0\0\x01\0\0\0\x09SoftEther";
    [&b"HTTP/1.1 200 OK\r\n\r\n"[..], pack].concat()
}

thread_local! {
    /// Whether the next visit that takes something panics.
    static TRAP: Cell<bool> = const { Cell::new(false) };
}

/// From now on the next visit of this thread that takes something panics.
pub(crate) fn set_a_trap() {
    TRAP.set(true);
}

/// Panics if a trap was set.
pub(super) fn spring_the_trap() {
    assert!(!TRAP.take(), "the ladder was told to panic");
}

/// As [`merge`], and what both come to.
fn merged(mut told: Observation, seen: Observation) -> (Observation, Option<Observation>) {
    let other = merge(&mut told, seen);
    (told, other)
}

/// All that is asked of a server that answers `serve`, and what it comes to.
fn visit(policy: &Policy, serve: impl Fn(&Ask) -> Server) -> (Vec<Ask>, Vec<Observation>) {
    let (mut asks, mut all) = (Vec::new(), Vec::new());
    let mut visiting = Visiting::new(policy);
    loop {
        asks.push(visiting.ask.clone());
        assert!(asks.len() <= policy.attempts_max(), "{asks:?}");
        let seen = serve(&visiting.ask).answer(&visiting.ask);
        match visiting.take(seen, policy) {
            Stand::Again(told) => all.extend(told),
            Stand::Over(summary, told) => {
                all.extend(told);
                let closest = all.iter().filter_map(Observation::closest_tier).min();
                assert_eq!(summary, Summary { outcome: all[0].outcome, closest });
                return (asks, all);
            }
        }
    }
}

fn asked(depth: Depth, server: &Server) -> Vec<Asked> {
    let (asks, observations) = visit(&Policy::new(depth), |_| server.clone());
    let listed: Vec<Asked> = observations[0].attempts.iter().map(|attempt| attempt.asked).collect();
    let asked: Vec<Asked> = asks.iter().map(|ask| ask.asked).collect();
    assert_eq!((observations.len(), &listed), (1, &asked));
    asked
}

#[test]
fn a_leaf_is_asked_for_once_unless_it_matches() {
    let plain = showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256");
    assert_eq!(asked(Depth::Auto, &plain), [OWN]);
    assert_eq!(asked(Depth::Leaf, &plain), [OWN]);
    assert_eq!(asked(Depth::Full, &plain), [Asked::Rustls]);
    let matching = Server { matches: true, ..plain };
    assert_eq!(asked(Depth::Auto, &matching), [OWN, Asked::Rustls]);
    assert_eq!(asked(Depth::Leaf, &matching), [OWN]);
}

#[test]
fn matches_are_confirmed_by_whoever_can() {
    for (version, suite, confirmed_by) in [
        ("1.3", "TLS_CHACHA20_POLY1305_SHA256", Asked::Rustls),
        ("1.3", "TLS_AES_128_CCM_SHA256", OWN_FINISH),
        ("1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Asked::Rustls),
        ("1.2", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", OWN_FINISH),
        ("1.2", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", OWN_FINISH),
        ("1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", OWN_FINISH),
        ("1.0", "TLS_RSA_WITH_RC4_128_MD5", OWN_FINISH),
    ] {
        let matching = Server { matches: true, ..showing(b"leaf", version, suite) };
        assert_eq!(asked(Depth::Auto, &matching), [OWN, confirmed_by], "{version} {suite}");
    }
}

#[test]
fn if_rustls_cannot_finish_our_own_client_tries() {
    let serve = |ask: &Ask| match ask.asked {
        Asked::Rustls => failing(alert(40)),
        _ => Server { matches: true, ..showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256") },
    };
    let (asks, observations) = visit(&Policy::new(Depth::Auto), serve);
    let asks: Vec<Asked> = asks.iter().map(|ask| ask.asked).collect();
    assert_eq!(asks, [OWN, Asked::Rustls, OWN_FINISH]);
    assert!(observations[0].evidence.handshake_finished);
    let (asks, observations) = visit(&Policy::new(Depth::Full), serve);
    let asks: Vec<Asked> = asks.iter().map(|ask| ask.asked).collect();
    assert_eq!(asks, [Asked::Rustls, OWN_FINISH]);
    assert!(observations[0].evidence.handshake_finished);
}

/// The longest way there is.
#[test]
fn a_match_is_confirmed_with_the_offer_that_showed_it() {
    let serve = |ask: &Ask| match ask.asked {
        Asked::Own(Hello::Tls12, _) => Server {
            matches: true,
            ..showing(b"leaf", "1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
        },
        _ => failing(alert(40)),
    };
    let (asks, observations) = visit(&Policy::new(Depth::Auto), serve);
    let asks: Vec<&str> = asks.iter().map(|ask| ask.asked.offer()).collect();
    assert_eq!(asks, ["universal", "modern", "tls12", "tls12-tls13", "tls12-finish"]);
    assert!(observations[0].evidence.handshake_finished);
}

#[test]
fn an_answer_tells_more_than_a_closed_connection() {
    for (later, told) in [
        (alert(40), alert(40)),
        (Outcome::Malformed, Outcome::Malformed),
        (Outcome::ConnectTimeout, Outcome::Closed),
        (Outcome::Silent, Outcome::Closed),
    ] {
        let serve = |ask: &Ask| match ask.asked {
            OWN => failing(Outcome::Closed),
            _ => failing(later),
        };
        let (_, observations) = visit(&Policy::new(Depth::Auto), serve);
        assert_eq!(observations[0].outcome, told);
    }
}

#[test]
fn without_a_leaf_our_own_client_is_believed_before_rustls() {
    for (own, told) in [
        (Outcome::TooLarge, Outcome::TooLarge),
        (alert(112), alert(112)),
        (Outcome::ConnectTimeout, Outcome::Malformed),
    ] {
        let serve = |ask: &Ask| match ask.asked {
            Asked::Rustls => failing(Outcome::Malformed),
            Asked::Own(..) => failing(own),
        };
        let (_, observations) = visit(&Policy::new(Depth::Full), serve);
        assert_eq!(observations[0].outcome, told);
    }
}

#[test]
fn offers_that_are_refused_are_made_smaller() {
    assert_eq!(asked(Depth::Auto, &failing(alert(40))), [OWN, MODERN, TLS12]);
    assert_eq!(asked(Depth::Leaf, &failing(alert(70))), [OWN, MODERN, TLS12]);
    assert_eq!(asked(Depth::Auto, &failing(alert(112))), [OWN], "it misses a name");
    let [modern, tls12] =
        [Hello::Modern, Hello::Tls12].map(|hello| Asked::Own(hello, Goal::Finish));
    assert_eq!(asked(Depth::Full, &failing(alert(40))), [Asked::Rustls, OWN_FINISH, modern, tls12]);
    for outcome in [
        Outcome::Refused,
        Outcome::Unreachable,
        Outcome::ConnectTimeout,
        Outcome::Silent,
        Outcome::Stalled,
        Outcome::Reset,
        Outcome::Malformed,
        Outcome::TooLarge,
    ] {
        assert_eq!(asked(Depth::Auto, &failing(outcome)), [OWN], "{outcome}");
    }
    for outcome in [Outcome::Malformed, Outcome::TooLarge, Outcome::Reset, Outcome::Stalled] {
        assert_eq!(asked(Depth::Full, &failing(outcome)), [Asked::Rustls, OWN_FINISH], "{outcome}");
    }
}

#[test]
fn whoever_closes_at_once_is_asked_once_more_and_later() {
    let (asks, observations) = visit(&Policy::new(Depth::Auto), |_| failing(Outcome::Closed));
    let waits: Vec<(Asked, Duration)> = asks.iter().map(|ask| (ask.asked, ask.after)).collect();
    assert_eq!(waits, [(OWN, Duration::ZERO), (MODERN, CLOSED_WAIT)]);
    assert_eq!(observations[0].outcome, Outcome::Closed);
    let (asks, _) = visit(&Policy::new(Depth::Full), |_| failing(Outcome::Closed));
    assert_eq!((asks[1].asked, asks[1].after, asks.len()), (OWN_FINISH, CLOSED_WAIT, 2));
}

#[test]
fn every_name_is_asked_for_where_something_answered() {
    let names = ["a.example", "b.example"].map(|name| ServerName::new(name).unwrap());
    let policy = Policy { server_names: names.to_vec(), ..Policy::new(Depth::Auto) };
    let (asks, observations) = visit(&policy, |ask| match &ask.server_name {
        None => failing(alert(112)),
        Some(name) if *name == names[0] => {
            Server { matches: true, ..showing(b"hidden", "1.2", "TLS_RSA_WITH_AES_128_CBC_SHA") }
        }
        Some(_) => showing(b"default", "1.3", "TLS_AES_128_GCM_SHA256"),
    });
    let asked: Vec<_> = asks
        .iter()
        .map(|ask| (ask.asked, ask.server_name.as_ref().map(ServerName::as_str)))
        .collect();
    assert_eq!(
        asked,
        [
            (OWN, None),
            (OWN, Some("a.example")),
            (OWN_FINISH, Some("a.example")),
            (OWN, Some("b.example"))
        ]
    );
    let told: Vec<_> = observations
        .iter()
        .map(|seen| (seen.server_name.as_ref().map(ServerName::as_str), seen.matches.len()))
        .collect();
    assert_eq!(told, [(None, 0), (Some("a.example"), 1), (Some("b.example"), 0)]);
    for outcome in [Outcome::Refused, Outcome::ConnectTimeout, Outcome::Silent] {
        let (asks, observations) = visit(&policy, |_| failing(outcome));
        assert_eq!((asks.len(), observations.len()), (1, 1), "{outcome}");
    }
}

#[test]
fn all_leaves_of_a_server_are_found() {
    let policy = Policy { all_leaves: true, ..Policy::new(Depth::Auto) };
    let (asks, observations) = visit(&policy, |ask| match ask.asked {
        Asked::Own(Hello::Rsa, _) => Server {
            key: Some("RSA-2048"),
            matches: true,
            ..showing(b"rsa", "1.2", "TLS_RSA_WITH_AES_128_CBC_SHA")
        },
        Asked::Own(Hello::Eddsa, _) => failing(alert(40)),
        _ => Server { key: Some("P-256"), ..showing(b"ecdsa", "1.3", "TLS_AES_128_GCM_SHA256") },
    });
    let asked: Vec<&str> = asks.iter().map(|ask| ask.asked.offer()).collect();
    assert_eq!(asked, ["universal", "rsa-finish", "eddsa-finish"], "to the end at once");
    let leaves: Vec<_> = observations
        .iter()
        .map(|seen| {
            (seen.leaf.as_ref().unwrap().der.as_slice(), seen.is_other_leaf, seen.matches.len())
        })
        .collect();
    assert_eq!(leaves, [(&b"ecdsa"[..], false, 0), (b"rsa", true, 1)]);
    assert_eq!(observations[0].attempts.len(), 3);
}

#[test]
fn a_visit_that_is_broken_off_tells_leaves_and_nothing_of_offers_that_are_still_due() {
    let auto = Policy::new(Depth::Auto);
    assert!(!Visiting::new(&auto).has_begun());
    assert_eq!(Visiting::new(&auto).break_off(&auto), (None, Vec::new()));
    let names = vec![ServerName::new("a.example").unwrap()];
    let named = Policy { server_names: names, ..auto.clone() };
    let all = Policy { all_leaves: true, ..auto.clone() };
    let leaf = showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256");
    let matching = Server { matches: true, ..leaf.clone() };
    let asking = Policy { confirm_softether: true, ..auto.clone() };
    for (policy, server, leaves, counts) in [
        (&auto, &matching, 1, true),
        (&asking, &matching, 1, false),
        (&named, &matching, 1, false),
        (&all, &leaf, 1, false),
        (&auto, &failing(Outcome::Closed), 0, false),
        (&auto, &failing(alert(40)), 0, false),
    ] {
        let mut visiting = Visiting::new(policy);
        let seen = server.answer(&visiting.ask);
        let Stand::Again(told) = visiting.take(seen, policy) else {
            unreachable!("there is more to ask")
        };
        assert!(visiting.has_begun() && told.is_empty());
        let (summary, told) = visiting.break_off(policy);
        assert_eq!((told.len(), summary.is_some()), (leaves, counts), "{:?}", server.outcome);
    }
}

#[test]
fn the_connection_that_proved_most_is_told_and_all_are_listed() {
    let ask = |asked| Ask { asked, server_name: None, after: Duration::ZERO, request: None };
    let by = |asked, leaf, proof| {
        Server { proof, ..showing(leaf, "1.3", asked) }.answer(&ask(match asked {
            "rustls" => Asked::Rustls,
            _ => OWN,
        }))
    };
    let suite = |seen: &Observation| seen.tls.as_ref().unwrap().cipher_suite.clone();
    let unproven = Err(Unproven::NoSignature);
    for (first, second, told) in [
        (Ok(true), Ok(true), "rustls"),
        (Ok(true), Ok(false), "own"),
        (Ok(true), unproven, "own"),
        (unproven, Ok(false), "rustls"),
        (Ok(false), unproven, "own"),
        (unproven, unproven, "rustls"),
    ] {
        let (both, other) = merged(by("own", b"leaf", first), by("rustls", b"leaf", second));
        assert_eq!((&*suite(&both), other), (told, None), "{first:?} {second:?}");
        assert_eq!(both.attempts.len(), 2);
    }
    let (told, other) = merged(by("own", b"leaf", unproven), by("rustls", b"other", Ok(true)));
    assert_eq!(told.leaf.as_ref().unwrap().der, b"leaf");
    assert_eq!(told.evidence.key_proven, None, "evidence is of the leaf in the same connection");
    let other = other.unwrap();
    assert!(other.is_other_leaf && other.evidence.key_proven == Some(true));
    let (reached, _) =
        merged(failing(alert(40)).answer(&ask(OWN)), by("rustls", b"leaf", Ok(true)));
    assert_eq!((reached.outcome, reached.leaf.is_some()), (Outcome::Certificate, true));
}

/// The attempts of a visit that may greet: each connection, and whether it carried the request.
fn greeted(depth: Depth, serve: impl Fn(&Ask) -> Server) -> (Vec<(Asked, bool)>, Vec<Observation>) {
    let policy = Policy { confirm_softether: true, ..Policy::new(depth) };
    let (asks, observations) = visit(&policy, serve);
    let target = Target::new("127.0.0.1".parse().unwrap(), 443);
    let requests = asks.iter().filter_map(|ask| ask.request);
    assert!(requests.into_iter().all(|request| request == Request::Softether(target)));
    (asks.iter().map(|ask| (ask.asked, ask.request.is_some())).collect(), observations)
}

#[test]
fn what_looks_like_softether_is_greeted_once_by_whoever_can() {
    for (version, suite, by) in [
        ("1.3", "TLS_AES_128_GCM_SHA256", Asked::Rustls),
        ("1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", OWN_FINISH),
    ] {
        let plain = showing(b"leaf", version, suite);
        let default = Server { softether_default: true, ..plain.clone() };
        let matching = Server { matches: true, ..plain.clone() };
        for depth in [Depth::Auto, Depth::Leaf] {
            assert_eq!(greeted(depth, |_| plain.clone()).0, [(OWN, false)]);
            for server in [&default, &matching] {
                // Where the match is confirmed as well, one connection does for both.
                let (asks, observations) = greeted(depth, |_| server.clone());
                assert_eq!(asks, [(OWN, false), (by, true)]);
                let [seen] = &observations[..] else { panic!("{observations:?}") };
                assert_eq!(seen.softether_server.as_ref().unwrap().product, "SoftEther");
                assert!(seen.evidence.handshake_finished);
                let sent: Vec<bool> =
                    seen.attempts.iter().map(|attempt| attempt.request.is_some()).collect();
                assert_eq!(sent, [false, true]);
            }
        }
        let full = greeted(Depth::Full, |_| default.clone()).0;
        assert_eq!(full, [(Asked::Rustls, false), (by, true)]);
    }
}

#[test]
fn nobody_is_greeted_unless_that_was_asked_for() {
    let server = Server {
        matches: true,
        softether_default: true,
        ..showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256")
    };
    for depth in [Depth::Auto, Depth::Leaf, Depth::Full] {
        let (asks, observations) = visit(&Policy::new(depth), |_| server.clone());
        assert!(asks.iter().all(|ask| ask.request.is_none()));
        assert_eq!(observations[0].softether_server, None);
    }
}

#[test]
fn if_rustls_cannot_carry_the_request_our_own_client_does() {
    let default =
        Server { softether_default: true, ..showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256") };
    let serve = |ask: &Ask| match ask.asked {
        Asked::Rustls => failing(alert(40)),
        _ => default.clone(),
    };
    let asks = greeted(Depth::Auto, serve).0;
    assert_eq!(asks, [(OWN, false), (Asked::Rustls, true), (OWN_FINISH, true)]);
    // What has failed before is not tried with a request.
    let asks = greeted(Depth::Full, serve).0;
    assert_eq!(asks, [(Asked::Rustls, false), (OWN_FINISH, false), (OWN_FINISH, true)]);
    let nobody = |ask: &Ask| match ask.asked {
        OWN => Server { matches: true, ..default.clone() },
        _ => failing(Outcome::Reset),
    };
    let (asks, observations) = greeted(Depth::Auto, nobody);
    assert_eq!(asks, [(OWN, false), (Asked::Rustls, true), (OWN_FINISH, true)]);
    assert_eq!(observations[0].softether_server, None);
    assert!(observations[0].attempts.iter().all(|attempt| attempt.request.is_none()));
}

#[test]
fn an_endpoint_is_greeted_once_and_not_for_every_name() {
    let policy = Policy {
        server_names: ["a.example", "b.example"].map(|name| ServerName::new(name).unwrap()).into(),
        all_leaves: true,
        confirm_softether: true,
        ..Policy::new(Depth::Auto)
    };
    let (asks, observations) = visit(&policy, |ask| Server {
        softether_default: ask.server_name.is_some(),
        key: Some("RSA-2048"),
        ..showing(b"leaf", "1.3", "TLS_AES_128_GCM_SHA256")
    });
    let greeted: Vec<_> = asks
        .iter()
        .filter(|ask| ask.request.is_some())
        .map(|ask| ask.server_name.as_ref().map(ServerName::as_str))
        .collect();
    assert_eq!(greeted, [Some("a.example")]);
    let told: Vec<bool> = observations.iter().map(|seen| seen.softether_server.is_some()).collect();
    assert_eq!(told, [false, true, false]);
}

/// The answer is the endpoint's, whichever leaf came with it.
#[test]
fn an_answer_that_came_with_another_leaf_is_kept() {
    let (_, observations) = greeted(Depth::Auto, |ask| Server {
        softether_default: true,
        ..showing(
            if ask.request.is_some() { b"other" } else { b"leaf" },
            "1.3",
            "TLS_AES_128_GCM_SHA256",
        )
    });
    let told: Vec<_> = observations
        .iter()
        .map(|seen| (seen.is_other_leaf, seen.softether_server.is_some()))
        .collect();
    assert_eq!(told, [(false, true), (true, false)]);
}
