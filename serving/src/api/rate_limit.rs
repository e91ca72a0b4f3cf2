//! How many requests somebody may send. Counted in Redis, for all nodes together, by account or else by address.
//!
//! The generic cell rate algorithm (ATM Forum, *Traffic Management 4.0*, 1996): one time a caller, the one at which the next request would be on
//! schedule. A request that is further ahead of it than the burst allows is refused, and told how long to wait. What is as much as several
//! requests is let through when one would be, and those after it wait the longer.

use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use redis::Script;
use uuid::Uuid;

use super::access::{Access, Caller};
use super::problem::{Problem, Result, kinds};
use super::proxies::Proxies;
use super::state::App;

/// A steady rate, and how many more may come at once after a rest.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    pub per_s: u32,
    pub burst: u32,
}

/// What somebody may send. A caller has each of these for themselves.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub reads: Rate,
    pub writes: Rate,
    /// Registering, logging in and the like; by address, since nobody is known yet.
    pub entrances: Rate,
    /// Load tests and a shop's own programs on the same machine are not counted, unless that is where trusted proxies are.
    pub counts_loopback: bool,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            reads: Rate { per_s: 100, burst: 500 },
            writes: Rate { per_s: 20, burst: 100 },
            entrances: Rate { per_s: 1, burst: 30 },
            counts_loopback: false,
        }
    }
}

/// Redis that does not answer in this time is done without.
const REDIS_AT_MOST: Duration = Duration::from_millis(200);

/// KEYS: the caller's. ARGV: microseconds that the request takes up, microseconds of burst. Answers how many microseconds are to be waited;
/// 0: let through.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local clock = redis.call('TIME')
         local now = clock[1] * 1000000 + clock[2]
         local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
         local early = due - now - tonumber(ARGV[2])
         if early > 0 then return early end
         due = due + tonumber(ARGV[1])
         redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 1)
         return 0",
    )
});

/// What is counted of a request.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// `None`: not known, as in a test without a network.
    address: Option<IpAddr>,
    /// On this machine, and no proxy.
    is_local: bool,
    reads: bool,
}

impl Sender {
    /// The peer of the connection, or whom proxies name that are trusted.
    pub fn of(request: &Request, proxies: &Proxies) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let address = peer.map(|peer| proxies.caller(peer, request.headers()));
        let is_local = address.is_some_and(|address| address.is_loopback() && !proxies.trusts(address));
        Self { address, is_local, reads: request.method().is_safe() }
    }

    /// The same sender, of something that reads or does not.
    pub fn that_reads(self, reads: bool) -> Self {
        Self { reads, ..self }
    }

    /// `None`: who runs the server, and programs on its machine, are not held up.
    pub fn who(&self, rates: &Rates, caller: Option<&Caller>) -> Option<Who> {
        if self.is_local && !rates.counts_loopback {
            return None;
        }
        match (caller.map(|caller| caller.user_id), self.address) {
            (Some(Some(user_id)), _) => Some(Who::Account(user_id)),
            (None, Some(address)) => Some(Who::Address(whole_network(address))),
            (Some(None), _) | (None, None) => None,
        }
    }
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    Account(Uuid),
    Address(IpAddr),
}

/// Counts a request.
///
/// # Errors
/// `too-many-requests` if it is one too many. If Redis is away nobody is counted: a shop that answers is worth more.
pub async fn count(app: &App, sender: &Sender, access: Access, caller: Option<&Caller>) -> Result<()> {
    count_as(app, sender, access, caller, 1).await
}

/// Counts something that is as much as `times` requests.
///
/// # Errors
/// As [`count`].
pub async fn count_as(app: &App, sender: &Sender, access: Access, caller: Option<&Caller>, times: u32) -> Result<()> {
    let rates = &app.limits.rates;
    let Some(who) = sender.who(rates, caller) else { return Ok(()) };
    let (class, rate) = match access {
        Access::Entrance => ("entrance", rates.entrances),
        _ if sender.reads => ("read", rates.reads),
        _ => ("write", rates.writes),
    };
    let key = match who {
        Who::Account(user_id) => format!("rate:{class}:{user_id}"),
        Who::Address(address) => format!("rate:{class}:{address}"),
    };
    let spacing_us = 1_000_000 / u64::from(rate.per_s.max(1));
    let mut redis = app.redis.clone();
    let mut call = COUNT.key(key);
    call.arg(spacing_us * u64::from(times)).arg(spacing_us * u64::from(rate.burst.saturating_sub(1)));
    match tokio::time::timeout(REDIS_AT_MOST, call.invoke_async::<u64>(&mut redis)).await {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(wait_us)) => {
            metrics::counter!("chimera_requests_over_rate_total", "class" => class).increment(1);
            let detail = format!("At most {} such requests a second are taken, and {} at once after a rest.", rate.per_s, rate.burst);
            let wait_s = u32::try_from(wait_us.div_ceil(1_000_000)).unwrap_or(u32::MAX);
            Err(Problem::new(&kinds::TOO_MANY_REQUESTS, detail).retry_after(wait_s))
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a request was not counted");
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

/// Somebody with an address of IPv6 has 2^64 of them.
fn whole_network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => IpAddr::V6((six.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn neighbours_within_a_network_are_one_caller() {
        let of = |text: &str| whole_network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn this_machine_is_not_counted_but_a_trusted_proxy_on_it_is_looked_through() {
        let who = |trusted: &str, peer: [u8; 4], forwarded_for: &'static str| {
            let mut request = Request::new(Body::empty());
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 4711))));
            request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static(forwarded_for));
            let proxies = Proxies::new(&[trusted.to_owned()]).expect("an address");
            Sender::of(&request, &proxies).who(&Rates::default(), None)
        };
        let (here, there, guest) = ([127, 0, 0, 1], [10, 0, 0, 1], [198, 51, 100, 7]);
        let counted = |address: [u8; 4]| Some(Who::Address(IpAddr::from(address)));
        assert_eq!(who("10.0.0.1", here, "198.51.100.7"), None);
        assert_eq!(who("10.0.0.1", guest, "127.0.0.1"), counted(guest));
        assert_eq!(who("10.0.0.1", there, "198.51.100.7"), counted(guest));
        assert_eq!(who("127.0.0.1", here, "198.51.100.7"), counted(guest));
        assert_eq!(who("127.0.0.1", here, "127.0.0.1, 198.51.100.7"), counted(guest));
        // One that names nobody is no way past the limit.
        assert_eq!(who("127.0.0.1", here, ""), counted(here));
        assert_eq!(who("127.0.0.1", here, "127.0.0.1"), counted(here));
        assert_eq!(who("10.0.0.1", there, "127.0.0.1"), None);
    }
}
