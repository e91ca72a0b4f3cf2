//! Sessions: opened by a log-in, carried on by refresh tokens, ended by whoever owns them. The database is the truth; Redis has a copy, so
//! that a request asks no database who sends it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tokio::time::error::Elapsed;
use uuid::Uuid;

use super::secrets::{self, Secret};
use super::state::Auth;
use super::tokens;
use crate::api::access::Role;
use crate::api::problem::{Problem, Result, kinds};
use crate::shop::databases::begin;

/// Without a refresh for so long a session is over.
const IDLE_DAYS: i32 = 30;
/// And after so long in any case.
const LONGEST_DAYS: i32 = 180;
/// How long Redis keeps its copy. Should it be away just when a session is ended, the session goes on for no longer than this.
const COPY_S: u64 = 60;
/// How long it keeps a mark that the database has to be asked: longer than a request takes.
const MARK_S: u64 = 30;
/// Redis has no copy if it takes longer.
const WAIT: Duration = Duration::from_millis(250);
const MAX_AGENT_CHARS: usize = 200;

/// What a client goes on with.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TokenPair {
    /// For the header `Authorization: Bearer …`.
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds that the access token is good for.
    #[schema(example = 600)]
    pub expires_in: i64,
    /// Good once, for POST /api/v1/auth/refresh.
    pub refresh_token: String,
    pub session_id: Uuid,
    pub user_id: Uuid,
    pub role: Role,
}

/// Whose session it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub user_id: Uuid,
    pub role: Role,
}

/// Why a session was ended.
#[derive(Clone, Copy, Debug)]
pub enum EndedBy {
    Logout,
    Reuse,
    Password,
    Admin,
}

impl EndedBy {
    fn name(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::Password => "password",
            Self::Admin => "admin",
        }
    }
}

/// A session, as its owner sees it.
#[derive(Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct Session {
    pub session_id: Uuid,
    /// What the client called itself when it logged in.
    pub user_agent: String,
    pub created_at: DateTime<Utc>,
    /// When its tokens were last refreshed.
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// The row of a session, within the caller's transaction; [`finish`] makes the tokens after its commit.
pub async fn insert(connection: &mut PgConnection, user_id: Uuid, user_agent: &str) -> Result<(Uuid, Secret)> {
    let session_id = Uuid::now_v7();
    let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT_CHARS).collect();
    sqlx::query(
        "INSERT INTO sessions (session_id, user_id, user_agent, expires_at) VALUES ($1, $2, $3, now() + make_interval(days => $4))",
    )
    .bind(session_id)
    .bind(user_id)
    .bind(user_agent)
    .bind(LONGEST_DAYS)
    .execute(&mut *connection)
    .await?;
    let refresh = insert_refresh(connection, session_id).await?;
    Ok((session_id, refresh))
}

async fn insert_refresh(connection: &mut PgConnection, session_id: Uuid) -> Result<Secret> {
    let refresh = Secret::new("chr_")?;
    sqlx::query("INSERT INTO refresh_tokens (token_hash, session_id, expires_at) VALUES ($1, $2, now() + make_interval(days => $3))")
        .bind(refresh.hash().as_slice())
        .bind(session_id)
        .bind(IDLE_DAYS)
        .execute(connection)
        .await?;
    Ok(refresh)
}

/// The tokens of a session that was committed. Redis has a copy of it from now on, unless the session was changed since the commit: a mark says
/// so then, and stays.
pub async fn finish(auth: &Auth, session_id: Uuid, standing: Standing, refresh: Secret) -> Result<TokenPair> {
    let access_token = tokens::sign(&auth.keys, &auth.issuer, standing.user_id, session_id, standing.role)?;
    remember(auth, session_id, standing).await;
    Ok(TokenPair {
        access_token,
        token_type: "Bearer",
        expires_in: tokens::LIFETIME_S,
        refresh_token: refresh.reveal(),
        session_id,
        user_id: standing.user_id,
        role: standing.role,
    })
}

/// The next pair of tokens, for a refresh token. One that comes a second time ends the session: its answer, or the token, was stolen.
pub async fn refresh(auth: &Auth, token: &str) -> Result<TokenPair> {
    let refused = |why: &str| Problem::new(&kinds::SESSION_OVER, why);
    let hash = secrets::hash(token);
    let mut transaction = begin(&auth.pool).await?;
    let used: Option<(Uuid,)> = sqlx::query_as(
        "UPDATE refresh_tokens SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now() RETURNING session_id",
    )
    .bind(hash.as_slice())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((session_id,)) = used else {
        drop(transaction);
        let again: Option<(Uuid,)> = sqlx::query_as("SELECT session_id FROM refresh_tokens WHERE token_hash = $1 AND used_at IS NOT NULL")
            .bind(hash.as_slice())
            .fetch_optional(&auth.pool)
            .await?;
        let Some((session_id,)) = again else { return Err(refused("The refresh token is not known here, or has run out.")) };
        let whose: Option<(Uuid,)> =
            sqlx::query_as("SELECT user_id FROM sessions WHERE session_id = $1").bind(session_id).fetch_optional(&auth.pool).await?;
        if let Some((user_id,)) = whose {
            end(auth, user_id, Ended::One(session_id), EndedBy::Reuse).await?;
            tracing::warn!(%session_id, "a refresh token came a second time; its session was ended");
        }
        return Err(refused("The refresh token was used before, so the session was ended: log in again."));
    };
    let standing: Option<(Uuid, Role)> = sqlx::query_as(
        "UPDATE sessions SET last_used_at = now() FROM credentials WHERE session_id = $1 AND credentials.user_id = sessions.user_id
         AND ended_at IS NULL AND expires_at > now() AND disabled_at IS NULL RETURNING credentials.user_id, role",
    )
    .bind(session_id)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((user_id, role)) = standing else { return Err(refused("The session has ended: log in again.")) };
    let next = insert_refresh(&mut transaction, session_id).await?;
    transaction.commit().await?;
    finish(auth, session_id, Standing { user_id, role }, next).await
}

