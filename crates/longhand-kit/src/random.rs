//! Random bytes that nobody can foresee: for keys, session identifiers and salts.
//!
//! What leaves comes from the operating system, and from nowhere else: `/dev/urandom` on Unix,
//! opened once. Where that is missing, as in a bare chroot, or is something else by that name, the
//! answer is an error: a weak source in its place would be noticed by nobody but an attacker. std
//! has no such source on other systems; there a program [supplies](supply) one.
//!
//! ```
//! let key: [u8; 32] = longhand_kit::random::bytes()?;
//! assert_ne!(key, longhand_kit::random::bytes()?);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! `std`'s `RandomState` is not enough: it counts up from one random number, and promises nothing.
//! Ask at the start of the program once, so that a system without a source fails there.

use std::io;
use std::sync::OnceLock;

type Source = fn(&mut [u8]) -> io::Result<()>;

static SUPPLIED: OnceLock<Source> = OnceLock::new();

/// `N` random bytes.
///
/// ```
/// use longhand_kit::{base64, random};
/// let token = base64::encode_url(random::bytes::<16>()?);
/// assert_eq!(token.len(), 22);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If the system has no source of them: see [`fill`].
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills a slice with random bytes.
///
/// ```
/// let mut salts = [[0; 16]; 2];
/// longhand_kit::random::fill(salts.as_flattened_mut())?;
/// assert_ne!(salts[0], salts[1]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// If the system has no source of them. Do not use the slice then. In a handler, `?` makes that a 500.
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    SUPPLIED.get().map_or(system as Source, |supplied| *supplied)(bytes)
}

/// Takes random bytes from `source` from now on, on a system for which this crate knows none.
///
/// ```
/// fn source(bytes: &mut [u8]) -> std::io::Result<()> {
///     // Call the system here, or a crate that does.
///     # bytes.fill(4);
///     Ok(())
/// }
/// longhand_kit::random::supply(source);
/// # assert_eq!(longhand_kit::random::bytes::<3>()?, [4; 3]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
/// If a source was supplied before: a program has one.
pub fn supply(source: fn(&mut [u8]) -> io::Result<()>) {
    assert!(SUPPLIED.set(source).is_ok(), "random: a source was supplied already");
}

#[cfg(unix)]
fn system(bytes: &mut [u8]) -> io::Result<()> {
    static OPENED: OnceLock<std::fs::File> = OnceLock::new();
    if OPENED.get().is_none() {
        // Two threads may both open it here; one file stays, the other is closed.
        let _ = OPENED.set(open("/dev/urandom")?);
    }
    read(OPENED.get().ok_or(io::ErrorKind::NotFound)?, bytes)
}

#[cfg(not(unix))]
fn system(_: &mut [u8]) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "random bytes: no source is known on this system: give one to random::supply",
    ))
}

#[cfg(unix)]
fn open(path: &str) -> io::Result<std::fs::File> {
    use std::os::unix::fs::FileTypeExt;

    let because = |why: &dyn std::fmt::Display| format!("random bytes: {path}: {why}");
    let file =
        std::fs::File::open(path).map_err(|error| io::Error::new(error.kind(), because(&error)))?;
    // A file that was copied into a chroot holds the same bytes for ever.
    if !file.metadata()?.file_type().is_char_device() {
        return Err(io::Error::other(because(&"expected a device, found something else")));
    }
    Ok(file)
}

#[cfg(unix)]
fn read(mut file: &std::fs::File, bytes: &mut [u8]) -> io::Result<()> {
    io::Read::read_exact(&mut file, bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_not_zero_and_differ() {
        let (a, b) = (bytes::<32>().unwrap(), bytes::<32>().unwrap());
        assert_ne!(a, b);
        // The chance of nine zeros among 32 random bytes is below 2^-46.
        assert!(a.iter().filter(|&&octet| octet == 0).count() < 9, "{a:?}");
        assert_eq!(bytes::<0>().unwrap(), []);
        let mut long = vec![0; 100_000];
        fill(&mut long).unwrap();
        assert_ne!(long[..32], long[99_968..]);
    }

    /// One bit in two is set: within 16 standard deviations, which no random source leaves.
    #[test]
    fn ones_and_zeros_are_about_as_frequent() {
        let ones: u32 = bytes::<8192>().unwrap().iter().map(|octet| octet.count_ones()).sum();
        assert!((30_720..34_816).contains(&ones), "{ones} ones of 65536 bits");
    }

    #[test]
    fn a_source_that_is_none_is_an_error_that_names_it() {
        for path in ["/nowhere/urandom", "/etc/passwd", "/"] {
            let error = open(path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("random bytes: {path}: ")), "{error}");
        }
    }

    #[test]
    fn a_source_that_runs_dry_is_an_error() {
        let dry = open("/dev/null").unwrap();
        assert_eq!(read(&dry, &mut [0; 4]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
