//! Whole runs in simulated time.

use std::time::Duration;

use super::*;
use crate::domain::plan::Tempo;
use crate::domain::ports::PortSet;
use crate::domain::scan::Shard;
use crate::domain::scope;

fn plan(include: &str, exclude: &str, tempo: Tempo) -> Arc<Plan> {
    let text = format!(
        "name = \"lo\"\ninclude = [\"{include}\"]\nexclude = [{exclude}]\nports = [\"softether\"]\n"
    );
    let scope = scope::read("lo.toml", &text).unwrap();
    let ports = PortSet::read(["softether"]).unwrap();
    Arc::new(Plan::new(scope, ports, None, (7, Shard::WHOLE), tempo).unwrap())
}

fn free() -> Tempo {
    Tempo { concurrency: 64, ..Tempo::default() }
}

/// A run in simulated time: each probe takes `10 + position % 7` milliseconds.
struct Simulation {
    dispatch: Dispatch,
    now: Moment,
    open: Vec<(Moment, Ticket)>,
    started: Vec<(Moment, Ticket)>,
    covered: Coverage,
    most_open: usize,
}

impl Simulation {
    fn new(plan: Arc<Plan>, covered: Coverage) -> Self {
        Self {
            dispatch: Dispatch::new(plan, covered.clone()),
            now: Moment::ZERO,
            open: Vec::new(),
            started: Vec::new(),
            covered,
            most_open: 0,
        }
    }

    fn end_earliest(&mut self) {
        let at = (0..self.open.len()).min_by_key(|at| self.open[*at].0).expect("a probe is open");
        let (moment, ticket) = self.open.swap_remove(at);
        self.now = self.now.max(moment);
        assert!(self.covered.insert(ticket.position), "{ticket:?} ended twice");
        self.dispatch.finished(ticket);
    }

    fn start(&mut self, ticket: Ticket) {
        let host = ticket.target.address;
        assert!(self.open.iter().all(|(_, open)| open.target.address != host), "{host} is busy");
        let takes = Duration::from_millis(10 + ticket.position % 7);
        self.open.push((self.now + takes, ticket));
        self.started.push((self.now, ticket));
        self.most_open = self.most_open.max(self.open.len());
    }

    /// Runs to the end, or until `starts` probes have started; then lets the open ones end.
    fn run(&mut self, starts: usize) {
        while self.started.len() < starts {
            match self.dispatch.next(self.now) {
                Next::Start(ticket) => self.start(ticket),
                Next::Skip { first, last } => {
                    for position in first..=last {
                        assert!(self.covered.insert(position));
                    }
                }
                Next::Wait(until) => {
                    assert!(until > self.now);
                    match self.open.iter().map(|(at, _)| *at).min() {
                        Some(at) if at < until => self.end_earliest(),
                        _ => self.now = until,
                    }
                }
                Next::Full => self.end_earliest(),
                Next::Done => break,
            }
        }
        while !self.open.is_empty() {
            self.end_earliest();
        }
    }
}

#[test]
fn every_target_starts_once_and_no_host_is_probed_twice_at_once() {
    for concurrency in [1, 2, 64, 5_000] {
        let plan = plan("127.0.0.0/24", "", Tempo { concurrency, ..Tempo::default() });
        let mut run = Simulation::new(Arc::clone(&plan), Coverage::default());
        run.run(usize::MAX);
        assert_eq!(run.started.len(), 1024);
        let targets: HashSet<Target> =
            run.started.iter().map(|(_, ticket)| ticket.target).collect();
        assert_eq!(targets.len(), 1024);
        assert_eq!(run.covered.ranges().collect::<Vec<_>>(), [(0, 1023)]);
        assert!(run.most_open <= concurrency.min(256));
        assert_eq!(run.dispatch.next(run.now), Next::Done);
    }
}

#[test]
fn what_is_excluded_is_covered_and_never_started() {
    let plan = plan("127.0.0.0/23", "\"127.0.0.0/25\", \"127.0.1.7\"", free());
    let mut run = Simulation::new(Arc::clone(&plan), Coverage::default());
    run.run(usize::MAX);
    assert_eq!(run.started.len() as u128, plan.target_count());
    assert!(run.started.iter().all(|(_, ticket)| plan.admits(ticket.target)));
    assert_eq!(run.covered.len(), plan.order.len());
}

