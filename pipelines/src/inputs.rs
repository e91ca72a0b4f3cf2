//! The topics that the pipelines read, each decoded once for all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use chimera_connectors::format::{BadRecord, Decoder};
use chimera_connectors::log::Entry;
use chimera_connectors::{Changes, dlq};
use chimera_sql::Table;

use crate::Error;

/// The table option that names a topic.
pub const TOPIC: &str = "topic";

/// One decoding of one topic: the columns that any pipeline wants of it in that format.
pub struct Input {
    pub topic: String,
    pub format: String,
    schema: SchemaRef,
    metadata: BTreeMap<String, String>,
    decoder: Decoder,
}

/// All decodings.
pub struct Inputs {
    pub inputs: Vec<Input>,
    services: Vec<Service>,
}

/// A service whose topics come with transaction marks.
#[derive(Clone, Debug)]
pub struct Service {
    /// The first part of the topics that tables name.
    pub name: String,
    /// The databases that its rows are spread over, as their topics begin; mostly one, of the service's own name. A table has the rows of
    /// all.
    pub databases: Vec<String>,
}

impl Service {
    /// One with a single database.
    pub fn whole(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { databases: vec![name.clone()], name }
    }
}

struct Group {
    topic: String,
    format: String,
    fields: Vec<Field>,
    metadata: BTreeMap<String, String>,
}

impl Group {
    /// Takes a table's columns in, or says that they do not agree with those here.
    fn admit(&mut self, fields: &[Field], metadata: &BTreeMap<String, String>) -> bool {
        let agree = fields.iter().all(|field| {
            let known = self.fields.iter().find(|known| known.name() == field.name());
            known
                .is_none_or(|known| known.data_type() == field.data_type() && self.metadata.get(field.name()) == metadata.get(field.name()))
        });
        if agree {
            for field in fields {
                if !self.fields.iter().any(|known| known.name() == field.name()) {
                    self.fields.push(field.clone().with_nullable(true));
                }
            }
            self.metadata.extend(metadata.iter().map(|(column, key)| (column.clone(), key.clone())));
        }
        agree
    }
}

impl Inputs {
    /// Plans the decodings of `tables`, each with the pipeline that reads it.
    pub fn plan<'a>(tables: impl IntoIterator<Item = (&'a str, &'a Table)>, services: Vec<Service>) -> Result<Self, Error> {
        let mut groups: Vec<Group> = Vec::new();
        for (pipeline, table) in tables {
            let (topic, format) = place(pipeline, table)?;
            let fields: Vec<Field> = table.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
            for topic in spread(&services, topic) {
                let known =
                    groups.iter_mut().any(|group| group.topic == topic && group.format == format && group.admit(&fields, &table.metadata));
                if !known {
                    let fields = fields.iter().map(|field| field.clone().with_nullable(true)).collect();
                    groups.push(Group { topic, format: format.to_owned(), fields, metadata: table.metadata.clone() });
                }
            }
        }
        let inputs = groups
            .into_iter()
            .map(|group| {
                let schema: SchemaRef = Arc::new(Schema::new(group.fields));
                let decoder = Decoder::new(group.format.parse()?, schema.clone(), group.metadata.clone())?;
                Ok(Input { topic: group.topic, format: group.format, schema, metadata: group.metadata, decoder })
            })
            .collect::<Result<_, chimera_connectors::Error>>()?;
        Ok(Self { inputs, services })
    }

    /// The decodings that have all columns of a pipeline's tables: (index, table), in the order of the tables. A table that is spread over
    /// several databases has one of each.
    pub fn cover(&self, pipeline: &str, tables: &[Table]) -> Result<Vec<(usize, String)>, Error> {
        let mut covered = Vec::with_capacity(tables.len());
        for table in tables {
            let (topic, format) = place(pipeline, table)?;
            for topic in spread(&self.services, topic) {
                let found = self.inputs.iter().position(|input| input.topic == topic && input.format == format && input.has(table));
                let message = || format!("topic `{topic}` is not decoded with these columns; see the source tables");
                let index =
                    found.ok_or_else(|| Error::Table { pipeline: pipeline.to_owned(), table: table.name.clone(), message: message() })?;
                covered.push((index, table.name.clone()));
            }
        }
        Ok(covered)
    }

    /// The database whose transactions order `topic`; `None` for a topic of its own.
    pub fn database<'a>(&'a self, topic: &str) -> Option<&'a str> {
        let (database, _) = topic.split_once('.')?;
        self.services.iter().flat_map(|service| &service.databases).map(String::as_str).find(|known| *known == database)
    }

    /// The source that `topic` belongs to: its database, or itself.
    pub fn source<'a>(&'a self, topic: &'a str) -> &'a str {
        self.database(topic).unwrap_or(topic)
    }

    /// Topics that are read, each once, in order.
    pub fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.inputs.iter().map(|input| input.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// The sources that these tables of a pipeline come from.
    pub fn sources(&self, tables: &[(usize, String)]) -> Vec<String> {
        let mut sources: Vec<String> = tables.iter().map(|(input, _)| self.source(&self.inputs[*input].topic).to_owned()).collect();
        sources.sort();
        sources.dedup();
        sources
    }

    /// Decodes the records of an epoch, by topic, into what each input that `wanted` asks for brings. Takes the CPU time that it takes: call it where
    /// blocking is allowed.
    pub fn decode(&self, records: &HashMap<String, Vec<Entry>>, wanted: impl Fn(usize) -> bool) -> Decoded {
        let mut bad = Vec::new();
        let changes = self
            .inputs
            .iter()
            .enumerate()
            .map(|(index, input)| {
                let entries = records.get(&input.topic).filter(|entries| !entries.is_empty() && wanted(index))?;
                let (brought, refused) = input.decode(entries);
                bad.extend(refused.into_iter().map(|record| (index, record)));
                (!brought.is_empty()).then(|| Arc::new(brought))
            })
            .collect();
        Decoded { changes, bad }
    }
}

