//! The ledger looked back into: histories of places, where a leaf was seen first, and the transitions found.

use super::error::StoreError;
use super::ledger::Ledger;
use super::transition::{
    self, Change, FirstSight, PastVisit, Pending, PlaceName, PlaceRow, ScanHead, SeenAt,
};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::indicator::Tier;
use crate::domain::ledger::Kind;
use crate::domain::time::Timestamp;

impl Ledger {
    /// The first `limit` changes to places whose history was not looked through since, in the order in which they were
    /// written. A place may stand there more than once.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn pending(&self, limit: u32) -> Result<Vec<Pending>, StoreError> {
        self.read(|connection| transition::pending(connection, limit))
    }

    /// `place` in words.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read, or is another than the one that the place is of.
    pub fn place(&self, place: PlaceRow) -> Result<PlaceName, StoreError> {
        self.read(|connection| transition::name(connection, place))
    }

    /// The visits of `place` that have a row, over all scans of its vantage, in order of time.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn history(&self, place: PlaceRow) -> Result<Vec<PastVisit>, StoreError> {
        self.read(|connection| transition::history(connection, place))
    }

    /// Which scans were the first to see the leaf in row `certificate` at some endpoint, in order of time: a row for each
    /// scan. It is the same for all places.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn first_sights(&self, certificate: i64) -> Result<Vec<FirstSight>, StoreError> {
        self.read(|connection| transition::first_sights(connection, certificate))
    }

    /// Places at other addresses than `here` where visits saw the leaf in row `certificate`, the latest first, at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn elsewhere(
        &self,
        certificate: i64,
        here: PlaceRow,
        limit: u32,
    ) -> Result<Vec<SeenAt>, StoreError> {
        self.read(|connection| transition::elsewhere(connection, certificate, here, limit))
    }

    /// All scans, in order of their numbers: what rounds are made from.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn scan_heads(&self) -> Result<Vec<ScanHead>, StoreError> {
        self.read(transition::scan_heads)
    }

    /// The SHA-256 of the leaf in row `certificate`, if it is known.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn leaf(&self, certificate: i64) -> Result<Option<Sha256Fingerprint>, StoreError> {
        self.read(|connection| transition::leaf(connection, certificate))
    }

    /// The transitions that `scan` showed, and those that were found at `found`: how many of each kind, by the tier of the
    /// closest match. A set that is new to a scan finds what earlier ones saw.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read.
    pub fn transitions_of(
        &self,
        scan: &str,
        found: Timestamp,
    ) -> Result<Vec<(Kind, Tier, u64)>, StoreError> {
        self.read(|connection| transition::of_scan(connection, scan, found))
    }

    /// Writes what changed at each place that was looked through, and that it was, all in one transaction; how many
    /// changes were not known before. Their time of being found is `derived`.
    ///
    /// Changes that are known, by key, are left as they are. Thousands of places at once cost one sync.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be written, or a change names a leaf or scan that it does not hold.
    pub fn write_transitions(
        &mut self,
        settled: &[(Pending, Vec<Change>)],
        derived: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(|transaction| transition::settle(transaction, settled, derived))
    }
}
