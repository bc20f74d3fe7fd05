//! Schedules over days of simulated time: every start to the second.

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// 2026-11-24T00:00:00Z.
const T0: i64 = 1_795_478_400;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(T0).plus(Duration::from_secs(seconds))
}

fn rhythm(timing: Timing, jitter: u64, matches: Option<u64>) -> Rhythm {
    let schedule = Schedule { timing, jitter: Duration::from_secs(jitter) };
    Rhythm { name: "nightly".to_owned(), schedule, matches: matches.map(Duration::from_secs) }
}

fn every(seconds: u64) -> Timing {
    Timing::Every(Duration::from_secs(seconds))
}

fn cron(text: &str) -> Timing {
    Timing::Cron(Pattern::read(text).unwrap())
}

/// A job as it goes through time.
struct Course {
    rhythm: Rhythm,
    remembered: Remembered,
}

impl Course {
    fn new(rhythm: Rhythm) -> Self {
        Self { rhythm, remembered: Remembered::new(at(0)) }
    }

    /// Looks `now`, and runs at once what is due, which takes no time; what it was, if anything.
    fn look(&mut self, now: Timestamp) -> Option<Due> {
        self.remembered.settle(&self.rhythm.schedule, now);
        let due = self.rhythm.due(&self.remembered, now);
        match due {
            Due::Whole { slot } => self.remembered.begin(slot, now),
            Due::Matches => self.remembered.begin_matches(now),
            Due::Resume => {}
            Due::Later(moment) => {
                assert!(moment > now);
                return None;
            }
        }
        self.remembered.end(Ended::Complete, None, now);
        Some(due)
    }

    /// Looks every minute from `from` until `until`; the minutes in which whole runs began.
    fn whole_runs(&mut self, from: u64, until: u64) -> Vec<u64> {
        let minutes = from / MINUTE..until / MINUTE;
        let began =
            |minute: &u64| matches!(self.look(at(minute * MINUTE)), Some(Due::Whole { .. }));
        minutes.filter(began).collect()
    }
}

#[test]
fn the_first_run_is_at_once_and_the_others_are_on_its_grid() {
    let mut course = Course::new(rhythm(every(DAY), 0, None));
    assert_eq!(course.whole_runs(0, 4 * DAY), [0, 1_440, 2_880, 4_320]);
    let mut course = Course::new(rhythm(cron("30 2 * * *"), 0, None));
    assert_eq!(course.whole_runs(0, 3 * DAY), [150, 1_590, 3_030]);
}

#[test]
fn however_many_slots_were_missed_one_run_makes_up_for_them() {
    for timing in [every(DAY), cron("0 0 * * *")] {
        let mut course = Course::new(rhythm(timing, 0, None));
        assert_eq!(course.whole_runs(0, DAY), [0]);
        let after = 5 * DAY + 7 * HOUR;
        assert_eq!(course.whole_runs(after, 8 * DAY), [after / MINUTE, 6 * 1_440, 7 * 1_440]);
    }
}

#[test]
fn jitter_is_the_same_for_a_slot_and_stays_within_its_bound() {
    let schedule = rhythm(every(DAY), 600, None).schedule;
    let delays: Vec<Duration> = (0..1_000)
        .map(|day| {
            let slot = at(day * DAY);
            let start = schedule.start("nightly", slot);
            assert_eq!(start, schedule.start("nightly", slot));
            start.since(slot)
        })
        .collect();
    assert!(delays.iter().all(|delay| *delay <= Duration::from_secs(600)));
    let late = delays.iter().filter(|delay| **delay > Duration::from_secs(300)).count();
    assert!((400..600).contains(&late), "{late}");
    assert_ne!(schedule.start("nightly", at(0)), schedule.start("hourly", at(0)));
    let still = rhythm(every(DAY), 0, None).schedule;
    assert_eq!(still.start("nightly", at(5)), at(5));
}

#[test]
fn jitter_beyond_the_distance_of_slots_starves_nobody() {
    let mut course = Course::new(rhythm(cron("* * * * *"), 600, None));
    let runs = course.whole_runs(0, DAY);
    let longest = runs.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(runs.len() > 144 && longest <= 11, "{} runs, {longest} minutes", runs.len());
}

#[test]
fn a_missed_slot_is_not_caught_up_beside_one_whose_jitter_is_running() {
    let mut course = Course::new(rhythm(cron("30 2 * * *"), 600, None));
    let first = course.whole_runs(0, DAY);
    assert_eq!(first.len(), 1);
    // Back three days later, a moment after the slot of that day.
    let back = 3 * DAY + 2 * HOUR + 30 * MINUTE;
    let runs = course.whole_runs(back, back + DAY - HOUR);
    assert_eq!(runs, [back / MINUTE]);
}

