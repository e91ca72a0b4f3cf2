//! How single values are written and read.

use arrow::compute::SortOptions;
use uuid::Uuid;

/// Compact: a null, whatever its type.
pub(crate) const NULL: u8 = 0;
/// Compact numbers below this are one byte, that of the number plus one; others are a byte for their length above this, and as many bytes.
pub(super) const SMALL: u8 = 0xe0;
/// Compact texts: the 16 bytes of a UUID follow. Other texts and bytes have their length and two.
pub(super) const UUID: u8 = 1;
pub(super) const LENGTHS_FROM: usize = 2;
/// Sorted: a value follows. Nulls come before or after it.
pub(super) const VALUE: u8 = 0x80;

pub(super) fn null_mark(order: SortOptions) -> u8 {
    if order.nulls_first { 0x00 } else { 0xff }
}

pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

pub(super) fn zigzag_wide(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

pub(super) fn unzigzag_wide(value: u128) -> i128 {
    ((value >> 1) as i128) ^ -((value & 1) as i128)
}

/// An integer that sorts as IEEE 754's total order does. SQL knows one zero and one NaN, after all numbers: so do rows.
pub(super) fn total_order(value: f64) -> i64 {
    // Adding zero takes the sign off a zero.
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    let signed = value.to_bits() as i64;
    signed ^ (((signed >> 63) as u64) >> 1) as i64
}

pub(super) fn from_total_order(word: i64) -> f64 {
    f64::from_bits((word ^ (((word >> 63) as u64) >> 1) as i64) as u64)
}

#[inline]
pub(super) fn put_number(out: &mut Vec<u8>, number: u128) {
    if number < u128::from(SMALL - 1) {
        return out.push(number as u8 + 1);
    }
    let bytes = number.to_le_bytes();
    let length = bytes.len() - number.leading_zeros() as usize / 8;
    out.push(SMALL + length as u8);
    out.extend_from_slice(&bytes[..length]);
}

/// As [`put_number`], for most numbers: nine bytes are written and what is too much is taken off again, which is faster than counting.
#[inline]
pub(super) fn put_word(out: &mut Vec<u8>, word: u64) {
    if word < u64::from(SMALL - 1) {
        return out.push(word as u8 + 1);
    }
    let length = 8 - word.leading_zeros() as usize / 8;
    out.push(SMALL + length as u8);
    let end = out.len() + length;
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(end);
}

/// As [`take_number`], of a number that [`put_word`] wrote.
#[inline]
pub(super) fn take_word(row: &mut &[u8]) -> Option<Option<u64>> {
    let (mark, rest) = row.split_first()?;
    *row = rest;
    if *mark == NULL {
        return Some(None);
    }
    if *mark < SMALL {
        return Some(Some(u64::from(*mark - 1)));
    }
    let length = usize::from(*mark - SMALL);
    if let (Some(bytes), 1..=8) = (rest.first_chunk::<8>(), length) {
        *row = &rest[length..];
        return Some(Some(u64::from_le_bytes(*bytes) & (u64::MAX >> (64 - 8 * length))));
    }
    let (head, rest) = rest.split_at_checked(length)?;
    *row = rest;
    let mut bytes = [0; 8];
    bytes.get_mut(..length)?.copy_from_slice(head);
    Some(Some(u64::from_le_bytes(bytes)))
}

/// `None` when the row ends too early, `Some(None)` for a null.
#[inline]
pub(super) fn take_number(row: &mut &[u8]) -> Option<Option<u128>> {
    let (mark, rest) = row.split_first()?;
    *row = rest;
    if *mark == NULL {
        return Some(None);
    }
    if *mark < SMALL {
        return Some(Some(u128::from(*mark - 1)));
    }
    let (head, rest) = row.split_at_checked(usize::from(*mark - SMALL))?;
    *row = rest;
    let mut bytes = [0; 16];
    bytes.get_mut(..head.len())?.copy_from_slice(head);
    Some(Some(u128::from_le_bytes(bytes)))
}

/// Seven bits a byte, the lowest first; all but the last have the eighth set.
pub(super) fn put_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

pub(super) fn take_length(row: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = row.split_first()?;
        *row = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(length);
        }
    }
    None
}

pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len() + LENGTHS_FROM);
    out.extend_from_slice(bytes);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    match uuid_of(text) {
        Some(uuid) => {
            out.push(UUID);
            out.extend_from_slice(uuid.as_bytes());
        }
        None => put_bytes(out, text.as_bytes()),
    }
}

/// The UUID that is written exactly like this.
pub(super) fn uuid_of(text: &str) -> Option<Uuid> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || bytes[8] != b'-' || bytes.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    Uuid::try_parse(text).ok()
}

/// Appends the value to `out`; `Some(false)` for a null.
pub(super) fn take_compact(row: &mut &[u8], out: &mut Vec<u8>) -> Option<bool> {
    let length = take_length(row)?;
    if length == usize::from(NULL) {
        return Some(false);
    }
    if length == usize::from(UUID) {
        let (bytes, rest) = row.split_first_chunk::<16>()?;
        *row = rest;
        let mut text = Uuid::encode_buffer();
        out.extend_from_slice(Uuid::from_bytes(*bytes).as_hyphenated().encode_lower(&mut text).as_bytes());
        return Some(true);
    }
    let (bytes, rest) = row.split_at_checked(length - LENGTHS_FROM)?;
    *row = rest;
    out.extend_from_slice(bytes);
    Some(true)
}

#[inline]
pub(super) fn put_sorted(out: &mut Vec<u8>, bytes: &[u8], order: SortOptions) {
    let invert = if order.descending { 0xff } else { 0 };
    out.push(VALUE);
    out.extend(bytes.iter().map(|byte| byte ^ invert));
}

#[inline]
pub(super) fn take_sorted<const N: usize>(row: &mut &[u8], order: SortOptions) -> Option<Option<[u8; N]>> {
    let (mark, rest) = row.split_first()?;
    *row = rest;
    if *mark != VALUE {
        return Some(None);
    }
    let (bytes, rest) = row.split_first_chunk::<N>()?;
    *row = rest;
    Some(Some(if order.descending { bytes.map(|byte| !byte) } else { *bytes }))
}

/// A zero byte is followed by 255; two zeros end the value.
pub(super) fn put_escaped(out: &mut Vec<u8>, bytes: &[u8], order: SortOptions) {
    let invert = if order.descending { 0xff } else { 0 };
    out.push(VALUE);
    for byte in bytes {
        out.push(byte ^ invert);
        if *byte == 0 {
            out.push(!invert);
        }
    }
    out.extend_from_slice(&[invert, invert]);
}

pub(super) fn take_escaped(row: &mut &[u8], order: SortOptions, out: &mut Vec<u8>) -> Option<bool> {
    let invert = if order.descending { 0xff } else { 0 };
    let (mark, rest) = row.split_first()?;
    *row = rest;
    if *mark != VALUE {
        return Some(false);
    }
    loop {
        let (byte, rest) = row.split_first()?;
        *row = rest;
        let byte = byte ^ invert;
        if byte == 0 {
            let (next, rest) = row.split_first()?;
            *row = rest;
            if next ^ invert == 0 {
                return Some(true);
            }
        }
        out.push(byte);
    }
}
