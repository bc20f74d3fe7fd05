//! What all probes of one run share.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use crate::domain::indicator::Index;
use crate::domain::ladder::Policy;
use crate::domain::tls::Offers;

/// Everything that probes of one run share.
#[derive(Clone)]
pub struct Prober {
    /// What targets are asked.
    pub policy: Arc<Policy>,
    /// Makes the TLS client of each connection.
    pub offers: Arc<dyn Offers>,
    /// What leaves are matched against.
    pub index: Arc<Index>,
    /// The run's clocks.
    pub clock: Clock,
    /// The longest time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
}
