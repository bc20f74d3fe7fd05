//! What a server of the lab does with a connection.

use super::hostile::{Script, scripts};

/// What a server does with a connection, and so what a client sees.
///
/// [`Behaviour::expected`] says in full what a sweep must make of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behaviour {
    /// TLS 1.3 and nothing older, with a P-256 leaf: `certificate`, key proven.
    Tls13P256,
    /// TLS 1.3 and nothing older, with an RSA-2048 leaf: `certificate`, key proven.
    Tls13Rsa,
    /// TLS 1.2 and nothing newer, with a P-256 leaf: `certificate`, key proven.
    Tls12P256,
    /// TLS 1.2 and nothing newer, with an RSA-2048 leaf: `certificate`, key proven.
    Tls12Rsa,
    /// TLS 1.3 and nothing older, with an Ed25519 leaf: `certificate`, key proven.
    Ed25519,
    /// TLS 1.2 and 1.3, with a leaf as SoftEther makes for itself: `certificate`, key proven.
    SoftetherDefault,
    /// TLS 1.2 and 1.3, with the first indicator's leaf: `certificate`, key proven, a match.
    IndicatorOne,
    /// TLS 1.2 and 1.3, with the second indicator's leaf: `certificate`, key proven, a match.
    IndicatorTwo,
    /// TLS 1.2 and 1.3, with the first indicator's leaf and a key of its own, so that a client
    /// that verifies nothing finishes the handshake: `certificate`, key NOT proven, a match.
    Impostor,
    /// The same in TLS 1.2 and nothing newer: `certificate`, key NOT proven, a match.
    Impostor12,
    /// Passes all bytes on to the host of [`IndicatorOne`](Self::IndicatorOne), and so that one's proof, which is
    /// real: `certificate`, key proven, a match, though it holds no key.
    Relay,
    /// Reads the ClientHello and answers `HTTP/1.1 400 Bad Request`: `not_tls`, `http`.
    Http,
    /// Sends an SSH identification string at once: `not_tls`, `ssh`.
    Ssh,
    /// Sends an SMTP greeting at once: `not_tls`, `smtp`.
    Smtp,
    /// Accepts and never answers: `silent`.
    Silent,
    /// Has no listener: `refused`.
    Refused,
    /// Reads the ClientHello and resets the connection: `reset`.
    ResetAfterHello,
    /// Reads the ClientHello and sends fatal alert 40, handshake_failure: `alert`.
    AlertHandshakeFailure,
    /// Reads the ClientHello and sends fatal alert 70, protocol_version: `alert`.
    AlertProtocolVersion,
    /// Reads the ClientHello and ends its stream without a byte of an answer: `closed`.
    CloseAtOnce,
    /// Reads the ClientHello, sends the start of a ServerHello, then nothing more: `stalled`.
    Stall,
    /// Reads the ClientHello, sends half a ServerHello and ends its stream: `stalled`.
    Truncate,
    /// Reads the ClientHello and sends a handshake record without sense in it: `malformed`.
    Garbage,
    /// Reads the ClientHello, sends a TLS 1.2 ServerHello and then a Certificate message of 16 MiB,
    /// which is within TLS's rules but more than rustls buffers: it gives up with
    /// `HandshakePayloadTooLarge` as soon as it sees the length, before 256 KiB are read:
    /// `too_large`.
    Endless,
    /// Breaks the rules as the script has it.
    Hostile(&'static Script),
}

impl Behaviour {
    /// Every behaviour.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.into_iter().chain(scripts().map(Self::Hostile))
    }

    /// Every behaviour but the hostile ones, in the order of the manual.
    pub const PLAIN: [Self; 24] = [
        Self::Tls13P256,
        Self::Tls13Rsa,
        Self::Tls12P256,
        Self::Tls12Rsa,
        Self::Ed25519,
        Self::SoftetherDefault,
        Self::IndicatorOne,
        Self::IndicatorTwo,
        Self::Impostor,
        Self::Impostor12,
        Self::Relay,
        Self::Http,
        Self::Ssh,
        Self::Smtp,
        Self::Silent,
        Self::Refused,
        Self::ResetAfterHello,
        Self::AlertHandshakeFailure,
        Self::AlertProtocolVersion,
        Self::CloseAtOnce,
        Self::Stall,
        Self::Truncate,
        Self::Garbage,
        Self::Endless,
    ];
}
