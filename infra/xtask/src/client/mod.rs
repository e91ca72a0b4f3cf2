//! `xtask client`: the typed client, from the OpenAPI document.
//!
//! The generators that there are read OpenAPI 3.0, need a Java at hand, or bring a runtime of their own. What we need of one is small: utoipa writes few
//! forms of schemas, and what it takes to send a request is written by hand in `client/src`.

mod names;
mod operations;
mod schemas;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

const FOLDER: &str = "client/src/generated";

/// Writes the files, and takes away those that are of no use any more.
pub fn write() -> Result<usize> {
    let root = root();
    let folder = root.join(FOLDER);
    let files = files(&root)?;
    std::fs::create_dir_all(&folder)?;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if !path.file_name().and_then(|name| name.to_str()).is_some_and(|name| files.contains_key(name)) {
            std::fs::remove_file(path)?;
        }
    }
    for (name, text) in &files {
        std::fs::write(folder.join(name), text).with_context(|| format!("cannot write {FOLDER}/{name}"))?;
    }
    Ok(files.len())
}

/// What each file has to hold.
fn files(root: &Path) -> Result<BTreeMap<String, String>> {
    let path = root.join("serving/openapi.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let document: Value = serde_json::from_str(&text).context("serving/openapi.json is not JSON")?;
    let mut types = schemas::Types::new(&document);
    let mut files = BTreeMap::new();
    for (tag, code) in operations::by_tag(&document, &mut types)? {
        files.insert(format!("{tag}.rs"), code);
    }
    ensure!(!files.contains_key("types.rs"), "a tag cannot be called `types`");
    let modules: String = files.keys().map(|file| format!("mod {};\n", file.trim_end_matches(".rs"))).collect();
    files.insert("types.rs".to_owned(), types.code()?);
    files.insert(
        "mod.rs".to_owned(),
        format!(
            "//! Made from serving/openapi.json by `cargo run -p xtask -- client`. Do not edit.\n\
             #![allow(clippy::doc_lazy_continuation, clippy::too_many_arguments)]\n\n{modules}pub mod types;\n"
        ),
    );
    files.into_iter().map(|(name, code)| Ok((name, formatted(root, &code)?))).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// As `cargo fmt` leaves it.
fn formatted(root: &Path, code: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt is needed")?;
    // The whole of it is read before anything is written.
    rustfmt.stdin.take().context("rustfmt takes nothing in")?.write_all(code.as_bytes())?;
    let done = rustfmt.wait_with_output()?;
    ensure!(done.status.success(), "rustfmt refuses what was made:\n{code}");
    Ok(String::from_utf8(done.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_one_that_the_document_makes() {
        let root = root();
        let expected = files(&root).expect("made");
        let folder = std::fs::read_dir(root.join(FOLDER)).expect("the folder");
        let there: BTreeMap<String, String> = folder
            .map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                (name, std::fs::read_to_string(&path).expect("read"))
            })
            .collect();
        let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&there), names(&expected), "run `cargo run -p xtask -- client`");
        for (name, text) in expected {
            assert!(there[&name] == text, "{FOLDER}/{name} is not what serving/openapi.json makes: run `cargo run -p xtask -- client`");
        }
    }
}
