//! Servers of the web and what stands in front of them, a few of which want a name first.

use super::{Family, Server};

pub(super) const FAMILY: Family = Family { name: "Web servers and proxies", servers: &SERVERS };

/// `nginx` with these words after its address and these directives.
macro_rules! nginx {
    ($name:literal, $listen:literal, $directives:literal) => {
        Server::new($name, &["rsa"], "exec nginx -p {here} -c {here}/nginx.conf").files(&[(
            "nginx.conf",
            concat!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr; events {}\n",
                "http {\naccess_log off; client_body_temp_path t1; proxy_temp_path t2;\n",
                "fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n",
                "server {\nlisten {address}:{port} ",
                $listen,
                ";\nssl_certificate {leaf}; ssl_certificate_key {key};\n",
                $directives,
                "\n}\n}\n"
            ),
        )])
    };
}

/// Apache's server with these directives.
macro_rules! apache {
    ($name:literal, $directives:literal) => {
        Server::new($name, &["rsa"], "exec apache2 -d {here} -f apache.conf -DFOREGROUND").files(&[
            (
                "apache.conf",
                concat!(
                    "ServerName server.test\nPidFile {here}/pid\nDefaultRuntimeDir {here}\n",
                    "ErrorLog {here}/errors\nListen {address}:{port}\nUser nobody\nGroup nogroup\n",
                    "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n",
                    "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n",
                    "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
                    "SSLEngine on\nSSLSessionCache none\n",
                    "SSLCertificateFile {leaf}\nSSLCertificateKeyFile {key}\n",
                    $directives
                ),
            ),
        ])
    };
}

/// HAProxy with these words after its address.
macro_rules! haproxy {
    ($name:literal, $bind:literal) => {
        Server::new(
            $name,
            &["rsa"],
            "cat {leaf} {key} >both.pem && exec haproxy -db -f haproxy.cfg",
        )
        .files(&[(
            "haproxy.cfg",
            concat!(
                "defaults\nmode http\ntimeout client 60s\ntimeout connect 60s\ntimeout server 60s\n",
                "frontend all\nbind {address}:{port} ssl crt both.pem ",
                $bind,
                "\n"
            ),
        )])
    };
}

/// `stunnel` with these settings.
macro_rules! stunnel {
    ($name:literal, $settings:literal) => {
        Server::new($name, &["rsa"], "exec stunnel4 stunnel.conf").files(&[(
            "stunnel.conf",
            concat!(
                "foreground = yes\npid =\n[all]\naccept = {address}:{port}\nconnect = 127.0.0.1:9\n",
                "cert = {leaf}\nkey = {key}\n",
                $settings
            ),
        )])
    };
}

/// Caddy with that as its address and these directives.
macro_rules! caddy {
    ($name:literal, $leaves:expr, $address:literal, $directives:literal) => {
        Server::new(
            $name,
            $leaves,
            "export HOME={here} && exec caddy run --config Caddyfile --adapter caddyfile",
        )
        .files(&[(
            "Caddyfile",
            concat!(
                "{\nadmin off\nauto_https disable_redirects\nskip_install_trust\n}\n",
                $address,
                ":{port} {\nbind {address}\n",
                $directives,
                "\n}\n"
            ),
        )])
    };
}

const SERVERS: [Server; 26] = [
    nginx!("nginx", "ssl", ""),
    nginx!("nginx, TLS 1.0 only", "ssl", "ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0;")
        .beyond_rustls(),
    nginx!("nginx, TLS 1.3 only", "ssl", "ssl_protocols TLSv1.3;"),
    nginx!(
        "nginx, client certificate wanted",
        "ssl",
        "ssl_verify_client on; ssl_client_certificate {leaf};"
    ),
    nginx!(
        "nginx, two leaves",
        "ssl",
        "ssl_certificate {here}/../p256.pem; ssl_certificate_key {here}/../p256.key;"
    )
    .leaves(&["rsa", "p256"]),
    nginx!("nginx, a name wanted", "ssl", "ssl_reject_handshake on;").nobody("alert"),
    nginx!("nginx, no TLS", "", "").nobody("not_tls"),
    nginx!("nginx, the PROXY protocol wanted", "ssl proxy_protocol", "").nobody("reset"),
    apache!("Apache", ""),
    apache!("Apache, TLS 1.0 only", "SSLProtocol TLSv1\nSSLCipherSuite ALL:@SECLEVEL=0\n")
        .beyond_rustls(),
    haproxy!("HAProxy", ""),
    haproxy!(
        "HAProxy, TLS 1.0 only",
        "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.0 ciphers ALL:@SECLEVEL=0"
    )
    .beyond_rustls(),
    haproxy!("HAProxy, a name wanted", "strict-sni").nobody("alert"),
    stunnel!("stunnel", ""),
    stunnel!(
        "stunnel, TLS 1.0 only",
        "sslVersionMin = TLSv1\nsslVersionMax = TLSv1\nciphers = ALL:@SECLEVEL=0\n"
    )
    .beyond_rustls(),
    stunnel!("stunnel, RSA key exchange only", "sslVersionMax = TLSv1.2\nciphers = AES128-SHA\n")
        .beyond_rustls(),
    caddy!("Caddy", &["rsa"], "https://", "tls {leaf} {key}"),
    caddy!("Caddy, TLS 1.3 only", &["rsa"], "https://", "tls {leaf} {key} {\nprotocols tls1.3\n}"),
    caddy!("Caddy, a name wanted", &[], "https://server.test", "tls internal").nobody("alert"),
    Server::new("lighttpd", &["rsa"], "exec lighttpd -D -f lighttpd.conf").files(&[(
        "lighttpd.conf",
        "server.document-root = \"{here}\"\nserver.bind = \"{address}\"\nserver.port = {port}\n\
         server.modules = ( \"mod_openssl\" )\nssl.engine = \"enable\"\n\
         ssl.pemfile = \"{leaf}\"\nssl.privkey = \"{key}\"\n",
    )]),
    Server::new("hitch", &["rsa"], "cat {leaf} {key} >both.pem && exec hitch --config=hitch.conf")
        .files(&[(
            "hitch.conf",
            "frontend = \"[{address}]:{port}\"\nbackend = \"[127.0.0.1]:9\"\n\
             pem-file = \"{here}/both.pem\"\nworkers = 1\nuser = \"nobody\"\n",
        )]),
    Server::new("H2O", &["rsa"], "exec h2o --conf h2o.conf").files(&[(
        "h2o.conf",
        "user: root\nnum-threads: 1\nlisten:\n  host: {address}\n  port: {port}\n  ssl:\n    \
         certificate-file: {leaf}\n    key-file: {key}\n\
         hosts:\n  default:\n    paths:\n      /:\n        file.dir: {here}\n",
    )]),
    Server::new(
        "socat",
        &["rsa"],
        "exec socat OPENSSL-LISTEN:{port},bind={address},fork,reuseaddr,cert={leaf},key={key},verify=0 \
         SYSTEM:true",
    ),
    Server::new(
        "ncat",
        &["rsa"],
        "exec ncat -lk --ssl --ssl-cert {leaf} --ssl-key {key} {address} {port}",
    ),
    Server::new("Botan", &["rsa"], "exec botan tls_server {leaf} {key} --port={port}"),
    Server::new("Botan, P-256", &["p256"], "exec botan tls_server {leaf} {key} --port={port}"),
];
