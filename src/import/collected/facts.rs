//! The facts that all formats tell, each in its own spelling: addresses, ports, moments, hashes, certificates.
//!
//! What is not wholly right is refused. Nothing is completed, rounded or guessed.

use std::net::IpAddr;
use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};

use super::{Found, Wrong};
use crate::domain::cert::Leaf;
use crate::domain::collected::{Claims, Collected, Known};
use crate::domain::fingerprint::{Fingerprint, Sha1Fingerprint, Sha256Fingerprint};
use crate::domain::server_name::ServerName;
use crate::domain::time::Timestamp;

/// Seconds from 1970 to the end of the year 9999.
const SECONDS_END: i64 = 253_402_300_800;

/// Characters of a decimal serial number that are read: RFC 5280 allows 20 octets, some take more.
const DECIMAL_MAX: usize = 128;

/// An address; IPv4 under an IPv6 name is IPv4.
pub(super) fn address(text: &str) -> Result<IpAddr, Wrong> {
    let address = text.parse::<IpAddr>();
    address
        .map(|address| address.to_canonical())
        .map_err(|_| Wrong::of(text, format!("{} is no IP address", quoted(text))))
}

/// A port from 1 to 65535.
pub(super) fn port(text: &str) -> Result<u16, Wrong> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Wrong::of(text, format!("{} is no port from 1 to 65535", quoted(text)))),
    }
}

/// A SHA-1 in any spelling that fingerprints have.
pub(super) fn sha1(text: &str) -> Result<Sha1Fingerprint, Wrong> {
    match format!("sha1:{text}").parse() {
        Ok(Fingerprint::Sha1(hash)) => Ok(hash),
        _ => Err(Wrong::of(text, format!("{} is no SHA-1, which has 40 hex digits", quoted(text)))),
    }
}

/// A SHA-256 likewise.
pub(super) fn sha256(text: &str) -> Result<Sha256Fingerprint, Wrong> {
    match format!("sha256:{text}").parse() {
        Ok(Fingerprint::Sha256(hash)) => Ok(hash),
        _ => {
            Err(Wrong::of(text, format!("{} is no SHA-256, which has 64 hex digits", quoted(text))))
        }
    }
}

/// A moment with its offset from UTC: RFC 3339, also with `+0000`.
pub(super) fn moment(text: &str) -> Result<Timestamp, Wrong> {
    let wrong =
        || Wrong::of(text, format!("{} is no time such as 2026-11-24T02:18:24Z", quoted(text)));
    if text.contains(['[', 'u']) {
        return Err(wrong());
    }
    let moment: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    bounded(moment.as_microsecond()).ok_or_else(wrong)
}

/// A moment without an offset, where the format says that all its times are in UTC; or with one.
pub(super) fn utc(text: &str) -> Result<Timestamp, Wrong> {
    let has_time = text.len() >= "2026-11-24T02:18:24".len() && !text.contains('[');
    match text.parse::<jiff::civil::DateTime>() {
        Ok(local) if has_time && moment(text).is_err() => {
            let since = local.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
            let micros = i64::try_from(since.as_micros()).ok().and_then(bounded);
            micros.ok_or_else(|| Wrong::of(text, format!("{} is no time", quoted(text))))
        }
        _ => moment(text),
    }
}

/// Seconds since 1970, with a fraction or without.
pub(super) fn epoch(text: &str) -> Result<Timestamp, Wrong> {
    let wrong = || Wrong::of(text, format!("{} is no time in seconds since 1970", quoted(text)));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let seconds: i64 = whole.parse().map_err(|_| wrong())?;
    let six = fraction.bytes().chain(std::iter::repeat_n(b'0', 6)).take(6);
    let micros = six.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let total = seconds.checked_mul(1_000_000).and_then(|whole| whole.checked_add(micros));
    total.and_then(bounded).ok_or_else(wrong)
}

/// A moment of the years that RFC 3339 can write, in microseconds since 1970.
fn bounded(micros: i64) -> Option<Timestamp> {
    (micros < SECONDS_END * 1_000_000).then(|| Timestamp::from_micros(micros))
}

/// The octets of base64 (RFC 4648, section 4); white space is passed over.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Wrong> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match BASE64.decode(&packed) {
        Ok(octets) if !octets.is_empty() => Ok(octets),
        Ok(_) => Err(Wrong::of(text, "a certificate without a single octet")),
        Err(error) => {
            Err(Wrong::of(text, format!("the certificate is no base64: {error} of its characters")))
        }
    }
}

