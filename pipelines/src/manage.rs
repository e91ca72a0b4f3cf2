//! Views that come and go while everything runs: created, replaced in one moment, renamed, built anew, dropped.
//!
//! Each is a pipeline of its own with one live view. A new one catches up from the log on its own thread while the others go on; it can be
//! read from the moment that it has. One that replaces another does the same in the other's shadow, and then takes its place. What is
//! acknowledged is durable; what a crash cuts short is taken up, or has not happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chimera_sql::{Functions, Program, Table, ViewStatement};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::created::{CreatedView, Shelf};
use crate::engine::{Engine, Joins, Pipeline};
use crate::functions::version_in;
use crate::runtime::{Config, hash};
use crate::{Definition, Error, Handle};

/// The schema of a view that is named without one.
const PUBLIC: &str = "public";
/// Schemas that are PostgreSQL's own.
const RESERVED: [&str; 3] = ["information_schema", "pg_catalog", "chimera"];
/// The longest name of a schema or a view, in bytes: PostgreSQL's.
const NAME_BYTES: usize = 63;
/// Created views at once, with those in shadows: each takes threads and memory of its own.
const VIEWS: usize = 64;
/// How often it is looked whether a view has caught up, besides when it moves.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Why a view cannot be created, replaced, renamed or dropped.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("{0}")]
    Statement(#[from] chimera_sql::Error),
    #[error("`{name}` cannot be the name of a view: {why}")]
    Name { name: String, why: String },
    #[error("view `{view}`: there is no option `{option}`; a created view takes none")]
    Option { view: String, option: String },
    #[error("there is a view `{0}` already")]
    Exists(String),
    #[error("there are {VIEWS} created views, and there may not be more; drop one first")]
    TooMany,
    #[error("there is no view `{0}` that was created here")]
    Unknown(String),
    #[error("view `{view}` belongs to {owner}")]
    NotOwner { view: String, owner: String },
    #[error("view `{view}` is read by {}", .readers.join(", "))]
    IsRead { view: String, readers: Vec<String> },
    #[error(
        "`{0}` is a pipeline of the binary: its stores are built anew when its text changes, or its folder is removed while nothing runs"
    )]
    BuiltIn(String),
    #[error("view `{view}` does not run: {error}")]
    Broken { view: String, error: String },
    #[error("{0}")]
    Failed(#[from] Error),
}

/// On whose behalf something is done.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    pub name: &'a str,
    /// Whether views of others may be changed too.
    pub owns_all: bool,
}

/// An [`Actor`] that outlives who asked.
struct Owner {
    name: String,
    owns_all: bool,
}

impl Owner {
    fn of(actor: Actor<'_>) -> Self {
        Owner { name: actor.name.to_owned(), owns_all: actor.owns_all }
    }

    fn actor(&self) -> Actor<'_> {
        Actor { name: &self.name, owns_all: self.owns_all }
    }
}

/// A created view and how it is.
#[derive(Clone, Debug)]
pub struct ViewStatus {
    pub view: CreatedView,
    /// It fills in the shadow of the one that is read under its name.
    pub is_shadow: bool,
    /// The epoch that it has reached, and the one that it has to reach to be filled.
    pub epoch: u64,
    pub target: u64,
    /// Why it does not run.
    pub error: Option<String>,
    /// Its pipeline's, while it runs.
    pub(crate) number: Option<usize>,
}

struct Entry {
    view: CreatedView,
    /// Its pipeline's number, unless it does not run.
    number: Option<usize>,
    /// The last epoch when it was started: from there on it has caught up.
    target: u64,
    error: Option<String>,
}

/// Keeps the views that were created.
pub struct Manager {
    engine: Arc<Engine>,
    shelf: Shelf,
    functions: Functions,
    functions_version: String,
    sources: String,
    source_names: BTreeSet<String>,
    /// Those of the binary: their names are schemas that are not for created views.
    pipelines: Vec<Definition>,
    /// One change at a time.
    changing: AsyncMutex<()>,
    entries: Mutex<BTreeMap<u64, Entry>>,
    /// Moves whenever an entry changes.
    changed: watch::Sender<()>,
}

