//! Jobs: what `watch` runs, as the settings file names them in `[[job]]` tables.

use std::collections::BTreeSet;
use std::time::Duration;

use super::alert::Wanted;
use super::diagnostic::{Diagnostic, hint};
use super::document::{Document, Placed, Table};
use super::ladder::Depth;
use super::ports::PortSet;
use super::schedule::{
    self, JITTER_MAX, PERIOD_MAX, PERIOD_MIN, Pattern, Rhythm, Schedule, Timing, spelt,
};

/// Jobs in one file at most: each is a task, and may open connections beside all others.
pub const JOBS_MAX: usize = 100;

/// Characters of a name at most: it becomes part of a file's name.
const NAME_MAX: usize = 64;

/// Connections at once beyond which nothing is asked for.
const CONCURRENCY_MAX: u64 = 1_000_000_000;

/// Seconds that a connection is waited for at most.
const TIMEOUT_MAX: f64 = 3_600.0;

const KEYS: [&str; 17] = [
    "name",
    "scope",
    "ports",
    "targets",
    "indicators",
    "every",
    "cron",
    "jitter",
    "matches",
    "rate",
    "rate_per_prefix",
    "concurrency",
    "timeout",
    "handshake",
    "vantage",
    "alert",
    "alert_on",
];

/// One job. Paths are as written; whoever opens them says what they are relative to.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The scope file, read anew at each run.
    pub scope: String,
    /// Ports, ranges and lists instead of the scope's.
    pub ports: Option<Vec<String>>,
    /// A target list that narrows the scope.
    pub targets: Option<String>,
    /// Indicator set files besides those of all scans.
    pub indicators: Vec<String>,
    /// Its name, and when it does what.
    pub rhythm: Rhythm,
    /// Connections per second, whole run.
    pub rate: Option<f64>,
    /// Connections per second to one /24 or /48.
    pub rate_per_prefix: Option<f64>,
    /// Connections open at once.
    pub concurrency: Option<usize>,
    /// Seconds to wait for a connection at most, and for the handshake.
    pub timeout: Option<f64>,
    /// How far handshakes go.
    pub handshake: Option<Depth>,
    /// A name for where this machine looks from.
    pub vantage: Option<String>,
    /// The names of the alerts that are sent; `None`: all that the file has.
    pub alerts: Option<Vec<String>>,
    /// Of which certificates they tell.
    pub alert_on: Wanted,
}

impl Job {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.rhythm.name
    }
}

/// The jobs of `settings`, the top level of a settings file; `alerts` are the names of its `[[alert]]` tables.
///
/// # Errors
/// A complaint about the first thing that is wrong.
pub fn read(settings: &mut Table<'_>, alerts: &[&str]) -> Result<Vec<Job>, Diagnostic> {
    let tables = settings.tables("job", &KEYS)?;
    if let Some(table) = tables.get(JOBS_MAX) {
        return Err(table.complain(format!("more than {JOBS_MAX} jobs; use a second file")));
    }
    let (mut jobs, mut names) = (Vec::with_capacity(tables.len()), BTreeSet::new());
    for mut table in tables {
        let name = name(&mut table)?;
        if !names.insert(name.value.clone()) {
            let message =
                format!("there is a job '{}' already; names are for one each", name.value);
            return Err(table.document().complain(name.span.start, message));
        }
        let job = job(&mut table, name.value, alerts)?;
        table.finish()?;
        jobs.push(job);
    }
    Ok(jobs)
}

