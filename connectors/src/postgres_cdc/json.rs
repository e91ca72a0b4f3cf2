//! JSON written by hand, straight into a byte buffer: an envelope is mostly constant text.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a byte becomes inside a JSON string: 0 for itself, `u` for `\u00XX`, else the letter after the backslash.
const ESCAPE: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Writes UTF-8 text as a JSON string.
pub(super) fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Writes UTF-8 text as the inside of a JSON string.
pub(super) fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut plain_from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let escape = ESCAPE[byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&text[plain_from..at]);
        plain_from = at + 1;
        match escape {
            b'u' => out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]),
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    out.extend_from_slice(&text[plain_from..]);
}

/// Writes a number in decimal.
pub(super) fn write_number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    write!(out, "{number}").expect("writing to a Vec does not fail");
}

/// Writes bytes as a base64 string.
pub(super) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let from = out.len();
    out.resize(from + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[from..]).expect("the room was made for exactly this");
    out.truncate(from + written);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back_as_they_were() {
        let all: String = (0u8..0x80).map(char::from).chain("žluťoučký 🐎 \u{2028}".chars()).collect();
        for text in ["", "plain", "\"", "\\", "a\"b\\c\nd\u{1}e", &all] {
            let mut out = Vec::new();
            write_string(&mut out, text.as_bytes());
            let read: String = serde_json::from_slice(&out).expect("JSON");
            assert_eq!(read, text);
        }
    }

    #[test]
    fn base64_of_any_length_reads_back() {
        for len in 0..70usize {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 37) as u8).collect();
            let mut out = b"x".to_vec();
            write_base64(&mut out, &bytes);
            let text: String = serde_json::from_slice(&out[1..]).expect("JSON");
            assert_eq!(STANDARD.decode(text).expect("base64"), bytes);
        }
    }
}
