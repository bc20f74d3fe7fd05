//! The only code that touches the network for probing.
//!
//! It carries out what `domain` decides: [`Dispatch`](crate::domain::dispatch::Dispatch) says which target
//! is next, a [`Client`](crate::domain::tls::Client) says what to send. A run is one or more event loops, each on a
//! thread of its own with its own slice of the order; `dial` is the one place that connects a probing socket, and asks
//! the scope first, each time. Nothing here formats, stores or prints, and no rule lives here that could be
//! tested without a socket.

mod clock;
mod dial;
mod event;
mod event_loop;
pub mod limits;
mod poll;
mod prober;
mod run;
pub mod signals;
mod sweep;
mod talk;

pub use clock::Clock;
pub use event::{Event, RunEnd};
pub use prober::Prober;
pub use run::{Ran, run};
