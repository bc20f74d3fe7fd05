//! `certsweep search`: a fingerprint is answered with addresses and dates.

mod question;
mod table;

use std::io::{self, BufWriter, IsTerminal, Write};

use super::args::{Format, SearchArgs};
use super::exit::{Exit, Failure};
use super::{settings, source, terminal};
use crate::domain::indicator::Index;
use crate::domain::query::Found;
use crate::domain::record;
use crate::engine::Clock;
use crate::store::Matcher;

pub(super) use table::{indicators, moment, sources};

/// Runs `search`.
pub(super) fn run(args: &SearchArgs) -> Result<Exit, Failure> {
    let query = question::query(args, Clock::start().wall())?;
    let ledger = settings::ledger(&args.ledger)?;
    let index = Index::new(&source::indicator_sets(&args.indicators)?);
    let matcher = match args.indicators.as_slice() {
        [] => Matcher::Then(&index),
        _ => Matcher::Now(&index),
    };
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let found = match question::pivot(args)? {
        Some(hash) => ledger.pivot(&hash, &query, &matcher, limit)?,
        None => ledger.search(&query, &matcher, limit)?,
    };
    tell(args.format, &found.shown)?;
    if found.more {
        terminal::note(&format!(
            "only the first {} are shown; narrow the search, or give a higher --limit (0 for all)",
            args.limit
        ));
    }
    Ok(Exit::Done)
}

fn tell(format: Format, found: &[Found]) -> Result<(), Failure> {
    let out = BufWriter::new(io::stdout().lock());
    let watched = io::stdout().is_terminal();
    match format {
        Format::Human => return terminal::print(&table::text(found)),
        Format::Jsonl => lines(out, found),
        Format::Csv => table::csv(out, found, watched),
    }
    .map_err(|error| terminal::closed(&error))
}

fn lines(mut out: impl Write, found: &[Found]) -> io::Result<()> {
    for found in found {
        serde_json::to_writer(&mut out, &record::found(found))?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
