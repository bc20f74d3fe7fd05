//! What a connection is made with: which client, what it offers, how far it goes, which name it sends.

use std::sync::Arc;
use std::time::Duration;

use super::own::{Goal, Hello, OwnOffer, StaticKeys};
use super::{Client, Entropy, Limits, Moment, Offer, RustlsOffer, ServerName};

/// Which client speaks, and what it offers: what the record of an attempt says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Our own client.
    Own(Hello, Goal),
    /// rustls, which offers TLS 1.2 and 1.3 and completes the handshake.
    Rustls,
}

impl Asked {
    /// The client's name.
    pub const fn client(self) -> &'static str {
        match self {
            Self::Own(..) => "own",
            Self::Rustls => "rustls",
        }
    }

    /// The offer's name.
    pub const fn offer(self) -> &'static str {
        match self {
            Self::Own(hello, Goal::Leaf | Goal::Proof) => match hello {
                Hello::Universal => "universal",
                Hello::Modern => "modern",
                Hello::Tls12 => "tls12",
                Hello::Rsa => "rsa",
                Hello::Ecdsa => "ecdsa",
                Hello::Eddsa => "eddsa",
            },
            Self::Own(hello, Goal::Finish) => match hello {
                Hello::Universal => "universal-finish",
                Hello::Modern => "modern-finish",
                Hello::Tls12 => "tls12-finish",
                Hello::Rsa => "rsa-finish",
                Hello::Ecdsa => "ecdsa-finish",
                Hello::Eddsa => "eddsa-finish",
            },
            Self::Rustls => "tls12-tls13",
        }
    }

    /// The same, to the end of the handshake where that can be reached.
    #[must_use]
    pub const fn to_the_end(self) -> Self {
        match self {
            Self::Own(hello, _) => Self::Own(hello, Goal::Finish),
            Self::Rustls => Self::Rustls,
        }
    }
}

/// One connection that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What it is made with.
    pub asked: Asked,
    /// The server name that it sends.
    pub server_name: Option<ServerName>,
    /// How long to wait before it.
    pub after: Duration,
}

/// Makes the client of any connection.
pub trait Offers: Send + Sync {
    /// A client for a connection that was accepted at `now`; `entropy` is for this one alone.
    fn start(&self, ask: &Ask, now: Moment, entropy: Entropy) -> Box<dyn Client>;
}

/// The clients that there are: rustls's and our own.
pub struct Clients {
    limits: Limits,
    rustls: RustlsOffer,
    keys: Option<Arc<StaticKeys>>,
}

impl Clients {
    /// What makes clients that keep `limits`; `entropy` is what the run's static key shares come from.
    ///
    /// # Errors
    /// rustls refuses its configuration; with the provider named here it does not.
    pub fn new(limits: Limits, entropy: &[u8; 64]) -> Result<Self, rustls::Error> {
        // Bytes that make no key leave the base points, and cost a retry's chance.
        let keys = StaticKeys::new(entropy).map(Arc::new);
        Ok(Self { limits, rustls: RustlsOffer::new(limits)?, keys })
    }
}

impl Offers for Clients {
    fn start(&self, ask: &Ask, now: Moment, entropy: Entropy) -> Box<dyn Client> {
        let name = ask.server_name.clone();
        match ask.asked {
            Asked::Rustls => self.rustls.clone().with_server_name(name).start(now, entropy),
            Asked::Own(hello, goal) => {
                let offer = OwnOffer::new(self.limits, goal).with_hello(hello);
                let offer = match (&self.keys, hello) {
                    (Some(keys), Hello::Modern) => offer.with_keys(Arc::clone(keys)),
                    _ => offer,
                };
                offer.with_server_name(name).start(now, entropy)
            }
        }
    }
}
