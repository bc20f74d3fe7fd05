//! `certsweep completions` and `certsweep man`: made from the same table of arguments as `--help`.

use std::path::Path;

use clap::CommandFactory;

use super::args::Cli;
use super::exit::{Exit, Failure};
use super::terminal;

/// Prints the completion script for `shell`.
pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "certsweep", &mut script);
    terminal::print(&String::from_utf8_lossy(&script)).map(|()| Exit::Done)
}

/// Prints the manual page, or writes one for every command into `folder`.
pub(super) fn man(folder: Option<&Path>) -> Result<Exit, Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .map_err(|e| terminal::closed(&e))?;
        return terminal::print(&String::from_utf8_lossy(&page)).map(|()| Exit::Done);
    };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written
        .map(|()| Exit::Done)
        .map_err(|error| Failure::local(format!("cannot write {}: {error}", folder.display())))
}
