//! certsweep finds servers by their TLS certificates.
//!
//! A threat report prints the SHA-1 fingerprints of certificates that an actor's servers show. The
//! same certificate at another address is another server of the same operator. certsweep sweeps address
//! ranges that you are authorised to scan, completes TLS handshakes with a verifier that refuses
//! nothing, takes the fingerprint of every leaf, matches it against indicator sets, and remembers
//! every certificate with where and when it was seen.
//!
//! It does not exploit, log in, follow what a certificate names, or connect to any address that its
//! scope does not permit.
//!
//! # The way through the house
//!
//! ```text
//!  scope file --+
//!  indicators --+--> Plan --> order --> dispatch --> dial --> TLS client --> Observation --> ledger,
//!  options    --+  (checked, (seeded   (paced,     (scope    (pure state    (what was       records,
//!                   hashed)  bijection) bounded)   asked      machine)       seen)          terminal
//!                                                  again)
//! ```
//!
//! A target travels one way. Nothing downstream calls back upstream: the ledger never dials, the engine
//! never formats, the command line decides nothing that the plan does not show.
//!
//! # Rooms
//!
//! | module | what lives there | may import |
//! | --- | --- | --- |
//! | [`domain`] | values and pure logic: no socket, file, clock, environment, printing | nothing of ours |
//! | [`engine`] | the only async code that touches the network for probing | `domain` |
//! | [`store`] | the ledger on disk: schema, migrations, one writer, queries | `domain` |
//! | [`watch`] | alerts about what changed | `domain`, `engine`, `store` |
//! | [`import`] | foreign formats in, one file per format | `domain` |
//! | [`watch`] | jobs that run on a schedule, and what follows their runs | `domain`, `engine`, `store` |
//! | `lab` | a loopback range of good, odd and hostile servers (feature `lab`) | `domain` |
//! | [`cli`] | arguments, settings, wiring, progress, exit codes | all |
//!
//! A test reads the sources and fails when a room imports what it may not.
//!
//! The [`manual`] explains the rest: vocabulary, invariants, records, files, and how to add things.

pub mod cli;
pub mod domain;
pub mod engine;
pub mod import;
#[cfg(feature = "lab")]
pub mod lab;
pub mod manual;
pub mod store;
pub mod watch;
