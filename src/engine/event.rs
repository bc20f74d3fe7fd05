//! What a run reports, and how it ends.

use std::io;

use crate::domain::ladder::Summary;
use crate::domain::observation::Observation;
use crate::domain::scan::Fault;
use crate::domain::scope::Refusal;

/// One thing that happened, in the order in which it did.
#[derive(Debug)]
pub enum Event {
    /// A visit has ended, was broken off, or is done with a server name and goes on.
    Observed {
        /// The position that is visited.
        position: u64,
        /// What was seen since the last time: without a name at first, and each further leaf after the one it came with.
        observations: Vec<Observation>,
        /// What counts of the visit, if the position is covered now; if not, whoever goes on with the scan visits
        /// it again.
        summary: Option<Summary>,
    },
    /// Positions `first..=last` needed no visit and are covered now.
    Skipped {
        /// The first position.
        first: u64,
        /// The last one.
        last: u64,
    },
    /// A fault of our own ended a probe; the run goes on. What an earlier attempt of the visit saw
    /// is told.
    Fault(Fault),
    /// This machine ran out of something: the run goes on with fewer connections at once.
    Slowed {
        /// What the kernel said.
        reason: String,
        /// The cap from now on.
        concurrency: usize,
    },
    /// The shortage is over.
    Recovered {
        /// The cap from now on: the planned one.
        concurrency: usize,
    },
}

/// How a run ended.
#[derive(Debug)]
pub enum RunEnd {
    /// Every target was visited.
    Complete,
    /// It was asked to stop; what was open has ended.
    Stopped,
    /// The scope stopped permitting it.
    Refused(Refusal),
    /// This machine could not open a single connection any more.
    Starved(io::Error),
    /// Too many probes ended by faults of our own.
    Broken,
}
