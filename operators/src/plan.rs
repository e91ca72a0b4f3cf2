//! What a circuit computes: a graph of relational nodes, without SQL and without dbsp.

use crate::{Stage, Term, ttl};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::Arc;

/// The index of a node in its plan. A node only refers to nodes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

#[derive(Clone, Debug)]
pub struct Node {
    pub operator: Operator,
    /// The columns of the node's rows.
    pub schema: SchemaRef,
    /// Names the node's state across restarts: equal for equal sub-plans.
    pub id: String,
}

/// One side of a join.
#[derive(Clone, Debug)]
pub struct Side {
    pub input: NodeId,
    pub key: Vec<Term>,
    /// What of the side's rows is kept beside the key.
    pub value: Vec<Term>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    /// Left rows without a match are kept, with nulls on the right.
    Left,
}

/// How a round of a recursion makes rows of those of the round before.
#[derive(Clone, Debug)]
pub enum Body {
    /// The rows of the round before.
    Round,
    Map {
        input: Box<Body>,
        stages: Vec<Stage>,
        schema: SchemaRef,
    },
    /// The rows of all inputs, which have the columns of the recursion.
    Union {
        inputs: Vec<Body>,
    },
    /// An inner join with rows from outside. Columns as those of [`Operator::Join`], of which `input` is the left side or the right.
    Join {
        input: Box<Body>,
        key: Vec<Term>,
        value: Vec<Term>,
        other: Side,
        is_left: bool,
        null_is_equal: bool,
        with_key: bool,
        schema: SchemaRef,
    },
}

impl Body {
    /// The nodes outside that it reads.
    fn inputs(&self) -> Vec<NodeId> {
        match self {
            Body::Round => vec![],
            Body::Map { input, .. } => input.inputs(),
            Body::Union { inputs } => inputs.iter().flat_map(Body::inputs).collect(),
            Body::Join { input, other, .. } => [input.inputs(), vec![other.input]].concat(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Body::Round => "the last round".into(),
            Body::Map { input, stages, .. } => format!("{} → {}", input.describe(), list(stages.iter().map(Stage::describe))),
            Body::Union { inputs } => format!("({})", inputs.iter().map(Body::describe).collect::<Vec<_>>().join(" and ")),
            Body::Join { input, key, value, other, is_left, null_is_equal, with_key, .. } => {
                let side = if *is_left { "left" } else { "right" };
                let nulls = if *null_is_equal { ", null = null" } else { "" };
                let shown = if *with_key { "" } else { ", without key" };
                let (own, others) = (
                    format!("[{}] keeping [{}]", terms(key), terms(value)),
                    format!("[{}] keeping [{}]", terms(&other.key), terms(&other.value)),
                );
                format!("{} → join as {side} {own} with {others}{nulls}{shown}", input.describe())
            }
        }
    }
}

/// Which row comes first, and with which number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    RowNumber,
    Rank,
    DenseRank,
}

