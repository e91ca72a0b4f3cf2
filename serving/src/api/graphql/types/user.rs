//! People: their account, and what they say of themselves.

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::address::Address;
use super::order::Order;
use super::time;
use crate::api::auth::account::{self, Account};
use crate::api::graphql::asker::{Asker, id};
use crate::api::graphql::fault::Result;
use crate::api::graphql::query::orders;
use crate::api::users::address;
use crate::api::users::profile::{self, Profile};

pub struct User {
    account: Account,
    /// `None`: it is not filled in.
    profile: Option<Profile>,
}

impl User {
    /// Whoever calls this has checked who may see them.
    pub async fn load(asker: &Asker, user_id: Uuid) -> Result<Self> {
        let account = account::shown(&asker.app.auth.pool, user_id).await?;
        Ok(Self { account, profile: profile::find(&asker.app.databases.users, user_id).await? })
    }
}

#[Object]
impl User {
    async fn id(&self) -> ID {
        id(self.account.user_id)
    }

    async fn email(&self) -> &str {
        &self.account.email
    }

    /// Null, as are the following: the profile is not filled in.
    async fn first_name(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.first_name.as_str())
    }

    async fn last_name(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.last_name.as_str())
    }

    async fn phone_number(&self) -> Option<&str> {
        self.profile.as_ref().and_then(|profile| profile.phone_number.as_deref())
    }

    async fn preferred_currency(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.preferred_currency.as_str())
    }

    /// By type, the default first.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn addresses(&self, context: &Context<'_>) -> Result<Vec<Address>> {
        let found = address::list(&Asker::of(context).app.databases.users, self.account.user_id).await?;
        Ok(found.into_iter().map(Address::from).collect())
    }

    async fn created_at(&self) -> String {
        time(self.account.created_at)
    }

    async fn updated_at(&self) -> String {
        time(self.profile.as_ref().map_or(self.account.created_at, |profile| profile.updated_at))
    }

    /// Newest first; `before` is the id of the last one of the page before.
    #[graphql(complexity = "100 + first.clamp(0, 100) as usize * child_complexity")]
    async fn orders(&self, context: &Context<'_>, #[graphql(default = 20)] first: i32, before: Option<ID>) -> Result<Vec<Order>> {
        orders(context, Some(self.account.user_id.to_string()), first, before).await
    }
}