impl Manager {
    /// Brings back what was created before. A view that cannot be planned or started is reported, and left as it is.
    pub(crate) async fn start(engine: Arc<Engine>, config: Config, sources: Vec<Table>) -> Result<Arc<Self>, Error> {
        let shelf = Shelf::open(config.dir.join("created"))?;
        let views = shelf.load()?;
        let ids = views.iter().map(|view| view.id.to_string()).collect();
        engine.context.views.remove_others(&ids)?;
        let entry = |view: CreatedView| (view.id, Entry { view, number: None, target: 0, error: None });
        let manager = Arc::new(Self {
            engine,
            shelf,
            functions: config.functions,
            functions_version: config.functions_version,
            sources: config.sources,
            source_names: sources.into_iter().map(|table| table.name).collect(),
            pipelines: config.pipelines,
            changing: AsyncMutex::default(),
            entries: Mutex::new(views.into_iter().map(entry).collect()),
            changed: watch::Sender::new(()),
        });
        let ids: Vec<u64> = manager.entries.lock().keys().copied().collect();
        for id in ids {
            if let Err(error) = manager.clone().launch(id).await {
                let view = manager.entry(id, |entry| {
                    entry.error = Some(error.to_string());
                    entry.view.name.clone()
                });
                tracing::error!(view, %error, "a created view cannot be brought back; the others go on");
            }
        }
        Ok(manager)
    }

    fn built_in(&self, name: &str) -> Option<&Definition> {
        self.pipelines.iter().find(|definition| definition.name == name)
    }

    /// The text that a pipeline is made by: of the binary, or the statement of a created view.
    pub(crate) fn definition(&self, name: &str) -> Option<String> {
        let statement = || {
            let live = self.live(name)?;
            Some(self.entries.lock().get(&live)?.view.statement.clone())
        };
        self.built_in(name).map(|definition| definition.sql.clone()).or_else(statement)
    }

    /// Plans `sql` as the text of the pipeline called `name`.
    pub(crate) fn plan_as(&self, name: &str, sql: &str) -> Result<Program, ViewError> {
        if self.built_in(name).is_some() { Ok(Program::parse(sql, &self.functions)?) } else { self.plan(sql) }
    }

    fn entry<T>(&self, id: u64, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let changed = self.entries.lock().get_mut(&id).map(change);
        self.changed.send_replace(());
        changed
    }

    /// The id of the view that is read under a name.
    fn live(&self, name: &str) -> Option<u64> {
        self.entries.lock().values().find(|entry| entry.view.name == name).map(|entry| entry.view.id)
    }

    /// All of that name: the one that is read, and one that fills in its shadow.
    fn all_named(&self, name: &str) -> Vec<u64> {
        self.entries.lock().values().filter(|entry| entry.view.name == name).map(|entry| entry.view.id).collect()
    }

    /// The full name of what a query reads as `name`, if it is a created view.
    fn read_as(&self, name: &str) -> Option<String> {
        let full = if name.contains('.') { name.to_owned() } else { format!("{PUBLIC}.{name}") };
        (!self.source_names.contains(name) && self.live(&full).is_some()).then_some(full)
    }

    /// The views that a statement reads, each under the name it is read by, after those that it reads itself.
    fn views_read(&self, statement: &ViewStatement, found: &mut Vec<(String, String)>) -> Result<(), ViewError> {
        for name in &statement.reads {
            let Some(full) = self.read_as(name).filter(|_| !found.iter().any(|(known, _)| known == name)) else { continue };
            let text = self.live(&full).and_then(|id| self.entries.lock().get(&id).map(|entry| entry.view.statement.clone()));
            let Some(text) = text else { continue };
            self.views_read(&ViewStatement::parse(&text)?, found)?;
            found.push((name.clone(), text));
        }
        Ok(())
    }

