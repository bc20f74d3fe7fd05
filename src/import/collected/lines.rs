//! Lines of a stream, each at most so long: whatever the stream, memory stays bounded.

use std::io::{self, BufRead, ErrorKind};

/// The longest line that is read, in bytes; longer ones are passed over whole.
pub(super) const LINE_MAX: usize = 16 << 20;

/// What the next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was read, without its line feed.
    Line,
    /// It is longer than [`LINE_MAX`].
    TooLong,
    /// There is none.
    End,
}

/// Reads the next line of `input` into `line`, which is emptied first.
pub(super) fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Next> {
    line.clear();
    let (mut any, mut too_long) = (false, false);
    loop {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            break;
        }
        any = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (content, _) = bytes.split_at(end.unwrap_or(bytes.len()));
        too_long |= line.len() + content.len() > LINE_MAX;
        if too_long {
            line.clear();
        } else {
            line.extend_from_slice(content);
        }
        let used = content.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    Ok(match (any, too_long) {
        (false, _) => Next::End,
        (true, true) => Next::TooLong,
        (true, false) => Next::Line,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    #[test]
    fn lines_come_one_by_one_and_too_long_ones_not_at_all() {
        let (longest, longer) = (LINE_MAX as u64, LINE_MAX as u64 + 1);
        let a = |count| io::repeat(b'a').take(count);
        let stream = a(longest)
            .chain(&b"\n"[..])
            .chain(a(longer))
            .chain(&b"\nshort\n\n"[..])
            .chain(&b"last"[..]);
        let (mut input, mut line) = (BufReader::new(stream), Vec::new());
        let mut read = || {
            let what = next(&mut input, &mut line).unwrap();
            (what, line.len())
        };
        assert_eq!(read(), (Next::Line, LINE_MAX));
        assert_eq!(read(), (Next::TooLong, 0));
        assert_eq!((read(), read()), ((Next::Line, 5), (Next::Line, 0)));
        assert_eq!((read(), read()), ((Next::Line, 4), (Next::End, 0)));
        assert!(line.capacity() <= 2 * LINE_MAX);
    }
}
