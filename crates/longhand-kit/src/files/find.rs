//! From a path in the file system to an open file or a folder inside the root.
//!
//! What enters is the root, canonical, and a path below it whose names have been judged; what leaves
//! is what is there, or that nothing is. A link is followed as long as it ends inside the root. Only
//! regular files and folders are there at all: to open a FIFO waits for somebody who writes, and a
//! device may do anything, so what a path leads to is known before it is opened, and looked at again
//! in the open handle, whose type, length and bytes belong to one file.
//!
//! Between the two looks somebody who may write into the root could exchange a file for a link or a
//! FIFO. On many systems std cannot open a file only if it is no link; so those who may write into a
//! served folder are trusted not to do that.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use longhand::{IntoResponse, Reply, Status};

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found {
    File(File, Metadata),
    /// By its canonical path.
    Folder(PathBuf),
}

/// Why there is nothing to serve.
#[derive(Debug)]
pub(super) enum Failure {
    /// 404; with the system's error if that says more than that nothing is there.
    Absent(Option<io::Error>),
    /// 500: out of descriptors, say.
    Server(io::Error),
}

/// Finds what `path` leads to.
pub(super) fn find(root: &Path, path: &Path) -> Result<Found, Failure> {
    // A name in the way that is no folder, a circle of links, a path longer than the system takes:
    // where a path leads nowhere, nothing is there, whatever the reason.
    let real = fs::canonicalize(path).map_err(absent)?;
    if !real.starts_with(root) {
        return Err(Failure::Absent(None));
    }
    let kind = fs::symlink_metadata(&real).map_err(absent)?.file_type();
    if kind.is_dir() {
        return Ok(Found::Folder(real));
    }
    if !kind.is_file() {
        return Err(Failure::Absent(None));
    }
    let file = File::open(&real).map_err(of_opening)?;
    let facts = file.metadata().map_err(Failure::Server)?;
    if !facts.is_file() {
        return Err(Failure::Absent(None));
    }
    Ok(Found::File(file, facts))
}

/// Why something that is there cannot be opened. Without permission it counts as absent: nobody is to
/// learn whether it is there.
pub(super) fn of_opening(error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
            absent(error)
        }
        _ => Failure::Server(error),
    }
}

fn absent(error: io::Error) -> Failure {
    let usual = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
    Failure::Absent((!usual).then_some(error))
}

/// 404 or 500. Why is for the log alone.
impl<'s> IntoResponse<'s> for Failure {
    fn into_response(self) -> Reply<'s> {
        match self {
            Self::Absent(None) => Status::NOT_FOUND.into_response(),
            Self::Absent(Some(error)) => Status::NOT_FOUND.into_response().because(error),
            Self::Server(error) => error.into_response(),
        }
    }
}
