//! SIGTERM and SIGINT to a callback, so that a server can finish what it has begun.
//!
//! What enters is the first of the two signals; what leaves is one call of a closure, on a thread
//! of its own, where every lock, allocation and system call is allowed. A second signal ends the
//! process at once, by the signal's default action: who presses Ctrl-C twice means it, and a
//! supervisor reads the truth from the exit status.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! // The closure of a real server holds its handle, and says `handle.drain(lame_duck, deadline)`.
//! let (ask, asked) = std::sync::mpsc::channel();
//! longhand_signal::on_terminate(move || ask.send("drain").unwrap())?;
//!
//! # #[cfg(unix)]
//! std::process::Command::new("sh").args(["-c", "kill -TERM $PPID"]).status()?;
//! # #[cfg(unix)]
//! assert_eq!(asked.recv().unwrap(), "drain");
//! # Ok(())
//! # }
//! ```
//!
//! The crate stands apart because std has no door to signals: catching one takes `unsafe`, and this
//! is all the `unsafe` there is, so that `longhand` can forbid it. It depends on nothing, not even
//! on `longhand`, and any program may use it.
//!
//! # How
//!
//! A signal handler may do next to nothing, because it runs between any two instructions of the
//! program, perhaps inside of `malloc`. This one resets both signals and writes one byte into a
//! socket pair. The thread at the other end has been blocked in `read` since the start: nothing
//! polls, and a process that waits for a signal makes no system call.
//!
//! # What else to know
//!
//! - **Ignored signals are taken too.** A shell without job control starts `server &` with SIGINT
//!   ignored, and the programs of such a shell inherit that. The old convention is to leave an
//!   ignored signal ignored. A server that says it drains on SIGINT should not do so or not
//!   depending on the script that started it, and the worst a stray Ctrl-C can do here is to stop it
//!   politely; nginx and Go's `signal.Notify` decide the same way.
//! - **Signals that arrive in the same instant count as one**, as two of the same kind always did.
//! - **Blocking calls** are restarted by the system after the handler, except where a socket has a
//!   timeout set: such a read may return [`Interrupted`](std::io::ErrorKind::Interrupted), and is
//!   to be tried again.
//! - Programs that this one starts begin with the default action, as after any `exec`.
//! - Elsewhere than on Unix, [`on_terminate`] answers
//!   [`Unsupported`](std::io::ErrorKind::Unsupported).

#![deny(unsafe_code)]
#![warn(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process's two signals have been given away: they exist once, and so does this.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Runs `act` once, on a thread of its own, when the first SIGTERM or SIGINT arrives.
///
/// From that moment both signals have their default action again: a second one ends the process,
/// also while `act` is still running. A panic in `act` ends its thread and nothing else.
///
/// # Errors
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists) when called a second time,
/// [`Unsupported`](io::ErrorKind::Unsupported) elsewhere than on Unix, and whatever the system says
/// when it has no socket pair or no thread to give; after these last two it may be called again.
///
/// The [page of the crate](crate) has an example.
pub fn on_terminate(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "SIGTERM and SIGINT already have their action",
        ));
    }
    let waiting = imp::wait_for_signal(act);
    if waiting.is_err() {
        TAKEN.store(false, Ordering::SeqCst);
    }
    waiting
}

#[cfg(unix)]
mod imp {
    use std::ffi::c_int;
    use std::io::{self, Read};
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::thread;

    // These four numbers are the same on Linux, macOS and the BSDs.
    const SIGINT: c_int = 2;
    const SIGTERM: c_int = 15;
    const SIG_DFL: usize = 0;
    const SIG_ERR: usize = usize::MAX;

    /// The end of the socket pair that the handler writes to, until one handler has taken it.
    static WAKE: AtomicI32 = AtomicI32::new(NOBODY);
    const NOBODY: c_int = -1;

    pub(crate) fn wait_for_signal(act: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let (mut sleeper, wake) = UnixStream::pair()?;
        thread::Builder::new().name("signal".into()).spawn(move || {
            // A signal brings a byte. The end of the stream instead: what is below failed.
            if sleeper.read_exact(&mut [0]).is_ok() {
                act();
            }
        })?;
        // Open for as long as the process lives: a handler must never find its number reused. The
        // one way to waste it is that `signal` fails, which it does only for unknown signals.
        WAKE.store(wake.into_raw_fd(), Ordering::SeqCst);
        ffi::install(SIGTERM)?;
        ffi::install(SIGINT)
    }

    #[allow(
        unsafe_code,
        reason = "std has no signals; these lines are the workspace's only unsafe"
    )]
    mod ffi {
        use super::{NOBODY, SIG_DFL, SIG_ERR, SIGINT, SIGTERM, WAKE};
        use std::ffi::{c_int, c_void};
        use std::io;
        use std::sync::atomic::Ordering;

        // `signal` and not `sigaction`: the latter takes a struct whose layout differs from system
        // to system. What `signal` leaves open, whether the handler stays installed, does not
        // matter to a handler that removes itself.
        //
        // SAFETY: both are in every libc that std links on Unix, with these types: `sighandler_t`
        // is a pointer, here as the integer it is compared as, and `ssize_t` is as wide as `isize`.
        unsafe extern "C" {
            fn signal(number: c_int, handler: usize) -> usize;
            fn write(fd: c_int, from: *const c_void, count: usize) -> isize;
        }

        pub(super) fn install(number: c_int) -> io::Result<()> {
            let handler: extern "C" fn(c_int) = arrived;
            // SAFETY: the handler has the type that `signal` calls, and does only what a handler
            // may (see there).
            match unsafe { signal(number, handler as usize) } {
                SIG_ERR => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        }

        /// Runs between any two instructions of any thread. It touches one atomic and calls two
        /// functions, both of which POSIX lists as safe here (`signal`, `write`). It cannot panic.
        ///
        /// It should also leave `errno` as it was, for the code it interrupts may be about to read
        /// it, and std can read `errno` but not set it. So it makes only calls that succeed, which
        /// leave `errno` alone: the signals are known ones, the byte goes into an empty pair
        /// whose reader waits, and only the handler that has taken the descriptor writes at all.
        extern "C" fn arrived(_: c_int) {
            for number in [SIGTERM, SIGINT] {
                // SAFETY: restores the default action, which is allowed inside a handler.
                unsafe { signal(number, SIG_DFL) };
            }
            let fd = WAKE.swap(NOBODY, Ordering::SeqCst);
            if fd != NOBODY {
                // SAFETY: reads one byte of a constant; `fd` is open for as long as the process is.
                unsafe { write(fd, b"!".as_ptr().cast(), 1) };
            }
        }
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io;

    pub(crate) fn wait_for_signal(_: impl FnOnce() + Send + 'static) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "signals are Unix's"))
    }
}
