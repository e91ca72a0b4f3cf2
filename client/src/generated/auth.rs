//! Of `auth`.

use reqwest::Method;
use uuid::Uuid;

#[allow(unused_imports, reason = "not every tag has types")]
use super::types::*;
use crate::{Answer, Client, Result};

impl Client {
    /// The keys that access tokens are signed with.
    ///
    /// `GET /.well-known/jwks.json`
    pub async fn get_jwks(&self) -> Result<Answer<JwkSet>> {
        self.call(Method::GET, &[".well-known", "jwks.json"]).typed().await
    }

    /// Who gives tokens here, and where its keys are.
    ///
    /// `GET /.well-known/openid-configuration`
    pub async fn get_openid_configuration(&self) -> Result<Answer<Discovery>> {
        self.call(Method::GET, &[".well-known", "openid-configuration"]).typed().await
    }

    /// One's keys, without what they are.
    ///
    /// `GET /api/v1/auth/api-keys`
    pub async fn list_api_keys(&self) -> Result<Answer<ApiKeys>> {
        self.call(Method::GET, &["api", "v1", "auth", "api-keys"]).typed().await
    }

    /// Makes a key that acts for one's account. It takes what a log-in takes: the password, and a code where there is a second factor.
    ///
    /// `POST /api/v1/auth/api-keys`
    pub async fn create_api_key(&self, body: &NewKey) -> Result<Answer<MadeKey>> {
        self.call(Method::POST, &["api", "v1", "auth", "api-keys"]).json(body).typed().await
    }

    /// Removes one of one's keys: from now on nobody comes in with it.
    ///
    /// `DELETE /api/v1/auth/api-keys/{key_id}`
    pub async fn delete_api_key(&self, key_id: Uuid) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "auth", "api-keys", &key_id.to_string()]).empty().await
    }

    /// Opens a session. After five wrong passwords the address waits, 30 s at first, then twice as long each time. What
    /// is in the cart of a guest goes into the account's.
    ///
    /// `POST /api/v1/auth/login`
    pub async fn log_in(&self, body: &LogIn) -> Result<Answer<TokenPair>> {
        self.call(Method::POST, &["api", "v1", "auth", "login"]).cart().json(body).typed().await
    }

    /// Ends the session that the access token belongs to, and its refresh token with it.
    ///
    /// `POST /api/v1/auth/logout`
    pub async fn log_out(&self) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "auth", "logout"]).empty().await
    }

    /// One's own account.
    ///
    /// `GET /api/v1/auth/me`
    pub async fn get_me(&self) -> Result<Answer<Account>> {
        self.call(Method::GET, &["api", "v1", "auth", "me"]).typed().await
    }

    /// Changes one's password. All other sessions end.
    ///
    /// `PUT /api/v1/auth/password`
    pub async fn change_password(&self, body: &NewPassword) -> Result<Answer<()>> {
        self.call(Method::PUT, &["api", "v1", "auth", "password"]).json(body).empty().await
    }

    /// Sends a message with a token for a new password, if the address has an account, and at most once a minute. The answer is always the same.
    ///
    /// `POST /api/v1/auth/password/forgot`
    pub async fn forgot_password(&self, body: &Forgotten) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "auth", "password", "forgot"]).json(body).empty().await
    }

    /// Sets a new password by a token from a message. All sessions end, API keys are removed, and the address is verified by this too.
    ///
    /// `POST /api/v1/auth/password/reset`
    pub async fn reset_password(&self, body: &Reset) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "auth", "password", "reset"]).json(body).empty().await
    }

    /// The next pair of tokens. Each refresh token is good once: if one comes a second time, its session is ended.
    ///
    /// `POST /api/v1/auth/refresh`
    pub async fn refresh(&self, body: &Refresh) -> Result<Answer<TokenPair>> {
        self.call(Method::POST, &["api", "v1", "auth", "refresh"]).json(body).typed().await
    }

    /// Opens an account and logs it in. A message with a token for POST /api/v1/auth/verify-email goes to the address. What is in the cart
    /// of a guest goes into the account's.
    ///
    /// `POST /api/v1/auth/register`
    pub async fn register(&self, body: &Registration) -> Result<Answer<TokenPair>> {
        self.call(Method::POST, &["api", "v1", "auth", "register"]).cart().json(body).typed().await
    }

    /// Makes the seed of a second factor. It is asked for at log-in once a first code of it has come to …/confirm.
    ///
    /// `POST /api/v1/auth/second-factor`
    pub async fn begin_second_factor(&self, body: &NewSecondFactor) -> Result<Answer<Seed>> {
        self.call(Method::POST, &["api", "v1", "auth", "second-factor"]).json(body).typed().await
    }

    /// Switches the second factor off.
    ///
    /// `DELETE /api/v1/auth/second-factor`
    pub async fn remove_second_factor(&self, body: &Removal) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "auth", "second-factor"]).json(body).empty().await
    }

    /// Switches the second factor on, by a first code, and gives out recovery codes.
    ///
    /// `POST /api/v1/auth/second-factor/confirm`
    pub async fn confirm_second_factor(&self, body: &Confirmation) -> Result<Answer<RecoveryCodes>> {
        self.call(Method::POST, &["api", "v1", "auth", "second-factor", "confirm"]).json(body).typed().await
    }

    /// Where one is logged in.
    ///
    /// `GET /api/v1/auth/sessions`
    pub async fn list_sessions(&self) -> Result<Answer<Sessions>> {
        self.call(Method::GET, &["api", "v1", "auth", "sessions"]).typed().await
    }

    /// Ends one of one's sessions.
    ///
    /// `DELETE /api/v1/auth/sessions/{session_id}`
    pub async fn end_session(&self, session_id: Uuid) -> Result<Answer<()>> {
        self.call(Method::DELETE, &["api", "v1", "auth", "sessions", &session_id.to_string()]).empty().await
    }

    /// Shows that the account's address is its owner's.
    ///
    /// `POST /api/v1/auth/verify-email`
    pub async fn verify_email(&self, body: &Verification) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "auth", "verify-email"]).json(body).empty().await
    }

    /// Sends the message again, if the address is not verified yet and a minute has gone by; the token of the one before is good no more.
    ///
    /// `POST /api/v1/auth/verify-email/resend`
    pub async fn resend_verification(&self) -> Result<Answer<()>> {
        self.call(Method::POST, &["api", "v1", "auth", "verify-email", "resend"]).empty().await
    }
}
