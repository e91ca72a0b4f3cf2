//! Carts of accounts and of guests. What an article costs and whether there is enough of it is asked of the catalogue at every look: a cart
//! keeps articles and quantities, and of prices only what the shopper saw, to tell of a change.
//!
//! # Two places
//! PostgreSQL has the truth. Each change locks the row of its cart, raises its version in the same transaction, and so comes after the one
//! before it: a cart and a version have one content, for ever.
//!
//! Redis has a copy of the articles ([`copy`]), which says of which cart and version it is. A look at a cart asks PostgreSQL for the version,
//! by one index, while Redis is asked for the copy, and takes the copy if both are of the same version; else it reads the rows, and copies
//! them. So a copy may be as old as it likes and is never believed: the one that a writer left behind who died after the commit, that two
//! writers wrote in the wrong order, that a slow reader put in the place of a newer one, that Redis kept while it could not be reached.
//! Writers ask Redis for nothing. Without Redis, PostgreSQL alone answers. Marks in Redis that spare readers the question could not promise
//! this: a writer who cannot reach Redis leaves none. The question costs no time, since prices come from PostgreSQL at every look anyway.
//!
//! There is no copy of a cart with names, prices and stock in it: that one would be wrong as soon as the catalogue changes, of which carts are
//! not told, and what would have to be asked to trust it is all that is in it.
//!
//! # Whoever wants to know
//! After each change `{"version": n}` is published in Redis, in the channel of the copy's key ([`owner::Owner::key`]). Messages may be lost or
//! come in another order; who hears one looks at the cart. Version 0: the cart is gone.

pub mod bought;
pub mod change;
pub mod contents;
pub mod copy;
pub mod erase;
pub mod get;
pub mod items;
mod lines;
mod locked;
pub mod merge;
pub mod owner;
pub mod shown;
pub mod sweep;

pub use bought::take_bought;
pub use contents::{Contents, Line, contents};
pub use owner::Owner;
