//! Finding programs, running them, waiting for what they do.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// A port on 127.0.0.1 that nothing listens on.
pub fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port on", "127.0.0.1"))
}

/// The first executable file of that name in `folders`, then in `PATH`.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.iter().cloned().chain(std::env::split_paths(&path)).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs to the end and returns standard output; the error holds what was written to both outputs.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(Error::io("run", command.get_program().to_owned()))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let said = format!("{}{stdout}", String::from_utf8_lossy(&output.stderr));
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    Err(Error::Command { command: line, status: output.status.to_string(), output: said.trim().to_owned() })
}

/// Asks again and again, a little less often each time, until `done` or the time is up; returns whether it was done.
pub(crate) fn wait_until(at_most: Duration, mut done: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    let mut pause = Duration::from_millis(5);
    loop {
        if done() {
            return true;
        }
        if started.elapsed() > at_most {
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Makes a folder and those above it, and returns its path without links and dots.
pub(crate) fn make_folder(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    fs::canonicalize(folder).map_err(Error::io("open the folder", folder))
}

/// Whether that process runs, and in this folder: a process id that was written down may have been given to another since.
pub(crate) fn lives_in(pid: &str, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|found| found == folder)
}

/// The last lines of a log file, to be part of an error.
pub(crate) fn tail(file: &Path) -> String {
    let text = match fs::read(file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return "it wrote no log".to_owned(),
        Err(error) => return format!("its log {} cannot be read: {error}", file.display()),
    };
    let lines: Vec<&str> = text.lines().rev().take(8).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
