//! Hashes of passwords: argon2id with the parameters that OWASP names first (19 MiB, two passes, one lane). Those of bcrypt, which other shops
//! made, are checked too, and made anew at the next log-in.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::api::problem::{Problem, Result, kinds};

/// Lengths of passwords that are taken, in characters (NIST SP 800-63B asks for 8 or more, and to take 64 or more).
pub const MIN_CHARS: usize = 10;
pub const MAX_CHARS: usize = 128;
/// How long a request waits for its turn: hashing takes a core.
const TURN: Duration = Duration::from_secs(5);

/// What a password was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, by a hash that is made in another way today.
    RightButOld,
}

/// Makes and checks hashes, on as many threads at once as the machine has cores.
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// Checked when there is no account, so that this takes as long.
    nobodys: String,
}

impl Passwords {
    pub fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { turns: Arc::new(Semaphore::new(cores)), nobodys: hash("nobody's password")? })
    }

    /// In PHC form.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.blocking(move || hash(&password)).await
    }

    /// `hash`: the account's; `None` if there is none, and the answer is `Wrong`, as late as otherwise.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<Verdict> {
        // An empty one is of an account that has no password: nothing is right for it.
        let hash = hash.filter(|hash| !hash.is_empty());
        let is_somebodys = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let verdict = self.blocking(move || verify(&password, &hash)).await?;
        Ok(if is_somebodys { verdict } else { Verdict::Wrong })
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let busy = || Problem::new(&kinds::OVERLOADED, "Many people are logging in at once.").retry_after(2);
        let turn = tokio::time::timeout(TURN, self.turns.clone().acquire_owned()).await.map_err(|_| busy())?;
        let turn = turn.map_err(Problem::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(Problem::internal)?
    }
}

/// Why a password is not taken; `email`: whose it is.
pub fn fault(password: &str, email: &str) -> Option<String> {
    let length = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&length) {
        return Some(format!("a password has {MIN_CHARS} to {MAX_CHARS} characters, this one has {length}"));
    }
    let plain = password.to_lowercase();
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    if plain == email.to_lowercase() || (local.len() >= 4 && plain.trim_matches(|c: char| !c.is_alphabetic()) == local) {
        return Some("the password is the address; choose something that others do not know".into());
    }
    let first = plain.chars().next();
    if plain.chars().all(|c| Some(c) == first)
        || "01234567890123456789 abcdefghijklmnopqrstuvwxyz qwertzuiopasdfghjkl qwertyuiopasdfghjkl".contains(&plain)
    {
        return Some("the password is one of the first that anyone tries; a few words in a row are easy to keep and hard to guess".into());
    }
    None
}

fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash(password: &str) -> Result<String> {
    let hash: PasswordHash = argon2id().hash_password(password.as_bytes()).map_err(Problem::internal)?;
    Ok(hash.to_string())
}

fn verify(password: &str, hash: &str) -> Result<Verdict> {
    if is_bcrypt(hash) {
        let is_right = bcrypt::verify(password, hash).map_err(Problem::internal)?;
        return Ok(if is_right { Verdict::RightButOld } else { Verdict::Wrong });
    }
    let parsed = PasswordHash::new(hash).map_err(Problem::internal)?;
    if argon2id().verify_password(password.as_bytes(), &parsed).is_err() {
        return Ok(Verdict::Wrong);
    }
    let is_todays = parsed.algorithm.as_str() == "argon2id" && Params::try_from(&parsed).is_ok_and(|params| is_todays(&params));
    Ok(if is_todays { Verdict::Right } else { Verdict::RightButOld })
}

fn is_todays(params: &Params) -> bool {
    let todays = Params::DEFAULT;
    (params.m_cost(), params.t_cost(), params.p_cost()) == (todays.m_cost(), todays.t_cost(), todays.p_cost())
}

/// `$2a$`, `$2b$`, `$2x$`, `$2y$`.
fn is_bcrypt(hash: &str) -> bool {
    hash.starts_with("$2") && hash.as_bytes().get(3) == Some(&b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_checked_and_old_ones_are_told() {
        let made = hash("correct horse battery").expect("a hash");
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert_eq!(verify("correct horse battery", &made).expect("checked"), Verdict::Right);
        assert_eq!(verify("correct horse batterz", &made).expect("checked"), Verdict::Wrong);
        // Of the test vectors of jBCrypt.
        let bcrypt = "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC";
        assert_eq!(verify("abcdefghijklmnopqrstuvwxyz", bcrypt).expect("checked"), Verdict::RightButOld);
        assert_eq!(verify("abcdefghijklmnopqrstuvwxyy", bcrypt).expect("checked"), Verdict::Wrong);
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).expect("parameters"));
        let weaker: PasswordHash = weaker.hash_password(b"correct horse battery").expect("a hash");
        assert_eq!(verify("correct horse battery", &weaker.to_string()).expect("checked"), Verdict::RightButOld);
        assert!(verify("x", "no hash at all").is_err());
    }

    #[test]
    fn what_anyone_would_try_first_is_refused() {
        for bad in ["short", "aaaaaaaaaaaaaa", "0123456789", "abcdefghijkl", "ada.lovelace@example.com", "ada.lovelace1"] {
            assert!(fault(bad, "Ada.Lovelace@example.com").is_some(), "{bad}");
        }
        assert!(fault(&"a b".repeat(60), "x@example.com").is_some(), "too long");
        for good in ["correct horse battery", "пароль-пароль", "Tr0ub4dor&3x"] {
            assert_eq!(fault(good, "ada@example.com"), None, "{good}");
        }
    }
}
