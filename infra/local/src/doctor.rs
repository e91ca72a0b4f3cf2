//! What is installed of what Chimera can use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{find_program, run};
use crate::{postgres, rabbitmq, redis};

/// One thing that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Without it `chimera up` does not work, or not fully.
    pub required: bool,
    pub ok: bool,
    /// What was found, with its version or path; empty if nothing was.
    pub found: String,
    /// The command that installs it.
    pub install_hint: &'static str,
}

/// Looks for everything, in the order in which it matters.
pub fn doctor() -> Vec<Check> {
    let postgres = postgres::bin_folder().ok().map(|bin| version(&bin.join("postgres"), "--version"));
    vec![
        check("PostgreSQL", "holds what is written", true, postgres, postgres::INSTALL),
        check("Redis", "stock, related items, documents", true, program_version("redis-server", "--version"), redis::INSTALL),
        check("RabbitMQ", "messages to people", false, rabbitmq_version(), rabbitmq::INSTALL),
        check(
            "ONNX Runtime",
            "picture search",
            true,
            onnx_runtime().map(|file| file.display().to_string()),
            "pip install --no-deps --target ~/.cache/chimera/onnxruntime onnxruntime==1.31.1",
        ),
        check("Java", "a Kafka broker in tests", false, program_version("java", "-version"), "apt-get install openjdk-17-jre-headless"),
        check("Maven", "fetches the Kafka broker", false, program_version("mvn", "--version"), "apt-get install maven"),
        check(
            "Chromium",
            "the test of the pages",
            false,
            ["chromium", "chromium-browser", "google-chrome"]
                .iter()
                .find_map(|name| find_program(name, &[]))
                .map(|file| file.display().to_string()),
            "apt-get install chromium",
        ),
    ]
}

fn check(name: &'static str, purpose: &'static str, required: bool, found: Option<String>, install_hint: &'static str) -> Check {
    Check { name, purpose, required, ok: found.is_some(), found: found.unwrap_or_default(), install_hint }
}

fn program_version(name: &str, flag: &str) -> Option<String> {
    find_program(name, &[]).map(|file| version(&file, flag))
}

/// Not asked of the server, which would start an Erlang machine for it: the folder that its programs lie in says it.
fn rabbitmq_version() -> Option<String> {
    let (server, _) = rabbitmq::programs().ok()?;
    Some(fs::canonicalize(&server).unwrap_or(server).display().to_string())
}

/// The first line that the program says about itself, or its path if it says nothing.
fn version(file: &Path, flag: &str) -> String {
    // Java writes its version to standard error.
    let said = run(Command::new("sh").args(["-c", "\"$0\" \"$1\" 2>&1"]).arg(file).arg(flag)).unwrap_or_default();
    let plain: String = said.lines().next().unwrap_or_default().replace("\u{1b}[1m", "").replace("\u{1b}[m", "");
    if plain.is_empty() { file.display().to_string() } else { plain }
}

/// `ORT_DYLIB_PATH`, else the library of the Python wheel in our cache folder.
fn onnx_runtime() -> Option<PathBuf> {
    if let Some(file) = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from) {
        return file.is_file().then_some(file);
    }
    let folder = crate::kafka::cache_folder()?.join("onnxruntime/onnxruntime/capi");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.")));
    files.sort();
    files.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_looked_for_has_a_command_that_installs_it() {
        for check in doctor() {
            assert!(!check.install_hint.is_empty() && check.ok != check.found.is_empty(), "{check:?}");
        }
    }
}
