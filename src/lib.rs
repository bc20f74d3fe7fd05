//! certsweep

pub mod cli;
pub mod domain;
pub mod engine;
pub mod import;
#[cfg(feature = "lab")]
pub mod lab;
pub mod store;
