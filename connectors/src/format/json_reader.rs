//! A JSON reader that is asked for what is expected next, and hands out slices of the text: numbers exactly as they are written, values
//! that nobody wants skipped without being built. RFC 8259, strictly.

use std::borrow::Cow;

/// Values inside values, at most: a bound on the stack.
const MAX_DEPTH: usize = 128;

/// The text is not JSON, or not the JSON that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at byte {at}")]
pub(super) struct JsonError {
    pub at: usize,
    pub message: String,
}

type Result<T, E = JsonError> = std::result::Result<T, E>;

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// For messages.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

#[derive(Clone)]
pub(super) struct JsonReader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> JsonReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| JsonError { at: error.valid_up_to(), message: "the text is not UTF-8".to_owned() })?;
        Ok(Self { text, at: 0, depth: 0 })
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(JsonError { at: self.at, message: message.into() })
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// What comes next.
    pub(super) fn kind(&mut self) -> Result<Kind> {
        Ok(match self.peek() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => return self.fail("expected a value"),
            None => return self.fail("the text ends early"),
        })
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.fail("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn null(&mut self) -> Result<()> {
        self.peek();
        self.word("null")
    }

    pub(super) fn boolean(&mut self) -> Result<bool> {
        let value = self.peek() == Some(b't');
        self.word(if value { "true" } else { "false" })?;
        Ok(value)
    }

    /// A number's text.
    pub(super) fn number(&mut self) -> Result<&'a str> {
        self.peek();
        let bytes = self.text.as_bytes();
        let from = self.at;
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at > from
        };
        let mut at = from;
        if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
        let leading_zero = bytes.get(at) == Some(&b'0');
        let whole_from = at;
        let mut valid = digits(&mut at) && !(leading_zero && at - whole_from > 1);
        if valid && bytes.get(at) == Some(&b'.') {
            at += 1;
            valid = digits(&mut at);
        }
        if valid && matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(bytes.get(at), Some(b'+' | b'-')) {
                at += 1;
            }
            valid = digits(&mut at);
        }
        if !valid {
            return self.fail("expected a number");
        }
        self.at = at;
        Ok(&self.text[from..at])
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a string");
        }
        let bytes = self.text.as_bytes();
        let from = self.at + 1;
        let mut at = from;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at = at;
                    return self.escaped_string(from).map(Cow::Owned);
                }
                Some(0..=0x1f) => {
                    self.at = at;
                    return self.fail("a control character has to be escaped");
                }
                Some(_) => at += 1,
                None => return self.fail("a string does not end"),
            }
        }
        self.at = at + 1;
        Ok(Cow::Borrowed(&self.text[from..at]))
    }

    /// A string from `from` on, whose first backslash is here.
    fn escaped_string(&mut self, from: usize) -> Result<String> {
        let bytes = self.text.as_bytes();
        let mut value = String::with_capacity(self.at - from + 16);
        let mut plain_from = from;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    value.push_str(&self.text[plain_from..self.at]);
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => {
                    value.push_str(&self.text[plain_from..self.at]);
                    value.push(self.escape()?);
                    plain_from = self.at;
                }
                Some(0..=0x1f) => return self.fail("a control character has to be escaped"),
                Some(_) => self.at += 1,
                None => return self.fail("a string does not end"),
            }
        }
    }

    /// The character after a backslash.
    fn escape(&mut self) -> Result<char> {
        let letter = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.fail("there is no such escape"),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char> {
        let unit = |at: usize| {
            let bytes = self.text.as_bytes();
            let hex = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
            hex.iter().try_fold(0u32, |value, &byte| Some(value * 16 + char::from(byte).to_digit(16)?))
        };
        let (code, len) = match (unit(self.at), unit(self.at + 6)) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12),
            (Some(code), _) => (code, 6),
            (None, _) => return self.fail("\\u wants four hexadecimal digits"),
        };
        let Some(character) = char::from_u32(code) else { return self.fail("half of a surrogate pair") };
        self.at += len;
        Ok(character)
    }

    fn nested(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(format!("more than {MAX_DEPTH} values inside each other"));
        }
        Ok(())
    }

    /// Reads an object; `field` has to read each field's value.
    pub(super) fn object<E: From<JsonError>>(&mut self, mut field: impl FnMut(&mut Self, &str) -> Result<(), E>) -> Result<(), E> {
        if self.peek() != Some(b'{') {
            return Ok(self.fail("expected an object")?);
        }
        self.nested()?;
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let name = self.string()?;
                if self.peek() != Some(b':') {
                    return Ok(self.fail("expected `:`")?);
                }
                self.at += 1;
                field(self, &name)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Ok(self.fail("expected `,` or `}`")?),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `element` has to read each element.
    pub(super) fn array<E: From<JsonError>>(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        if self.peek() != Some(b'[') {
            return Ok(self.fail("expected an array")?);
        }
        self.nested()?;
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                element(self)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Ok(self.fail("expected `,` or `]`")?),
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads over a value; returns its text.
    pub(super) fn skip(&mut self) -> Result<&'a str> {
        let kind = self.kind()?;
        let from = self.at;
        match kind {
            Kind::Null => self.null()?,
            Kind::Bool => drop(self.boolean()?),
            Kind::Number => drop(self.number()?),
            Kind::String => self.skip_string()?,
            Kind::Array => self.array(|reader| reader.skip().map(drop))?,
            Kind::Object => self.object(|reader, _| reader.skip().map(drop))?,
        }
        Ok(&self.text[from..self.at])
    }

    /// Nothing but space may follow.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("something follows the value"),
        }
    }

    /// Where the reader stands, in bytes.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => drop(self.escape()?),
                Some(0..=0x1f) => return self.fail("a control character has to be escaped"),
                Some(_) => self.at += 1,
                None => return self.fail("a string does not end"),
            }
        }
        self.at += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_json(text: &[u8]) -> bool {
        JsonReader::new(text).and_then(|mut reader| reader.skip().map(drop).and_then(|()| reader.end())).is_ok()
    }

    /// serde_json is the independent answer: damaged texts are accepted or refused alike.
    #[test]
    fn accepts_what_serde_json_accepts() {
        let seeds: [&str; 6] = [
            r#"{"before":null,"after":{"id":"x","n":-12.50e+3,"l":[1,null,"a\"\u00e9\ud83d\udc0e"],"o":{}},"op":"c"}"#,
            r#"[true,false,null,0,-0,0.1,1e5,"",{"a":[]}]"#,
            r#""plain""#,
            "  17 ",
            "[]",
            r#"{"a":{"b":{"c":"\\\/\b\f\n\r\t"}}}"#,
        ];
        let mut state = 7u64;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        let spare = br#"{}[]",:\u0123e-+.tfn "#;
        let mut refused = 0;
        for round in 0..40_000 {
            let mut text = seeds[round % seeds.len()].as_bytes().to_vec();
            for _ in 0..random(3) {
                let at = random(text.len().max(1)).min(text.len());
                match random(3) {
                    0 if !text.is_empty() => drop(text.remove(at.min(text.len() - 1))),
                    1 => text.insert(at, spare[random(spare.len())]),
                    _ if !text.is_empty() => {
                        let last = text.len() - 1;
                        text[at.min(last)] = spare[random(spare.len())];
                    }
                    _ => {}
                }
            }
            let expected = serde_json::from_slice::<serde_json::Value>(&text).is_ok();
            // Numbers out of f64's range are the one thing that only serde_json minds.
            let huge = serde_json::from_slice::<serde_json::Value>(&text).is_err_and(|e| e.to_string().contains("out of range"));
            assert!(huge || is_json(&text) == expected, "{}", String::from_utf8_lossy(&text));
            refused += usize::from(!expected);
        }
        assert!(refused > 5_000, "the damage did damage");
    }

    #[test]
    fn strings_and_numbers_come_out_as_they_are() {
        let mut reader = JsonReader::new(br#"["a\u00e9\ud83d\udc0e\n", "plain", 12345678901234567890.10]"#).expect("UTF-8");
        let mut strings = Vec::new();
        reader
            .array::<JsonError>(|reader| {
                strings.push(match reader.kind()? {
                    Kind::Number => reader.number()?.to_owned(),
                    _ => reader.string()?.into_owned(),
                });
                Ok(())
            })
            .expect("an array");
        assert_eq!(strings, ["aé🐎\n", "plain", "12345678901234567890.10"]);
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
        assert!(is_json(&[vec![b'['; 100], vec![b']'; 100]].concat()));
        assert!(!is_json(&vec![b'['; 100_000]));
    }
}
