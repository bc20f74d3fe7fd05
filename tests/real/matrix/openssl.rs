//! OpenSSL's `s_server`: versions, suites, groups, and every kind of certificate.

use super::{Family, Server};

/// The start of every command; what follows is in its flavour.
macro_rules! s_server {
    ($name:literal, $leaf:literal, $options:literal) => {
        Server::new(
            $name,
            &[$leaf],
            concat!(
                "exec openssl s_server -accept {address}:{port} -key {key} -cert {leaf} -www ",
                $options
            ),
        )
    };
}

pub(super) const FAMILY: Family = Family { name: "OpenSSL (`s_server`)", servers: &SERVERS };

const SERVERS: [Server; 76] = [
    s_server!("plain", "rsa", ""),
    // Versions.
    s_server!("TLS 1.0 only", "rsa", "-tls1 -cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("TLS 1.1 only", "rsa", "-tls1_1 -cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("TLS 1.0 only, ECDSA", "p256", "-tls1 -cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("TLS 1.0 only, DSA", "dsa-1024", "-tls1 -cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("TLS 1.0 at a security level that forbids it", "rsa", "-tls1").nobody("alert"),
    s_server!("TLS 1.2 only", "rsa", "-tls1_2"),
    s_server!("TLS 1.3 only", "rsa", "-tls1_3"),
    // Suites of TLS 1.2.
    s_server!("RSA key exchange, AES-CBC", "rsa", "-tls1_2 -cipher AES128-SHA").beyond_rustls(),
    s_server!("RSA key exchange, AES-GCM", "rsa", "-tls1_2 -cipher AES256-GCM-SHA384")
        .beyond_rustls(),
    s_server!("RSA key exchange, AES-CCM", "rsa", "-tls1_2 -cipher AES128-CCM").beyond_rustls(),
    s_server!("RSA key exchange, AES-CCM-8", "rsa", "-tls1_2 -cipher AES128-CCM8:@SECLEVEL=0")
        .beyond_rustls(),
    s_server!("RSA key exchange, Camellia", "rsa", "-tls1_2 -cipher CAMELLIA128-SHA")
        .beyond_rustls(),
    s_server!("RSA key exchange, ARIA", "rsa", "-tls1_2 -cipher ARIA128-GCM-SHA256:@SECLEVEL=0")
        .beyond_rustls(),
    s_server!("RSA key exchange, no encryption", "rsa", "-tls1_2 -cipher NULL-SHA:@SECLEVEL=0")
        .beyond_rustls(),
    s_server!("RSA key exchange, TLS 1.0", "rsa", "-tls1 -cipher AES128-SHA:@SECLEVEL=0")
        .beyond_rustls(),
    s_server!("DHE, AES-CBC", "rsa", "-tls1_2 -cipher DHE-RSA-AES128-SHA256").beyond_rustls(),
    s_server!("DHE, ChaCha20", "rsa", "-tls1_2 -cipher DHE-RSA-CHACHA20-POLY1305").beyond_rustls(),
    s_server!(
        "DHE, a group of 1,024 bits",
        "rsa",
        "-tls1_2 -cipher kDHE:@SECLEVEL=0 -dhparam <(openssl dhparam -dsaparam 1024)"
    )
    .beyond_rustls(),
    s_server!(
        "DHE, a group of 8,192 bits",
        "rsa",
        "-tls1_2 -cipher kDHE -dhparam <(openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe8192)"
    )
    .beyond_rustls(),
    s_server!(
        "TLS 1.2, signatures with SHA-1",
        "rsa",
        "-tls1_2 -cipher ALL:@SECLEVEL=0 -sigalgs RSA+SHA1"
    ),
    s_server!(
        "TLS 1.2, signatures with SHA-224",
        "rsa",
        "-tls1_2 -cipher ALL:@SECLEVEL=0 -sigalgs RSA+SHA224"
    ).beyond_rustls(),
    s_server!("TLS 1.3, signatures with SHA-512", "rsa", "-tls1_3 -sigalgs RSA-PSS+SHA512"),
    s_server!("ECDHE, AES-CBC", "rsa", "-tls1_2 -cipher ECDHE-RSA-AES256-SHA").beyond_rustls(),
    s_server!("ECDHE, ChaCha20", "rsa", "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305"),
    s_server!("ECDHE, AES-CCM", "p256", "-tls1_2 -cipher ECDHE-ECDSA-AES128-CCM").beyond_rustls(),
    s_server!("ECDHE, no encryption", "rsa", "-tls1_2 -cipher ECDHE-RSA-NULL-SHA:@SECLEVEL=0")
        .beyond_rustls(),
    // Suites of TLS 1.3.
    s_server!("TLS 1.3, ChaCha20", "rsa", "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256"),
    s_server!("TLS 1.3, AES-CCM", "rsa", "-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256").beyond_rustls(),
    s_server!("TLS 1.3, AES-CCM-8", "rsa", "-tls1_3 -ciphersuites TLS_AES_128_CCM_8_SHA256").beyond_rustls(),
    // Groups.
    s_server!("TLS 1.3, P-256", "p256", "-tls1_3 -groups P-256"),
    s_server!("TLS 1.3, P-384", "p256", "-tls1_3 -groups P-384"),
    s_server!("TLS 1.3, P-521", "p256", "-tls1_3 -groups P-521").beyond_rustls(),
    s_server!("TLS 1.3, X448", "p256", "-tls1_3 -groups X448").beyond_rustls(),
    s_server!("TLS 1.3, ffdhe2048", "p256", "-tls1_3 -groups ffdhe2048").beyond_rustls(),
    s_server!("TLS 1.3, ffdhe8192", "p256", "-tls1_3 -groups ffdhe8192").beyond_rustls(),
    s_server!("TLS 1.2, X448", "rsa", "-tls1_2 -groups X448").beyond_rustls(),
    s_server!("TLS 1.2, brainpoolP256r1", "rsa", "-tls1_2 -groups brainpoolP256r1").beyond_rustls(),
    // What a server may want or do besides.
    s_server!("TLS 1.2, client certificate wanted", "rsa", "-tls1_2 -Verify 1"),
    s_server!("TLS 1.3, client certificate wanted", "rsa", "-tls1_3 -Verify 1"),
    s_server!("TLS 1.3, cookie wanted", "rsa", "-tls1_3 -stateless"),
    s_server!("another protocol by ALPN wanted", "rsa", "-alpn foo"),
    s_server!("small records", "rsa", "-max_send_frag 512"),
    s_server!(
        "another leaf by name",
        "rsa",
        "-servername foo.test -cert2 {here}/../other.pem -key2 {here}/../other.key"
    ),
    s_server!("two leaves", "rsa", "-dcert {here}/../p256.pem -dkey {here}/../p256.key")
        .leaves(&["rsa", "p256"]),
    Server::new(
        "no certificate, anonymous key exchange",
        &[],
        "exec openssl s_server -accept {address}:{port} -nocert -cipher aNULL:@SECLEVEL=0 -www",
    )
    .nobody("alert"),
    Server::new(
        "no certificate, key shared before",
        &[],
        "exec openssl s_server -accept {address}:{port} -nocert -psk aabbcc -cipher PSK -tls1_2 -www",
    )
    .nobody("alert"),
    // Certificates.
    s_server!("RSA-4096", "rsa-4096", ""),
    s_server!("RSA-1024, signed with SHA-1", "rsa-1024-sha1", "-cipher ALL:@SECLEVEL=0"),
    s_server!("RSA-512", "rsa-512", "-tls1_2 -cipher ALL:@SECLEVEL=0"),
    s_server!("signed with MD5", "md5", "-cipher ALL:@SECLEVEL=0"),
    s_server!("TLS 1.2, RSA-PSS key", "rsa-pss", "-tls1_2"),
    s_server!("TLS 1.3, RSA-PSS key", "rsa-pss", "-tls1_3"),
    s_server!("P-256", "p256", ""),
    s_server!("P-384", "p384", ""),
    s_server!("TLS 1.2, P-521 key", "p521", "-tls1_2").beyond_rustls(),
    s_server!("TLS 1.3, P-521 key", "p521", "-tls1_3"),
    s_server!("P-256 with explicit parameters", "p256-explicit", ""),
    s_server!("secp256k1", "secp256k1", "-tls1_2").beyond_rustls(),
    s_server!("secp224r1", "secp224r1", "-tls1_2 -cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("brainpoolP256r1", "brainpool", "-tls1_2").beyond_rustls(),
    s_server!("Ed25519", "ed25519", ""),
    s_server!("TLS 1.2, Ed448", "ed448", "-tls1_2"),
    s_server!("TLS 1.3, Ed448", "ed448", "-tls1_3"),
    s_server!("DSA-1024", "dsa-1024", "-cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("DSA-2048", "dsa-2048", "-cipher ALL:@SECLEVEL=0").beyond_rustls(),
    s_server!("X.509 version 1", "version-1", ""),
    s_server!("expired", "expired", ""),
    s_server!("no name", "names-none", ""),
    s_server!("serial 0", "serial-0", ""),
    s_server!("negative serial", "serial-negative", ""),
    s_server!("serial of 60 octets", "serial-60-octets", ""),
    s_server!("leaf of 28 kB", "octets-28k", ""),
    s_server!("leaf of 98 kB", "octets-98k", "").rustls("too_large"),
    s_server!("chain of 14", "chain-14", "-cert_chain {here}/../chain-14.chain"),
    s_server!("chain of 105", "chain-105", "-cert_chain {here}/../chain-105.chain").rustls("too_large"),
];
