//! What goes on between scans: telling people what changed.

pub mod alert;