#[test]
fn interrupted_anywhere_the_two_parts_are_the_whole() {
    let plan = plan("127.0.0.0/26", "\"127.0.0.9\"", Tempo { concurrency: 16, ..Tempo::default() });
    for cut in [0, 1, 2, 17, 100, 251, 252] {
        let mut first = Simulation::new(Arc::clone(&plan), Coverage::default());
        first.run(cut);
        let mut second = Simulation::new(Arc::clone(&plan), first.covered.clone());
        second.run(usize::MAX);
        let mut all: Vec<u64> = first
            .started
            .iter()
            .chain(&second.started)
            .map(|(_, ticket)| ticket.position)
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(first.started.len() + second.started.len(), all.len(), "{cut}");
        assert_eq!(all.len() as u128, plan.target_count(), "{cut}");
        assert_eq!(second.covered.len(), plan.order.len());
    }
}

#[test]
fn the_global_rate_and_the_rate_of_each_prefix_hold() {
    let tempo = Tempo { rate: Some(40.0), rate_per_prefix: Some(5.0), ..free() };
    let plan = plan("127.0.0.0/20", "", tempo);
    let mut run = Simulation::new(plan, Coverage::default());
    run.run(2_000);
    let seconds = run.started.last().map(|(at, _)| at.as_secs_f64()).unwrap_or_default();
    assert!((2_000.0 / 40.0 - seconds).abs() < 1.0, "{seconds}");
    let mut last: HashMap<Prefix, Moment> = HashMap::new();
    for (at, ticket) in &run.started {
        if let Some(before) = last.insert(ticket.target.prefix(), *at) {
            // The permit was taken when the target was held, before the global one came.
            let apart = *at - before;
            assert!(apart >= Duration::from_millis(150), "{apart:?}");
        }
    }
}

#[test]
fn a_single_slow_prefix_is_walked_at_its_rate() {
    let plan = plan("127.0.0.0/28", "", Tempo { rate_per_prefix: Some(5.0), ..free() });
    let mut run = Simulation::new(plan, Coverage::default());
    run.run(usize::MAX);
    assert_eq!(run.started.len(), 64);
    assert_eq!(run.started[63].0, Duration::from_millis(63 * 200));
}

