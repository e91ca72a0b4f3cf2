//! Checkpoints in an object store: here a folder, by the same way as any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chimera_connectors::Frontier;
use chimera_pipelines::{Config, Offsite, PipelineStatus};
use serde_json::{Value, json};

use crate::platform::{NO_SERVER, Platform, item, transaction};
use crate::runtime::SQL;

/// Keeps checkpoints in `far`, and makes one as often as `every` says.
fn kept_in(far: &Path, every: Duration) -> impl FnOnce(&mut Config) {
    let offsite = Offsite::open(&format!("file://{}", far.display())).expect("a place");
    move |config| (config.offsite, config.checkpoint_every) = (Some(offsite), every)
}

const OFTEN: Duration = Duration::from_millis(40);
const NEVER: Duration = Duration::from_secs(3600);

impl Platform {
    async fn sell(&self, from: u64, to: u64) {
        for lsn in from..to {
            let changes = [(None, Some(item(lsn as i64, &format!("sku-{}", lsn % 7), (lsn % 5) as i64)))];
            self.log.append(transaction(lsn, &changes)).await.expect("appended");
            if lsn % 10 == 0 {
                self.reached("levels.levels", &Frontier::single("shop", lsn)).await;
            }
        }
        self.reached("levels.levels", &Frontier::single("shop", to - 1)).await;
    }

    fn status(&self) -> PipelineStatus {
        self.handle.pipelines().remove(0)
    }

    async fn wait_until(&self, what: &str, is_so: impl Fn(&PipelineStatus) -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !is_so(&self.status()) {
            assert!(std::time::Instant::now() < deadline, "{what}: {:?}", self.status());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn sold(to: u64) -> Vec<Value> {
    let mut levels: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for lsn in 1..to {
        let level = levels.entry(format!("sku-{}", lsn % 7)).or_default();
        *level = (level.0 + lsn % 5, level.1 + 1);
    }
    levels.into_iter().map(|(sku, (units, lines))| json!({"sku": sku, "units": units, "lines": lines})).collect()
}

/// Files below a folder, by name.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).expect("below").to_str().expect("a name").to_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_with_an_empty_folder_goes_on_from_the_checkpoint_in_the_object_store() {
    let dir = tempfile::tempdir().expect("a folder");
    let far = dir.path().join("far");
    std::fs::create_dir(&far).expect("a folder");
    let start = |every| Platform::start_changed(dir.path(), &[("levels", SQL)], "", NO_SERVER, kept_in(&far, every));

    let platform = start(OFTEN).await;
    platform.sell(1, 61).await;
    platform.wait_until("uploaded while it runs", |status| status.uploaded_epoch.is_some()).await;
    platform.sell(61, 121).await;
    let epoch = platform.handle.epoch();
    platform.handle.stop().await;
    drop((platform.log, platform.context));
    // What is there is what the record names, and nothing else.
    let kept = files(&far);
    let record = kept.iter().find(|name| name.ends_with("checkpoint.json")).expect("the record");
    let of = Path::new(record).parent().expect("a folder").to_owned();
    let named: Value = serde_json::from_slice(&std::fs::read(far.join(record)).expect("the record")).expect("JSON");
    assert_eq!(named["memory"]["checkpoint"]["epoch"], epoch);
    let mut expected: BTreeSet<String> =
        named["files"].as_object().expect("files").keys().map(|name| format!("{}/state/{name}", of.display())).collect();
    expected.insert(record.clone());
    assert_eq!(kept, expected);

    // All that the engine knew is lost.
    std::fs::remove_dir_all(dir.path().join("engine")).expect("removed");
    let platform = start(NEVER).await;
    platform.wait_until("it goes on from there", |status| status.checkpoint_epoch == epoch && status.error.is_none()).await;
    platform.sell(121, 181).await;
    assert_eq!(platform.rows("levels.levels"), sold(181));
    // It went on, and made no other checkpoint meanwhile.
    assert_eq!(platform.status().checkpoint_epoch, epoch);
    platform.handle.stop().await;
    drop((platform.log, platform.context));

    // A folder that is behind what is kept elsewhere: an old copy of a disk.
    let old = std::fs::read(dir.path().join("engine/levels/checkpoint.json")).expect("the record");
    let platform = start(OFTEN).await;
    platform.sell(181, 241).await;
    let epoch = platform.handle.epoch();
    platform.handle.stop().await;
    drop((platform.log, platform.context));
    std::fs::write(dir.path().join("engine/levels/checkpoint.json"), old).expect("written");
    let platform = start(NEVER).await;
    platform.wait_until("it goes on from the newer one", |status| status.checkpoint_epoch == epoch && status.error.is_none()).await;
    platform.sell(241, 251).await;
    assert_eq!(platform.rows("levels.levels"), sold(251));
    platform.handle.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_store_that_is_away_holds_nothing_up_and_gets_the_next_checkpoint() {
    let dir = tempfile::tempdir().expect("a folder");
    let far = dir.path().join("far");
    // No folder can be made below a file.
    std::fs::write(&far, "in the way").expect("a file");
    let platform = Platform::start_changed(dir.path(), &[("levels", SQL)], "", NO_SERVER, kept_in(&far, OFTEN)).await;
    platform.sell(1, 41).await;
    platform.wait_until("the failure is reported", |status| status.upload_error.is_some()).await;
    assert_eq!(platform.status().error, None);
    std::fs::remove_file(&far).expect("removed");
    std::fs::create_dir(&far).expect("a folder");
    platform.sell(41, 81).await;
    platform.wait_until("uploaded at last", |status| status.upload_error.is_none() && status.uploaded_epoch.is_some()).await;
    assert_eq!(platform.rows("levels.levels"), sold(81));
    platform.handle.stop().await;
}
