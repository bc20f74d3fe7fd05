//! Reading the `[[alert]]` tables of a settings file: the channels that alerts go to.

use super::{Endpoint, Secret};
use crate::domain::diagnostic::{Diagnostic, hint, position};
use crate::domain::document::{Document, Placed, Table};
use crate::domain::indicator::Tlp;

/// The keys of an `[[alert]]` table.
pub const KEYS: [&str; 12] = [
    "name",
    "tlp",
    "webhook",
    "secret_file",
    "secret_env",
    "ca_file",
    "slack",
    "slack_file",
    "slack_env",
    "syslog",
    "file",
    "command",
];

/// The keys that say where an alert goes; a table has exactly one of them.
const ROUTES: [&str; 7] =
    ["webhook", "slack", "slack_file", "slack_env", "syslog", "file", "command"];

/// Characters of a channel's name at most.
const NAME_MAX: usize = 64;

/// Arguments of a command at most, and bytes of each.
const ARGUMENTS_MAX: usize = 64;
const ARGUMENT_BYTES_MAX: usize = 4_096;

/// One `[[alert]]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Its name, by which jobs and the ledger call it.
    pub name: String,
    /// The most closed TLP level that it may carry; `clear` unless the file says more.
    pub tlp: Tlp,
    /// Where the alerts go.
    pub route: Route,
}

/// Where alerts go. Paths are as written: relative ones are meant from the settings file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A POST of the record.
    Webhook {
        /// Where to.
        endpoint: Endpoint,
        /// What signs it.
        secret: Option<SecretSource>,
        /// Certificates in PEM that are trusted instead of the system's.
        ca_file: Option<String>,
    },
    /// A POST of `{"text": ...}`, as Slack and Mattermost take it.
    Slack {
        /// Where to.
        url: UrlSource,
        /// Certificates in PEM that are trusted instead of the system's.
        ca_file: Option<String>,
    },
    /// A syslog message (RFC 5424).
    Syslog(SyslogAddress),
    /// A line at the end of this file.
    File(String),
    /// The record on the standard input of this program: its path, and its arguments.
    Command(Vec<String>),
}

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In the file of this path.
    File(String),
    /// In the environment variable of this name.
    Environment(String),
}

/// Where the URL of a chat is kept, which is itself a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// In the settings file.
    Inline(Endpoint),
    /// Somewhere else.
    Kept(SecretSource),
}

/// How a syslog receiver is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogAddress {
    /// A datagram socket of this machine.
    Unix(String),
    /// UDP to host and port (RFC 5426).
    Udp(String, u16),
    /// TCP to host and port, each message behind its length (RFC 6587).
    Tcp(String, u16),
}

/// Takes the `[[alert]]` tables out of a settings file.
///
/// # Errors
/// A complaint with line and column about the first thing that is wrong; it quotes no URL and no secret.
pub fn read(settings: &mut Table<'_>) -> Result<Vec<ChannelSettings>, Diagnostic> {
    let mut channels: Vec<(ChannelSettings, usize)> = Vec::new();
    for table in settings.tables("alert", &KEYS)? {
        let document = table.document();
        let (channel, offset) = read_channel(table)?;
        if let Some((_, first)) = channels.iter().find(|(other, _)| other.name == channel.name) {
            let (line, _) = position(document.text, *first);
            let message = format!(
                "a second [[alert]] is called '{}' (first in line {line}); rename one",
                channel.name
            );
            return Err(document.complain(offset, message));
        }
        channels.push((channel, offset));
    }
    Ok(channels.into_iter().map(|(channel, _)| channel).collect())
}

fn read_channel(mut table: Table<'_>) -> Result<(ChannelSettings, usize), Diagnostic> {
    let name = read_name(&mut table)?;
    let tlp = read_tlp(&mut table)?;
    let route = read_route(&mut table)?;
    table.finish()?;
    Ok((ChannelSettings { name: name.value, tlp, route }, name.span.start))
}

fn read_name(table: &mut Table<'_>) -> Result<Placed<String>, Diagnostic> {
    let name = table.required_text("name")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.value.len() > NAME_MAX || !name.value.chars().all(fits) {
        let message = "'name' must have 1 to 64 letters, digits, hyphens, underscores and dots";
        return Err(table.document().complain(name.span.start, message));
    }
    Ok(name)
}