#[derive(Clone, Debug)]
pub enum Operator {
    /// Rows that are pushed under a table's name.
    Input {
        table: String,
        /// Rows of the table are never deleted.
        append_only: bool,
    },
    /// Rows that are there from the first step on.
    Constant {
        rows: RecordBatch,
    },
    /// Stateless.
    Map {
        input: NodeId,
        stages: Vec<Stage>,
    },
    /// The rows of all inputs, which have the same columns.
    Union {
        inputs: Vec<NodeId>,
    },
    Distinct {
        input: NodeId,
    },
    /// Columns: the key (if `with_key`), left values, right values. Both keys have the same types.
    Join {
        kind: JoinKind,
        left: Side,
        right: Side,
        null_is_equal: bool,
        with_key: bool,
    },
    /// Rows of `input` beside what a table that is kept elsewhere answers to their key when they come: what it answers later changes
    /// nothing. Columns: those of `value`, those of the table at `columns`, and whether there was an answer.
    Lookup {
        input: NodeId,
        table: String,
        key: Vec<Term>,
        value: Vec<Term>,
        columns: Vec<usize>,
    },
    /// Left rows that have (`anti`: have not) a right row of the same key. Columns: the key, left values. The right side's
    /// value is not used.
    Semi {
        left: Side,
        right: Side,
        anti: bool,
        null_is_equal: bool,
    },
    /// Columns: the group, then the outputs of each part in turn.
    Aggregate {
        input: NodeId,
        group: Vec<Term>,
        parts: Vec<Part>,
        /// Groups are given out once, when the watermark reaches this time, in ascending order, and are not kept any longer. They are
        /// taken back at the end of the step ([`crate::Circuit::step_to`]), so that operators further on keep nothing of them.
        closes: Option<Term>,
    },
    /// The rows without those that come when the watermark has passed the time at which they close: they are left out and counted. So
    /// are, uncounted, rows that go: of what is only added to, those are closed windows that are taken back.
    Late {
        input: NodeId,
        closes: Term,
    },
    /// Gives each row out once the watermark reaches the time at which it closes, and takes it back as a group that closes. Columns:
    /// those of `value`.
    Close {
        input: NodeId,
        closes: Term,
        value: Vec<Term>,
    },
    /// The input if it has rows, else the one row of `default`.
    OrElse {
        input: NodeId,
        default: RecordBatch,
    },
    /// The first rows of each partition after `skip`. Columns: partition, order, value, number (UInt64).
    Top {
        input: NodeId,
        partition: Vec<Term>,
        order: Vec<Term>,
        value: Vec<Term>,
        numbering: Numbering,
        skip: u64,
        limit: Option<u64>,
    },
    /// The rows of `base`, what `body` makes of them, of the rows that come of that, and so on until no new ones come: each once.
    Fixpoint {
        base: NodeId,
        body: Body,
    },
    /// Stands for the last round of a recursion while its body is put together; never built.
    Round {
        name: String,
    },
    /// Rows whose time is not before `after` and not past `until`, which move with the clock: rows come and go though the input does
    /// not change. Columns: values. A row without a time is left out.
    Aging {
        input: NodeId,
        time: Term,
        value: Vec<Term>,
        after: Option<Bound>,
        until: Option<Bound>,
    },
    /// The rows of the input at `side` of keys that were touched in the last `ttl` nanoseconds: those of others are taken back in a sweep.
    /// `inputs`: with their keys, which are touched by the rows of any of them. Columns: those of the input.
    Fresh {
        inputs: Vec<(NodeId, Vec<Term>)>,
        side: usize,
        ttl: i64,
    },
    /// The rows of `input`, but for those that come and go in a sweep. `append_only`: no others go.
    Quiet {
        input: NodeId,
        append_only: bool,
    },
    /// The operator, an aggregate or a top-N of rows that only come, which drops groups or partitions that nothing touched for `ttl`
    /// nanoseconds.
    Forgetful {
        operator: Box<Operator>,
        ttl: i64,
    },
    /// Every row with what a function makes of it and the other rows of its partition. Columns: order, value, outputs.
    Window {
        input: NodeId,
        partition: Vec<Term>,
        order: Vec<Term>,
        value: Vec<Term>,
        function: Arc<dyn PartitionFn>,
    },
}

/// A time that depends on the clock, and never goes back when that goes on.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Over one column: the clock, a timestamp in nanoseconds. Of the type of the times that it bounds.
    pub time: Term,
    /// Whether what is equal to it is in.
    pub inclusive: bool,
}

/// Aggregates of a group that share their state.
#[derive(Clone, Debug)]
pub enum Part {
    /// Sums and counts: constant state a group.
    Linear(Vec<Linear>),
    /// How many different values that are not null: an Int64. Keeps each group's different values.
    CountDistinct(Term),
    /// The first value in the term's order, which puts nulls last. Keeps each group's values; of rows that only come, the first one.
    First(Term),
    /// Anything else: the group's rows are kept, and the function sees all of them whenever one changes.
    Rows { order: Vec<Term>, value: Vec<Term>, function: Arc<dyn GroupFn> },
}

/// An aggregate whose change is computed from the change of its input alone.
#[derive(Clone, Debug)]
pub enum Linear {
    /// Rows.
    Count,
    /// Rows where the term is not null.
    CountValues(Term),
    /// Of integers or decimals; null when there is no value or the sum does not fit the output type.
    Sum { term: Term, output: DataType },
    /// Of integers (a double) or decimals (a decimal of the output type, truncated).
    Average { term: Term, output: DataType },
}

