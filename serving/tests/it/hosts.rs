//! Pipelines computed by processes of `chimera host`, which are killed like the platform itself; afterwards every store equals the plain SQL.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::certificates;
use crate::chaos::{assert_verified, replay, year};
use crate::platform::{Platform, chimera};

const TOKEN: &str = "a token that all of them share";

/// A running `chimera host`; it ends with the test.
struct Host {
    child: Child,
    home: PathBuf,
    address: SocketAddr,
    /// What else it was started with.
    arguments: Vec<String>,
}

impl Host {
    fn start(home: PathBuf, address: SocketAddr) -> Self {
        Self::start_with(home, address, vec![])
    }

    fn start_with(home: PathBuf, address: SocketAddr, arguments: Vec<String>) -> Self {
        std::fs::create_dir_all(&home).expect("a folder");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(home.join("host.log")).expect("a log file");
        let mut command = chimera(&home);
        command.args(["host", "--listen", &address.to_string(), "--hosts-token", TOKEN]).args(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the host starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the host did not come up: {line}"));
        let address = said["listen"].as_str().expect("an address").parse().expect("an address");
        Self { child, home, address, arguments }
    }

    fn at_a_free_port(home: PathBuf) -> Self {
        Self::start(home, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// As a power cut would, and the machine comes back.
    fn killed_and_back(mut self, away: Duration) -> Self {
        self.child.kill().expect("killed");
        self.child.wait().expect("a child");
        std::thread::sleep(away);
        Self::start_with(self.home.clone(), self.address, self.arguments.clone())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pipelines(home: &Path) -> Vec<Value> {
    let listed = chimera(home).args(["pipelines", "list", "--output", "json"]).output().expect("the list");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    listed["pipelines"].as_array().expect("pipelines").clone()
}

/// Waits until what is said of the pipelines is so.
fn wait_for(home: &Path, what: &str, is_so: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let found = pipelines(home);
        if !found.is_empty() && found.iter().all(&is_so) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {found:#?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn hosts_and_their_coordinator_are_killed_and_every_store_still_equals_the_plain_sql() {
    let Some(year) = year() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let mut hosts: Vec<Host> = ["a", "b"].map(|name| Host::at_a_free_port(home.join(name))).into();
    let addresses = format!("{},{}", hosts[0].address, hosts[1].address);
    let arguments = ["--no-sample", "--checkpoint-every", "1", "--hosts", &addresses, "--hosts-token", TOKEN];
    let mut platform = Platform::start(home, &arguments);
    wait_for(home, "computed by both hosts", |pipeline| {
        pipeline["hosts"].as_array().is_some_and(|hosts| hosts.len() == 2) && pipeline["error"].is_null()
    });
    let has_checkpoint = |pipeline: &Value| pipeline["checkpoint_epoch"].as_u64().is_some_and(|epoch| epoch > 0);
    wait_for(home, "a checkpoint of each", has_checkpoint);
    let mut replay = replay(home, &year, "1500").spawn().expect("replay starts");
    let epoch = || pipelines(home).first().and_then(|pipeline| pipeline["epoch"].as_u64()).unwrap_or(0);
    for round in 0..4 {
        // Writes are coming in.
        let before = epoch();
        while epoch() <= before + 10 && replay.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_millis(500 + u64::from(std::process::id()) % 700));
        match round {
            0 | 2 => {
                let host = hosts.remove(round / 2);
                hosts.insert(round / 2, host.killed_and_back(Duration::from_secs(2)));
            }
            _ => {
                platform.kill();
                platform = Platform::start(home, &arguments);
            }
        }
    }
    assert!(replay.wait().expect("replay ends").success(), "PostgreSQL holds other totals than the file");
    wait_for(home, "no pipeline fails", |pipeline| pipeline["error"].is_null() && pipeline["state"] == "running");
    assert_verified(&platform);
    assert!(platform.log().contains("starting it again"), "no pipeline was in the way of a killed host:\n{}", platform.log());
    // State was kept: nothing was built anew.
    assert!(!platform.log().contains("built anew"), "{}", platform.log());

    // A host that comes back with an empty disk: the pipelines are built anew, on all hosts.
    let host = hosts.remove(0);
    let (home_of_host, address) = (host.home.clone(), host.address);
    drop(host);
    std::fs::remove_dir_all(home_of_host.join("host")).expect("its state");
    hosts.insert(0, Host::start(home_of_host, address));
    assert!(crate::chaos::replay(home, &year, "1600").status().expect("replay runs").success());
    wait_for(home, "no pipeline fails", |pipeline| pipeline["error"].is_null() && pipeline["state"] == "running");
    assert_verified(&platform);
    assert!(platform.log().contains("built anew"), "{}", platform.log());
}

#[test]
fn a_host_that_is_not_there_or_has_another_token_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let host = Host::at_a_free_port(home.join("a"));
    let address = host.address.to_string();
    let platform = Platform::start(home, &["--no-sample", "--hosts", &address, "--hosts-token", "another token, no less long"]);
    wait_for(home, "the token is refused", |pipeline| {
        pipeline["error"].as_str().is_some_and(|error| error.contains("token") && error.contains(&address))
    });
    platform.kill();
    drop(host);
    let platform = Platform::start(home, &["--no-sample", "--hosts", &address, "--hosts-token", TOKEN]);
    wait_for(home, "nobody is there", |pipeline| {
        pipeline["error"].as_str().is_some_and(|error| error.contains("chimera host") && error.contains(&address))
    });
    drop(platform);
}

/// The options of a machine with a certificate of its own.
fn tls(folder: &Path, name: &str, ca: &str) -> Vec<String> {
    let file = |name: String| folder.join(name).display().to_string();
    let files =
        [("--hosts-certificate", format!("{name}.pem")), ("--hosts-key", format!("{name}.key")), ("--hosts-ca", format!("{ca}.pem"))];
    files.into_iter().flat_map(|(option, name)| [option.to_owned(), file(name)]).collect()
}

#[test]
fn machines_that_know_each_other_by_certificates_compute_together_and_nobody_else_comes_in() {
    if !certificates::can_be_made() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    for (ca, names) in [("shop", ["a", "b", "up"].as_slice()), ("stranger", &["other"])] {
        certificates::make_ca(home, ca);
        names.iter().for_each(|name| certificates::make(home, ca, name, "IP:127.0.0.1"));
    }
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let [a, b] = ["a", "b"].map(|name| Host::start_with(home.join(format!("host-{name}")), anywhere, tls(home, name, "shop")));
    let addresses = format!("{},{}", a.address, b.address);
    let of_hosts = ["--hosts", &addresses, "--hosts-token", TOKEN, "--checkpoint-every", "1"].map(str::to_owned);
    let up = |options: Vec<String>| {
        let arguments = [of_hosts.to_vec(), options].concat();
        Platform::start(home, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // OpenSSL, which has no part in it, comes to the greeting with a certificate only.
    let calls = |options: &str| {
        let to = format!("s_client -connect {} -CAfile shop.pem -verify_return_error -verify_ip 127.0.0.1 -ign_eof{options}", a.address);
        String::from_utf8_lossy(&certificates::openssl(home, &to).stdout).contains("chimera1")
    };
    assert!(calls(" -cert up.pem -key up.key"));
    assert!(!calls("") && !calls(" -cert other.pem -key other.key"));

    // Who has none, or one of another CA, is told why; nothing is computed.
    for options in [tls(home, "other", "stranger"), tls(home, "other", "shop")] {
        let platform = up(options);
        wait_for(home, "TLS is refused", |pipeline| pipeline["error"].as_str().is_some_and(|error| error.contains("certificate")));
        platform.kill();
    }
    let platform = up(tls(home, "up", "shop"));
    let computes = |pipeline: &Value| pipeline["hosts"].as_array().is_some_and(|hosts| hosts.len() == 2) && pipeline["error"].is_null();
    wait_for(home, "computed by both hosts", computes);
    wait_for(home, "a checkpoint of each", |pipeline| pipeline["checkpoint_epoch"].as_u64().is_some_and(|epoch| epoch > 0));
    assert_verified(&platform);
    let _b = b.killed_and_back(Duration::from_secs(1));
    wait_for(home, "computed by both again", |pipeline| computes(pipeline) && pipeline["state"] == "running");
    assert_verified(&platform);
}
