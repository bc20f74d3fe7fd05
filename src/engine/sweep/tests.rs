//! The sweep without a socket: shortages, faults, broken-off visits, courtesy.

use std::iter;

use super::*;
use crate::domain::coverage::Coverage;
use crate::domain::ladder::{Depth, tests::set_a_trap};
use crate::domain::observation::TlsFacts;
use crate::domain::outcome::Outcome;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::recogniser::Recogniser;
use crate::domain::scan::Shard;
use crate::domain::scope;
use crate::domain::time::Timestamp;
use crate::domain::tls::{ServerName, Verdict};
use crate::domain::visit::Visit;

/// 64 addresses on one port, eight at once.
fn sweep(extra: &str, policy: Policy) -> Sweep {
    let text = format!("name = \"lo\"\ninclude = [\"127.0.0.0/26\"]\nports = [443]\n{extra}");
    let scope = scope::read("lo.toml", &text).unwrap();
    let tempo = Tempo { rate: scope.rate, concurrency: 8, ..Tempo::default() };
    let ports = scope.ports.clone();
    let plan = Arc::new(Plan::new(scope, ports, None, (3, Shard::WHOLE), tempo).unwrap());
    Sweep::new(Dispatch::new(plan, Coverage::default()), Arc::new(policy), 1, Cap::new(8))
}

fn start(sweep: &mut Sweep, now: Moment) -> Due {
    let Next::Start(ticket) = sweep.next(now) else { panic!("nothing to start at {now:?}") };
    sweep.begin(ticket, now)
}

fn shortage() -> io::Error {
    io::Error::from_raw_os_error(24) // EMFILE
}

/// What the attempt that is due sees if it ends with `verdict`.
fn seen(sweep: &Sweep, due: &Due, verdict: Verdict) -> Observation {
    let first = Visiting::new(&sweep.policy);
    let ask = due.visiting.as_ref().map_or(&first.ask, |visiting| &visiting.ask);
    let visit = Visit {
        time: Timestamp::default(),
        target: due.ticket.target,
        began: Moment::ZERO,
        connected: None,
        ask,
    };
    visit.observation(verdict, &mut Recogniser::new(Arc::default()))
}

#[test]
fn a_shortage_lowers_the_cap_says_so_and_blames_nobody() {
    let mut sweep = sweep("", Policy::new(Depth::Auto));
    let [one, two, three] = [0; 3].map(|_| start(&mut sweep, Moment::ZERO));
    let first = one.ticket;
    sweep.short(one, shortage(), Moment::ZERO);
    assert_eq!(sweep.dispatch.concurrency(), 2);
    let told = sweep.take_told();
    let [Event::Slowed { reason, concurrency: 2 }] = &told[..] else { panic!("{told:?}") };
    assert!(reason.contains("Too many open files"), "{reason}");
    sweep.short(two, shortage(), Moment::ZERO);
    assert_eq!(sweep.told_len(), 0, "said twice");
    let seen = seen(&sweep, &three, Verdict::without_leaf(Outcome::Refused));
    sweep.seen(three, seen, Moment::ZERO);
    assert_eq!(sweep.next(Moment::ZERO), Next::Start(first));
}

