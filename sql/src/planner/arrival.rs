//! Tables whose rows have no time of their own: where a window needs one, it is that of their arrival, in a column `_timestamp` that `*` does
//! not show, as in Arroyo.

use super::declare::{plain, relations};
use crate::dialect::{Statement, StatementKind};
use crate::table::Table;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, Expr, FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, TableFactor,
    VisitMut, VisitorMut, WildcardAdditionalOptions, visit_expressions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The column of the time of arrival.
pub const ARRIVAL: &str = "_timestamp";

/// Window functions, and how many arguments they have when the time is left to the table.
const WINDOWS: [(&str, usize); 3] = [("tumble", 1), ("hop", 2), ("session", 1)];

/// Gives the tables a time of arrival that a query needs one of: by a window over rows none of which have a time, or by the column's name.
pub(super) fn mark(statements: &[Statement], sources: &mut [Table]) {
    let views: BTreeMap<&str, &Query> = statements.iter().filter_map(view).collect();
    for statement in statements {
        let (StatementKind::View { query, .. } | StatementKind::Insert { query, .. } | StatementKind::Query { query }) = &statement.kind
        else {
            continue;
        };
        if !needs_time(query) {
            continue;
        }
        let mut read = BTreeSet::new();
        reach(query, &views, &mut read);
        let has_time = sources.iter().any(|table| read.contains(&table.name) && table.event_time.is_some() && !table.has_arrival);
        for table in sources.iter_mut().filter(|table| read.contains(&table.name) && table.event_time.is_none() && table.append_only) {
            if has_time || table.schema.column_with_name(ARRIVAL).is_some() {
                continue;
            }
            let time = Field::new(ARRIVAL, DataType::Timestamp(TimeUnit::Nanosecond, None), false);
            let fields = table.schema.fields().iter().map(|field| field.as_ref().clone()).chain([time]);
            table.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            table.event_time = Some(ARRIVAL.into());
            table.has_arrival = true;
        }
    }
}

fn view(statement: &Statement) -> Option<(&str, &Query)> {
    match &statement.kind {
        StatementKind::View { name, query, .. } => Some((name.text.as_str(), query.as_ref())),
        _ => None,
    }
}

/// What `query` reads, through views too.
fn reach(query: &Query, views: &BTreeMap<&str, &Query>, read: &mut BTreeSet<String>) {
    for name in relations(query).iter().map(plain) {
        if read.insert(name.clone())
            && let Some(query) = views.get(name.as_str())
        {
            reach(query, views, read);
        }
    }
}

fn needs_time(query: &Query) -> bool {
    let found = visit_expressions(query, |expr| {
        let is_it = match expr {
            Expr::Function(call) => {
                let arguments = if let FunctionArguments::List(list) = &call.args { list.args.len() } else { 0 };
                let name = plain(&call.name);
                WINDOWS.iter().any(|(window, without_time)| *window == name && arguments == *without_time)
            }
            Expr::Identifier(name) => name.value == ARRIVAL,
            Expr::CompoundIdentifier(names) => names.last().is_some_and(|name| name.value == ARRIVAL),
            _ => false,
        };
        if is_it { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// Leaves the time of arrival out of what `*` stands for.
pub(super) fn hide(query: &mut Query, sources: &[Table]) {
    let hidden: BTreeSet<&str> = sources.iter().filter(|table| table.has_arrival).map(|table| table.name.as_str()).collect();
    if !hidden.is_empty() {
        // The visitor never stops.
        let _ = query.visit(&mut Stars { hidden });
    }
}

struct Stars<'a> {
    hidden: BTreeSet<&'a str>,
}

impl VisitorMut for Stars<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let factors: Vec<&TableFactor> = select
            .from
            .iter()
            .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)))
            .collect();
        let named: Vec<(Option<ObjectName>, bool)> = factors.into_iter().map(|factor| self.named(factor)).collect();
        let hidden: BTreeSet<String> =
            named.iter().filter(|(_, is_hidden)| *is_hidden).filter_map(|(name, _)| Some(plain(name.as_ref()?))).collect();
        let mut items = vec![];
        for item in std::mem::take(&mut select.projection) {
            match item {
                // One table after the other, since the name stands for a column of each.
                SelectItem::Wildcard(_) if hidden.len() > 1 && named.iter().all(|(name, _)| name.is_some()) => {
                    items.extend(named.iter().filter_map(|(name, is_hidden)| {
                        let kind = SelectItemQualifiedWildcardKind::ObjectName(name.clone()?);
                        Some(SelectItem::QualifiedWildcard(
                            kind,
                            if *is_hidden { without(WildcardAdditionalOptions::default()) } else { Default::default() },
                        ))
                    }));
                }
                SelectItem::Wildcard(options) if !hidden.is_empty() => items.push(SelectItem::Wildcard(without(options))),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                    if hidden.contains(&plain(&name)) =>
                {
                    items.push(SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), without(options)));
                }
                item => items.push(item),
            }
        }
        select.projection = items;
        ControlFlow::Continue(())
    }
}

impl Stars<'_> {
    /// What the columns of a table are qualified by, and whether one of them is hidden.
    fn named(&self, factor: &TableFactor) -> (Option<ObjectName>, bool) {
        let of = |alias: &Ident| ObjectName::from(vec![alias.clone()]);
        match factor {
            TableFactor::Table { name, alias, .. } => {
                (Some(alias.as_ref().map_or_else(|| name.clone(), |alias| of(&alias.name))), self.hidden.contains(plain(name).as_str()))
            }
            TableFactor::Derived { alias, .. } => (alias.as_ref().map(|alias| of(&alias.name)), false),
            _ => (None, false),
        }
    }
}

fn without(options: WildcardAdditionalOptions) -> WildcardAdditionalOptions {
    let hidden = ExceptSelectItem { first_element: Ident::with_quote('"', ARRIVAL), additional_elements: vec![] };
    // Who says what to leave out is not asked for more: both cannot be said.
    if options.opt_except.is_some() || options.opt_exclude.is_some() {
        return options;
    }
    WildcardAdditionalOptions { opt_except: Some(hidden), ..options }
}
