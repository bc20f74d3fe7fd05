//! The sources keep the rules that no compiler checks: who may import whom, who may do what, how long
//! things may get.

mod source;

use source::{Source, files, root, sources, words};

const LAYERS: [&str; 8] = ["domain", "engine", "store", "import", "watch", "lab", "manual", "cli"];

/// What each layer may import besides itself.
const IMPORTS: [(&str, &[&str]); 8] = [
    ("manual", &[]),
    ("domain", &[]),
    ("engine", &["domain"]),
    ("store", &["domain"]),
    ("import", &["domain"]),
    ("watch", &["domain", "engine", "store"]),
    ("lab", &["domain"]),
    ("cli", &LAYERS),
];

/// What would make a rule of `domain` depend on more than its arguments.
const NOT_IN_DOMAIN: [&str; 11] = [
    "tokio",
    "tracing",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

const PRINTING: [&str; 5] = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// Where sockets may be connected: to targets, to our own servers, to where alerts go.
const CONNECTING: [&str; 4] = ["src/engine/", "src/lab/", "src/cli/bench/", "src/watch/alert/"];

const FUNCTION_LINES_MAX: usize = 70;

const FILE_LINES_MAX: usize = 600;

/// Where a thread may sleep: SQLite gives no way to wait for another process's switch to its log.
const SLEEPING: [&str; 1] = ["src/store/file.rs"];

/// What comments may hold besides ASCII: the dash of ranges, the dots of what is left out.
const IN_COMMENTS: [char; 2] = ['\u{2013}', '\u{2026}'];

#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// What `rule` says of every file below `folders`.
fn all(folders: &[&str], rule: impl Fn(&Source) -> Vec<String>) -> Vec<String> {
    let sources = folders.iter().flat_map(|folder| sources(folder));
    sources.flat_map(|source| rule(&source)).collect()
}

/// What `rule` says of a file at `path` that holds `text`.
fn of(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    rule(&Source::new(path, text))
}

/// A complaint for every one of `words` in the shipped code.
fn named(source: &Source, forbidden: &[&str], why: &str) -> Vec<String> {
    let places = forbidden.iter().flat_map(|word| {
        let places = words(&source.shipped, word).into_iter();
        places.map(move |at| source.complain(at, &format!("'{word}': {why}")))
    });
    places.collect()
}

/// The first names after `crate::`, and after as many `super::` as lead there, with their places.
fn rooms_named(source: &Source) -> Vec<(usize, String)> {
    let code = &source.shipped;
    let mut paths: Vec<(usize, usize)> =
        words(code, "crate::").into_iter().map(|at| (at, at + "crate::".len())).collect();
    for at in words(code, "super::") {
        let chain = "super::".repeat(source.depth());
        if code[at..].starts_with(&chain) && !code[..at].ends_with("super::") {
            paths.push((at, at + chain.len()));
        }
    }
    paths
        .into_iter()
        .flat_map(|(at, rest)| first_names(&code[rest..]).into_iter().map(move |name| (at, name)))
        .collect()
}

/// `a` of `a::b`, `a` and `c` of `{a::b, c}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return vec![first_name(path)] };
    let (mut depth, mut items) = (0, vec![String::new()]);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => items.push(String::new()),
            _ => items.iter_mut().last().unwrap().push(character),
        }
    }
    items.iter().map(|item| first_name(item)).collect()
}

fn first_name(path: &str) -> String {
    path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn imports(source: &Source) -> Vec<String> {
    let layer = source.layer();
    let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == layer) else {
        return Vec::new();
    };
    let foreign = |name: &str| LAYERS.contains(&name) && name != layer && !allowed.contains(&name);
    let named = rooms_named(source).into_iter().filter(|(_, name)| foreign(name));
    named.map(|(at, name)| source.complain(at, &format!("'{layer}' imports '{name}'"))).collect()
}

fn purity(source: &Source) -> Vec<String> {
    match source.layer() {
        "domain" => named(source, &NOT_IN_DOMAIN, "not in domain"),
        _ => Vec::new(),
    }
}

fn printing(source: &Source) -> Vec<String> {
    match source.layer() {
        "cli" => named(source, &["dbg!"], "left behind"),
        _ => named(source, &PRINTING, "only cli prints"),
    }
}

