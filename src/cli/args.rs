//! What can be typed.

mod ledger;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use ledger::{
    DiffArgs, DiffFormat, LedgerArgs, SearchArgs, SeenBy, ShowArgs, ShowFormat, StoreArgs,
    StoreCommand, TierName,
};

use crate::domain::ladder::Depth;
use crate::domain::scan::Shard;
use crate::import::collected::Format as Collection;

/// Sweep address ranges for TLS certificates that threat reports name, and remember where they were seen.
///
/// Only addresses inside a scope are ever connected to: a scope file says who authorised which ranges,
/// when and at what rate. Loopback needs no scope.
#[derive(Debug, Parser)]
#[command(name = "certsweep", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 2 bad usage or input; 3 refused by scope, nothing sent; 4 local resource or store;
10 --fail-on found something; 130 interrupted, resume token saved.

Settings: flag, then environment (CERTSWEEP_...), then certsweep.toml, then default.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sweep a scope, match what is found, and remember it in the ledger
    Scan(Box<ScanArgs>),
    /// Run the jobs of the settings file on their schedules, until a signal
    ///
    /// Jobs are the tables named job in certsweep.toml: a scope, and when to sweep it (every = "24h", or cron = "30 2 * * *"
    /// in UTC). A run visits known matches first, then the whole range; between runs known matches are visited every hour,
    /// or as the job says. Runs that were missed are caught up once, and one that was cut short goes on at the next
    /// start. Scope files, target lists and indicator sets are read anew at each run; the jobs only at the start.
    Watch(WatchArgs),
    /// Look at one endpoint in full detail
    Probe(ProbeArgs),
    /// Ask the ledger where certificates were seen, and when; nothing is sent
    Search(SearchArgs),
    /// Tell what was seen at one address, port by port, visit by visit; nothing is sent
    Show(ShowArgs),
    /// Tell what changed: since the last scan, between scans, or between moments; nothing is sent
    Diff(DiffArgs),
    /// Look after the ledger: its size, whether it holds together, compacting, pruning, merging
    Store(StoreArgs),
    /// Match certificates that others collected, without sending anything
    ///
    /// Reads what scanners, sensors and search engines wrote, and looks every certificate in it up among the
    /// indicators. What matches was reported by others: nothing of it was presented to this program or proven to it.
    Match(MatchArgs),
    /// List indicator sets, or check the files they are written in
    Indicators(IndicatorsArgs),
    /// Sweep a range of servers that this program starts itself, on loopback
    #[cfg(feature = "lab")]
    Demo(DemoArgs),
    /// Measure what a target costs, beside a bare TCP connect, against servers on loopback
    ///
    /// CPU is user and system time of this process alone; the servers are in one of their own. The plain floor is the
    /// best bare loop that opens, connects and closes a socket for each target; the reuse floor does the same with
    /// sockets that are used again. Cases take turns, and ratios are of medians of one run. The machine should
    /// have nothing else to do. The manual's page `speed` says how to read the figures.
    #[cfg(feature = "lab")]
    Bench(BenchArgs),
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for every command
    Man {
        /// Write the pages of all commands into this directory
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
}

