//! Numbers of the wire: what is offered of cipher suites, groups and signature schemes, and what things are called.
//!
//! The lists are wide so that the one ClientHello suits every server; what they have in common is that the server
//! must show a certificate. Anonymous and pre-shared-key suites are never offered: a server that picks one
//! shows none. Nothing but a Finished message is ever sent under any of these ciphers, so that weak ones do no harm.

use std::borrow::Cow;

use rustls::CipherSuite;

pub(super) const SSL30: u16 = 0x0300;
pub(super) const TLS10: u16 = 0x0301;
pub(super) const TLS11: u16 = 0x0302;
pub(super) const TLS12: u16 = 0x0303;
pub(super) const TLS13: u16 = 0x0304;

/// What records call the version.
pub(super) const fn version_name(version: u16) -> Option<&'static str> {
    match version {
        SSL30 => Some("SSL3"),
        TLS10 => Some("1.0"),
        TLS11 => Some("1.1"),
        TLS12 => Some("1.2"),
        TLS13 => Some("1.3"),
        _ => None,
    }
}

/// The IANA name of a cipher suite, or its code point in hex where rustls does not know the name.
pub(in super::super) fn suite_name(suite: u16) -> Cow<'static, str> {
    // rustls calls these TLS13_.
    let name = match suite {
        0x1301 => Some("TLS_AES_128_GCM_SHA256"),
        0x1302 => Some("TLS_AES_256_GCM_SHA384"),
        0x1303 => Some("TLS_CHACHA20_POLY1305_SHA256"),
        0x1304 => Some("TLS_AES_128_CCM_SHA256"),
        0x1305 => Some("TLS_AES_128_CCM_8_SHA256"),
        _ => CipherSuite::from(suite).as_str(),
    };
    name.map_or_else(|| format!("0x{suite:04X}").into(), Cow::Borrowed)
}

/// Cipher suites in the order of preference: TLS 1.3, then forward secrecy, then RSA key exchange, then the
/// old and the odd; the last one is the signal of secure renegotiation (RFC 5746).
pub(super) const SUITES: [u16; 163] = [
    0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e,
    0x009f, 0xccaa, 0x00a2, 0x00a3, 0xc023, 0xc027, 0xc024, 0xc028, 0xc009, 0xc013, 0xc00a, 0xc014,
    0x0067, 0x006b, 0x0033, 0x0039, 0x0040, 0x006a, 0x0032, 0x0038, 0x009c, 0x009d, 0x003c, 0x003d,
    0x002f, 0x0035, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xc09c, 0xc09d, 0xc09e, 0xc09f, 0xc0a0, 0xc0a1,
    0xc0a2, 0xc0a3, 0x0088, 0x0045, 0x0084, 0x0041, 0x0087, 0x0044, 0x00c4, 0x00be, 0x00c0, 0x00ba,
    0x00c3, 0x00bd, 0xc072, 0xc073, 0xc076, 0xc077, 0xc086, 0xc087, 0xc08a, 0xc08b, 0xc07a, 0xc07b,
    0xc07c, 0xc07d, 0xc080, 0xc081, 0xc03c, 0xc03d, 0xc042, 0xc043, 0xc044, 0xc045, 0xc048, 0xc049,
    0xc04c, 0xc04d, 0xc050, 0xc051, 0xc052, 0xc053, 0xc056, 0xc057, 0xc05c, 0xc05d, 0xc060, 0xc061,
    0x009a, 0x0099, 0x0096, 0x0007, 0xc012, 0xc008, 0x0016, 0x0013, 0x000a, 0xc011, 0xc007, 0x0005,
    0x0004, 0x0066, 0x0015, 0x0012, 0x0009, 0x0062, 0x0064, 0x0060, 0x0061, 0x0063, 0x0065, 0x0014,
    0x0011, 0x0008, 0x0006, 0x0003, 0xc006, 0xc010, 0x003b, 0x0002, 0x0001, 0x00a0, 0x00a1, 0x00a4,
    0x00a5, 0x003e, 0x003f, 0x0068, 0x0069, 0x0030, 0x0031, 0x0036, 0x0037, 0x000d, 0x0010, 0xc004,
    0xc005, 0xc00e, 0xc00f, 0xc003, 0xc00d, 0xc025, 0xc026, 0xc029, 0xc02a, 0xc02d, 0xc02e, 0xc031,
    0xc032, 0xc100, 0xc101, 0xc102, 0x0081, 0x0080, 0x00ff,
];

