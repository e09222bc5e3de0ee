//! HTTP/1.1, written out in longhand: a server on std alone, one thread per connection.
//!
//! ```
//! use longhand::{Request, Response, Server};
//!
//! let server = Server::bind("127.0.0.1:0")?;
//! println!("listening on http://{}", server.local_addr()?);
//! # server.handle().stop();
//! server.run(|request: &mut Request<'_>| Response::text(format!("You asked for {}\n", request.path())))?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # What a handler is
//!
//! A function from [`&mut Request`](Request) to anything that [becomes a response](IntoResponse). It
//! may borrow what outlives the server, and needs no `Arc`; it runs on the thread of its connection,
//! and may block. Middleware is a function from handler to handler:
//!
//! ```
//! # use longhand::{IntoResponse, Limits, Reply, Request, Response, serve_connection, transport::Scripted};
//! /// Every response tells what served it.
//! fn signed<'s, R: IntoResponse<'s>>(
//!     handler: impl Fn(&mut Request<'_>) -> R,
//! ) -> impl Fn(&mut Request<'_>) -> Reply<'s> {
//!     move |request| handler(request).into_response().field("Server", "longhand")
//! }
//!
//! let mut client = Scripted::new().send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! serve_connection(&mut client, &Limits::default(), signed(|_| Response::text("hello\n")));
//! assert!(client.output_text().contains("\r\nServer: longhand\r\n"));
//! ```
//!
//! So a handler is tested without a socket: [`serve_connection`] over a
//! [scripted peer](transport::Scripted) is the code path of production.
//!
//! # Routes
//!
//! A handler matches on method and path, or hands the request to a router: the crate `longhand-kit` has one, and
//! what else web programs put on top. HEAD arrives as HEAD: answer it as GET, and the server leaves the body
//! away.
//!
//! ```
//! # use longhand::{IntoResponse, Limits, Request, Response, Status, serve_connection, transport::Scripted};
//! fn answer(request: &mut Request<'_>) -> std::io::Result<Response> {
//!     Ok(match (request.method(), request.path()) {
//!         ("GET" | "HEAD", "/") => Response::html("<h1>Hello</h1>"),
//!         ("POST", "/shout") => {
//!             let body = request.body().limit(1 << 10).read_all()?;
//!             Response::bytes("text/plain; charset=utf-8", body.to_ascii_uppercase())
//!         }
//!         (_, "/" | "/shout") => Status::METHOD_NOT_ALLOWED.into_response().field("Allow", "GET, HEAD, POST"),
//!         _ => Status::NOT_FOUND.into_response(),
//!     })
//! }
//! # let mut client = Scripted::new().send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! # serve_connection(&mut client, &Limits::default(), answer);
//! # assert!(client.output_text().contains("200 OK") && client.output_text().ends_with("\r\n\r\n"));
//! ```
//!
//! # Errors and their log
//!
//! `?` on an `io::Error` becomes a 500 whose cause is told to the observer alone; while a program is
//! young, `server.observe(|event| eprintln!("{event:?}"))` shows everything but the values of cookies and
//! credentials. Where it is the error of a body, it becomes the refusal that the client deserves: 400,
//! 408 or 413. Other errors become the same by `.map_err(Response::failed)?`; see [`Reply::failed`].
//!
//! A handler may also fail with a response, as a guard does that lets pass or answers:
//!
//! ```
//! # use longhand::{IntoResponse, Request, Response, Status};
//! fn upload_allowed(request: &Request<'_>) -> Result<(), Response> {
//!     match request.field("Authorization") {
//!         Some(_) => Ok(()),
//!         None => Err(Status::FORBIDDEN.into_response()),
//!     }
//! }
//!
//! fn upload(request: &mut Request<'_>) -> Result<Response, Response> {
//!     upload_allowed(request)?;
//!     let body = request.body().read_all()?; // an `io::Error` becomes its response too
//!     Ok(Response::text(format!("{} bytes\n", body.len())))
//! }
//! ```
//!
//! # Ending
//!
//! A [`Handle`] ends a server from any thread: it accepts no more, closes what is idle, finishes what
//! has begun (a *drain*), and cuts what is left at a deadline. With the crate `longhand-signal`:
//!
//! ```text
//! let handle = server.handle();
//! longhand_signal::on_terminate(move || handle.drain(Duration::ZERO, Duration::from_secs(10)))?;
//! ```
//!
//! A response that never ends by itself, such as a stream of events, holds a drain up to its
//! deadline; it ends in time if it looks at [`Handle::state`]. What is cut are reads and writes: a handler that
//! waits for something else keeps [`Server::run`] from returning, which [`Event::Overdue`] tells, and a program
//! that must end then ends itself.
//!
//! # What a response may borrow
//!
//! A response outlives the request it answers: it is written after the handler has returned, and the
//! body of the request cannot be streamed into it. What it takes from the request it must own. What
//! it takes from the program it may borrow, as a [`Reply`] instead of a [`Response`]:
//!
//! ```
//! # use longhand::{Limits, Reply, Request, Response, serve_connection, transport::Scripted};
//! # let mut client = Scripted::new().send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! # let mut other = Scripted::new().send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n").end();
//! let page = String::from("the same for all\n");
//!
//! // Of the request: owned.
//! serve_connection(&mut client, &Limits::default(), |request| Response::text(request.path().to_owned()));
//! // Of the program: borrowed.
//! serve_connection(&mut other, &Limits::default(), |_| Reply::text(&page));
//! # assert!(client.output_text().ends_with("/a") && other.output_text().ends_with("all\n"));
//! ```
//!
//! A closure that is kept in a variable before it is handed over names its parameter's type,
//! `|request: &mut Request<'_>|`; one that uses `?` names its result, `-> io::Result<Response>`.
//!
//! # What it promises
//!
//! - **Strict.** What RFC 9112 lets servers read in two ways is refused, with the byte, the rule and
//!   the way out in the answer. After a refusal nothing more is parsed. See [`wire`], its
//!   [error index](wire::errors), and what becomes of hundreds of messages, by section of the RFC:
//!   [`conformance`].
//! - **Safe by default.** Every limit and deadline of [`Limits`] is on. Memory grows with the bytes
//!   that arrive, never by what a peer declares. A panic in a handler is a 500.
//! - **Nothing is lost.** Pipelined bytes, early bytes of an upgraded protocol, the refusal that an
//!   uploading client has not read yet: each has its test.
//! - **It ends well.** [`Handle::drain`] finishes what has begun; nothing polls.
//!
//! Against whom, by which limit or type, shown by which test, and what is *not* promised, is on the page
//! of the [threat model](guide::threats).
//!
//! # Where to read
//!
//! The source is meant to be read in the order of the modules below; each file uses only files before
//! it, from octets up to threads. `ARCHITECTURE.md` in the crate is the map, and the [`guide`] is a
//! course for whoever knows no HTTP yet: typed by hand, chapter by chapter. What it costs, and how near
//! that is to what can be done, is on the page of [`performance`].

