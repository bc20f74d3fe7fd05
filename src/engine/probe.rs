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
use crate::domain::ladder::{self, Second, merged};
use crate::domain::observation::Observation;
use crate::domain::scope::{Refusal, Scope};
use crate::domain::tls::Offer;
use crate::domain::visit::Visit;

/// How an attempt ended.
#[derive(Debug)]
pub enum Ended {
    /// The visit is over, with something to tell of the target.
    Observed(Box<Observation>),
    /// The first attempt is over, and a second one would tell more; this is what there is so far.
    Again(Box<Observation>),
    /// For want of something on this machine; the attempt told nothing. What an earlier one saw is kept.
    Local(io::Error, Option<Box<Observation>>),
    /// Before it began: the scope does not permit it. What an earlier attempt saw is kept.
    Refused(Refusal, Option<Box<Observation>>),
}

/// What second connections are made with.
#[derive(Clone)]
pub struct Seconds {
    /// For [`Second::Complete`].
    pub complete: Arc<dyn Offer>,
    /// For [`Second::Finish`].
    pub finish: Arc<dyn Offer>,
}

/// Everything that probes of one run share.
#[derive(Clone)]
pub struct Prober {
    /// Makes the TLS client of a visit's first connection.
    pub first: Arc<dyn Offer>,
    /// Make the TLS client of a second one, where that would tell more.
    pub second: Option<Seconds>,
    /// What leaves are matched against.
    pub index: Arc<Index>,
    /// The run's clocks.
    pub clock: Clock,
    /// Time from the SYN to the accepted connection.
    pub connect_timeout: Duration,
}

impl Prober {
    /// Visits `target`, if `scope` permits it: the first attempt, or the second one after what `earlier` saw.
    pub async fn visit(
        &self,
        scope: &Scope,
        target: Target,
        earlier: Option<Box<Observation>>,
    ) -> Ended {
        let offer = earlier.as_ref().and_then(|seen| self.second_offer(seen));
        let offer = offer.unwrap_or(&self.first);
        let seen = match self.attempt(scope, target, offer.as_ref()).await {
            Ok(seen) => seen,
            Err(Unmade::Local(error)) => return Ended::Local(error, earlier),
            Err(Unmade::Refused(refusal)) => return Ended::Refused(refusal, earlier),
        };
        match earlier {
            Some(earlier) => Ended::Observed(Box::new(merged(*earlier, seen))),
            None if self.second_offer(&seen).is_some() => Ended::Again(Box::new(seen)),
            None => Ended::Observed(Box::new(seen)),
        }
    }

    /// What would tell more than `seen`, if second connections are made at all.
    fn second_offer(&self, seen: &Observation) -> Option<&Arc<dyn Offer>> {
        let seconds = self.second.as_ref()?;
        Some(match ladder::second(seen)? {
            Second::Complete => &seconds.complete,
            Second::Finish => &seconds.finish,
        })
    }

    async fn attempt(
        &self,
        scope: &Scope,
        target: Target,
        offer: &dyn Offer,
    ) -> Result<Observation, Unmade> {
        let time = self.clock.wall();
        let began = self.clock.now();
        let (client, offered) = (offer.client(), offer.offer());
        let visit = Visit { time, target, began, connected: None, client, offer: offered };
        match dial(scope, target, time, self.connect_timeout).await {
            Dialled::Connected(mut stream) => {
                let connected = self.clock.now();
                let mut entropy = [0; 112];
                getrandom::fill(&mut entropy)
                    .map_err(|error| Unmade::Local(io::Error::other(error)))?;
                let mut client = offer.start(connected, entropy);
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
