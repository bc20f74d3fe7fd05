//! The ledger: one SQLite file that remembers scans, certificates, and where they were seen.
//!
//! This room is the only one that speaks SQL. It touches the ledger's file and its directory, and
//! imports nothing of ours but [`crate::domain`]. It never prints, never reads a clock or the
//! environment, and never opens a socket: moments and paths are handed in.
//!
//! What one [`Batch`] saw and how far it got are committed together or not at all, so that a
//! scan killed at any moment can be resumed from what the file says: no position is marked done
//! whose sightings are missing.

mod batch;
mod certificate;
mod chain;
mod derive;
mod difference;
mod endpoint;
mod error;
mod file;
mod finding;
mod hold;
mod import;
mod indicator;
mod job;
mod lease;
mod ledger;
mod looking_back;
mod manner;
mod merge;
mod migration;
mod outbox;
mod pending;
mod progress;
mod prune;
mod scan;
mod search;
mod sighting;
mod transition;
mod upkeep;
mod vantage;
mod visit;

#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use difference::About;
pub use error::StoreError;
pub use finding::{Finding, Findings};
pub use hold::Hold;
pub use import::Import;
pub use lease::{Lease, Renewal};
pub use ledger::{Ledger, Summary};
pub use merge::Merged;

pub use outbox::{ChannelStatus, Untold};
pub use prune::Pruned;
pub use scan::Resumable;
pub use search::{Matcher, Page};
pub use sighting::Sighting;
pub use transition::{
    Change, FirstSight, PastVisit, Pending, PlaceName, PlaceRow, ScanHead, SeenAt,
};
pub use upkeep::{Compacted, Info};
