//! Which system user a server runs as. PostgreSQL refuses to run as root, so root lends its folder to the user `postgres`.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use crate::process::{find_program, run};
use crate::{Error, Result};

const NAME: &str = "postgres";

/// The user that a server runs as.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// Ours: we are not root.
    Own,
    /// We are root, the server is not.
    Lent {
        uid: u32,
        gid: u32,
        /// The folder lies below one that the user may not enter (root's home, say): the server gets the one capability to pass.
        passes_folders: bool,
    },
}

impl Account {
    /// Decides for a server whose data is in `folder`, which exists; if we are root, the folder becomes the other user's.
    pub(crate) fn for_folder(folder: &Path) -> Result<Self> {
        if id(&["-u"])? != 0 {
            return Ok(Account::Own);
        }
        let (Ok(uid), Ok(gid)) = (id(&["-u", NAME]), id(&["-g", NAME])) else {
            return Err(Error::Missing {
                what: format!("the system user `{NAME}`"),
                hint: "PostgreSQL does not run as root: make the user with `useradd --system postgres`, or run as an ordinary user"
                    .to_owned(),
            });
        };
        if find_program("setpriv", &[]).is_none() {
            return Err(Error::Missing {
                what: "the program `setpriv`".to_owned(),
                hint: "install it with `apt-get install util-linux`, or run as an ordinary user".to_owned(),
            });
        }
        chown(folder, Some(uid), Some(gid)).map_err(Error::io("give to the user postgres the folder", folder))?;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(Error::io("set the permissions of", folder))?;
        for passes_folders in [false, true] {
            let account = Account::Lent { uid, gid, passes_folders };
            if run(account.command("test").arg("-w").arg(folder)).is_ok() {
                return Ok(account);
            }
        }
        Err(Error::server(
            "PostgreSQL",
            folder,
            format!("its user `{NAME}` may not enter a folder above this one; choose a data folder such as /var/lib/chimera"),
        ))
    }

    /// A command that runs as this user.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self {
            Account::Own => Command::new(program),
            Account::Lent { uid, gid, passes_folders } => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
                if *passes_folders {
                    command.args(["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]);
                }
                command.arg("--").arg(program);
                command
            }
        };
        command.env("LC_ALL", "C").current_dir("/");
        command
    }
}

fn id(arguments: &[&str]) -> Result<u32> {
    let text = run(Command::new("id").args(arguments))?;
    text.trim().parse().map_err(|_| Error::Command { command: "id".to_owned(), status: "success".to_owned(), output: text })
}
