//! What can be typed after the commands that read the ledger, or look after it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Format;

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SearchArgs {
    /// Hashes or their beginnings (SHA-1, SHA-256; spki: before that of a public key), addresses, prefixes
    #[arg(value_name = "HASH|ADDRESS|PREFIX")]
    pub(in crate::cli) what: Vec<String>,
    /// Common name or alternative name; * stands for anything, ? for one character
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) name: Option<String>,
    /// Issuer, likewise
    #[arg(long, value_name = "PATTERN")]
    pub(in crate::cli) issuer: Option<String>,
    /// Serial number, in hex
    #[arg(long, value_name = "HEX")]
    pub(in crate::cli) serial: Option<String>,
    /// Matches of this indicator set
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) set: Option<String>,
    /// Matches at these tiers, A to E, separated by commas
    #[arg(long, value_name = "TIER", value_delimiter = ',', ignore_case = true)]
    pub(in crate::cli) tier: Vec<TierName>,
    /// Seen on these ports: ports, ranges and lists, separated by commas
    #[arg(long, value_name = "PORTS", value_delimiter = ',')]
    pub(in crate::cli) port: Option<Vec<String>>,
    /// Seen at this time or later: 2026-11-24, 2026-11-24T02:18:24Z, 7d, yesterday (days in UTC)
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<String>,
    /// Seen at this time or earlier, likewise; a day is meant to its end
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<String>,
    /// Whose sightings
    #[arg(long, value_name = "WHO", default_value = "all")]
    pub(in crate::cli) by: SeenBy,
    /// Match all that is remembered against the built-in sets and this one now, instead of looking at what matched
    /// when it was seen; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) indicators: Vec<PathBuf>,
    /// Follow the same key, name family and template from the certificates with this hash, and say why
    #[arg(long, value_name = "HASH", conflicts_with_all = ["what", "name", "issuer", "serial"])]
    pub(in crate::cli) pivot: Option<String>,
    /// Rows at most; 0 is all of them
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(in crate::cli) limit: usize,
    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) format: Format,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// An address, or an address and a port, such as 192.0.2.1 or 192.0.2.1:443; IPv6 with a port in brackets
    #[arg(value_name = "ADDRESS[:PORT]")]
    pub(in crate::cli) place: String,
    /// Visits at this time or later: 2026-11-24, 2026-11-24T02:18:24Z, 7d, yesterday (days in UTC)
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<String>,
    /// Visits at this time or earlier, likewise; a day is meant to its end
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) format: ShowFormat,
}

/// The form of what is shown of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ShowFormat {
    /// A table for each port
    Human,
    /// One JSON object for each stretch of visits that saw the same
    Jsonl,
    /// Every certificate seen there, once, as PEM
    Pem,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// One scan: what it changed. Two: what changed from the end of the first to the end of the second. None: what
    /// the last scan changed
    #[arg(value_name = "SCAN", num_args = 0..=2, conflicts_with_all = ["since", "until"])]
    pub(in crate::cli) scans: Vec<String>,
    /// Changes later than this: 2026-11-24, 2026-11-24T02:18:24Z, 7d, yesterday (days in UTC, from their beginning)
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<String>,
    /// Changes up to this, likewise; a day is meant to its end [default: now]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<String>,
    /// All certificates, and not only those that match an indicator
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Visits in a row that were answered without a certificate before it is called gone [default: absent_after in
    /// certsweep.toml, or 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(in crate::cli) absent_after: Option<u32>,
    /// Exit with 10 if a match is new, moved or returned
    #[arg(long, value_name = "WHAT")]
    pub(in crate::cli) fail_on: Option<FailOnNew>,
    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
    /// What goes to standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(in crate::cli) format: DiffFormat,
}

/// What makes a diff exit with 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOnNew {
    /// A match (tiers A and B) is new, moved or returned
    New,
}

/// The form of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// A table; addresses and names are defanged
    Human,
    /// One JSON object a line
    Jsonl,
    /// A table in Markdown, likewise defanged
    Markdown,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct StoreArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: StoreCommand,
    #[command(flatten)]
    pub(in crate::cli) ledger: LedgerArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum StoreCommand {
    /// Say how large the ledger is and what fills it
    Info,
    /// Look whether the ledger holds together: its pages, its references, what must be true of it; exit 4 if not
    Check,
    /// Write the file anew without what is free in it; needs as much room again
    Compact,
    /// Drop old visits that tell nothing which those before and after them do not; sightings stay
    Prune {
        /// Visits older than this: 90d, 52w
        #[arg(long, value_name = "LENGTH")]
        older_than: String,
        /// Drop visits with a match too; otherwise the evidence of matches is kept
        #[arg(long)]
        including_matches: bool,
    },
    /// Add what other ledgers hold, which stay as they are; merging one twice changes nothing
    Merge {
        /// Ledgers, such as those of shards
        #[arg(value_name = "LEDGER", required = true)]
        others: Vec<PathBuf>,
    },
}

/// A tier's letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(in crate::cli) enum TierName {
    /// The exact leaf
    A,
    /// The same public key in another certificate
    B,
    /// A reported name in a certificate of SoftEther's default structure
    C,
    /// A profile rule
    D,
    /// SoftEther's default structure alone
    E,
}

/// Whose sightings are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SeenBy {
    /// Own scans, and what others collected
    All,
    /// Own scans
    Scans,
    /// What others collected (certsweep match)
    Imports,
}

/// Which ledger is read.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct LedgerArgs {
    /// The ledger [default: certsweep/ledger.db in the user's data directory]
    #[arg(long, value_name = "PATH", env = "CERTSWEEP_STORE", global = true)]
    pub(in crate::cli) store: Option<PathBuf>,
    /// A settings file to use instead of certsweep.toml in the current directory
    #[arg(long, value_name = "FILE", env = "CERTSWEEP_CONFIG", global = true)]
    pub(in crate::cli) config: Option<PathBuf>,
}
