//! Tables of text.

/// Columns as wide as their widest cell, numbers to the right.
pub fn render(headers: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| chars(&row[column])).chain([chars(headers[column])]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let numeric: Vec<bool> = (0..headers.len()).map(|column| !rows.is_empty() && rows.iter().all(|row| is_number(&row[column]))).collect();
    let line = |cells: Vec<&str>| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let gap = " ".repeat(widths[column] - chars(cell));
            if numeric[column] { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(headers.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn is_number(text: &str) -> bool {
    text.is_empty() || text == "-" || text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_stand_to_the_right() {
        let table = super::render(&["store", "rows"], &[vec!["a.b".into(), "7".into()], vec!["longer".into(), "1234".into()]]);
        assert_eq!(table, "store   rows\na.b        7\nlonger  1234");
    }
}
