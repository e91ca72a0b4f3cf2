//! The running instance of a data folder: the lock that keeps it alone, and the note by which other commands find it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{Exit, Settings};
use crate::api::auth::Vault;
use crate::pg::Role;
use crate::shop::databases::Server;

const LOCK: &str = "chimera.lock";
const NOTE: &str = "running.json";

/// What a running `chimera up` writes down for the other commands. Left behind by one that was killed: its databases may still run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Note {
    pub pid: u32,
    /// `http://127.0.0.1:8080`.
    pub http_url: String,
    pub database_url: String,
    /// The servers of the databases of orders beside the first.
    #[serde(default)]
    pub order_shard_urls: Vec<String>,
    pub redis_url: String,
    /// Live views in PostgreSQL's protocol, as the operator and without the password: that is the operator's token.
    #[serde(default)]
    pub views_url: String,
}

/// Held as long as this process uses the data folder; the system lets it go when the process ends, however that is.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Fails at once if another process has it.
    pub fn take(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(LOCK);
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open().with_context(|| format!("cannot open the lock file {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).ok();
                let message = format!(
                    "another chimera (process {}) uses {}; stop it, or give this one a folder of its own with --data-dir",
                    pid.trim(),
                    data_dir.display()
                );
                return Err(Exit::AlreadyRunning(message).into());
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(file))
    }
}

impl Note {
    pub fn write(&self, data_dir: &Path) -> anyhow::Result<()> {
        let path = data_dir.join(NOTE);
        let text = serde_json::to_string_pretty(self)?;
        // By renaming, so that a reader never sees half of it. It holds the database's password, if there is one.
        let half = data_dir.join(format!("{NOTE}.new"));
        write_private(&half, &text)?;
        std::fs::rename(&half, &path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// The note of the last start that was not cleanly stopped.
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(data_dir.join(NOTE)).ok()?).ok()
    }

    pub fn remove(data_dir: &Path) {
        std::fs::remove_file(data_dir.join(NOTE)).ok();
    }
}

/// The secret that operator routes ask for, which is the operator's password too; made at the first start.
pub fn operator_token(data_dir: &Path) -> anyhow::Result<String> {
    token(data_dir, Role::Operator)
}

/// The password of a user of the live views; made at the first start.
pub fn token(data_dir: &Path, role: Role) -> anyhow::Result<String> {
    let path = data_dir.join(format!("{}.token", role.name()));
    match std::fs::read_to_string(&path) {
        Ok(token) if token.trim().len() >= 32 => Ok(token.trim().to_owned()),
        Ok(_) => anyhow::bail!("{} is too short to be a secret; remove it, and a new one is made at the next start", path.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            write_private(&path, &token)?;
            Ok(token)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The key that seals what the database `auth` keeps and has to read again; made at the first start.
pub fn seal_key(data_dir: &Path) -> anyhow::Result<[u8; Vault::KEY_BYTES]> {
    let path = data_dir.join("auth.key");
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let key = blake3::Hash::from_hex(text.trim());
            let key =
                key.with_context(|| format!("{} does not hold 64 hexadecimal digits; bring the file back from a backup", path.display()))?;
            Ok(*key.as_bytes())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = blake3::Hash::from_bytes(
                crate::api::auth::secrets::random().map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?,
            );
            // Two that start at once on a shared folder come to the same key: a link is made once.
            let own = data_dir.join(format!("auth.key.{}", std::process::id()));
            write_private(&own, &key.to_hex())?;
            let linked = std::fs::hard_link(&own, &path);
            std::fs::remove_file(&own).ok();
            match linked {
                Ok(()) => Ok(*key.as_bytes()),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => seal_key(data_dir),
                Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
            }
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn write_private(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("cannot write {}", path.display()))
}

/// The PostgreSQL server that the other commands talk to: the one given, else that of the instance in the data folder.
pub fn server(settings: &Settings) -> anyhow::Result<Server> {
    let note = Note::read(&settings.data_dir);
    match (&settings.database_url, note) {
        // The instance knows where its orders are.
        (given, Some(note)) if given.as_ref().is_none_or(|url| *url == note.database_url) => {
            Ok(Server::with_shards(&note.database_url, &note.order_shard_urls)?)
        }
        (Some(url), _) => Ok(settings.server(url)?),
        (None, _) => Err(not_running(settings).into()),
    }
}

/// The Redis server, likewise.
pub fn redis_url(settings: &Settings) -> anyhow::Result<String> {
    match &settings.redis_url {
        Some(url) => Ok(url.clone()),
        None => Ok(Note::read(&settings.data_dir).ok_or_else(|| not_running(settings))?.redis_url),
    }
}

/// Live views in PostgreSQL's protocol, for the user of a role, without the password.
pub fn views_url(settings: &Settings, role: Role) -> anyhow::Result<String> {
    let url = Note::read(&settings.data_dir).ok_or_else(|| not_running(settings))?.views_url;
    let mut url = reqwest::Url::parse(&url).with_context(|| format!("the address of the live views, `{url}`, cannot be read"))?;
    // Cannot fail: the address has a host.
    url.set_username(role.name()).ok();
    Ok(url.into())
}

/// Where the HTTP API is: at the address given, else that of the instance in the data folder.
pub fn http_url(settings: &Settings) -> anyhow::Result<String> {
    if settings.listen_is_given {
        return Ok(format!("http://{}", settings.listen));
    }
    Ok(Note::read(&settings.data_dir).ok_or_else(|| not_running(settings))?.http_url)
}

fn not_running(settings: &Settings) -> Exit {
    Exit::NotRunning(format!(
        "nothing runs in {}; start it with `chimera up`, or say where it is with --data-dir",
        settings.data_dir.display()
    ))
}

/// A client for the operator routes of the running server.
pub struct Operator {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Operator {
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let base = http_url(settings)?;
        let token = operator_token(&settings.data_dir)?;
        let http = reqwest::Client::builder()
            .timeout(std::time::Duration::from_secs(60))
            .no_proxy()
            .build()
            .context("cannot set up an HTTP client")?;
        Ok(Self { http, base, token })
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<serde_json::Value> {
        self.send(self.http.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<serde_json::Value> {
        let answer = request.bearer_auth(&self.token).send().await;
        let answer =
            answer.map_err(|error| Exit::NotRunning(format!("{} does not answer ({error}); is `chimera up` running?", self.base)))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{} broke off its answer", self.base))?;
        if !status.is_success() {
            let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let detail = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or(&text);
            anyhow::bail!("the server answered {status}: {detail}");
        }
        serde_json::from_str(&text).with_context(|| format!("the answer of {} is not JSON", self.base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_to_take_a_folder_is_told_who_has_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Lock::take(folder.path()).expect("free");
        let error = Lock::take(folder.path()).expect_err("taken").to_string();
        assert!(error.contains(&std::process::id().to_string()), "{error}");
        drop(first);
        Lock::take(folder.path()).expect("free again");
    }

    #[test]
    fn the_token_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let token = operator_token(folder.path()).expect("made");
        assert_eq!(token.len(), 64);
        assert_eq!(operator_token(folder.path()).expect("read"), token);
    }
}
