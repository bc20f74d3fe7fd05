//! Jobs: what a watch remembers of them, who runs them, and where their known matches are.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::endpoint;
use super::error::StoreError;
use super::hold::{self, Hold};
use super::ledger::Ledger;
use crate::domain::address::Target;
use crate::domain::schedule::{Ended, Remembered, State};
use crate::domain::time::Timestamp;

impl Ledger {
    /// What is remembered of the job called `name`, if anything is.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn job(&self, name: &str) -> Result<Option<Remembered>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT * FROM job WHERE name = ?1")?
                .query_row([name], remembered)
                .optional()
        })
    }

    /// Writes down what is to be remembered of the job called `name`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or holds no scan with the id that is named.
    pub fn remember_job(&mut self, name: &str, what: &Remembered) -> Result<(), StoreError> {
        self.write(|transaction| Ok(remember(transaction, name, what)?))
    }

    /// Takes the right to run the job called `name`, so that no other process does at the same time.
    ///
    /// # Errors
    ///
    /// If another process has it, or the lock file beside the ledger cannot be made.
    pub fn hold_job(&self, name: &str) -> Result<Hold, StoreError> {
        Hold::take(&self.path, &lock_name(name)).map_err(|error| match error {
            StoreError::Running { path, .. } => {
                StoreError::JobRunning { path, job: name.to_owned() }
            }
            other => other,
        })
    }

    /// Whether a process has the right to run the job called `name`.
    pub fn job_is_held(&self, name: &str) -> bool {
        hold::is_held(&self.path, &lock_name(name))
    }

    /// Where a leaf was seen that matched at tier A or B, whenever that was, each target once.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn known_matches(&self) -> Result<Vec<Target>, StoreError> {
        const SELECT: &str = "
            SELECT DISTINCT endpoint_id, address_key
            FROM \"match\" LEFT JOIN address6 ON address6.number = endpoint_id >> 16
            WHERE tier <= 'B'
            ORDER BY ifnull(address_key, x''), endpoint_id";
        self.read(|connection| {
            let mut select = connection.prepare_cached(SELECT)?;
            let targets = select.query_map([], endpoint::target)?;
            targets.collect()
        })
    }

    /// Whether `scan` has tried every position; `None` if there is no such scan.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn is_complete(&self, scan: &str) -> Result<Option<bool>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT complete FROM scan WHERE id = ?1")?
                .query_row([scan], |row| row.get(0))
                .optional()
        })
    }
}

/// What the lock of a job is called where scans' are called by their ids, which have no hyphen.
fn lock_name(job: &str) -> String {
    format!("job-{job}")
}

fn remember(connection: &Connection, name: &str, what: &Remembered) -> rusqlite::Result<()> {
    const WRITE: &str = "
        INSERT OR REPLACE INTO job (
            name, since, served, state, started, ended, result, why, scan_id, matches_started
        ) VALUES (
            :name, :since, :served, :state, :started, :ended, :result, :why, :scan, :matches
        )";
    let time = |moment: Option<Timestamp>| moment.map(Timestamp::micros);
    connection.prepare_cached(WRITE)?.execute(named_params! {
        ":name": name,
        ":since": what.since.micros(),
        ":served": time(what.served),
        ":state": what.state.word(),
        ":started": time(what.started),
        ":ended": time(what.ended),
        ":result": what.end.map(Ended::word),
        ":why": what.why,
        ":scan": what.scan,
        ":matches": time(what.matches_started),
    })?;
    Ok(())
}

fn remembered(row: &Row<'_>) -> rusqlite::Result<Remembered> {
    let time = |column: &str| {
        row.get::<_, Option<i64>>(column).map(|micros| micros.map(Timestamp::from_micros))
    };
    let state: String = row.get("state")?;
    let end: Option<String> = row.get("result")?;
    Ok(Remembered {
        since: Timestamp::from_micros(row.get("since")?),
        served: time("served")?,
        state: State::of_word(&state).ok_or_else(|| unknown(row, "state", &state))?,
        started: time("started")?,
        ended: time("ended")?,
        end: match end {
            None => None,
            Some(word) => Some(Ended::of_word(&word).ok_or_else(|| unknown(row, "result", &word))?),
        },
        why: row.get("why")?,
        scan: row.get("scan_id")?,
        matches_started: time("matches_started")?,
    })
}

fn unknown(row: &Row<'_>, column: &str, word: &str) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or_default();
    let reason = format!("a job has the unknown {column} '{word}'").into();
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, reason)
}
