//! The worker in simulated time: exact attempts, nothing lost, nothing kept back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::outbox::{Memory, Simulated};
use crate::domain::alert::tests::{matched, moved};
use crate::domain::alert::{Alert, DELAY_MAX, Delivery, GIVE_UP_AFTER, Wanted, delay};
use crate::domain::fingerprint::Sha256Fingerprint;
use crate::domain::indicator::{Tier, Tlp};
use crate::domain::time::Timestamp;
use crate::watch::alert::{BATCH_MAX, Channel, Clock, Delivering, Opened, Worker};

/// Decides about each delivery.
type Rule = Box<dyn FnMut(&Alert) -> Delivery + Send>;

/// A channel that follows a rule and remembers every attempt.
struct Scripted {
    rule: Mutex<Rule>,
    sent: Mutex<Vec<(Timestamp, Alert)>>,
}

impl Scripted {
    fn new(rule: impl FnMut(&Alert) -> Delivery + Send + 'static) -> Arc<Self> {
        Arc::new(Self { rule: Mutex::new(Box::new(rule)), sent: Mutex::default() })
    }

    /// The first byte of the key of each alert sent.
    fn keys(&self) -> Vec<u8> {
        self.sent.lock().unwrap().iter().map(|(_, alert)| alert.key.0[0]).collect()
    }

    fn times(&self) -> Vec<i64> {
        self.sent.lock().unwrap().iter().map(|(time, _)| time.micros()).collect()
    }
}

impl Channel for Scripted {
    fn deliver<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> Delivering<'a> {
        self.sent.lock().unwrap().push((now, alert.clone()));
        let delivery = (self.rule.lock().unwrap())(alert);
        Box::pin(std::future::ready(delivery))
    }
}

fn worker(channels: &[(&str, Tlp, &Arc<Scripted>)]) -> Worker {
    let opened = channels.iter().map(|(name, tlp, channel)| Opened {
        name: (*name).to_owned(),
        tlp: *tlp,
        channel: Arc::<Scripted>::clone(channel),
    });
    Worker::new(opened.collect(), |_| Wanted::Match)
}

fn alert(key: u8) -> Alert {
    Alert { key: Sha256Fingerprint([key; 32]), ..moved() }
}