fn job(table: &mut Table<'_>, name: String, alerts: &[&str]) -> Result<Job, Diagnostic> {
    let document = table.document();
    let scope = table.required_text("scope")?.value;
    let schedule = schedule(table)?;
    let matches = matches(table)?;
    Ok(Job {
        scope,
        ports: ports(table)?,
        targets: table.text("targets")?.map(|path| path.value),
        indicators: values(table.items("indicators")?.unwrap_or_default()),
        rhythm: Rhythm { name, schedule, matches },
        rate: table.rate("rate")?,
        rate_per_prefix: table.rate("rate_per_prefix")?,
        concurrency: whole(table, "concurrency", CONCURRENCY_MAX)?
            .and_then(|count| usize::try_from(count).ok()),
        timeout: timeout(table)?,
        handshake: choice(document, table.text("handshake")?, &HANDSHAKES)?,
        vantage: table.text("vantage")?.map(|name| name.value),
        alerts: channels(table, alerts)?,
        alert_on: choice(document, table.text("alert_on")?, &Wanted::WORDS)?.unwrap_or_default(),
    })
}

const HANDSHAKES: [(&str, Depth); 3] =
    [("auto", Depth::Auto), ("full", Depth::Full), ("leaf", Depth::Leaf)];

fn values(items: Vec<Placed<String>>) -> Vec<String> {
    items.into_iter().map(|item| item.value).collect()
}

fn name(table: &mut Table<'_>) -> Result<Placed<String>, Diagnostic> {
    let name = table.required_text("name")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = name.value.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && name.value.len() <= NAME_MAX && name.value.chars().all(is_plain) {
        return Ok(name);
    }
    let message = format!(
        "'name' must be at most {NAME_MAX} letters, digits, hyphens, underscores and dots, and start with a \
         letter or digit"
    );
    Err(table.document().complain(name.span.start, message))
}

fn schedule(table: &mut Table<'_>) -> Result<Schedule, Diagnostic> {
    let document = table.document();
    let every = period(table, "every")?;
    let cron = table.text("cron")?;
    let jitter = table.text("jitter")?;
    let timing = match (&every, cron) {
        (Some(_), Some(cron)) => {
            let message = "'cron' beside 'every': one of them says when the job runs";
            return Err(document.complain(cron.span.start, message));
        }
        (_, Some(cron)) => Timing::Cron(Pattern::read(&cron.value).map_err(|why| {
            let message = format!("'cron' {why}; expected five fields such as \"30 2 * * *\"");
            document.complain(cron.span.start, message)
        })?),
        (every, None) => Timing::Every(every.unwrap_or(Duration::from_secs(86_400))),
    };
    let Some(jitter) = jitter else { return Ok(Schedule { timing, jitter: Duration::ZERO }) };
    let most = match &timing {
        Timing::Every(period) => JITTER_MAX.min(*period),
        Timing::Cron(_) => JITTER_MAX,
    };
    match schedule::duration(&jitter.value).filter(|jitter| *jitter <= most) {
        Some(jitter) => Ok(Schedule { timing, jitter }),
        None => {
            let most = spelt(most);
            let message = format!("'jitter' must be a time of at most {most}, such as \"10m\"");
            Err(document.complain(jitter.span.start, message))
        }
    }
}

fn period(table: &mut Table<'_>, key: &str) -> Result<Option<Duration>, Diagnostic> {
    let Some(text) = table.text(key)? else { return Ok(None) };
    let fits = |period: &Duration| (PERIOD_MIN..=PERIOD_MAX).contains(period);
    match schedule::duration(&text.value).filter(fits) {
        Some(period) => Ok(Some(period)),
        None => {
            let message =
                format!("'{key}' must be a time from 1m to 366d, such as \"24h\" or \"1h 30m\"");
            Err(table.document().complain(text.span.start, message))
        }
    }
}

/// How often known matches are visited; never, if the job says so.
fn matches(table: &mut Table<'_>) -> Result<Option<Duration>, Diagnostic> {
    let Some(text) = table.text("matches")? else { return Ok(Some(Duration::from_secs(3_600))) };
    let fits = |period: &Duration| (PERIOD_MIN..=PERIOD_MAX).contains(period);
    match (text.value.as_str(), schedule::duration(&text.value).filter(fits)) {
        ("never", _) => Ok(None),
        (_, Some(period)) => Ok(Some(period)),
        (_, None) => {
            let message = "'matches' must be a time from 1m to 366d, such as \"1h\", or \"never\"";
            Err(table.document().complain(text.span.start, message))
        }
    }
}

