//! The project's own rules: who may import whom, how long a file may be, what a pipeline's folder holds, what must not be left behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

/// A file longer than this is asking to be two.
const MAX_LINES: usize = 600;

/// Who may import whom; a crate's tests may use chimera-local as well.
const BOUNDARIES: &[(&str, &[&str])] = &[
    ("chimera-operators", &[]),
    ("chimera-udf", &[]),
    ("chimera-sql", &["chimera-operators", "chimera-udf"]),
    ("chimera-connectors", &[]),
    ("chimera-models", &[]),
    ("chimera-pipelines", &["chimera-operators", "chimera-sql", "chimera-connectors", "chimera-models"]),
    (
        "chimera-serving",
        &[
            "chimera-client",
            "chimera-operators",
            "chimera-sql",
            "chimera-connectors",
            "chimera-models",
            "chimera-pipelines",
            "chimera-local",
        ],
    ),
    ("chimera-local", &[]),
    ("chimera-client", &[]),
    ("chimera-fuzz", &["chimera-sql", "chimera-connectors", "chimera-pipelines", "chimera-serving"]),
    ("xtask", &[]),
];

/// All that is wrong, a sentence each.
pub fn run() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    boundaries(&mut problems)?;
    files(&mut problems)?;
    pipelines(&mut problems)?;
    shown_by(&mut problems)?;
    schemas(&mut problems)?;
    Ok(problems)
}

/// Two types of one name would be one schema of the OpenAPI document, and whichever comes last is described.
fn schemas(problems: &mut Vec<String>) -> Result<()> {
    let output = Command::new("git").args(["ls-files", "serving/src/*.rs"]).output().context("git ls-files")?;
    let mut seen: HashMap<String, String> = HashMap::new();
    for path in String::from_utf8_lossy(&output.stdout).lines() {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for derived in text.split("#[derive(").skip(1).filter(|rest| rest.lines().next().is_some_and(|line| line.contains("ToSchema"))) {
            let head = derived.split('{').next().unwrap_or_default();
            let after =
                |word: &str| head.split_once(word).map(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
            let Some(name) = after("schema(as = ").or_else(|| after("pub struct ")).or_else(|| after("pub enum ")) else { continue };
            if let Some(other) = seen.insert(name.to_owned(), path.to_owned()) {
                problems.push(format!("{path} and {other} describe a schema {name} each: name one otherwise, #[schema(as = …)]"));
            }
        }
    }
    Ok(())
}

fn boundaries(problems: &mut Vec<String>) -> Result<()> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--no-deps"]).output().context("cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, allowed)) = BOUNDARIES.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("crate `{name}` is not in the table of boundaries; say there what it may import"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let of_ours = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"] == "dev" && of_ours == "chimera-local";
            if of_ours.starts_with("chimera-") && !in_tests && !allowed.contains(&of_ours) {
                problems.push(format!("`{name}` may not import `{of_ours}`"));
            }
        }
    }
    Ok(())
}

fn files(problems: &mut Vec<String>) -> Result<()> {
    let output = Command::new("git").args(["ls-files"]).output().context("git ls-files")?;
    let unfinished = ["todo", "unimplemented"].map(|word| format!("{word}!("));
    for path in String::from_utf8_lossy(&output.stdout).lines() {
        // Nobody reads what was made as a whole.
        let is_made = path.contains("/generated/") || path.ends_with("/schema.d.ts");
        let source = !is_made && [".rs", ".ts", ".tsx", ".py", ".sh"].iter().any(|suffix| path.ends_with(suffix));
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        if source && text.lines().count() > MAX_LINES {
            problems.push(format!("{path} has {} lines; more than {MAX_LINES} ask to be two files", text.lines().count()));
        }
        if path.ends_with(".rs") {
            for word in &unfinished {
                if text.contains(word.as_str()) {
                    problems.push(format!("{path} holds {word}…): finish it or leave it out"));
                }
            }
            if text.contains(concat!("#[", "ignore")) {
                problems.push(format!("{path} has an ignored test; a test that cannot run says `skipped:` and why"));
            }
        }
    }
    Ok(())
}

/// SECURITY.md names the test that shows each defence, in the last column of its tables.
fn shown_by(problems: &mut Vec<String>) -> Result<()> {
    let document = std::fs::read_to_string("SECURITY.md").context("SECURITY.md")?;
    let sources =
        Command::new("git").args(["grep", "-hE", "^(async )?fn |^    (async )?fn ", "--", "*.rs"]).output().context("git grep")?;
    let sources = String::from_utf8_lossy(&sources.stdout).into_owned();
    let shown = document.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')?.rsplit('|').next());
    for test in shown.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        if !sources.contains(&format!("fn {test}(")) {
            problems.push(format!("SECURITY.md names the test `{test}`, which is not there"));
        }
    }
    Ok(())
}

fn pipelines(problems: &mut Vec<String>) -> Result<()> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("pipelines")?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("pipeline.sql").is_file()) {
        for file in ["README.md", "fixtures/events.jsonl", "expected/changes.txt"] {
            if !Path::new(folder).join(file).is_file() {
                problems.push(format!("{} lacks {file}", folder.display()));
            }
        }
    }
    Ok(())
}