/// Where the permission comes from.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ScopeArgs {
    /// The scope file: who authorised which ranges, ports, days and rates
    #[arg(long, value_name = "FILE", env = "CERTSWEEP_SCOPE")]
    pub(super) scope: Option<PathBuf>,
    /// Without a scope file: who permits this sweep (not needed for loopback)
    #[arg(long, value_name = "TEXT")]
    pub(super) authorised_by: Option<String>,
    /// Without a scope file: where the owner of an address can reach you (not needed for loopback)
    #[arg(long, value_name = "TEXT", env = "CERTSWEEP_CONTACT")]
    pub(super) contact: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct ScanArgs {
    /// Without a scope file: addresses and prefixes to sweep, at most 65,536 addresses
    #[arg(value_name = "RANGE")]
    pub(super) ranges: Vec<String>,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    /// Without a scope file: addresses and prefixes to leave out
    #[arg(long, value_name = "RANGE")]
    pub(super) exclude: Vec<String>,
    /// Visit only these targets of the scope; - is standard input. Plain, masscan -oL/-oJ/-oD, zmap, nmap -oG
    #[arg(long, value_name = "FILE")]
    pub(super) targets: Option<PathBuf>,
    /// Ports, ranges and lists (softether, softether-wide, https), separated by commas [default: the scope's, or softether]
    #[arg(long, value_name = "PORTS", value_delimiter = ',', env = "CERTSWEEP_PORTS")]
    pub(super) ports: Option<Vec<String>>,
    /// An indicator set to match besides the built-in ones; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(super) indicators: Vec<PathBuf>,
    /// Connections per second, whole run [default: the scope's, or 500; unlimited on loopback]
    #[arg(long, value_name = "N", env = "CERTSWEEP_RATE", allow_negative_numbers = true)]
    pub(super) rate: Option<f64>,
    /// Connections per second to one /24 or /48 [default: the scope's, or 5; unlimited on loopback]
    #[arg(
        long,
        value_name = "N",
        env = "CERTSWEEP_RATE_PER_PREFIX",
        allow_negative_numbers = true
    )]
    pub(super) rate_per_prefix: Option<f64>,
    /// Connections open at once [default: 1000, or what the file descriptors allow]
    #[arg(long, value_name = "N", env = "CERTSWEEP_CONCURRENCY")]
    pub(super) concurrency: Option<usize>,
    /// Event loops, each on a thread of its own [default: one per core; one up to 10000/s]
    #[arg(long, value_name = "N", env = "CERTSWEEP_THREADS")]
    pub(super) threads: Option<usize>,
    /// Seconds to wait for a connection at most, and for the handshake [default: 5]
    #[arg(long, value_name = "SECONDS", env = "CERTSWEEP_TIMEOUT", allow_negative_numbers = true)]
    pub(super) timeout: Option<f64>,
    /// How far to go with each handshake [default: auto]
    #[arg(long, value_name = "HOW", env = "CERTSWEEP_HANDSHAKE")]
    pub(super) handshake: Option<Handshake>,
    #[command(flatten)]
    pub(super) asking: AskingArgs,
    /// The seed of the order; the same seed visits in the same order [default: random]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Sweep part I of N; needs --seed, the same for all parts
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
    /// Finish the latest unfinished scan of this plan, or the one with this id
    #[arg(long, value_name = "SCAN", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(super) resume: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// A name for where this machine looks from, kept in every record [default: default]
    #[arg(long, value_name = "NAME", env = "CERTSWEEP_VANTAGE")]
    pub(super) vantage: Option<String>,
    /// Show the plan and where each setting came from; send nothing, write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Exit with 10 if there was one
    #[arg(long, value_name = "WHAT")]
    pub(super) fail_on: Option<FailOn>,
    /// A settings file to use instead of certsweep.toml in the current directory
    #[arg(long, value_name = "FILE", env = "CERTSWEEP_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(super) struct OutputArgs {
    /// The ledger [default: certsweep/ledger.db in the user's data directory]
    #[arg(long, value_name = "PATH", env = "CERTSWEEP_STORE")]
    pub(super) store: Option<PathBuf>,
    /// What goes to standard output or --output [default: human]
    #[arg(long, value_name = "FORMAT", env = "CERTSWEEP_FORMAT")]
    pub(super) format: Option<Format>,
    /// Write results to this new file instead of standard output; --resume appends to it
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table at the end, for people; addresses and names are defanged
    Human,
    /// One JSON object a line, each visit as it ends
    Jsonl,
    /// One line of comma-separated values per visit, with a header
    Csv,
}

impl Format {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// How far a handshake goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Handshake {
    /// As leaf, and at once as full where the leaf matches at tier A, B or C
    Auto,
    /// Complete it, with rustls where it can and with our own client where it cannot
    Full,
    /// Stop at the certificate, SSL 3.0 to TLS 1.3, any key exchange; no key is proven
    Leaf,
}

impl Handshake {
    pub(super) const fn of(depth: Depth) -> Self {
        match depth {
            Depth::Auto => Self::Auto,
            Depth::Full => Self::Full,
            Depth::Leaf => Self::Leaf,
        }
    }

    pub(super) const fn depth(self) -> Depth {
        match self {
            Self::Auto => Depth::Auto,
            Self::Full => Depth::Full,
            Self::Leaf => Depth::Leaf,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Leaf => "leaf",
        }
    }
}

/// What endpoints are asked besides the one question: which certificate do you show to nobody in particular.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct AskingArgs {
    /// Ask every endpoint that answered again with each of these server names (SNI): "indicators" for the names
    /// that the sets hold, a file with a name a line, or names
    #[arg(long, value_name = "indicators|FILE|NAME", num_args = 1..)]
    pub(super) server_names: Vec<String>,
    /// Ask every endpoint that showed a leaf for each other kind of key (RSA, ECDSA, EdDSA), and record all leaves
    #[arg(long)]
    pub(super) all_leaves: bool,
    /// Send one HTTP request, without logging in, to every endpoint whose leaf matches or has SoftEther's default
    /// structure, and record the product, version and build that a SoftEther server answers; servers log it
    #[arg(long)]
    pub(super) confirm_softether: bool,
}

/// What makes a scan exit with 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// A certificate that a report names was seen: tier A
    Exact,
    /// That, or its public key in another certificate: tiers A and B
    Match,
    /// Anything that an indicator set asks for, guesses included: tiers A to E
    Any,
    /// A match (tiers A and B) that is new at its place, moved there or is back
    New,
}

