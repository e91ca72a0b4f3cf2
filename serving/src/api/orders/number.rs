//! Order numbers: short enough to be read out on the telephone, and sorted by time.

use uuid::Uuid;

/// Crockford's base 32: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `W-` (the web shop), the 48 bits of milliseconds of a version 7 id, `-`, and 30 of its random bits: not of the last byte, which many ids of
/// one customer share.
pub fn number(id: Uuid) -> String {
    let bits = id.as_u128();
    let digits = |value: u128, count: u32| (0..count).rev().map(move |i| char::from(DIGITS[((value >> (5 * i)) & 31) as usize]));
    let mut number = String::from("W-");
    number.extend(digits(bits >> 80, 10));
    number.push('-');
    number.extend(digits((bits >> 8) & ((1 << 30) - 1), 6));
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_hold_the_time_and_the_random_bits() {
        let id = Uuid::from_u128(0x0001_0000_0000_7000_8000_003f_ffff_fe07);
        assert_eq!(number(id), "W-0004000000-ZZZZZY");
        let (a, b) =
            (Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_3fff_fffe), Uuid::from_u128(0x0193_0000_0001_7000_8000_0000_0000_0000));
        assert!(number(a) < number(b));
    }
}
