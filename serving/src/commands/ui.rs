//! What is shown while something is under way: bars and spinners on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is written while something is under way.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Whether colours are wanted: see https://no-color.org.
pub fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn painted(text: &str, code: u8) -> String {
    if colours() && std::io::stderr().is_terminal() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

pub fn red(text: &str) -> String {
    painted(text, 31)
}

pub fn green(text: &str) -> String {
    painted(text, 32)
}

pub fn dim(text: &str) -> String {
    painted(text, 2)
}

/// A step of a longer way: a spinner while it lasts, then a line that says how long it took.
pub struct Step {
    spinner: ProgressBar,
    what: String,
    started: Instant,
}

impl Step {
    /// `what`: `PostgreSQL`, `Sample shop`.
    pub fn new(what: impl Into<String>) -> Self {
        let what = what.into();
        let spinner = ProgressBar::new_spinner().with_message(format!("{what} …"));
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self { spinner, what, started: Instant::now() }
    }

    /// Says what it is doing just now.
    pub fn doing(&self, what: &str) {
        self.spinner.set_message(format!("{}: {what} …", self.what));
    }

    /// Ends the step with what came of it.
    pub fn done(self, result: impl AsRef<str>) {
        self.spinner.finish_and_clear();
        let took = dim(&format!("({})", seconds(self.started.elapsed())));
        eprintln!("{} {:<12} {} {took}", green("✓"), self.what, result.as_ref());
    }
}

/// A duration as people say it.
pub fn seconds(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms < 1_000 { format!("{ms} ms") } else { format!("{:.1} s", duration.as_secs_f64()) }
}

/// Progress toward a known number of things.
pub struct Bar {
    bar: ProgressBar,
    what: String,
    plain: bool,
    said: Instant,
}

impl Bar {
    /// `what`: what is counted, `invoices`.
    pub fn new(what: &str, total: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(total) };
        bar.set_length(total);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg} {elapsed} (about {eta} left)") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Self { bar, what: what.to_owned(), plain, said: Instant::now() }
    }

    /// `position` of the total are done; `note` says more, such as a rate.
    pub fn set(&mut self, position: u64, note: &str) {
        self.bar.set_position(position);
        self.bar.set_message(if note.is_empty() { self.what.clone() } else { format!("{}, {note},", self.what) });
        if self.plain && self.said.elapsed() > PLAIN_EVERY {
            self.said = Instant::now();
            let note = if note.is_empty() { String::new() } else { format!(", {note}") };
            eprintln!("{position} of {} {}{note}", self.bar.length().unwrap_or(0), self.what);
        }
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
