//! The worker that empties the outbox.
//!
//! An alert is settled only after its delivery, so that a crash between the two delivers it again, with the same
//! key. Channels work beside each other; one that fails is left alone for a while, so that a receiver that is down is
//! not asked once for every alert that waits. When that is, and what becomes of each, are rules of
//! [`domain::alert`](crate::domain::alert).

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Opened;
use crate::domain::alert::{Alert, Delivery, Entry, Next, Wanted, is_due, next};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::time::Timestamp;

/// How many alerts a channel delivers in one round at most.
pub const BATCH_MAX: usize = 256;

/// The time of day.
pub trait Clock: Send + Sync {
    /// The moment, in UTC.
    fn now(&self) -> Timestamp;
}

/// The alerts that wait, kept where a crash does not lose them.
pub trait Outbox {
    /// What can go wrong with the keeping.
    type Error;

    /// At most `limit` alerts for `channel` that are [due](is_due) at `now`, those with the fewest attempts first, then
    /// those that have waited longest: an alert that a receiver always refuses must not keep back the others.
    ///
    /// # Errors
    /// They cannot be read.
    fn due(
        &mut self,
        channel: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Entry>, Self::Error>;

    /// When the next attempt for `channel` is planned, if any is.
    ///
    /// # Errors
    /// It cannot be read.
    fn planned(&mut self, channel: &str) -> Result<Option<Timestamp>, Self::Error>;

    /// Writes down, for good, how an attempt that ended `now` went.
    ///
    /// # Errors
    /// It cannot be written.
    fn settle(&mut self, id: i64, now: Timestamp, next: &Next) -> Result<(), Self::Error>;
}

/// An attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The channel.
    pub channel: String,
    /// The transition's key.
    pub key: Sha256Fingerprint,
    /// Why, on one line, without secrets.
    pub why: String,
    /// Whether it will not be tried again.
    pub given_up: bool,
}

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many alerts were delivered.
    pub delivered: usize,
    /// What failed.
    pub failed: Vec<Failed>,
}

/// Delivers what waits.
pub struct Worker {
    lanes: Vec<Lane>,
    wanted: Box<WantedBy>,
}

/// A channel and how it has been doing.
struct Lane {
    opened: Opened,
    /// Failures since the last success.
    failures: u32,
    /// Not before this moment, after a failure.
    rests_until: Option<Timestamp>,
}

/// What whoever scanned wants to be told: its job says so, by the alert's job or scan.
type WantedBy = dyn Fn(&Alert) -> Wanted + Send + Sync;

/// How the delivery of an entry in a lane went.
type Report = (usize, Entry, Delivery);

impl Worker {
    /// A worker for `channels`. `wanted` says which transitions the job that found this one wants to be told; a job
    /// that is no longer known should want the fewest.
    pub fn new(
        channels: Vec<Opened>,
        wanted: impl Fn(&Alert) -> Wanted + Send + Sync + 'static,
    ) -> Self {
        let lane = |opened| Lane { opened, failures: 0, rests_until: None };
        Self { lanes: channels.into_iter().map(lane).collect(), wanted: Box::new(wanted) }
    }

