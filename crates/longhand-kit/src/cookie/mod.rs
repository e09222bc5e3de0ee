//! Cookies: what a browser sends back is read as bytes, and what it would drop is not sent.
//!
//! What enters are the Cookie lines of a request, and cookies as a program describes them; what leaves
//! are names and values as they arrived, and Set-Cookie lines that every browser keeps. The rules are RFC
//! 6265bis's (the draft that replaces RFC 6265): sections 4.1 and 4.2 for what a server writes and
//! reads, 5.4 to 5.7 for what browsers make of it.
//!
//! ```
//! use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
//! use longhand_kit::cookie::{Cookies, SetCookie};
//!
//! fn theme(request: &mut Request<'_>) -> Result<Response, Response> {
//!     let before = Cookies::of(request).text("theme").unwrap_or("none").to_owned();
//!     let response = Response::text(format!("The theme was {before}.\n"));
//!     Ok(SetCookie::new("theme", "dark").add_to(response)?)
//! }
//!
//! let mut browser = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\nCookie: a=b; theme=light\r\n\r\n").end();
//! serve_connection(&mut browser, &Limits::default(), theme);
//! let output = browser.output_text();
//! assert!(output.ends_with("The theme was light.\n"));
//! assert!(output.contains("\r\nSet-Cookie: theme=dark; Path=/; HttpOnly; SameSite=Lax\r\n"));
//! ```
//!
//! # Attributes
//!
//! Each method of [`SetCookie`] adds or changes one:
//!
//! ```
//! use longhand_kit::cookie::{SameSite, SetCookie};
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! let language = SetCookie::new("lang", "en").domain("example.org").readable_by_scripts();
//! assert_eq!(
//!     language.field_value()?.as_bytes(),
//!     b"lang=en; Domain=example.org; Path=/; SameSite=Lax"
//! );
//! let date = UNIX_EPOCH + Duration::from_secs(784_111_777);
//! let coupon = SetCookie::new("coupon", "x7").path("/shop").expires(date).same_site(SameSite::Strict);
//! assert_eq!(
//!     coupon.field_value()?.as_bytes(),
//!     b"coupon=x7; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/shop; HttpOnly; SameSite=Strict"
//! );
//! // In a frame on other sites, over https only.
//! let framed = SetCookie::new("seen", "1").secure_if(true).same_site(SameSite::None).partitioned();
//! assert_eq!(
//!     framed.field_value()?.as_bytes(),
//!     b"seen=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
//! );
//! # Ok::<(), longhand_kit::cookie::BadCookie>(())
//! ```
//!
//! # Reading forgives, writing does not
//!
//! Anybody can put anything into a browser's cookies: another page of the site, a neighbouring
//! subdomain, the visitor. So where a line is malformed, only the pair at that place suffers: nothing in
//! it can hide or change the pairs beside it. There is no `$Version`, no unquoting and no
//! `;` inside of quotes: servers that honour those can be made to take one cookie for another.
//! Blanks are SP and HTAB and nothing else, or a name that begins with U+2000 would become one that
//! begins with `__Host-`.
//!
//! A cookie that browsers would drop, cut or change is refused where it is made: browsers do so
//! silently, and the program would never learn of it.
//!
//! A cookie says nothing about who made it; [`signed`](crate::signed) values and
//! [`session`](crate::session)s do. There are no encrypted cookies here: what a visitor must not read
//! stays on the server, in a session.

mod read;
mod bad;
mod octets;
mod set;

pub use bad::BadCookie;
pub use octets::encode;
pub use read::{Cookies, MAX_PAIRS, pairs};
pub use set::{SameSite, SetCookie};