    /// Names of the views that read the view called `name`.
    fn readers(&self, name: &str) -> Vec<String> {
        let statements: Vec<(String, String)> =
            self.entries.lock().values().map(|entry| (entry.view.name.clone(), entry.view.statement.clone())).collect();
        let reads = |text: &str| {
            ViewStatement::parse(text).is_ok_and(|view| view.reads.iter().any(|read| self.read_as(read).as_deref() == Some(name)))
        };
        let readers: BTreeSet<String> = statements.into_iter().filter(|(_, text)| reads(text)).map(|(name, _)| name).collect();
        readers.into_iter().collect()
    }

    fn plan(&self, statement: &str) -> Result<Program, ViewError> {
        let mut views = Vec::new();
        self.views_read(&ViewStatement::parse(statement)?, &mut views)?;
        Ok(Program::view(statement, &views, &self.sources, &self.functions)?)
    }

    /// Opens and starts a view's pipeline, and sees to it that it is read once it has caught up.
    async fn launch(self: Arc<Self>, id: u64) -> Result<(), ViewError> {
        let Some((name, statement, was_filled)) =
            self.entry(id, |entry| (entry.view.name.clone(), entry.view.statement.clone(), entry.view.filled))
        else {
            return Ok(());
        };
        let program = self.plan(&statement)?;
        // Equal plans keep equal state, however they are written.
        let keys: Vec<_> = program.sinks.iter().map(|sink| format!("{:?} {:?}", sink.schema, sink.primary_key)).collect();
        let functions_version = version_in(&program.explain(), &self.functions_version).to_owned();
        let text = hash(&format!("{:x} {keys:?}{functions_version}", program.fingerprint(self.engine.options.workers, 1)));
        let is_live = self.live(&name) == Some(id);
        let pipeline = Pipeline { name, program, text, functions_version, folder: self.shelf.folder(id), view_id: Some(id) };
        let opened = self.engine.open(pipeline).await?;
        // One that has to begin anew holds nothing that could be read.
        let (holds, target) = (opened.stands_at() > 0, self.engine.epochs.last());
        let filled = was_filled && (holds || target == 0);
        if was_filled && !filled {
            let view = self.entry(id, |entry| CreatedView { filled, ..entry.view.clone() });
            view.map_or(Ok(()), |view| self.shelf.save(&view))?;
        }
        if is_live && filled {
            self.engine.context.views.set_filled(&id.to_string(), true);
        }
        let number = self.engine.launch(opened, Joins::AtItsPace, is_live).await?;
        self.entry(id, |entry| (entry.number, entry.target, entry.view.filled) = (Some(number), target, filled));
        if !is_live || !filled {
            let engine = self.engine.clone();
            let finish = tokio::spawn(self.finish(id, number, target));
            engine.tasks.lock().push(finish);
        }
        Ok(())
    }