fn read_tlp(table: &mut Table<'_>) -> Result<Tlp, Diagnostic> {
    let Some(word) = table.text("tlp")? else { return Ok(Tlp::Clear) };
    match Tlp::WORDS.iter().find(|(known, _)| *known == word.value) {
        Some((_, tlp)) => Ok(*tlp),
        None => {
            let words = Tlp::WORDS.map(|(word, _)| word);
            let message = format!(
                "unknown TLP level '{}'{}",
                word.value.escape_debug(),
                hint(&word.value, &words)
            );
            Err(table.document().complain(word.span.start, message))
        }
    }
}

fn read_route(table: &mut Table<'_>) -> Result<Route, Diagnostic> {
    let keys = table.keys();
    let mut routes = keys.iter().filter(|key| ROUTES.contains(&key.value.as_str()));
    let Some(first) = routes.next() else {
        table.all_known()?;
        let message = format!("nowhere to send: one of {} is missing", ROUTES.join(", "));
        return Err(table.complain(message));
    };
    if let Some(second) = routes.next() {
        let message = format!(
            "'{}' beside '{}': an [[alert]] goes to one place; write two tables",
            second.value, first.value
        );
        return Err(table.document().complain(second.span.start, message));
    }
    for (key, routes) in [
        ("secret_file", &["webhook"] as &[&str]),
        ("secret_env", &["webhook"]),
        ("ca_file", &["webhook", "slack", "slack_file", "slack_env"]),
    ] {
        let lost = keys.iter().find(|given| given.value == key);
        if let Some(lost) = lost.filter(|_| !routes.contains(&first.value.as_str())) {
            let message = format!("'{key}' means nothing beside '{}'", first.value);
            return Err(table.document().complain(lost.span.start, message));
        }
    }
    match first.value.as_str() {
        "webhook" => read_webhook(table),
        "syslog" => read_syslog(table),
        "file" => Ok(Route::File(table.required_text("file")?.value)),
        "command" => read_command(table),
        _ => read_slack(table),
    }
}

fn read_webhook(table: &mut Table<'_>) -> Result<Route, Diagnostic> {
    let endpoint = read_endpoint(table, "webhook")?;
    let secret = match read_kept(table, "secret_file", "secret_env")? {
        [Some(_), Some(second)] => {
            let message = "both 'secret_file' and 'secret_env'; keep one";
            return Err(table.document().complain(second.span.start, message));
        }
        [file, environment] => file.or(environment).map(|kept| kept.value),
    };
    Ok(Route::Webhook { endpoint, secret, ca_file: read_ca_file(table)? })
}

fn read_slack(table: &mut Table<'_>) -> Result<Route, Diagnostic> {
    let url = match read_kept(table, "slack_file", "slack_env")? {
        [Some(kept), _] | [_, Some(kept)] => UrlSource::Kept(kept.value),
        [None, None] => UrlSource::Inline(read_endpoint(table, "slack")?),
    };
    Ok(Route::Slack { url, ca_file: read_ca_file(table)? })
}

fn read_ca_file(table: &mut Table<'_>) -> Result<Option<String>, Diagnostic> {
    Ok(table.text("ca_file")?.map(|path| path.value))
}

fn read_kept(
    table: &mut Table<'_>,
    file: &str,
    environment: &str,
) -> Result<[Option<Placed<SecretSource>>; 2], Diagnostic> {
    let path = table.text(file)?;
    let name = table.text(environment)?;
    if let Some(name) = &name
        && !name.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        // Somebody may have written the secret itself: it is not repeated.
        let message = format!("'{environment}' is no name of an environment variable");
        return Err(table.document().complain(name.span.start, message));
    }
    let placed = |value, span| Placed { value, span };
    Ok([
        path.map(|text| placed(SecretSource::File(text.value), text.span)),
        name.map(|text| placed(SecretSource::Environment(text.value), text.span)),
    ])
}

fn read_endpoint(table: &mut Table<'_>, key: &str) -> Result<Endpoint, Diagnostic> {
    let url = table.required_text(key)?;
    // From here on nothing prints it.
    let secret = Secret::new(url.value);
    Endpoint::new(secret.expose())
        .map_err(|wrong| table.document().complain(url.span.start, format!("'{key}' {wrong}")))
}

