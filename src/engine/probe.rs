//! One visit: dial, drive, and what was seen.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::clock::Clock;
use super::dial::{Dialled, dial};
use super::drive::exchange;
use crate::domain::address::Target;
use crate::domain::indicator::Index;
use crate::domain::observation::Observation;
use crate::domain::scope::{Refusal, Scope};
use crate::domain::tls::{Moment, Offer};
use crate::domain::visit::Visit;

/// How a visit ended.
#[derive(Debug)]
pub enum Ended {
    /// With something to tell of the target.
    Observed(Box<Observation>),
    /// For want of something on this machine; nothing is known of the target.
    Local(io::Error),
    /// Before it began: the scope does not permit it.
    Refused(Refusal),
}

/// Everything that probes of one run share.
#[derive(Clone)]
pub struct Prober {
    /// Makes a TLS client for each connection.
    pub offer: Arc<dyn Offer>,
    /// What leaves are matched against.
    pub index: Arc<Index>,
    /// The run's clocks.
    pub clock: Clock,
    /// Time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
}

impl Prober {
    /// Visits `target`, if `scope` permits it.
    pub async fn visit(&self, scope: &Scope, target: Target) -> Ended {
        let time = self.clock.wall();
        let began = self.clock.now();
        let visit = |connected: Option<Moment>| Visit {
            time,
            target,
            began,
            connected,
            client: self.offer.client(),
            offer: self.offer.offer(),
        };
        match dial(scope, target, time, self.connect_timeout).await {
            Dialled::Connected(mut stream) => {
                let connected = self.clock.now();
                let mut entropy = [0; 64];
                if let Err(error) = getrandom::fill(&mut entropy) {
                    return Ended::Local(io::Error::other(error));
                }
                let mut client = self.offer.start(connected, entropy);
                let verdict = exchange(&mut stream, client.as_mut(), &self.clock).await;
                close(stream, verdict.evidence.handshake_finished).await;
                let observation = visit(Some(connected)).observation(verdict, &self.index);
                Ended::Observed(Box::new(observation))
            }
            Dialled::Ended(outcome) => {
                let observation = visit(None).without_connection(outcome, &self.index);
                Ended::Observed(Box::new(observation))
            }
            Dialled::Local(error) => Ended::Local(error),
            Dialled::Refused(refusal) => Ended::Refused(refusal),
        }
    }
}

/// Ends the connection: properly after a finished handshake, else with a reset, which leaves neither this
/// machine nor the server with a connection to wait for.
async fn close(mut stream: TcpStream, finished: bool) {
    let _ = if finished { stream.shutdown().await } else { stream.set_zero_linger() };
}
