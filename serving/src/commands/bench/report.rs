//! What was measured, for a terminal and as a page.

use std::fmt::Write;

use serde::Serialize;

use crate::commands::table;

#[derive(Debug, Serialize)]
pub struct Quantiles {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Quantiles {
    pub fn of(mut values_ms: Vec<f64>) -> Self {
        values_ms.sort_by(f64::total_cmp);
        let at = |hundredths: usize| values_ms.get(values_ms.len().saturating_sub(1) * hundredths / 100).copied().unwrap_or(0.0);
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// How the figures of the API are to be read.
const API: &str = "Requests over loopback, at fixed times (an open loop): a latency counts from the moment at which its request was due. The reference is an axum\n\
    route that answers a constant, without any layer, in the process of the load generator; the generator has its part of the same cores.";

/// From the commit of an order to the moment that the store could be read.
#[derive(Debug, Serialize)]
pub struct StoreDelay {
    pub store: String,
    pub connector: String,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// One product's change when nothing else happens.
#[derive(Debug, Serialize)]
pub struct OneRow {
    pub rows: usize,
    /// A page, written and synced.
    pub fsync: Quantiles,
    /// PostgreSQL's commit of the change.
    pub commit: Quantiles,
    /// From its push into the dataflow of `search_index` to the changes of its stores given out.
    pub step: Quantiles,
    /// From the statement that changes it until search answers with it.
    pub visible: Quantiles,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    pub lines: usize,
    /// psql's \copy of the lines.
    pub copy_s: f64,
    /// Until PostgreSQL had committed the last order.
    pub written_s: f64,
    /// Until every store held it.
    pub visible_s: f64,
    pub rate: u32,
    pub commits: Quantiles,
    pub stores: Vec<StoreDelay>,
    pub one_row: OneRow,
    pub api: super::api::Figures,
    pub peak_memory_bytes: u64,
    pub machine: String,
    pub date: String,
}

impl Figures {
    fn throughput(&self) -> String {
        let rate = |seconds: f64| self.lines as f64 / seconds.max(1e-9);
        table::render(
            &["lines", "seconds", "lines/s", "ratio to \\copy"],
            &[
                vec![
                    "psql \\copy of the same lines (reference)".into(),
                    format!("{:.1}", self.copy_s),
                    format!("{:.0}", rate(self.copy_s)),
                    "1".into(),
                ],
                vec![
                    "committed as orders in PostgreSQL".into(),
                    format!("{:.1}", self.written_s),
                    format!("{:.0}", rate(self.written_s)),
                    format!("{:.3}", self.copy_s / self.written_s),
                ],
                vec![
                    "in every store".into(),
                    format!("{:.1}", self.visible_s),
                    format!("{:.0}", rate(self.visible_s)),
                    format!("{:.3}", self.copy_s / self.visible_s),
                ],
            ],
        )
    }

    fn delays(&self) -> String {
        let ratio = |p99_ms: f64| format!("{:.1}", p99_ms / self.commits.p99_ms.max(1e-3));
        let mut rows = vec![vec![
            "the commit itself (reference)".into(),
            "PostgreSQL".into(),
            format!("{:.1}", self.commits.p50_ms),
            format!("{:.1}", self.commits.p99_ms),
            "1".into(),
        ]];
        rows.extend(self.stores.iter().map(|store| {
            vec![
                store.store.clone(),
                store.connector.clone(),
                format!("{:.0}", store.p50_ms),
                format!("{:.0}", store.p99_ms),
                ratio(store.p99_ms),
            ]
        }));
        table::render(&["commit to visible", "kept in", "p50 ms", "p99 ms", "p99 ratio to a commit"], &rows)
    }

    fn one_row(&self) -> String {
        let row = |what: &str, times: &Quantiles| {
            let ratio = times.p99_ms / self.one_row.fsync.p99_ms.max(1e-3);
            vec![what.to_owned(), format!("{:.2}", times.p50_ms), format!("{:.2}", times.p99_ms), format!("{ratio:.1}")]
        };
        let rows = [
            row("4 KiB written and synced (reference)", &self.one_row.fsync),
            row("the statement, committed in PostgreSQL", &self.one_row.commit),
            row("search_index: pushed to changes given out", &self.one_row.step),
            row("the statement to search answering with it", &self.one_row.visible),
        ];
        table::render(&["one product changes", "p50 ms", "p99 ms", "p99 ratio to a sync"], &rows)
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{} order lines of the UCI Online Retail year, end to end\n{}\n", self.lines, self.throughput());
        let _ = writeln!(text, "{} orders a second\n{}\n", self.rate, self.delays());
        let _ = writeln!(text, "{} changes, one at a time, when nothing else happens\n{}\n", self.one_row.rows, self.one_row());
        let _ = writeln!(text, "{API}\n{}\n", self.api.text());
        let gib = self.peak_memory_bytes as f64 / (1u64 << 30) as f64;
        let _ =
            writeln!(text, "peak memory of the process: {:.0} MiB, {gib:.2} of 1 GiB", self.peak_memory_bytes as f64 / (1 << 20) as f64);
        text
    }

    /// As a page of the documents.
    pub fn page(&self) -> String {
        format!(
            "# Benchmarks\n\nWritten by `make bench` on {}, on {}. The references ran in the same minutes on the same server.\n\n```\n{}```\n",
            self.date,
            self.machine,
            self.text()
        )
    }
}

/// Processor, cores, memory and system.
pub fn machine() -> String {
    let field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split(':').nth(1).map(|value| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory_kib: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
    format!("{} ({cores} cores, {} GiB of memory, Linux)", field("/proc/cpuinfo", "model name"), memory_kib.div_ceil(1 << 20))
}
