//! `certsweep demo`: the whole job against servers that this program starts itself, on loopback.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::args::DemoArgs;
use super::exit::{Exit, Failure};
use super::progress::View;
use super::scratch::Scratch;
use super::session::{self, Session};
use super::{scan, source, terminal};
use crate::domain::indicator::{self, Index};
use crate::domain::ladder::{Depth, Policy};
use crate::domain::ledger::Rules;
use crate::domain::plan::{Plan, Tempo};
use crate::domain::ports::PortSet;
use crate::domain::scan::Shard;
use crate::domain::scope::{self, Scope};
use crate::domain::tls::Limits;
use crate::engine::{Clock, limits};
use crate::lab::Range;
use crate::store::About;

/// Long enough for a loaded machine, short enough for the few servers that never answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Runs `demo`.
pub(super) fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    limits::descriptors();
    let runtime = session::runtime()?;
    let _entered = runtime.enter();
    let range = Range::start(None).map_err(|error| Failure::local(error.to_string()))?;
    terminal::note(&introduction(&range));
    let folder = Scratch::new("demo")?;
    let store = args.store.clone().unwrap_or_else(|| folder.path().join("ledger.db"));
    let exit = runtime.block_on(sweep(&range, &store, args.store.as_deref()))?;
    terminal::note(&explanation(args.store.as_deref()));
    Ok(exit)
}

/// Sweeps `range` into the ledger at `store`; `kept` is where people find it afterwards, if anywhere.
async fn sweep(range: &Range, store: &Path, kept: Option<&Path>) -> Result<Exit, Failure> {
    let stop = session::interruptible()?;
    let plan = plan(range)?;
    let mut sets = source::indicator_sets(&[])?;
    sets.push(indicator::read("demo", &range.indicator_set_toml())?);
    let new = scan::new_scan(&plan, "default", &json!({}), Clock::start().wall());
    let begun = session::begin(scan::ledger(store)?, new.clone(), &sets)?;
    let (plan, index) = (Arc::new(plan), Arc::new(Index::new(&sets)));
    let session = Session {
        begun,
        index: Arc::clone(&index),
        policy: Policy::new(Depth::Auto),
        sink: None,
        output: None,
        stop,
        news: (Rules::default(), About::Matches),
        view: View::Live,
    };
    let mut swept = session.sweep(Arc::clone(&plan)).await?;
    terminal::print(&scan::report(&new, &plan, &swept, &index, kept)?)?;
    swept.exit()
}

fn plan(range: &Range) -> Result<Plan, Failure> {
    let ports = PortSet::from_iter(range.ports());
    let scope = scope(range)?;
    let tempo = Tempo {
        concurrency: 128,
        connect_timeout: TIMEOUT,
        limits: Limits { handshake: TIMEOUT, ..Limits::default() },
        ..Tempo::default()
    };
    Ok(Plan::new(scope, ports, None, (scan::random() as u64, Shard::WHOLE), tempo)?)
}

fn scope(range: &Range) -> Result<Scope, Failure> {
    let text = format!(
        "name = \"demo\"\ninclude = [\"{}\"]\nports = {:?}\n",
        range.network(),
        range.ports()
    );
    Ok(scope::read("demo", &text)?)
}

fn introduction(range: &Range) -> String {
    let instead = if range.privileged() {
        String::new()
    } else {
        " (443, 992, 1194 and 5555 cannot be bound here without root or are in use)".to_owned()
    };
    format!(
        "demo: {} holds 256 addresses of this machine's loopback, with servers on ports {}{instead}. \
         Some show a certificate that a made-up report names, and not all of these hold its key; \
         others break the rules of TLS.",
        range.network(),
        PortSet::from_iter(range.ports()),
    )
}

fn explanation(store: Option<&Path>) -> String {
    let kept = store.map_or(
        "The ledger of this demo is gone; --store PATH keeps it.".to_owned(),
        |path| {
            format!(
                "The ledger is in {}: sqlite3 it and ask the views sightings, matches, scans.",
                path.display()
            )
        },
    );
    format!(
        "\n'key proven' means that the server signed this very handshake with the certificate's key.\n\
         'NOT proven' shows a certificate that anybody could have copied: no reason to block its \
         address.\n{kept}"
    )
}
