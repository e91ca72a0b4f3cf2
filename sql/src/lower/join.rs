//! Joins.

use super::lookup::looked_up;
use super::{Lowered, Lowering, Needed, Unsupported, column_term, find, helper, is_helper, schema_of, with};
use crate::table::nullable;
use arrow::datatypes::Field;
use chimera_operators::{JoinKind, Operator, Side, Stage, Term};
use datafusion::common::{Column, DFSchema, JoinType, NullEquality, TableReference};
use datafusion::logical_expr::{Expr, Join, lit};
use std::collections::HashSet;

/// The columns of a join's result as they are put together.
#[derive(Default)]
struct Output {
    fields: Vec<(Option<TableReference>, Field)>,
}

impl Output {
    fn push(&mut self, schema: &DFSchema, index: usize) {
        let (qualifier, field) = schema.qualified_field(index);
        self.fields.push((qualifier.cloned(), field.as_ref().clone().with_nullable(true)));
    }
}

/// The expressions that a join compares, in the columns of both inputs.
struct Keys {
    left: Vec<Expr>,
    right: Vec<Expr>,
}

impl Lowering<'_> {
    pub(super) fn join(&mut self, join: &Join, needed: &Needed) -> Result<Lowered, Unsupported> {
        match (looked_up(&join.left, self.tables), looked_up(&join.right, self.tables)) {
            (None, None) => {}
            (None, Some(table)) => return self.lookup_join(join, table, true, needed),
            (Some(table), None) => return self.lookup_join(join, table, false, needed),
            (Some(left), Some(right)) => {
                let message =
                    format!("`{}` and `{}` are lookup tables: neither tells which rows to ask the other for", left.name, right.name);
                return Err(Unsupported::new(message).help("join a stream with the one, and then with the other").at(&right.name));
            }
        }
        let all = || Some(join.schema.columns().into_iter().collect::<HashSet<_>>());
        let needed = if needed.is_some() { needed.clone() } else { all() };
        let keys = Keys {
            left: join.on.iter().map(|(left, _)| left.clone()).collect(),
            right: join.on.iter().map(|(_, right)| right.clone()).collect(),
        };
        let read = with(&needed, join.filter.iter().chain(&keys.left).chain(&keys.right));
        let of =
            |schema: &DFSchema| read.as_ref().map(|columns| columns.iter().filter(|column| schema.has_column(column)).cloned().collect());
        let left = self.lower(&join.left, &of(join.left.schema()))?;
        let right = self.lower(&join.right, &of(join.right.schema()))?;
        let kept = with(&needed, join.filter.iter()).unwrap_or_default();
        match join.join_type {
            JoinType::Inner => {
                let joined = self.equi_join(JoinKind::Inner, join, &keys, &left, &right, &kept)?;
                match &join.filter {
                    Some(filter) => self.filter(joined, filter),
                    None => Ok(joined),
                }
            }
            JoinType::Left => self.left_join(join, &keys, &left, &right, &kept),
            JoinType::Right => {
                let keys = Keys { left: keys.right, right: keys.left };
                self.left_join(join, &keys, &right, &left, &kept)
            }
            JoinType::Full => {
                let matched = self.left_join(join, &keys, &left, &right, &kept)?;
                let swapped = Keys { left: keys.right.clone(), right: keys.left.clone() };
                let alone = self.without_match(join, &swapped, &right, &left)?;
                self.padded_union(matched, alone)
            }
            // NOT IN is planned without it.
            JoinType::LeftAnti if join.null_aware => Err(Unsupported::new("an anti join that minds nulls is not supported").at("not")),
            JoinType::LeftSemi | JoinType::LeftAnti => self.semi(join, &keys, &left, &right, join.join_type == JoinType::LeftAnti),
            JoinType::RightSemi | JoinType::RightAnti => {
                let keys = Keys { left: keys.right, right: keys.left };
                self.semi(join, &keys, &right, &left, join.join_type == JoinType::RightAnti)
            }
            JoinType::LeftMark => self.mark(join, &keys, &left, &right),
            JoinType::RightMark => {
                let keys = Keys { left: keys.right, right: keys.left };
                self.mark(join, &keys, &right, &left)
            }
        }
    }

    /// All pairs of rows with equal keys, with the columns `kept`.
    fn equi_join(
        &mut self,
        kind: JoinKind,
        join: &Join,
        keys: &Keys,
        left: &Lowered,
        right: &Lowered,
        kept: &HashSet<Column>,
    ) -> Result<Lowered, Unsupported> {
        let left_key = self.terms(&keys.left, &left.schema)?;
        let right_key = self.terms(&keys.right, &right.schema)?;
        let mut output = Output::default();
        // A key that is a plain column need not be kept a second time beside the key.
        let mut held: HashSet<Column> = HashSet::new();
        for index in 0..keys.left.len() {
            let left_column = plain(&keys.left[index], &left.schema).filter(|i| kept.contains(&column(&left.schema, *i)));
            let right_column = plain(&keys.right[index], &right.schema).filter(|i| kept.contains(&column(&right.schema, *i)));
            match (left_column, right_column) {
                (Some(i), _) if held.insert(column(&left.schema, i)) => output.push(&left.schema, i),
                // Without a match the right column is null, unlike the key.
                (_, Some(i)) if kind == JoinKind::Inner && held.insert(column(&right.schema, i)) => output.push(&right.schema, i),
                _ => output.fields.push(helper("key", index, left_key[index].data_type.clone())),
            }
        }
        let with_key = !held.is_empty();
        if !with_key {
            output.fields.clear();
        }
        let left_value = values(&left.schema, kept, &held, &mut output);
        let right_value = values(&right.schema, kept, &held, &mut output);
        let schema = schema_of(output.fields.into_iter())?;
        let operator = Operator::Join {
            kind,
            left: Side { input: left.node, key: left_key, value: left_value },
            right: Side { input: right.node, key: right_key, value: right_value },
            null_is_equal: join.null_equality == NullEquality::NullEqualsNull,
            with_key,
        };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }

    fn left_join(
        &mut self,
        join: &Join,
        keys: &Keys,
        left: &Lowered,
        right: &Lowered,
        kept: &HashSet<Column>,
    ) -> Result<Lowered, Unsupported> {
        if join.filter.is_none() {
            return self.equi_join(JoinKind::Left, join, keys, left, right, kept);
        }
        // With a further condition: the pairs that meet it, and the left rows that have no such pair, with nulls.
        let pairs = self.pairs(join, keys, left, right, kept)?;
        let alone = self.without_match(join, keys, left, right)?;
        self.padded_union(pairs, alone)
    }

    /// All pairs that meet the join's conditions, with the columns `kept`.
    fn pairs(&mut self, join: &Join, keys: &Keys, left: &Lowered, right: &Lowered, kept: &HashSet<Column>) -> Result<Lowered, Unsupported> {
        let pairs = self.equi_join(JoinKind::Inner, join, keys, left, right, kept)?;
        match &join.filter {
            Some(filter) => self.filter(pairs, filter),
            None => Ok(pairs),
        }
    }

    /// The rows of `left` that no row of `right` goes with.
    fn without_match(&mut self, join: &Join, keys: &Keys, left: &Lowered, right: &Lowered) -> Result<Lowered, Unsupported> {
        self.semi(join, keys, left, right, true)
    }

    /// The rows of `left`, with a last column that says whether a row of `right` goes with them.
    fn mark(&mut self, join: &Join, keys: &Keys, left: &Lowered, right: &Lowered) -> Result<Lowered, Unsupported> {
        let own = own_columns(&left.schema);
        let (qualifier, mark) = join.schema.qualified_field(join.schema.fields().len() - 1);
        let fields = own.iter().map(|index| {
            let (qualifier, field) = left.schema.qualified_field(*index);
            (qualifier.cloned(), field.as_ref().clone().with_nullable(true))
        });
        let schema = schema_of(fields.chain([(qualifier.cloned(), mark.as_ref().clone().with_nullable(true))]))?;
        let arrow = nullable(schema.as_arrow());
        let mut inputs = vec![];
        for anti in [false, true] {
            let part = self.semi(join, keys, left, right, anti)?;
            let mut terms = vec![];
            for index in &own {
                terms.push(column_term(&part.schema, find(&part.schema, &column(&left.schema, *index))?));
            }
            terms.push(self.term(&lit(!anti), &DFSchema::empty())?);
            inputs.push(self.map(part.node, vec![Stage::Project { terms, schema: arrow.clone() }], arrow.clone()));
        }
        let node = self.plan.add(Operator::Union { inputs }, arrow);
        Ok(Lowered { node, schema })
    }

    /// The rows of `left` with (`anti`: without) a row of `right` that goes with them.
    fn semi(&mut self, join: &Join, keys: &Keys, left: &Lowered, right: &Lowered, anti: bool) -> Result<Lowered, Unsupported> {
        let null_is_equal = join.null_equality == NullEquality::NullEqualsNull;
        let own: Vec<usize> = own_columns(&left.schema);
        let columns = || own.iter().map(|index| column_term(&left.schema, *index)).collect::<Vec<_>>();
        let (left_side, right_side, null_is_equal, fields) = match &join.filter {
            None => {
                let key = self.terms(&keys.left, &left.schema)?;
                let right_key = self.terms(&keys.right, &right.schema)?;
                let fields: Vec<_> = key.iter().enumerate().map(|(i, term)| helper("key", i, term.data_type.clone())).collect();
                let left_side = Side { input: left.node, key, value: columns() };
                (left_side, Side { input: right.node, key: right_key, value: vec![] }, null_is_equal, fields)
            }
            // The left rows are compared as a whole with the left rows of the pairs that meet the condition.
            Some(_) => {
                let kept: HashSet<Column> = left.schema.columns().into_iter().chain(right.schema.columns()).collect();
                let pairs = self.pairs(join, keys, left, right, &kept)?;
                let mut matched = Vec::new();
                for index in &own {
                    matched.push(column_term(&pairs.schema, find(&pairs.schema, &column(&left.schema, *index))?));
                }
                let left_side = Side { input: left.node, key: columns(), value: vec![] };
                (left_side, Side { input: pairs.node, key: matched, value: vec![] }, true, vec![])
            }
        };
        let own = own.iter().map(|index| {
            let (qualifier, field) = left.schema.qualified_field(*index);
            (qualifier.cloned(), field.as_ref().clone().with_nullable(true))
        });
        let schema = schema_of(fields.into_iter().chain(own))?;
        let operator = Operator::Semi { left: left_side, right: right_side, anti, null_is_equal };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }

    /// The rows of `whole`, and the rows of `part` with nulls for the columns it lacks.
    fn padded_union(&mut self, whole: Lowered, part: Lowered) -> Result<Lowered, Unsupported> {
        let mut terms = Vec::new();
        for column in whole.schema.columns() {
            let data_type = whole.schema.field(find(&whole.schema, &column)?).data_type().clone();
            terms.push(match part.schema.maybe_index_of_column(&column) {
                Some(index) if !is_helper(&column) => column_term(&part.schema, index),
                _ => self.null_term(&data_type)?,
            });
        }
        let arrow = nullable(whole.schema.as_arrow());
        let stage = Stage::Project { terms, schema: arrow.clone() };
        let padded = self.map(part.node, vec![stage], arrow.clone());
        let node = self.plan.add(Operator::Union { inputs: vec![whole.node, padded] }, arrow);
        Ok(Lowered { node, schema: whole.schema })
    }

    fn null_term(&self, data_type: &arrow::datatypes::DataType) -> Result<Term, Unsupported> {
        let null = datafusion::common::ScalarValue::try_from(data_type).map_err(|e| Unsupported::new(e.strip_backtrace()))?;
        self.term(&Expr::Literal(null, None), &DFSchema::empty())
    }

    fn terms(&self, exprs: &[Expr], schema: &DFSchema) -> Result<Vec<Term>, Unsupported> {
        exprs.iter().map(|expr| self.term(expr, schema)).collect()
    }
}

/// The columns that a query can name.
fn own_columns(schema: &DFSchema) -> Vec<usize> {
    schema.columns().iter().enumerate().filter(|(_, column)| !is_helper(column)).map(|(index, _)| index).collect()
}

fn column(schema: &DFSchema, index: usize) -> Column {
    Column::from(schema.qualified_field(index))
}

/// The column that `expr` is, if it is nothing but one.
fn plain(expr: &Expr, schema: &DFSchema) -> Option<usize> {
    match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        Expr::Alias(alias) => plain(&alias.expr, schema),
        _ => None,
    }
}

/// The columns of a side that are kept beside the key.
fn values(schema: &DFSchema, kept: &HashSet<Column>, held: &HashSet<Column>, output: &mut Output) -> Vec<Term> {
    let columns = schema.columns();
    let wanted = (0..columns.len()).filter(|i| kept.contains(&columns[*i]) && !held.contains(&columns[*i]));
    wanted
        .map(|index| {
            output.push(schema, index);
            column_term(schema, index)
        })
        .collect()
}
