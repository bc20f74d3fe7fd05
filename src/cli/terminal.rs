//! Standard output and standard error.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};

use super::exit::Failure;
use crate::domain::text::harmless;

/// Prints `text` for people to standard error, line by line. If nobody can read it, nothing is lost.
///
/// Whatever was put into it: no character reaches the terminal that could move or hide something.
pub(super) fn note(text: &str) {
    for line in text.split('\n') {
        let _ = writeln!(io::stderr(), "{}", harmless(line));
    }
}

/// Whether standard error is a terminal that can redraw a line.
pub(super) fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// An empty table: as wide as the terminal allows, or as its content wants where there is none.
pub(super) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(if io::stdout().is_terminal() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    });
    table
}

/// Prints `text`, a whole result, to standard output.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| closed(&error))
}

/// The failure of writing to standard output.
pub(super) fn closed(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Failure::local("standard output was closed by its reader")
    } else {
        Failure::local(format!("cannot write to standard output: {error}"))
    }
}
