//! The program against what it meets outside of its own lab: servers of Debian packages, routes that
//! lead nowhere, disks that take nothing more, and a user without rights.
//!
//! Every test runs in namespaces of its own, which end with it. It needs root, and what `tests/run`
//! installs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot be set up has failed, and the place says where"
)]

#[path = "../it/certificate.rs"]
mod certificate;
mod clock;
mod confirm;
mod crash;
mod disk;
mod fingerprints;
mod leaves;
mod matrix;
mod nobody;
mod openssl;
mod program;
mod reach;
mod sandbox;
mod softether;
mod vpn;
mod watch;
