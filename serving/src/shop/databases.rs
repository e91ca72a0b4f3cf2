//! One database a service, on one server: their names, their addresses, how they are made and brought to the newest schema.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::roles;
use super::shards::{self, Shards};

macro_rules! databases {
    (spread $spread:ident; $($(#[$doc:meta])* $name:ident: $connections:literal, $migrations:tt;)*) => {
        /// Connections to every database that Chimera keeps. Nothing is connected before it is used.
        #[derive(Clone)]
        pub struct Databases {
            $($(#[$doc])* pub $name: PgPool,)*
            /// The databases that orders are spread over; the first is `orders`.
            pub shards: Shards,
        }

        impl Databases {
            /// `pool`: of a database's name, and how many connections it may take at most. Orders are spread over `shards` databases.
            pub fn open(shards: usize, pool: impl Fn(&str, u32) -> PgPool) -> Self {
                $(let $name = pool(stringify!($name), $connections);)*
                let shards = Shards::new($spread.clone(), (1..shards).map(|shard| pool(&shards::name(shard), SHARD_CONNECTIONS)));
                Self { $($name,)* shards }
            }
        }

        /// Every database, and what brings it to the newest schema.
        pub static ALL: &[(&str, Migrator)] = &[$((stringify!($name), sqlx::migrate!($migrations)),)*];
    };
}

databases! {
    spread orders;
    /// Accounts, sessions, keys.
    auth: 16, "./migrations/auth";
    /// People and where they live.
    users: 8, "./migrations/users";
    /// What shoppers mean to buy.
    carts: 16, "./migrations/carts";
    /// What the shop offers.
    catalog: 16, "./migrations/catalog";
    /// Orders, or a part of them, and the stock that is promised to all.
    orders: 16, "./migrations/orders";
    /// Payments, as far as the shop knows.
    payments: 8, "./migrations/payments";
    /// The simulated payment provider's own.
    simulated_provider: 8, "./migrations/simulated_provider";
    /// What came into the stock room.
    inventory: 16, "./migrations/inventory";
    /// Promotions, taxes, shipping.
    pricing: 16, "./migrations/pricing";
    /// What was sent to people and programs, and who wants to be told.
    notifications: 8, "./migrations/notifications";
    /// Feature flags and experiments.
    flags: 4, "./migrations/flags";
    /// What pipelines report; no service's.
    reporting: 4, "./migrations/reporting";
}

/// Of each database of orders but the first.
const SHARD_CONNECTIONS: u32 = 8;

/// Services whose committed changes are captured: the [`SOURCES`], and those that the audit trail alone reads.
pub const CAPTURED: [&str; 9] = ["catalog", "orders", "inventory", "auth", "users", "pricing", "payments", "flags", "notifications"];

/// Services that the stores are computed from.
pub const SOURCES: [&str; 3] = ["catalog", "orders", "inventory"];

/// A database could not be reached, made or migrated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{url}` is not a PostgreSQL address such as postgres://user@127.0.0.1:5432/postgres: {message}")]
    Url { url: String, message: String },
    #[error("cannot connect to database `{database}` at {host}:{port}: {source}")]
    Connect { database: String, host: String, port: u16, source: sqlx::Error },
    #[error("cannot create database `{database}`: {source}; the role needs CREATEDB, or create it by hand")]
    Create { database: String, source: sqlx::Error },
    #[error("cannot migrate database `{database}`: {source}")]
    Migrate { database: String, source: sqlx::migrate::MigrateError },
    #[error(
        "the server runs with wal_level={0}, and changes can be captured only with wal_level=logical; set it in postgresql.conf and restart PostgreSQL"
    )]
    WalLevel(String),
    #[error("cannot ask the server for its settings: {0}")]
    Settings(sqlx::Error),
    #[error(
        "the orders of this shop are spread over {kept} database(s), not over {asked}; start with `--order-shards {kept}`: they are not moved once there are any"
    )]
    Shards { kept: i32, asked: i32 },
    #[error(
        "{url} is not the database that has these orders: it is another one, or a new one; give --order-shard-urls in the order in which they were given at the first start"
    )]
    OtherShard { url: String },
}

/// A PostgreSQL server and how to reach each database on it.
#[derive(Clone)]
pub struct Server {
    url: reqwest::Url,
    options: PgConnectOptions,
    /// Where orders are beside the database `orders`: by [`shards::name`], the server of each.
    shards: Vec<(String, Server)>,
}

impl Server {
    /// `url`: any database on the server; the database in its path is used only to create the others.
    pub fn new(url: &str) -> Result<Self, Error> {
        Self::with_shards(url, &[])
    }

