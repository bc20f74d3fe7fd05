//! The attempts of a visit: dial, drive, and what was seen.

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
use crate::domain::ladder::{Policy, Stand, Visiting};
use crate::domain::observation::Observation;
use crate::domain::scope::{Refusal, Scope};
use crate::domain::tls::{Ask, Offers};
use crate::domain::visit::Visit;

/// How an attempt ended.
#[derive(Debug)]
pub enum Ended {
    /// It told something of the target.
    Stands {
        /// Where the visit is now.
        stand: Stand,
        /// Whether the server was left with a handshake that had begun.
        abandoned: bool,
    },
    /// For want of something on this machine; the attempt told nothing. The visit is where it was.
    Local(io::Error, Box<Visiting>),
    /// Before it began: the scope does not permit it. The visit is where it was.
    Refused(Refusal, Box<Visiting>),
}

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
    /// Time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
}

impl Prober {
    /// Makes the next attempt of `visiting` at `target`, if `scope` permits it.
    pub async fn attempt(&self, scope: &Scope, target: Target, visiting: Box<Visiting>) -> Ended {
        match self.connect(scope, target, &visiting.ask).await {
            Ok(seen) => {
                let abandoned = seen.tls.is_some() && !seen.evidence.handshake_finished;
                Ended::Stands { stand: visiting.take(seen, &self.policy), abandoned }
            }
            Err(Unmade::Local(error)) => Ended::Local(error, visiting),
            Err(Unmade::Refused(refusal)) => Ended::Refused(refusal, visiting),
        }
    }

    async fn connect(
        &self,
        scope: &Scope,
        target: Target,
        ask: &Ask,
    ) -> Result<Observation, Unmade> {
        let time = self.clock.wall();
        let visit = Visit { time, target, began: self.clock.now(), connected: None, ask };
        match dial(scope, target, time, self.connect_timeout).await {
            Dialled::Connected(mut stream) => {
                let connected = self.clock.now();
                let mut entropy = [0; 112];
                getrandom::fill(&mut entropy)
                    .map_err(|error| Unmade::Local(io::Error::other(error)))?;
                let mut client = self.offers.start(ask, connected, entropy);
                let verdict = exchange(&mut stream, client.as_mut(), &self.clock).await;
                close(stream, verdict.evidence.handshake_finished).await;
                let visit = Visit { connected: Some(connected), ..visit };
                Ok(visit.observation(verdict, &self.index))
            }
            Dialled::Ended(outcome) => Ok(visit.without_connection(outcome, &self.index)),
            Dialled::Local(error) => Err(Unmade::Local(error)),
            Dialled::Refused(refusal) => Err(Unmade::Refused(refusal)),
        }
    }
}

/// Why an attempt was not made.
enum Unmade {
    Local(io::Error),
    Refused(Refusal),
}

/// Ends the connection: properly after a finished handshake, else with a reset, which leaves neither this
/// machine nor the server with a connection to wait for.
async fn close(mut stream: TcpStream, finished: bool) {
    let _ = if finished { stream.shutdown().await } else { stream.set_zero_linger() };
}
