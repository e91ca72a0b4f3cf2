//! Dataflows drawn for other programs: Graphviz, Mermaid, or as JSON.

use std::fmt::Write as _;

use clap::ValueEnum;
use serde_json::{Value, json};

/// How a dataflow is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// For programs.
    Json,
}

/// Characters of an operator's text that are shown; JSON has all of it.
const LABEL: usize = 80;

/// Draws pipelines: the name of each, and its graph (`nodes` with `id`, `kind`, `label` and `keeps`; `edges` of two ids).
pub fn draw(graphs: &[(String, Value)], format: Format) -> anyhow::Result<String> {
    let mut text = String::new();
    match format {
        Format::Json => {
            let graphs: Vec<Value> =
                graphs.iter().map(|(name, graph)| json!({ "pipeline": name, "nodes": graph["nodes"], "edges": graph["edges"] })).collect();
            writeln!(text, "{}", serde_json::to_string_pretty(&graphs)?)?;
        }
        Format::Dot => {
            writeln!(text, "digraph pipelines {{\n  rankdir = LR;\n  node [fontname = \"sans-serif\"];")?;
            for (number, (name, graph)) in graphs.iter().enumerate() {
                writeln!(text, "  subgraph cluster_{number} {{\n    label = {};", quoted(name))?;
                for node in list(&graph["nodes"]) {
                    let shape = match node["kind"].as_str() {
                        Some("source") => "cds",
                        Some("store") => "cylinder",
                        _ => "box",
                    };
                    writeln!(text, "    p{number}{} [shape = {shape}, label = {}];", word(&node["id"]), quoted(&label(node)))?;
                }
                for edge in list(&graph["edges"]) {
                    writeln!(text, "    p{number}{} -> p{number}{};", word(&edge[0]), word(&edge[1]))?;
                }
                writeln!(text, "  }}")?;
            }
            writeln!(text, "}}")?;
        }
        Format::Mermaid => {
            writeln!(text, "flowchart LR")?;
            for (number, (name, graph)) in graphs.iter().enumerate() {
                writeln!(text, "  subgraph g{number}[{}]", quoted(name))?;
                for node in list(&graph["nodes"]) {
                    let (open, close) = match node["kind"].as_str() {
                        Some("source") => ("([", "])"),
                        Some("store") => ("[(", ")]"),
                        _ => ("[", "]"),
                    };
                    writeln!(text, "    p{number}{}{open}{}{close}", word(&node["id"]), quoted(&label(node)))?;
                }
                for edge in list(&graph["edges"]) {
                    writeln!(text, "    p{number}{} --> p{number}{}", word(&edge[0]), word(&edge[1]))?;
                }
                writeln!(text, "  end")?;
            }
        }
    }
    Ok(text)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What an operator does, and what it keeps.
fn label(node: &Value) -> String {
    let short = |text: &str| match text.char_indices().nth(LABEL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match node["keeps"].as_str() {
        Some(keeps) => format!("{} · keeps {}", short(word(&node["label"])), short(keeps)),
        None => short(word(&node["label"])),
    }
}

/// In double quotes; what is inside has none.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "/").replace('"', "'").replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataflow_is_drawn_for_each_program() {
        let nodes = json!([
            { "id": "n0", "kind": "source", "label": "orders", "keeps": null },
            { "id": "n1", "kind": "operator", "label": "aggregate by [\"a\"]", "keeps": "1 total(s) a group" },
            { "id": "s0", "kind": "store", "label": "totals", "keeps": null },
        ]);
        let graphs = [("sales".to_owned(), json!({ "nodes": nodes, "edges": [["n0", "n1"], ["n1", "s0"]] }))];
        let dot = draw(&graphs, Format::Dot).expect("drawn");
        assert!(dot.contains("p0n1 [shape = box, label = \"aggregate by ['a'] · keeps 1 total(s) a group\"];"), "{dot}");
        assert!(dot.contains("p0n1 -> p0s0;") && dot.ends_with("}\n"), "{dot}");
        let mermaid = draw(&graphs, Format::Mermaid).expect("drawn");
        assert!(mermaid.contains("p0n0([\"orders\"])\n") && mermaid.contains("p0n0 --> p0n1"), "{mermaid}");
        let parsed: Value = serde_json::from_str(&draw(&graphs, Format::Json).expect("drawn")).expect("JSON");
        assert_eq!(parsed[0]["nodes"][2]["label"], "totals");
    }
}
