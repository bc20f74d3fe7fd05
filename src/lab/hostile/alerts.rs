//! Alerts in numbers and places that nobody expects.

use super::messages::{
    ALERT, Hello, TLS12, alert, certificate, handshake, hello12, hello13, record,
};
use super::{MALFORMED, Script, Step, alerted, answer, answering, leaf, leaf_then};
use crate::domain::outcome::{Alert, Outcome};

/// A flight with the leaf, and `last` after it.
fn after_leaf(certificates: &super::Certificates, last: Vec<u8>) -> Vec<Step> {
    answer([handshake(&[hello12(), certificate(&[leaf(certificates)])].concat()), last].concat())
}

const fn ended(level: u8, description: u8) -> super::Expected {
    leaf_then(Outcome::Alert(Alert { level, description }))
}

pub(super) static SCRIPTS: [Script; 14] = [
    Script {
        name: "alert_flood",
        about: "sends 10,000 warnings",
        own: MALFORMED,
        full: None,
        steps: |_| answering([Step::Repeat { bytes: alert(1, 112), count: 10_000 }, Step::Close]),
    },
    Script {
        name: "warning_then_leaf",
        about: "TLS 1.2: sends the warning unrecognized_name, shows the leaf and resets the connection",
        own: leaf_then(Outcome::Reset),
        full: Some(super::Expected::without_leaf(Outcome::Reset).in_version("1.2")),
        steps: |lab| {
            let flight = handshake(&[hello12(), certificate(&[leaf(lab)])].concat());
            answering([Step::Send([alert(1, 112), flight].concat()), Step::Reset])
        },
    },
    Script {
        name: "warning_then_fatal",
        about: "sends a warning and then fatal alert 40, handshake_failure",
        own: alerted(2, 40),
        full: None,
        steps: |_| answer([alert(1, 112), alert(2, 40)].concat()),
    },
    Script {
        name: "two_alerts_in_a_record",
        about: "sends a warning and fatal alert 40, handshake_failure, in one record",
        own: alerted(2, 40),
        full: Some(MALFORMED),
        steps: |_| answer(record(ALERT, &[1, 112, 2, 40])),
    },
    Script {
        name: "goodbye",
        about: "sends close_notify and closes",
        own: alerted(1, 0),
        full: None,
        steps: |_| answer(alert(1, 0)),
    },
    Script {
        name: "alert_level_nine",
        about: "sends alert 40, handshake_failure, of a level that does not exist",
        own: alerted(9, 40),
        full: None,
        steps: |_| answer(alert(9, 40)),
    },
    Script {
        name: "alert_unknown",
        about: "sends fatal alert 255, which is not assigned",
        own: alerted(2, 255),
        full: None,
        steps: |_| answer(alert(2, 255)),
    },
    Script {
        name: "alert_empty",
        about: "sends an alert record of no content",
        own: MALFORMED,
        full: None,
        steps: |_| answer(record(ALERT, &[])),
    },
    Script {
        name: "alert_in_halves",
        about: "spreads an alert over two records",
        own: MALFORMED,
        full: None,
        steps: |_| answer([record(ALERT, &[2]), record(ALERT, &[40])].concat()),
    },
    Script {
        name: "alert_after_hello",
        about: "TLS 1.2: sends its ServerHello and fatal alert 80, internal_error",
        own: alerted(2, 80).in_version("1.2"),
        full: None,
        steps: |_| answer([handshake(&Hello::old(TLS12, 0xc02b).message()), alert(2, 80)].concat()),
    },
    Script {
        name: "alert_after_hello13",
        about: "TLS 1.3: sends its ServerHello and fatal alert 80, internal_error, in the clear",
        own: alerted(2, 80).in_version("1.3"),
        full: None,
        steps: |_| answering([hello13().echoing_before(&[], &alert(2, 80)), Step::Close]),
    },
    Script {
        name: "alert_after_leaf",
        about: "TLS 1.2: shows the leaf and sends fatal alert 80, internal_error",
        own: ended(2, 80),
        full: Some(alerted(2, 80).in_version("1.2")),
        steps: |lab| after_leaf(lab, alert(2, 80)),
    },
    Script {
        name: "goodbye_after_leaf",
        about: "TLS 1.2: shows the leaf and sends close_notify",
        own: ended(1, 0),
        full: Some(alerted(1, 0).in_version("1.2")),
        steps: |lab| after_leaf(lab, alert(1, 0)),
    },
    Script {
        name: "alert_flood_after_leaf",
        about: "TLS 1.2: shows the leaf and sends 10,000 warnings",
        own: leaf_then(Outcome::Malformed),
        full: Some(MALFORMED.in_version("1.2")),
        steps: |lab| {
            let flight = handshake(&[hello12(), certificate(&[leaf(lab)])].concat());
            let flood = Step::Repeat { bytes: alert(1, 112), count: 10_000 };
            answering([Step::Send(flight), flood, Step::Close])
        },
    },
];
