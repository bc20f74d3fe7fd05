//! SoftEther VPN servers as Debian builds them, with settings that older ones had by default.

use super::{Family, Server};

pub(super) const FAMILY: Family = Family { name: "SoftEther VPN", servers: &SERVERS };

/// A server with these lines in its configuration, and these in OpenSSL's.
///
/// The server keeps to directories that were chosen when it was built; each finds its own there.
macro_rules! softether {
    ($name:literal, $leaf:literal, $settings:literal, $openssl:literal) => {
        Server::new(
            $name,
            &[$leaf],
            "mkdir lib log run && \
             sed -e \"s|LEAF|$(openssl x509 -in {leaf} -outform DER | base64 -w0)|\" \
                 -e \"s|KEY|$(openssl rsa -in {key} -traditional -outform DER | base64 -w0)|\" \
                 server.txt >lib/vpn_server.config && \
             export OPENSSL_CONF={here}/openssl.txt && \
             exec unshare --mount bash -c '
                 for place in lib log run; do
                     case $place in run) at=/run ;; *) at=/var/$place ;; esac
                     mount -t tmpfs tmpfs $at && mkdir $at/softether &&
                     mount --bind {here}/$place $at/softether || exit
                 done
                 exec /usr/libexec/softether/vpnserver/vpnserver execsvc'",
        )
        .files(&[
            (
                "server.txt",
                concat!(
                    "# Software Configuration File\ndeclare root\n{\nuint ConfigRevision 1\n",
                    "string Region JP\ndeclare DDnsClient\n{\nbool Disabled true\n}\n",
                    "declare ListenerList\n{\ndeclare Listener0\n{\nbool DisableDos true\n",
                    "bool Enabled true\nuint Port {port}\n}\n}\n",
                    "declare ServerConfiguration\n{\nbool DisableDosProtection true\n",
                    "bool DisableNatTraversal true\nbool DisableGetHostNameWhenAcceptTcp true\n",
                    "bool DisableIPv6Listener true\nbool UseKeepConnect false\n",
                    "string ListenIP {address}\nstring PortsUDP $\n",
                    "byte ServerCert LEAF\nbyte ServerKey KEY\n",
                    $settings,
                    "declare SyslogSettings\n{\n}\n}\ndeclare VirtualHUB\n{\n}\n}\n"
                ),
            ),
            (
                "openssl.txt",
                concat!(
                    "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n",
                    "[system]\n",
                    $openssl
                ),
            ),
        ])
    };
}

const SERVERS: [Server; 10] = [
    softether!("plain", "rsa", "", ""),
    softether!("AES128-SHA", "rsa", "string CipherName AES128-SHA\n", ""),
    softether!(
        "AES128-SHA, TLS 1.2 at most",
        "rsa",
        "string CipherName AES128-SHA\n",
        "MaxProtocol = TLSv1.2\n"
    )
    .beyond_rustls(),
    softether!(
        "TLS 1.0 only",
        "rsa",
        "",
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n"
    )
    .beyond_rustls(),
    softether!(
        "TLS 1.0 and 1.3 by its own settings",
        "rsa",
        "bool Tls_Disable1_1 true\nbool Tls_Disable1_2 true\n",
        "MinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n"
    ),
    softether!(
        "TLS 1.0 only by its own settings",
        "rsa",
        "bool Tls_Disable1_1 true\nbool Tls_Disable1_2 true\nstring CipherName AES128-SHA\n",
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1.2\nCipherString = ALL:@SECLEVEL=0\n"
    )
    .beyond_rustls(),
    softether!(
        "AES128-SHA, TLS 1.0 only",
        "rsa",
        "string CipherName AES128-SHA\n",
        "MinProtocol = TLSv1\nMaxProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n"
    )
    .beyond_rustls(),
    softether!(
        "AES256-SHA, TLS 1.1 only",
        "rsa",
        "string CipherName AES256-SHA\n",
        "MinProtocol = TLSv1.1\nMaxProtocol = TLSv1.1\nCipherString = ALL:@SECLEVEL=0\n"
    )
    .beyond_rustls(),
    softether!(
        "RSA-1024 signed with SHA-1",
        "rsa-1024-sha1",
        "",
        "MinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n"
    ),
    softether!("serial 0", "serial-0", "", ""),
];
