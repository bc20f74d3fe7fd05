//! Delivering alerts: each at least once, over every channel that may carry it.
//!
//! What an alert says, what a channel may carry and when an attempt is due is decided in
//! [`domain::alert`](crate::domain::alert). Here are the channels, and the worker that empties the outbox. A channel
//! goes only where its `[[alert]]` table says: no redirect, no proxy of the environment, nothing that a server or a
//! certificate names.

mod command;
mod connect;
mod file;
mod ledger;
mod open;
mod post;
mod secret;
mod syslog;
#[cfg(test)]
mod tests;
mod trust;
mod webhook;
mod worker;

use std::pin::Pin;
use std::time::Duration;

pub use command::Command;
pub use file::File;
pub use open::{OpenError, Opened, Surroundings, open};
pub use syslog::Syslog;
pub use webhook::{Chat, Webhook};
pub use worker::{BATCH_MAX, Clock, Failed, Outbox, Round, Worker};

use crate::domain::alert::{Alert, Delivery};
use crate::domain::text::{escape, one_line, shortened};
use crate::domain::time::Timestamp;

/// A way on which alerts reach somebody.
pub trait Channel: Send + Sync {
    /// Delivers `alert`, once, in bounded time. `now` is when it is sent.
    fn deliver<'a>(&'a self, alert: &'a Alert, now: Timestamp) -> Delivering<'a>;
}

/// A delivery under way.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;

/// How long a delivery may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For each step until the connection stands: the address, TCP, TLS.
    pub connect: Duration,
    /// From the start to the end.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), whole: Duration::from_secs(30) }
    }
}

/// A reason as the ledger and logs take it: one short line, whoever had a part in its wording.
fn reason(text: &str) -> String {
    shortened(&escape(&one_line(&shortened(text, 400))), 300)
}
