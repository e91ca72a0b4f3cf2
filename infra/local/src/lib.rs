//! Private servers on this machine, from the system's packages: what `chimera up` runs on, and what tests run against.
//!
//! A server keeps its data in one folder, listens on 127.0.0.1 only, and lives on when the process that started it is killed; the next
//! `start` on the same folder adopts it. The `Test…` servers live in a folder of their own and end with the process, however that ends.
//! Everything here blocks: call it from a thread that may.

mod account;
mod doctor;
mod error;
mod kafka;
mod postgres;
mod process;
mod rabbitmq;
mod redis;
mod resp;
mod smtp;
mod testing;

pub use doctor::{Check, doctor};
pub use error::{Error, Result};
pub use kafka::KafkaBroker;
pub use postgres::{Postgres, PostgresOptions};
pub use process::free_port;
pub use rabbitmq::{RabbitMq, RabbitMqOptions};
pub use redis::{AppendFsync, Redis, RedisOptions};
pub use smtp::{Mail, TestSmtp, Trouble};
pub use testing::{TestPostgres, TestRabbitMq, TestRedis};