    /// Waits until a view has caught up; then it can be read, in the place of the other one of its name if there is one.
    async fn finish(self: Arc<Self>, id: u64, number: usize, target: u64) {
        let Some(store) = self.engine.store_of(number) else { return };
        loop {
            let Some(mut moved) = self.engine.board.watch_number(store) else { return };
            if self.engine.board.epoch_of(store) >= target {
                let _changing = self.changing.lock().await;
                match self.settle(id, store).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(id, %error, "a view that has caught up cannot be put in its place; trying again");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
            tokio::select! {
                () = self.engine.shutdown.cancelled() => return,
                _ = tokio::time::timeout(LOOK_EVERY, moved.changed()) => {}
            }
        }
    }

    /// Lets a view that has caught up be read. False: the one in whose place it comes is further.
    async fn settle(&self, id: u64, store: usize) -> Result<bool, ViewError> {
        let Some(mut view) = self.entry(id, |entry| entry.view.clone()) else { return Ok(true) };
        let views = &self.engine.context.views;
        let board = &self.engine.board;
        let old = self.live(&view.name).filter(|live| *live != id);
        let old_store = old.and_then(|old| self.entry(old, |entry| entry.number)?).and_then(|number| self.engine.store_of(number));
        views.set_filled(&id.to_string(), true);
        if old.is_some() {
            let live = old_store.map_or(0, |store| board.epoch_of(store));
            let put = || views.replace(&view.name, &id.to_string(), live, board.epoch_of(store)).map_err(Error::from);
            if !views.is_read(&id.to_string()) && !put()? {
                return Ok(false);
            }
            // The new one first: who asks between the two finds one of them.
            board.show(store, true);
            if let Some(old_store) = old_store {
                board.show(old_store, false);
            }
        }
        view.filled = true;
        self.shelf.save(&view)?;
        if let Some(old) = old {
            self.forget(old).await?;
        }
        self.entry(id, |entry| entry.view.filled = true);
        Ok(true)
    }

    /// Stops a view's pipeline, if it runs, and removes all of it.
    async fn forget(&self, id: u64) -> Result<(), ViewError> {
        // From here on it is not brought back.
        self.shelf.remove(id)?;
        if let Some(number) = self.entry(id, |entry| entry.number.take()).flatten() {
            self.engine.drop_pipeline(number).await;
        }
        self.shelf.clear(id);
        self.engine.context.views.remove(&id.to_string()).map_err(Error::from)?;
        self.entries.lock().remove(&id);
        self.changed.send_replace(());
        Ok(())
    }

    fn check_owner(&self, id: u64, by: Actor<'_>) -> Result<(), ViewError> {
        let view = self.entries.lock().get(&id).map(|entry| entry.view.clone());
        match view {
            Some(view) if !by.owns_all && view.owner != by.name => Err(ViewError::NotOwner { view: view.name, owner: view.owner }),
            _ => Ok(()),
        }
    }

    fn check_unread(&self, name: &str) -> Result<(), ViewError> {
        let readers = self.readers(name);
        if readers.is_empty() { Ok(()) } else { Err(ViewError::IsRead { view: name.to_owned(), readers }) }
    }

    fn check_name(&self, schema: &str, name: &str) -> Result<(), ViewError> {
        let is_plain = |part: &str| {
            let starts = part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
            starts && part.len() <= NAME_BYTES && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let why = if !is_plain(schema) || !is_plain(name) {
            format!("it takes lower-case letters, digits and `_`, up to {NAME_BYTES}, and does not begin with a digit")
        } else if self.built_in(schema).is_some() {
            format!("schema `{schema}` holds the views of the pipeline `{schema}`; choose another schema")
        } else if RESERVED.contains(&schema) || schema.starts_with("pg_") {
            format!("schema `{schema}` is the system's; choose another one")
        } else {
            return Ok(());
        };
        Err(ViewError::Name { name: format!("{schema}.{name}"), why })
    }

    /// Writes a view down and starts it; it does not stay if it cannot be started.
    async fn add(self: &Arc<Self>, view: CreatedView) -> Result<u64, ViewError> {
        let id = view.id;
        if self.entries.lock().len() >= VIEWS {
            return Err(ViewError::TooMany);
        }
        self.shelf.save(&view)?;
        self.entries.lock().insert(id, Entry { view, number: None, target: 0, error: None });
        if let Err(error) = self.clone().launch(id).await {
            self.forget(id).await?;
            return Err(error);
        }
        Ok(id)
    }

    fn status(&self, entry: &Entry, live: Option<u64>) -> ViewStatus {
        let store = entry.number.and_then(|number| self.engine.store_of(number));
        ViewStatus {
            view: entry.view.clone(),
            is_shadow: live != Some(entry.view.id),
            epoch: store.map_or(0, |store| self.engine.board.epoch_of(store)),
            target: entry.target,
            error: entry.error.clone().or_else(|| self.engine.board.error_of(entry.number?)),
            number: entry.number,
        }
    }
}

/// Runs a change to its end, whether or not who asked for it still waits: half of one would leave views that nobody keeps.
async fn to_the_end<T: Send + 'static>(change: impl Future<Output = Result<T, ViewError>> + Send + 'static) -> Result<T, ViewError> {
    let broke_off = |cause| Error::Io { what: "a change of a view broke off".into(), source: std::io::Error::other(cause) };
    tokio::spawn(change).await.unwrap_or_else(|cause| Err(broke_off(cause).into()))
}

impl Handle {
    /// The views that were created, with those that fill in the shadow of another one, by id.
    pub fn created_views(&self) -> Vec<ViewStatus> {
        let entries = self.manager.entries.lock();
        let live = |name: &str| entries.values().find(|entry| entry.view.name == name).map(|entry| entry.view.id);
        entries.values().map(|entry| self.manager.status(entry, live(&entry.view.name))).collect()
    }

