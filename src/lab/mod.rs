//! A loopback range of good, odd and hostile servers, for the demo, the tests and the benches.
//!
//! Each server has one [`Behaviour`], and each behaviour says what a sweep must make of it. A
//! [`Range`] is a /24 of them, small and varied; a [`Crowd`] is any number of all of them; a [`Field`] is any
//! number of the same one, for measuring. Certificates and keys are made afresh at every start and are never written anywhere.
//!
//! What is in this room listens on 127.0.0.0/8 and nowhere else, connects to nothing but itself (the relay
//! does), prints and logs nothing, and is never part of a sweep. Of our other rooms it imports `domain` alone.

mod behaviour;
mod canned;
mod certificates;
#[cfg(test)]
mod client;
mod conversation;
mod crowd;
mod error;
mod event_loop;
mod expected;
mod field;
pub mod hostile;
mod indicators;
pub mod layout;
mod listener;
mod range;
mod server;
mod tls;
mod wire;

pub use behaviour::Behaviour;
pub use certificates::{CertificateKind, Certificates};
pub use crowd::Crowd;
pub use error::LabError;
pub use expected::Expected;
pub use field::{Field, FieldServer};
pub use layout::{HOSTS, behaviour};
pub use range::{Range, SOFTETHER_PORTS, STAND_IN_PORTS};