/// Lets time pass until nothing waits, or `rounds` are over.
async fn run(worker: &mut Worker, outbox: &mut Memory, clock: &Arc<Simulated>, rounds: usize) {
    let shared: Arc<dyn Clock> = Arc::<Simulated>::clone(clock);
    for _ in 0..rounds {
        let Some(at) = worker.wakes(outbox).unwrap() else { return };
        clock.set(at.max(clock.now()));
        worker.round(outbox, &shared).await.unwrap();
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_for_an_hour_gets_everything_once() {
    let clock = Simulated::at(0);
    let seen = Arc::clone(&clock);
    let channel = Scripted::new(move |_| {
        if seen.now() < Timestamp::from_seconds(3_600) {
            Delivery::retry("down")
        } else {
            Delivery::Delivered
        }
    });
    let mut outbox = Memory::default();
    for key in 0..100 {
        outbox.queue("a", alert(key), clock.now());
    }
    let mut worker = worker(&[("a", Tlp::Clear, &channel)]);
    run(&mut worker, &mut outbox, &clock, 1_000).await;
    assert_eq!(outbox.counts(), [100, 0, 0]);
    let hour = 3_600_000_000;
    let failed = channel.times().into_iter().filter(|at| *at < hour).count();
    // One at a time, ever more seldom: not one for each alert that waits.
    assert_eq!(failed, 9, "{:?}", channel.times());
    let mut after = channel.keys().split_off(failed);
    after.sort_unstable();
    assert_eq!(after, (0..100).collect::<Vec<u8>>());
    // All is told within one wait of its coming back.
    let last = *channel.times().last().unwrap();
    assert!(last <= hour + 2 * DELAY_MAX.as_micros() as i64, "{last}");
}

#[tokio::test]
async fn an_alert_is_tried_at_the_moments_that_its_key_gives_and_given_up_after_a_week() {
    let clock = Simulated::at(0);
    let channel = Scripted::new(|_| Delivery::retry("down"));
    let mut outbox = Memory::default();
    outbox.queue("a", alert(7), clock.now());
    let mut worker = worker(&[("a", Tlp::Clear, &channel)]);
    run(&mut worker, &mut outbox, &clock, 10_000).await;
    let week = GIVE_UP_AFTER.as_micros() as i64;
    let mut expected = vec![0];
    for failure in 1.. {
        let last = expected.last().copied().unwrap();
        if last >= week {
            break;
        }
        expected.push(last + delay(failure, &alert(7).key).as_micros() as i64);
    }
    assert_eq!(channel.times(), expected);
    assert_eq!(outbox.counts(), [0, 1, 0]);
    let error = outbox.rows[0].error.as_deref();
    assert_eq!(error, Some("not delivered in 7 days; last: down"));
}

#[tokio::test]
async fn what_was_sent_and_not_marked_is_sent_again_with_its_key() {
    let clock = Simulated::at(0);
    let shared: Arc<dyn Clock> = Arc::<Simulated>::clone(&clock);
    let channel = Scripted::new(|_| Delivery::Delivered);
    for lives in 0..5 {
        channel.sent.lock().unwrap().clear();
        let mut outbox = Memory { lives: Some(lives), ..Memory::default() };
        for key in 0..5 {
            outbox.queue("a", alert(key), clock.now());
        }
        let died = worker(&[("a", Tlp::Clear, &channel)]).round(&mut outbox, &shared).await;
        assert_eq!(died.unwrap_err(), "killed");
        assert_eq!(outbox.counts(), [lives as usize, 0, 5 - lives as usize]);
        let before = channel.keys().len();
        assert!(before > lives as usize);
        outbox.lives = None;
        let mut restarted = worker(&[("a", Tlp::Clear, &channel)]);
        let round = restarted.round(&mut outbox, &shared).await.unwrap();
        assert_eq!(round.delivered, 5 - lives as usize);
        // The one that was not marked first, then the others.
        let again: Vec<u8> = (lives as u8..5).collect();
        assert_eq!(channel.keys()[before..], again);
    }
}

#[tokio::test]
async fn an_alert_that_is_always_refused_keeps_no_other_back() {
    let clock = Simulated::at(0);
    for refusal in [Delivery::retry("poison"), Delivery::give_up("poison")] {
        let given_up = matches!(refusal, Delivery::GiveUp { .. });
        let channel =
            Scripted::new(
                move |alert| {
                    if alert.key.0[0] == 0 { refusal.clone() } else { Delivery::Delivered }
                },
            );
        let mut outbox = Memory::default();
        for key in 0..20 {
            outbox.queue("a", alert(key), clock.now());
        }
        let mut worker = worker(&[("a", Tlp::Clear, &channel)]);
        run(&mut worker, &mut outbox, &clock, 3).await;
        assert_eq!(outbox.counts(), [19, usize::from(given_up), usize::from(!given_up)]);
    }
}

#[tokio::test]
async fn channels_do_not_wait_for_each_other() {
    let clock = Simulated::at(0);
    let down = Scripted::new(|_| Delivery::retry("down"));
    let up = Scripted::new(|_| Delivery::Delivered);
    let mut outbox = Memory::default();
    let mut worker = worker(&[("down", Tlp::Clear, &down), ("up", Tlp::Clear, &up)]);
    for key in 0..10 {
        for channel in worker.addressees(&alert(key), None) {
            outbox.queue(channel, alert(key), clock.now());
        }
    }
    assert_eq!(worker.addressees(&alert(0), Some(&["up".to_owned()])), ["up"]);
    run(&mut worker, &mut outbox, &clock, 1).await;
    assert_eq!((outbox.counts(), up.keys().len(), down.keys().len()), ([10, 0, 10], 10, 1));
    // The other ones of the failed channel wait for its rest, and not for a turn each.
    let wakes = worker.wakes(&mut outbox).unwrap().unwrap();
    assert_eq!(wakes.micros(), delay(1, &alert(0).key).as_micros() as i64);
}

#[tokio::test]
async fn a_channel_is_told_what_it_may_carry_and_no_more() {
    let clock = Simulated::at(0);
    let shared: Arc<dyn Clock> = Arc::<Simulated>::clone(&clock);
    let channel = Scripted::new(|_| Delivery::Delivered);
    let mut outbox = Memory::default();
    let (open, closed) =
        (matched("open", Tlp::Clear, Tier::B), matched("closed", Tlp::AmberStrict, Tier::A));
    let both = Alert { matches: vec![closed.clone(), open.clone()], ..alert(1) };
    let secret = Alert { matches: vec![closed], ..alert(2) };
    let mut worker = worker(&[("a", Tlp::Amber, &channel)]);
    assert_eq!(worker.addressees(&both, None), ["a"]);
    assert!(worker.addressees(&secret, None).is_empty());
    // The channel may have carried more when it was queued.
    outbox.queue("a", both, clock.now());
    outbox.queue("a", secret, clock.now());
    let round = worker.round(&mut outbox, &shared).await.unwrap();
    assert_eq!((round.delivered, round.failed.len()), (1, 1));
    assert_eq!(
        round.failed[0].why,
        "a set is more closed than TLP:AMBER, which the channel carries"
    );
    assert!(round.failed[0].given_up);
    let sent = channel.sent.lock().unwrap();
    assert_eq!((sent.len(), &sent[0].1.matches), (1, &vec![open]));
}

#[tokio::test]
async fn batches_are_bounded_and_clocks_may_jump() {
    let clock = Simulated::at(1_000_000);
    let script = VecDeque::from([Delivery::retry("down")]);
    let mut script = script;
    let channel = Scripted::new(move |_| script.pop_front().unwrap_or(Delivery::Delivered));
    let mut outbox = Memory::default();
    for key in 0..=BATCH_MAX {
        outbox.queue("a", alert((key % 251) as u8), clock.now());
    }
    let mut worker = worker(&[("a", Tlp::Clear, &channel)]);
    let shared: Arc<dyn Clock> = Arc::<Simulated>::clone(&clock);
    let round = worker.round(&mut outbox, &shared).await.unwrap();
    assert_eq!((round.delivered, round.failed.len()), (0, 1));
    // Set back by ten days: the rest of the channel lies too far ahead to be believed.
    clock.set(Timestamp::from_seconds(1_000_000 - 864_000));
    let round = worker.round(&mut outbox, &shared).await.unwrap();
    assert_eq!((round.delivered, round.failed.len()), (BATCH_MAX, 0));
    let round = worker.round(&mut outbox, &shared).await.unwrap();
    assert_eq!((round.delivered, outbox.counts()), (1, [BATCH_MAX + 1, 0, 0]));
}
