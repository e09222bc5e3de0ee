//! HTTP read by hand: a course in eleven chapters, for somebody who has finished Rust's book and
//! knows no HTTP.
//!
//! You type requests and answers yourself, see every byte of them named by the parser of this crate,
//! and read the source, from octets up to threads: each file in one chapter. At the end you have
//! read a whole web server.
//!
//! # What you need
//!
//! A clone of the repository, Rust 1.89 or newer, a C compiler (for the TLS of one example), `curl`, a
//! browser, and two terminals, sometimes three. Run all commands at the root of the clone. The first
//! fetches and compiles for some minutes. Ctrl-C ends a server, and port 8000 takes one at a time. Two
//! of the examples are your tools:
//!
//! - `cargo run --example wire -- 127.0.0.1:8000` opens a connection: what you type is sent line by
//!   line, what comes back is shown, down to the ends of lines.
//! - `cargo run --example xray` is a server that names every byte as it comes.
//!
//! Commands with `printf`, or with a setting in front (`NAME=value cargo run …`), need a shell such as
//! bash; on Windows, Git brings one. Everything else is typed into `wire`. A source that a chapter
//! names, such as `src/lib.rs`, is a file below `crates/longhand`.
//!
//! Blocks of Rust are tests: `cargo test -p longhand --doc guide` runs them. The chapters are files in
//! `crates/longhand/src/guide`, so you can change a block there and see what becomes of it. This page
//! is made by `cargo doc --no-deps --open -p longhand`.
//!
//! # Contents
//!
//! | chapter | you learn | about |
//! | --- | --- | --- |
//! | 1 [Be the server](_01_be_the_server) | that both sides of HTTP can be typed by hand | 40 min |
//! | 2 [The request line](_02_the_request_line) | what a method, a target and a version are, to the byte | 40 min |
//! | 3 [Fields](_03_fields) | what goes with a request, and why `Host` must | 40 min |
//! | 4 [Reading until it is whole](_04_until_it_is_whole) | that one read is not one request | 1 h |
//! | 5 [Where the body ends](_05_where_the_body_ends) | that the end of a message is counted, not seen | 1 h |
//! | 6 [Chunks](_06_chunks) | how a body travels whose length nobody knows yet | 1 h |
//! | 7 [The answer](_07_the_answer) | that a client must be able to find the end of an answer | 1 h |
//! | 8 [Keep and close](_08_keep_and_close) | how a connection is kept, and why closing one is hard | 1 h 30 |
//! | 9 [A thread each](_09_a_thread_each) | how many are served at once, and how a server ends | 1 h 30 |
//! | 10 [Hostile bytes](_10_hostile_bytes) | what a server does so that the next request is served too | 1 h 30 |
//! | 11 [The bookmark server](_11_the_bookmark_server) | what it is all for | 2 h |
//! | [Past attacks](attacks) | what happened to servers that were kinder | 1 h |
//! | [Threat model](threats) | who attacks, what is promised, and what is not | to look up |
//! | [Beside the course's server](beside_python) | the same program in Python, for those who come from there | 20 min |
//! | [Index of the grammar](abnf) | which function reads which rule of the RFC | to look up |
//!
//! Beside them stand the [error index](crate::wire::errors), every refusal with bytes that bring it on, and
//! two pages [for teachers](teaching).
//!
//! After chapter 5 you know what a request is, which is a good place for a pause. Each chapter has five
//! parts. *Do it*: commands. *Look*: the bytes, named. *Read*: the source that does it. *Why so*:
//! something that the RFC leaves open, and what was chosen here. *Now you*: an exercise, how to check
//! it, and a question without an answer at the end of the book. Predict before you run: a guess that
//! turns out wrong is what you will remember. For a first look, [six exchanges](crate::wire::illustrated)
//! are drawn with every byte named.
//!
//! # How to read a transcript
//!
//! ```text
//! hello
//! > GET / HTTP/1.1\r\n
//! < HTTP/1.1 200 OK\r\n
//! * it closes
//! ```
//!
//! The first line names the example that is the server, with its settings before it. `>` is what you
//! send, `<` what comes back. Nothing is added at the end of a line: `\r` is CR (0d hex), `\n` is LF
//! (0a hex), `\t` is a tab, `\\` a backslash, and `\xff` any other byte. `< …` stands for lines that
//! are left out. Lines with `*` say what is no byte: `it closes` (the server has ended its side), `you
//! close` (you end yours, by Ctrl-D in `wire`), `nothing comes`.
//!
//! `wire` marks no side, and draws CR LF as `␍␊`. It sends CR LF wherever you press Enter. Where a line
//! has another end than `\r\n`, or something with a backslash before it, use
//! `cargo run --example wire -- --raw 127.0.0.1:8000`: that sends nothing at Enter, and you can type what
//! stands behind a `>` as it is, escapes and all. The tests of this repository play every transcript
//! against its server; only the date differs.

/// Mounts the chapters, each with links to its neighbours.
macro_rules! chapters {
    ($($module:ident $file:literal $title:literal;)*) => {
        chapters! { @ "[Contents](self)"; $($module $file $title;)* }
    };
    (@ $back:expr; $module:ident $file:literal $title:literal;) => {
        #[doc = include_str!($file)]
        #[doc = concat!("\n\n---\n\n", $back)]
        pub mod $module {}
    };
    (@ $back:expr; $module:ident $file:literal $title:literal; $next:ident $next_file:literal $next_title:literal; $($rest:tt)*) => {
        #[doc = include_str!($file)]
        #[doc = concat!("\n\n---\n\n", $back, " · Next: [", $next_title, "](", stringify!($next), ")")]
        pub mod $module {}

        chapters! {
            @ concat!("Before: [", $title, "](", stringify!($module), ") · [Contents](self)");
            $next $next_file $next_title; $($rest)*
        }
    };
}

chapters! {
    _01_be_the_server "01_be_the_server.md" "Be the server";
    _02_the_request_line "02_the_request_line.md" "The request line";
    _03_fields "03_fields.md" "Fields";
    _04_until_it_is_whole "04_until_it_is_whole.md" "Reading until it is whole";
    _05_where_the_body_ends "05_where_the_body_ends.md" "Where the body ends";
    _06_chunks "06_chunks.md" "Chunks";
    _07_the_answer "07_the_answer.md" "The answer";
    _08_keep_and_close "08_keep_and_close.md" "Keep and close";
    _09_a_thread_each "09_a_thread_each.md" "A thread each";
    _10_hostile_bytes "10_hostile_bytes.md" "Hostile bytes";
    _11_the_bookmark_server "11_the_bookmark_server.md" "The bookmark server";
    attacks "attacks.md" "Past attacks";
    threats "threats.md" "Threat model";
    beside_python "beside_python.md" "Beside the course's server";
    abnf "abnf.md" "Index of the grammar";
}

#[doc = include_str!("teaching.md")]
pub mod teaching {}