/// The topics that hold the rows of a table which names `topic`: those of each database of its service, or itself.
fn spread(services: &[Service], topic: &str) -> Vec<String> {
    let of = topic.split_once('.').and_then(|(name, rest)| Some((services.iter().find(|service| service.name == name)?, rest)));
    match of {
        Some((service, rest)) => service.databases.iter().map(|database| format!("{database}.{rest}")).collect(),
        None => vec![topic.to_owned()],
    }
}

/// The topic and the format of a source table.
fn place<'a>(pipeline: &str, table: &'a Table) -> Result<(&'a str, &'a str), Error> {
    let wrong = |message: &str| Error::Table { pipeline: pipeline.to_owned(), table: table.name.clone(), message: message.to_owned() };
    let option = |name: &str| table.options.get(name).map(String::as_str);
    if option("connector") != Some("kafka") {
        return Err(wrong("a source needs `connector = 'kafka'`, the log"));
    }
    let topic = option(TOPIC).ok_or_else(|| wrong("`topic` is missing: name the topic to read"))?;
    let format = option("format").ok_or_else(|| wrong("`format` is missing: debezium_json, json, raw_string or raw_bytes"))?;
    Ok((topic, format))
}

impl Input {
    fn has(&self, table: &Table) -> bool {
        table.schema.fields().iter().all(|field| {
            let name = field.name();
            let known = self.schema.field_with_name(name);
            known.is_ok_and(|known| known.data_type() == field.data_type()) && self.metadata.get(name) == table.metadata.get(name)
        })
    }

    fn decode(&self, entries: &[Entry]) -> (Brought, Vec<BadRecord>) {
        let is_replayed = |entry: &&Entry| dlq::replayed_from(&entry.record).is_some();
        let again: Vec<&Entry> = entries.iter().filter(is_replayed).collect();
        let decoded = if again.is_empty() {
            self.decoder.decode(&self.topic, 0, entries)
        } else {
            let first: Vec<Entry> = entries.iter().filter(|entry| !is_replayed(entry)).cloned().collect();
            self.decoder.decode(&self.topic, 0, &first)
        };
        let (changes, mut bad) = (decoded.changes, decoded.bad);
        let put_aside = bad.iter().map(|record| record.offset).collect();
        let mut replayed = Vec::new();
        for entry in again {
            let Some(original) = dlq::replayed_from(&entry.record) else { continue };
            let decoded = self.decoder.decode(&self.topic, 0, std::slice::from_ref(entry));
            let changes = decoded.bad.is_empty().then_some(decoded.changes);
            replayed.push(Replayed { original, offset: entry.offset, changes });
            bad.extend(decoded.bad);
        }
        (Brought { changes, put_aside, replayed }, bad)
    }
}

/// What an epoch brings of one input. Reads as the changes that are for everyone.
pub struct Brought {
    pub changes: Changes,
    /// Offsets of records that the input cannot take.
    pub put_aside: Vec<u64>,
    /// Records that came again from the dead-letter queue: only for pipelines that had put them aside.
    pub replayed: Vec<Replayed>,
}

impl Brought {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.put_aside.is_empty() && self.replayed.is_empty()
    }
}

/// A record that came again.
pub struct Replayed {
    /// The offset at which it was put aside.
    pub original: u64,
    /// Its own offset.
    pub offset: u64,
    /// `None`: the input cannot take it this time either.
    pub changes: Option<Changes>,
}

/// What one epoch brings by input, and the records that are no changes.
pub struct Decoded {
    pub changes: Vec<Option<Arc<Brought>>>,
    /// (index of the input, what was wrong).
    pub bad: Vec<(usize, BadRecord)>,
}