    /// The dataflow of a CREATE MATERIALIZED VIEW, planned and not run.
    pub fn plan_view(&self, statement: &str) -> Result<Program, ViewError> {
        self.manager.plan(statement)
    }

    /// Creates the view of a CREATE MATERIALIZED VIEW, or replaces it with OR REPLACE. Returns once it is written down and fills; see
    /// [`Handle::filled`]. `None`: there is one, and the statement says IF NOT EXISTS.
    pub async fn create_view(&self, statement: &str, by: Actor<'_>) -> Result<Option<u64>, ViewError> {
        let (handle, statement, by) = (self.clone(), statement.to_owned(), Owner::of(by));
        to_the_end(async move { handle.create(&statement, by.actor()).await }).await
    }

    async fn create(&self, statement: &str, by: Actor<'_>) -> Result<Option<u64>, ViewError> {
        let manager = &self.manager;
        let view = ViewStatement::parse(statement)?;
        let name = full_name(&view);
        manager.check_name(view.schema.as_deref().unwrap_or(PUBLIC), &view.name)?;
        if let Some(option) = view.options.keys().next() {
            return Err(ViewError::Option { view: name, option: option.clone() });
        }
        let _changing = manager.changing.lock().await;
        if let Some(there) = manager.live(&name) {
            if view.if_not_exists {
                return Ok(None);
            }
            if !view.or_replace {
                return Err(ViewError::Exists(name));
            }
            manager.check_owner(there, by)?;
            manager.check_unread(&name)?;
            if view.reads.iter().any(|read| manager.read_as(read).as_deref() == Some(name.as_str())) {
                return Err(ViewError::IsRead { view: name.clone(), readers: vec![format!("itself (`{name}`)")] });
            }
        }
        // What is wrong with it is said before anything is touched.
        manager.plan(statement)?;
        self.give_up_shadow(&name).await?;
        let view = CreatedView {
            id: manager.shelf.next_id()?,
            name,
            owner: by.name.to_owned(),
            filled: false,
            statement: statement.trim().to_owned(),
        };
        manager.add(view).await.map(Some)
    }

    /// Builds a view anew from the log, in its own shadow.
    pub async fn rebuild_view(&self, name: &str, by: Actor<'_>) -> Result<u64, ViewError> {
        let (handle, name, by) = (self.clone(), name.to_owned(), Owner::of(by));
        to_the_end(async move { handle.rebuild(&name, by.actor()).await }).await
    }

    async fn rebuild(&self, name: &str, by: Actor<'_>) -> Result<u64, ViewError> {
        let manager = &self.manager;
        let _changing = manager.changing.lock().await;
        if manager.built_in(name).is_some() {
            return Err(ViewError::BuiltIn(name.to_owned()));
        }
        let live = manager.live(name).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        manager.check_owner(live, by)?;
        self.give_up_shadow(name).await?;
        let view = manager.entry(live, |entry| entry.view.clone()).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        manager.add(CreatedView { id: manager.shelf.next_id()?, filled: false, ..view }).await
    }

