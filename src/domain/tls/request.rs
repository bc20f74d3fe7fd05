//! What is asked of a server once a handshake is finished, and the bounded answer.
//!
//! Mostly nothing is: a connection that finishes its handshake ends there. Where a run was told to, one request is
//! sent over it, and the bytes that come back are kept for whoever understands them.

use std::time::Duration;

use super::Moment;
use crate::domain::address::Target;
use crate::domain::softether;

/// How long an answer is waited for, within the time that the connection has.
const REPLY_TIME: Duration = Duration::from_secs(3);

/// One request to the application behind TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// The greeting that SoftEther's own clients begin with, for this target. It needs no account.
    Softether(Target),
}

impl Request {
    /// The stable word, as records and the ledger hold it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Softether(_) => "softether",
        }
    }

    fn text(self) -> Vec<u8> {
        match self {
            Self::Softether(target) => softether::request(target),
        }
    }

    const fn reply_max(self) -> usize {
        match self {
            Self::Softether(_) => softether::REPLY_MAX,
        }
    }

    fn is_over(self, reply: &[u8]) -> bool {
        match self {
            Self::Softether(_) => softether::is_over(reply),
        }
    }
}

/// A request that was sent, and what has come back so far.
#[derive(Clone, Debug)]
pub(super) struct Inquiry {
    request: Request,
    reply: Vec<u8>,
    deadline: Moment,
}

impl Inquiry {
    /// `request`, sent at `now` on a connection that ends at `deadline`; and what is to be sent.
    pub(super) fn begin(request: Request, now: Moment, deadline: Moment) -> (Self, Vec<u8>) {
        let deadline = deadline.min(now + REPLY_TIME);
        (Self { request, reply: Vec::new(), deadline }, request.text())
    }

    /// When to wait no longer.
    pub(super) const fn deadline(&self) -> Moment {
        self.deadline
    }

    /// Bytes that are still taken.
    pub(super) fn room(&self) -> usize {
        self.request.reply_max().saturating_sub(self.reply.len())
    }

    /// Takes what has come, as far as there is room; whether that was all.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        self.reply.extend(bytes.iter().take(self.room()));
        self.request.is_over(&self.reply)
    }

    /// What has come.
    pub(super) fn into_reply(self) -> Vec<u8> {
        self.reply
    }
}
