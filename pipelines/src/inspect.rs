//! What operators ask of running pipelines: how they are, what they are made of, what another text would change.

use std::path::Path;

use chimera_sql::Program;
use serde::Serialize;

use crate::manage::ViewError;
use crate::{Handle, ViewStatus};

/// Epochs that a pipeline may be behind and still counts as up to date.
const NEAR: u64 = 64;

/// How a pipeline does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineState {
    Running,
    /// It is far behind the last epoch, and catches up from the log.
    CatchingUp,
    /// A created view that cannot be read before it has caught up.
    Filling,
    /// A created view that will take the place of the one that is read under its name.
    FillingInShadow,
    Failed,
}

/// A pipeline, as operators see it.
#[derive(Clone, Debug, Serialize)]
pub struct PipelineReport {
    pub name: String,
    /// Who created it; `None`: it is part of the binary.
    pub owner: Option<String>,
    pub state: PipelineState,
    pub epoch: u64,
    pub checkpoint_epoch: u64,
    /// Of the oldest of its stores, in milliseconds.
    pub age_ms: i64,
    /// Changes given to its stores since the start.
    pub rows: u64,
    /// Bytes of its state on disk: that of its last checkpoint, as a rule.
    pub state_bytes: u64,
    /// From the first row's push into its dataflow to the changes of its stores given out, in microseconds: of its last epoch with rows.
    pub step_us: u64,
    /// Bytes of its groups, different values and first rows that are in memory.
    pub table_bytes: u64,
    /// Rows that an expression refused.
    pub row_errors: u64,
    pub stores: Vec<String>,
    /// The machines that compute it; none: this process.
    pub hosts: Vec<String>,
    pub error: Option<String>,
    /// The epoch of the checkpoint that was sent to the object store.
    pub uploaded_epoch: Option<u64>,
    pub upload_error: Option<String>,
}

/// What another text would change.
#[derive(Clone, Debug, Serialize)]
pub struct PipelineDiff {
    /// Whether the pipeline would be built anew, and with it all of its stores.
    pub is_rebuilt: bool,
    pub stores: Vec<StoreDiff>,
    /// Lines of both plans: `  ` before those of both, `- ` before those that go, `+ ` before those that come.
    pub plan: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreDiff {
    pub store: String,
    pub change: StoreChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreChange {
    Added,
    Removed,
    /// It is computed in another way.
    Changed,
    Same,
}

impl Handle {
    /// All pipelines: of the binary, and created. Reads folders: call it where blocking is allowed.
    pub fn reports(&self) -> Vec<PipelineReport> {
        let created = self.created_views();
        let last = self.epoch();
        let mut reports = Vec::new();
        for (number, status) in self.engine.board.numbered_pipelines() {
            let Some((folder, stores)) = self.engine.parts_of(number) else { continue };
            let stores: Vec<_> = stores.into_iter().filter_map(|store| self.engine.board.numbered_store(store)).collect();
            let view = created.iter().find(|view| view.number == Some(number));
            let state = match view {
                _ if status.error.is_some() => PipelineState::Failed,
                Some(view) if view.is_shadow => PipelineState::FillingInShadow,
                Some(view) if !view.view.filled => PipelineState::Filling,
                _ if status.epoch + NEAR < last => PipelineState::CatchingUp,
                _ => PipelineState::Running,
            };
            reports.push(PipelineReport {
                name: status.name,
                owner: view.map(|view| view.view.owner.clone()),
                state,
                epoch: status.epoch,
                checkpoint_epoch: status.checkpoint_epoch,
                age_ms: stores.iter().map(|store| store.age_ms).max().unwrap_or(0),
                rows: stores.iter().map(|store| store.rows).sum(),
                state_bytes: bytes_below(&folder),
                step_us: status.step_us,
                table_bytes: status.table_bytes,
                row_errors: status.row_errors,
                stores: stores.into_iter().map(|store| store.store).collect(),
                hosts: self.engine.options.hosts.as_ref().map(|hosts| hosts.addresses.clone()).unwrap_or_default(),
                error: status.error,
                uploaded_epoch: status.uploaded_epoch,
                upload_error: status.upload_error,
            });
        }
        reports.extend(created.iter().filter(|view| view.number.is_none()).map(broken));
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }

    /// The text that a pipeline is made by: of the binary, or the statement of a created view.
    pub fn definition(&self, name: &str) -> Option<String> {
        self.manager.definition(name)
    }

    /// The planned program of a pipeline.
    pub fn program(&self, name: &str) -> Result<Program, ViewError> {
        let sql = self.definition(name).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        self.manager.plan_as(name, &sql)
    }

    /// What changes if `sql` becomes the text of the pipeline called `name`.
    pub fn diff(&self, name: &str, sql: &str) -> Result<PipelineDiff, ViewError> {
        let old_sql = self.definition(name).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        let (old, new) = (self.manager.plan_as(name, &old_sql)?, self.manager.plan_as(name, sql)?);
        let (plans, new_plans) = (old.plans_of_sinks(), new.plans_of_sinks());
        let mut stores: Vec<StoreDiff> = new_plans
            .iter()
            .map(|(store, plan)| {
                let change = match plans.get(store) {
                    None => StoreChange::Added,
                    Some(old) if old == plan => StoreChange::Same,
                    Some(_) => StoreChange::Changed,
                };
                StoreDiff { store: store.clone(), change }
            })
            .collect();
        let removed = plans.keys().filter(|store| !new_plans.contains_key(*store));
        stores.extend(removed.map(|store| StoreDiff { store: store.clone(), change: StoreChange::Removed }));
        let (before, after) = (old.explain(), new.explain());
        let plan = line_diff(&before.lines().collect::<Vec<_>>(), &after.lines().collect::<Vec<_>>());
        Ok(PipelineDiff { is_rebuilt: old_sql.trim() != sql.trim(), stores, plan })
    }
}

fn broken(view: &ViewStatus) -> PipelineReport {
    PipelineReport {
        name: view.view.name.clone(),
        owner: Some(view.view.owner.clone()),
        state: PipelineState::Failed,
        epoch: 0,
        checkpoint_epoch: 0,
        age_ms: 0,
        rows: 0,
        state_bytes: 0,
        step_us: 0,
        table_bytes: 0,
        row_errors: 0,
        stores: Vec::new(),
        hosts: Vec::new(),
        error: view.error.clone(),
        uploaded_epoch: None,
        upload_error: None,
    }
}

/// The size of all files below a folder; what goes away meanwhile counts nothing.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// The lines of both texts, by their longest common subsequence.
fn line_diff(old: &[&str], new: &[&str]) -> Vec<String> {
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(format!("  {}", old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", new[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_go_and_come_are_told_apart() {
        let found = line_diff(&["a", "b", "c", "d"], &["a", "x", "c", "d", "e"]);
        assert_eq!(found, ["  a", "- b", "+ x", "  c", "  d", "+ e"]);
        assert_eq!(line_diff(&[], &["a"]), ["+ a"]);
        assert!(line_diff(&[], &[]).is_empty());
    }
}
