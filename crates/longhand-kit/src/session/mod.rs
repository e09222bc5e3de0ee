//! Sessions: what a server remembers about a visitor, under an ID in a cookie.
//!
//! What enters are requests and a value of the program's, bytes as it likes; what leaves are
//! responses that set or remove the cookie. The ID never leaves this module in another way: it is 32
//! random bytes, and the store knows only their hash. RFC 6265bis section 8.4 has the reasons.
//!
//! ```
//! use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::session::Sessions;
//!
//! let sessions = Sessions::new();
//! let app = |request: &mut Request<'_>| -> Result<Response, Response> {
//!     let home = Response::redirect("/");
//!     Ok(match request.path() {
//!         // Here a password was checked, and the user is known.
//!         "/sign-in" => sessions.sign_in(request, "Ada", home)?,
//!         "/sign-out" => sessions.end(request, home)?,
//!         _ => match sessions.find_text(request)? {
//!             Some(user) => Response::text(format!("Hello, {user}\n")),
//!             None => Response::text("Hello, stranger\n"),
//!         },
//!     })
//! };
//!
//! let mut browser = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST /sign-in HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! serve_connection(&mut browser, &Limits::default(), app);
//! let output = browser.output_text();
//! let (_, cookie) = output.split_once("\r\nSet-Cookie: ").unwrap();
//! let (pair, attributes) = cookie.split_once("; ").unwrap();
//! assert!(attributes.starts_with("Path=/; Secure; HttpOnly; SameSite=Lax\r\n"));
//! assert!(pair.starts_with("__Host-sid=") && pair.len() == 54);
//!
//! let request = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {pair}\r\n\r\n");
//! let mut browser = Scripted::new().send(request).end();
//! serve_connection(&mut browser, &Limits::default(), app);
//! assert!(browser.output_text().ends_with("Hello, Ada\n"));
//! ```
//!
//! # What it keeps to
//!
//! - **No session without a need.** A visitor of whom nothing is stored gets no cookie.
//! - **No ID but its own.** An ID that is not in the store is never taken over, so nobody can plant
//!   one (*fixation*); and [`sign_in`](Sessions::sign_in) gives a new one, as
//!   [`rotate`](Sessions::rotate) does whenever somebody may do more than before. So one that was
//!   planted or seen is worth nothing.
//! - **An end.** After a while without use, and after a longer while with it, a session is over, by
//!   the server's clock. [`end`](Sessions::end) removes it on both sides.
//! - **Requests at the same time.** No change is lost: if a session has changed since a request read
//!   it, the request makes its change again, to what is there now. A session that was ended, or got
//!   another ID, is changed by no request that began before. And where an ID is not known (any more),
//!   only beginning, signing in and ending touch the cookie: the browser may have a new one by now.
//!
//! Where a session gets another ID, the store keeps for a minute under the old one where it went. This
//! is for a browser that sends two requests at once, both with ID 1:
//!
//! ```text
//! sign-in:   reads 1, opens 2, writes "1 has become 2"                 answers with the cookie of 2
//! sign-out:                                             reads 1, finds that: ends 1 and 2
//! ```
//!
//! Without the note the sign-out would end nothing, and the visitor would stay signed in.
//!
//! # What it leaves to others
//!
//! Every instance of a program needs the same [`Store`]. Where a user's name is all that is kept, a
//! [signed](crate::signed) cookie does without a store, but cannot be ended before it expires.
//! `SameSite=Lax` keeps the cookie away from forms of other sites, not of neighbouring subdomains:
//! have a [guard](crate::cross_origin) look at the origin of a request as well.
//!
//! It does not decide who may begin a session. Where a visitor who has not signed in can [`begin`](Sessions::begin), one client can
//! begin 65,536 within seconds, and [`Sessions::new`] has then forgotten everybody else's. A
//! [limit for each client](crate::rate) comes before it, as in the example of
//! [`update`](Sessions::update); and those who have signed in are kept in a second `Sessions` with
//! another [name](Sessions::name), which no stranger can fill.

mod store;
mod record;
mod error;
mod kept;
mod sessions;

pub use error::SessionError;
pub use record::MAX_BYTES;
pub use sessions::Sessions;
pub use store::{Key, Memory, Store};