#[test]
fn known_matches_are_visited_between_whole_runs() {
    let mut course = Course::new(rhythm(every(6 * HOUR), 0, Some(2 * HOUR)));
    let mut seen = Vec::new();
    for minute in 0..12 * 60 {
        match course.look(at(minute * MINUTE)) {
            Some(Due::Whole { .. }) => seen.push(format!("whole {}", minute / 60)),
            Some(Due::Matches) => seen.push(format!("matches {}", minute / 60)),
            _ => {}
        }
    }
    assert_eq!(seen, ["whole 0", "matches 2", "matches 4", "whole 6", "matches 8", "matches 10"]);
}

#[test]
fn a_clock_set_back_neither_repeats_nor_starves() {
    // By an hour: the slot that was served does not come again, and the next one does.
    let mut course = Course::new(rhythm(cron("30 2 * * *"), 0, None));
    assert_eq!(course.whole_runs(0, 3 * HOUR), [150]);
    assert_eq!(course.whole_runs(2 * HOUR, 2 * DAY), [1_590]);
    // By a year and more: a job of every day runs within a day.
    for timing in [every(DAY), cron("30 2 * * *")] {
        let mut course = Course::new(rhythm(timing, 0, Some(HOUR)));
        assert_eq!(course.whole_runs(400 * DAY, 400 * DAY + MINUTE).len(), 1);
        assert_eq!(course.whole_runs(DAY, DAY + HOUR), Vec::<u64>::new());
        let runs = course.whole_runs(DAY + HOUR, 4 * DAY + HOUR);
        assert_eq!(runs.len(), 3, "{runs:?}");
    }
    // Matches count from now too.
    let mut course = Course::new(rhythm(every(DAY), 0, Some(HOUR)));
    assert!(course.look(at(9 * DAY)).is_some());
    assert_eq!(course.look(at(HOUR)), None);
    assert_eq!(course.look(at(2 * HOUR - 1)), None);
    assert_eq!(course.look(at(2 * HOUR)), Some(Due::Matches));
}

#[test]
fn a_clock_set_forwards_is_one_missed_slot_and_no_more() {
    let mut course = Course::new(rhythm(every(DAY), 0, None));
    assert_eq!(course.whole_runs(0, HOUR), [0]);
    assert_eq!(
        course.whole_runs(100 * DAY + HOUR, 101 * DAY + HOUR),
        [100 * 1_440 + 60, 101 * 1_440]
    );
}

#[test]
fn what_was_cut_short_is_due_before_all_else() {
    let mut course = Course::new(rhythm(every(DAY), 0, Some(HOUR)));
    course.remembered.begin(at(0), at(0));
    course.remembered.end(Ended::Interrupted, None, at(60));
    assert_eq!(course.remembered.end, Some(Ended::Interrupted));
    assert_eq!(course.look(at(9 * DAY)), Some(Due::Resume));
    assert_eq!(course.look(at(9 * DAY)), Some(Due::Whole { slot: at(9 * DAY) }));
    course.remembered.begin_matches(at(9 * DAY + 60));
    assert_eq!(course.look(at(9 * DAY + 61)), Some(Due::Matches));
}

#[test]
fn words_are_read_back() {
    for state in [State::Idle, State::Matches, State::Whole] {
        assert_eq!(State::of_word(state.word()), Some(state));
    }
    let ends =
        [Ended::Complete, Ended::Incomplete, Ended::Refused, Ended::Failed, Ended::Interrupted];
    for end in ends {
        assert_eq!(Ended::of_word(end.word()), Some(end));
    }
    assert_eq!((State::of_word("x"), Ended::of_word("")), (None, None));
}

#[test]
fn durations_are_read_and_spelt() {
    for (text, seconds, spelling) in [
        ("24h", DAY, "24h"),
        ("1h 30m", 90 * MINUTE, "1h 30m"),
        ("90m", 90 * MINUTE, "1h 30m"),
        ("7d", 7 * DAY, "168h"),
        ("45s", 45, "45s"),
        ("0s", 0, "0s"),
    ] {
        let read = duration(text).unwrap();
        assert_eq!((read.as_secs(), spelt(read)), (seconds, spelling.to_owned()), "{text}");
    }
    for text in ["", "24", "-1h", "1 month", "0.5s", "h", "99999999999999999999h"] {
        assert_eq!(duration(text), None, "{text}");
    }
    let schedule = rhythm(cron("30 2 * * *"), 600, None).schedule;
    assert_eq!(schedule.to_string(), "30 2 * * * (UTC), at most 10m later");
    assert_eq!(rhythm(every(DAY), 0, None).schedule.to_string(), "every 24h");
}