#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    /// Run this job once, now; for cron and systemd timers
    #[arg(long, value_name = "JOB", conflicts_with_all = ["status", "check"])]
    pub(super) once: Option<String>,
    /// Show what each job did and when it runs next
    #[arg(long, conflicts_with = "check")]
    pub(super) status: bool,
    /// Read the jobs and all that they name, and say what would run when; send nothing, write nothing
    #[arg(long)]
    pub(super) check: bool,
    /// The form of --status [default: human]
    #[arg(long, value_name = "FORMAT", requires = "status")]
    pub(super) format: Option<StatusFormat>,
    /// With --once: exit with 10 if there was one
    #[arg(long, value_name = "WHAT", requires = "once")]
    pub(super) fail_on: Option<WatchFailOn>,
    /// The ledger [default: certsweep/ledger.db in the user's data directory]
    #[arg(long, value_name = "PATH", env = "CERTSWEEP_STORE")]
    pub(super) store: Option<PathBuf>,
    /// A settings file to use instead of certsweep.toml in the current directory
    #[arg(long, value_name = "FILE", env = "CERTSWEEP_CONFIG")]
    pub(super) config: Option<PathBuf>,
}

/// The form of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    /// A table
    Human,
    /// One JSON object for each job
    Jsonl,
}

/// What makes a job that is run once exit with 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WatchFailOn {
    /// A match at tier A or B
    Match,
    /// Such a match at a place where its certificate had not been seen before
    New,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ProbeArgs {
    /// The endpoint, such as 192.0.2.1:443; IPv6 addresses in brackets
    #[arg(value_name = "ADDRESS:PORT")]
    pub(super) endpoint: String,
    #[command(flatten)]
    pub(super) scope: ScopeArgs,
    /// An indicator set to match besides the built-in ones; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(super) indicators: Vec<PathBuf>,
    /// How far to go with the handshake
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub(super) handshake: Handshake,
    #[command(flatten)]
    pub(super) asking: AskingArgs,
    /// Seconds to wait for the connection, and again for the handshake
    #[arg(long, value_name = "SECONDS", default_value = "5", allow_negative_numbers = true)]
    pub(super) timeout: f64,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: ProbeFormat,
}

/// The form of a probe's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProbeFormat {
    /// A line for each fact
    Human,
    /// The observation as one JSON object
    Jsonl,
    /// The chain's leaf as PEM
    Pem,
}

#[derive(Clone, Debug, Args)]
pub(super) struct MatchArgs {
    /// Files, folders with all in them, or - for standard input; gzip is unpacked
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Take every file for this format [default: as its first bytes or lines say]
    #[arg(long, value_name = "FORMAT", value_parser = collected_format())]
    pub(super) from: Option<Collection>,
    /// A name for where all of it was seen from, kept in every record [default: the name of the format]
    #[arg(long = "as", value_name = "NAME")]
    pub(super) vantage: Option<String>,
    /// An indicator set to match besides the built-in ones; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(super) indicators: Vec<PathBuf>,
    /// Match only, and remember nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) ledger: LedgerArgs,
    /// What goes to standard output: what matches, and nothing else
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: Format,
    /// Exit with 10 if there was one
    #[arg(long, value_name = "WHAT")]
    pub(super) fail_on: Option<FailOn>,
}

/// The words for the formats that certificates are collected in.
fn collected_format() -> impl TypedValueParser<Value = Collection> {
    let words = Collection::WORDS.map(|(word, _)| word);
    PossibleValuesParser::new(words).try_map(|word| {
        let known = Collection::WORDS.into_iter().find(|(known, _)| *known == word);
        known.map(|(_, format)| format).ok_or("no such format")
    })
}

#[derive(Clone, Debug, Args)]
pub(super) struct IndicatorsArgs {
    #[command(subcommand)]
    pub(super) command: IndicatorsCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum IndicatorsCommand {
    /// Show the built-in sets and those of the given files
    List {
        /// Indicator set files
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Read indicator set files and say what is wrong with them
    Check {
        /// Indicator set files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

#[cfg(feature = "lab")]
#[derive(Clone, Debug, Args)]
pub(super) struct DemoArgs {
    /// Keep the ledger at this path
    #[arg(long, value_name = "PATH")]
    pub(super) store: Option<PathBuf>,
}

#[cfg(feature = "lab")]
#[derive(Clone, Debug, Args)]
pub(super) struct BenchArgs {
    /// Targets per case
    #[arg(long, value_name = "N", default_value = "20000", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) targets: u32,
    /// Times each case is run, in turns with the others; medians are printed
    #[arg(long, value_name = "N", default_value = "9", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(super) runs: u32,
    /// Connections open at once
    #[arg(long, value_name = "N", default_value = "500")]
    pub(super) concurrency: usize,
    /// Measure only these cases, and the floors and cases that they are compared with
    #[arg(long = "case", value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub(super) cases: Vec<super::bench::Case>,
    /// A line for each case, or one JSON object a line
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(super) format: BenchFormat,
    /// Be the servers: internal, started by the bench itself
    #[arg(long, hide = true)]
    pub(super) serve: bool,
}

/// The form of a bench's result.
#[cfg(feature = "lab")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BenchFormat {
    /// A table
    Human,
    /// One JSON object a line
    Jsonl,
}
