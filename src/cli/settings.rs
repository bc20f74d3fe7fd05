//! Settings and where each came from: flag, environment, file, scope, default.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::args::{Format, Handshake, LedgerArgs, ScanArgs};
use super::exit::Failure;
use super::{source, terminal};
use crate::domain::alert::{self, ChannelSettings, Wanted};
use crate::domain::document::{Document, Placed};
use crate::domain::job::{self, Job};
use crate::domain::ledger::Rules;
use crate::domain::pace::RATE_MIN;
use crate::domain::scope::Scope;
use crate::engine::limits;
use crate::store::{About, Ledger, StoreError};

/// The settings file that is read where there is one.
const FILE: &str = "certsweep.toml";

const KEYS: [&str; 13] = [
    "rate",
    "rate_per_prefix",
    "concurrency",
    "threads",
    "timeout",
    "store",
    "format",
    "handshake",
    "vantage",
    "indicators",
    "absent_after",
    "alert",
    "job",
];

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment,
    File(String),
    Scope,
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment => f.write_str("environment"),
            Self::File(file) => f.write_str(file),
            Self::Scope => f.write_str("scope"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Who gave the arguments of a scan.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    /// Somebody who typed them, or set the environment.
    Typed(&'a ArgMatches),
    /// The job of this name.
    Job(&'a str),
}

impl Given<'_> {
    /// Where the argument `id` came from, which was given.
    fn origin(self, id: &str) -> Origin {
        match self {
            Self::Job(name) => Origin::File(format!("job '{name}'")),
            Self::Typed(matches) => match matches.value_source(id) {
                Some(ValueSource::EnvVariable) => Origin::Environment,
                _ => Origin::Flag,
            },
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

impl<T> Setting<T> {
    pub(super) const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// What a settings file says.
#[derive(Debug, Default)]
pub(super) struct File {
    name: String,
    rate: Option<f64>,
    rate_per_prefix: Option<f64>,
    concurrency: Option<usize>,
    threads: Option<usize>,
    timeout: Option<f64>,
    store: Option<PathBuf>,
    format: Option<Format>,
    handshake: Option<Handshake>,
    vantage: Option<String>,
    /// Indicator set files, besides those given as flags.
    pub(super) indicators: Vec<PathBuf>,
    /// When a certificate is called gone.
    pub(super) rules: Rules,
    /// What `watch` runs.
    pub(super) jobs: Vec<Job>,
    /// The channels that alerts go to.
    pub(super) alerts: Vec<ChannelSettings>,
}

impl File {
    /// Reads `named`, or `certsweep.toml` in the current directory if there is one.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let path = match named {
            Some(path) => path,
            None if Path::new(FILE).exists() => Path::new(FILE),
            None => return Ok(Self::default()),
        };
        let text = source::text(path, "settings")?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// The file's name as it was given; empty if there is none.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Of which certificates transitions are kept: of matches, unless a job wants to be told of all.
    pub(super) fn about(&self) -> About {
        match self.jobs.iter().any(|job| job.alert_on == Wanted::All) {
            true => About::Everything,
            false => About::Matches,
        }
    }

    /// The ledger: what was typed, or what the file says, or where it is if nobody says.
    pub(super) fn ledger(&self, typed: Option<&Path>) -> Result<PathBuf, Failure> {
        let named = typed.map(Path::to_owned).or_else(|| self.store.clone());
        named.map_or_else(default_store, Ok)
    }

    fn parse(file: &str, text: &str) -> Result<Self, Failure> {
        let document = Document { file, text };
        let mut table = document.table(&KEYS)?;
        let format = table.text("format")?.map(|word| choice(document, &word)).transpose()?;
        let handshake = table.text("handshake")?.map(|word| choice(document, &word)).transpose()?;
        let whole = |key: &str, number: Placed<f64>| match number.value {
            value if value.fract() == 0.0 && value < 1e9 => Ok(value as usize),
            _ => {
                Err(document.complain(number.span.start, format!("'{key}' must be a whole number")))
            }
        };
        let count = |key: &'static str, number: Option<Placed<f64>>| {
            number.map(|number| whole(key, number)).transpose()
        };
        let seconds = |number: Placed<f64>| match duration(number.value) {
            Some(_) => Ok(number.value),
            None => {
                Err(document.complain(number.span.start, format!("'timeout' {TIMEOUT_BOUNDS}")))
            }
        };
        let rules = match count("absent_after", table.positive_number("absent_after")?)? {
            None => Rules::default(),
            Some(visits) => u32::try_from(visits).ok().and_then(Rules::new).ok_or_else(|| {
                let most = Rules::ABSENT_AFTER_MAX;
                document.complain(0, format!("'absent_after' must be from 1 to {most} visits"))
            })?,
        };
        let alerts = alert::read(&mut table)?;
        let names: Vec<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
        let jobs = job::read(&mut table, &names)?;
        let settings = Self {
            name: file.to_owned(),
            rate: table.rate("rate")?,
            rate_per_prefix: table.rate("rate_per_prefix")?,
            concurrency: count("concurrency", table.positive_number("concurrency")?)?,
            threads: count("threads", table.positive_number("threads")?)?,
            timeout: table.positive_number("timeout")?.map(seconds).transpose()?,
            store: table.text("store")?.map(|path| path.value.into()),
            format,
            handshake,
            vantage: table.text("vantage")?.map(|name| name.value),
            indicators: table
                .items("indicators")?
                .unwrap_or_default()
                .into_iter()
                .map(|path| path.value.into())
                .collect(),
            rules,
            jobs,
            alerts,
        };
        table.finish()?;
        Ok(settings)
    }
}

/// The value that `word` names, as a flag would.
fn choice<T: clap::ValueEnum>(document: Document<'_>, word: &Placed<String>) -> Result<T, Failure> {
    T::from_str(&word.value, false).map_err(|_| {
        let known = T::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        let message = format!("unknown value '{}'; known: {}", word.value, known.join(", "));
        document.complain(word.span.start, message).into()
    })
}

/// Every setting of a scan.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rate: Setting<Option<f64>>,
    pub(super) rate_per_prefix: Setting<Option<f64>>,
    pub(super) concurrency: Setting<usize>,
    pub(super) threads: Setting<usize>,
    pub(super) timeout: Setting<Duration>,
    pub(super) store: Setting<PathBuf>,
    pub(super) format: Setting<Format>,
    pub(super) handshake: Setting<Handshake>,
    pub(super) vantage: Setting<String>,
    /// When a certificate is called gone, and of which ones it is kept.
    pub(super) news: (Rules, About),
}

impl Settings {
    /// Merges what was typed, the environment, `file`, `scope` and the defaults, in this order.
    pub(super) fn merge(
        args: &ScanArgs,
        given: Given<'_>,
        file: &File,
        scope: &Scope,
    ) -> Result<Self, Failure> {
        let layers = Layers { given, file: &file.name };
        let timeout = layers.pick("timeout", args.timeout, file.timeout, 5.0);
        let rates = [
            layers.rate("rate", args.rate, file.rate, scope.rate, scope.default_rate()),
            layers.rate(
                "rate_per_prefix",
                args.rate_per_prefix,
                file.rate_per_prefix,
                scope.rate_per_prefix,
                scope.default_rate_per_prefix(),
            ),
        ];
        for (flag, rate) in ["--rate", "--rate-per-prefix"].iter().zip(&rates) {
            if rate.value.is_some_and(|rate| !(rate.is_finite() && rate >= RATE_MIN)) {
                return Err(Failure::usage(format!(
                    "{flag} must be a number of connections per second, at least {RATE_MIN}"
                )));
            }
        }
        let [rate, rate_per_prefix] = rates;
        let concurrency = layers.pick("concurrency", args.concurrency, file.concurrency, 1_000);
        if concurrency.value == 0 {
            return Err(Failure::usage("--concurrency must be at least 1"));
        }
        let by_rate = limits::threads(rate.value);
        let threads = layers.pick("threads", args.threads, file.threads, by_rate);
        if !(1..=limits::THREADS_MAX).contains(&threads.value) {
            let most = limits::THREADS_MAX;
            return Err(Failure::usage(format!("--threads must be from 1 to {most}")));
        }
        let store = args.output.store.clone();
        Ok(Self {
            rate,
            rate_per_prefix,
            concurrency,
            threads,
            timeout: Setting::new(self::timeout(timeout.value)?, timeout.origin),
            store: match layers.picked("store", store, file.store.clone()) {
                Some(store) => store,
                None => Setting::new(default_store()?, Origin::Default),
            },
            format: layers.pick("format", args.output.format, file.format, Format::Human),
            handshake: layers.pick("handshake", args.handshake, file.handshake, Handshake::Auto),
            vantage: layers.pick(
                "vantage",
                args.vantage.clone(),
                file.vantage.clone(),
                "default".to_owned(),
            ),
            news: (file.rules, file.about()),
        })
    }
}

const TIMEOUT_BOUNDS: &str = "must be more than 0 and at most 3600 seconds";

/// A timeout of `seconds`, which came from a flag or the environment.
pub(super) fn timeout(seconds: f64) -> Result<Duration, Failure> {
    duration(seconds).ok_or_else(|| Failure::usage(format!("--timeout {TIMEOUT_BOUNDS}")))
}

fn duration(seconds: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero() && duration <= Duration::from_secs(3_600)).then_some(duration)
}

/// The ledger that is typed, or that the settings file names, or the default.
pub(super) fn store(args: &LedgerArgs) -> Result<PathBuf, Failure> {
    let file = File::read(args.config.as_deref())?;
    args.store.clone().or(file.store).map_or_else(default_store, Ok)
}

/// When a certificate is called gone, as the settings file says.
pub(super) fn rules(args: &LedgerArgs) -> Result<Rules, Failure> {
    Ok(File::read(args.config.as_deref())?.rules)
}

/// That ledger, to be read. One of an older schema is migrated first.
pub(super) fn ledger(args: &LedgerArgs) -> Result<Ledger, Failure> {
    let path = store(args)?;
    match Ledger::open_read_only(&path) {
        Err(StoreError::Older { found, known, .. }) => {
            let ledger = Ledger::open(&path)?;
            let path = path.display();
            terminal::note(&format!("{path} was migrated from schema {found} to {known}"));
            Ok(ledger)
        }
        opened => Ok(opened?),
    }
}

/// Where the ledger is if nobody says.
fn default_store() -> Result<PathBuf, Failure> {
    use etcetera::BaseStrategy;
    let base = etcetera::choose_base_strategy().map_err(|_| {
        Failure::usage("no home directory to keep the ledger in; say where with --store PATH")
    })?;
    Ok(base.data_dir().join("certsweep").join("ledger.db"))
}

/// Where the ports came from; a scope file's are the default where there is one.
pub(super) fn ports_origin(given: Given<'_>, args: &ScanArgs) -> Origin {
    match (&args.ports, &args.scope.scope) {
        (Some(_), _) => given.origin("ports"),
        (None, Some(_)) => Origin::Scope,
        (None, None) => Origin::Default,
    }
}

struct Layers<'a> {
    given: Given<'a>,
    file: &'a str,
}

