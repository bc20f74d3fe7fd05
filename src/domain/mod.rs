//! Values and rules, and nothing else.
//!
//! Bytes, values and `now` go in; values come out. What is in this room never opens a socket or a
//! file, reads a clock or the environment, prints or logs, so that every rule can be tested over
//! all its cases in simulated time. It imports none of our other rooms.

pub mod address;
pub mod alert;
pub mod cert;
pub mod collected;
#[cfg(test)]
mod corpus;
pub mod courtesy;
pub mod coverage;
pub mod diagnostic;
pub mod dispatch;
pub mod document;
pub mod fingerprint;
pub mod indicator;
pub mod job;
pub mod ladder;
pub mod ledger;
pub mod observation;
pub mod order;
pub mod outcome;
pub mod pace;
pub mod patience;
pub mod plan;
pub mod ports;
pub mod query;
pub mod ranges;
pub mod recogniser;
pub mod record;
pub mod scan;
pub mod schedule;
pub mod scope;
pub mod server_name;
pub mod softether;
pub mod spent;
pub mod targets;
pub mod text;
pub mod time;
pub mod tls;
pub mod visit;
pub mod wheel;
pub mod when;
