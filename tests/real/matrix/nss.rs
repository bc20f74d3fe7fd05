//! Mozilla's NSS with its `selfserv`, which still speaks SSL 3.0.

use super::{Family, Server};

/// The start of every command, with a database for the one key; what follows is in its flavour.
macro_rules! selfserv {
    ($name:literal, $leaf:literal, $options:literal) => {
        Server::new(
            $name,
            &[$leaf],
            concat!(
                "certutil -N -d sql:. --empty-password && ",
                "openssl pkcs12 -export -name leaf -in {leaf} -inkey {key} -out p12 -passout pass: && ",
                "pk12util -i p12 -d sql:. -W '' && ",
                "exec selfserv -p {port} -d sql:. ",
                $options
            ),
        )
    };
}

pub(super) const FAMILY: Family = Family { name: "NSS (`selfserv`)", servers: &SERVERS };

const SERVERS: [Server; 16] = [
    selfserv!("plain", "rsa", "-n leaf"),
    selfserv!("SSL 3.0 only", "rsa", "-n leaf -V ssl3:ssl3").beyond_rustls(),
    selfserv!("TLS 1.0 only", "rsa", "-n leaf -V tls1.0:tls1.0").beyond_rustls(),
    selfserv!("TLS 1.1 only", "rsa", "-n leaf -V tls1.1:tls1.1").beyond_rustls(),
    selfserv!("TLS 1.2 only", "rsa", "-n leaf -V tls1.2:tls1.2"),
    selfserv!("TLS 1.3 only", "rsa", "-n leaf -V tls1.3:tls1.3"),
    selfserv!("SSL 3.0, RC4 with MD5", "rsa", "-n leaf -V ssl3:ssl3 -c :0004").beyond_rustls(),
    selfserv!("RSA key exchange, RC4", "rsa", "-n leaf -V tls1.0:tls1.2 -c :0005").beyond_rustls(),
    selfserv!("RSA key exchange, 3DES", "rsa", "-n leaf -V tls1.0:tls1.2 -c :000A").beyond_rustls(),
    selfserv!("P-256", "p256", "-e leaf"),
    selfserv!("SSL 3.0 and TLS 1.0", "rsa", "-n leaf -V ssl3:tls1.0").beyond_rustls(),
    selfserv!("TLS 1.3, P-521", "rsa", "-n leaf -V tls1.3:tls1.3 -I P521").beyond_rustls(),
    selfserv!("TLS 1.3, ffdhe8192", "rsa", "-n leaf -V tls1.3:tls1.3 -I FF8192").beyond_rustls(),
    selfserv!("client certificate wanted", "rsa", "-n leaf -r -r"),
    selfserv!("client certificate wanted, TLS 1.2", "rsa", "-n leaf -r -r -V tls1.2:tls1.2"),
    selfserv!("a name of its own", "rsa", "-n leaf -a server.test"),
];