/// Computes outputs from all rows of a group.
pub trait GroupFn: Debug + Send + Sync {
    /// `columns` are the order terms and the value terms of [`Part::Rows`], one row a row of the group, sorted by the order
    /// terms, then by the value terms. Yields one row: an array of length 1 for each output.
    fn evaluate(&self, columns: &[ArrayRef]) -> Result<Vec<ArrayRef>, String>;

    fn output_types(&self) -> Vec<DataType>;

    fn describe(&self) -> String;
}

/// Computes outputs for each row of a partition from all of its rows.
pub trait PartitionFn: Debug + Send + Sync {
    /// `columns` are the order terms and the value terms of [`Operator::Window`], `rows` rows sorted by the order terms (rows
    /// that are equal in them are in one order always). Yields an array of as many rows for each output.
    fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<ArrayRef>, String>;

    fn output_types(&self) -> Vec<DataType>;

    fn describe(&self) -> String;
}

impl Linear {
    pub fn output_type(&self) -> DataType {
        match self {
            Linear::Count | Linear::CountValues(_) => DataType::Int64,
            Linear::Sum { output, .. } | Linear::Average { output, .. } => output.clone(),
        }
    }

    /// What it adds up.
    pub(crate) fn term_mut(&mut self) -> Option<&mut Term> {
        match self {
            Linear::Count => None,
            Linear::CountValues(term) | Linear::Sum { term, .. } | Linear::Average { term, .. } => Some(term),
        }
    }

    fn describe(&self) -> String {
        match self {
            Linear::Count => "count(*)".into(),
            Linear::CountValues(term) => format!("count({})", term.describe()),
            Linear::Sum { term, output } => format!("sum({}): {output}", term.describe()),
            Linear::Average { term, output } => format!("avg({}): {output}", term.describe()),
        }
    }
}

impl Part {
    pub fn describe(&self) -> String {
        match self {
            Part::Linear(items) => list(items.iter().map(Linear::describe)),
            Part::CountDistinct(term) => format!("count(distinct {})", term.describe()),
            Part::First(term) => format!("first({})", term.describe()),
            Part::Rows { order, value, function } => {
                format!("{} over [{}; {}]", function.describe(), terms(order), terms(value))
            }
        }
    }
}

impl Operator {
    /// The nodes whose rows this one reads.
    pub fn inputs(&self) -> Vec<NodeId> {
        match self {
            Operator::Input { .. } | Operator::Constant { .. } | Operator::Round { .. } => vec![],
            Operator::Map { input, .. }
            | Operator::Distinct { input }
            | Operator::Aggregate { input, .. }
            | Operator::Late { input, .. }
            | Operator::Close { input, .. }
            | Operator::OrElse { input, .. }
            | Operator::Top { input, .. }
            | Operator::Aging { input, .. }
            | Operator::Lookup { input, .. }
            | Operator::Quiet { input, .. }
            | Operator::Window { input, .. } => vec![*input],
            Operator::Union { inputs } => inputs.clone(),
            Operator::Fresh { inputs, .. } => inputs.iter().map(|(input, _)| *input).collect(),
            Operator::Forgetful { operator, .. } => operator.inputs(),
            Operator::Fixpoint { base, body, .. } => [vec![*base], body.inputs()].concat(),
            Operator::Join { left, right, .. } | Operator::Semi { left, right, .. } => vec![left.input, right.input],
        }
    }

    fn uses_clock(&self) -> bool {
        matches!(self, Operator::Aging { .. }) || self.drops_idle()
    }

    /// Whether it drops state of keys that nothing touches.
    pub(crate) fn drops_idle(&self) -> bool {
        matches!(self, Operator::Fresh { .. } | Operator::Forgetful { .. })
    }