fn ports(table: &mut Table<'_>) -> Result<Option<Vec<String>>, Diagnostic> {
    let Some(items) = table.items("ports")? else { return Ok(None) };
    for item in &items {
        PortSet::read([item.value.as_str()])
            .map_err(|error| table.document().complain(item.span.start, error.to_string()))?;
    }
    if items.is_empty() {
        return Err(table.complain("'ports' is empty; leave it out for the scope's"));
    }
    Ok(Some(values(items)))
}

fn whole(table: &mut Table<'_>, key: &str, most: u64) -> Result<Option<u64>, Diagnostic> {
    match table.whole_number(key)? {
        Some(number) if !(1..=most).contains(&number.value) => {
            let message = format!("'{key}' must be a whole number from 1 to {most}");
            Err(table.document().complain(number.span.start, message))
        }
        number => Ok(number.map(|number| number.value)),
    }
}

fn timeout(table: &mut Table<'_>) -> Result<Option<f64>, Diagnostic> {
    match table.positive_number("timeout")? {
        Some(seconds) if seconds.value > TIMEOUT_MAX => {
            let message = "'timeout' must be more than 0 and at most 3600 seconds";
            Err(table.document().complain(seconds.span.start, message))
        }
        seconds => Ok(seconds.map(|seconds| seconds.value)),
    }
}

fn choice<T: Copy>(
    document: Document<'_>,
    word: Option<Placed<String>>,
    known: &[(&str, T)],
) -> Result<Option<T>, Diagnostic> {
    let Some(word) = word else { return Ok(None) };
    match known.iter().find(|(name, _)| *name == word.value) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let value = word.value.escape_debug();
            let message = format!("unknown value '{value}'; known: {}", names.join(", "));
            Err(document.complain(word.span.start, message))
        }
    }
}

