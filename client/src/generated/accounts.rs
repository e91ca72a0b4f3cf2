//! Of `accounts`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// Accounts, a page at a time.
    ///
    /// `GET /api/v1/accounts`
    pub async fn list_accounts(&self, query: &ListAccountsQuery) -> Result<Answer<Accounts>> {
        self.call(Method::GET, &["api", "v1", "accounts"]).query(query.pairs()).typed().await
    }

    /// Gives an account another role, or switches it off or on.
    ///
    /// `PATCH /api/v1/accounts/{user_id}`
    pub async fn change_account(&self, user_id: Uuid, body: &AccountChange) -> Result<Answer<Account>> {
        self.call(Method::PATCH, &["api", "v1", "accounts", &user_id.to_string()]).json(body).typed().await
    }
}
