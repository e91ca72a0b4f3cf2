//! `chimera up` with its own RabbitMQ: a letter comes out, what cannot be sent is seen to from the command line, and nothing stays behind.

use std::path::Path;
use std::time::{Duration, Instant};

use chimera_local::{TestSmtp, Trouble};
use serde_json::{Value, json};
use uuid::Uuid;

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

fn is_rabbitmq_missing() -> bool {
    let is_missing = chimera_local::doctor().iter().any(|check| check.name == "RabbitMQ" && !check.ok);
    if is_missing {
        eprintln!("skipped: RabbitMQ is not installed");
    }
    is_missing
}

/// Which is what a letter is written for.
fn open_account(platform: &Platform) {
    let url = format!("{}/api/v1/auth/register", platform.url());
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery" });
    let opened = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("an answer");
        answer.status().as_u16()
    });
    assert_eq!(opened, 201);
}

/// What `look` finds, once it finds something.
fn until<T>(platform: &Platform, look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "nothing came:\n{}", platform.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_letter_is_written_and_servers_end_with_the_platform_or_by_down() {
    if is_rabbitmq_missing() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().canonicalize().expect("a path");
    let platform = Platform::start_whole(&home, &["--no-sample"]);
    open_account(&platform);
    let (name, text) = until(&platform, || letter(&home.join("mail")));
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

#[test]
fn what_was_put_aside_is_listed_and_sent_again_from_the_command_line() {
    if is_rabbitmq_missing() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().canonicalize().expect("a path");
    let smtp = TestSmtp::start().expect("a mail server");
    smtp.trouble([Trouble::Refuse(550)]);
    let platform = Platform::start_whole(&home, &["--no-sample", "--smtp-url", &smtp.url(), "--mail-from", "shop@example.com"]);
    open_account(&platform);
    // What it says, and the code that it ends with.
    let said = |arguments: &[&str]| -> (Value, Option<i32>) {
        let done = chimera(&home).args(["notifications", "--output", "json"]).args(arguments).output().expect("it runs");
        let text = String::from_utf8_lossy(&done.stderr);
        (serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("no JSON ({error}):\n{text}")), done.status.code())
    };
    let listed = |status: &str| said(&["list", "--status", status, "--recipient", "ada@example.com"]).0["notifications"][0].clone();
    let dead = until(&platform, || Some(listed("dead")).filter(Value::is_object));
    assert_eq!((&dead["topic"], &dead["attempts"]), (&json!("account.verify_email"), &json!(1)));
    let id = dead["id"].as_str().expect("an id");
    let text = chimera(&home).args(["notifications", "list"]).output().expect("it runs");
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(["id", id, "account.verify_email", "ada@example.com", "550"].iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(said(&["list", "--topic", "order.shipped"]).0["notifications"], json!([]));

    let (none, code) = said(&["replay", &Uuid::nil().to_string()]);
    assert_eq!((&none["replayed"], code), (&json!(0), Some(1)), "it is not put aside");
    // It is written down as dead a moment before it lies there.
    let replayed = until(&platform, || Some(said(&["replay", id])).filter(|(_, code)| *code == Some(0)));
    assert_eq!(replayed.0, json!({ "replayed": 1, "left": 0 }));
    let sent = until(&platform, || Some(listed("sent")).filter(Value::is_object));
    assert_eq!((sent["id"].as_str(), smtp.mails().len()), (Some(id), 1));
    assert_eq!(said(&["replay", "--all"]), (json!({ "replayed": 0, "left": 0 }), Some(0)));
    for wrong in [&["replay"][..], &["replay", "--all", id], &["replay", "x"], &["list", "--status", "lost"]] {
        let refused = chimera(&home).arg("notifications").args(wrong).output().expect("it runs");
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
}
