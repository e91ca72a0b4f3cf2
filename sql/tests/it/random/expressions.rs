//! Random expressions and conditions over given columns.

use super::queries::{Column, Generator};
use super::tables::{Kind, TEXTS};

/// Kinds that may be computed with.
pub const PLAIN: [Kind; 6] = [Kind::Int, Kind::Text, Kind::Bool, Kind::Decimal, Kind::Time, Kind::Double];

impl Generator<'_> {
    /// A kind of expression to make of `columns`: mostly that of one of them.
    pub fn kind(&mut self, columns: &[Column]) -> Kind {
        let kind = self.pick(columns).kind;
        if PLAIN.contains(&kind) && !self.random.one_in(8) { kind } else { *self.pick(&PLAIN) }
    }

    /// An expression without subqueries, at most `depth` calls deep.
    pub fn expr(&mut self, kind: Kind, columns: &[Column], depth: u32) -> String {
        let of_kind: Vec<&Column> = columns.iter().filter(|column| column.kind == kind).collect();
        if depth == 0 || self.random.one_in(2) {
            return match of_kind.is_empty() || self.random.one_in(8) {
                true => self.literal(kind),
                false => self.pick(&of_kind).name.clone(),
            };
        }
        let depth = depth - 1;
        match self.random.below(8) {
            0 => {
                let (condition, yes, no) =
                    (self.comparison(columns, depth), self.expr(kind, columns, depth), self.expr(kind, columns, depth));
                match self.random.below(3) {
                    0 => format!("CASE WHEN {condition} THEN {yes} END"),
                    _ => format!("CASE WHEN {condition} THEN {yes} ELSE {no} END"),
                }
            }
            1 => format!("coalesce({}, {})", self.expr(kind, columns, depth), self.expr(kind, columns, depth)),
            2 => format!("nullif({}, {})", self.expr(kind, columns, depth), self.expr(kind, columns, depth)),
            3 if kind != Kind::Bool => {
                let function = *self.pick(&["greatest", "least"]);
                format!("{function}({}, {})", self.expr(kind, columns, depth), self.expr(kind, columns, depth))
            }
            _ => self.call(kind, columns, depth),
        }
    }

    fn call(&mut self, kind: Kind, columns: &[Column], depth: u32) -> String {
        let own = self.expr(kind, columns, depth);
        match kind {
            Kind::Int => match self.random.below(9) {
                0 => format!("({own} + {})", self.expr(kind, columns, depth)),
                1 => format!("({own} - {})", self.expr(kind, columns, depth)),
                2 => format!("({own} * 2)"),
                3 => format!("({own} / 2)"),
                4 => format!("({own} % 3)"),
                5 => format!("(12 / nullif({own}, 0))"),
                6 => format!("length({})", self.expr(Kind::Text, columns, depth)),
                7 => format!("CAST(extract(minute FROM {}) AS INT)", self.expr(Kind::Time, columns, depth)),
                _ => format!("abs({own})"),
            },
            Kind::Text => match self.random.below(9) {
                0 => format!("({own} || {})", self.expr(kind, columns, depth)),
                1 => format!("substr({own}, 1, 2)"),
                2 => format!("CAST({} AS TEXT)", self.expr(Kind::Int, columns, depth)),
                3 => format!("replace({own}, 'a', 'zz')"),
                4 => format!("reverse({own})"),
                5 => format!("concat({own}, {})", self.expr(kind, columns, depth)),
                6 => format!("lpad({own}, 3, '*')"),
                7 => format!("split_part({own}, '_', 1)"),
                _ => format!("CAST({} AS TEXT)", self.expr(Kind::Bool, columns, depth)),
            },
            Kind::Bool => self.condition(columns, depth),
            Kind::Decimal => match self.random.below(4) {
                0 => format!("({own} + {})", self.expr(kind, columns, depth)),
                1 => format!("(-{own})"),
                2 => format!("CAST({} AS DECIMAL(8, 2))", self.expr(Kind::Int, columns, depth)),
                _ => format!("abs({own})"),
            },
            Kind::Time => match self.random.below(3) {
                0 => format!("date_trunc('{}', {own})", self.pick(&["minute", "hour", "day", "month"])),
                1 => format!("date_bin(INTERVAL '5 minutes', {own}, TIMESTAMP '2020-01-01 00:02:00')"),
                _ => format!("({own} + INTERVAL '{} minutes')", self.random.below(9)),
            },
            _ => match self.random.below(3) {
                0 => format!("({own} / 2)"),
                1 => format!("CAST({} AS DOUBLE PRECISION)", self.expr(Kind::Int, columns, depth)),
                _ => format!("({own} + {})", self.expr(Kind::Double, columns, depth)),
            },
        }
    }

    pub fn literal(&mut self, kind: Kind) -> String {
        if self.random.one_in(12) {
            return format!("CAST(NULL AS {})", if kind == Kind::Decimal { "DECIMAL(8, 2)" } else { kind.sql() });
        }
        let number = self.random.below(6);
        match kind {
            Kind::Int => format!("{}", number as i64 - 1),
            Kind::Text => format!("CAST('{}' AS TEXT)", self.pick(&TEXTS)),
            Kind::Bool => (number < 3).to_string(),
            Kind::Decimal => format!("CAST({number}.75 AS DECIMAL(8, 2))"),
            Kind::Time => format!("TIMESTAMP '2020-01-01 00:{:02}:00'", number * 4),
            _ => format!("CAST({number}.25 AS DOUBLE PRECISION)"),
        }
    }

    /// A condition without subqueries.
    pub fn condition(&mut self, columns: &[Column], depth: u32) -> String {
        if depth > 0 && self.random.one_in(3) {
            let depth = depth - 1;
            return match self.random.below(3) {
                0 => format!("(NOT {})", self.condition(columns, depth)),
                1 => format!("({} AND {})", self.condition(columns, depth), self.condition(columns, depth)),
                _ => format!("({} OR {})", self.condition(columns, depth), self.condition(columns, depth)),
            };
        }
        self.comparison(columns, depth)
    }

    fn comparison(&mut self, columns: &[Column], depth: u32) -> String {
        let kind = self.kind(columns);
        let left = self.expr(kind, columns, depth);
        let not = *self.pick(&["", "", "NOT "]);
        match self.random.below(10) {
            0 => format!("({left} IS {not}NULL)"),
            1 => format!("({left} {not}BETWEEN {} AND {})", self.expr(kind, columns, depth), self.expr(kind, columns, 0)),
            2 => format!("({left} {not}IN ({}, {}))", self.literal(kind), self.expr(kind, columns, 0)),
            3 if kind == Kind::Text => format!("({left} {not}LIKE '{}')", self.pick(&["a%", "%b", "_", "%", "", "%a%", "x\\_%"])),
            4 => format!("({left} IS {not}DISTINCT FROM {})", self.expr(kind, columns, depth)),
            5 if kind == Kind::Bool => format!("({left} IS {not}{})", self.pick(&["TRUE", "FALSE", "UNKNOWN"])),
            _ => {
                let operator = *self.pick(&["=", "=", "<>", "<", "<=", ">", ">="]);
                format!("({left} {operator} {})", self.expr(kind, columns, depth))
            }
        }
    }

    /// An aggregate over `columns`.
    pub fn aggregate(&mut self, columns: &[Column], with_lists: bool) -> (String, Kind) {
        let (mut call, kind) = self.aggregate_call(columns, with_lists);
        if self.random.one_in(4) {
            call += &format!(" FILTER (WHERE {})", self.condition(columns, 1));
        }
        (call, kind)
    }

    fn aggregate_call(&mut self, columns: &[Column], with_lists: bool) -> (String, Kind) {
        let distinct = *self.pick(&["", "", "DISTINCT "]);
        let kind = self.kind(columns);
        let any = self.expr(kind, columns, 1);
        match self.random.below(if with_lists { 14 } else { 12 }) {
            0 => ("count(*)".into(), Kind::Int),
            1 | 2 => (format!("count({distinct}{any})"), Kind::Int),
            3 => (format!("sum({distinct}CAST({} AS INT))", self.expr(Kind::Int, columns, 1)), Kind::Int),
            4 => (format!("sum({distinct}{})", self.expr(Kind::Decimal, columns, 1)), Kind::Decimal),
            5 => (format!("sum({distinct}{})", self.expr(Kind::Double, columns, 1)), Kind::Double),
            6 => (format!("avg({distinct}{})", self.expr(Kind::Int, columns, 1)), Kind::Ratio),
            7 => (format!("avg({distinct}{})", self.expr(Kind::Double, columns, 1)), Kind::Ratio),
            8 | 9 if kind != Kind::Bool => (format!("{}({any})", self.pick(&["min", "max"])), kind),
            8..=10 => (format!("{}({})", self.pick(&["bool_and", "bool_or"]), self.condition(columns, 1)), Kind::Bool),
            11 => {
                let (text, order) = (self.expr(Kind::Text, columns, 1), self.direction());
                (format!("string_agg({distinct}{text}, ',' ORDER BY {text}{order})"), Kind::Text)
            }
            12 => {
                let (text, order) = (self.expr(Kind::Text, columns, 1), self.direction());
                (format!("array_agg({distinct}{text} ORDER BY {text}{order})"), Kind::Texts)
            }
            _ => {
                let (int, order) = (format!("CAST({} AS BIGINT)", self.expr(Kind::Int, columns, 1)), self.direction());
                (format!("array_agg({distinct}{int} ORDER BY {int}{order})"), Kind::Ints)
            }
        }
    }

    pub fn direction(&mut self) -> &'static str {
        self.pick::<&str>(&["", " ASC", " DESC", " NULLS FIRST", " DESC NULLS LAST"])
    }
}
