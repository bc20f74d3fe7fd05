//! PostgreSQL, which speaks TLS only after it was asked in words of its own.

use super::{Family, Server};

pub(super) const FAMILY: Family = Family { name: "PostgreSQL", servers: &SERVERS };

/// It refuses to run as root, and to read a key that others could.
const COMMAND: &str = "mkdir data && install -m 0600 {key} key.pem && cp {leaf} leaf.pem && \
    chown -R nobody . && chmod a+x . && \
    run() { setpriv --reuid=nobody --regid=nogroup --clear-groups \"$@\"; } && \
    bin=$(echo /usr/lib/postgresql/*/bin) && \
    run $bin/initdb -D data -U postgres -A trust --no-sync && \
    run $bin/postgres -D data -p {port} -k {here} -c listen_addresses={address} -c fsync=off \
        -c ssl=on -c ssl_cert_file={here}/leaf.pem -c ssl_key_file={here}/key.pem";

const SERVERS: [Server; 1] =
    [Server::new("TLS after a request of its own", &["rsa"], COMMAND).nobody("closed")];
