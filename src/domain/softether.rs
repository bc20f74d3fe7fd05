//! What a SoftEther VPN server says of itself when it is greeted as its own clients greet it.
//!
//! The greeting is one HTTP request that needs no account and changes nothing. The answer's body is a PACK, SoftEther's
//! form of lists of named values (`Pack.c` in its sources), in which the server names its product, version and build
//! before anybody logs in. Whatever stands there is a stranger's word: every length is checked against what is there,
//! and what was read before something wrong is kept.

use super::address::Target;

/// Bytes taken of an answer at most. A real one has 0.5 to 1.5 KiB, padding of random length included.
pub const REPLY_MAX: usize = 16 * 1024;

/// Characters kept of a product's name.
const PRODUCT_MAX: usize = 256;

/// Elements of a PACK that are looked at. A greeting has five.
const ELEMENTS_MAX: u32 = 64;

/// Values that an element may have. Those of a greeting have one.
const VALUES_MAX: u32 = 16;

/// What a server said of itself; anybody could say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoftetherServer {
    /// The product as the server names it, 256 characters at most: `SoftEther VPN Server (64 bit)`.
    pub product: String,
    /// The version in hundredths: 501 is 5.01.
    pub version: Option<u32>,
    /// The build, counted through all versions: 9674.
    pub build: Option<u32>,
}

/// The greeting of `target`, as HTTP/1.1 (RFC 9112). Servers hold the connection open after it all the same.
pub fn request(target: Target) -> Vec<u8> {
    format!(
        "POST /vpnsvc/connect.cgi HTTP/1.1\r\nHost: {target}\r\nContent-Length: 10\r\n\
         Connection: close\r\n\r\nVPNCONNECT"
    )
    .into_bytes()
}

/// Whether `reply`, all that has come, is whole, or can become nothing that tells of a server.
pub fn is_over(reply: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    let shared = START.len().min(reply.len());
    if reply.len() >= REPLY_MAX || reply.get(..shared) != START.get(..shared) {
        return true;
    }
    let Some((head, body)) = parted(reply) else { return false };
    !is_accepted(head) || content_length(head).is_some_and(|length| body.len() >= length)
}

/// What the server says in `reply` of itself; `None` if it does not answer as SoftEther does.
pub fn server(reply: &[u8]) -> Option<SoftetherServer> {
    let (head, body) = parted(reply)?;
    if !is_accepted(head) {
        return None;
    }
    let length = content_length(head).unwrap_or(body.len());
    let mut rest = Bytes(body.get(..length).unwrap_or(body));
    let (mut product, mut version, mut build) = (None, None, None);
    for _ in 0..rest.number()?.min(ELEMENTS_MAX) {
        let Some((name, value)) = rest.element() else { break };
        match (name, value) {
            (b"hello", Value::Text(text)) => product = product.or_else(|| Some(shown(text))),
            (b"version", Value::Number(number)) => version = version.or(Some(number)),
            (b"build", Value::Number(number)) => build = build.or(Some(number)),
            _ => {}
        }
    }
    product.map(|product| SoftetherServer { product, version, build })
}

/// Header and body of an answer whose header has come to its end.
fn parted(reply: &[u8]) -> Option<(&[u8], &[u8])> {
    const END: &[u8] = b"\r\n\r\n";
    let at = reply.windows(END.len()).position(|window| window == END)?;
    Some((reply.get(..at)?, reply.get(at + END.len()..)?))
}

/// Whether the status is 200 (RFC 9112, section 4).
fn is_accepted(head: &[u8]) -> bool {
    let version = [&b"HTTP/1.0"[..], b"HTTP/1.1"];
    let status = version.into_iter().find_map(|version| head.strip_prefix(version));
    status.is_some_and(|status| status.starts_with(b" 200 "))
}

/// How long the body is, where the header says so (RFC 9110, section 8.6).
fn content_length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
    })
}

/// `text` as far as it is kept.
fn shown(text: &[u8]) -> String {
    const CHARACTER_MAX: usize = 4; // bytes of one in UTF-8
    let start = text.get(..PRODUCT_MAX * CHARACTER_MAX).unwrap_or(text);
    String::from_utf8_lossy(start).chars().take(PRODUCT_MAX).collect()
}

/// The first value of an element, if it is of a kind that matters.
enum Value<'a> {
    Number(u32),
    Text(&'a [u8]),
    Other,
}

