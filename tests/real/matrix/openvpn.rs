//! OpenVPN over TCP, whose TLS is inside of a protocol of its own.

use super::{Family, Server};

pub(super) const FAMILY: Family = Family { name: "OpenVPN", servers: &SERVERS };

const SERVERS: [Server; 1] = [Server::new(
    "TLS inside of its own protocol",
    &["rsa"],
    "exec openvpn --dev null --proto tcp-server --local {address} --port {port} --tls-server \
     --ca {leaf} --cert {leaf} --key {key} --dh none",
)
.nobody("closed")];
