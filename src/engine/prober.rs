//! What all probes of one run share.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use crate::domain::indicator::Index;
use crate::domain::ladder::Policy;
use crate::domain::tls::Offers;
use crate::domain::tls::own::Glance;

/// Everything that probes of one run share.
#[derive(Clone)]
pub struct Prober {
    /// What targets are asked.
    pub policy: Arc<Policy>,
    /// Makes the TLS client of each connection.
    pub offers: Arc<dyn Offers>,
    /// The short way for first attempts, where they ask for no more than a certificate.
    pub glance: Option<Arc<Glance>>,
    /// What leaves are matched against.
    pub index: Arc<Index>,
    /// The run's clocks.
    pub clock: Clock,
    /// The longest time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
}
