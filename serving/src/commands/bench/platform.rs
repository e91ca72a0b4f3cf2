//! The platform under measurement: this binary as a child, in a temporary folder.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::Connection;

use super::report::StoreDelay;
use crate::commands::instance::{self, Operator};
use crate::commands::{Settings, ui};
use crate::shop::databases::Server;
use crate::shop::orders::Order;

pub struct Platform {
    child: Child,
    settings: Settings,
    dir: tempfile::TempDir,
}

impl Platform {
    /// Starts it without the sample shop, on free ports, and waits until it answers.
    pub async fn start(settings: &Settings) -> anyhow::Result<Self> {
        let step = ui::Step::new("Platform");
        let dir = tempfile::tempdir().context("cannot make a temporary folder")?;
        let home = dir.path().join("home");
        std::fs::create_dir(&home)?;
        let log = std::fs::File::create(dir.path().join("up.log"))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["up", "--no-sample", "--no-notifications", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&home)
            .env_remove("CHIMERA_HOME")
            .env_remove("CHIMERA_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start the platform")?;
        let settings = Settings { data_dir: home, listen_is_given: false, ..settings.clone() };
        let mut platform = Self { child, settings, dir };
        let deadline = Instant::now() + Duration::from_secs(120);
        while Operator::new(&platform.settings).is_err() || platform.stores().await.is_err() {
            if platform.child.try_wait()?.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(platform.dir.path().join("up.log")).unwrap_or_default();
                platform.stop().await;
                bail!("the platform did not come up:\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        step.done("runs in a temporary folder");
        Ok(platform)
    }

    pub fn server(&self) -> anyhow::Result<Server> {
        instance::server(&self.settings)
    }

    /// Asks it, as an operator.
    pub fn operator(&self) -> anyhow::Result<Operator> {
        Operator::new(&self.settings)
    }

    /// Where its API is, and the operator's token.
    pub fn http(&self) -> anyhow::Result<(String, String)> {
        Ok((instance::http_url(&self.settings)?, instance::operator_token(&self.settings.data_dir)?))
    }

    /// Where it keeps everything.
    pub fn folder(&self) -> &std::path::Path {
        &self.settings.data_dir
    }

    async fn stores(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        let answer = Operator::new(&self.settings)?.get("/api/v1/stores").await?;
        Ok(answer["stores"].as_array().cloned().unwrap_or_default())
    }

    /// Waits until every store holds everything that is committed now.
    pub async fn caught_up(&self, at_most: Duration) -> anyhow::Result<()> {
        let mut wanted = Vec::new();
        for service in crate::shop::databases::SOURCES {
            let mut connection = self.server()?.connect(service).await?;
            let lsn: i64 =
                sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetch_one(&mut connection).await?;
            // A mark after it, so that the position is passed though nothing else happens.
            sqlx::query("SELECT pg_logical_emit_message(true, 'chimera.heartbeat', '')").execute(&mut connection).await?;
            connection.close().await?;
            wanted.push((service, lsn));
        }
        let deadline = Instant::now() + at_most;
        loop {
            let stores = self.stores().await?;
            let behind = stores.iter().find(|store| {
                let reads =
                    |service: &str| store["sources"].as_array().is_some_and(|sources| sources.iter().any(|source| source == service));
                wanted.iter().any(|(service, lsn)| reads(service) && store["frontier"][service].as_i64().unwrap_or(0) < *lsn)
            });
            let Some(behind) = behind else { return Ok(()) };
            if Instant::now() > deadline {
                bail!("the store {} is still behind after {} s", behind["store"], at_most.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Each store's delays over the last minute.
    pub async fn delays(&self) -> anyhow::Result<Vec<StoreDelay>> {
        let stores = self.stores().await?;
        Ok(stores
            .iter()
            .filter(|store| store["sources"].as_array().is_some_and(|sources| sources.iter().any(|source| source == "orders")))
            .map(|store| StoreDelay {
                store: store["store"].as_str().unwrap_or_default().to_owned(),
                connector: store["connector"].as_str().unwrap_or_default().to_owned(),
                p50_ms: store["delay_p50_ms"].as_f64().unwrap_or(0.0),
                p99_ms: store["delay_p99_ms"].as_f64().unwrap_or(0.0),
            })
            .collect())
    }

    /// The reference: the lines of `orders` with psql's \copy into one table of the same server.
    pub async fn copy(&self, orders: &[Order]) -> anyhow::Result<Duration> {
        let path = self.dir.path().join("lines.csv");
        let mut file = csv::Writer::from_path(&path)?;
        for order in orders {
            for (number, line) in order.lines.iter().enumerate() {
                file.serialize((&order.number, number, &line.sku, line.quantity, line.unit_price.to_string(), &order.country))?;
            }
        }
        file.flush()?;
        let url = self.server()?.database_url("reporting");
        let psql = |command: String| -> anyhow::Result<()> {
            let done =
                Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", &url, "-c", &command]).output().context("psql is needed")?;
            anyhow::ensure!(done.status.success(), "psql: {}", String::from_utf8_lossy(&done.stderr));
            Ok(())
        };
        psql("CREATE TABLE bench_lines (number text, line int, sku text, quantity int, unit_price numeric(12, 3), country text)".into())?;
        let began = Instant::now();
        psql(format!("\\copy bench_lines FROM '{}' WITH (FORMAT csv)", path.display()))?;
        let took = began.elapsed();
        psql("DROP TABLE bench_lines".into())?;
        Ok(took)
    }

    /// The most memory that the process has held.
    pub fn peak_memory_bytes(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel does not tell the peak memory")?;
        Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }

    /// Stops it in good order; its servers with it.
    pub async fn stop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(60);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Ok(me) = std::env::current_exe() {
            let _ = Command::new(me).arg("down").arg("--data-dir").arg(&self.settings.data_dir).output();
        }
    }
}
