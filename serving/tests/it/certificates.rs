//! Certificates, made by OpenSSL.

use std::path::Path;
use std::process::{Command, Output};

/// Whether there is one. Says so if not.
pub fn can_be_made() -> bool {
    let there = Command::new("openssl").arg("version").output().is_ok();
    if !there {
        eprintln!("skipped: there is no openssl to make certificates with");
    }
    there
}

pub fn openssl(folder: &Path, arguments: &str) -> Output {
    Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl runs")
}

fn made(folder: &Path, arguments: &str) {
    let done = openssl(folder, arguments);
    assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A CA `ca.pem`.
pub fn make_ca(folder: &Path, ca: &str) {
    made(
        folder,
        &format!("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {ca}.key -out {ca}.pem -subj /CN={ca} -days 2"),
    );
}

/// `name.pem` and `name.key`, signed by the CA, for `subject`: `DNS:localhost`, `IP:127.0.0.1`.
pub fn make(folder: &Path, ca: &str, name: &str, subject: &str) {
    made(folder, &format!("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
    std::fs::write(folder.join("extensions"), format!("subjectAltName={subject}\n")).expect("written");
    made(folder, &format!("x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -out {name}.pem -days 2 -extfile extensions"));
}
