//! `chimera up` with its own RabbitMQ: a letter comes out, and nothing stays behind.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::platform::{Platform, chimera};

/// Processes that work in a folder.
fn processes_in(folder: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    processes.filter(|process| std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder))).count()
}

/// The first letter in the folder, and its name.
fn letter(folder: &Path) -> Option<(String, String)> {
    let file = std::fs::read_dir(folder).ok()?.flatten().find(|file| file.file_name().to_string_lossy().ends_with(".eml"))?;
    Some((file.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(file.path()).expect("a letter")))
}

#[test]
fn a_letter_is_written_and_servers_end_with_the_platform_or_by_down() {
    if chimera_local::doctor().iter().any(|check| check.name == "RabbitMQ" && !check.ok) {
        return eprintln!("skipped: RabbitMQ is not installed");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().canonicalize().expect("a path");
    let platform = Platform::start_whole(&home, &["--no-sample"]);
    let note: Value = serde_json::from_str(&std::fs::read_to_string(home.join("running.json")).expect("a note")).expect("JSON");
    let url = format!("{}/api/v1/auth/register", note["http_url"].as_str().expect("a URL"));
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery" });
    let opened = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("an answer");
        answer.status().as_u16()
    });
    assert_eq!(opened, 201);
    let until = Instant::now() + Duration::from_secs(120);
    let (name, text) = loop {
        if let Some(letter) = letter(&home.join("mail")) {
            break letter;
        }
        assert!(Instant::now() < until, "no letter:\n{}", platform.log());
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(name.starts_with("account.verify_email-"), "{name}");
    assert!(text.contains("To: ada@example.com") && text.contains("/account/verify-email?token"), "{text}");

    // What a platform that is killed leaves running, `down` ends.
    assert!(processes_in(&home.join("rabbitmq")) >= 2, "the server and its port mapper");
    platform.kill();
    assert!(processes_in(&home.join("rabbitmq")) >= 2);
    let down = chimera(&home).arg("down").output().expect("down runs");
    assert!(String::from_utf8_lossy(&down.stderr).contains("RabbitMQ stopped"), "{down:?}");
    assert_eq!(processes_in(&home), 0);
}
