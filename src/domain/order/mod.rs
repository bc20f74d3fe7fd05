//! The order in which targets are visited: `position <-> target`, in constant memory.
//!
//! The unit of sharding is the politeness prefix (/24, /48). One seeded bijection deals the prefixes out
//! to the shards, so that each lies in exactly one; a second one mixes all targets of a shard, so
//! that no prefix is visited in one go. Both can be inverted. Memory grows with the ranges that
//! were written down, never with the addresses they hold.
//!
//! Positions depend on the includes, the ports, the seed and the shard, and on nothing else: what an
//! exclusion or an opt-out removes keeps its position and is skipped when its turn comes, so that a
//! token written before stays good after.

mod divisor;
mod permutation;
mod units;

pub use permutation::Permutation;

use std::net::IpAddr;

use super::address::Target;
use super::ports::PortSet;
use super::ranges::AddressSet;
use super::scan::Shard;
use divisor::Divisor;
use units::{FullPrefixes, PartialPrefixes, split};

/// The version of the rules by which positions are assigned; part of every plan's hash.
pub const VERSION: u32 = 2;

const FULL: u64 = 1;
const PARTIAL: u64 = 2;
const TARGETS: u64 = 3;

/// More positions than a run can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than 2^62 targets")]
pub struct TooMany;

/// A seeded order over one shard of `addresses x ports`.
#[derive(Clone, Debug)]
pub struct Order {
    addresses: AddressSet,
    ports: PortSet,
    per_address: Divisor,
    shard: Shard,
    /// Whole IPv4 prefixes: dealt out and found by arithmetic.
    full: FullPrefixes,
    /// Deals the whole prefixes out to the shards; where there is one shard it gets all of them as they are.
    deal: Option<Permutation>,
    /// Whole prefixes of this shard.
    full_here: u64,
    /// Parts of prefixes that lie in this shard, listed.
    partial: PartialPrefixes,
    mixed: Permutation,
}

impl Order {
    /// The order that `seed` gives to `shard` of `addresses x ports`.
    ///
    /// # Errors
    /// [`TooMany`] from 2^62 targets on.
    pub fn new(
        addresses: AddressSet,
        ports: PortSet,
        seed: u64,
        shard: Shard,
    ) -> Result<Self, TooMany> {
        let (full, partial) = split(&addresses)?;
        let (index, count) = (u64::from(shard.index) - 1, u64::from(shard.count));
        let deal = (count > 1).then(|| Permutation::new(full.len(), seed, FULL));
        let full_here = full.len().saturating_sub(index).div_ceil(count);
        let partial_deal = Permutation::new(partial.len() as u64, seed, PARTIAL);
        // Partial prefixes are dealt out where the whole ones left off, so that shards stay even.
        let here = |unit: usize| (full.len() + partial_deal.forward(unit as u64)) % count == index;
        let partial = PartialPrefixes::new(partial, here)?;
        let addresses_here = full_here
            .checked_mul(units::WHOLE)
            .and_then(|whole| whole.checked_add(partial.addresses()))
            .ok_or(TooMany)?;
        let positions = addresses_here
            .checked_mul(ports.len() as u64)
            .filter(|n| *n < 1 << 62)
            .ok_or(TooMany)?;
        let purpose = TARGETS + (index << 8) + (count << 40);
        let mixed = Permutation::new(positions, seed, purpose);
        let per_address = Divisor::new(ports.len() as u64);
        Ok(Self { addresses, ports, per_address, shard, full, deal, full_here, partial, mixed })
    }

    /// How many positions there are.
    pub const fn len(&self) -> u64 {
        self.mixed.len()
    }

    /// Whether the shard holds no target.
    pub const fn is_empty(&self) -> bool {
        self.mixed.is_empty()
    }

    /// The target at `position`, or `None` at or beyond the end.
    pub fn target(&self, position: u64) -> Option<Target> {
        if position >= self.len() {
            return None;
        }
        let (address, port) = self.per_address.divide(self.mixed.forward(position));
        let port = *self.ports.as_slice().get(port as usize)?;
        self.address(address).map(|address| Target::new(address, port))
    }

    /// The position of `target`, the inverse of [`Order::target`]; `None` if it is not in this shard.
    pub fn position(&self, target: Target) -> Option<u64> {
        let port = self.ports.index(target.port)? as u64;
        let index = self.address_index(target.address)? * self.ports.len() as u64 + port;
        Some(self.mixed.backward(index))
    }

    fn address(&self, index: u64) -> Option<IpAddr> {
        let whole = self.full_here * units::WHOLE;
        if index >= whole {
            return self.addresses.address(self.partial.base_index(index - whole)?);
        }
        let (here, offset) = (index / units::WHOLE, index % units::WHOLE);
        let unit = self.deal.as_ref().map_or(here, |deal| {
            deal.backward(here * u64::from(self.shard.count) + u64::from(self.shard.index - 1))
        });
        Some(self.full.address(unit, offset))
    }

    fn address_index(&self, address: IpAddr) -> Option<u64> {
        let Some((unit, offset)) = self.full.find(address) else {
            let within = self.partial.index(self.addresses.index(address)?)?;
            return Some(self.full_here * units::WHOLE + within);
        };
        let rank = self.deal.as_ref().map_or(unit, |deal| deal.forward(unit));
        let count = u64::from(self.shard.count);
        let here = rank % count == u64::from(self.shard.index - 1);
        here.then(|| rank / count * units::WHOLE + offset)
    }
}

#[cfg(test)]
mod tests;
