//! What a connection is made with: which client, what it offers, how far it goes, which name it sends.

use std::sync::Arc;
use std::time::Duration;

use super::own::{Goal, Hello, OwnOffer, StaticKeys};
use super::{Client, Entropy, Limits, Moment, Offer, Request, RustlsOffer, ServerName};

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
            Self::Own(hello, Goal::Leaf) => match hello {
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
    /// What is asked over it once the handshake is finished; nothing by default.
    pub request: Option<Request>,
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
            Asked::Rustls => {
                let offer = self.rustls.clone().with_server_name(name);
                offer.with_request(ask.request).start(now, entropy)
            }
            Asked::Own(hello, goal) => {
                let offer = OwnOffer::new(self.limits, goal).with_hello(hello);
                let offer = match (&self.keys, hello) {
                    (Some(keys), Hello::Modern) => offer.with_keys(Arc::clone(keys)),
                    _ => offer,
                };
                offer.with_server_name(name).with_request(ask.request).start(now, entropy)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tls::tests::{TLS12, TLS13, honest, sent_by, talk};

    const HELLOS: [Hello; 6] =
        [Hello::Universal, Hello::Modern, Hello::Tls12, Hello::Rsa, Hello::Ecdsa, Hello::Eddsa];

    /// The words stand in records: they never change.
    #[test]
    fn every_client_and_offer_has_its_word() {
        let offers = |goal| HELLOS.map(|hello| Asked::Own(hello, goal).offer());
        let short = ["universal", "modern", "tls12", "rsa", "ecdsa", "eddsa"];
        assert_eq!(offers(Goal::Leaf), short);
        assert_eq!(offers(Goal::Finish), short.map(|word| format!("{word}-finish")));
        assert_eq!(Asked::Own(Hello::Modern, Goal::Leaf).client(), "own");
        assert_eq!((Asked::Rustls.client(), Asked::Rustls.offer()), ("rustls", "tls12-tls13"));
        assert_eq!(Asked::Rustls.to_the_end(), Asked::Rustls);
        let asked = Asked::Own(Hello::Rsa, Goal::Leaf).to_the_end();
        assert_eq!(asked, Asked::Own(Hello::Rsa, Goal::Finish));
    }

    #[test]
    fn every_client_proves_what_its_offer_allows_and_sends_its_name() {
        let clients = Clients::new(Limits::default(), &[7; 64]).unwrap();
        let name = ServerName::new("vpn.example.org").unwrap();
        let ed25519 = honest(&rustls::version::TLS13, &rcgen::PKCS_ED25519);
        let rsa = honest(&rustls::version::TLS12, &rcgen::PKCS_RSA_SHA256);
        for (asked, (server, leaf)) in [
            (Asked::Rustls, &*TLS13),
            (Asked::Own(Hello::Universal, Goal::Finish), &*TLS13),
            (Asked::Own(Hello::Modern, Goal::Finish), &*TLS13),
            (Asked::Own(Hello::Tls12, Goal::Finish), &*TLS12),
            (Asked::Own(Hello::Rsa, Goal::Finish), &rsa),
            (Asked::Own(Hello::Ecdsa, Goal::Finish), &*TLS12),
            (Asked::Own(Hello::Eddsa, Goal::Finish), &ed25519),
        ] {
            for server_name in [None, Some(name.clone())] {
                let ask = Ask { asked, server_name, after: Duration::ZERO, request: None };
                let start = || clients.start(&ask, Moment::ZERO, [7; 112]);
                let hello = sent_by(start().as_mut());
                let is_sent = hello.windows(15).any(|window| window == name.as_str().as_bytes());
                assert_eq!(is_sent, ask.server_name.is_some(), "{ask:?}");
                let mut client = start();
                assert_eq!(client.deadline(), Duration::from_secs(5));
                talk(client.as_mut(), server, usize::MAX, usize::MAX);
                let verdict = client.verdict().unwrap();
                assert_eq!(&verdict.certificates[0], leaf, "{ask:?}");
                assert_eq!(verdict.evidence.word(), "key proven", "{ask:?}");
                assert!(verdict.evidence.handshake_finished, "{ask:?}");
            }
        }
    }
}
