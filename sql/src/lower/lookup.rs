//! Joins with a table that is asked for rows by its key.

use super::{Lowered, Lowering, Needed, Unsupported, column_term, find, is_helper, schema_of, with};
use crate::table::{Table, nullable};
use arrow::datatypes::{DataType, Field};
use chimera_operators::{Operator, Stage};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, JoinType, TableReference};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, try_cast, when};
use std::collections::{BTreeSet, HashSet};

/// What the columns of an answer are qualified by while the join is put together.
const ANSWER: &str = "__answer";
const FOUND: &str = "found";

/// A side of a join that is looked up, in terms of the table's own columns.
struct LookedUp {
    columns: Vec<(Column, Expr)>,
    conditions: Vec<Expr>,
}

impl LookedUp {
    /// `expr` with the side's columns replaced by what they are made of.
    fn resolve(&self, expr: &Expr) -> Result<Expr, Unsupported> {
        let resolved = expr.clone().transform_up(|expr| {
            let made_of = match &expr {
                Expr::Column(column) => self.columns.iter().find(|(name, _)| name == column).map(|(_, expr)| expr.clone()),
                _ => None,
            };
            Ok(made_of.map_or_else(|| Transformed::no(expr), Transformed::yes))
        });
        resolved.map(|resolved| resolved.data).map_err(|e| Unsupported::new(e.strip_backtrace()))
    }

    fn renamed(self, names: Vec<Column>) -> Self {
        LookedUp { columns: names.into_iter().zip(self.columns).map(|(name, (_, expr))| (name, expr)).collect(), ..self }
    }
}

/// The lookup table that `plan` reads row by row, if it does nothing else.
pub(crate) fn looked_up<'t>(plan: &LogicalPlan, tables: &'t [Table]) -> Option<&'t Table> {
    match plan {
        LogicalPlan::TableScan(scan) => tables.iter().find(|table| table.is_lookup() && table.name == scan.table_name.table()),
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Subquery(_) => {
            plan.inputs().first().and_then(|input| looked_up(input, tables))
        }
        _ => None,
    }
}

/// The kind of a join as it is with the looked up side on the right; `None`: rows would have to come from that side alone.
pub(crate) fn kind_of_lookup(kind: JoinType, is_right: bool) -> Option<JoinType> {
    use JoinType::*;
    let kind = if is_right { kind } else { kind.swap() };
    matches!(kind, Inner | Left | LeftSemi | LeftAnti | LeftMark).then_some(kind)
}

pub(super) fn not_joined(table: &str) -> Unsupported {
    Unsupported::new(format!("`{table}` is a lookup table: it can only be asked for the rows of keys"))
        .help(format!("join it: FROM stream AS s LEFT JOIN {table} AS l ON s.key = l.key, with the table's key in ON"))
        .at(table)
}

