//! Accounts of shoppers who have been here before. Each is in the shop once at a time: two would have one cart.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Shorter than access tokens live.
const LOGGED_IN_FOR: Duration = Duration::from_secs(300);
/// What a password costs to check is no part of every journey: these are used again and again.
const KEPT: usize = 256;

#[derive(Debug)]
pub struct Account {
    pub email: String,
    pub password: String,
    bearer: Option<(String, Instant)>,
}

impl Account {
    pub fn new(email: String, password: String) -> Self {
        Self { email, password, bearer: None }
    }

    /// The access token of its last log-in, unless that was long ago.
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_ref().filter(|(_, since)| since.elapsed() < LOGGED_IN_FOR).map(|(token, _)| token.as_str())
    }

    pub fn logged_in(&mut self, token: String) {
        self.bearer = Some((token, Instant::now()));
    }
}

#[derive(Debug, Default)]
pub struct Accounts(Mutex<Vec<Account>>);

impl Accounts {
    /// One that nobody uses just now.
    pub fn take(&self) -> Option<Account> {
        let mut accounts = self.0.lock();
        if accounts.is_empty() { None } else { Some(accounts.swap_remove(0)) }
    }

    pub fn give_back(&self, account: Account) {
        let mut accounts = self.0.lock();
        if accounts.len() < KEPT {
            accounts.push(account);
        }
    }
}
