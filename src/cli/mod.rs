//! The command line: arguments, settings, wiring, and what people see.
//!
//! One file or folder per command. A command turns what was typed into values of `domain`, hands them
//! to `engine` and `store`, and shows what comes back. It decides nothing that the plan does not
//! show. Results go to standard output, everything else to standard error.

mod args;
mod asking;
#[cfg(feature = "lab")]
mod bench;
mod collected;
#[cfg(feature = "lab")]
mod demo;
mod diff;
mod exit;
mod indicators;
mod pages;
mod probe;
mod progress;
mod scan;
#[cfg(feature = "lab")]
mod scratch;
mod search;
mod session;
mod settings;
mod show;
mod sink;
mod source;
mod store;
mod terminal;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

pub use args::Cli;
use args::Command;
pub use exit::Exit;
use exit::Failure;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    start_logging();
    let done = match Cli::from_arg_matches(&matches) {
        Ok(cli) => run(cli, &matches),
        Err(error) => error.exit(),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal::note(&format!("certsweep: {}", failure.message));
            failure.exit.into()
        }
    }
}

fn run(cli: Cli, matches: &clap::ArgMatches) -> Result<Exit, Failure> {
    let Some((_, given)) = matches.subcommand() else { return Ok(Exit::Done) };
    match cli.command {
        Command::Scan(args) => scan::run(&args, given),
        Command::Watch(args) => watch::run(&args),
        Command::Probe(args) => probe::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Store(args) => store::run(&args),
        Command::Match(args) => collected::run(&args),
        Command::Indicators(args) => indicators::run(&args),
        #[cfg(feature = "lab")]
        Command::Demo(args) => demo::run(&args),
        #[cfg(feature = "lab")]
        Command::Bench(args) => bench::run(&args),
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { out } => pages::man(out.as_deref()),
    }
}

/// What `tracing` says goes to standard error, from `warn` on or as `CERTSWEEP_LOG` filters it.
fn start_logging() {
    const VARIABLE: &str = "CERTSWEEP_LOG";
    let filter = tracing_subscriber::EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|error| {
        if std::env::var_os(VARIABLE).is_some() {
            terminal::note(&format!("{VARIABLE} is no filter and was passed over: {error}"));
        }
        tracing_subscriber::EnvFilter::new("warn")
    });
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
