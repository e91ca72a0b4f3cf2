//! As much of Redis's protocol as it takes to ask a server how it is.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
/// Replies that we ask for are small; a longer one is not Redis.
const MAX_REPLY_BYTES: usize = 1 << 20;

/// Sends one command to 127.0.0.1:`port`; the strings of its reply in order. An error reply is an `Err` of kind `Other`.
pub(crate) fn ask(port: u16, command: &[&str]) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = format!("*{}\r\n", command.len());
    for word in command {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes())?;
    let mut strings = Vec::new();
    read_reply(&mut BufReader::new(stream), &mut strings)?;
    Ok(strings)
}

fn read_reply(from: &mut impl BufRead, strings: &mut Vec<String>) -> io::Result<()> {
    let mut line = String::new();
    from.by_ref().take(MAX_REPLY_BYTES as u64).read_line(&mut line)?;
    let line = line.trim_end();
    let strange = || io::Error::new(io::ErrorKind::InvalidData, format!("not a reply of Redis: {line:?}"));
    let Some(kind) = line.chars().next() else { return Err(io::ErrorKind::UnexpectedEof.into()) };
    let rest = line.get(1..).ok_or_else(strange)?;
    let count = || rest.parse::<i64>().map_err(|_| strange());
    match kind {
        '+' | ':' => strings.push(rest.to_owned()),
        '-' => return Err(io::Error::other(rest.to_owned())),
        '$' => {
            let Ok(length) = usize::try_from(count()?) else { return Ok(()) };
            if length > MAX_REPLY_BYTES {
                return Err(strange());
            }
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            strings.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
        '*' => {
            for _ in 0..count()? {
                read_reply(from, strings)?;
            }
        }
        _ => return Err(strange()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(reply: &str) -> io::Result<Vec<String>> {
        let mut strings = Vec::new();
        read_reply(&mut reply.as_bytes(), &mut strings).map(|()| strings)
    }

    #[test]
    fn replies_are_read() {
        assert_eq!(parse("+PONG\r\n").expect("a reply"), ["PONG"]);
        assert_eq!(parse("*2\r\n$3\r\ndir\r\n$5\r\n/a\r\nb\r\n").expect("a reply"), ["dir", "/a\r\nb"]);
        assert_eq!(parse("$-1\r\n").expect("a reply"), [""; 0]);
        assert_eq!(parse("-LOADING wait\r\n").expect_err("an error").to_string(), "LOADING wait");
        for bad in ["", "HTTP/1.1 400\r\n", "$99999999999\r\n", "$x\r\n", "$5\r\nab"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