/// Whose session this is; `None`: it has ended.
pub async fn standing(auth: &Auth, session_id: Uuid) -> Result<Option<Standing>> {
    let copy: redis::RedisResult<Option<String>> = auth.redis.clone().get(key(session_id)).await;
    // A mark that the session has changed is empty, and so no standing.
    if let Ok(Some(copy)) = &copy
        && let Ok(standing) = serde_json::from_str(copy)
    {
        return Ok(Some(standing));
    }
    let row: Option<(Uuid, Role)> = sqlx::query_as(
        "SELECT user_id, role FROM sessions JOIN credentials USING (user_id)
         WHERE session_id = $1 AND ended_at IS NULL AND expires_at > now() AND disabled_at IS NULL",
    )
    .bind(session_id)
    .fetch_optional(&auth.pool)
    .await?;
    let Some((user_id, role)) = row else { return Ok(None) };
    let standing = Standing { user_id, role };
    if copy.is_ok() {
        remember(auth, session_id, standing).await;
    }
    Ok(Some(standing))
}

/// Which sessions of an account.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    One(Uuid),
    AllBut(Uuid),
    All,
}

/// Ends sessions; returns how many stood until now.
pub async fn end(auth: &Auth, user_id: Uuid, which: Ended, by: EndedBy) -> Result<usize> {
    let ended = end_in(&mut *auth.pool.acquire().await?, user_id, which, by).await?;
    forget(auth, &ended).await;
    Ok(ended.len())
}

/// The same within the caller's transaction, which tells Redis to [`forget`] them after its commit.
pub async fn end_in(connection: &mut PgConnection, user_id: Uuid, which: Ended, by: EndedBy) -> Result<Vec<Uuid>> {
    let (one, but) = match which {
        Ended::One(session) => (Some(session), None),
        Ended::AllBut(session) => (None, Some(session)),
        Ended::All => (None, None),
    };
    let ended: Vec<(Uuid,)> = sqlx::query_as(
        "UPDATE sessions SET ended_at = now(), ended_by = $4 WHERE user_id = $1 AND ended_at IS NULL
         AND ($2::uuid IS NULL OR session_id = $2) AND ($3::uuid IS NULL OR session_id <> $3) RETURNING session_id",
    )
    .bind(user_id)
    .bind(one)
    .bind(but)
    .bind(by.name())
    .fetch_all(connection)
    .await?;
    Ok(ended.into_iter().map(|(session,)| session).collect())
}

/// Removes what nobody can use any more.
pub async fn sweep(pool: &PgPool) -> Result<()> {
    for statement in [
        "DELETE FROM refresh_tokens WHERE expires_at < now() - interval '1 day'",
        "DELETE FROM sessions WHERE expires_at < now() OR ended_at < now() - interval '30 days'",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    Ok(())
}

/// The sessions of an account that stand, newest first.
pub async fn list(pool: &PgPool, user_id: Uuid) -> Result<Vec<Session>> {
    let listed = sqlx::query_as(
        "SELECT session_id, user_agent, created_at, last_used_at, expires_at FROM sessions
         WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() ORDER BY last_used_at DESC, session_id LIMIT 100",
    );
    Ok(listed.bind(user_id).fetch_all(pool).await?)
}

/// The sessions of an account that stand.
pub async fn standing_of(connection: &mut PgConnection, user_id: Uuid) -> Result<Vec<Uuid>> {
    let sessions = sqlx::query_scalar("SELECT session_id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now()");
    Ok(sessions.bind(user_id).fetch_all(connection).await?)
}

fn key(session_id: Uuid) -> String {
    format!("session:{session_id}")
}

/// Not having a copy is no failure: the database is asked then. A copy that is there, and a mark, stay.
async fn remember(auth: &Auth, session_id: Uuid, standing: Standing) {
    let Ok(copy) = serde_json::to_string(&standing) else { return };
    let options = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::EX(COPY_S));
    let mut redis = auth.redis.clone();
    let kept: Result<redis::RedisResult<Option<String>>, Elapsed> =
        tokio::time::timeout(WAIT, redis.set_options(key(session_id), copy, options)).await;
    let why = match kept {
        Ok(Ok(_)) => return,
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(why, "Redis has no copy of a session");
}

/// Leaves a mark in the place of each copy: who read the database before the change cannot put the old copy back after it.
pub async fn forget(auth: &Auth, sessions: &[Uuid]) {
    let mut marks = redis::pipe();
    for session in sessions {
        marks.set_ex(key(*session), "", MARK_S).ignore();
    }
    let marked: redis::RedisResult<()> = if sessions.is_empty() { Ok(()) } else { marks.query_async(&mut auth.redis.clone()).await };
    if let Err(error) = marked {
        tracing::warn!(%error, seconds = COPY_S, "Redis may know ended sessions for a little longer");
    }
}
