//! The lines of server-sent events, as they come in chunks.

use std::collections::VecDeque;
use std::time::Duration;

/// Bytes of a line, and of an event's data: what is longer is left out, and said.
const LINE_BYTES: usize = 1 << 20;
const DATA_BYTES: usize = 4 << 20;
/// The name of an event that has none.
const MESSAGE: &str = "message";

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub name: String,
    pub data: String,
    /// Of this event, or of the last one that had one.
    pub id: Option<String>,
}

/// Reads events from chunks of bytes.
#[derive(Default)]
pub(super) struct Events {
    line: Vec<u8>,
    /// Whether the last byte was a carriage return: a line feed after it is the same end of line.
    after_return: bool,
    /// Whether the line, or the event, is longer than it may be: it is passed over.
    long_line: bool,
    long_event: bool,
    started: bool,
    name: String,
    data: Option<String>,
    id: Option<String>,
    retry: Option<Duration>,
    ready: VecDeque<Result<Event, String>>,
}

impl Events {
    /// Takes a chunk.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => self.end_line(),
                _ if self.line.len() == LINE_BYTES => self.long_line = true,
                _ => self.line.push(byte),
            }
        }
    }

    /// The connection ended: what is not complete is forgotten.
    pub(super) fn end(&mut self) {
        self.line.clear();
        (self.after_return, self.long_line, self.long_event, self.started) = (false, false, false, false);
        self.name.clear();
        self.data = None;
    }

    /// Events that are complete.
    pub(super) fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// Up to `most` of them. An error says what was left out.
    pub(super) fn take(&mut self, most: usize) -> Vec<Result<Event, String>> {
        let most = most.min(self.ready.len());
        self.ready.drain(..most).collect()
    }

    /// How long the server wants a new connection to be waited with, if it has said so since the last time.
    pub(super) fn retry(&mut self) -> Option<Duration> {
        self.retry.take()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.long_line) {
            self.long_event = true;
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = if std::mem::replace(&mut self.started, true) { text.as_ref() } else { text.strip_prefix('\u{feff}').unwrap_or(&text) };
        if text.is_empty() {
            return self.end_event();
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                let data = self.data.get_or_insert_default();
                if data.len() + value.len() > DATA_BYTES {
                    self.long_event = true;
                } else {
                    data.push_str(value);
                    data.push('\n');
                }
            }
            "id" if !value.contains('\0') => self.id = (!value.is_empty()).then(|| value.to_owned()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => self.retry = value.parse().ok().map(Duration::from_millis),
            // A comment, or a field of another time.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let (name, data) = (std::mem::take(&mut self.name), self.data.take());
        if std::mem::take(&mut self.long_event) {
            let error = format!("the event is left out: a line is longer than {LINE_BYTES} bytes, or its data than {DATA_BYTES}");
            return self.ready.push_back(Err(error));
        }
        let Some(mut data) = data else { return };
        data.pop();
        let name = if name.is_empty() { MESSAGE.to_owned() } else { name };
        self.ready.push_back(Ok(Event { name, data, id: self.id.clone() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Result<Event, String> {
        Ok(Event { name: name.into(), data: data.into(), id: id.map(str::to_owned) })
    }

    #[test]
    fn events_are_read_however_they_are_cut() {
        let text = "\u{feff}: hello\nretry: 250\n\ndata: a\r\ndata:b\r\rid: 7\nevent: sale\ndata\n\nid\ndata: é\n\nevent: none\n\ndata: unfinished";
        let expected = [event("message", "a\nb", None), event("sale", "", Some("7")), event("message", "é", None)];
        for cut in 1..text.len() {
            let mut events = Events::default();
            text.as_bytes().chunks(cut).for_each(|chunk| events.push(chunk));
            assert_eq!(events.take(9), expected, "chunks of {cut} bytes");
            assert_eq!(events.retry(), Some(Duration::from_millis(250)));
            events.end();
            events.push(b"data: next\n\n");
            assert_eq!(events.take(9), [event("message", "next", None)]);
        }
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let mut events = Events::default();
        events.push(&vec![b'x'; LINE_BYTES + 1]);
        events.push(b"\ndata: a\n\ndata: b\n\n");
        (0..5).for_each(|_| events.push(format!("data: {}\n", "y".repeat(LINE_BYTES - 10)).as_bytes()));
        events.push(b"\ndata: c\n\n");
        let taken = events.take(9);
        assert!(taken[0].is_err() && taken[2].is_err(), "{:?}", taken.len());
        assert_eq!((&taken[1], &taken[3]), (&event("message", "b", None), &event("message", "c", None)));
    }
}