    /// `shards`: the servers of the databases that orders are spread over beside the first, likewise; the same may be there again.
    pub fn with_shards(url: &str, shards: &[String]) -> Result<Self, Error> {
        let bad = |message: String| Error::Url { url: hide_password(url), message };
        let options = PgConnectOptions::from_str(url).map_err(|error| bad(error.to_string()))?;
        let parsed = reqwest::Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            return Err(bad(format!("it begins with {}:", parsed.scheme())));
        }
        let shards =
            shards.iter().enumerate().map(|(at, url)| Ok((shards::name(at + 1), Self::new(url)?))).collect::<Result<_, Error>>()?;
        Ok(Self { url: parsed, options: options.application_name("chimera"), shards })
    }

    /// The databases that the rows of `service` are spread over; the first has its name.
    pub fn databases_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a str> {
        let more = if service == "orders" { self.shards.as_slice() } else { &[] };
        std::iter::once(service).chain(more.iter().map(|(name, _)| name.as_str()))
    }

    /// The server that has `database`.
    fn of(&self, database: &str) -> &Self {
        self.shards.iter().find(|(name, _)| name == database).map_or(self, |(_, server)| server)
    }

    /// The address of `database`, as `psql` takes it.
    pub fn database_url(&self, database: &str) -> String {
        let mut url = self.of(database).url.clone();
        url.set_path(database);
        url.into()
    }

    /// The same without the password, for printing.
    pub fn printable_url(&self, database: &str) -> String {
        hide_password(&self.database_url(database))
    }

    pub async fn connect(&self, database: &str) -> Result<PgConnection, Error> {
        let server = self.of(database);
        let options = server.options.clone().database(database);
        PgConnection::connect_with(&options).await.map_err(|source| server.refused(database, source))
    }

    /// Connections to all databases.
    pub fn databases(&self) -> Databases {
        Databases::open(1 + self.shards.len(), |database, connections| {
            pool(self.of(database).options.clone().database(database), shards::service(database), connections)
        })
    }

    /// Creates what is missing of [`ALL`], and of the databases that orders are spread over; returns the names of those that were.
    pub async fn create_missing(&self) -> Result<Vec<String>, Error> {
        let mut created = self.create_here(ALL.iter().map(|(database, _)| *database)).await?;
        for (database, server) in &self.shards {
            created.extend(server.create_here(std::iter::once(database.as_str())).await?);
        }
        Ok(created)
    }

    async fn create_here(&self, databases: impl Iterator<Item = &str>) -> Result<Vec<String>, Error> {
        let maintenance = self.options.get_database().unwrap_or("postgres").to_owned();
        let mut connection = self.connect(&maintenance).await?;
        let wal_level: String = sqlx::query_scalar("SHOW wal_level").fetch_one(&mut connection).await.map_err(Error::Settings)?;
        if wal_level != "logical" {
            return Err(Error::WalLevel(wal_level));
        }
        let mut created = Vec::new();
        for database in databases {
            if self.create_one(&mut connection, database).await? {
                created.push(database.to_owned());
            }
        }
        Ok(created)
    }

    async fn create_one(&self, connection: &mut PgConnection, database: &str) -> Result<bool, Error> {
        let failed = |source| Error::Create { database: database.to_owned(), source };
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(database)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        if there {
            return Ok(false);
        }
        // The name is one of our constants; CREATE DATABASE takes no parameters.
        let statement = AssertSqlSafe(format!("CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'"));
        match sqlx::raw_sql(statement).execute(connection).await {
            Ok(_) => Ok(true),
            // Someone else was quicker: as good.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => Ok(false),
            Err(source) => Err(failed(source)),
        }
    }

    /// Brings every database to the newest schema; returns how many migrations ran.
    pub async fn migrate(&self) -> Result<usize, Error> {
        let mut ran = 0;
        for (service, migrator) in ALL {
            for database in self.databases_of(service) {
                let mut connection = self.connect(database).await?;
                let before = applied(&mut connection).await;
                let failed = |source| Error::Migrate { database: database.to_owned(), source };
                migrator.run(&mut connection).await.map_err(failed)?;
                ran += applied(&mut connection).await - before;
                if let Err(error) = roles::grant(&mut connection, service).await {
                    tracing::warn!(%error, database, "the service has no role of its own, and connects as the owner; let that one make roles (CREATEROLE)");
                }
                connection.close().await.ok();
            }
        }
        self.keep_shards().await?;
        Ok(ran)
    }

    /// Orders stay where they are: from the first one on, their databases are those that there were then.
    async fn keep_shards(&self) -> Result<(), Error> {
        let asked = self.asked();
        let mut connection = self.connect("orders").await?;
        let (kept, home, has_orders): (i32, Uuid, bool) = sqlx::query_as(
            "INSERT INTO shards AS kept (count) VALUES ($1)
             ON CONFLICT (is_row) DO UPDATE SET count = CASE WHEN EXISTS (SELECT FROM allocations) THEN kept.count ELSE excluded.count END
             RETURNING count, home, EXISTS (SELECT FROM allocations)",
        )
        .bind(asked)
        .fetch_one(&mut connection)
        .await
        .map_err(Error::Settings)?;
        if kept != asked {
            return Err(Error::Shards { kept, asked });
        }
        for (number, (database, _)) in (1..).zip(&self.shards) {
            let mut connection = self.connect(database).await?;
            let found: Option<(Uuid, i32)> =
                sqlx::query_as("SELECT home, number FROM shards").fetch_optional(&mut connection).await.map_err(Error::Settings)?;
            match found {
                Some(found) if found == (home, number) => {}
                None if !has_orders => {
                    let own =
                        sqlx::query("INSERT INTO shards (count, home, number) VALUES ($1, $2, $3)").bind(asked).bind(home).bind(number);
                    own.execute(&mut connection).await.map_err(Error::Settings)?;
                }
                _ => return Err(Error::OtherShard { url: self.printable_url(database) }),
            }
        }
        Ok(())
    }

    /// Whether orders are where this looks for them. For who changes nothing: [`Self::migrate`] sees to it for the platform.
    ///
    /// # Errors
    /// [`Error::Shards`] if they are in more databases, or in fewer.
    pub async fn check_shards(&self) -> Result<(), Error> {
        let asked = self.asked();
        let mut connection = self.connect("orders").await?;
        let kept: Option<i32> =
            sqlx::query_scalar("SELECT count FROM shards").fetch_optional(&mut connection).await.map_err(Error::Settings)?;
        match kept {
            Some(kept) if kept != asked => Err(Error::Shards { kept, asked }),
            _ => Ok(()),
        }
    }

    fn asked(&self) -> i32 {
        i32::try_from(1 + self.shards.len()).unwrap_or(i32::MAX)
    }

    fn refused(&self, database: &str, source: sqlx::Error) -> Error {
        Error::Connect { database: database.to_owned(), host: self.options.get_host().to_owned(), port: self.options.get_port(), source }
    }
}

