//! Redis: `GET` (values in the table's format) or `HGETALL` (a field a column) of a prefix and the key.

use std::time::Duration;

use arrow::datatypes::{DataType, SchemaRef};
use bytes::Bytes;
use redis::aio::ConnectionManager;
use redis::{ErrorKind, IntoConnectionInfo, Pipeline, ServerErrorKind, cmd};
use tokio::runtime::Runtime;

use super::{Columns, Key, Lookup};
use crate::options::Options;
use crate::sink::redis::connect_with;
use crate::{Error, Result, threads};

pub(super) const CONNECTOR: &str = "redis";
/// Keys in one command, or one pipeline.
const KEYS_A_REQUEST: usize = 1_000;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

struct Redis {
    prefix: String,
    /// The columns that are fields of a hash; `None`: the row is one value.
    fields: Option<SchemaRef>,
    connection: ConnectionManager,
    runtime: Runtime,
}

pub(super) fn open(options: &mut Options, columns: &Columns) -> Result<Box<dyn Lookup>> {
    let address = options.required("address")?;
    let (username, password) = (options.optional("username"), options.optional("password"));
    let prefix = options.optional("target.key_prefix").unwrap_or_default();
    let fields = match options.optional("target").as_deref() {
        None | Some("string") => None,
        Some("hash") => Some(columns.rest.clone()),
        Some(other) => return Err(options.error(format!("option 'target' = '{other}' is neither 'string' nor 'hash'"))),
    };
    // The address may hold a password: it stays out of messages.
    let info = address.as_str().into_connection_info();
    let info = info.map_err(|_| options.error("option 'address' is not of the form redis://host:port/database"))?;
    let mut settings = info.redis_settings().clone();
    if let Some(username) = username {
        settings = settings.set_username(username);
    }
    if let Some(password) = password {
        settings = settings.set_password(password);
    }
    let runtime = threads::runtime()?;
    let connection = runtime.block_on(async { connect_with(info.set_redis_settings(settings), ANSWER_WITHIN) })?;
    Ok(Box::new(Redis { prefix, fields, connection, runtime }))
}

/// Tells what the server refused for good from what may work later.
fn failed(error: redis::RedisError) -> Error {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, TryAgain};
    match error.kind() {
        ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | TryAgain) => Error::unavailable(CONNECTOR, error),
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed => Error::corrupt(CONNECTOR, error),
        _ => Error::unavailable(CONNECTOR, error),
    }
}

impl Redis {
    fn key(&self, key: &Key) -> String {
        format!("{}{}", self.prefix, key.join(":"))
    }
}

impl Lookup for Redis {
    fn check(&mut self) -> Result<()> {
        let _: String = self.runtime.block_on(cmd("PING").query_async(&mut self.connection)).map_err(failed)?;
        Ok(())
    }

    fn get(&mut self, keys: &[Key]) -> Result<Vec<Option<Bytes>>> {
        let mut answers = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_A_REQUEST) {
            match self.fields.clone() {
                None => {
                    let mget = keys.iter().fold(cmd("MGET"), |mut mget, key| mget.arg(self.key(key)).take());
                    let values: Vec<Option<Vec<u8>>> = self.runtime.block_on(mget.query_async(&mut self.connection)).map_err(failed)?;
                    answers.extend(values.into_iter().map(|value| value.map(Bytes::from)));
                }
                Some(fields) => {
                    let mut pipeline = Pipeline::with_capacity(keys.len());
                    for key in keys {
                        pipeline.cmd("HGETALL").arg(self.key(key));
                    }
                    let hashes: Vec<Vec<(String, Vec<u8>)>> =
                        self.runtime.block_on(pipeline.query_async(&mut self.connection)).map_err(failed)?;
                    answers.extend(hashes.iter().map(|hash| object(hash, &fields)));
                }
            }
        }
        if answers.len() != keys.len() {
            return Err(Error::corrupt(CONNECTOR, format!("it gave {} answers to {} keys", answers.len(), keys.len())));
        }
        Ok(answers)
    }
}

/// A hash as a JSON object: numbers, truths and what is nested as they stand there, everything else as text.
fn object(hash: &[(String, Vec<u8>)], fields: &SchemaRef) -> Option<Bytes> {
    if hash.is_empty() {
        return None;
    }
    let mut object = vec![b'{'];
    for (name, value) in hash {
        let Ok(field) = fields.field_with_name(name) else { continue };
        if object.len() > 1 {
            object.push(b',');
        }
        write_text(name.as_bytes(), &mut object);
        object.push(b':');
        match field.data_type() {
            DataType::Boolean | DataType::List(_) | DataType::Struct(_) => object.extend_from_slice(value),
            data_type if data_type.is_numeric() => object.extend_from_slice(value),
            _ => write_text(value, &mut object),
        }
    }
    object.push(b'}');
    Some(object.into())
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(text);
    out.extend_from_slice(serde_json::Value::String(text.into_owned()).to_string().as_bytes());
}
