//! PostgreSQL's own shell on the live views.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};

/// psql takes this process's place: terminal, signals and exit code are its own.
pub fn run(url: &str, password: &str, commands: &[String], options: &[String]) -> anyhow::Result<()> {
    let mut psql = Command::new("psql");
    psql.arg(url).env("PGPASSWORD", password).args(options);
    for command in commands {
        psql.arg("-c").arg(command);
    }
    let error = psql.exec();
    if error.kind() == std::io::ErrorKind::NotFound {
        bail!("psql is not installed; install it with `apt-get install postgresql-client`");
    }
    Err(error).context("cannot start psql")
}
