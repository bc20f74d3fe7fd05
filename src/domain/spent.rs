//! Where the time of a sweep goes, and which setting would save most of it.

use std::time::Duration;

use super::plan::Tempo;
use super::text::grouped;

/// What kept a sweep from going faster, each with the time that it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Working: nothing was waited for.
    pub busy: Duration,
    /// As many connections as may be were open, and none had news.
    pub full: Duration,
    /// A rate had no permit.
    pub rate: Duration,
    /// Everything was begun, and the last answers were outstanding.
    pub last: Duration,
    /// The results could not be taken as fast as they came.
    pub results: Duration,
    /// This machine was short of something.
    pub shortage: Duration,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For a connection to end, with as many open as may be.
    Full,
    /// For a permit.
    Rate,
    /// For the last answers.
    Last,
    /// For somebody to take results.
    Results,
    /// For this machine to have something again.
    Shortage,
}

impl Spent {
    /// Adds `time` that was spent waiting for `wait`.
    pub fn add(&mut self, wait: Wait, time: Duration) {
        *match wait {
            Wait::Full => &mut self.full,
            Wait::Rate => &mut self.rate,
            Wait::Last => &mut self.last,
            Wait::Results => &mut self.results,
            Wait::Shortage => &mut self.shortage,
        } += time;
    }

    /// All of it.
    pub fn total(&self) -> Duration {
        self.busy + self.full + self.rate + self.last + self.results + self.shortage
    }

    /// Adds what another loop of the same sweep spent.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            busy: self.busy + other.busy,
            full: self.full + other.full,
            rate: self.rate + other.rate,
            last: self.last + other.last,
            results: self.results + other.results,
            shortage: self.shortage + other.shortage,
        }
    }

    /// One line that says where the time went, and the setting that would help where one would; `None` if too
    /// little time passed to say. `is_lowered` is whether this machine allows no more connections than
    /// there were.
    pub fn told(&self, tempo: &Tempo, is_lowered: bool) -> Option<String> {
        let parts = [
            (self.full, "waiting with all connections open", full(tempo, is_lowered)),
            (self.rate, "waiting for the rate", rate(tempo)),
            (self.last, "waiting for the last answers", last(tempo)),
            (self.results, "waiting for results to be written", Some(SLOW_RESULTS.to_owned())),
            (self.shortage, "short of local resources", Some(SHORT.to_owned())),
            (self.busy, "working", None),
        ];
        let total = self.total();
        if total < Duration::from_secs(1) {
            return None;
        }
        let share = |time: Duration| (100.0 * time.as_secs_f64() / total.as_secs_f64()).round();
        let mut parts: Vec<_> =
            parts.into_iter().filter(|(time, ..)| share(*time) >= 1.0).collect();
        parts.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
        let told: Vec<String> =
            parts.iter().map(|(time, what, _)| format!("{} % {what}", share(*time))).collect();
        let advice = parts.into_iter().next().and_then(|(.., advice)| advice);
        let advice = advice.map_or(String::new(), |advice| format!("; {advice}"));
        Some(format!("time: {}{advice}", told.join(", ")))
    }
}

const SLOW_RESULTS: &str = "a faster disk for --store and --output would help";
const SHORT: &str = "other programs hold what is missing; close some or lower --concurrency";

fn full(tempo: &Tempo, is_lowered: bool) -> Option<String> {
    if is_lowered {
        let open = grouped(tempo.concurrency as u128);
        return Some(format!(
            "this machine allows {open} at once; more file descriptors (ulimit -n) or memory would help"
        ));
    }
    let more = grouped(tempo.concurrency.saturating_mul(4) as u128);
    Some(format!("a higher --concurrency would help, such as {}", more.replace(',', "")))
}

fn rate(tempo: &Tempo) -> Option<String> {
    match (tempo.rate, tempo.rate_per_prefix) {
        (None, None) => None,
        (Some(_), None) => Some("a higher --rate would help, if the scope permits one".to_owned()),
        (None, Some(_)) => Some("only a higher rate per prefix would help".to_owned()),
        (Some(_), Some(_)) => Some(
            "a higher --rate or rate per prefix would help, if the scope permits it".to_owned(),
        ),
    }
}

fn last(tempo: &Tempo) -> Option<String> {
    let seconds = tempo.connect_timeout.as_secs_f64();
    (seconds > 1.0).then(|| format!("a --timeout below {seconds} s would help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_longest_wait_is_told_first_with_what_would_help() {
        let mut spent = Spent { busy: SECOND, ..Spent::default() };
        spent.add(Wait::Full, 6 * SECOND);
        spent.add(Wait::Last, 3 * SECOND);
        assert_eq!(
            spent.told(&Tempo::default(), false).unwrap(),
            "time: 60 % waiting with all connections open, 30 % waiting for the last answers, \
             10 % working; a higher --concurrency would help, such as 4000"
        );
        let told = spent.told(&Tempo { concurrency: 30, ..Tempo::default() }, true).unwrap();
        let advice = "; this machine allows 30 at once; more file descriptors (ulimit -n) or memory would help";
        assert!(told.ends_with(advice), "{told}");
        spent.add(Wait::Rate, 90 * SECOND);
        let tempo = Tempo { rate: Some(500.0), ..Tempo::default() };
        let told = spent.told(&tempo, false).unwrap();
        assert!(told.starts_with("time: 90 % waiting for the rate, 6 % "), "{told}");
        assert!(told.ends_with("; a higher --rate would help, if the scope permits one"), "{told}");
    }

    #[test]
    fn little_time_is_not_worth_a_word_and_work_needs_no_advice() {
        let spent = Spent { busy: SECOND / 2, ..Spent::default() };
        assert_eq!(spent.told(&Tempo::default(), false), None);
        let both = spent.and(spent);
        assert_eq!(both.told(&Tempo::default(), false).unwrap(), "time: 100 % working");
    }
}
