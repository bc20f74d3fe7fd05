//! URLs that alerts are posted to. Everything but the host and port is taken for a secret.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

use super::Secret;

/// Bytes of a URL at most.
const LEN_MAX: usize = 2_048;

/// Where to post, taken apart. `Debug` and `Display` show scheme, host and port, since paths of webhooks are
/// often all that keeps others from posting.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub is_https: bool,
    /// A name, or an address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The path, with the query.
    pub path: Secret,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub fn new(url: &str) -> Result<Self, &'static str> {
        if url.len() > LEN_MAX {
            return Err("has more than 2048 characters");
        }
        let uri: Uri = url.parse().map_err(|_| "is no URL such as https://soc.example/hook")?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("does not begin with https://"),
        };
        let Some(authority) = uri.authority() else { return Err("names no host") };
        if authority.as_str().contains('@') {
            return Err("holds a user or password; use secret_file or secret_env");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("names no host");
        }
        let port = match authority.port() {
            Some(port) if port.as_u16() == 0 => return Err("has the port 0"),
            Some(port) => port.as_u16(),
            None if authority.as_str().ends_with(':') => return Err("has no port after the colon"),
            None => {
                if is_https {
                    443
                } else {
                    80
                }
            }
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let endpoint = Self { is_https, host: host.to_owned(), port, path: Secret::new(path) };
        if !is_https && !endpoint.names_loopback() {
            return Err("is http:// to another machine; alerts travel by https://");
        }
        Ok(endpoint)
    }

    /// Whether the host is this machine. A name may be resolved to something else, which is checked once more
    /// before connecting.
    fn names_loopback(&self) -> bool {
        let address = self.host.parse::<IpAddr>();
        address.map_or_else(|_| self.host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
    }

    /// `host:port` as the `Host` header has it: brackets around IPv6 addresses, no default port.
    pub fn authority(&self) -> String {
        let host = match self.host.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.clone(),
        };
        match (self.is_https, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self}/..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_and_shown_without_their_path() {
        for (url, host, port, path, shown) in [
            ("https://soc.example", "soc.example", 443, "/", "https://soc.example"),
            ("https://soc.example:443/a?b=c", "soc.example", 443, "/a?b=c", "https://soc.example"),
            (
                "https://[2001:db8::1]:8443/x",
                "2001:db8::1",
                8443,
                "/x",
                "https://[2001:db8::1]:8443",
            ),
            ("http://127.0.0.9:80/", "127.0.0.9", 80, "/", "http://127.0.0.9"),
            ("http://[::1]:81/", "::1", 81, "/", "http://[::1]:81"),
            ("http://localhost/y", "localhost", 80, "/y", "http://localhost"),
        ] {
            let endpoint = Endpoint::new(url).unwrap();
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port), "{url}");
            assert_eq!((endpoint.path.expose(), endpoint.to_string().as_str()), (path, shown));
            assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown}/..)"));
        }
    }

    #[test]
    fn what_would_leak_or_go_elsewhere_is_refused() {
        let long = format!("https://soc.example/{}", "x".repeat(LEN_MAX));
        for (url, wrong) in [
            ("http://soc.example/", "is http:// to another machine; alerts travel by https://"),
            (
                "http://127.0.0.1.example/",
                "is http:// to another machine; alerts travel by https://",
            ),
            ("http://192.0.2.1/", "is http:// to another machine; alerts travel by https://"),
            (
                "https://canary:canary@soc.example/",
                "holds a user or password; use secret_file or secret_env",
            ),
            ("https://soc.example:0/", "has the port 0"),
            ("https://soc.example:/", "has no port after the colon"),
            ("ftp://soc.example/", "does not begin with https://"),
            ("soc.example/x", "is no URL such as https://soc.example/hook"),
            ("/x", "does not begin with https://"),
            ("https://soc.example/a b", "is no URL such as https://soc.example/hook"),
            ("https://soc.example/a\r\nx: y", "is no URL such as https://soc.example/hook"),
            ("https:///x", "is no URL such as https://soc.example/hook"),
            ("", "is no URL such as https://soc.example/hook"),
            (long.as_str(), "has more than 2048 characters"),
        ] {
            assert_eq!(Endpoint::new(url).err(), Some(wrong), "{url}");
        }
    }
}
