//! The live view: a bar on a terminal, plain lines elsewhere.

use std::fmt::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::terminal;
use crate::domain::indicator::{Indicator, Tier};
use crate::domain::observation::Observation;
use crate::domain::scan::Counts;
use crate::domain::text::{defang_name, defang_target, escape, grouped, shortened};

/// How often a plain line is printed where there is no bar.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

const TEMPLATE: &str = "[{elapsed_precise}] {bar:24} {percent:>3}% {rate}/s eta {eta} {msg}";

/// How a sweep is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// By a bar on a terminal, and by a line now and then elsewhere.
    Live,
    /// By a line for each event, which begins with this name.
    Events(String),
}

/// Shows how far a sweep is, and each match as it is found.
pub(super) struct Progress {
    bar: ProgressBar,
    live: bool,
    view: View,
    started: Instant,
    last_line: Instant,
    first_position: u64,
}

impl Progress {
    /// A view of a sweep over `positions`, of which `covered` are done.
    pub(super) fn new(positions: u64, covered: u64, view: View) -> Self {
        let live = view == View::Live && terminal::is_live();
        let target = if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(positions), target)
            .with_style(style())
            .with_position(covered);
        bar.reset_eta();
        let now = Instant::now();
        Self { bar, live, view, started: now, last_line: now, first_position: covered }
    }

    /// Shows that `covered` positions are done, with `counts`.
    pub(super) fn advance(&mut self, covered: u64, counts: &Counts) {
        self.bar.set_message(summary(counts));
        self.bar.set_position(covered);
        if !self.live && self.view == View::Live && self.last_line.elapsed() >= PLAIN_EVERY {
            self.last_line = Instant::now();
            self.plain_line(covered, counts);
        }
    }

    fn plain_line(&self, covered: u64, counts: &Counts) {
        let positions = self.bar.length().unwrap_or(covered).max(1);
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = (covered - self.first_position) as f64 / seconds;
        terminal::note(&format!(
            "{}% {}/{} targets, {rate:.0}/s, {}",
            covered * 100 / positions,
            grouped(covered.into()),
            grouped(positions.into()),
            summary(counts)
        ));
    }

    /// Prints a line for each match of `observation`, above the bar. A template alone is no news.
    pub(super) fn matched(&self, observation: &Observation) {
        for found in observation.matches.iter().filter(|found| found.tier != Tier::E) {
            let label = found.label.as_deref().map(|label| escape(&defang_name(label)));
            let indicator = match &found.indicator {
                Indicator::Leaf(_) | Indicator::Key(_) => {
                    shortened(&found.indicator.to_string(), 14)
                }
                other => escape(&defang_name(&other.to_string())),
            };
            let line = format!(
                "{} {}  {}  {}  {}  {}  {}",
                if found.tier.is_certain() { "MATCH" } else { "GUESS" },
                found.tier.letter(),
                defang_target(observation.target),
                observation.evidence.word(),
                label.as_deref().unwrap_or("-"),
                indicator,
                escape(&found.set),
            );
            self.line(&line);
        }
    }

    /// Prints `line` above the bar.
    pub(super) fn line(&self, line: &str) {
        match &self.view {
            View::Live => self.bar.suspend(|| terminal::note(line)),
            View::Events(name) => terminal::note(&format!("{name}: {line}")),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(TEMPLATE)
        .map(|style| {
            style.progress_chars("=> ").with_key(
                "rate",
                |state: &ProgressState, out: &mut dyn Write| {
                    let _ = write!(out, "{:.0}", state.per_sec());
                },
            )
        })
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// `1,204 certificate, 77 refused, 3 matches`: the four most frequent outcomes.
fn summary(counts: &Counts) -> String {
    let mut outcomes: Vec<_> = counts.outcomes().collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut parts: Vec<String> = outcomes
        .iter()
        .take(4)
        .map(|(word, count)| format!("{} {word}", grouped((*count).into())))
        .collect();
    parts.push(format!("{} matched", grouped(counts.of_tiers(Tier::is_certain).into())));
    let guessed = counts.of_tiers(|tier| !tier.is_certain());
    if guessed > 0 {
        parts.push(format!("{} guessed", grouped(guessed.into())));
    }
    parts.join(", ")
}