fn channels(table: &mut Table<'_>, known: &[&str]) -> Result<Option<Vec<String>>, Diagnostic> {
    let Some(names) = table.items("alert")? else { return Ok(None) };
    if let Some(name) = names.iter().find(|name| !known.contains(&name.value.as_str())) {
        let hint = if known.is_empty() { String::new() } else { hint(&name.value, known) };
        let message = format!("no [[alert]] is named '{}'{hint}", name.value.escape_debug());
        return Err(table.document().complain(name.span.start, message));
    }
    Ok(Some(values(names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(text: &str) -> Result<Vec<Job>, String> {
        let document = Document { file: "c.toml", text };
        let mut table = document.table(&["job"]).unwrap();
        read(&mut table, &["soc", "log"]).map_err(|error| error.to_string())
    }

    /// What is said of a job with `line` as its fourth line.
    fn wrong(line: &str) -> String {
        let text = format!("[[job]]\nname = \"a\"\nscope = \"a.toml\"\n{line}\n");
        let message = jobs(&text).unwrap_err();
        message.strip_prefix("c.toml:4:").unwrap_or(&message).to_owned()
    }

    #[test]
    fn a_job_says_what_it_must_and_the_rest_has_defaults() {
        let jobs = jobs("[[job]]\nname = \"nightly\"\nscope = \"acme.toml\"\n").unwrap();
        let [job] = jobs.as_slice() else { panic!("{jobs:?}") };
        assert_eq!((job.name(), job.scope.as_str()), ("nightly", "acme.toml"));
        assert_eq!(job.rhythm.schedule.to_string(), "every 24h");
        assert_eq!(job.rhythm.matches, Some(Duration::from_secs(3_600)));
        assert_eq!((job.alert_on, &job.alerts), (Wanted::Match, &None));
        assert_eq!((&job.ports, job.rate, job.handshake), (&None, None, None));
    }

    #[test]
    fn a_job_may_say_everything() {
        let text = r#"
            [[job]]
            name = "a"
            scope = "a.toml"
            ports = ["softether", 8443]
            targets = "open.txt"
            indicators = ["case-4471.toml"]
            cron = "30 2 * * *"
            jitter = "10m"
            matches = "never"
            rate = 200
            rate_per_prefix = 2.5
            concurrency = 10
            timeout = 3
            handshake = "full"
            vantage = "east"
            alert = ["soc"]
            alert_on = "all"
            [[job]]
            name = "b"
            scope = "b.toml"
            every = "6h"
            matches = "30m"
        "#;
        let jobs = jobs(text).unwrap();
        let schedules = jobs.iter().map(|job| job.rhythm.schedule.to_string());
        let schedules: Vec<String> = schedules.collect();
        assert_eq!(schedules, ["30 2 * * * (UTC), at most 10m later", "every 6h"]);
        let job = &jobs[0];
        assert_eq!(job.ports.as_deref().unwrap(), ["softether", "8443"]);
        assert_eq!((job.rhythm.matches, job.rate_per_prefix), (None, Some(2.5)));
        assert_eq!((job.handshake, job.concurrency), (Some(Depth::Full), Some(10)));
        assert_eq!(job.alert_on, Wanted::All);
        assert_eq!(job.alerts.as_deref().unwrap(), ["soc"]);
        assert_eq!(jobs[1].rhythm.matches, Some(Duration::from_secs(1_800)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (line, told) in [
            (
                "every = \"30s\"",
                "9: 'every' must be a time from 1m to 366d, such as \"24h\" or \"1h 30m\"",
            ),
            ("every = 24", "9: 'every' is an integer, expected a text in quotes"),
            (
                "matches = \"no\"",
                "11: 'matches' must be a time from 1m to 366d, such as \"1h\", or \"never\"",
            ),
            ("jitter = \"25h\"", "10: 'jitter' must be a time of at most 24h, such as \"10m\""),
            (
                "every = \"5m\"\njitter = \"6m\"",
                "c.toml:5:10: 'jitter' must be a time of at most 5m, such as \"10m\"",
            ),
            ("ports = [\"70000\"]", "10: port 70000 is too large; ports go from 1 to 65535"),
            ("timeout = 4000", "11: 'timeout' must be more than 0 and at most 3600 seconds"),
            ("handshake = \"half\"", "13: unknown value 'half'; known: auto, full, leaf"),
            ("alert = [\"sock\"]", "10: no [[alert]] is named 'sock'; did you mean 'soc'?"),
            ("evry = \"24h\"", "1: unknown key 'evry'; did you mean 'every'?"),
        ] {
            assert_eq!(wrong(line), told, "{line}");
        }
        let cron = wrong("cron = \"0 0 30 2 *\"");
        assert_eq!(
            cron,
            "8: 'cron' fits no day of any year; expected five fields such as \"30 2 * * *\""
        );
        assert!(wrong("every = \"24h\"\ncron = \"@daily\"").contains("'cron' beside 'every'"));
        assert!(
            wrong("[[job]]\nname = \"a\"\nscope = \"b\"").contains("there is a job 'a' already")
        );
        for name in ["", "-a", "a/b", "../a", &"a".repeat(65)] {
            let text = format!("[[job]]\nname = \"{name}\"\nscope = \"a\"\n");
            assert!(jobs(&text).unwrap_err().starts_with("c.toml:2:8: 'name' "), "{name}");
        }
        assert_eq!(jobs("[[job]]\nname = \"a\"\n").unwrap_err(), "c.toml:1:1: 'scope' is missing");
        let many: String =
            (0..101).map(|n| format!("[[job]]\nname = \"n{n}\"\nscope = \"s\"\n")).collect();
        assert!(jobs(&many).unwrap_err().ends_with("more than 100 jobs; use a second file"));
    }
}
