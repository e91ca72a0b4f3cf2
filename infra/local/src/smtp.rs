//! A mail server for tests: it speaks SMTP (RFC 5321) on a port of its own, and keeps what it is given. It can be told to refuse.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Longer lines and letters are nobody's in a test.
const MAX_LINE_BYTES: u64 = 64 * 1024;
const MAX_MAIL_BYTES: usize = 16 * 1024 * 1024;

/// A letter that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, as they came.
    pub data: String,
}

impl Mail {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.data.lines().take_while(|line| !line.is_empty()).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Headers and body with quoted-printable (RFC 2045) undone.
    pub fn text(&self) -> String {
        let whole = self.data.replace("=\r\n", "");
        let mut bytes = Vec::with_capacity(whole.len());
        let mut rest = whole.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let coded = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
            match coded.filter(|_| *first == b'=') {
                Some(byte) => {
                    bytes.push(byte);
                    rest = &after[2..];
                }
                None => {
                    bytes.push(*first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What the server does with a letter, in the place of taking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Refuses the recipient: 4xx for now, 5xx for good.
    Refuse(u16),
    /// Takes the letter, and hangs up in the place of saying so.
    HangUp,
}

#[derive(Default)]
struct State {
    mails: Vec<Mail>,
    troubles: VecDeque<Trouble>,
    /// Recipients that were refused, one by one.
    refusals: usize,
    is_over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running server; it ends when this is dropped.
pub struct TestSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl TestSmtp {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("listen on", "127.0.0.1"))?;
        let address = listener.local_addr().map_err(Error::io("listen on", "127.0.0.1"))?;
        let shared = Arc::<Shared>::default();
        std::thread::spawn({
            let shared = shared.clone();
            move || {
                for stream in listener.incoming().flatten() {
                    if shared.state().is_over {
                        return;
                    }
                    let shared = shared.clone();
                    // A client that goes away in the middle has only itself to tell.
                    std::thread::spawn(move || Session { shared }.serve(stream).ok());
                }
            }
        });
        Ok(Self { address, shared })
    }

    /// `smtp://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What happens to the next letters, one each; later ones are taken.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.shared.state().troubles.extend(troubles);
    }

    /// No trouble any more.
    pub fn recover(&self) {
        self.shared.state().troubles.clear();
    }

    /// What was taken so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.shared.state().mails.clone()
    }

    pub fn refusals(&self) -> usize {
        self.shared.state().refusals
    }

    /// What was taken so far, once `enough` says that it is enough, or the time is up.
    pub fn wait(&self, at_most: Duration, enough: impl Fn(&[Mail]) -> bool) -> Vec<Mail> {
        let until = Instant::now() + at_most;
        let mut state = self.shared.state();
        while !enough(&state.mails) {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.mails.clone()
    }
}

impl Drop for TestSmtp {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        // Wakes the thread that waits for the next client.
        let _ = TcpStream::connect(self.address);
    }
}

struct Session {
    shared: Arc<Shared>,
}

impl Session {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut say = stream.try_clone()?;
        let mut hear = BufReader::new(stream);
        let (mut from, mut to) = (String::new(), Vec::new());
        let mut trouble = None;
        say.write_all(b"220 test ESMTP\r\n")?;
        loop {
            let Some(line) = read_line(&mut hear)? else { return Ok(()) };
            let (verb, rest) = line.split_at(line.find([' ', ':']).unwrap_or(line.len()));
            let reply = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8",
                "HELO" | "NOOP" => "250 OK",
                "MAIL" => {
                    (from, to) = (address(rest), Vec::new());
                    trouble = self.shared.state().troubles.pop_front();
                    "250 OK"
                }
                "RCPT" => match trouble {
                    Some(Trouble::Refuse(code)) => {
                        self.shared.state().refusals += 1;
                        say.write_all(format!("{code} {}.0.0 not taken\r\n", code / 100).as_bytes())?;
                        continue;
                    }
                    _ => {
                        to.push(address(rest));
                        "250 OK"
                    }
                },
                "DATA" if to.is_empty() => "503 no recipients",
                "DATA" => {
                    say.write_all(b"354 go on\r\n")?;
                    let Some(data) = read_data(&mut hear)? else { return Ok(()) };
                    let mail = Mail { from: std::mem::take(&mut from), to: std::mem::take(&mut to), data };
                    self.shared.state().mails.push(mail);
                    self.shared.changed.notify_all();
                    if trouble == Some(Trouble::HangUp) {
                        return Ok(());
                    }
                    "250 taken"
                }
                "RSET" => {
                    to.clear();
                    "250 OK"
                }
                "QUIT" => {
                    say.write_all(b"221 bye\r\n")?;
                    return Ok(());
                }
                _ => "502 not known here",
            };
            say.write_all(format!("{reply}\r\n").as_bytes())?;
        }
    }
}

/// What stands between `<` and `>`.
fn address(text: &str) -> String {
    text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned()
}

/// Without its end; `None`: there is no more.
fn read_line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
    let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
    Ok((!line.is_empty()).then_some(text))
}

/// The lines up to the one with a single dot; dots that begin a line come doubled.
fn read_data(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut data = String::new();
    while let Some(line) = read_line(from)? {
        if line == "." {
            return Ok(Some(data));
        }
        data.push_str(line.strip_prefix('.').unwrap_or(&line));
        data.push_str("\r\n");
        if data.len() > MAX_MAIL_BYTES {
            return Err(io::Error::other("the letter is too long"));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(stream: &mut BufReader<TcpStream>, line: &str) -> String {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("written");
        read_line(stream).expect("read").expect("an answer")
    }

    #[test]
    fn letters_are_taken_or_refused_as_told() {
        let server = TestSmtp::start().expect("a server");
        server.trouble([Trouble::Refuse(451)]);
        let mut client = BufReader::new(TcpStream::connect(server.address).expect("connected"));
        assert_eq!(read_line(&mut client).expect("read").as_deref(), Some("220 test ESMTP"));
        assert_eq!(talk(&mut client, "HELO me"), "250 OK");
        assert_eq!(talk(&mut client, "MAIL FROM:<shop@example.com>"), "250 OK");
        assert_eq!(talk(&mut client, "RCPT TO:<ada@example.com>"), "451 4.0.0 not taken");
        assert_eq!(talk(&mut client, "DATA"), "503 no recipients");
        assert_eq!(talk(&mut client, "MAIL FROM:<shop@example.com>"), "250 OK");
        assert_eq!(talk(&mut client, "RCPT TO:<ada@example.com>"), "250 OK");
        assert_eq!(talk(&mut client, "DATA"), "354 go on");
        assert_eq!(talk(&mut client, "Subject: Hello\r\n\r\n..a dot, caf=C3=\r\n=A9\r\n."), "250 taken");
        assert_eq!(talk(&mut client, "QUIT"), "221 bye");
        let mails = server.mails();
        assert_eq!((mails.len(), server.refusals()), (1, 1));
        assert_eq!((mails[0].from.as_str(), mails[0].to.as_slice()), ("shop@example.com", ["ada@example.com".to_owned()].as_slice()));
        assert_eq!(mails[0].header("subject"), Some("Hello"));
        assert!(mails[0].text().ends_with("\r\n.a dot, café\r\n"), "{:?}", mails[0].text());
    }
}