fn read_syslog(table: &mut Table<'_>) -> Result<Route, Diagnostic> {
    let text = table.required_text("syslog")?;
    match syslog_address(&text.value) {
        Some(address) => Ok(Route::Syslog(address)),
        None => {
            let message = format!(
                "'{}' is no syslog receiver; expected unix:/dev/log, udp:HOST:PORT or tcp:HOST:PORT",
                text.value.escape_debug()
            );
            Err(table.document().complain(text.span.start, message))
        }
    }
}

fn syslog_address(text: &str) -> Option<SyslogAddress> {
    let (scheme, rest) = text.split_once(':')?;
    if scheme == "unix" {
        return rest.starts_with('/').then(|| SyslogAddress::Unix(rest.to_owned()));
    }
    let (host, port) = rest.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').filter(|host| host.contains(':'))?,
        None => Some(host).filter(|host| !host.contains([':', '/', '@']) && !host.is_empty())?,
    };
    match scheme {
        "udp" => Some(SyslogAddress::Udp(host.to_owned(), port)),
        "tcp" => Some(SyslogAddress::Tcp(host.to_owned(), port)),
        _ => None,
    }
}

fn read_command(table: &mut Table<'_>) -> Result<Route, Diagnostic> {
    let document = table.document();
    let words = table.items("command")?.unwrap_or_default();
    let Some(program) = words.first() else {
        return Err(
            table.complain("'command' is empty: write the program's path and its arguments")
        );
    };
    if !program.value.starts_with('/') {
        let message =
            "the program of 'command' must be an absolute path: it is started without a shell";
        return Err(document.complain(program.span.start, message));
    }
    let bad =
        |word: &&Placed<String>| word.value.len() > ARGUMENT_BYTES_MAX || word.value.contains('\0');
    if let Some(word) = words.iter().find(bad) {
        let message = "an argument of 'command' is longer than 4096 bytes or holds a zero";
        return Err(document.complain(word.span.start, message));
    }
    if words.len() > ARGUMENTS_MAX {
        let message = format!("'command' has more than {ARGUMENTS_MAX} words");
        return Err(document.complain(program.span.start, message));
    }
    Ok(Route::Command(words.into_iter().map(|word| word.value).collect()))
}

