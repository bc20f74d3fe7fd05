//! One history for each rule.

use super::*;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::scan::Shard;

/// Histories at a place, with the changes that they make where two visits make an absence.
const EXAMPLES: [(&str, &str, &[&str]); 19] = [
    ("seen and seen again", "a a a", &["1 new a"]),
    ("no answer is no absence", "a . . . . a", &["1 new a"]),
    ("once is not gone", "a - a", &["1 new a"]),
    ("twice is", "a - -", &["1 new a", "3 gone a"]),
    ("no answer does not end the row", "a - . -", &["1 new a", "4 gone a"]),
    ("nor is it told twice", "a - - - -", &["1 new a", "3 gone a"]),
    ("back after it was gone", "a - - a", &["1 new a", "3 gone a", "4 returned a"]),
    ("and gone again", "a - - a - -", &["1 new a", "3 gone a", "4 returned a", "6 gone a"]),
    ("another in its place", "a b b", &["1 new a", "2 new b", "3 rotated a>b"]),
    ("another, then none", "a b -", &["1 new a", "2 new b", "3 gone a"]),
    ("none, then another", "a - b", &["1 new a", "3 new b", "3 gone a"]),
    ("to and fro", "a b a b a b a b", &["1 new a", "2 new b"]),
    ("several at once", "ab ab ab", &["1 new a", "1 new b"]),
    ("several, one at a time", "ab a a a b a", &["1 new a", "1 new b"]),
    ("one of several goes for long", "ab ab a a a a", &["1 new a", "1 new b", "6 rotated b>a"]),
    (
        "back where its successor still is",
        "a a b b a",
        &["1 new a", "3 new b", "4 rotated a>b", "5 returned a"],
    ),
    (
        "from then on to and fro",
        "a a b b a b a b b a",
        &["1 new a", "3 new b", "4 rotated a>b", "5 returned a"],
    ),
    (
        "a leaf of its own for each visit",
        "a b c d e f g h i j k l m n o p q r s t",
        &[
            "1 new a", "2 new b", "3 new c", "4 new d", "5 new e", "6 new f", "7 new g", "8 new h",
            "9 new i", "10 new j", "11 new k", "12 new l", "13 new m", "14 new n", "15 new o",
            "16 new p", "17 new q", "18 new r", "19 new s", "20 new t",
        ],
    ),
    ("never there", "- . - -", &[]),
];

#[test]
fn every_rule_has_its_example() {
    for (name, text, expected) in EXAMPLES {
        assert_eq!(changes(text, 2).1, expected, "{name}: {text}");
    }
}

#[test]
fn how_many_visits_make_an_absence_can_be_chosen() {
    assert_eq!(changes("a - a", 1).1, ["1 new a", "2 gone a", "3 returned a"]);
    assert_eq!(changes("a - - a", 3).1, ["1 new a"]);
    assert_eq!(changes("a - - -", 3).1, ["1 new a", "4 gone a"]);
    assert_eq!((Rules::new(0), Rules::new(17)), (None, None));
}

#[test]
fn how_each_leaf_stands_is_told_at_any_time() {
    let standing = |text: &str| {
        let (state, _) = changes(text, 2);
        state.leaves().map(|(leaf, standing)| (leaf, standing.clone())).collect::<Vec<_>>()
    };
    assert_eq!(standing("a"), [('a', Standing::Present)]);
    assert_eq!(standing("a -"), [('a', Standing::Missing { visits: 1, instead: vec![] })]);
    assert_eq!(
        standing("a b"),
        [('a', Standing::Missing { visits: 1, instead: vec!['b'] }), ('b', Standing::Present)]
    );
    assert_eq!(
        standing("a b b"),
        [('a', Standing::RotatedAway { to: 'b' }), ('b', Standing::Present)]
    );
    assert_eq!(standing("a - -"), [('a', Standing::Gone)]);
    let (state, _) = changes("a b a", 2);
    assert!(state.is_multiple());
    assert_eq!(state.last_visit(), Some((Timestamp::from_seconds(3), true)));
    let (state, _) = changes("a .", 2);
    assert_eq!(state.last_visit(), Some((Timestamp::from_seconds(2), false)));
}

