//! Random queries, put together of pieces that are valid in PostgreSQL and in a program alike.
//!
//! What is kept out on purpose, since the answers differ by type and not by fault: casts of fractions to integers, texts of times and
//! doubles, averages of decimals (a decimal of four more digits here), averages in comparisons, sums of BIGINT (NUMERIC there).

use super::expressions::PLAIN;
use super::tables::{Kind, TABLES};
use crate::data::Random;

/// A column that an expression may name.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// A query whose columns are `c0`, `c1` and so on.
#[derive(Clone, Debug)]
pub struct Query {
    pub sql: String,
    /// As PostgreSQL knows it, where that differs.
    pub postgres: Option<String>,
    pub kinds: Vec<Kind>,
}

impl Query {
    fn new(sql: String, kinds: Vec<Kind>) -> Self {
        Query { sql, postgres: None, kinds }
    }
}

pub struct Generator<'r> {
    pub random: &'r mut Random,
    /// Views that may be read besides tables.
    pub views: Vec<(String, Vec<Kind>)>,
    aliases: usize,
}

/// What stands in FROM, and the columns that it brings.
struct From {
    sql: String,
    columns: Vec<Column>,
}

impl<'r> Generator<'r> {
    pub fn new(random: &'r mut Random) -> Self {
        Generator { random, views: vec![], aliases: 0 }
    }

    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.random.below(items.len() as u64) as usize]
    }

    /// A query that no other one reads: it may have lists.
    pub fn query(&mut self) -> Query {
        match self.random.below(12) {
            0 => self.recursion(),
            1 => self.common_table(),
            2 if self.random.one_in(2) => self.asof(),
            2..=4 => self.grouped(2, true),
            _ => self.nested(2),
        }
    }

    /// A query with at most `depth` more inside of each other.
    pub fn nested(&mut self, depth: u32) -> Query {
        match self.random.below(16) {
            0..=4 => self.plain(depth),
            5..=7 => self.grouped(depth, false),
            8 => self.distinct(depth),
            9 | 10 => self.set_operation(depth),
            11 | 12 => self.windowed(depth),
            13 => self.first_rows(depth),
            14 => self.grouping_sets(depth),
            _ => self.using(),
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }

    fn plain(&mut self, depth: u32) -> Query {
        let from = self.from(depth);
        let kinds: Vec<Kind> = (0..1 + self.random.below(4)).map(|_| self.kind(&from.columns)).collect();
        self.select(from, &kinds, depth)
    }

    /// A SELECT of columns of these kinds.
    fn select(&mut self, from: From, kinds: &[Kind], depth: u32) -> Query {
        let condition = self.filter(&from.columns, depth);
        let mut exprs = vec![];
        for kind in kinds {
            let is_subquery = depth > 0 && self.random.one_in(8);
            exprs.push(match kind {
                Kind::Int | Kind::Text if is_subquery => self.scalar_subquery(*kind, &from.columns),
                Kind::Bool if is_subquery => self.membership(&from.columns, depth),
                Kind::Ratio => self.expr(Kind::Double, &from.columns, 1),
                kind => self.expr(*kind, &from.columns, 2),
            });
        }
        Query::new(format!("SELECT {} FROM {}{condition}", named(&exprs), from.sql), kinds.to_vec())
    }

    fn distinct(&mut self, depth: u32) -> Query {
        let query = self.plain(depth);
        Query { sql: query.sql.replacen("SELECT", "SELECT DISTINCT", 1), ..query }
    }

    fn set_operation(&mut self, depth: u32) -> Query {
        let left = self.plain(depth.saturating_sub(1));
        let from = self.from(depth.saturating_sub(1));
        let right = self.select(from, &left.kinds, depth.saturating_sub(1));
        let operator = *self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]);
        Query::new(format!("({}) {operator} ({})", left.sql, right.sql), left.kinds)
    }

    fn grouped(&mut self, depth: u32, with_lists: bool) -> Query {
        let from = self.from(depth);
        let condition = self.filter(&from.columns, depth);
        let (mut exprs, mut kinds) = (vec![], vec![]);
        let groups = self.random.below(3) as usize;
        for _ in 0..groups {
            let kind = self.kind(&from.columns);
            exprs.push(self.expr(kind, &from.columns, 1));
            kinds.push(kind);
        }
        for _ in 0..1 + self.random.below(4) {
            let (call, kind) = self.aggregate(&from.columns, with_lists);
            exprs.push(call);
            kinds.push(kind);
        }
        let places: Vec<String> = (1..=groups).map(|place| place.to_string()).collect();
        let group = if groups > 0 { format!(" GROUP BY {}", places.join(", ")) } else { String::new() };
        let having = match self.random.below(5) {
            0 => " HAVING count(*) > 1".to_string(),
            1 => {
                let (low, high) = (self.expr(Kind::Int, &from.columns, 1), self.expr(Kind::Int, &from.columns, 1));
                format!(" HAVING min({low}) < max({high}) OR sum({low}) IS NULL")
            }
            _ => String::new(),
        };
        Query::new(format!("SELECT {} FROM {}{condition}{group}{having}", named(&exprs), from.sql), kinds)
    }

    fn grouping_sets(&mut self, depth: u32) -> Query {
        let from = self.from(depth);
        let condition = self.filter(&from.columns, depth);
        let one = self.pick(&from.columns).clone();
        let others: Vec<&Column> = from.columns.iter().filter(|column| column.name != one.name).collect();
        if others.is_empty() {
            return self.grouped(depth, false);
        }
        let two = self.pick(&others);
        let (a, b) = (&one.name, &two.name);
        let sets = match self.random.below(4) {
            0 => format!("ROLLUP ({a}, {b})"),
            1 => format!("CUBE ({a}, {b})"),
            2 => format!("GROUPING SETS (({a}, {b}), ({b}), ())"),
            _ => format!("GROUPING SETS (({a}), ({b}))"),
        };
        let (call, kind) = self.aggregate(&from.columns, false);
        let exprs = [a.clone(), b.clone(), format!("grouping({a})"), call];
        let sql = format!("SELECT {} FROM {}{condition} GROUP BY {sets}", named(&exprs), from.sql);
        Query::new(sql, vec![one.kind, two.kind, Kind::Int, kind])
    }

    /// Functions of rows that are sorted by all of their columns, so that equal rows may change places.
    fn windowed(&mut self, depth: u32) -> Query {
        let inner = self.nested(depth.saturating_sub(1));
        let alias = self.alias();
        let columns = columns_of(&alias, &inner.kinds);
        let mut exprs: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut kinds = inner.kinds.clone();
        let partition = match self.random.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY {} ", self.pick(&columns).name),
        };
        let total = self.order(&columns);
        for _ in 0..1 + self.random.below(2) {
            let some = self.order(&columns[..1]);
            let (call, kind) = self.window_function(&columns, &partition, &total, &some);
            exprs.push(call);
            kinds.push(kind);
        }
        let sql = format!("SELECT {} FROM ({}) AS {alias}", named(&exprs), inner.sql);
        if kinds.len() == columns.len() + 1 && kinds[columns.len()] == Kind::Int && self.random.one_in(3) {
            let outer = self.alias();
            let names: Vec<String> = columns_of(&outer, &kinds).into_iter().map(|column| column.name).collect();
            let number = names[columns.len()].clone();
            return Query::new(format!("SELECT {} FROM ({sql}) AS {outer} WHERE {number} <= 2", named(&names)), kinds);
        }
        Query::new(sql, kinds)
    }

    fn window_function(&mut self, columns: &[Column], partition: &str, total: &str, some: &str) -> (String, Kind) {
        let first = columns.iter().find(|column| column.kind == Kind::Int);
        let column = self.pick(columns).clone();
        let name = &column.name;
        let frame = match self.random.below(6) {
            0 => " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
            1 => " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
            2 => " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            3 => " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
            _ => "",
        };
        let over_some = format!("OVER ({partition}ORDER BY {some})");
        let over_total = format!("OVER ({partition}ORDER BY {total})");
        let over_frame = format!("OVER ({partition}ORDER BY {total}{frame})");
        match (self.random.below(13), first) {
            (0 | 1, _) => (format!("row_number() {over_total}"), Kind::Int),
            (2, _) => (format!("rank() {over_some}"), Kind::Int),
            (3, _) => (format!("dense_rank() {over_some}"), Kind::Int),
            (4, _) => (format!("{}({name}, {}) {over_total}", self.pick(&["lag", "lead"]), 1 + self.random.below(2)), column.kind),
            (5, _) => (format!("{}({name}) {over_frame}", self.pick(&["first_value", "last_value"])), column.kind),
            (6, _) => (format!("nth_value({name}, 2) {over_frame}"), column.kind),
            (7, _) => (format!("count({name}) {over_frame}"), Kind::Int),
            (8, Some(int)) => (format!("sum(CAST({} AS INT)) {over_frame}", int.name), Kind::Int),
            (9, Some(int)) => {
                let frame = "RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING";
                (format!("count(*) OVER ({partition}ORDER BY {}{} {frame})", int.name, self.direction()), Kind::Int)
            }
            (10, _) if column.kind != Kind::Bool => (format!("{}({name}) {over_frame}", self.pick(&["min", "max"])), column.kind),
            (11, _) => (format!("{}() {over_some}", self.pick(&["percent_rank", "cume_dist"])), Kind::Ratio),
            (12, _) => (format!("ntile(3) {over_total}"), Kind::Int),
            _ => (format!("count(*) OVER ({partition})").replace("( )", "()"), Kind::Int),
        }
    }

    /// The first rows in an order of all columns.
    fn first_rows(&mut self, depth: u32) -> Query {
        let inner = self.nested(depth.saturating_sub(1));
        let alias = self.alias();
        let columns = columns_of(&alias, &inner.kinds);
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let order = self.order(&columns);
        let skip = if self.random.one_in(3) { format!(" OFFSET {}", self.random.below(4)) } else { String::new() };
        let limit = 1 + self.random.below(6);
        let sql = format!("SELECT {} FROM ({}) AS {alias} ORDER BY {order} LIMIT {limit}{skip}", named(&names), inner.sql);
        Query::new(sql, inner.kinds)
    }

    /// All of `columns`, in some order and direction.
    fn order(&mut self, columns: &[Column]) -> String {
        let mut rest: Vec<&Column> = columns.iter().collect();
        let mut order = vec![];
        while !rest.is_empty() {
            let column = rest.remove(self.random.below(rest.len() as u64) as usize);
            order.push(format!("{}{}", column.name, self.direction()));
        }
        order.join(", ")
    }

    /// A join USING columns, of which the result has one.
    fn using(&mut self) -> Query {
        let (left, right) = (self.alias(), self.alias());
        let key = *self.pick(&["a", "s", "at", "a, s"]);
        let join = *self.pick(&["JOIN", "LEFT JOIN"]);
        let mut columns = vec![column(&format!("{left}.b"), Kind::Int), column(&format!("{right}.c"), Kind::Int)];
        let kind = |name: &str| TABLES[0].columns.iter().find(|(column, _)| *column == name).map_or(Kind::Int, |(_, kind)| *kind);
        columns.extend(key.split(", ").map(|name| column(name, kind(name))));
        let condition = self.condition(&columns, 1);
        let (names, kinds): (Vec<String>, Vec<Kind>) = columns.into_iter().map(|column| (column.name, column.kind)).unzip();
        let sql = format!("SELECT {} FROM t AS {left} {join} u AS {right} USING ({key}) WHERE {condition}", named(&names));
        Query::new(sql, kinds)
    }

    fn common_table(&mut self) -> Query {
        let table = self.nested(1);
        let (name, a, b) = (self.alias(), self.alias(), self.alias());
        let columns = [columns_of(&a, &table.kinds), columns_of(&b, &table.kinds)].concat();
        let kinds: Vec<Kind> = (0..2).map(|_| self.kind(&columns)).collect();
        let exprs: Vec<String> = kinds.iter().map(|kind| self.expr(*kind, &columns, 1)).collect();
        let (on, condition) = (self.equality(&columns_of(&a, &table.kinds), &columns_of(&b, &table.kinds)), self.condition(&columns, 1));
        let join = *self.pick(&["JOIN", "LEFT JOIN"]);
        let sql = format!(
            "WITH {name} AS ({}) SELECT {} FROM {name} AS {a} {join} {name} AS {b} ON {on} WHERE {condition}",
            table.sql,
            named(&exprs)
        );
        Query::new(sql, kinds)
    }

    /// Each row with the one that was valid at its time, of which there is one at most.
    fn asof(&mut self) -> Query {
        let states = "(SELECT a, s, at, max(c) AS c, min(d) AS d FROM u GROUP BY a, s, at)";
        let states = if self.random.one_in(2) { states.replace("s, ", "") } else { states.to_string() };
        let keys = if states.contains("s, ") { "l.a = r.a AND l.s = r.s" } else { "l.a = r.a" };
        let (operator, direction) = *self.pick(&[(">=", "DESC"), (">", "DESC"), ("<=", "ASC"), ("<", "ASC")]);
        let columns = [("l.id", Kind::Int), ("l.s", Kind::Text), ("r.c", Kind::Int), ("r.at", Kind::Time), ("r.d", Kind::Decimal)];
        let columns = columns.map(|(name, kind)| column(name, kind));
        let condition = if self.random.one_in(2) { "true".to_string() } else { self.condition(&columns, 1) };
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let begin = format!("SELECT {} FROM t AS l", named(&names));
        let (sql, lateral) = (
            format!("{begin} ASOF JOIN {states} AS r MATCH_CONDITION (l.at {operator} r.at) ON {keys} WHERE {condition}"),
            format!("(SELECT * FROM {states} AS r WHERE {keys} AND l.at {operator} r.at ORDER BY r.at {direction} LIMIT 1) AS r"),
        );
        let postgres = Some(format!("{begin} LEFT JOIN LATERAL {lateral} ON true WHERE {condition}"));
        Query { sql, postgres, kinds: columns.iter().map(|column| column.kind).collect() }
    }

    fn recursion(&mut self) -> Query {
        let (name, table) = (self.alias(), self.alias());
        let from = [column("t.a", Kind::Int), column("t.b", Kind::Int)];
        let begin = self.condition(&from, 1);
        let round = [column(&format!("{name}.n"), Kind::Int), column(&format!("{table}.c"), Kind::Int)];
        let condition = self.condition(&round, 1);
        let step = *self.pick(&["n + 1", "n", "m"]);
        let next = match self.random.below(3) {
            0 => format!("SELECT {name}.n + 1, {name}.m FROM {name} WHERE {name}.n < 4"),
            _ => format!(
                "SELECT {name}.{step}, {table}.c FROM {name} JOIN u AS {table} ON {table}.a = {name}.m WHERE {name}.n < 4 AND {condition}"
            ),
        };
        let sql = format!(
            "WITH RECURSIVE {name}(n, m) AS (SELECT t.a, t.b FROM t WHERE {begin} UNION {next}) SELECT n AS c0, m AS c1 FROM {name}"
        );
        Query::new(sql, vec![Kind::Int; 2])
    }

    /// One relation or several, joined.
    fn from(&mut self, depth: u32) -> From {
        let mut from = self.relation(depth);
        for _ in 0..*self.pick(&[0, 0, 1, 1, 2]) {
            let right = self.relation(depth.saturating_sub(1));
            let equal = self.columns_equal(&from.columns, &right.columns);
            let all = [&from.columns[..], &right.columns].concat();
            let further = if self.random.one_in(3) { format!(" AND {}", self.condition(&all, 1)) } else { String::new() };
            let join = *self.pick(&["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN", "any"]);
            let clause = match (join, equal) {
                ("CROSS JOIN", _) => format!("CROSS JOIN {}", right.sql),
                ("any", _) | (_, None) => {
                    format!("{} {} ON {}", self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN"]), right.sql, self.condition(&all, 1))
                }
                (join, Some(equal)) => format!("{join} {} ON {equal}{further}", right.sql),
            };
            from = From { sql: format!("{} {clause}", from.sql), columns: all };
        }
        from
    }

    fn relation(&mut self, depth: u32) -> From {
        let alias = self.alias();
        if depth > 0 && self.random.one_in(3) {
            let query = self.nested(depth - 1);
            return From { sql: format!("({}) AS {alias}", query.sql), columns: columns_of(&alias, &query.kinds) };
        }
        if !self.views.is_empty() && self.random.one_in(3) {
            let views = self.views.clone();
            let (name, kinds) = self.pick(&views);
            return From { sql: format!("{name} AS {alias}"), columns: columns_of(&alias, kinds) };
        }
        let table = self.pick(&TABLES);
        let columns = table.columns.iter().map(|(name, kind)| column(&format!("{alias}.{name}"), *kind));
        From { sql: format!("{} AS {alias}", table.name), columns: columns.collect() }
    }

    /// `a = b` of two columns of one kind, one of each side, or of constants if there are none.
    fn equality(&mut self, left: &[Column], right: &[Column]) -> String {
        self.columns_equal(left, right).unwrap_or_else(|| format!("{} = 1", self.expr(Kind::Int, left, 0)))
    }

    fn columns_equal(&mut self, left: &[Column], right: &[Column]) -> Option<String> {
        let pairs: Vec<(&Column, &Column)> =
            left.iter().flat_map(|a| right.iter().filter(|b| a.kind == b.kind && PLAIN.contains(&a.kind)).map(move |b| (a, b))).collect();
        if pairs.is_empty() {
            return None;
        }
        let (a, b) = *self.pick(&pairs);
        Some(format!("{} = {}", a.name, b.name))
    }

    /// WHERE, or nothing.
    fn filter(&mut self, columns: &[Column], depth: u32) -> String {
        let condition = match self.random.below(6) {
            0 | 1 => return String::new(),
            2 | 3 if depth > 0 => {
                let membership = self.membership(columns, depth);
                match self.random.below(4) {
                    0 => format!("{membership} AND {}", self.condition(columns, 1)),
                    1 => format!("({membership} OR {})", self.condition(columns, 1)),
                    2 => format!("NOT ({membership})"),
                    _ => membership,
                }
            }
            _ => self.condition(columns, 2),
        };
        format!(" WHERE {condition}")
    }

    /// A condition with a subquery, which may depend on the row outside.
    fn membership(&mut self, outside: &[Column], depth: u32) -> String {
        let inside = self.relation(depth - 1);
        let correlation = match self.random.below(3) {
            0 => "true".to_string(),
            1 => self.equality(&inside.columns, outside),
            _ => format!("{} AND {}", self.equality(&inside.columns, outside), self.condition(&inside.columns, 1)),
        };
        let not = *self.pick(&["", "", "NOT "]);
        match self.random.below(4) {
            0 => format!("{not}EXISTS (SELECT 1 FROM {} WHERE {correlation})", inside.sql),
            1 => {
                let (value, subquery) = (self.expr(Kind::Int, outside, 1), self.scalar_subquery(Kind::Int, outside));
                format!("{value} {} {subquery}", self.pick(&["=", "<", ">="]))
            }
            _ => {
                let kind = self.kind(&inside.columns);
                let (value, item) = (self.expr(kind, outside, 1), self.expr(kind, &inside.columns, 1));
                let correlation = if self.random.one_in(2) { "true" } else { &correlation };
                format!("{value} {not}IN (SELECT {item} FROM {} WHERE {correlation})", inside.sql)
            }
        }
    }

    /// A subquery of one row: an aggregate, of all rows or of those that are equal to the row outside in something.
    fn scalar_subquery(&mut self, kind: Kind, outside: &[Column]) -> String {
        let inside = self.relation(0);
        let value = self.expr(kind, &inside.columns, 1);
        let call = match self.random.below(3) {
            0 if kind == Kind::Int => "count(*)".to_string(),
            0 => format!("string_agg({value}, '-' ORDER BY {value})"),
            1 => format!("min({value})"),
            _ => format!("max({value})"),
        };
        let condition = match self.random.below(3) {
            0 => self.condition(&inside.columns, 1),
            1 => self.equality(&inside.columns, outside),
            _ => format!("{} AND {}", self.equality(&inside.columns, outside), self.condition(&inside.columns, 1)),
        };
        format!("(SELECT {call} FROM {} WHERE {condition})", inside.sql)
    }
}

fn column(name: &str, kind: Kind) -> Column {
    Column { name: name.to_string(), kind }
}

fn columns_of(alias: &str, kinds: &[Kind]) -> Vec<Column> {
    kinds.iter().enumerate().map(|(index, kind)| column(&format!("{alias}.c{index}"), *kind)).collect()
}

/// `exprs` as the columns `c0`, `c1` and so on.
fn named(exprs: &[String]) -> String {
    exprs.iter().enumerate().map(|(index, expr)| format!("{expr} AS c{index}")).collect::<Vec<_>>().join(", ")
}
