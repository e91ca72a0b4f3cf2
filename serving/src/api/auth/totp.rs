//! The second factor: codes of six digits that change every 30 s (RFC 6238), and codes on paper for the day on which the telephone is lost.

use chrono::Utc;
use sqlx::PgPool;
use totp_rs::{Builder, Totp};
use uuid::Uuid;

use super::account::Credentials;
use super::secrets::{self, random};
use super::state::Auth;
use crate::api::problem::{Problem, Result, kinds};

/// 160 bits, as RFC 4226 recommends.
pub const SEED_BYTES: usize = 20;
pub const RECOVERY_CODES: usize = 10;
const ISSUER: &str = "Chimera";

/// What the seed of an account is sealed as.
pub fn purpose(user_id: Uuid) -> String {
    format!("second factor {user_id}")
}

pub fn totp(seed: &[u8], email: &str) -> Result<Totp> {
    Builder::new().with_secret(seed).with_account_name(email).with_issuer(Some(ISSUER)).build().map_err(Problem::internal)
}

/// The factor of an account whose seed has been made.
pub fn of(auth: &Auth, account: &Credentials) -> Result<Option<Totp>> {
    let Some(sealed) = &account.totp_secret else { return Ok(None) };
    let seed = auth.vault.open(&purpose(account.user_id), sealed).map_err(|_| {
        Problem::internal("the seed of a second factor in the database `auth` is sealed with another key file; bring that file back")
    })?;
    totp(&seed, &account.email).map(Some)
}

/// Takes a code, or one of the recovery codes; each is good once.
pub async fn take(auth: &Auth, account: &Credentials, code: &str) -> Result<()> {
    let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_right = if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        take_step(auth, account, &code).await?
    } else {
        take_recovery(&auth.pool, account.user_id, &code).await?
    };
    if is_right { Ok(()) } else { Err(Problem::new(&kinds::WRONG_CODE, "The code is wrong, was used before, or is no longer good.")) }
}

async fn take_step(auth: &Auth, account: &Credentials, code: &str) -> Result<bool> {
    let now = u64::try_from(Utc::now().timestamp()).map_err(Problem::internal)?;
    let Some(step) = of(auth, account)?.and_then(|totp| totp.check(code, now)) else { return Ok(false) };
    let taken =
        sqlx::query("UPDATE credentials SET totp_last_step = $2 WHERE user_id = $1 AND (totp_last_step IS NULL OR totp_last_step < $2)");
    let taken = taken.bind(account.user_id).bind(i64::try_from(step).map_err(Problem::internal)?).execute(&auth.pool).await?;
    Ok(taken.rows_affected() == 1)
}

async fn take_recovery(pool: &PgPool, user_id: Uuid, code: &str) -> Result<bool> {
    let taken = sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2");
    let taken = taken.bind(user_id).bind(secrets::hash(&code.to_lowercase()).as_slice()).execute(pool).await?;
    Ok(taken.rows_affected() == 1)
}

/// A code for paper: 80 bits as letters that are not mistaken for each other. As it is shown, and as it is kept.
pub fn recovery_code() -> Result<(String, [u8; 32])> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let code: String = random::<16>()?.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    let hash = secrets::hash(&code);
    let shown = [&code[..4], &code[4..8], &code[8..12], &code[12..]].join("-");
    Ok((shown, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, for SHA-1: its eight digits end with our six.
        let totp = totp(b"12345678901234567890", "ada@example.com").expect("a factor");
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert_eq!(totp.generate(time).to_string(), code);
            assert_eq!(totp.check(code, time + 30), Some(time / 30), "a clock that is behind by a step");
            assert_eq!(totp.check(code, time + 90), None);
        }
        assert!(
            totp.to_url().expect("a URL").starts_with("otpauth://totp/Chimera:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
        );
    }

    #[test]
    fn recovery_codes_differ_and_are_found_by_their_hash() {
        let (shown, hash) = recovery_code().expect("a code");
        assert_eq!(shown.len(), 19);
        assert_eq!(secrets::hash(&shown.replace('-', "")), hash);
        assert_ne!(recovery_code().expect("a code").1, hash);
    }
}
