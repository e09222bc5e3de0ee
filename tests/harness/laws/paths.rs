//! Paths below a folder that is served: this one, of which everything is read and nothing changed.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, str};

use longhand::transport::Scripted;
use longhand::wire::percent_decode;
use longhand::{Limits, Request, serve_connection};
use longhand_kit::files::Dir;

use super::setting;
use crate::answer::first;

/// A setting, and a request-target.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let (setting, target) = setting(bytes);
    let request = [&b"GET "[..], target, b" HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    let hidden = setting & 1 == 1;
    let (mut peer, mut path) = (Scripted::new().send(request).end(), None);
    let found = std::cell::RefCell::new(None);
    serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
        found.borrow_mut().get_or_insert_with(|| request.path().to_owned());
        dir(hidden).handle(request)
    });
    path.clone_from(&found.into_inner());
    let Some(path) = path else { return };
    let (answer, _) = first(&peer.output(), "GET");
    let (status, content) = expected(&path, hidden);
    assert_eq!(answer.status, status, "{path}");
    if let Some(content) = content {
        assert!(answer.body == content, "{path}: another file was sent");
    }
    if status == 308 {
        let location = answer.field("location").unwrap_or_default();
        assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The folder, served without and with names that begin with a dot.
fn dir(hidden: bool) -> &'static Dir {
    static DIRS: OnceLock<[Dir; 2]> = OnceLock::new();
    let open = || Dir::new(root()).expect("a folder");
    &DIRS.get_or_init(|| [open(), open().hidden()])[usize::from(hidden)]
}

/// The obvious way: status, and content where it is a file.
fn expected(path: &str, hidden: bool) -> (u16, Option<Vec<u8>>) {
    let Some(inside) = path.strip_prefix('/') else { return (400, None) };
    let (inside, slash) = inside.strip_suffix('/').map_or((inside, false), |path| (path, true));
    if inside.is_empty() && !slash {
        return (404, None);
    }
    let mut file = root();
    let mut absent = false;
    for segment in inside.split('/') {
        let Ok(octets) = percent_decode(segment) else { return (400, None) };
        let Ok(name) = str::from_utf8(&octets) else { return (400, None) };
        if [".", ".."].contains(&name) || name.contains(['/', '\\', '\0']) {
            return (400, None);
        }
        absent |= name.is_empty() || name.len() > 255;
        absent |= name.starts_with('.') && name != ".well-known" && !hidden;
        file.push(name);
    }
    assert!(file.starts_with(root()));
    match fs::read(&file) {
        Ok(content) if !slash && !absent => (200, Some(content)),
        _ => (404, None),
    }
}
