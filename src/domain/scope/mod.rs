//! Scopes: who said that which addresses and ports may be probed, when, and at what rate.
//!
//! Without a scope nothing is sent. Every check runs on the merged set of addresses, so that no way of
//! writing a range down gets around one, and [`Scope::permits`] is asked again, dates included, for
//! each connection.

mod ad_hoc;
mod file;
mod space;

pub use ad_hoc::{AD_HOC_ADDRESSES_MAX, AdHoc};
pub use file::{parse_prefix, read};
pub use space::{Exclusion, Reason};

use super::address::Target;
use super::diagnostic::Diagnostic;
use super::fingerprint::Sha256Fingerprint;
use super::ports::PortSet;
use super::ranges::AddressSet;
use super::time::{Day, Timestamp};

/// The default rate of a whole run, in connections per second.
pub const RATE: f64 = 500.0;

/// The default rate towards one /24 or /48, in connections per second.
pub const RATE_PER_PREFIX: f64 = 5.0;

/// IPv6 targets beyond which a scope needs a target list.
pub const V6_TARGETS_MAX: u128 = 1 << 40;

/// IPv4 addresses beyond which a scope is refused: half of them all.
pub const V4_ADDRESSES_MAX: u128 = 1 << 31;

/// A permission to probe.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The scope's name.
    pub name: String,
    /// Who probes.
    pub operator: Option<String>,
    /// Where the owner of a probed address can complain or opt out.
    pub contact: Option<String>,
    /// Who gave the permission.
    pub authorised_by: Option<String>,
    /// The contract or ticket that holds it.
    pub reference: Option<String>,
    /// First day (UTC) on which it holds.
    pub valid_from: Option<Day>,
    /// Last day (UTC) on which it holds.
    pub valid_until: Option<Day>,
    /// The addresses written down as included, merged.
    pub included: AddressSet,
    /// What remains after exclusions, special-purpose and never-probed space.
    pub allowed: AddressSet,
    /// What was taken away, and why.
    pub exclusions: Vec<Exclusion>,
    /// The ports that may be probed.
    pub ports: PortSet,
    /// Connections per second, whole run, as written down.
    pub rate: Option<f64>,
    /// Connections per second towards one /24 or /48, as written down.
    pub rate_per_prefix: Option<f64>,
    /// The text that the scope was read from.
    pub text: String,
    /// SHA-256 of the text.
    pub hash: Sha256Fingerprint,
}

/// Why a scope cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It cannot be understood, or contradicts itself: mend the file.
    #[error("{0}")]
    Invalid(#[from] Diagnostic),
    /// It is understood, and what was asked for goes beyond what a scope may permit.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// Why a scope does not permit something. Nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The first day has not come.
    #[error("scope '{scope}' is not valid before {from} (UTC)")]
    NotYetValid {
        /// The scope's name.
        scope: String,
        /// Its first day.
        from: Day,
    },
    /// The last day is over.
    #[error("scope '{scope}' expired: it was valid until {until} (UTC)")]
    Expired {
        /// The scope's name.
        scope: String,
        /// Its last day.
        until: Day,
    },
    /// The address is outside, or excluded.
    #[error("{target} is outside scope '{scope}'{because}")]
    Outside {
        /// The target.
        target: Target,
        /// The scope's name.
        scope: String,
        /// Empty, or `: ` and the reason.
        because: String,
    },
    /// More addresses, ports or speed than may be permitted, or is.
    #[error("{0}")]
    Beyond(String),
    /// Something that a person must say was not said.
    #[error("{0}")]
    Unauthorised(String),
}

impl Scope {
    /// Whether `target` may be connected to at `now`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn permits(&self, target: Target, now: Timestamp) -> Result<(), Refusal> {
        self.is_valid_at(now)?;
        if self.allowed.contains(target.address) && self.ports.contains(target.port) {
            return Ok(());
        }
        Err(self.outside(target))
    }

    /// Whether the scope holds on the day of `now`.
    ///
    /// # Errors
    /// Not yet, or no longer.
    pub fn is_valid_at(&self, now: Timestamp) -> Result<(), Refusal> {
        let today = now.day();
        match (self.valid_from, self.valid_until) {
            (Some(from), _) if today < from => {
                Err(Refusal::NotYetValid { scope: self.name.clone(), from })
            }
            (_, Some(until)) if until < today => {
                Err(Refusal::Expired { scope: self.name.clone(), until })
            }
            _ => Ok(()),
        }
    }

    /// The refusal of `target`, with the reason.
    pub fn outside(&self, target: Target) -> Refusal {
        let exclusion = self.exclusions.iter().find(|exclusion| exclusion.holds(target.address));
        let because = if let Some(exclusion) = exclusion {
            format!(": {exclusion}")
        } else if self.allowed.contains(target.address) {
            format!(": port {} is not among its ports ({})", target.port, self.ports)
        } else {
            String::new()
        };
        Refusal::Outside { target, scope: self.name.clone(), because }
    }

    /// Whether every address that may be probed is loopback: no permission is needed, no rate is set.
    pub fn is_loopback(&self) -> bool {
        self.allowed.ranges().iter().all(space::is_loopback)
    }

    /// The rate of a whole run: what is written down, or the default; `None` is unlimited.
    pub fn default_rate(&self) -> Option<f64> {
        self.rate.or((!self.is_loopback()).then_some(RATE))
    }

    /// The rate towards one prefix, likewise.
    pub fn default_rate_per_prefix(&self) -> Option<f64> {
        self.rate_per_prefix.or((!self.is_loopback()).then_some(RATE_PER_PREFIX))
    }
}

#[cfg(test)]
mod tests;
