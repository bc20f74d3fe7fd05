//! The only async code that touches the network for probing.
//!
//! It carries out what `domain` decides: [`Dispatch`](crate::domain::dispatch::Dispatch) says which target
//! is next, a [`Client`](crate::domain::tls::Client) says what to send. `dial` is the one place that opens
//! a probing socket, and asks the scope first, each time. Nothing here formats, stores or prints, and no
//! rule lives here that could be tested without a socket.

mod clock;
mod dial;
mod drive;
mod event;
pub mod limits;
mod probe;
mod run;
pub mod signals;

pub use clock::Clock;
pub use event::{Event, RunEnd};
pub use probe::{Ended, Prober};
pub use run::run;
