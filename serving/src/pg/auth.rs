//! Who may open a session: SCRAM-SHA-256, so that the password never crosses the wire.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::ConnectionManager;
use datafusion_postgres::pgwire::api::auth::sasl::SASLAuthStartupHandler;
use datafusion_postgres::pgwire::api::auth::sasl::scram::{ScramAuth, gen_salted_password};
use datafusion_postgres::pgwire::api::auth::{AuthSource, DefaultServerParameterProvider, LoginInfo, Password, StartupHandler};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::Role;

/// What RFC 5802 asks for at least.
const ITERATIONS: usize = 4_096;

/// The accounts, salted; the passwords themselves are not kept.
pub(super) struct Passwords {
    salt: Vec<u8>,
    salted: BTreeMap<&'static str, Vec<u8>>,
    /// For names that nobody has: they fail like a wrong password does.
    nobody: Vec<u8>,
}

impl Passwords {
    pub(super) fn new(passwords: &[(Role, String)]) -> Self {
        let salt = rand::random::<[u8; 16]>().to_vec();
        let salted = |(role, password): &(Role, String)| (role.name(), gen_salted_password(password, &salt, ITERATIONS));
        Self { salted: passwords.iter().map(salted).collect(), salt, nobody: rand::random::<[u8; 32]>().to_vec() }
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(…)")
    }
}

#[async_trait]
impl AuthSource for Passwords {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let salted = login.user().and_then(|user| self.salted.get(user)).unwrap_or(&self.nobody);
        Ok(Password::new(Some(self.salt.clone()), salted.clone()))
    }
}

/// How a session begins. One a connection: it holds where the exchange of messages stands.
pub(super) fn startup(passwords: Arc<Passwords>, sessions: Arc<ConnectionManager>) -> Arc<impl StartupHandler> {
    let mut scram = ScramAuth::new(passwords);
    scram.set_iterations(ITERATIONS);
    let parameters = Arc::new(DefaultServerParameterProvider::default());
    Arc::new(SASLAuthStartupHandler::new(parameters).with_scram(scram).with_connection_manager(sessions))
}