/// Groups in the order of preference (IANA TLS Supported Groups): those that a share is sent of, then those that
/// a HelloRetryRequest may ask for, then those that only TLS 1.2 and older use.
pub(super) const GROUPS: [u16; 35] = [
    29, 23, 24, 25, 30, 256, 257, 258, 259, 260, 22, 26, 27, 28, 9, 10, 11, 12, 13, 14, 1, 2, 3, 4,
    5, 6, 7, 8, 15, 16, 17, 18, 19, 20, 21,
];

/// Signature schemes in the order of preference: those that can be checked first.
pub(super) const SCHEMES: [u16; 27] = [
    0x0403, 0x0807, 0x0804, 0x0503, 0x0603, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201, 0x0203,
    0x0808, 0x0809, 0x080a, 0x080b, 0x081a, 0x081b, 0x081c, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502,
    0x0602, 0x0202, 0x0101,
];

/// The signal of secure renegotiation among the suites (RFC 5746, section 3.3).
pub(super) const RENEGOTIATION_SIGNAL: u16 = 0x00ff;

/// What is common in TLS 1.3, 1.2 and older, for servers that take offence at the long list.
pub(super) const MODERN_SUITES: [u16; 26] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a,
    0xc014, 0x009e, 0x009f, 0x0033, 0x0039, 0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x000a, 0x0005,
    0x0004, 0x00ff,
];

/// Groups that are common: X25519, P-256, P-384, P-521.
pub(super) const MODERN_GROUPS: [u16; 4] = [29, 23, 24, 25];

/// Signature schemes that are common.
pub(super) const MODERN_SCHEMES: [u16; 12] = [
    0x0403, 0x0807, 0x0804, 0x0503, 0x0603, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201, 0x0203,
];

/// Signature schemes of RSA keys.
pub(super) const RSA_SCHEMES: [u16; 12] = [
    0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0201, 0x0809, 0x080a, 0x080b, 0x0301, 0x0101,
];

/// Signature schemes of ECDSA keys, Brainpool's among them.
pub(super) const ECDSA_SCHEMES: [u16; 8] =
    [0x0403, 0x0503, 0x0603, 0x0203, 0x0303, 0x081a, 0x081b, 0x081c];

/// Signature schemes of Ed25519 and Ed448 keys.
pub(super) const EDDSA_SCHEMES: [u16; 2] = [0x0807, 0x0808];

/// Content types of records (RFC 8446, section 5.1).
pub(super) mod content {
    pub(in super::super) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(in super::super) const ALERT: u8 = 21;
    pub(in super::super) const HANDSHAKE: u8 = 22;
    pub(in super::super) const APPLICATION_DATA: u8 = 23;
}

/// Types of handshake messages (IANA TLS HandshakeType).
pub(super) mod handshake_type {
    pub(in super::super) const HELLO_REQUEST: u8 = 0;
    pub(in super::super) const CLIENT_HELLO: u8 = 1;
    pub(in super::super) const SERVER_HELLO: u8 = 2;
    pub(in super::super) const NEW_SESSION_TICKET: u8 = 4;
    pub(in super::super) const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub(in super::super) const CERTIFICATE: u8 = 11;
    pub(in super::super) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(in super::super) const CERTIFICATE_REQUEST: u8 = 13;
    pub(in super::super) const SERVER_HELLO_DONE: u8 = 14;
    pub(in super::super) const CERTIFICATE_VERIFY: u8 = 15;
    pub(in super::super) const CLIENT_KEY_EXCHANGE: u8 = 16;
    pub(in super::super) const FINISHED: u8 = 20;
    pub(in super::super) const CERTIFICATE_STATUS: u8 = 22;
    pub(in super::super) const COMPRESSED_CERTIFICATE: u8 = 25;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_offered_twice_or_without_a_certificate() {
        for (at, suite) in SUITES.iter().enumerate() {
            assert!(!SUITES[..at].contains(suite), "{suite:04x} twice");
            let name = suite_name(*suite);
            for never in ["_anon_", "_PSK_", "_KRB5_", "_SRP_"] {
                assert!(!name.to_ascii_lowercase().contains(&never.to_ascii_lowercase()), "{name}");
            }
        }
        for list in [&GROUPS[..], &SCHEMES[..]] {
            for (at, item) in list.iter().enumerate() {
                assert!(!list[..at].contains(item), "{item:04x} twice");
            }
        }
    }

    #[test]
    fn suites_have_the_names_that_iana_registered() {
        assert_eq!(suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(suite_name(0x002f), "TLS_RSA_WITH_AES_128_CBC_SHA");
        assert_eq!(suite_name(0xe013), "0xE013");
    }
}
