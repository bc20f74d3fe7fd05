//! Why a lab could not be set up.

use std::io;
use std::net::SocketAddrV4;

/// How many descriptors a range and its clients in the same process use beside the listeners, at a
/// modest number of connections.
const SPARE_DESCRIPTORS: usize = 512;

/// Why a lab could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// There is no tokio runtime for the servers to run on.
    #[error("a lab can only be started inside a tokio runtime")]
    NoRuntime,
    /// A key or certificate could not be made.
    #[error("cannot make the lab's certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library did not take a key or a setting.
    #[error("cannot set up the lab's TLS servers: {0}")]
    Tls(#[from] rustls::Error),
    /// The process may not open enough files.
    #[error(
        "the lab needs {listeners} file descriptors to listen, and more for connections; raise the \
         limit on open files (ulimit -n) to {} or above",
        .listeners + SPARE_DESCRIPTORS
    )]
    Descriptors {
        /// How many listeners there have to be.
        listeners: usize,
    },
    /// The system gave no event queue or thread.
    #[error("cannot serve connections: {0}")]
    Serving(io::Error),
    /// Every block that was tried has an address and port in use.
    #[error("no free /24 for the lab in {tried} tries; the last was stopped at {last}, in use")]
    InUse {
        /// How many blocks were tried.
        tried: u32,
        /// The address and port that was in use in the last of them.
        last: SocketAddrV4,
    },
    /// An address and port could not be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address and port.
        address: SocketAddrV4,
        /// What the system said.
        source: io::Error,
    },
}

impl LabError {
    /// `source`, met while the first of `listeners` sockets, or a later one, was bound to `address`.
    pub(super) fn listening(address: SocketAddrV4, listeners: usize, source: io::Error) -> Self {
        // EMFILE and ENFILE, for which the standard library has no stable kind; Linux gives them
        // the same numbers on every architecture.
        match source.raw_os_error() {
            Some(23 | 24) => Self::Descriptors { listeners },
            _ => Self::Listen { address, source },
        }
    }

    /// What the system said about the address that could not be listened on.
    pub(super) fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Listen { source, .. } => Some(source.kind()),
            Self::InUse { .. } => Some(io::ErrorKind::AddrInUse),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_limit_on_open_files_is_told_from_other_troubles() {
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 443);
        let error = |code| LabError::listening(address, 600, io::Error::from_raw_os_error(code));
        assert_eq!(
            error(24).to_string(),
            "the lab needs 600 file descriptors to listen, and more for connections; raise the \
             limit on open files (ulimit -n) to 1112 or above"
        );
        assert_eq!(error(13).kind(), Some(io::ErrorKind::PermissionDenied));
        assert!(error(13).to_string().starts_with("cannot listen on 127.0.0.1:443: "));
    }
}
