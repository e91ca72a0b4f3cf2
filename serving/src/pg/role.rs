//! Who may do what: a user a role, each with a password of its own.

/// A user of the live views. The password is the token in the file `<role>.token` of the data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// May do everything, also with the views of others; the token opens the operators' routes too.
    Operator,
    /// Reads, creates views, and changes and drops those that analysts created.
    Analyst,
    /// Reads.
    Reader,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Operator, Role::Analyst, Role::Reader];

    /// The user's name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Analyst => "analyst",
            Role::Reader => "reader",
        }
    }

    /// The role of the user of that name.
    pub fn of(user: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == user)
    }
}