/// How long a statement waits for what another transaction has locked.
const LOCK_TIMEOUT: &str = "5s";

/// How long a connection may have been of no use before it is asked whether it is still there.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Connections of a service, as its role. Nothing is connected before it is used.
pub fn pool(options: PgConnectOptions, service: &str, connections: u32) -> PgPool {
    let role: Arc<str> = service.into();
    let options = options.options([("lock_timeout", LOCK_TIMEOUT)]);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(move |connection, _| Box::pin(roles::take(connection, role.clone())))
        // Each was asked when it came back: to ask once more at every use would double the ways to the server.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            let is_new = about.idle_for < TRUSTED_FOR;
            Box::pin(async move { if is_new { Ok(true) } else { connection.ping().await.map(|()| true) } })
        })
        .connect_lazy_with(options)
}

/// A transaction on a connection of its own. In the place of `Pool::begin`, which is not to be cancelled: sqlx does not undo a BEGIN on whose
/// answer nobody waits any more, as when a client goes away, and what came next on that connection would be in its transaction, and lost.
pub async fn begin(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut broken = 0;
    loop {
        let connection = pool.acquire().await?;
        // To its end in any case; then it is dropped, and rolled back.
        let begun = tokio::spawn(Transaction::begin(connection, None));
        match begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed)) {
            // The server was started anew since the connection was used: the others may be broken too, and the last one is a new one.
            Err(error) if is_broken(&error) && broken < pool.options().get_max_connections() => broken += 1,
            begun => return begun,
        }
    }
}

/// Whether it was the connection that failed, or the server's end.
fn is_broken(error: &sqlx::Error) -> bool {
    let ends = |cause: &dyn DatabaseError| cause.code().is_some_and(|code| code.starts_with("57P"));
    matches!(error, sqlx::Error::Io(_)) || error.as_database_error().is_some_and(ends)
}

/// Migrations applied so far; 0 in a new database, which has no table of them yet.
async fn applied(connection: &mut PgConnection) -> usize {
    let count: Result<i64, _> = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(connection).await;
    count.map_or(0, |count| usize::try_from(count).unwrap_or(0))
}

/// `url` with `***` for the password, for logs and messages.
pub fn hide_password(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // Cannot fail: a URL that has a password can have another.
            parsed.set_password(Some("***")).ok();
            parsed.into()
        }
        Ok(parsed) => parsed.into(),
        Err(_) => "(an address that cannot be read)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_in_the_path_is_replaced_and_the_password_hidden() {
        let server = Server::new("postgres://shop:secret@127.0.0.1:5433/postgres?sslmode=disable").expect("a good address");
        assert_eq!(server.database_url("orders"), "postgres://shop:secret@127.0.0.1:5433/orders?sslmode=disable");
        assert_eq!(server.printable_url("orders"), "postgres://shop:***@127.0.0.1:5433/orders?sslmode=disable");
    }

    #[test]
    fn an_address_of_something_else_is_refused() {
        let error = Server::new("redis://127.0.0.1:6379").err().expect("refused").to_string();
        assert!(error.contains("not a PostgreSQL address"), "{error}");
    }
}
