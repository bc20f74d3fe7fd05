//! The manual: what holds everywhere, and why.
//!
//! It is written as modules so that it is versioned with the code, its links are checked, and its
//! examples run as tests.

pub mod alerts;
pub mod collected;
pub mod engine;
pub mod evidence;
pub mod extending;
pub mod files;
pub mod hostile;
pub mod invariants;
pub mod ledger;
pub mod outcomes;
pub mod records;
pub mod speed;
pub mod transitions;
pub mod vocabulary;
pub mod watch;