fn connecting(source: &Source) -> Vec<String> {
    if CONNECTING.iter().any(|place| source.path.starts_with(place)) {
        return Vec::new();
    }
    named(source, &["TcpSocket", "TcpStream", "UdpSocket"], "only the engine opens connections")
}

fn panicking(source: &Source) -> Vec<String> {
    let words = [".unwrap()", ".expect(", "panic!", "unreachable!", "unimplemented!"];
    named(source, &words, "shipped code does not panic")
}

fn unfinished(source: &Source) -> Vec<String> {
    let places = ["todo!", "#[ignore"].into_iter().flat_map(|word| {
        let places = words(&source.code, word).into_iter();
        places.map(move |at| source.complain(at, &format!("'{word}'")))
    });
    places.collect()
}

fn sleeping(source: &Source) -> Vec<String> {
    if SLEEPING.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let places = words(&source.code, "thread::sleep").into_iter();
    places.map(|at| source.complain(at, "waits without knowing what for")).collect()
}

fn length(source: &Source) -> Vec<String> {
    let lines =
        |range: &std::ops::Range<usize>| source.line(range.end - 1) - source.line(range.start) + 1;
    let long = source.functions().into_iter().filter(|place| lines(place) > FUNCTION_LINES_MAX);
    let mut complaints: Vec<String> = long
        .map(|place| {
            source.complain(place.start, &format!("a function of {} lines", lines(&place)))
        })
        .collect();
    let shipped = source.shipped.trim_end().lines().count();
    if shipped > FILE_LINES_MAX {
        complaints.push(source.complain(0, &format!("a file of {shipped} lines")));
    }
    complaints
}

fn characters(source: &Source) -> Vec<String> {
    let commented = |at| !source.code[at..].starts_with(|c: char| !c.is_ascii());
    let strange = source.prose.char_indices().filter(|(at, character)| {
        let fine = commented(*at) && IN_COMMENTS.contains(character);
        !character.is_ascii() && !fine
    });
    strange.map(|(at, character)| source.complain(at, &format!("'{character}'"))).collect()
}

fn documentation(source: &Source) -> Vec<String> {
    if source.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![source.complain(0, "says nothing of what it is for")]
}

#[test]
fn layers_import_only_what_they_may() {
    none(all(&["src"], imports));
    let text = "use crate::domain::{a, b};\nuse crate::{\n    domain::c, store::d,\n};\n";
    assert_eq!(
        of(imports, "src/engine/run.rs", text),
        ["src/engine/run.rs:2: 'engine' imports 'store'"]
    );
    let text = "use super::super::cli::args;\nuse super::super::super::cli::args;\n";
    assert_eq!(of(imports, "src/lab/a/b.rs", text), ["src/lab/a/b.rs:2: 'lab' imports 'cli'"]);
    let text = "use super::super::cli::args;\n";
    assert_eq!(of(imports, "src/lab/a/mod.rs", text), ["src/lab/a/mod.rs:1: 'lab' imports 'cli'"]);
    assert!(of(imports, "src/cli/scan/mod.rs", "use crate::engine::run;\n").is_empty());
}

#[test]
fn every_folder_of_the_sources_is_a_layer() {
    let folders = files("src").into_iter().filter(|path| path.matches('/').count() > 1);
    let unknown = folders
        .filter(|path| !LAYERS.iter().any(|layer| path.starts_with(&format!("src/{layer}/"))));
    none(unknown.collect());
}

#[test]
fn domain_depends_on_its_arguments_alone() {
    none(all(&["src"], purity));
    let text = "//! tokio\nfn a() { std::fs::read(\"std::env\"); }\n\
                #[cfg(test)]\nmod tests {\n use tokio;\n}\n";
    assert_eq!(
        of(purity, "src/domain/a.rs", text),
        ["src/domain/a.rs:2: 'std::fs': not in domain"]
    );
    assert!(of(purity, "src/cli/a.rs", text).is_empty());
}

#[test]
fn only_the_command_line_prints() {
    none(all(&["src"], printing));
    let text = "fn a() { eprintln!(\"println!\"); }\n";
    assert_eq!(
        of(printing, "src/lab/a.rs", text),
        ["src/lab/a.rs:1: 'eprintln!': only cli prints"]
    );
}

