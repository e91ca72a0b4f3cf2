//! Of `users`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// One's profile.
    ///
    /// `GET /api/v1/users/me`
    pub async fn get_profile(&self) -> Result<Answer<Profile>> {
        self.call(Method::GET, &["api", "v1", "users", "me"]).typed().await
    }

    /// Fills in one's profile, or replaces it whole.
    ///
    /// `PUT /api/v1/users/me`
    pub async fn put_profile(&self, body: &NewProfile) -> Result<Answer<Profile>> {
        self.call(Method::PUT, &["api", "v1", "users", "me"]).json(body).typed().await
    }

    /// Removes one's profile, addresses, cart and account for good, and ends all sessions. Orders stay, as the law of trade wants it, under an
    /// id that no longer says whose they are.
    ///
    /// `DELETE /api/v1/users/me`
    pub async fn erase_me(&self, body: &Erasure) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "users", "me"]).json(body).empty().await
    }

    /// One's addresses.
    ///
    /// `GET /api/v1/users/me/addresses`
    pub async fn list_addresses(&self) -> Result<Answer<Addresses>> {
        self.call(Method::GET, &["api", "v1", "users", "me", "addresses"]).typed().await
    }

    /// Adds an address. The first of its type is the default; one that is made the default takes that from the other.
    ///
    /// `POST /api/v1/users/me/addresses`
    pub async fn create_address(&self, body: &NewAddress) -> Result<Answer<Address>> {
        self.call(Method::POST, &["api", "v1", "users", "me", "addresses"]).json(body).typed().await
    }

    /// Replaces one of one's addresses.
    ///
    /// `PUT /api/v1/users/me/addresses/{id}`
    pub async fn put_address(&self, id: Uuid, body: &NewAddress) -> Result<Answer<Address>> {
        self.call(Method::PUT, &["api", "v1", "users", "me", "addresses", &id.to_string()]).json(body).typed().await
    }

    /// Removes one of one's addresses. If it was the default, the newest other one of its type becomes it.
    ///
    /// `DELETE /api/v1/users/me/addresses/{id}`
    pub async fn delete_address(&self, id: Uuid) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "users", "me", "addresses", &id.to_string()]).empty().await
    }

    /// What is kept about oneself, as a file.
    ///
    /// `GET /api/v1/users/me/export`
    pub async fn export_me(&self) -> Result<Answer<Export>> {
        self.call(Method::GET, &["api", "v1", "users", "me", "export"]).typed().await
    }
}