/// Reads a settings file that holds `[[alert]]` tables and nothing else, as examples and tests have it.
///
/// # Errors
/// See [`read`].
pub fn read_all(file: &str, text: &str) -> Result<Vec<ChannelSettings>, Diagnostic> {
    let mut table = Document { file, text }.table(&["alert"])?;
    let channels = read(&mut table)?;
    table.finish()?;
    Ok(channels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(rest: &str) -> Result<ChannelSettings, String> {
        let text = format!("[[alert]]\nname = \"a\"\n{rest}\n");
        read_all("c.toml", &text).map(|mut all| all.remove(0)).map_err(|error| error.to_string())
    }

    fn route(rest: &str) -> Route {
        one(rest).unwrap().route
    }

    #[test]
    fn every_route_reads() {
        let endpoint = |url| Endpoint::new(url).unwrap();
        assert_eq!(
            route("webhook = \"https://soc.example/h\"\nsecret_file = \"k\"\nca_file = \"ca.pem\""),
            Route::Webhook {
                endpoint: endpoint("https://soc.example/h"),
                secret: Some(SecretSource::File("k".into())),
                ca_file: Some("ca.pem".into()),
            }
        );
        let kept = |source| Route::Slack { url: UrlSource::Kept(source), ca_file: None };
        assert_eq!(route("slack_file = \"u\""), kept(SecretSource::File("u".into())));
        assert_eq!(route("slack_env = \"U_1\""), kept(SecretSource::Environment("U_1".into())));
        let url = UrlSource::Inline(endpoint("https://chat.example/x"));
        assert_eq!(
            route("slack = \"https://chat.example/x\""),
            Route::Slack { url, ca_file: None }
        );
        for (text, address) in [
            ("unix:/dev/log", SyslogAddress::Unix("/dev/log".into())),
            ("udp:127.0.0.1:514", SyslogAddress::Udp("127.0.0.1".into(), 514)),
            ("tcp:[::1]:601", SyslogAddress::Tcp("::1".into(), 601)),
            ("tcp:log.example:601", SyslogAddress::Tcp("log.example".into(), 601)),
        ] {
            assert_eq!(route(&format!("syslog = \"{text}\"")), Route::Syslog(address));
        }
        assert_eq!(route("file = \"a.jsonl\""), Route::File("a.jsonl".into()));
        let words = ["/usr/bin/notify", "--n", "5"].map(str::to_owned);
        assert_eq!(
            route("command = [\"/usr/bin/notify\", \"--n\", 5]"),
            Route::Command(words.into())
        );
        assert_eq!(one("file = \"a\"").unwrap().tlp, Tlp::Clear);
        assert_eq!(one("tlp = \"amber+strict\"\nfile = \"a\"").unwrap().tlp, Tlp::AmberStrict);
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (rest, complaint) in [
            (
                "",
                "1:1: nowhere to send: one of webhook, slack, slack_file, slack_env, syslog, file, command is missing",
            ),
            ("webhok = \"x\"", "3:1: unknown key 'webhok'; did you mean 'webhook'?"),
            (
                "file = \"a\"\nsyslog = \"unix:/dev/log\"",
                "4:1: 'syslog' beside 'file': an [[alert]] goes to one place; write two tables",
            ),
            ("file = \"a\"\nca_file = \"b\"", "4:1: 'ca_file' means nothing beside 'file'"),
            (
                "slack_env = \"A\"\nsecret_env = \"B\"",
                "4:1: 'secret_env' means nothing beside 'slack_env'",
            ),
            (
                "webhook = \"https://a.example/\"\nsecret_file = \"b\"\nsecret_env = \"C\"",
                "5:14: both 'secret_file' and 'secret_env'; keep one",
            ),
            (
                "webhook = \"https://a.example/\"\nsecret = \"c\"",
                "4:1: unknown key 'secret'; did you mean 'secret_env'?",
            ),
            (
                "file = \"a\"\ntlp = \"ambre\"",
                "4:7: unknown TLP level 'ambre'; did you mean 'amber'?",
            ),
            (
                "syslog = \"udp:host\"",
                "3:10: 'udp:host' is no syslog receiver; expected unix:/dev/log, udp:HOST:PORT or tcp:HOST:PORT",
            ),
            (
                "command = [\"notify\"]",
                "3:12: the program of 'command' must be an absolute path: it is started without a shell",
            ),
            ("command = []", "1:1: 'command' is empty: write the program's path and its arguments"),
            (
                "command = \"/bin/true\"",
                "3:11: 'command' is a string, expected a list such as [\"\u{2026}\", \"\u{2026}\"]",
            ),
        ] {
            assert_eq!(one(rest), Err(format!("c.toml:{complaint}")), "{rest}");
        }
        for text in
            ["udp:a:0", "udp:a:65536", "udp::514", "udp:::1:514", "udp:[a]:5", "unix:log", "x:a:5"]
        {
            assert!(one(&format!("syslog = \"{text}\"")).is_err(), "{text}");
        }
        let twice =
            "[[alert]]\nname = \"a\"\nfile = \"b\"\n[[alert]]\nname = \"a\"\nfile = \"c\"\n";
        assert_eq!(
            read_all("c.toml", twice).unwrap_err().to_string(),
            "c.toml:5:8: a second [[alert]] is called 'a' (first in line 2); rename one"
        );
        let name = "[[alert]]\nname = \"a b\"\nfile = \"c\"\n";
        assert!(
            read_all("c.toml", name).unwrap_err().to_string().starts_with("c.toml:2:8: 'name'")
        );
    }

    #[test]
    fn neither_complaints_nor_debug_repeat_what_may_be_secret() {
        for rest in [
            "slack = \"http://chat.example/canary\"",
            "slack = \"canary\"",
            "slack = \"https://canary@chat.example/\"",
            "slack_env = \"https://chat.example/canary\"",
            "webhook = \"https://soc.example/?t=canary canary\"",
            "webhook = \"https://soc.example/\"\nsecret_env = \"ca-canary\"",
            "webhook = \"https://soc.example/\"\nsecret = \"canary\"",
        ] {
            let complaint = one(rest).unwrap_err();
            assert!(!complaint.contains("canary"), "{complaint}");
        }
        for rest in
            ["slack = \"https://chat.example/canary\"", "webhook = \"https://a.example/?canary\""]
        {
            let shown = format!("{:?} {:#?}", one(rest), one(rest));
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
