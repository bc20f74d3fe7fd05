//! Addresses as numbers, targets, and the prefixes that politeness is measured by.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The two address families.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, 32 bits.
    V4,
    /// IPv6, 128 bits.
    V6,
}

impl Family {
    /// How many bits of an address lie below its politeness prefix: a /24 leaves 8, a /48 leaves 80.
    pub const fn prefix_shift(self) -> u32 {
        match self {
            Self::V4 => 8,
            Self::V6 => 80,
        }
    }

    /// The family of `address`.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The address whose number is `bits`; for IPv4 only the low 32 bits count.
    pub const fn address(self, bits: u128) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            Self::V6 => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

/// The number of `address` within its family.
pub fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// One address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The address to connect to.
    pub address: IpAddr,
    /// The TCP port.
    pub port: u16,
}

impl Target {
    /// `address` and `port` together.
    pub const fn new(address: IpAddr, port: u16) -> Self {
        Self { address, port }
    }

    /// The politeness prefix that the target counts towards.
    pub fn prefix(&self) -> Prefix {
        Prefix::of(self.address)
    }
}

impl From<Target> for SocketAddr {
    fn from(target: Target) -> Self {
        Self::new(target.address, target.port)
    }
}

/// `192.0.2.1:443`, `[2001:db8::1]:443`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

/// A politeness prefix: the /24 or /48 that an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    family: Family,
    number: u64,
}

impl Prefix {
    /// The prefix that `address` lies in.
    pub fn of(address: IpAddr) -> Self {
        let family = Family::of(address);
        // 24 and 48 bits are left of 32 and 128, so that the number always fits.
        Self { family, number: (bits(address) >> family.prefix_shift()) as u64 }
    }

    /// The prefix as one number, another for every prefix.
    pub const fn key(self) -> u64 {
        // A prefix has at most 48 bits.
        (self.family as u64) << 48 | self.number
    }
}

/// One number to mix, where the fields would be two.
impl Hash for Prefix {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.key());
    }
}

/// `192.0.2.0/24`, `2001:db8::/48`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.family.address(u128::from(self.number) << self.family.prefix_shift());
        match self.family {
            Family::V4 => write!(f, "{first}/24"),
            Family::V6 => write!(f, "{first}/48"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_inverse() {
        for text in ["0.0.0.0", "192.0.2.255", "255.255.255.255", "::", "2001:db8::1", "ffff::"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Family::of(address).address(bits(address)), address);
        }
    }

    #[test]
    fn prefixes_are_slash_24_and_slash_48() {
        let prefix = |text: &str| Prefix::of(text.parse().unwrap()).to_string();
        assert_eq!(prefix("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(prefix("2001:db8:1:ffff::5"), "2001:db8:1::/48");
    }

    #[test]
    fn targets_print_as_socket_addresses() {
        let target = |text: &str, port| Target::new(text.parse().unwrap(), port).to_string();
        assert_eq!(target("192.0.2.1", 443), "192.0.2.1:443");
        assert_eq!(target("2001:db8::1", 5555), "[2001:db8::1]:5555");
    }
}