impl Lowering<'_> {
    /// `join`, of whose sides the right one (or, unless `is_right`, the left one) is looked up in `table`.
    pub(super) fn lookup_join(&mut self, join: &Join, table: &Table, is_right: bool, needed: &Needed) -> Result<Lowered, Unsupported> {
        let (stream, side) = if is_right { (&join.left, &join.right) } else { (&join.right, &join.left) };
        let kind = kind_of_lookup(join.join_type, is_right).ok_or_else(|| {
            let message = format!("a {} join keeps rows of the lookup table `{}` that nobody asked for", join.join_type, table.name);
            Unsupported::new(message).help("keep the rows of the stream alone: stream LEFT JOIN lookup table ON …").at("join")
        })?;
        let side = self.answer(side, table)?;
        let (keys, mut conditions) = self.lookup_keys(join, table, &side, is_right, stream.schema())?;
        conditions.extend(side.conditions.iter().cloned());
        if let Some(filter) = &join.filter {
            conditions.extend(split_conjunction(&side.resolve(filter)?).into_iter().cloned());
        }
        let all = || join.schema.columns().into_iter().collect();
        let wanted: HashSet<Column> = needed.clone().unwrap_or_else(all);
        // What the stream's side has to bring, and what of it is read beside the answer.
        let own = |columns: &HashSet<Column>| columns.iter().filter(|column| stream.schema().has_column(column)).cloned().collect();
        let kept: HashSet<Column> = own(&with(&Some(wanted.clone()), &conditions).unwrap_or_default());
        let read = own(&with(&Some(kept.clone()), &keys).unwrap_or_default());
        let input = self.lower(stream, &Some(read))?;
        let outputs: Vec<&(Column, Expr)> = side.columns.iter().filter(|(name, _)| wanted.contains(name)).collect();
        let asked = self.ask(table, &input, &keys, &kept, outputs.iter().map(|(_, expr)| expr).chain(&conditions))?;
        let found = Expr::Column(Column::new(Some(ANSWER), FOUND));
        let matches = conditions.iter().cloned().fold(found, Expr::and);
        let is_plain = conditions.is_empty();
        let rows = match kind {
            JoinType::Inner | JoinType::LeftSemi => self.filter(asked, &matches)?,
            JoinType::LeftAnti => self.filter(asked, &Expr::IsNotTrue(Box::new(matches.clone())))?,
            _ => asked,
        };
        let (mut fields, mut terms) = (vec![], vec![]);
        for index in 0..rows.schema.fields().len() {
            let (qualifier, field) = rows.schema.qualified_field(index);
            let column = Column::from((qualifier, field));
            if !is_helper(&column) && stream.schema().has_column(&column) && wanted.contains(&column) {
                fields.push((qualifier.cloned(), field.as_ref().clone().with_nullable(true)));
                terms.push(column_term(&rows.schema, index));
            }
        }
        for (name, expr) in outputs {
            // Without a match all columns are null, whatever they are made of.
            let expr = match kind {
                JoinType::Left if !(is_plain && matches!(expr, Expr::Column(_))) => {
                    when(matches.clone(), expr.clone()).end().map_err(|e| Unsupported::new(e.strip_backtrace()))?
                }
                _ => expr.clone(),
            };
            let term = self.term(&expr, &rows.schema)?;
            fields.push((name.relation.clone(), Field::new(&name.name, term.data_type.clone(), true)));
            terms.push(term);
        }
        if kind == JoinType::LeftMark {
            let (qualifier, mark) = join.schema.qualified_field(join.schema.fields().len() - 1);
            fields.push((qualifier.cloned(), mark.as_ref().clone().with_nullable(true)));
            terms.push(self.term(&Expr::IsTrue(Box::new(matches)), &rows.schema)?);
        }
        let schema = schema_of(fields.into_iter())?;
        let arrow = nullable(schema.as_arrow());
        let node = self.map(rows.node, vec![Stage::Project { terms, schema: arrow.clone() }], arrow);
        Ok(Lowered { node, schema })
    }

    /// The operator that asks `table`. Columns: those of `kept`, those of the table that `exprs` read, and whether there was an answer.
    fn ask<'e>(
        &mut self,
        table: &Table,
        input: &Lowered,
        keys: &[Expr],
        kept: &HashSet<Column>,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> Result<Lowered, Unsupported> {
        let key = keys.iter().map(|key| self.term(key, &input.schema)).collect::<Result<Vec<_>, _>>()?;
        let (mut fields, mut value) = (vec![], vec![]);
        for (index, column) in input.schema.columns().iter().enumerate().filter(|(_, column)| kept.contains(column)) {
            let (qualifier, field) = input.schema.qualified_field(index);
            fields.push((qualifier.cloned(), field.as_ref().clone().with_nullable(true)));
            value.push(column_term(&input.schema, find(&input.schema, column)?));
        }
        let answer = TableReference::bare(ANSWER);
        let read = exprs.flat_map(|expr| expr.column_refs()).filter(|column| column.relation.as_ref() == Some(&answer));
        let read = read.filter_map(|column| column.name.parse().ok());
        let columns: Vec<usize> = read.collect::<BTreeSet<usize>>().into_iter().collect();
        for column in &columns {
            let field = Field::new(column.to_string(), table.schema.field(*column).data_type().clone(), true);
            fields.push((Some(answer.clone()), field));
        }
        fields.push((Some(answer), Field::new(FOUND, DataType::Boolean, true)));
        let schema = schema_of(fields.into_iter())?;
        let operator = Operator::Lookup { input: input.node, table: table.name.clone(), key, value, columns };
        let node = self.plan.add(operator, nullable(schema.as_arrow()));
        Ok(Lowered { node, schema })
    }

    /// What is asked for, in the order of the table's key; and what else the join compares.
    fn lookup_keys(
        &self,
        join: &Join,
        table: &Table,
        side: &LookedUp,
        is_right: bool,
        stream: &DFSchema,
    ) -> Result<(Vec<Expr>, Vec<Expr>), Unsupported> {
        let mut keys: Vec<Option<Expr>> = vec![None; table.primary_key.len()];
        let mut conditions = vec![];
        let place = |column: &Column| {
            let index: usize = column.name.parse().ok()?;
            let name = table.schema.field(index).name();
            Some((table.primary_key.iter().position(|key| key == name)?, table.schema.field(index).data_type().clone()))
        };
        for (left, right) in &join.on {
            let (own, other) = if is_right { (left, right) } else { (right, left) };
            let other = side.resolve(other)?.unalias();
            let (column, is_cast) = match &other {
                Expr::Column(column) => (Some(column), false),
                Expr::Cast(cast) => (cast.expr.try_as_col(), true),
                _ => (None, false),
            };
            let key = column.and_then(place).filter(|(place, _)| keys[*place].is_none());
            let Some((place, data_type)) = key else {
                conditions.push(own.clone().eq(other));
                continue;
            };
            // What the key's type cannot hold is no key; what it holds in another way is compared once more.
            if is_cast {
                conditions.push(own.clone().eq(other.clone()));
            }
            let own_type = self.term(own, stream)?.data_type;
            keys[place] = Some(if own_type == data_type { own.clone() } else { try_cast(own.clone(), data_type) });
        }
        let keys: Option<Vec<Expr>> = keys.into_iter().collect();
        let keys = keys.ok_or_else(|| {
            let key = table.primary_key.join(", ");
            Unsupported::new(format!("`{}` is looked up by its key ({key}), and this join does not say what that equals", table.name))
                .help(format!("compare the whole key with columns of the stream in ON: {}.{} = …", table.name, table.primary_key[0]))
                .at(&table.name)
        })?;
        Ok((keys, conditions))
    }

    /// The looked up side in terms of the answer: its column `index` is the table's column of that number.
    fn answer(&self, plan: &LogicalPlan, table: &Table) -> Result<LookedUp, Unsupported> {
        Ok(match plan {
            LogicalPlan::TableScan(scan) => {
                let mut side = LookedUp { columns: vec![], conditions: vec![] };
                for column in scan.projected_schema.columns() {
                    let index = table.schema.index_of(&column.name).map_err(|e| Unsupported::new(e.to_string()))?;
                    side.columns.push((column, Expr::Column(Column::new(Some(ANSWER), index.to_string()))));
                }
                side.conditions = scan.filters.iter().map(|filter| side.resolve(filter)).collect::<Result<_, _>>()?;
                side
            }
            LogicalPlan::SubqueryAlias(alias) => self.answer(&alias.input, table)?.renamed(alias.schema.columns()),
            LogicalPlan::Subquery(subquery) => self.answer(&subquery.subquery, table)?,
            LogicalPlan::Filter(filter) => {
                let mut side = self.answer(&filter.input, table)?;
                side.conditions.push(side.resolve(&filter.predicate)?);
                side
            }
            LogicalPlan::Projection(projection) => {
                let side = self.answer(&projection.input, table)?;
                let exprs =
                    projection.expr.iter().map(|expr| Ok(side.resolve(expr)?.unalias())).collect::<Result<Vec<_>, Unsupported>>()?;
                LookedUp { columns: projection.schema.columns().into_iter().zip(exprs).collect(), ..side }
            }
            _ => return Err(not_joined(&table.name)),
        })
    }
}