    /// The channels that `alert` is to be queued for, among those that `only` names, or all.
    pub fn addressees<'a>(&'a self, alert: &Alert, only: Option<&[String]>) -> Vec<&'a str> {
        let wanted = (self.wanted)(alert);
        let named = |name: &str| only.is_none_or(|only| only.iter().any(|one| one == name));
        let opened = self.lanes.iter().map(|lane| &lane.opened);
        let told = opened
            .filter(|opened| named(&opened.name) && alert.within(opened.tlp, wanted).is_some());
        told.map(|opened| opened.name.as_str()).collect()
    }

    /// When there is something to do next, if anything waits. A moment that has passed means at once.
    ///
    /// # Errors
    /// The outbox cannot be read.
    pub fn wakes<O: Outbox>(&self, outbox: &mut O) -> Result<Option<Timestamp>, O::Error> {
        let mut earliest = None;
        for lane in &self.lanes {
            let Some(planned) = outbox.planned(&lane.opened.name)? else { continue };
            let at = lane.rests_until.map_or(planned, |rests| planned.max(rests));
            earliest = Some(earliest.map_or(at, |earliest: Timestamp| earliest.min(at)));
        }
        Ok(earliest)
    }

    /// Tries everything that is due, at most [`BATCH_MAX`] alerts for each channel and up to its first failure that
    /// may pass. It may be dropped at any time: what is not settled is delivered again.
    ///
    /// # Errors
    /// The outbox cannot be read or written; the round ends.
    pub async fn round<O: Outbox>(
        &mut self,
        outbox: &mut O,
        clock: &Arc<dyn Clock>,
    ) -> Result<Round, O::Error> {
        let now = clock.now();
        // One place for each report: a channel waits until its last delivery has been taken.
        let (reports, mut taken) = mpsc::channel(1);
        let mut running = JoinSet::new();
        for (at, lane) in self.lanes.iter().enumerate() {
            if lane.rests_until.is_some_and(|until| !is_due(until, now)) {
                continue;
            }
            let due = outbox.due(&lane.opened.name, now, BATCH_MAX)?;
            let due = due.into_iter().map(|entry| {
                let told = entry.alert.within(lane.opened.tlp, (self.wanted)(&entry.alert));
                (entry, told)
            });
            let due: Vec<_> = due.collect();
            let (opened, clock) = (lane.opened.clone(), Arc::clone(clock));
            running.spawn(deliver((at, opened), due, clock, reports.clone()));
        }
        drop(reports);
        let mut round = Round::default();
        while let Some((lane, entry, delivery)) = taken.recv().await {
            self.settle(outbox, clock.now(), (lane, entry, delivery), &mut round)?;
        }
        Ok(round)
    }

    fn settle<O: Outbox>(
        &mut self,
        outbox: &mut O,
        now: Timestamp,
        (lane, entry, delivery): Report,
        round: &mut Round,
    ) -> Result<(), O::Error> {
        let Some(lane) = self.lanes.get_mut(lane) else { return Ok(()) };
        let key = entry.alert.key;
        lane.rest(&delivery, &key, now);
        let attempt = entry.attempts.saturating_add(1);
        let next = next(delivery, attempt, &key, (entry.queued, now));
        outbox.settle(entry.id, now, &next)?;
        let failed = |why: &str, given_up| {
            let (channel, why) = (lane.opened.name.clone(), why.to_owned());
            Failed { channel, key, why, given_up }
        };
        match &next {
            Next::Delivered => round.delivered += 1,
            Next::Again { why, .. } => round.failed.push(failed(why, false)),
            Next::GivenUp { why } => round.failed.push(failed(why, true)),
        }
        Ok(())
    }
}

impl Lane {
    /// Remembers how the channel does: the more failures in a row, the longer it rests.
    fn rest(&mut self, delivery: &Delivery, key: &Sha256Fingerprint, now: Timestamp) {
        self.rests_until = None;
        match delivery {
            Delivery::Retry { .. } => {
                self.failures = self.failures.saturating_add(1);
                if let Next::Again { at, .. } =
                    next(delivery.clone(), self.failures, key, (now, now))
                {
                    self.rests_until = Some(at);
                }
            }
            // A receiver that refuses one alert is there, and may take the next.
            Delivery::Delivered | Delivery::GiveUp { .. } => self.failures = 0,
        }
    }
}

/// Delivers `due` one by one, up to the first failure that may pass.
async fn deliver(
    (lane, opened): (usize, Opened),
    due: Vec<(Entry, Option<Alert>)>,
    clock: Arc<dyn Clock>,
    reports: mpsc::Sender<Report>,
) {
    for (entry, told) in due {
        let delivery = match told {
            Some(alert) => opened.channel.deliver(&alert, clock.now()).await,
            None => Delivery::give_up(format!(
                "a set is more closed than TLP:{}, which the channel carries",
                opened.tlp.word().to_uppercase()
            )),
        };
        let failed = matches!(delivery, Delivery::Retry { .. });
        if reports.send((lane, entry, delivery)).await.is_err() || failed {
            return;
        }
    }
}
