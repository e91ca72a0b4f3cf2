//! Rows of `COPY … TO STDOUT` in text format.

/// Splits a row (without its line feed) into fields; `\N` is NULL.
pub(super) fn fields(line: &[u8]) -> impl Iterator<Item = Option<std::borrow::Cow<'_, [u8]>>> {
    line.split(|&byte| byte == b'\t').map(|field| (field != b"\\N").then(|| unescape(field)))
}

fn unescape(field: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    let Some(first) = field.iter().position(|&byte| byte == b'\\') else { return field.into() };
    let mut value = field[..first].to_vec();
    let mut bytes = field[first..].iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            value.push(byte);
            continue;
        }
        value.push(match bytes.next() {
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(&other) => other,
            None => b'\\',
        });
    }
    value.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lose_their_escapes() {
        let read: Vec<Option<String>> = fields(b"plain\t\\N\t\t\\\\N\ta\\tb\\nc\\\\d\\v")
            .map(|field| field.map(|f| String::from_utf8(f.into_owned()).expect("text")))
            .collect();
        let expected = [Some("plain"), None, Some(""), Some("\\N"), Some("a\tb\nc\\d\u{b}")];
        assert_eq!(read, expected.map(|field| field.map(str::to_owned)));
    }
}
