//! Node.js with its own build of OpenSSL or Debian's.

use super::{Family, Server};

/// The program with these options besides key and certificate.
macro_rules! node {
    ($name:literal, $options:literal) => {
        Server::new($name, &["rsa"], concat!("exec node server.js '", $options, "'"))
            .files(&[("server.js", PROGRAM)])
    };
}

pub(super) const FAMILY: Family = Family { name: "Node.js", servers: &SERVERS };

const PROGRAM: &str = "const fs = require('fs');
const options = JSON.parse(process.argv[2]);
options.key = fs.readFileSync('{key}');
options.cert = fs.readFileSync('{leaf}');
const server = require('https').createServer(options, (_, answer) => answer.end('hello'));
server.listen({port}, '{address}');
";

const SERVERS: [Server; 3] = [
    node!("plain", "{}"),
    node!(
        "TLS 1.0 only",
        r#"{"minVersion": "TLSv1", "maxVersion": "TLSv1", "ciphers": "ALL:@SECLEVEL=0"}"#
    )
    .beyond_rustls(),
    node!("RSA key exchange only", r#"{"maxVersion": "TLSv1.2", "ciphers": "AES128-SHA"}"#)
        .beyond_rustls(),
];