/// What is left to read of a PACK. Numbers are big-endian.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().map(u32::from_be_bytes).ok()
    }

    /// A length, and as many bytes.
    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length.try_into().ok()?)
    }

    /// The next element's name and first value.
    fn element(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        // The length counts a terminator that is not sent.
        let length = self.number()?.checked_sub(1)?;
        let name = self.take(length.try_into().ok()?)?;
        let (kind, values) = (self.number()?, self.number()?);
        if values > VALUES_MAX {
            return None;
        }
        let mut first = None;
        for _ in 0..values {
            let value = self.value(kind)?;
            first.get_or_insert(value);
        }
        Some((name, first.unwrap_or(Value::Other)))
    }

    fn value(&mut self, kind: u32) -> Option<Value<'a>> {
        match kind {
            0 => self.number().map(Value::Number),
            // Data, and text in UTF-8 that was UTF-16 before.
            1 | 3 => self.counted().map(|_| Value::Other),
            2 => self.counted().map(Value::Text),
            4 => self.take(8).map(|_| Value::Other),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Debian's server 5.01, build 9674, answered; its random bytes are zeros here.
    fn real() -> Vec<u8> {
        let text: String = include_str!("softether-reply.hex").split_whitespace().collect();
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn said(product: &str, version: Option<u32>, build: Option<u32>) -> SoftetherServer {
        SoftetherServer { product: product.to_owned(), version, build }
    }

    const PRODUCT: &str = "SoftEther VPN Server Developer Edition (64 bit) (Open Source)";

    #[test]
    fn a_real_answer_is_read() {
        assert_eq!(server(&real()), Some(said(PRODUCT, Some(501), Some(9674))));
        assert!(is_over(&real()));
    }

    #[test]
    fn the_request_names_its_target() {
        let text = |target: &str| {
            let target: std::net::SocketAddr = target.parse().unwrap();
            String::from_utf8(request(Target::new(target.ip(), target.port()))).unwrap()
        };
        assert_eq!(
            text("127.0.0.1:5555"),
            "POST /vpnsvc/connect.cgi HTTP/1.1\r\nHost: 127.0.0.1:5555\r\n\
             Content-Length: 10\r\nConnection: close\r\n\r\nVPNCONNECT"
        );
        assert!(text("[::1]:443").contains("\r\nHost: [::1]:443\r\n"));
    }

    /// Cut after every byte: not over before its end, and nothing is told but what was there.
    #[test]
    fn every_truncation_tells_what_was_there() {
        let whole = real();
        let has = |cut: usize, text: &[u8]| {
            let start = whole.windows(text.len()).position(|window| window == text).unwrap();
            cut >= start + text.len()
        };
        for cut in 0..whole.len() {
            assert!(!is_over(&whole[..cut]), "{cut}");
            let version = has(cut, b"version\0\0\0\0\0\0\0\x01\0\0\x01\xf5").then_some(501);
            let expected = has(cut, PRODUCT.as_bytes()).then(|| said(PRODUCT, version, Some(9674)));
            assert_eq!(server(&whole[..cut]), expected, "{cut}");
        }
    }

    /// Every byte changed in turn: no panic, and nothing of more than is kept.
    #[test]
    fn every_changed_byte_is_survived() {
        let whole = real();
        for at in 0..whole.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                is_over(&changed);
                let product = server(&changed).map(|server| server.product);
                assert!(product.is_none_or(|product| product.chars().count() <= PRODUCT_MAX));
            }
        }
    }

    fn answer(body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    fn pack(elements: &[Vec<u8>]) -> Vec<u8> {
        [&(elements.len() as u32).to_be_bytes()[..], &elements.concat()].concat()
    }

    fn element(name: &str, kind: u32, values: u32, content: &[u8]) -> Vec<u8> {
        let length = (name.len() as u32 + 1).to_be_bytes();
        let numbers = [kind.to_be_bytes(), values.to_be_bytes()].concat();
        [&length[..], name.as_bytes(), &numbers, content].concat()
    }

    fn text(text: &[u8]) -> Vec<u8> {
        [&(text.len() as u32).to_be_bytes()[..], text].concat()
    }

    #[test]
    fn all_kinds_of_values_are_passed_over() {
        let body = pack(&[
            element("none", 2, 0, b""),
            element("data", 1, 2, &[text(b"a"), text(b"")].concat()),
            element("long", 4, 1, &[7; 8]),
            element("unicode", 3, 1, &text("\u{6771}".as_bytes())),
            element("build", 2, 1, &text(b"no number")),
            element("version", 0, 2, &[0, 0, 1, 0x8f, 9, 9, 9, 9]),
            element("hello", 2, 1, &text(b"first")),
            element("hello", 2, 1, &text(b"second")),
        ]);
        assert_eq!(server(&answer(&body)), Some(said("first", Some(399), None)));
    }

    #[test]
    fn lies_end_the_reading_and_take_what_was_read_before() {
        let hello = element("hello", 2, 1, &text(b"x"));
        let build = element("build", 0, 1, &[0, 0, 0, 5]);
        for (what, lie) in [
            ("a name without its terminator", [0; 12].to_vec()),
            ("an endless name", [&[0xff; 4][..], b"name"].concat()),
            ("an endless value", element("data", 1, 1, &[0xff; 8])),
            ("endless values", element("number", 0, u32::MAX, &[1; 64])),
            ("an unknown kind", element("what", 9, 1, &[0; 64])),
        ] {
            let body = pack(&[hello.clone(), lie, build.clone()]);
            assert_eq!(server(&answer(&body)), Some(said("x", None, None)), "{what}");
        }
        let endless = [&u32::MAX.to_be_bytes()[..], &hello, &build].concat();
        assert_eq!(server(&answer(&endless)), Some(said("x", None, Some(5))));
        let many = pack(&[vec![element("n", 0, 0, b""); 64], vec![hello.clone()]].concat());
        assert_eq!(server(&answer(&many)), None, "no more than 64 elements are looked at");
        let long = pack(&[element("hello", 2, 1, &text("\u{e9}".repeat(5_000).as_bytes()))]);
        assert_eq!(server(&answer(&long)), Some(said(&"\u{e9}".repeat(256), None, None)));
    }

    #[test]
    fn other_answers_are_over_at_once_and_tell_nothing() {
        for other in [
            &b"SSH-2.0-x"[..],
            b"<html>",
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 900\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.9 200 OK\r\n\r\n",
        ] {
            assert!(is_over(other) && server(other).is_none(), "{other:?}");
        }
        assert!(is_over(&[b'H'; 8]) && is_over(&vec![0; REPLY_MAX]));
        assert!(!is_over(b"") && !is_over(b"HTTP/1.1 200 OK\r\nContent-Length: 4"));
        let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b' '; REPLY_MAX]].concat();
        assert!(!is_over(&endless[..100]) && is_over(&endless), "without a length the end tells");
        let page = b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\n\r\nhi";
        assert!(is_over(page) && server(page).is_none());
    }
}
