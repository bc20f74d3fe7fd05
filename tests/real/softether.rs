//! Debian's SoftEther VPN server, alone in a sandbox.

use std::net::Ipv4Addr;

use super::sandbox::{Sandbox, until};

const SERVER: &str = "/usr/libexec/softether/vpnserver/vpnserver";

/// The address that it listens on.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);

/// The ports that it listens on unless it is told otherwise.
pub(crate) const PORTS: [u16; 4] = [443, 992, 1194, 5555];

/// A server with a certificate that it made for itself at its first start.
pub(crate) struct Server<'a>(&'a Sandbox);

impl<'a> Server<'a> {
    /// Starts the server, and waits until it listens.
    pub(crate) fn start(sandbox: &'a Sandbox) -> Self {
        Self::start_with(sandbox, "", "")
    }

    /// The same with these further lines in its configuration, and these in OpenSSL's.
    pub(crate) fn start_with(sandbox: &'a Sandbox, settings: &str, openssl: &str) -> Self {
        // The server keeps to directories that were chosen when it was built.
        for directory in ["/var/lib", "/var/log", "/run"] {
            sandbox.ok("mount", ["-t", "tmpfs", "tmpfs", directory]);
            sandbox.ok("mkdir", [format!("{directory}/softether")]);
        }
        let prepared = sandbox.write("vpn_server.config", &configuration(settings));
        sandbox.ok("cp", [&prepared, "/var/lib/softether/vpn_server.config"]);
        let openssl = format!(
            "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n[system]\n\
             {openssl}"
        );
        let openssl = format!("OPENSSL_CONF={}", sandbox.write("openssl.txt", &openssl));
        sandbox.start_in_background("env", &[&openssl, SERVER, "execsvc"]);
        let server = Self(sandbox);
        until("the VPN server listens", || server.listens().then_some(()));
        server
    }

    fn listens(&self) -> bool {
        let listening = self.0.ok("ss", ["--no-header", "--listening", "--tcp", "--numeric"]);
        let listens_on = |port| listening.contains(&format!(" {ADDRESS}:{port} "));
        PORTS.iter().all(listens_on)
    }

    /// The SHA-1 of its certificate, as its own tool gives it.
    pub(crate) fn sha1(&self) -> String {
        // With a path from the root the tool would take the file's name for a switch.
        self.command(&["ServerCertGet", "shown.pem"]);
        sha1(self.0, "shown.pem")
    }

    /// Gives it another certificate, of another key, and that certificate's SHA-1.
    pub(crate) fn replace_certificate(&self) -> String {
        let request = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=replaced.example \
            -keyout new.key -out new.pem";
        self.0.ok("openssl", request.split_whitespace());
        self.command(&["ServerCertSet", "/LOADCERT:/mnt/new.pem", "/LOADKEY:/mnt/new.key"]);
        sha1(self.0, "new.pem")
    }

    /// The lines of its log that hold `part`.
    pub(crate) fn logged(&self, part: &str) -> Vec<String> {
        let log = self.0.ok("bash", ["-c", "cat /var/log/softether/server_log/*.log"]);
        log.lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
    }

    fn command(&self, command: &[&str]) {
        let server = format!("{ADDRESS}:{}", PORTS[3]);
        let said = self.0.ok("vpncmd", [&[&*server, "/SERVER", "/CMD"], command].concat());
        assert!(said.contains("The command completed successfully."), "{said}");
    }
}

/// The SHA-1 of the certificate in a file, as OpenSSL gives it.
fn sha1(sandbox: &Sandbox, file: &str) -> String {
    let said = sandbox.ok("openssl", ["x509", "-in", file, "-noout", "-fingerprint", "-sha1"]);
    let (_, digest) = said.trim().split_once('=').unwrap();
    digest.replace(':', "").to_lowercase()
}

/// Listens on one address with TLS alone, and looks for nothing and nobody.
fn configuration(settings: &str) -> String {
    let listeners: String = PORTS
        .iter()
        .map(|port| {
            format!(
                "declare Listener{port}\n{{\nbool DisableDos true\nbool Enabled true\n\
                 uint Port {port}\n}}\n"
            )
        })
        .collect();
    format!(
        "# Software Configuration File\ndeclare root\n{{\nuint ConfigRevision 1\nstring Region JP\n\
         declare DDnsClient\n{{\nbool Disabled true\n}}\n\
         declare ListenerList\n{{\n{listeners}}}\n\
         declare ServerConfiguration\n{{\nbool DisableDosProtection true\n\
         bool DisableNatTraversal true\nbool DisableGetHostNameWhenAcceptTcp true\n\
         bool DisableIPv6Listener true\nbool UseKeepConnect false\nstring ListenIP {ADDRESS}\n\
         string PortsUDP $\n{settings}declare SyslogSettings\n{{\n}}\n}}\n\
         declare VirtualHUB\n{{\n}}\n}}\n"
    )
}
