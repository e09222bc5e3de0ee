//! Six exchanges, every byte of them explained: a page of the documentation, and one that stands
//! alone.
//!
//! They are played, not written: a client's bytes go through the server, both sides are recorded,
//! and drawn by what draws the live pages. So they cannot say what the parser does not.

use std::io::{self, Write};
use std::time::Duration;

use longhand::transport::Scripted;
use longhand::{FieldValue, Response};
use longhand_kit::form::Form;
use longhand_kit::html::Html;
use longhand_kit::router::Router;

use crate::exchange::Connection;
use crate::file::played;
use crate::page;

/// What a client does, and why that is worth a look.
struct Scene {
    title: &'static str,
    words: &'static str,
    /// What it sends, piece by piece: a read may hold several, or a part of one.
    sends: &'static [&'static str],
}

const SCENES: [Scene; 6] = [
    Scene {
        title: "GET: a line, a field, an empty line",
        words: "The least that a client of HTTP/1.1 can send, and what comes back. Lines end with \
                two bytes; one that is empty ends the head.",
        sends: &["GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    },
    Scene {
        title: "POST: a form in a body",
        words: "The empty line ends the head and not the request. Content-Length tells how many \
                bytes follow; in a form, + is a blank and %21 an exclamation mark, and HTTP does not \
                care.",
        sends: &[
            "POST /words HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 16\r\n\r\n",
            "word=good+day%21",
        ],
    },
    Scene {
        title: "Chunks, and a trailer",
        words: "Who does not know the length beforehand sends pieces that each tell their own, in \
                hexadecimal. A size of zero ends them; fields may follow, and an empty line. The \
                answer sends the same back in the same way.",
        sends: &[
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
            "10\r\nsixteen letters,\r\n",
            "4\r\nfour\r\n0\r\nNote: the end\r\n\r\n",
        ],
    },
    Scene {
        title: "Two requests on one connection",
        words: "A connection stays open until one side says that it will not. So the end of each \
                message must be known: the next byte begins the next one. Here the second comes in \
                two reads, and says that it is the last.",
        sends: &[
            "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: localh",
            "ost\r\nConnection: close\r\n\r\n",
        ],
    },
    Scene {
        title: "303: look there instead",
        words: "A form has been taken, and the answer is another address, which the client asks for \
                with GET. So reloading the page that comes of it sends nothing twice.",
        sends: &[
            "POST /words?next HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 6\r\n\r\nword=a",
            "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ],
    },
    Scene {
        title: "Refused: one byte is missing",
        words: "What nc sends when Enter is pressed: LF without CR. The parser stops at that byte, \
                and does not look at what follows.",
        sends: &["GET /hello HTTP/1.1\nHost: localhost\n\n"],
    },
];

const TITLE: &str = "HTTP/1.1, every byte explained";
const LEAD: &str = "Six exchanges between a client and a server, recorded and drawn by the server's own \
                    parser. Choose some bytes, and they lead to what they mean.";

impl Scene {
    fn played(&self) -> Connection {
        let pause = Duration::from_millis(100);
        let client =
            self.sends.iter().fold(Scripted::new(), |peer, piece| peer.send(piece).wait(pause));
        let server = server();
        played(client.end(), false, |request| server.handle(request))
    }

    /// Both sides of all its exchanges. `number` tells scenes of a page apart.
    fn drawn(&self, number: usize) -> Html {
        let mut html = Html::new();
        for exchange in &self.played().exchanges {
            html.piece(&page::whole(exchange, &format!("x{number}{}", exchange.number)));
        }
        html
    }
}

/// The server of the scenes.
fn server() -> Router<'static> {
    Router::new()
        .route("GET /hello", |_| Response::text("Hello\n"))
        .route("POST /words", |request| {
            let word = Form::read(request)?.first("word").unwrap_or_default().to_owned();
            Ok::<_, Response>(match request.query() {
                Some(_) => Response::redirect("/hello"),
                None => Response::text(format!("noted: {word}\n")),
            })
        })
        .route("POST /echo", |request| {
            let body = request.body().read_all()?;
            let note = request.trailers().iter().next().map(|(_, value)| value.to_vec());
            Ok::<_, Response>(Response::stream("text/plain", move |out| {
                out.write_all(&body)?;
                let note = String::from_utf8(note.unwrap_or_default()).unwrap_or_default();
                out.trailer("Note", FieldValue::new(note).map_err(io::Error::other)?);
                Ok(())
            }))
        })
}

/// A page that stands alone.
pub(crate) fn standalone() -> String {
    let mut html = page::begin(TITLE, LEAD);
    for (number, scene) in (1..).zip(&SCENES) {
        html.raw("<section>\n<h2>")
            .raw(scene.title)
            .raw("</h2>\n<p>")
            .raw(scene.words)
            .raw("</p>\n");
        html.piece(&scene.drawn(number)).raw("</section>\n");
    }
    page::end(&mut html);
    html.into_string()
}

/// The same as a page of the documentation: Markdown, with the drawings as HTML, in which no line is
/// empty, since that would end it.
pub(crate) fn markdown() -> String {
    let mut text =
        format!("# {TITLE}\n\n{LEAD}\n\n<style>{}{}</style>\n", page::BYTES_CSS, page::THEMES_CSS);
    for (number, scene) in (1..).zip(&SCENES) {
        let drawn = scene.drawn(number);
        let (title, words) = (scene.title, scene.words);
        text +=
            &format!("\n## {title}\n\n{words}\n\n<div class=\"xray\">\n{}</div>\n", drawn.as_str());
    }
    text
}