    /// Whether the view of an id, as [`Handle::create_view`] gave it, can be read; waits for that.
    pub async fn filled(&self, id: u64, at_most: Duration) -> Result<bool, ViewError> {
        let deadline = Instant::now() + at_most;
        let mut changed = self.manager.changed.subscribe();
        loop {
            let found = self.manager.entries.lock().get(&id).map(|entry| (entry.view.clone(), entry.error.clone()));
            match found {
                None => return Err(ViewError::Unknown(format!("of id {id}"))),
                Some((view, Some(error))) => return Err(ViewError::Broken { view: view.name, error }),
                Some((view, None)) if view.filled => return Ok(true),
                Some(_) => {}
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { return Ok(false) };
            let _ = tokio::time::timeout(left, changed.changed()).await;
        }
    }

    /// Drops a view, and what fills in its shadow.
    pub async fn drop_view(&self, name: &str, by: Actor<'_>) -> Result<(), ViewError> {
        let (handle, name, by) = (self.clone(), name.to_owned(), Owner::of(by));
        to_the_end(async move { handle.remove(&name, by.actor()).await }).await
    }

    async fn remove(&self, name: &str, by: Actor<'_>) -> Result<(), ViewError> {
        let manager = &self.manager;
        let _changing = manager.changing.lock().await;
        let live = manager.live(name).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        manager.check_owner(live, by)?;
        manager.check_unread(name)?;
        // The shadow first: without the other it would be the one that is read.
        for id in manager.all_named(name).into_iter().rev() {
            manager.forget(id).await?;
        }
        Ok(())
    }

    /// Renames a view; `to` is the name without a schema, which stays.
    pub async fn rename_view(&self, name: &str, to: &str, by: Actor<'_>) -> Result<(), ViewError> {
        let (handle, name, to, by) = (self.clone(), name.to_owned(), to.to_owned(), Owner::of(by));
        to_the_end(async move { handle.rename(&name, &to, by.actor()).await }).await
    }

    async fn rename(&self, name: &str, to: &str, by: Actor<'_>) -> Result<(), ViewError> {
        let manager = &self.manager;
        let _changing = manager.changing.lock().await;
        let live = manager.live(name).ok_or_else(|| ViewError::Unknown(name.to_owned()))?;
        manager.check_owner(live, by)?;
        manager.check_unread(name)?;
        let schema = name.split_once('.').map_or(PUBLIC, |(schema, _)| schema);
        manager.check_name(schema, to)?;
        let new = format!("{schema}.{to}");
        if manager.live(&new).is_some() {
            return Err(ViewError::Exists(new));
        }
        self.give_up_shadow(name).await?;
        let Some(mut view) = manager.entry(live, |entry| entry.view.clone()) else { return Ok(()) };
        view.name.clone_from(&new);
        manager.shelf.save(&view)?;
        manager.engine.context.views.rename(name, &new);
        let number = manager.entry(live, |entry| {
            entry.view.name.clone_from(&new);
            entry.number
        });
        if let Some((number, store)) = number.flatten().and_then(|number| Some((number, manager.engine.store_of(number)?))) {
            manager.engine.board.rename(number, store, &new);
        }
        Ok(())
    }

    /// A view that fills in the shadow of the one called `name` is dropped.
    async fn give_up_shadow(&self, name: &str) -> Result<(), ViewError> {
        for shadow in self.manager.all_named(name).into_iter().skip(1) {
            self.manager.forget(shadow).await?;
        }
        Ok(())
    }
}

fn full_name(view: &ViewStatement) -> String {
    format!("{}.{}", view.schema.as_deref().unwrap_or(PUBLIC), view.name)
}