    /// Says everything that makes one operator different from another, except its inputs.
    pub fn describe(&self) -> String {
        let side = |side: &Side| format!("[{}] keeping [{}]", terms(&side.key), terms(&side.value));
        match self {
            Operator::Input { table, append_only } => format!("input {table}{}", if *append_only { ", append-only" } else { "" }),
            Operator::Constant { rows } => format!("constant {rows:?}"),
            Operator::Map { stages, .. } => list(stages.iter().map(Stage::describe)),
            Operator::Union { .. } => "union all".into(),
            Operator::Distinct { .. } => "distinct".into(),
            Operator::Join { kind, left, right, null_is_equal, with_key } => {
                let kind = if *kind == JoinKind::Inner { "inner" } else { "left" };
                let nulls = if *null_is_equal { ", null = null" } else { "" };
                let key = if *with_key { "" } else { ", without key" };
                format!("{kind} join {} with {}{nulls}{key}", side(left), side(right))
            }
            Operator::Lookup { table, key, value, columns, .. } => {
                format!("look up [{}] in {table}, columns {columns:?}, keeping [{}]", terms(key), terms(value))
            }
            Operator::Semi { left, right, anti, null_is_equal } => {
                let kind = if *anti { "anti" } else { "semi" };
                let nulls = if *null_is_equal { ", null = null" } else { "" };
                format!("{kind} join {} with {}{nulls}", side(left), side(right))
            }
            Operator::Aggregate { group, parts, closes, .. } => {
                let closes = closes.as_ref().map_or(String::new(), |closes| format!(", until {}", closes.describe()));
                format!("aggregate by [{}]{closes}: {}", terms(group), list(parts.iter().map(Part::describe)))
            }
            Operator::Late { closes, .. } => format!("leave out what comes after {}", closes.describe()),
            Operator::Close { closes, value, .. } => format!("hold back until {} keeping [{}]", closes.describe(), terms(value)),
            Operator::OrElse { default, .. } => format!("or else {default:?}"),
            Operator::Top { partition, order, value, numbering, skip, limit, .. } => {
                let limit = limit.map_or("all".into(), |limit| limit.to_string());
                let (partition, order, value) = (terms(partition), terms(order), terms(value));
                format!("top {limit} skip {skip} by [{order}] in each [{partition}] keeping [{value}], {numbering:?}")
            }
            Operator::Fixpoint { body, .. } => format!("recursion: {}", body.describe()),
            Operator::Round { name } => format!("last round of {name}"),
            Operator::Aging { time, value, after, until, .. } => {
                let bound = |bound: &Option<Bound>, open: &str, closed: &str| match bound {
                    Some(bound) => format!(" {} {}", if bound.inclusive { closed } else { open }, bound.time.describe()),
                    None => String::new(),
                };
                let bounds = [bound(after, ">", ">="), bound(until, "<", "<=")].concat();
                format!("while {}{bounds} keeping [{}]", time.describe(), terms(value))
            }
            Operator::Fresh { inputs, side, ttl } => {
                let keys = list(inputs.iter().map(|(_, key)| format!("[{}]", terms(key))));
                format!("side {side} while its key, of {keys}, was touched in the last {}", ttl::shown(*ttl))
            }
            Operator::Quiet { append_only, .. } => format!("without what is dropped{}", if *append_only { ", append-only" } else { "" }),
            Operator::Forgetful { operator, ttl } => format!("{}, dropped when idle for {}", operator.describe(), ttl::shown(*ttl)),
            Operator::Window { partition, order, value, function, .. } => {
                let (partition, order, value) = (terms(partition), terms(order), terms(value));
                format!("window {} by [{order}] in each [{partition}] keeping [{value}]", function.describe())
            }
        }
    }
}

/// What a plan yields under a table's name.
#[derive(Clone, Debug)]
pub struct Sink {
    pub table: String,
    pub node: NodeId,
}

/// Changes with the bytes of rows: state in another form is not taken for ours.
const ROW_FORMAT: &[u8] = b"rows 3";

/// Nodes in an order in which each comes after its inputs, and the results.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub nodes: Vec<Node>,
    pub sinks: Vec<Sink>,
    /// Nodes whose rows are taken out of a table again once they were given out: the node, and the table that it is read under.
    pub expiries: Vec<Sink>,
    /// How long, in nanoseconds, state of a key that nothing touches is kept; `None`: for ever. Goes for operators that are added from then on.
    pub ttl: Option<i64>,
    known: HashMap<String, NodeId>,
}

