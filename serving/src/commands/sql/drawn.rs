//! Rows as a table within the terminal's width, or a value a line.

use std::io::IsTerminal;

use tokio_postgres::types::Type;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::session::Column;
use crate::commands::ui;

/// A column is not made narrower than this.
const NARROWEST: usize = 6;
const GAP: &str = " │ ";

/// Draws rows in parts, as they come: columns grow as wider values come, and never shrink.
pub struct Table {
    columns: Vec<Column>,
    widths: Vec<usize>,
    /// Whether all values of a column are numbers: they stand to the right.
    numeric: Vec<bool>,
    has_head: bool,
    /// Of the terminal. `None`: what is written is not cut.
    width: Option<usize>,
    dims: bool,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        let widths = columns.iter().map(|column| column.name.width()).collect();
        let terminal = std::io::stdout().is_terminal();
        let width = terminal.then(|| usize::from(console::Term::stdout().size().1));
        let numeric = columns.iter().map(|column| column.data_type.as_ref().is_some_and(is_number)).collect();
        Self { widths, numeric, columns, has_head: false, width, dims: terminal && ui::colours() }
    }

    /// These rows as lines; before the first ones, the names.
    pub fn draw(&mut self, rows: &[Vec<Option<String>>]) -> Vec<String> {
        for row in rows {
            for (width, value) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(value.as_deref().map_or(NULL.len(), |value| one_line(value).width()));
            }
        }
        let widths = self.fitted();
        let mut lines = Vec::new();
        if !self.has_head {
            self.has_head = true;
            let names = self.columns.iter().zip(&widths).map(|(column, width)| padded(&column.name, *width, false));
            lines.push(names.collect::<Vec<_>>().join(GAP).trim_end().to_owned());
            lines.push(widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("─┼─"));
        }
        lines.extend(rows.iter().map(|row| self.row(row, &widths)));
        lines
    }

    fn row(&self, row: &[Option<String>], widths: &[usize]) -> String {
        let cells = row.iter().zip(widths).zip(&self.numeric).map(|((value, width), right)| match value {
            Some(value) => padded(&one_line(value), *width, *right),
            None => dim(&padded(NULL, *width, *right), self.dims),
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    }

    /// The columns' widths where all of them go side by side: the widest give way first.
    fn fitted(&self) -> Vec<usize> {
        let mut widths = self.widths.clone();
        let Some(width) = self.width else { return widths };
        let gaps = 3 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > NARROWEST) else { break };
            *widest -= 1;
        }
        widths
    }

    /// Whether rows are wider than the terminal.
    pub fn overflows(&self, rows: &[Vec<Option<String>>]) -> bool {
        let widest =
            |column: usize| rows.iter().map(|row| row[column].as_deref().map_or(NULL.len(), UnicodeWidthStr::width)).max().unwrap_or(0);
        let wide: usize = self.widths.iter().enumerate().map(|(column, width)| 3 + widest(column).max(*width)).sum();
        self.width.is_some_and(|width| wide > width + 3)
    }

    /// A row, a value a line.
    pub fn expanded(&self, number: u64, row: &[Option<String>]) -> Vec<String> {
        let widest = self.columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
        let line = |(column, value): (&Column, &Option<String>)| {
            let value = value.clone().unwrap_or_else(|| dim(NULL, self.dims));
            let indent = format!("\n{}{GAP}", " ".repeat(widest));
            format!("{}{GAP}{}", padded(&column.name, widest, false), value.replace('\n', &indent))
        };
        std::iter::once(dim(&format!("── row {number} ──"), self.dims)).chain(self.columns.iter().zip(row).map(line)).collect()
    }
}

const NULL: &str = "NULL";

fn dim(text: &str, dims: bool) -> String {
    if dims { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn is_number(data_type: &Type) -> bool {
    [Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC].contains(data_type)
}

fn one_line(value: &str) -> String {
    if value.contains(['\n', '\r', '\t']) { value.replace('\n', "⏎").replace(['\r', '\t'], " ") } else { value.to_owned() }
}

/// As wide as `width`: filled with spaces, or cut with `…`.
fn padded(text: &str, width: usize, right: bool) -> String {
    let is = text.width();
    if is <= width {
        let gap = " ".repeat(width - is);
        return if right { format!("{gap}{text}") } else { format!("{text}{gap}") };
    }
    let mut cut = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if taken + wide + 1 > width {
            break;
        }
        taken += wide;
        cut.push(character);
    }
    format!("{cut}…{}", " ".repeat(width.saturating_sub(taken + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(width: Option<usize>) -> Table {
        let columns = [("country", None), ("orders", Some(Type::INT8))];
        let columns = columns.map(|(name, data_type)| Column { name: name.to_owned(), data_type }).to_vec();
        Table { width, dims: false, ..Table::new(columns) }
    }

    fn row(country: &str, orders: Option<&str>) -> Vec<Option<String>> {
        vec![Some(country.to_owned()), orders.map(str::to_owned)]
    }

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = table(None);
        assert_eq!(
            table.draw(&[row("Île", Some("7")), row("日本", None)]),
            ["country │ orders", "────────┼───────", "Île     │      7", "日本    │   NULL"]
        );
        assert_eq!(table.draw(&[row("United Kingdom", Some("12"))]), ["United Kingdom │     12"], "the head comes once");
        assert_eq!(table.expanded(1, &row("a\nb", None)), ["── row 1 ──", "country │ a\n        │ b", "orders  │ NULL"]);
    }

    #[test]
    fn wide_columns_give_way() {
        let mut table = table(Some(20));
        let drawn = table.draw(&[row("a very long name of a country", Some("7"))]);
        assert!(drawn.iter().all(|line| line.width() <= 20), "{drawn:?}");
        assert_eq!(drawn[2], "a very lon… │      7");
    }
}
