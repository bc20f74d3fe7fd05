//! `watch --status`: what each job did, and when it runs next.

use serde_json::{Value, json};

use super::{Watch, read_only};
use crate::cli::args::StatusFormat;
use crate::cli::exit::{Exit, Failure};
use crate::cli::terminal;
use crate::domain::job::Job;
use crate::domain::schedule::{Ended, Remembered, State};
use crate::domain::text::{escape, grouped};
use crate::domain::time::Timestamp;
use crate::store::{ChannelStatus, Ledger};

/// One job, as the ledger knows it.
struct Line<'a> {
    job: &'a Job,
    remembered: Option<Remembered>,
    /// Whether a process has it.
    is_held: bool,
    /// Matches and guesses of the last whole run.
    found: Option<(u64, u64)>,
}

/// Prints what there is to say of the jobs of `watch`.
pub(super) fn run(
    watch: &Watch,
    format: Option<StatusFormat>,
    now: Timestamp,
) -> Result<Exit, Failure> {
    let ledger = read_only(&watch.store)?;
    let lines = watch.jobs.iter().map(|job| Line::read(job, ledger.as_ref(), now));
    let lines: Vec<Line<'_>> = lines.collect::<Result<_, _>>()?;
    let channels = ledger.as_ref().map(Ledger::channels).transpose()?.unwrap_or_default();
    let text = match format.unwrap_or(StatusFormat::Human) {
        StatusFormat::Human => format!("{}{}", table(&lines, now), alerts(&channels)),
        StatusFormat::Jsonl => {
            let jobs = lines.iter().map(|line| line.record(now));
            let records = jobs.chain(channels.iter().map(record));
            records.map(|record| format!("{record}\n")).collect()
        }
    };
    terminal::print(&text).map(|()| Exit::Done)
}

impl<'a> Line<'a> {
    fn read(job: &'a Job, ledger: Option<&Ledger>, now: Timestamp) -> Result<Self, Failure> {
        let mut line = Self { job, remembered: None, is_held: false, found: None };
        let Some(ledger) = ledger else { return Ok(line) };
        line.is_held = ledger.job_is_held(job.name());
        line.remembered = ledger.job(job.name())?;
        if let Some(remembered) = &mut line.remembered {
            remembered.settle(&job.rhythm.schedule, now);
            if let Some(scan) = &remembered.scan {
                let findings = ledger.findings(scan, 0)?;
                line.found = Some((findings.total - findings.guesses, findings.guesses));
            }
        }
        Ok(line)
    }

    /// What it does now.
    fn state(&self) -> &'static str {
        let state = self.remembered.as_ref().map(|remembered| remembered.state);
        match (state.unwrap_or_default(), self.is_held) {
            (State::Idle, true) => "waiting",
            (State::Idle, false) => "not watched",
            (State::Whole, true) => "sweeping",
            (State::Matches, true) => "visiting known matches",
            (State::Whole | State::Matches, false) => "cut short",
        }
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let new = Remembered::new(now);
        self.job.rhythm.next_start(self.remembered.as_ref().unwrap_or(&new))
    }

    fn record(&self, now: Timestamp) -> Value {
        let last = self.remembered.as_ref();
        json!({
            "type": "job",
            "schema": 1,
            "name": self.job.name(),
            "runs": self.job.rhythm.schedule.to_string(),
            "state": self.state(),
            "started": last.and_then(|last| last.started),
            "ended": last.and_then(|last| last.ended),
            "result": last.and_then(|last| last.end).map(Ended::word),
            "why": last.and_then(|last| last.why.as_deref()),
            "scan": last.and_then(|last| last.scan.as_deref()),
            "matches": self.found.map(|(matches, _)| matches),
            "guesses": self.found.map(|(_, guesses)| guesses),
            "known_matches_visited": last.and_then(|last| last.matches_started),
            "next_run": self.next(now),
            "next_known_matches": last.and_then(|last| self.job.rhythm.next_matches(last)),
        })
    }
}

fn record(channel: &ChannelStatus) -> Value {
    json!({
        "type": "alert",
        "schema": 1,
        "name": channel.channel,
        "waiting": channel.waiting,
        "delivered": channel.delivered,
        "given_up": channel.given_up,
        "next_attempt": channel.next_attempt,
        "last_error": channel.last_error,
    })
}

/// How each channel does, if any ever had something to tell.
fn alerts(channels: &[ChannelStatus]) -> String {
    if channels.is_empty() {
        return String::new();
    }
    let mut table = terminal::table();
    table.set_header(["alert", "waiting", "delivered", "given up", "next attempt", "last error"]);
    for channel in channels {
        table.add_row([
            escape(&channel.channel),
            grouped(channel.waiting.into()),
            grouped(channel.delivered.into()),
            grouped(channel.given_up.into()),
            channel.next_attempt.map_or("-".to_owned(), |at| at.to_string()),
            channel.last_error.as_deref().map_or("-".to_owned(), escape),
        ]);
    }
    format!("\n{table}\n")
}

fn table(lines: &[Line<'_>], now: Timestamp) -> String {
    let mut table = terminal::table();
    table.set_header(["job", "runs", "state", "last run", "ended", "found", "next run"]);
    for line in lines {
        let last = line.remembered.as_ref();
        let time = |moment: Option<Timestamp>| moment.map_or("-".to_owned(), |m| m.to_string());
        let next = match line.next(now) {
            Some(start) if start <= now => "due".to_owned(),
            start => time(start),
        };
        let found = line.found.map_or("-".to_owned(), |(matches, guesses)| {
            format!("{} matched, {} guessed", grouped(matches.into()), grouped(guesses.into()))
        });
        let ended = last.and_then(|last| last.end).map(Ended::word);
        table.add_row([
            line.job.name().to_owned(),
            line.job.rhythm.schedule.to_string(),
            line.state().to_owned(),
            time(last.and_then(|last| last.started)),
            ended.map_or("-".to_owned(), |word| {
                format!("{} {word}", time(last.and_then(|last| last.ended)))
            }),
            found,
            next,
        ]);
    }
    let mut text = format!("{table}\n");
    for line in lines {
        let last = line.remembered.as_ref().filter(|last| last.end != Some(Ended::Complete));
        if let Some(why) = last.and_then(|last| last.why.as_ref()) {
            text.push_str(&format!("{}: {}\n", line.job.name(), escape(why)));
        }
    }
    text
}