impl Plan {
    /// Adds a node, or finds the one that computes the same: equal sub-plans are maintained once.
    pub fn add(&mut self, operator: Operator, schema: SchemaRef) -> NodeId {
        match self.ttl {
            Some(ttl) => ttl::add(self, ttl, operator, schema),
            None => self.insert(operator, schema),
        }
    }

    pub(crate) fn insert(&mut self, operator: Operator, schema: SchemaRef) -> NodeId {
        let mut text = operator.describe();
        for input in operator.inputs() {
            let _ = write!(text, "\n{}", self.node(input).id);
        }
        for field in schema.fields() {
            let _ = write!(text, "\n{}: {}", field.name(), field.data_type());
        }
        let id = blake3::hash(text.as_bytes()).to_hex()[..24].to_string();
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let node = NodeId(self.nodes.len());
        self.known.insert(id.clone(), node);
        self.nodes.push(Node { operator, schema, id });
        node
    }

    pub fn add_sink(&mut self, table: &str, node: NodeId) {
        self.sinks.push(Sink { table: table.to_string(), node });
    }

    /// Takes the rows of `node`, when they are given out, out of the input `table`.
    pub fn add_expiry(&mut self, table: &str, node: NodeId) {
        if !self.expiries.iter().any(|expiry| expiry.table == table) {
            self.expiries.push(Sink { table: table.to_string(), node });
        }
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Whether results change with the clock.
    pub fn uses_clock(&self) -> bool {
        let readers = self.readers();
        self.nodes.iter().zip(readers).any(|(node, readers)| readers > 0 && node.operator.uses_clock())
    }

    /// Whether rows are asked for elsewhere: another run may be answered otherwise.
    pub fn looks_up(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.operator, Operator::Lookup { .. }))
    }

    /// The sinks that read each node, through others or not.
    pub(crate) fn sinks_of(&self, node: NodeId) -> Vec<String> {
        let mut reads = vec![false; self.nodes.len()];
        reads[node.0] = true;
        for index in node.0 + 1..self.nodes.len() {
            reads[index] = self.nodes[index].operator.inputs().iter().any(|input| reads[input.0]);
        }
        self.sinks.iter().filter(|sink| reads[sink.node.0]).map(|sink| sink.table.clone()).collect()
    }

    /// How many sinks, and nodes that themselves are read, read each node.
    pub fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.nodes.len()];
        self.sinks.iter().chain(&self.expiries).for_each(|sink| readers[sink.node.0] += 1);
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if readers[index] > 0 {
                node.operator.inputs().iter().for_each(|input| readers[input.0] += 1);
            }
        }
        readers
    }

    /// Of each node, whether rows only ever come out of it: what is not among the first of them now will never be.
    pub fn append_only(&self) -> Vec<bool> {
        let mut nodes: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let only_grows = match &node.operator {
                Operator::Input { append_only, .. } => *append_only,
                Operator::Semi { anti, .. } => !anti,
                Operator::Join { kind, .. } => *kind == JoinKind::Inner,
                Operator::Quiet { append_only, .. } => *append_only,
                Operator::Constant { .. }
                | Operator::Map { .. }
                | Operator::Lookup { .. }
                | Operator::Late { .. }
                | Operator::Union { .. }
                | Operator::Distinct { .. } => true,
                _ => false,
            };
            let is_said = matches!(node.operator, Operator::Quiet { .. });
            nodes.push(only_grows && (is_said || node.operator.inputs().iter().all(|input| nodes[input.0])));
        }
        nodes
    }

    /// Equal for plans that compute the same results in the same way: state of one can be restored into the other.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = blake3::Hasher::new();
        hash.update(ROW_FORMAT);
        for sink in &self.sinks {
            hash.update(sink.table.as_bytes()).update(b"\0").update(self.node(sink.node).id.as_bytes()).update(b"\0");
        }
        let bytes: [u8; 8] = hash.finalize().as_bytes()[..8].try_into().expect("a hash is longer than eight bytes");
        u64::from_le_bytes(bytes)
    }
}

fn terms(terms: &[Term]) -> String {
    list(terms.iter().map(Term::describe))
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