#[test]
fn a_stuck_probe_bounds_how_far_the_run_goes_ahead() {
    let plan = plan("127.0.0.0/16", "", free());
    let mut dispatch = Dispatch::new(plan, Coverage::default());
    let Next::Start(stuck) = dispatch.next(Moment::ZERO) else { panic!("nothing to start") };
    assert_eq!(stuck.position, 0);
    let mut highest = 0;
    loop {
        match dispatch.next(Moment::ZERO) {
            Next::Start(ticket) => {
                highest = highest.max(ticket.position);
                dispatch.finished(ticket);
            }
            Next::Full => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(highest, WINDOW_MIN - 1);
    dispatch.finished(stuck);
    assert!(matches!(dispatch.next(Moment::ZERO), Next::Start(_)));
}

#[test]
fn what_a_local_shortage_returns_is_started_again() {
    let plan = plan("127.0.0.0/30", "", Tempo { concurrency: 2, ..Tempo::default() });
    let mut dispatch = Dispatch::new(plan, Coverage::default());
    let mut started = HashMap::new();
    loop {
        match dispatch.next(Moment::ZERO) {
            Next::Start(ticket) => {
                let count = started.entry(ticket.position).or_insert(0);
                *count += 1;
                if *count == 1 {
                    dispatch.returned(ticket, Moment::ZERO)
                } else {
                    let _ = dispatch.finished(ticket);
                }
            }
            Next::Done => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(started.len(), 16);
    assert!(started.values().all(|count| *count == 2));
}

#[test]
fn what_is_to_be_probed_again_waits_for_its_moment_and_goes_before_the_rest_of_its_prefix() {
    let tempo = Tempo { rate_per_prefix: Some(1.0), ..Tempo::default() };
    let mut dispatch = Dispatch::new(plan("127.0.0.0/30", "", tempo), Coverage::default());
    let at = Duration::from_secs;
    let Next::Start(first) = dispatch.next(at(0)) else { panic!() };
    dispatch.returned(first, at(3));
    let mut started = Vec::new();
    for second in 1..=5 {
        let Next::Start(ticket) = dispatch.next(at(second)) else { panic!("{second}") };
        started.push(ticket);
        dispatch.finished(ticket);
    }
    let at_third = started.iter().position(|ticket| *ticket == first);
    assert_eq!(at_third, Some(2), "{started:?}");
}

#[test]
fn a_run_is_not_over_while_something_waits_for_its_moment() {
    let plan = plan("127.0.0.1/32", "", Tempo::default());
    let mut dispatch = Dispatch::new(plan, Coverage::default());
    let Next::Start(first) = dispatch.next(Moment::ZERO) else { panic!() };
    let mut rest = Vec::new();
    dispatch.returned(first, Duration::from_secs(5));
    loop {
        match dispatch.next(Moment::ZERO) {
            Next::Start(ticket) => {
                dispatch.finished(ticket);
                rest.push(ticket);
            }
            other => {
                assert_eq!(other, Next::Wait(Duration::from_secs(5)));
                break;
            }
        }
    }
    assert_eq!(rest.len(), 3);
    assert_eq!(dispatch.next(Duration::from_secs(5)), Next::Start(first));
}

#[test]
fn a_lowered_cap_recovers_by_one_for_as_many_probes_as_it_allows() {
    let plan = plan("127.0.0.0/24", "", Tempo { concurrency: 4, ..Tempo::default() });
    let mut dispatch = Dispatch::new(plan, Coverage::default());
    dispatch.lower_concurrency(0);
    let mut caps = Vec::new();
    while dispatch.concurrency() < 4 {
        caps.push(dispatch.concurrency());
        let Next::Start(ticket) = dispatch.next(Moment::ZERO) else { panic!("nothing to start") };
        assert_eq!(dispatch.finished(ticket), dispatch.concurrency() == 4);
    }
    assert_eq!(caps, [1, 2, 2, 3, 3, 3]);
}

/// A number below `bound`, and the next state.
fn chance(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*state >> 33) as usize % bound
}

/// Loops over the slices of a plan, asked in turns that chance deals out; loop 0 has few of them.
struct Loops {
    plan: Arc<Plan>,
    slices: Vec<Dispatch>,
    open: Vec<Vec<Ticket>>,
    now: Moment,
    started: Vec<(usize, Ticket)>,
    covered: Coverage,
    most_ranges: usize,
    most_ahead: u64,
}

impl Loops {
    fn new(plan: &Arc<Plan>, covered: &Coverage, loops: usize) -> Self {
        let slices = Dispatch::slices(Arc::clone(plan), covered.clone(), loops);
        Self {
            plan: Arc::clone(plan),
            open: vec![Vec::new(); slices.len()],
            slices,
            now: Moment::ZERO,
            started: Vec::new(),
            covered: covered.clone(),
            most_ranges: 0,
            most_ahead: 0,
        }
    }

    fn end_one(&mut self, at: usize, state: &mut u64) {
        if self.open[at].is_empty() {
            self.now += Duration::from_millis(1);
            return;
        }
        let ended = chance(state, self.open[at].len());
        let ticket = self.open[at].swap_remove(ended);
        assert!(self.covered.insert(ticket.position), "{ticket:?} ended twice");
        self.slices[at].finished(ticket);
    }

    fn start(&mut self, at: usize, ticket: Ticket) {
        self.open[at].push(ticket);
        self.started.push((at, ticket));
        let in_flight: usize = self.slices.iter().map(Dispatch::in_flight).sum();
        assert!(in_flight <= self.plan.tempo.concurrency);
        let oldest = self.open.iter().flatten().map(|open| open.position).min();
        self.most_ahead = self.most_ahead.max(ticket.position - oldest.unwrap_or_default());
        self.most_ranges = self.most_ranges.max(self.covered.ranges().len());
    }

    /// Runs until all are done, or `starts` probes have started; then lets the open ones end.
    fn run(&mut self, starts: usize, mut state: u64) {
        let mut done = vec![false; self.slices.len()];
        while done.contains(&false) && self.started.len() < starts {
            let at = chance(&mut state, self.slices.len());
            if at == 0 && chance(&mut state, 20) > 0 {
                continue;
            }
            match self.slices[at].next(self.now) {
                Next::Start(ticket) => self.start(at, ticket),
                Next::Skip { first, last } => {
                    for position in first..=last {
                        assert!(self.covered.insert(position), "{position} skipped twice");
                    }
                }
                Next::Wait(until) => {
                    assert!(until > self.now);
                    self.end_one(at, &mut state);
                }
                Next::Full => self.end_one(at, &mut state),
                Next::Done => done[at] = true,
            }
        }
        for at in 0..self.slices.len() {
            while !self.open[at].is_empty() {
                self.end_one(at, &mut state);
            }
        }
    }
}

#[test]
fn slices_hand_out_every_target_once_in_bounded_order() {
    let exclude = "\"127.0.1.0/24\", \"127.0.5.128/25\", \"127.0.32.0/20\"";
    let plan = plan("127.0.0.0/18", exclude, free());
    for loops in 1..=4 {
        let mut run = Loops::new(&plan, &Coverage::default(), loops);
        run.run(usize::MAX, loops as u64);
        let mut owner: HashMap<Prefix, usize> = HashMap::new();
        for (at, ticket) in &run.started {
            assert!(plan.admits(ticket.target));
            assert_eq!(plan.order.position(ticket.target), Some(ticket.position));
            assert_eq!(*owner.entry(ticket.target.prefix()).or_insert(*at), *at, "{ticket:?}");
        }
        let mut share = vec![0; loops];
        owner.values().for_each(|at| share[*at] += 1);
        assert!(share.iter().all(|prefixes| prefixes * loops * 2 > owner.len()), "{share:?}");
        assert_eq!(run.started.len() as u128, plan.target_count(), "{loops}");
        assert_eq!(run.covered.ranges().collect::<Vec<_>>(), [(0, plan.order.len() - 1)]);
        assert!(run.most_ahead < WINDOW_MIN, "{}", run.most_ahead);
        assert!(run.most_ranges as u64 <= WINDOW_MIN, "{}", run.most_ranges);
    }
}

#[test]
fn a_run_of_slices_is_resumed_with_any_other_number_of_them() {
    let plan = plan("127.0.0.0/20", "\"127.0.3.0/24\"", free());
    for (before, after, cut) in [(3, 1, 5_000), (1, 4, 7_000), (2, 3, 15_359), (4, 2, 1)] {
        let mut first = Loops::new(&plan, &Coverage::default(), before);
        first.run(cut, 9);
        let mut second = Loops::new(&plan, &first.covered, after);
        second.run(usize::MAX, 10);
        let started = first.started.len() + second.started.len();
        assert_eq!(started as u128, plan.target_count(), "{before} {after}");
        assert_eq!(second.covered.len(), plan.order.len());
    }
}

#[test]
fn slices_share_the_rate_and_split_the_cap() {
    for loops in 1..=4 {
        let plan = plan("127.0.0.0/16", "", Tempo { rate: Some(2_500.0), ..free() });
        let mut slices = Dispatch::slices(plan, Coverage::default(), loops);
        assert_eq!(slices.iter().map(Dispatch::concurrency).sum::<usize>(), 64);
        let (mut wakes, mut started) = (vec![Moment::ZERO; loops], 0);
        let end = Duration::from_secs(10);
        while let Some(at) = (0..loops).min_by_key(|at| wakes[*at])
            && wakes[at] < end
        {
            match slices[at].next(wakes[at]) {
                Next::Start(ticket) => {
                    started += 1;
                    slices[at].finished(ticket);
                }
                Next::Wait(until) => wakes[at] = until + Duration::from_micros(50 * at as u64),
                other => panic!("{other:?}"),
            }
        }
        assert!((24_500..=25_500).contains(&started), "{loops} {started}");
    }
    let narrow = plan("127.0.0.0/24", "", Tempo { concurrency: 2, ..free() });
    assert_eq!(Dispatch::slices(narrow, Coverage::default(), 8).len(), 2);
}
