//! HelloRetryRequest (RFC 8446, section 4.1.4) in every way that is not allowed.

use super::messages::{
    AES_128_GCM, AES_256_GCM, COOKIE, Hello, KEY_SHARE, P256, P521, X25519, certificate, extension,
    handshake, hello12, hello13, key_share, vector,
};
use super::{MALFORMED, Script, Step, TOO_LARGE, answering, leaf};
use crate::lab::expected::Expected;

/// A HelloRetryRequest for a share of `group`.
fn wanting(group: u16) -> Hello {
    Hello::retry(AES_128_GCM, &extension(KEY_SHARE, &group.to_be_bytes()))
}

/// A HelloRetryRequest with `cookie`.
fn with_cookie(cookie: &[u8]) -> Hello {
    Hello::retry(AES_128_GCM, &extension(COOKIE, &vector(2, cookie)))
}

/// Asks for a share of P-521, which no client of ours sends at once, then sends `second`.
fn then(second: Step) -> Vec<Step> {
    answering([wanting(P521).echoing(), Step::Await, second, Step::Close])
}

const fn script(
    name: &'static str,
    about: &'static str,
    own: Expected,
    steps: fn(&super::Certificates) -> Vec<Step>,
) -> Script {
    Script { name, about, own, full: None, steps }
}

pub(super) static SCRIPTS: [Script; 10] = [
    script("retry_loop", "asks for another ClientHello again and again", MALFORMED, |_| {
        then(wanting(P521).echoing())
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    script(
        "retry_for_what_was_sent",
        "asks for a share that our own client has sent already",
        MALFORMED,
        |_| answering([wanting(P256).echoing(), Step::Await, wanting(P256).echoing(), Step::Close]),
    )
    .by_rustls(MALFORMED.in_version("1.3")),
    script("retry_for_nothing", "asks for a ClientHello like the first", MALFORMED, |_| {
        answering([Hello::retry(AES_128_GCM, &[]).echoing(), Step::Close])
    }),
    script("retry_unknown_group", "asks for a group that nobody offered", MALFORMED, |_| {
        answering([wanting(0x6a6a).echoing(), Step::Close])
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    script("retry_empty_cookie", "asks for a cookie of no length", MALFORMED, |_| {
        answering([with_cookie(&[]).echoing(), Step::Close])
    }),
    script(
        "retry_huge_cookie",
        "asks for a cookie of 40,000 bytes to be sent back",
        TOO_LARGE,
        |_| {
            let hello = Hello { session: vec![0x5a; 32], ..with_cookie(&[0x5a; 40_000]) };
            answering([hello.sent(), Step::Close])
        },
    )
    .by_rustls(MALFORMED),
    script("retry_other_suite", "chooses another suite after it asked again", MALFORMED, |_| {
        then(Hello::new(AES_256_GCM, &key_share(X25519, &[0x5a; 32])).echoing())
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    script("retry_other_group", "chooses another group than it asked for", MALFORMED, |_| {
        then(hello13().echoing())
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    script("retry_then_12", "asks again and then chooses TLS 1.2", MALFORMED, |lab| {
        then(Step::Send(handshake(&[hello12(), certificate(&[leaf(lab)])].concat())))
    })
    .by_rustls(MALFORMED.in_version("1.3")),
    script("retry_other_version", "asks again in a version that is not TLS 1.3", MALFORMED, |_| {
        let chosen = super::messages::chosen_version(0x0303);
        let share = extension(KEY_SHARE, &P521.to_be_bytes());
        let hello = Hello { extensions: [chosen, share].concat(), ..wanting(P521) };
        answering([hello.echoing(), Step::Close])
    }),
];
