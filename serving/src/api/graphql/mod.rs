//! GraphQL over what the routes do: each resolver calls the function that a route calls, for the same caller, with the same rules.
//!
//! What a query may cost is bounded before anything runs ([`check`]): its bytes, its nesting, its fields once fragments are put in, its
//! depth, and a cost in which lists count as often as they may have entries. In the rate limit a costly query is many ([`toll`]). What many
//! objects need of one place is loaded at once ([`loaders`]).

mod asker;
mod check;
mod fault;
pub mod loaders;
mod mutation;
pub mod post;
mod query;
pub mod sdl;
mod subscription;
mod toll;
mod types;
pub mod ws;

use std::sync::LazyLock;

use async_graphql::{Request, Response, Schema, Value};

pub use asker::Asker;
pub use check::Operation;
use fault::Fault;
use mutation::Mutation;
use query::Query;
use subscription::Subscription;
use toll::Tolls;

use super::problem::{Problem, kinds};

pub const PATH: &str = "/api/v1/graphql";

/// What tools ask for to learn the schema is 15 deep.
const MAX_DEPTH: usize = 16;
/// A field is 1, what is a statement of its own 20, what loads something whole 100, a list as often as it may have entries, a mutation 1000.
const MAX_COST: usize = 6000;
const MAX_DIRECTIVES: usize = 10;

static SCHEMA: LazyLock<Schema<Query, Mutation, Subscription>> = LazyLock::new(|| {
    Schema::build(Query, Mutation, Subscription)
        .limit_depth(MAX_DEPTH)
        .limit_complexity(MAX_COST)
        .limit_directives(MAX_DIRECTIVES)
        .extension(Tolls)
        .finish()
});

/// Runs a checked query or mutation.
pub async fn run(asker: Asker, request: Request) -> Response {
    let loaders = asker.loaders();
    named(SCHEMA.execute(request.data(asker).data(loaders)).await)
}

/// What the library finds wrong with a query is the client's, and becomes a problem here.
fn named(mut response: Response) -> Response {
    for error in response.errors.iter_mut().filter(|error| error.extensions.is_none()) {
        error.extensions = Fault::from(Problem::new(&kinds::BAD_QUERY, error.message.clone())).extensions();
    }
    response
}

/// The answer to what is not run at all.
fn refused(problem: Problem) -> Response {
    let error = async_graphql::Error::from(Fault::from(problem)).into_server_error(Default::default());
    let mut response = Response::new(Value::Null);
    response.errors = vec![async_graphql::ServerError { locations: vec![], ..error }];
    response
}
