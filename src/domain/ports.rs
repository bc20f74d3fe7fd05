//! Port lists and their names.

use std::collections::BTreeSet;
use std::fmt;

use super::text::counted;

/// The shipped lists: a name, and the file of `port  # why` lines behind it.
const LISTS: [(&str, &str); 3] = [
    ("softether", include_str!("../../targets/ports/softether.txt")),
    ("softether-wide", include_str!("../../targets/ports/softether-wide.txt")),
    ("https", include_str!("../../targets/ports/https.txt")),
];

/// A set of TCP ports, in ascending order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSet(Vec<u16>);

/// Why a text names no ports.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Port 0 cannot be connected to.
    #[error("port 0 cannot be probed; ports go from 1 to 65535")]
    Zero,
    /// A number beyond 65535.
    #[error("port {0} is too large; ports go from 1 to 65535")]
    TooLarge(u64),
    /// A range whose end comes before its start.
    #[error("the port range {0} runs backwards")]
    Backwards(String),
    /// Neither a number, a range nor the name of a list.
    #[error("'{}' is no port, range or list (lists: {})", .0.escape_debug(), names())]
    Unknown(String),
    /// Nothing at all.
    #[error("no ports")]
    Empty,
}

impl PortSet {
    /// The ports, ascending.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.0.binary_search(&port).is_ok()
    }

    /// The place of `port` among the ports, ascending.
    pub fn index(&self, port: u16) -> Option<usize> {
        self.0.binary_search(&port).ok()
    }

    /// How many ports.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads items such as `443`, `8000-8010` and `softether`; the result is their union.
    ///
    /// # Errors
    /// [`PortError`] for the first item that names no ports, or if there are none.
    pub fn read<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<Self, PortError> {
        let mut ports = BTreeSet::new();
        for item in items {
            read_item(item.trim(), &mut ports)?;
        }
        if ports.is_empty() {
            return Err(PortError::Empty);
        }
        Ok(Self(ports.into_iter().collect()))
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        Self(ports.into_iter().collect::<BTreeSet<u16>>().into_iter().collect())
    }
}

/// `443, 992, 1194, 5555`; from nine ports on only their number: `100 ports`.
impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 8 {
            return f.write_str(&counted(self.0.len() as u128, "port", "ports"));
        }
        let texts: Vec<String> = self.0.iter().map(u16::to_string).collect();
        f.write_str(&texts.join(", "))
    }
}

/// The names of the shipped lists.
pub fn names() -> String {
    LISTS.map(|(name, _)| name).join(", ")
}

fn read_item(item: &str, ports: &mut BTreeSet<u16>) -> Result<(), PortError> {
    if let Some((_, list)) = LISTS.iter().find(|(name, _)| *name == item) {
        for line in list.lines() {
            let port = line.split('#').next().unwrap_or_default().trim();
            if !port.is_empty() {
                ports.insert(read_port(port)?);
            }
        }
        return Ok(());
    }
    match item.split_once('-') {
        Some((first, last)) if first.starts_with(|c: char| c.is_ascii_digit()) => {
            let (first, last) = (read_port(first.trim())?, read_port(last.trim())?);
            if first > last {
                return Err(PortError::Backwards(item.to_owned()));
            }
            ports.extend(first..=last);
        }
        _ => {
            ports.insert(read_port(item)?);
        }
    }
    Ok(())
}

fn read_port(text: &str) -> Result<u16, PortError> {
    let number: u64 = text.parse().map_err(|_| PortError::Unknown(text.to_owned()))?;
    match u16::try_from(number) {
        Ok(0) => Err(PortError::Zero),
        Ok(port) => Ok(port),
        Err(_) => Err(PortError::TooLarge(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_lists_read_and_softether_is_the_four() {
        for (name, _) in LISTS {
            assert!(!PortSet::read([name]).unwrap().is_empty());
        }
        assert_eq!(PortSet::read(["softether"]).unwrap().as_slice(), [443, 992, 1194, 5555]);
    }

    #[test]
    fn items_join_into_one_ascending_set() {
        let ports = PortSet::read(["8443", "softether", "440-443", "443"]).unwrap();
        assert_eq!(ports.as_slice(), [440, 441, 442, 443, 992, 1194, 5555, 8443]);
        assert_eq!(ports.index(992), Some(4));
        assert_eq!(ports.to_string(), "440, 441, 442, 443, 992, 1194, 5555, 8443");
    }

    #[test]
    fn bad_items_are_named() {
        let error = |item: &str| PortSet::read([item]).unwrap_err();
        assert_eq!(error("0"), PortError::Zero);
        assert_eq!(error("0-5"), PortError::Zero);
        assert_eq!(error("65536"), PortError::TooLarge(65_536));
        assert_eq!(error("90-80"), PortError::Backwards("90-80".into()));
        assert_eq!(error("softehter"), PortError::Unknown("softehter".into()));
        assert_eq!(PortSet::read([]).unwrap_err(), PortError::Empty);
    }
}
