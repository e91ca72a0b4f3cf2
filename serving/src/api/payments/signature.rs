//! Signatures of what the provider tells: `t=<seconds since 1970>,v1=<hex of HMAC-SHA-256 over "<t>.<body>">`.

use aws_lc_rs::hmac;

/// Older or younger than this is not believed: it may be a copy of what was sent once.
const TOLERANCE_S: i64 = 300;

/// What stands in the header `provider-signature`.
pub fn sign(secret: &str, body: &[u8], now_s: i64) -> String {
    let tag = hmac::sign(&key(secret), &message(now_s, body));
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now_s},v1={hex}")
}

/// Whether `header` is the signature of `body`, and fresh. The comparison takes as long for every wrong one.
pub fn is_good(secret: &str, header: &str, body: &[u8], now_s: i64) -> bool {
    let part = |name: &str| header.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (Some(time), Some(hex)) = (part("t").and_then(|time| time.parse::<i64>().ok()), part("v1")) else { return false };
    let Some(tag) = bytes(hex) else { return false };
    now_s.abs_diff(time) <= TOLERANCE_S.unsigned_abs() && hmac::verify(&key(secret), &message(time, body), &tag).is_ok()
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn message(time_s: i64, body: &[u8]) -> Vec<u8> {
    [format!("{time_s}.").as_bytes(), body].concat()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..64).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_the_one_that_openssl_computes() {
        // printf '1000.{}' | openssl dgst -sha256 -hmac secret
        let expected = "t=1000,v1=026360fb6284f077f1148b1ae7c62679730497810a6a0321574de01e8b009e7a";
        assert_eq!(sign("secret", b"{}", 1000), expected);
    }

    #[test]
    fn only_the_right_and_fresh_one_is_good() {
        let good = sign("secret", b"{}", 1000);
        assert!(is_good("secret", &good, b"{}", 1000) && is_good("secret", &good, b"{}", 1300));
        assert!(!is_good("secret", &good, b"{}", 1301), "too old");
        assert!(!is_good("secret", &good, b"{}", 699), "from the future");
        assert!(!is_good("other", &good, b"{}", 1000));
        assert!(!is_good("secret", &good, b"{ }", 1000));
        assert!(!is_good("secret", &good.replace("t=1000", "t=1001"), b"{}", 1001), "the time is signed too");
        for bad in ["", "t=1000", "v1=00", "t=x,v1=00", "t=1000,v1=zz", &good[..good.len() - 1]] {
            assert!(!is_good("secret", bad, b"{}", 1000), "{bad}");
        }
    }
}
