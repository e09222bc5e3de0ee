//! The example, started with a certificate made for it by the script that comes with it.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use harness::program::{Folder, Program, command};

use crate::clients::until;

/// A running server of https. Its folder holds `authority.pem`, and what the script made.
pub(crate) struct Https {
    pub(crate) program: Program,
    pub(crate) folder: Folder,
    pub(crate) port: u16,
}

impl Https {
    /// One whose certificate is good for `localhost`.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::with(settings, |folder| certificate(folder, "localhost", LOCALHOST))
    }

    /// One whose files, `localhost.pem` and its key, `make` makes.
    pub(crate) fn with(settings: &[(&str, &str)], make: impl FnOnce(&Folder)) -> Self {
        let folder = Folder::new();
        make(&folder);
        let (chain, key) = (folder.file("localhost.pem"), folder.file("localhost.key"));
        let mut command = command("https", &[("PORT", "0"), ("CERT", &chain), ("KEY", &key)]);
        command.envs(settings.iter().copied());
        let program = Program::start(command);
        let port = program.address().port();
        assert!(program.url.starts_with("https://127.0.0.1:"), "{}", program.url);
        Self { program, folder, port }
    }

    /// A URL on it, by its name.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// The certificate that clients are to trust.
    pub(crate) fn authority(&self) -> String {
        self.folder.file("authority.pem")
    }
}

pub(crate) const LOCALHOST: &str = "DNS:localhost,IP:127.0.0.1";

/// Makes `FILE.pem` and `FILE.key` for these names, and the authority if there is none yet.
pub(crate) fn certificate(folder: &Folder, file: &str, names: &str) {
    certificate_for(folder, file, names, 30);
}

/// Makes `localhost.pem` so that it is over.
pub(crate) fn expired(folder: &Folder, names: &str) {
    // For no day: it ends in the second in which it begins.
    certificate_for(folder, "localhost", names, 0);
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let made = second();
    until("the next second", || second() > made);
}

fn certificate_for(folder: &Folder, file: &str, names: &str, days: u32) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/https/certificates.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(folder.path()).args([names, file]).env("DAYS", days.to_string());
    let output = command.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "certificates.sh, which needs the package openssl:\n{said}");
}