#[test]
fn only_the_engine_connects() {
    none(all(&["src"], connecting));
    let text = "use tokio::net::TcpSocket;\n";
    assert_eq!(of(connecting, "src/cli/a.rs", text).len(), 1);
    assert_eq!(of(connecting, "src/engine/a.rs", text).len(), 0);
}

#[test]
fn shipped_code_does_not_panic() {
    none(all(&["src"], panicking));
    let text =
        "fn a() { b.unwrap(); }\n#[cfg(test)]\nmod tests {\n fn c() { d.expect(\"e\"); }\n}\n";
    assert_eq!(
        of(panicking, "src/a.rs", text),
        ["src/a.rs:1: '.unwrap()': shipped code does not panic"]
    );
}

#[test]
fn nothing_is_left_unfinished_or_waits_blindly() {
    none(all(&["src", "tests"], unfinished));
    none(all(&["src", "tests"], sleeping));
    let text = "#[test]\n#[ignore = \"why\"]\nfn a() { std::thread::sleep(b); todo!() }\n";
    assert_eq!(
        of(unfinished, "tests/a.rs", text),
        ["tests/a.rs:3: 'todo!'", "tests/a.rs:2: '#[ignore'"]
    );
    assert_eq!(of(sleeping, "tests/a.rs", text), ["tests/a.rs:3: waits without knowing what for"]);
}

#[test]
fn functions_and_files_stay_short() {
    none(all(&["src", "tests"], length));
    let function =
        |lines: usize| format!("fn a(b: [u8; 4]) {{\n{}}}\n", "c('{');\n".repeat(lines - 2));
    assert!(of(length, "src/a.rs", &function(FUNCTION_LINES_MAX)).is_empty());
    let long = of(length, "src/a.rs", &function(FUNCTION_LINES_MAX + 1));
    assert_eq!(long, ["src/a.rs:1: a function of 71 lines"]);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "use a;\n".repeat(FILE_LINES_MAX));
    let file = |lines| "use a;\n".repeat(lines) + &tests;
    assert!(of(length, "src/a.rs", &file(FILE_LINES_MAX)).is_empty());
    assert_eq!(
        of(length, "src/a.rs", &file(FILE_LINES_MAX + 1)),
        ["src/a.rs:1: a file of 601 lines"]
    );
}

#[test]
fn code_and_comments_are_ascii() {
    none(all(&["src", "tests"], characters));
    let text = "// 0\u{2013}31 \u{2026}\nfn a() { b(\"\u{e9}\", '\u{e9}') }\n\
                // \u{201c}\nfn \u{e9}() {}\n";
    let found = of(characters, "src/a.rs", text);
    assert_eq!(found, ["src/a.rs:3: '\u{201c}'", "src/a.rs:4: '\u{e9}'"]);
}

#[test]
fn every_file_says_what_it_is_for() {
    none(all(&["src", "tests/it"], documentation));
    assert_eq!(of(documentation, "src/a.rs", "use b;\n").len(), 1);
}

/// A data file that nothing reads and nothing describes is a riddle to whoever finds it.
#[test]
fn every_shipped_list_is_read_or_described() {
    let described = std::fs::read_to_string(root().join("targets/README.md")).unwrap_or_default();
    let read: String = sources("src").into_iter().map(|source| source.text).collect();
    let riddles = files("targets").into_iter().filter(|path| {
        let name = path.strip_prefix("targets/").unwrap();
        name != "README.md" && !read.contains(&format!("/{path}\")")) && !described.contains(name)
    });
    none(riddles.collect());
}

#[test]
fn sources_are_taken_apart_rightly() {
    let text = "a /* b /* c */ d */ e \"f\\\"g\" h r#\"i\"j\"# k 'l' '\\'' m<'n> b\"o\" // p\nq";
    let source = Source::new("src/a.rs", text);
    let kept: String = source.code.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(kept, "a e h k m<'n> b q");
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.line(text.len() - 1), 2);
    assert!(source.prose.contains("// p") && !source.prose.contains("f"));
}
