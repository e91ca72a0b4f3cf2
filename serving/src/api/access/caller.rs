//! Who sends a request.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use super::{Role, unauthenticated};
use crate::api::auth::{api_keys, sessions, tokens};
use crate::api::problem::{Problem, Result, kinds};
use crate::api::state::App;

/// Found out by [`super::check`] before a handler runs.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `None`: who runs the server, by its token.
    pub user_id: Option<Uuid>,
    pub role: Role,
    /// `None`: not logged in, but with an API key or the operator's token.
    pub session_id: Option<Uuid>,
    /// Of an API key.
    pub key_id: Option<Uuid>,
    /// By an API key that is for reading.
    pub is_read_only: bool,
}

impl Caller {
    /// Who holds this token.
    ///
    /// # Errors
    /// `unauthenticated` if nobody does.
    pub(in crate::api) async fn of(app: &App, token: &str) -> Result<Self> {
        if app.operator_token.is(token) {
            return Ok(Self { user_id: None, role: Role::Admin, session_id: None, key_id: None, is_read_only: false });
        }
        let auth = &app.auth;
        if token.starts_with(api_keys::PREFIX) {
            let holder = api_keys::holder(auth, token).await?;
            let holder = holder.ok_or_else(|| unauthenticated("The API key is not known here, was removed, or has run out."))?;
            let (user_id, key_id) = (Some(holder.user_id), Some(holder.key_id));
            return Ok(Self { user_id, role: holder.role, session_id: None, key_id, is_read_only: holder.read_only });
        }
        let claims = tokens::read(&auth.keys, &auth.issuer, token).await?.map_err(unauthenticated)?;
        let standing = sessions::standing(auth, claims.sid).await?.filter(|standing| standing.user_id == claims.sub);
        let standing = standing.ok_or_else(|| unauthenticated("The session of this token has ended: log in again."))?;
        // As it is now: the token may be older than a change of it.
        let (user_id, session_id) = (Some(standing.user_id), Some(claims.sid));
        Ok(Self { user_id, role: standing.role, session_id, key_id: None, is_read_only: false })
    }

    /// Whether the session or the key by which they came still stands, for the same account in the same role. A token that has run out
    /// does not matter: it let them in once.
    pub async fn still_stands(&self, app: &App) -> Result<bool> {
        let now = match (self.session_id, self.key_id) {
            (Some(session), _) => sessions::standing(&app.auth, session).await?,
            (None, Some(key)) => api_keys::standing(&app.auth, key).await?,
            (None, None) => return Ok(true),
        };
        Ok(now.is_some_and(|now| Some(now.user_id) == self.user_id && now.role == self.role))
    }

    /// Of those who have an account.
    pub fn user_id(&self) -> Result<Uuid> {
        self.user_id.ok_or_else(|| Problem::new(&kinds::NO_ACCOUNT, "The operator token opens everything, but has no account of its own."))
    }

    /// Whose clicks and orders theirs are. `None`: a program of the shop's and the operator speak of others.
    pub fn shopper_id(&self) -> Option<Uuid> {
        self.user_id.filter(|_| self.role != Role::Service)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get().cloned().ok_or_else(|| unauthenticated("The request carries no bearer token."))
    }
}

/// For what only a person does who has logged in: keys do not make keys, nor change passwords.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    pub user_id: Uuid,
    pub session_id: Uuid,
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let user_id = caller.user_id()?;
        let session_id = caller
            .session_id
            .ok_or_else(|| Problem::new(&kinds::SESSION_NEEDED, "An API key does not do this; send the access token of a log-in."))?;
        Ok(Self { user_id, session_id })
    }
}
