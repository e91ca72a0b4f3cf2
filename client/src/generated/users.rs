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

    /// Removes one's profile, addresses, cart and account for good, and ends all sessions. Orders stay, with where they went, as the record of a
    /// sale; from those that are over the e-mail goes. An order that is on its way keeps it, and so does one whose buyer waits for money or for the
    /// answer to a return: they are still written to.
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

    /// The profile of an account: one's own, or for administrators anybody's.
    ///
    /// `GET /api/v1/users/{user_id}`
    pub async fn get_user(&self, user_id: Uuid) -> Result<Answer<Profile>> {
        self.call(Method::GET, &["api", "v1", "users", &user_id.to_string()]).typed().await
    }

    /// Fills in the profile of an account, or replaces it whole: one's own, or for administrators anybody's.
    ///
    /// `PUT /api/v1/users/{user_id}`
    pub async fn put_user(&self, user_id: Uuid, body: &NewProfile) -> Result<Answer<Profile>> {
        self.call(Method::PUT, &["api", "v1", "users", &user_id.to_string()]).json(body).typed().await
    }
}