/// A server name; what cannot be one is left out, and told.
pub(super) fn server_name(text: &str, doubts: &mut Vec<Wrong>) -> Option<ServerName> {
    if text.is_empty() {
        return None;
    }
    match ServerName::new(text) {
        Ok(name) => Some(name),
        Err(why) => {
            let message = format!("the server name {} {why}; it was left out", quoted(text));
            doubts.push(Wrong::of(text, message));
            None
        }
    }
}

/// A serial number's octets, in lower-case hex, of hex with or without colons; `None` for all else.
pub(super) fn hex_serial(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let whole = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
    let is_hex = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| whole.to_ascii_lowercase())
}

/// The same of a decimal number that is not negative: the octets that DER would have.
pub(super) fn decimal_serial(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > DECIMAL_MAX {
        return None;
    }
    // The least octet first.
    let mut octets: Vec<u8> = vec![0];
    for digit in text.bytes() {
        let mut carry = u16::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        for octet in &mut octets {
            let sum = u16::from(*octet) * 10 + carry;
            *octet = (sum & 0xff) as u8;
            carry = sum >> 8;
        }
        if carry > 0 {
            octets.push(carry as u8);
        }
    }
    if octets.last().is_some_and(|highest| *highest >= 0x80) {
        octets.push(0);
    }
    octets.reverse();
    Some(HEXLOWER.encode(&octets))
}

/// The certificate `der`, of which the file makes `claims`.
///
/// Loggers cut long texts: octets that end before the certificate does, and have not the hash that is claimed, are
/// not the certificate, and the claims are taken.
pub(super) fn certificate(der: Vec<u8>, claims: Claims, doubts: &mut Vec<Wrong>) -> Known {
    let is_cut = length(&der).is_some_and(|whole| whole > der.len() as u64);
    let leaf = Leaf::new(der);
    let Some(contradiction) = claims.contradiction(&leaf) else {
        return Known::Leaf(Arc::new(leaf));
    };
    if is_cut && claims.has_hash() {
        doubts
            .push(Wrong::of("", "the certificate is cut off; its hashes are taken from the file"));
        return Known::Hashes(Box::new(claims));
    }
    doubts.push(Wrong::of("", contradiction));
    Known::Leaf(Arc::new(leaf))
}

/// Adds the certificate to what a line holds, if its octets or a hash of it are there.
pub(super) fn add(found: &mut Found, der: Option<Vec<u8>>, claims: Claims, seen: Collected) {
    let certificate = match der {
        Some(der) => certificate(der, claims, &mut found.doubts),
        None if claims.has_hash() => Known::Hashes(Box::new(claims)),
        None => return,
    };
    found.entries.push(Collected { certificate, ..seen });
}

/// How many octets the SEQUENCE has that `der` begins with, its header included (X.690, section 8.1.3).
pub(super) fn length(der: &[u8]) -> Option<u64> {
    let [0x30, first, rest @ ..] = der else { return None };
    match first {
        0..=0x7f => Some(2 + u64::from(*first)),
        // Of indefinite length, which DER has not.
        0x80 => None,
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let octets = rest.get(..count)?;
            let content = octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet));
            Some(2 + count as u64 + content)
        }
        _ => None,
    }
}

