//! What was measured, as lines and as a page.

use crate::measure::{FromFiles, Measured, Settings};
use crate::queries::Query;
use std::fmt::Write as _;

/// Thousand events a second a core, as published: query, Flink 2.0, Feldera.
const PUBLISHED: [(&str, u32, u32); 10] = [
    ("q0", 379, 436),
    ("q3", 219, 413),
    ("q4", 28, 265),
    ("q5", 75, 412),
    ("q7", 23, 196),
    ("q8", 162, 415),
    ("q9", 14, 57),
    ("q16", 45, 51),
    ("q18", 65, 85),
    ("q20", 18, 85),
];
/// Thousand events a CPU-second of Arroyo 0.16 on a machine with two cores.
const ARROYO: [(&str, u32); 6] = [("q0", 759), ("q1", 781), ("q2", 784), ("q5", 443), ("q7", 447), ("q8", 525)];

/// Thousand bids a second from a local Parquet file on one core, as published by Arroyo.
const ARROYO_FILES: [(&str, u32); 3] = [("q1", 2_200), ("q2", 2_580), ("q5", 1_600)];

/// Thousand rows a second of Flink SQL 2.3 on one core, with its state on the heap.
const FLINK_2_3: [(&str, u32); 4] = [("hop", 752), ("group", 1_180), ("join", 234), ("dedup", 275)];

pub fn line_titles() -> String {
    format!(
        "{:5} {:>10} {:>12} {:>9} {:>9} {:>9} {:>11} {:>12} {:>7} {:>10} {:>12}",
        "query",
        "events/s",
        "events/CPU-s",
        "peak MiB",
        "disk MiB",
        "changes",
        "checkpoint",
        "batch/CPU-s",
        "ratio",
        "file r/s",
        "file r/CPU-s"
    )
}

pub fn line(query: &Query, settings: &Settings, measured: &Measured) -> String {
    let events = settings.events as f64;
    format!(
        "{:5} {:>9.0}k {:>11.0}k {:>9} {:>9} {:>9} {:>8.0} ms {:>11.0}k {:>7.2} {:>10} {:>12}",
        query.name,
        events / measured.seconds / 1e3,
        events / measured.cpu_seconds / 1e3,
        measured.peak_mib,
        measured.disk_mib,
        measured.changes,
        measured.checkpoint_seconds * 1e3,
        events / measured.batch_cpu_seconds.max(0.01) / 1e3,
        ratio(measured),
        from_files(measured, |files| files.seconds),
        from_files(measured, |files| files.cpu_seconds),
    )
}

/// Thousand rows a second from files.
fn from_files(measured: &Measured, seconds: impl Fn(&FromFiles) -> f64) -> String {
    measured.files.as_ref().map_or(String::new(), |files| format!("{:.0}k", files.rows as f64 / seconds(files).max(0.01) / 1e3))
}

/// How many times the CPU of one batch run it takes to keep the result up to date.
fn ratio(measured: &Measured) -> f64 {
    measured.cpu_seconds / measured.batch_cpu_seconds.max(0.01)
}

pub fn page(settings: &Settings, rows: &[(&Query, Measured)]) -> String {
    let mut text = format!(
        "# Nexmark

`make bench-nexmark` wrote this page. {} events (of fifty one is a person, three are auctions, 46 are bids) go through each query in
steps of {}, on one worker, in a process of its own; results are updated at every step, by event time, without waiting for a watermark.
Making the events is not counted. *Batch* is DataFusion answering the same question once, over the same events in memory, on one thread,
right after (CPU time is told in steps of 10 ms); *ratio* is the CPU time of keeping the result up to date to that of the batch. *Peak* is
the most memory that the process had. Events a second are by the clock and suffer from whatever else the machine does; events a CPU-second
hardly do. Beside them, from other machines: for Flink 2.0 and Feldera events a second a core, as published, and for Arroyo 0.16 a CPU-second
on two cores. The last four rows measure operators one at a time; there stands Flink SQL 2.3 with its state on the heap.

*From Parquet*: the same query reads its tables (q0, q1, q2, q5, q7 and most others: the bids alone) from local Parquet files (Snappy) through the
connector of scripts, in steps as large; reading and decoding are counted, and only columns that the query reads are decoded. Rows of those
tables, bids that is, a second by the clock, a CPU-second of all threads, and as Arroyo publishes them for one core.

| | asks | events/s | events/CPU-s | peak MiB | on disk MiB | batch | ratio | Flink | Feldera | Arroyo | rows/s from Parquet | rows/CPU-s | Arroyo |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
",
        settings.events, settings.batch
    );
    for (query, measured) in rows {
        let events = settings.events as f64 / 1e3;
        let published = PUBLISHED.iter().find(|(name, ..)| *name == query.name);
        let heap = FLINK_2_3.iter().find(|(name, _)| *name == query.name);
        let arroyo = ARROYO.iter().find(|(name, _)| *name == query.name);
        let shown = |number: Option<u32>| number.map_or(String::new(), |number| format!("{number}k"));
        let _ = writeln!(
            text,
            "| {} | {} | {:.0}k | {:.0}k | {} | {} | {:.0}k | {:.1} | {} | {} | {} | {} | {} | {} |",
            query.name,
            question(query),
            events / measured.seconds,
            events / measured.cpu_seconds,
            measured.peak_mib,
            measured.disk_mib,
            events / measured.batch_cpu_seconds.max(0.01),
            ratio(measured),
            shown(published.map(|(_, flink, _)| *flink).or(heap.map(|(_, flink)| *flink))),
            shown(published.map(|(_, _, feldera)| *feldera)),
            shown(arroyo.map(|(_, arroyo)| *arroyo)),
            from_files(measured, |files| files.seconds),
            from_files(measured, |files| files.cpu_seconds),
            shown(ARROYO_FILES.iter().find(|(name, _)| *name == query.name).map(|(_, bids)| *bids)),
        );
    }
    text
}

/// The comment at the head of a query.
fn question(query: &Query) -> &str {
    query.sql.lines().next().unwrap_or_default().trim_start_matches("-- ")
}
