//! A PostgreSQL role a service: what it may do in its own database, and that is to read and write rows.
//!
//! The role that logs in owns the databases; it makes them and brings them to the newest schema. Connections of the services then go on as
//! a role that may neither change a schema nor call what is for superusers, so that a statement that slips in can do no more than the service.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, PgConnection};

/// The role of a service.
pub fn name(service: &str) -> String {
    format!("chimera_{service}")
}

/// Makes the role of `service`, which is one of our constants, and lets it work in the database that is connected to. What its owner makes there
/// later is open to it as well.
///
/// # Errors
/// Whoever is connected may not make roles, and nobody has made this one for them; or what PostgreSQL meets.
pub async fn grant(connection: &mut PgConnection, service: &str) -> Result<(), sqlx::Error> {
    let role = name(service);
    // Reports are written by pipelines alone.
    let rows = if service == "reporting" { "SELECT" } else { "SELECT, INSERT, UPDATE, DELETE" };
    let statements = AssertSqlSafe(format!(
        "DO $$ BEGIN
             IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} NOLOGIN; END IF;
             IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN GRANT {role} TO CURRENT_USER; END IF;
         -- Another that starts at the same moment was quicker.
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
         END $$;
         GRANT USAGE ON SCHEMA public TO {role};
         GRANT {rows} ON ALL TABLES IN SCHEMA public TO {role};
         GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role};"
    ));
    connection.execute(sqlx::raw_sql(statements)).await.map(drop)
}

/// Goes on as the role of `service`. Where there is none, since nobody may make roles there, the connection stays what it is.
pub async fn take(connection: &mut PgConnection, service: Arc<str>) -> Result<(), sqlx::Error> {
    let take = "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')";
    sqlx::query(take).bind(name(&service)).execute(connection).await.map(drop)
}
