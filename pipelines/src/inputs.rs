//! The topics that the pipelines read, each decoded once for all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use chimera_connectors::format::{BadRecord, Decoder};
use chimera_connectors::log::Entry;
use chimera_connectors::{Changes, dlq};
use chimera_sql::Program;

use crate::{Definition, Error};

/// The table option that names a topic.
pub const TOPIC: &str = "topic";

/// One decoding of one topic: the columns that any pipeline wants of it in that format.
pub struct Input {
    pub topic: String,
    pub format: String,
    decoder: Decoder,
}

/// All decodings, and which table of which pipeline takes which.
pub struct Inputs {
    pub inputs: Vec<Input>,
    /// By pipeline: (index into `inputs`, table).
    pub tables: Vec<Vec<(usize, String)>>,
    transactional: Vec<String>,
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
    /// Plans the decodings of `programs`. `transactional` lists the services whose topics come with transaction marks.
    pub fn plan(programs: &[(Definition, Program)], transactional: Vec<String>) -> Result<Self, Error> {
        let mut groups: Vec<Group> = Vec::new();
        let mut tables = Vec::new();
        for (definition, program) in programs {
            let mut of_pipeline = Vec::new();
            for table in &program.sources {
                let wrong = |message: String| Error::Table { pipeline: definition.name.clone(), table: table.name.clone(), message };
                let option = |name: &str| table.options.get(name).cloned();
                if option("connector").as_deref() != Some("kafka") {
                    return Err(wrong("a source needs `connector = 'kafka'`, the log".into()));
                }
                let topic = option(TOPIC).ok_or_else(|| wrong("`topic` is missing: name the topic to read".into()))?;
                let format = option("format").ok_or_else(|| wrong("`format` is missing: debezium_json, json or raw_string".into()))?;
                let fields: Vec<Field> = table.schema.fields().iter().map(|field| field.as_ref().clone()).collect();
                let index = groups
                    .iter_mut()
                    .position(|group| group.topic == topic && group.format == format && group.admit(&fields, &table.metadata))
                    .unwrap_or_else(|| {
                        let fields = fields.iter().map(|field| field.clone().with_nullable(true)).collect();
                        groups.push(Group { topic, format, fields, metadata: table.metadata.clone() });
                        groups.len() - 1
                    });
                of_pipeline.push((index, table.name.clone()));
            }
            tables.push(of_pipeline);
        }
        let inputs = groups
            .into_iter()
            .map(|group| {
                let decoder = Decoder::new(group.format.parse()?, Arc::new(Schema::new(group.fields)), group.metadata)?;
                Ok(Input { topic: group.topic, format: group.format, decoder })
            })
            .collect::<Result<_, chimera_connectors::Error>>()?;
        Ok(Self { inputs, tables, transactional })
    }

    /// The service whose transactions order `topic`; `None` for a topic of its own.
    pub fn service<'a>(&'a self, topic: &str) -> Option<&'a str> {
        let service = topic.split('.').next().unwrap_or_default();
        self.transactional.iter().map(String::as_str).find(|known| *known == service && topic.contains('.'))
    }

    /// The source that `topic` belongs to: its service, or itself.
    pub fn source<'a>(&'a self, topic: &'a str) -> &'a str {
        self.service(topic).unwrap_or(topic)
    }

    /// Topics that are read, each once, in order.
    pub fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.inputs.iter().map(|input| input.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// The sources that pipeline number `pipeline` reads.
    pub fn sources(&self, pipeline: usize) -> Vec<String> {
        let mut sources: Vec<String> =
            self.tables[pipeline].iter().map(|(input, _)| self.source(&self.inputs[*input].topic).to_owned()).collect();
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

impl Input {
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
