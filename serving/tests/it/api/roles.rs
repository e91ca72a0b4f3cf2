//! What a service may do in its database.

use sqlx::AssertSqlSafe;

use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_may_read_and_write_rows_and_nothing_else() {
    let Some(server) = Server::start().await else { return };
    let databases = &server.app.databases;
    let pools = [
        ("auth", &databases.auth),
        ("users", &databases.users),
        ("carts", &databases.carts),
        ("catalog", &databases.catalog),
        ("orders", &databases.orders),
        ("payments", &databases.payments),
        ("inventory", &databases.inventory),
        ("pricing", &databases.pricing),
        ("flags", &databases.flags),
        ("reporting", &databases.reporting),
    ];
    for (service, pool) in pools {
        let role: String = sqlx::query_scalar("SELECT current_user::text").fetch_one(pool).await.unwrap();
        assert_eq!(role, format!("chimera_{service}"));
        let table: String =
            sqlx::query_scalar("SELECT min(tablename::text) FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^_'")
                .fetch_one(pool)
                .await
                .unwrap();
        for refused in [
            "CREATE TABLE mine (id int)".to_owned(),
            format!("ALTER TABLE {table} ADD COLUMN mine int"),
            format!("TRUNCATE {table}"),
            "COPY (SELECT 1) TO PROGRAM 'true'".to_owned(),
            "SELECT pg_read_file('/etc/hostname')".to_owned(),
            "CREATE ROLE mine SUPERUSER".to_owned(),
        ] {
            let error = sqlx::query(AssertSqlSafe(refused.clone())).execute(pool).await.expect_err(&refused);
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{service}: {refused}: {error}");
        }
    }
    let report = sqlx::query("DELETE FROM audit").execute(&databases.reporting).await.expect_err("reports are not the services'");
    assert!(report.to_string().contains("permission denied"), "{report}");
}