#[test]
fn what_was_not_looked_at_or_not_answered_is_never_gone() {
    let at = |text: &str, since: i64| {
        let (state, _) = changes(text, 2);
        status(&state, 'a', Timestamp::from_seconds(since)).map(|status| {
            let visits = if let Status::Missing(visits) = status { visits } else { 0 };
            (status.words(), visits)
        })
    };
    assert_eq!(at("a a", 2), Some(("present", 0)));
    assert_eq!(at("a a", 3), Some(("not tried", 0)));
    assert_eq!(at("a .", 2), Some(("unreachable", 0)));
    assert_eq!(at("a -", 2), Some(("missing", 1)));
    assert_eq!(at("a - .", 2), Some(("unreachable", 0)));
    assert_eq!(at("a - -", 2), Some(("told", 0)));
    assert_eq!(at("a b b", 2), Some(("told", 0)));
    assert_eq!(at("- b", 1), None);
}

/// A place is no longer one of several leaves once all but one are gone.
#[test]
fn a_place_of_several_leaves_may_become_one_of_one() {
    let (state, told) = changes("ab ab a a a a c c", 2);
    assert!(!state.is_multiple());
    assert_eq!(told, ["1 new a", "1 new b", "6 rotated b>a", "7 new c", "8 rotated a>c"]);
}

#[test]
fn what_was_known_elsewhere_before_the_round_has_moved() {
    let told = |elsewhere: Option<i64>| {
        let known = |_| elsewhere.map(Timestamp::from_seconds);
        let (_, changes) = fold(history("- a"), Rules::default(), known);
        changes.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(told(None), ["2 new a"]);
    assert_eq!(told(Some(1)), ["2 moved a"]);
    // In the same round, or later.
    assert_eq!(told(Some(2)), ["2 new a"]);
    assert_eq!(told(Some(3)), ["2 new a"]);
}

#[test]
fn only_answers_can_show_an_absence() {
    let seen = |word| Seen::<char>::of(word, vec![]);
    for word in ["refused", "closed", "not_tls", "alert", "malformed", "too_large"] {
        assert_eq!(seen(word), Seen::Otherwise, "{word}");
    }
    for word in ["connect_timeout", "unreachable", "silent", "stalled", "reset", "vanished"] {
        assert_eq!(seen(word), Seen::NoAnswer, "{word}");
    }
    assert_eq!(Seen::of("reset", vec!['b', 'a', 'b']), Seen::Leaves(vec!['a', 'b']));
}

#[test]
fn shards_of_one_plan_and_seed_are_one_round() {
    let head = |scan: i64, seed, shard: &str, started: i64| Head {
        scan,
        id: format!("scan-{scan}"),
        plan: Sha256Fingerprint([1; 32]),
        seed,
        shard: shard.parse::<Shard>().unwrap(),
        started: Timestamp::from_seconds(started),
    };
    let heads = vec![
        head(1, 7, "1/2", 10),
        head(2, 7, "2/2", 20),
        head(3, 7, "2/2", 40),
        head(4, 7, "1/2", 30),
        head(5, 8, "1/2", 15),
        head(6, 7, "1/1", 16),
    ];
    let mut began: Vec<_> =
        rounds(heads).into_iter().map(|(scan, began)| (scan, began.micros() / 1_000_000)).collect();
    began.sort_unstable();
    assert_eq!(began, [(1, 10), (2, 10), (3, 30), (4, 30), (5, 15), (6, 16)]);
}

#[test]
fn a_key_is_of_all_that_makes_a_transition_this_one() {
    let target = "192.0.2.1:443".parse::<std::net::SocketAddr>().unwrap();
    let target = crate::domain::address::Target::new(target.ip(), target.port());
    let leaf = Sha256Fingerprint([1; 32]);
    let subject = Subject { target, server_name: None, vantage: "default", leaf };
    let base = key(Kind::New, subject, None, "one");
    assert_eq!(base, key(Kind::New, subject, None, "one"));
    let others = [
        key(Kind::Moved, subject, None, "one"),
        key(Kind::New, subject, Some(leaf), "one"),
        key(Kind::New, subject, None, "two"),
        key(Kind::New, Subject { server_name: Some("a"), ..subject }, None, "one"),
        key(
            Kind::New,
            Subject { vantage: "defaul", server_name: Some("t"), ..subject },
            None,
            "one",
        ),
        key(Kind::New, Subject { leaf: Sha256Fingerprint([2; 32]), ..subject }, None, "one"),
    ];
    for (at, other) in others.iter().enumerate() {
        assert_ne!(base, *other, "{at}");
        assert!(others[..at].iter().all(|before| before != other), "{at}");
    }
    // Pinned: receivers of alerts know what they have had by it.
    assert_eq!(
        base.to_string(),
        "7f0584a32c5edc6aec5b7f44b688fd4ab44709c7d5b15ae0b94c5ada9be926eb"
    );
}