impl Layers<'_> {
    fn picked<T>(&self, id: &str, typed: Option<T>, file: Option<T>) -> Option<Setting<T>> {
        match (typed, file) {
            (Some(value), _) => Some(Setting::new(value, self.given.origin(id))),
            (None, Some(value)) => Some(Setting::new(value, Origin::File(self.file.to_owned()))),
            (None, None) => None,
        }
    }

    fn pick<T>(&self, id: &str, typed: Option<T>, file: Option<T>, default: T) -> Setting<T> {
        self.picked(id, typed, file).unwrap_or(Setting::new(default, Origin::Default))
    }

    /// A rate; a scope's limit holds unless a flag or the environment asks for less, so that a file
    /// of general settings never stands in a scope's way.
    fn rate(
        &self,
        id: &str,
        typed: Option<f64>,
        file: Option<f64>,
        scope: Option<f64>,
        default: Option<f64>,
    ) -> Setting<Option<f64>> {
        let file = file.filter(|file| scope.is_none_or(|scope| *file <= scope));
        if let Some(Setting { value, origin }) = self.picked(id, typed, file) {
            return Setting::new(Some(value), origin);
        }
        let origin = if scope.is_some() { Origin::Scope } else { Origin::Default };
        Setting::new(default, origin)
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::domain::scope;

    fn merged(line: &str, file: &str, scope: &str) -> Settings {
        let matches = Cli::command().get_matches_from(line.split(' '));
        let Command::Scan(args) = Cli::from_arg_matches(&matches).unwrap().command else {
            panic!("not a scan")
        };
        let scope = format!("name = \"lo\"\ninclude = [\"127.0.0.0/24\"]\nports = [443]\n{scope}");
        let scope = scope::read("lo.toml", &scope).unwrap();
        let file = File::parse("certsweep.toml", file).unwrap();
        let given = Given::Typed(matches.subcommand().unwrap().1);
        Settings::merge(&args, given, &file, &scope).unwrap()
    }

    #[test]
    fn flag_beats_file_beats_scope_beats_default() {
        let settings =
            merged("certsweep scan --rate 7 --store x.db", "rate = 8\ntimeout = 2\n", "");
        assert_eq!(settings.rate, Setting::new(Some(7.0), Origin::Flag));
        let file = Origin::File("certsweep.toml".to_owned());
        assert_eq!(settings.timeout, Setting::new(Duration::from_secs(2), file.clone()));
        assert_eq!(settings.concurrency, Setting::new(1_000, Origin::Default));
        assert_eq!(settings.rate_per_prefix, Setting::new(None, Origin::Default));
        let settings = merged("certsweep scan --store x.db", "rate = 8\n", "rate = 9\n");
        assert_eq!(settings.rate, Setting::new(Some(8.0), file));
        let settings = merged("certsweep scan --store x.db", "rate = 10\n", "rate = 9\n");
        assert_eq!(settings.rate, Setting::new(Some(9.0), Origin::Scope));
    }

    #[test]
    fn settings_files_are_checked() {
        let message = |text: &str| File::parse("c.toml", text).unwrap_err().message;
        assert_eq!(message("reta = 5\n"), "c.toml:1:1: unknown key 'reta'; did you mean 'rate'?");
        assert_eq!(
            message("format = \"xml\"\n"),
            "c.toml:1:10: unknown value 'xml'; known: human, jsonl, csv"
        );
        assert_eq!(
            message("timeout = 99999\n"),
            "c.toml:1:11: 'timeout' must be more than 0 and at most 3600 seconds"
        );
        assert_eq!(
            message("concurrency = 0.5\n"),
            "c.toml:1:15: 'concurrency' must be a whole number"
        );
        assert_eq!(
            message("[[alert]]\nname = \"a\"\nfil = \"b\"\n"),
            "c.toml:3:1: unknown key 'fil'; did you mean 'file'?"
        );
        assert_eq!(
            message("rate = 1e-20\n"),
            "c.toml:1:8: 'rate' must be at least 0.001 connections per second"
        );
    }
}
