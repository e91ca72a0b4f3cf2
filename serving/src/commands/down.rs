//! `chimera down`.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;

use super::instance::{Lock, Note};
use super::{Exit, Settings, ui};

/// Stop what runs in the data folder, and servers that a killed instance left behind
#[derive(Debug, Args)]
#[command(after_help = "Data stays: `chimera up` takes up where it was.")]
pub struct Arguments {
    /// Give up after so many seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    timeout: u64,
}

pub async fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    if !settings.data_dir.is_dir() {
        eprintln!("nothing has ever run in {}", settings.data_dir.display());
        return Ok(());
    }
    let _lock = match Lock::take(&settings.data_dir) {
        Ok(lock) => lock,
        Err(error) if matches!(error.downcast_ref(), Some(Exit::AlreadyRunning(_))) => stop_running(settings, arguments).await?,
        Err(error) => return Err(error),
    };
    let folder = settings.data_dir.clone();
    let stopped = tokio::task::spawn_blocking(move || super::up::servers::stop_leftovers(&folder)).await.context("stopping servers")??;
    Note::remove(&settings.data_dir);
    if stopped.is_empty() {
        eprintln!("nothing was left running in {}", settings.data_dir.display());
    }
    for name in stopped {
        eprintln!("{} {name} stopped", ui::green("✓"));
    }
    Ok(())
}

/// Asks the running instance to stop, and waits until the folder is free.
async fn stop_running(settings: &Settings, arguments: &Arguments) -> anyhow::Result<Lock> {
    let note = Note::read(&settings.data_dir).context("an instance is just starting; stop it with Ctrl-C where it was started")?;
    // The process holds the lock, so the number is its own and was not given to another one since.
    let status = std::process::Command::new("kill").args(["-TERM", &note.pid.to_string()]).status().context("cannot run `kill`")?;
    anyhow::ensure!(status.success(), "cannot signal process {}", note.pid);
    let started = Instant::now();
    let step = ui::Step::new("chimera");
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if let Ok(lock) = Lock::take(&settings.data_dir) {
            step.done(format!("process {} stopped", note.pid));
            return Ok(lock);
        }
        anyhow::ensure!(
            started.elapsed().as_secs() < arguments.timeout,
            "process {} did not stop within {} s",
            note.pid,
            arguments.timeout
        );
    }
}
