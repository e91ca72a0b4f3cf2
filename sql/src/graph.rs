//! A program's dataflow as a graph, to be drawn or compared.

use crate::planner::Program;
use chimera_operators::{NodeId, Operator, keeps};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphKind {
    Source,
    Operator,
    Store,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// Letters and digits; for this graph alone.
    pub id: String,
    pub kind: GraphKind,
    pub label: String,
    /// What it keeps between steps, and what that grows with.
    pub keeps: Option<String>,
}

/// Sources, operators and stores, and which reads which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    pub nodes: Vec<GraphNode>,
    /// From the one that is read to the one that reads it.
    pub edges: Vec<(String, String)>,
}

impl Program {
    /// The dataflow, from sources to stores.
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        let (mut shown, append_only) = (BTreeSet::new(), self.plan.append_only());
        for (index, sink) in self.plan.sinks.iter().enumerate() {
            self.add(sink.node, &append_only, &mut graph, &mut shown);
            let id = format!("s{index}");
            graph.nodes.push(GraphNode { id: id.clone(), kind: GraphKind::Store, label: sink.table.clone(), keeps: None });
            graph.edges.push((node_id(sink.node), id));
        }
        graph
    }

    fn add(&self, node: NodeId, append_only: &[bool], graph: &mut Graph, shown: &mut BTreeSet<NodeId>) {
        if !shown.insert(node) {
            return;
        }
        let operator = &self.plan.node(node).operator;
        for input in operator.inputs() {
            self.add(input, append_only, graph, shown);
            graph.edges.push((node_id(input), node_id(node)));
        }
        let (kind, label) = match operator {
            Operator::Input { table, .. } => (GraphKind::Source, table.clone()),
            other => (GraphKind::Operator, other.describe()),
        };
        graph.nodes.push(GraphNode { id: node_id(node), kind, label, keeps: keeps(&self.plan, node, append_only) });
    }

    /// For each sink a text that is equal where it is computed in the same way.
    pub fn plans_of_sinks(&self) -> BTreeMap<String, String> {
        self.plan.sinks.iter().map(|sink| (sink.table.clone(), self.plan.node(sink.node).id.clone())).collect()
    }
}

fn node_id(node: NodeId) -> String {
    format!("n{}", node.0)
}
