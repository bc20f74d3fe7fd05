//! What changed between two moments, folded from the visits up to the later of them.

use rusqlite::{Connection, OptionalExtension};

use super::derive::{Deriver, Folded};
use super::error::StoreError;
use super::ledger::Ledger;
use super::search::Certificates;
use super::transition::{PlaceName, PlaceRow, place};
use crate::domain::address::Target;
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::ledger::{self, Kind, Rules, Status};
use crate::domain::query::{Certificate, Changed, Difference, Matched, What};
use crate::domain::time::Timestamp;

/// Which places a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Those where a certificate ever matched.
    Matches,
    /// All that ever showed a certificate.
    Everything,
}

impl Ledger {
    /// What changed after `since` and up to `until`; and of what was there at `since`, what cannot be called gone.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn difference(
        &self,
        (since, until): (Timestamp, Timestamp),
        about: About,
        rules: Rules,
    ) -> Result<Difference, StoreError> {
        let places = self.read(|connection| places(connection, about))?;
        let mut differ = Differ { ledger: self, deriver: Deriver::new(self, rules)?, since };
        let (mut changes, mut open) = (Vec::new(), Vec::new());
        for place in places {
            let mut visits = self.history(place)?;
            visits.retain(|visit| visit.time <= until);
            if about == About::Matches && !differ.deriver.is_matched(&visits) {
                continue;
            }
            let before = visits.iter().filter(|visit| visit.time <= since).cloned().collect();
            let (before, folded) =
                (differ.deriver.fold(place, before)?, differ.deriver.fold(place, visits)?);
            differ.changes(place, &folded, about, &mut changes)?;
            differ.open(place, (&before, &folded), about, &mut open)?;
        }
        changes.sort_by_key(|row| (row.time, row.target, row.certificate.sha256));
        open.sort_by_key(|row: &Changed| (row.what.word(), row.target, row.certificate.sha256));
        changes.append(&mut open);
        Ok(Difference { since, until, rows: changes })
    }

    /// When the scan called `id` started, and ended if it did; `None` if there is no such scan.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn scan_times(
        &self,
        id: &str,
    ) -> Result<Option<(Timestamp, Option<Timestamp>)>, StoreError> {
        self.read(|connection| times(connection, id))
    }

    /// The id of the scan that started last of those that ended; `None` if none has.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn last_scan(&self) -> Result<Option<String>, StoreError> {
        const SELECT: &str =
            "SELECT id FROM scan WHERE ended IS NOT NULL ORDER BY started DESC, id DESC LIMIT 1";
        self.read(|connection| connection.query_row(SELECT, [], |row| row.get(0)).optional())
    }
}

fn times(
    connection: &Connection,
    id: &str,
) -> rusqlite::Result<Option<(Timestamp, Option<Timestamp>)>> {
    const SELECT: &str = "SELECT started, ended FROM scan WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let ended: Option<i64> = row.get(1)?;
        Ok((Timestamp::from_micros(row.get(0)?), ended.map(Timestamp::from_micros)))
    };
    connection.prepare_cached(SELECT)?.query_row([id], read).optional()
}

fn places(connection: &Connection, about: About) -> rusqlite::Result<Vec<PlaceRow>> {
    let table = match about {
        About::Matches => "\"match\"",
        About::Everything => "visit",
    };
    let select = format!(
        "SELECT DISTINCT endpoint_id, server_name_id, vantage_id
         FROM {table} JOIN scan_number ON scan_number.number = scan_number
         ORDER BY endpoint_id, server_name_id, vantage_id"
    );
    connection.prepare_cached(&select)?.query_map([], place)?.collect()
}

struct Differ<'l> {
    ledger: &'l Ledger,
    deriver: Deriver<'l>,
    since: Timestamp,
}

impl Differ<'_> {
    /// The changes in the window.
    fn changes(
        &self,
        place: PlaceRow,
        folded: &Folded,
        about: About,
        rows: &mut Vec<Changed>,
    ) -> Result<(), StoreError> {
        for change in folded.changes.iter().filter(|change| change.time > self.since) {
            let Some(told) = self.deriver.told(place, &folded.rows, change)? else { continue };
            if about == About::Matches && told.tier.is_none() {
                continue;
            }
            let (certificate, mut matches) = self.describe(told.certificate)?;
            let previous = told.previous.map(|row| self.describe(row)).transpose()?;
            let previous = previous.map(|(certificate, of_previous)| {
                matches.extend(of_previous);
                certificate
            });
            matches.sort();
            matches.dedup();
            let from = match change.kind {
                Kind::Moved => self.from(told.certificate, place)?,
                _ => None,
            };
            let name = self.ledger.place(place)?;
            rows.push(Changed {
                what: What::Changed(change.kind),
                time: change.time,
                scan: self.deriver.id(change.scan).map(str::to_owned),
                certificate,
                previous,
                from,
                matches,
                ..nothing(name)
            });
        }
        Ok(())
    }

    /// What was there before the window and is neither there now nor told of.
    fn open(
        &self,
        place: PlaceRow,
        (before, folded): (&Folded, &Folded),
        about: About,
        rows: &mut Vec<Changed>,
    ) -> Result<(), StoreError> {
        let status_at = |state, leaf| ledger::status(state, leaf, self.since);
        let live: Vec<Sha256Fingerprint> = before
            .state
            .leaves()
            .map(|(leaf, _)| leaf)
            .filter(|leaf| status_at(&before.state, *leaf) != Some(Status::Told))
            .collect();
        for leaf in live {
            let (Some(status), Some(row)) =
                (status_at(&folded.state, leaf), folded.rows.get(&leaf))
            else {
                continue;
            };
            if matches!(status, Status::Present | Status::Told) {
                continue;
            }
            let (certificate, matches) = self.describe(*row)?;
            if about == About::Matches && matches.is_empty() {
                continue;
            }
            let name = self.ledger.place(place)?;
            let time = folded.state.last_visit().map_or(self.since, |(time, _)| time);
            let what = What::Open(status);
            rows.push(Changed { what, time, certificate, matches, ..nothing(name) });
        }
        Ok(())
    }

    fn describe(&self, row: i64) -> Result<(Certificate, Vec<Matched>), StoreError> {
        self.ledger.read(|connection| Certificates::new(connection, None).describe(row))
    }

    fn from(
        &self,
        certificate: i64,
        place: PlaceRow,
    ) -> Result<Option<(Target, Timestamp)>, StoreError> {
        let seen = self.ledger.elsewhere(certificate, place, 1)?;
        let Some(seen) = seen.first() else { return Ok(None) };
        Ok(Some((self.ledger.place(seen.place)?.target, seen.last_seen)))
    }
}

/// A row of which only the place is known.
fn nothing(place: PlaceName) -> Changed {
    Changed {
        what: What::Open(Status::NotTried),
        target: place.target,
        server_name: place.server_name,
        vantage: place.vantage,
        time: Timestamp::default(),
        scan: None,
        certificate: Certificate::default(),
        previous: None,
        from: None,
        matches: Vec::new(),
    }
}