#[test]
fn a_shortage_that_lasts_ends_the_run_after_ten_seconds() {
    let mut sweep = sweep("", Policy::new(Depth::Auto));
    let mut now = Moment::ZERO;
    while !sweep.has_ended() {
        match sweep.next(now) {
            Next::Start(ticket) => {
                let due = sweep.begin(ticket, now);
                sweep.short(due, shortage(), now);
            }
            Next::Wait(until) => {
                assert!(sweep.is_short(now));
                now = until;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(now.as_secs(), 10);
    assert!(matches!(sweep.take_end(), Some(RunEnd::Starved(_))));
}

#[test]
fn a_thousand_faults_end_the_run() {
    let mut sweep = sweep("", Policy::new(Depth::Auto));
    for number in 1..=FAULTS_MAX {
        let ticket = Ticket { position: 0, ..start_ticket() };
        let fault = Fault {
            time: Timestamp::default(),
            position: ticket.position,
            target: ticket.target,
            message: "told to".to_owned(),
        };
        sweep.fault(Due { ticket, visiting: None }, fault);
        assert_eq!(sweep.has_ended(), number == FAULTS_MAX);
    }
    assert!(matches!(sweep.take_end(), Some(RunEnd::Broken)));
}

fn start_ticket() -> Ticket {
    start(&mut sweep("", Policy::new(Depth::Auto)), Moment::ZERO).ticket
}

/// A leaf is news whatever was to follow; a refusal is none while another offer is due.
#[test]
fn a_visit_that_is_broken_off_tells_its_leaf_and_claims_no_absence() {
    for (verdict, all_leaves, told) in
        [(Verdict::without_leaf(Outcome::Closed), false, None), (leaf(), true, Some(false))]
    {
        let policy = Policy { all_leaves, ..Policy::new(Depth::Auto) };
        let mut sweep = sweep("", policy);
        let due = start(&mut sweep, Moment::ZERO);
        let seen = seen(&sweep, &due, verdict);
        sweep.seen(due, seen, Moment::ZERO);
        assert_eq!((sweep.visits.len(), sweep.told_len()), (1, 0));
        sweep.tell_what_is_left(iter::empty());
        let event = sweep.take_told().pop().map(|event| match event {
            Event::Observed { summary, .. } => summary.is_some(),
            other => panic!("{other:?}"),
        });
        assert_eq!(event, told);
    }
}

fn leaf() -> Verdict {
    Verdict { certificates: vec![vec![7]], ..Verdict::without_leaf(Outcome::Certificate) }
}

/// A sweep that asks for every kind of key, and its visit of a target that has shown a leaf.
fn with_a_leaf() -> (Sweep, Due) {
    let policy = Policy { all_leaves: true, ..Policy::new(Depth::Auto) };
    let mut sweep = sweep("", policy);
    let due = start(&mut sweep, Moment::ZERO);
    let (ticket, seen) = (due.ticket, seen(&sweep, &due, leaf()));
    sweep.seen(due, seen, Moment::ZERO);
    assert_eq!(sweep.next(Moment::ZERO), Next::Start(ticket));
    let due = sweep.begin(ticket, Moment::ZERO);
    (sweep, due)
}

/// How many leaves the events tell of.
fn leaves(told: &[Event]) -> usize {
    let observations = told.iter().map(|event| match event {
        Event::Observed { observations, .. } => observations.as_slice(),
        _ => &[],
    });
    observations.flatten().filter(|seen| seen.leaf.is_some()).count()
}

#[test]
fn a_panic_between_two_attempts_costs_no_leaf_that_was_seen() {
    let (mut sweep, due) = with_a_leaf();
    let ticket = due.ticket;
    let seen = seen(&sweep, &due, Verdict::without_leaf(Outcome::Reset));
    set_a_trap();
    let taken = catch_unwind(AssertUnwindSafe(|| sweep.seen(due, seen, Moment::ZERO)));
    assert!(taken.is_err(), "the trap was not sprung");
    let Ticket { position, target } = ticket;
    let (time, message) = (Timestamp::default(), "told to".to_owned());
    sweep.fault(Due { ticket, visiting: None }, Fault { time, position, target, message });
    assert_eq!(leaves(&sweep.take_told()), 1);
    assert_eq!((sweep.visits.len(), sweep.in_flight()), (0, 0));
}

#[test]
fn what_is_open_when_a_run_breaks_tells_what_it_had_seen() {
    let (mut sweep, due) = with_a_leaf();
    sweep.tell_what_is_left(iter::once(due));
    assert_eq!(leaves(&sweep.take_told()), 1);
}

/// A host that was left forty times with a handshake that had begun is asked to finish the next one.
#[test]
fn handshakes_are_completed_where_too_many_were_abandoned() {
    let server_names =
        (0..100).map(|number| ServerName::new(&format!("n{number}.example")).unwrap()).collect();
    let mut sweep = sweep("", Policy { server_names, ..Policy::new(Depth::Auto) });
    let mut due = start(&mut sweep, Moment::ZERO);
    let ticket = due.ticket;
    for _ in 0..40 {
        assert!(due.visiting.is_none_or(|visiting| visiting.ask.asked.offer() == "universal"));
        due = Due { ticket, visiting: None };
        let mut seen = seen(&sweep, &due, Verdict::without_leaf(Outcome::Stalled));
        seen.tls =
            Some(TlsFacts { version: "1.2", cipher_suite: "TLS_RSA_WITH_RC4_128_SHA".into() });
        sweep.seen(due, seen, Moment::ZERO);
        due = sweep.begin(ticket, Moment::ZERO);
    }
    assert_eq!(due.visiting.unwrap().ask.asked.offer(), "universal-finish");
}

/// A loop that gets nothing waits for as long as another one has something open.
#[test]
fn one_loop_without_anything_ends_no_run_that_goes_on() {
    let cap = Cap::new(16);
    let of = |cap: &Cap| Sweep { cap: cap.clone(), ..sweep("", Policy::new(Depth::Auto)) };
    let (mut busy, mut poor) = (of(&cap), of(&cap));
    let _due = start(&mut busy, Moment::ZERO);
    busy.tell_open();
    let mut now = Moment::ZERO;
    for _ in 0..3 * SHORTAGES_MAX {
        match poor.next(now) {
            Next::Start(ticket) => {
                let due = poor.begin(ticket, now);
                poor.short(due, shortage(), now);
            }
            Next::Wait(until) => now = until,
            other => panic!("{other:?}"),
        }
    }
    assert!(!poor.has_ended());
}

/// However often a shortage comes and half goes, what is told is the sum of what loops may have.
#[test]
fn the_cap_of_all_is_never_less_than_what_they_have() {
    let cap = Cap::new(16);
    let mut sweep = Sweep { cap: cap.clone(), ..sweep("", Policy::new(Depth::Auto)) };
    for _ in 0..5 {
        let mut dues = Vec::new();
        while dues.len() < 3
            && let Next::Start(ticket) = sweep.next(Moment::ZERO)
        {
            dues.push(sweep.begin(ticket, Moment::ZERO));
        }
        for due in dues {
            sweep.short(due, shortage(), Moment::ZERO);
            sweep.paused_until = Moment::ZERO;
            let told = cap.now.load(Ordering::Relaxed);
            assert_eq!(told, 8 + sweep.known.0);
        }
    }
}