#![forbid(unsafe_code)]

mod limits;
pub mod wire;
pub mod transport;
mod facts;
mod observe;
mod link;
mod failure;
mod responses;
mod body_state;
mod body;
mod request;
mod value;
mod writer;
mod content;
mod response;
mod amend;
mod refusal;
mod into_response;
mod response_head;
mod respond;
mod admit;
mod seat;
mod exchange;
mod buffer;
mod linger;
mod connection;
mod registry;
mod drain;
mod worker;
mod server;
#[cfg(any(doc, doctest))]
pub mod guide;
// The first definition of a reference is the one that counts: here the plots are on the page.
#[cfg(any(doc, doctest))]
#[doc = "[plot]: #plot"]
#[doc = "[soak]: #soak"]
#[doc = ""]
#[doc = include_str!("../PERFORMANCE.md")]
#[doc = ""]
#[doc = include_str!("../plots/cost.svg")]
#[doc = ""]
#[doc = include_str!("../plots/soak.svg")]
pub mod performance {}
#[cfg(any(doc, doctest))]
#[doc = "[errors]: crate::wire::errors"]
#[doc = "[attacks]: crate::guide::attacks"]
#[doc = ""]
#[doc = include_str!("../CONFORMANCE.md")]
pub mod conformance {}

pub use body::Body;
pub use connection::serve_connection;
pub use drain::Handle;
pub use into_response::IntoResponse;
pub use limits::Limits;
pub use observe::{Answered, Event, Why};
pub use refusal::Refusal;
pub use request::{Persistence, Request};
pub use response::{Reply, Response};
pub use responses::Responses;
pub use seat::State;
pub use server::{Server, Summary};
pub use value::{BadValue, FieldValue};
pub use wire::Status;
pub use writer::{BodyWriter, Halves, Upgraded};
