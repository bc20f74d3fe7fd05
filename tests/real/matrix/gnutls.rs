//! GnuTLS's `gnutls-serv`, which still has RC4 and triple DES.

use super::{Family, Server};

/// The start of every command; what follows is in its flavour.
macro_rules! gnutls {
    ($name:literal, $leaf:literal, $options:literal) => {
        Server::new(
            $name,
            &[$leaf],
            concat!(
                "exec gnutls-serv --quiet --http --port {port} ",
                "--x509keyfile {key} --x509certfile {leaf} ",
                $options
            ),
        )
    };
}

pub(super) const FAMILY: Family = Family { name: "GnuTLS (`gnutls-serv`)", servers: &SERVERS };

const SERVERS: [Server; 21] = [
    gnutls!("plain", "rsa", ""),
    gnutls!("TLS 1.0 only", "rsa", "--priority LEGACY:-VERS-ALL:+VERS-TLS1.0").beyond_rustls(),
    gnutls!("TLS 1.1 only", "rsa", "--priority LEGACY:-VERS-ALL:+VERS-TLS1.1").beyond_rustls(),
    gnutls!("TLS 1.2 only", "rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2"),
    gnutls!("TLS 1.3 only", "rsa", "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3"),
    gnutls!(
        "RSA key exchange, old master secret",
        "rsa",
        "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:%NO_SESSION_HASH"
    )
    .beyond_rustls(),
    gnutls!(
        "RSA key exchange, TLS 1.0, old master secret",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+RSA:%NO_SESSION_HASH"
    )
    .beyond_rustls(),
    gnutls!(
        "RSA key exchange, 3DES",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+3DES-CBC"
    )
    .beyond_rustls(),
    gnutls!(
        "RSA key exchange, RC4",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+ARCFOUR-128"
    )
    .beyond_rustls(),
    gnutls!(
        "RSA key exchange, RC4, TLS 1.0",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.0:-KX-ALL:+RSA:-CIPHER-ALL:+ARCFOUR-128"
    )
    .beyond_rustls(),
    gnutls!(
        "RSA key exchange, Camellia-GCM",
        "rsa",
        "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:-CIPHER-ALL:+CAMELLIA-128-GCM"
    )
    .beyond_rustls(),
    gnutls!(
        "DHE, 3DES",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:-CIPHER-ALL:+3DES-CBC"
    )
    .beyond_rustls(),
    gnutls!(
        "ECDHE, RC4, TLS 1.1",
        "rsa",
        "--priority LEGACY:-VERS-ALL:+VERS-TLS1.1:-KX-ALL:+ECDHE-RSA:-CIPHER-ALL:+ARCFOUR-128"
    )
    .beyond_rustls(),
    gnutls!(
        "ECDHE, AES-CCM-8",
        "p256",
        "--priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CCM-8"
    )
    .beyond_rustls(),
    gnutls!(
        "TLS 1.3, ffdhe3072",
        "rsa",
        "--priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-FFDHE3072"
    )
    .beyond_rustls(),
    gnutls!("a name of its own", "rsa", "--sni-hostname server.test --sni-hostname-fatal"),
    gnutls!("Ed25519", "ed25519", ""),
    gnutls!("RSA-PSS key", "rsa-pss", ""),
    gnutls!("P-521 key", "p521", ""),
    gnutls!("client certificate wanted", "rsa", "--require-client-cert"),
    gnutls!(
        "client certificate wanted, TLS 1.2",
        "rsa",
        "--require-client-cert --priority NORMAL:-VERS-ALL:+VERS-TLS1.2"
    ),
];