/// `text` in quotes, short and harmless.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 64;
    let short: String = text.chars().take(SHOWN).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("'{}{dots}'", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, Wrong>) -> String {
        result.unwrap_err().message
    }

    #[test]
    fn addresses_and_ports_are_whole_or_refused() {
        assert_eq!(address("192.0.2.1"), Ok("192.0.2.1".parse().unwrap()));
        assert_eq!(address("::ffff:192.0.2.1"), Ok("192.0.2.1".parse().unwrap()));
        assert_eq!(address("2001:db8::1"), Ok("2001:db8::1".parse().unwrap()));
        for text in
            ["192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1:443", "fe80::1%2", "", "x\u{1b}"]
        {
            assert_eq!(
                message(address(text)),
                format!("'{}' is no IP address", text.escape_debug())
            );
        }
        assert_eq!((port("1"), port("65535")), (Ok(1), Ok(65535)));
        for text in ["0", "65536", "-1", "443 ", ""] {
            assert_eq!(message(port(text)), format!("'{text}' is no port from 1 to 65535"));
        }
    }

    #[test]
    fn hashes_have_their_length() {
        let colons = "79:92:C0:A8:16:24:6B:28:7D:99:1C:4E:CF:68:F2:D3:2E:4B:CA:18";
        assert_eq!(sha1(colons).unwrap().to_string(), "7992c0a816246b287d991c4ecf68f2d32e4bca18");
        assert_eq!(sha256(&"0A".repeat(32)).unwrap().0, [10; 32]);
        assert_eq!(message(sha1("7992")), "'7992' is no SHA-1, which has 40 hex digits");
        let long = format!("'{}...' is no SHA-256, which has 64 hex digits", "a".repeat(64));
        assert_eq!(message(sha256(&"a".repeat(66))), long);
        assert!(sha256(colons).is_err() && sha1(&"g".repeat(40)).is_err());
    }

    #[test]
    fn moments_are_read_in_every_documented_spelling() {
        let shown = |time: Result<Timestamp, Wrong>| time.unwrap().to_string();
        let whole = "2026-11-24T02:18:24.000Z";
        for text in [
            "2026-11-24T02:18:24Z",
            "2026-11-24T02:18:24.000000+0000",
            "2026-11-24T04:18:24.000000123+02:00",
            "2026-11-24 02:18:24Z",
        ] {
            assert_eq!(shown(moment(text)), whole, "{text}");
            assert_eq!(shown(utc(text)), whole, "{text}");
        }
        assert_eq!(shown(utc("2026-11-24T02:18:24")), whole);
        assert_eq!(shown(utc("2026-11-24 02:18:24.512345")), "2026-11-24T02:18:24.512Z");
        assert_eq!(shown(epoch("1795486704")), whole);
        assert_eq!(shown(epoch("1795486704.5129999")), "2026-11-24T02:18:24.512Z");
        for text in [
            "",
            "today",
            "2026-11-24",
            "2026-02-30T00:00:00Z",
            "2026-11-24T25:00:00Z",
            "1795486704",
        ] {
            assert!(moment(text).is_err() && utc(text).is_err(), "{text}");
        }
        assert!(moment("2026-11-24T02:18:24").is_err(), "no offset");
        assert!(moment("2026-11-24T02:18:24Z[Asia/Tokyo]").is_err());
        for text in
            ["", ".", "-1", "1e9", "1.", ".5", "253402300800", "99999999999999999999", "NaN"]
        {
            assert!(epoch(text).is_err(), "{text}");
        }
    }

    #[test]
    fn serial_numbers_become_octets() {
        let decimal = |text| decimal_serial(text).unwrap_or_default();
        assert_eq!([decimal("0"), decimal("127"), decimal("128")], ["00", "7f", "0080"]);
        assert_eq!(
            decimal("340282366920938463463374607431768211456"),
            format!("01{}", "00".repeat(16))
        );
        assert_eq!([decimal(""), decimal("-1"), decimal("1a")], ["", "", ""]);
        assert_eq!(decimal(&"9".repeat(DECIMAL_MAX + 1)), "");
        assert_eq!(hex_serial("0A:bC").as_deref(), Some("0abc"));
        assert_eq!(hex_serial("ABC").as_deref(), Some("0abc"));
        assert_eq!((hex_serial(""), hex_serial("0x1")), (None, None));
    }

    #[test]
    fn what_was_cut_off_is_known_by_the_claimed_hash() {
        let whole = [&[0x30, 0x03][..], b"\x02\x01\x07"].concat();
        let claims = Claims { sha1: Some(Sha1Fingerprint::of(&whole)), ..Claims::default() };
        let mut doubts = Vec::new();
        let cut = whole.get(..4).unwrap().to_vec();
        let known = certificate(cut.clone(), claims.clone(), &mut doubts);
        assert_eq!((known.sha1(), known.sha256(), doubts.len()), (claims.sha1, None, 1));
        // Without a claim, what is there is all that is known.
        let known = certificate(cut.clone(), Claims::default(), &mut doubts);
        assert_eq!((known.sha1(), doubts.len()), (Some(Sha1Fingerprint::of(&cut)), 1));
        // Whole, and another: ours wins.
        let claims = Claims { sha1: Some(Sha1Fingerprint([0; 20])), ..Claims::default() };
        let known = certificate(whole.clone(), claims, &mut doubts);
        assert_eq!((known.sha1(), doubts.len()), (Some(Sha1Fingerprint::of(&whole)), 2));
    }
}
