//! A form out of a request: its body or its query string.
//!
//! What enters is a request; what leaves is the form, or a refusal with its status. A body of another
//! type is turned down with 415 before a byte of it is read (RFC 9110 section 15.5.16), and one that
//! declares too much with 413. The body's own limits and deadlines hold besides.

use std::io::{self, Read};

use longhand::{Refusal, Request, Status};

use super::Form;
use crate::content_type::{content_type, unpacked, unsupported};

const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Bytes of a body that [`Form::read`] takes: 1 MiB. What somebody types is far less, and every
/// connection may hold three times that while it decodes a form. [`Form::read_within`] takes another
/// number.
pub const MAX_BYTES: u64 = 1 << 20;

impl Form {
    /// Reads the form in the query string; without one, an empty form.
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// # use longhand_kit::form::Form;
    /// fn search(request: &mut Request<'_>) -> Result<Response, Response> {
    ///     let form = Form::query(request)?;
    ///     Ok(Response::text(format!("You look for {:?}\n", form.first("q").unwrap_or_default())))
    /// }
    /// # use longhand::{Limits, serve_connection, transport::Scripted};
    /// # let mut client = Scripted::new().send("GET /?q=a+b HTTP/1.1\r\nHost: x\r\n\r\n").end();
    /// # serve_connection(&mut client, &Limits::default(), search);
    /// # assert!(client.output_text().ends_with("You look for \"a b\"\n"));
    /// ```
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn query(request: &Request<'_>) -> Result<Self, Refusal> {
        Self::parse(request.query().unwrap_or_default())
    }

    /// Reads the form in the body, of at most [`MAX_BYTES`].
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// # use longhand_kit::form::Form;
    /// fn greet(request: &mut Request<'_>) -> Result<Response, Response> {
    ///     let form = Form::read(request)?;
    ///     Ok(Response::text(format!("Hello, {}\n", form.first("name").unwrap_or("whoever you are"))))
    /// }
    /// # use longhand::{Limits, serve_connection, transport::Scripted};
    /// # let mut client = Scripted::new().send(
    /// #     "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
    /// #      Content-Length: 8\r\n\r\nname=Ada").end();
    /// # serve_connection(&mut client, &Limits::default(), greet);
    /// # assert!(client.output_text().ends_with("Hello, Ada\n"));
    /// ```
    ///
    /// The Content-Type must be `application/x-www-form-urlencoded`, in any case. Its
    /// parameters do not matter, except for a `charset` other than UTF-8, which is refused, as is a
    /// Content-Encoding. A request
    /// without Content-Type and without a body is an empty form: that is how some clients send one.
    ///
    /// # Errors
    /// A [`Refusal`] that fits, 415, 413 or 400, or the failure of the body. A handler that fails with a
    /// [`Response`](longhand::Response) passes them on with `?`; one that answers in its own words does
    /// so with the same status:
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// # use longhand_kit::{form::Form, html::Html};
    /// fn save(request: &mut Request<'_>) -> Response {
    ///     match Form::read(request) {
    ///         Ok(_) => Response::redirect("/"),
    ///         Err(error) => {
    ///             let mut page = Html::new();
    ///             page.raw("<!doctype html><title>Not saved</title><p>").text(&error);
    ///             Response::html(page.into_string()).status(Response::from(error).status_code())
    ///         }
    ///     }
    /// }
    /// # use longhand::{Limits, serve_connection, transport::Scripted};
    /// # let mut client = Scripted::new().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n?").end();
    /// # serve_connection(&mut client, &Limits::default(), save);
    /// # assert!(client.output_text().starts_with("HTTP/1.1 415 "));
    /// # assert!(client.output_text().ends_with("<p>Content-Type: expected application/x-www-form-urlencoded in UTF-8, found none"));
    /// ```
    pub fn read(request: &mut Request<'_>) -> io::Result<Self> {
        Self::read_within(request, MAX_BYTES)
    }

    /// Reads the form in the body, of at most `bytes` bytes. It cannot have more than any body may: [`Limits::body`](longhand::Limits::body), or what
    /// [`Body::limit`](longhand::Body::limit) set.
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// use longhand_kit::form::{Form, MAX_BYTES};
    ///
    /// fn publish(request: &mut Request<'_>) -> Result<Response, Response> {
    ///     let form = Form::read_within(request, 4 * MAX_BYTES)?; // a long text
    ///     Ok(Response::text(format!("{} bytes\n", form.first("text").map_or(0, str::len))))
    /// }
    /// # use longhand::{Limits, serve_connection, transport::Scripted};
    /// # let head = |length| format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\
    /// #     Content-Type: application/x-www-form-urlencoded\r\n\r\n");
    /// # let mut client = Scripted::new().send(head(8)).send("text=abc").send(head(4_194_305)).end();
    /// # serve_connection(&mut client, &Limits::default(), publish);
    /// # assert!(client.output_text().contains("\r\n\r\n3 bytes\n"));
    /// # assert!(client.output_text().ends_with("form: expected at most 4194304 bytes\n"), "{}", client.output_text());
    /// ```
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_within(request: &mut Request<'_>, bytes: u64) -> io::Result<Self> {
        let declared = request.body().remaining();
        match content_type(request) {
            Some(media_type) if media_type.is(MEDIA_TYPE) && media_type.is_utf8() => {}
            None if declared == Some(0) && request.field("Content-Type").is_none() => {
                return Ok(Self::default());
            }
            _ => {
                let wanted = "application/x-www-form-urlencoded in UTF-8";
                return Err(unsupported(request, MEDIA_TYPE, wanted).into());
            }
        }
        unpacked(request)?;
        let mut encoded = Vec::new();
        if declared.is_none_or(|length| length <= bytes) {
            request.body().take(bytes.saturating_add(1)).read_to_end(&mut encoded)?;
        }
        if declared.unwrap_or(encoded.len() as u64) > bytes {
            let text = format!("form: expected at most {bytes} bytes");
            return Err(Refusal::new(Status::CONTENT_TOO_LARGE, text).into());
        }
        Ok(Self::parse(encoded)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    /// Status and body of the answer to a POST whose head ends with `fields`.
    fn post(fields: &str, body: &str, limits: &Limits) -> (String, String) {
        let request =
            format!("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n{body}");
        let mut client = Scripted::new().send(request).end();
        serve_connection(&mut client, limits, |request: &mut Request<'_>| {
            let form = Form::read_within(request, 20)?;
            Ok::<_, Response>(Response::text(format!("{:?}", form.iter().collect::<Vec<_>>())))
        });
        let output = client.output_text();
        let (head, body) = output.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.contains("\r\nAccept: "), head.contains(" 415 "), "{head}");
        (head[9..12].to_owned(), body.trim_end().to_owned())
    }

    #[test]
    fn a_packed_form_is_refused_and_not_read_as_it_is() {
        let answer = |coding: &str| {
            let mut client = Scripted::new()
                .send(format!(
                    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {MEDIA_TYPE}\r\n\
                     Content-Encoding: {coding}\r\nContent-Length: 3\r\n\r\na=b"
                ))
                .end();
            serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
                let form = Form::read(request)?;
                Ok::<_, Response>(Response::text(form.first("a").unwrap_or_default().to_owned()))
            });
            client.output_text()
        };
        let refused = answer("br");
        assert!(refused.starts_with("HTTP/1.1 415 "), "{refused}");
        assert!(refused.contains("\r\nAccept-Encoding: identity\r\n"), "{refused}");
        assert!(refused.contains("Content-Encoding: expected none, found \"br\""), "{refused}");
        assert!(answer("Identity").ends_with("\r\n\r\nb"));
    }

    #[test]
    fn a_form_is_read_from_bodies_of_its_type_alone() {
        let wanted = "Content-Type: expected application/x-www-form-urlencoded in UTF-8, found";
        for (content_type, status, text) in [
            ("application/x-www-form-urlencoded", "200", r#"[("a", "b")]"#.to_owned()),
            ("Application/X-WWW-Form-urlencoded", "200", r#"[("a", "b")]"#.to_owned()),
            (
                "application/x-www-form-urlencoded; charset=\"UTF-8\"; x=y",
                "200",
                r#"[("a", "b")]"#.to_owned(),
            ),
            ("text/plain", "415", format!("{wanted} \"text/plain\"")),
            (
                "application/x-www-form-urlencoded2",
                "415",
                format!("{wanted} \"application/x-www-form-urlencoded2\""),
            ),
            (
                "application/x-www-form-urlencoded; charset=latin1",
                "415",
                format!("{wanted} \"application/x-www-form-urlencoded; charset=latin1\""),
            ),
            (
                "application/x-www-form-urlencoded, text/plain",
                "415",
                format!("{wanted} \"application/x-www-form-urlencoded, text/plain\""),
            ),
            (
                "application/x-www-form-urlencoded\r\nContent-Type: text/plain",
                "415",
                format!("{wanted} \"several lines of it\""),
            ),
            ("", "415", format!("{wanted} \"\"")),
        ] {
            let fields = format!("Content-Type: {content_type}\r\nContent-Length: 3\r\n");
            assert_eq!(
                post(&fields, "a=b", &Limits::default()),
                (status.to_owned(), text),
                "{content_type}"
            );
        }
    }

    #[test]
    fn without_a_content_type_only_nothing_is_a_form() {
        let answer = |fields, body| post(fields, body, &Limits::default());
        assert_eq!(answer("Content-Length: 0\r\n", ""), ("200".into(), "[]".into()));
        assert_eq!(answer("", ""), ("200".into(), "[]".into()));
        let (status, text) = answer("Content-Length: 3\r\n", "a=b");
        assert_eq!((&*status, text.ends_with("found none")), ("415", true), "{text}");
    }

    #[test]
    fn a_body_has_the_smaller_of_two_limits_and_keeps_its_own_failures() {
        const TYPE: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
        let small = Limits { body: 10, ..Limits::default() };
        let chunked = "Transfer-Encoding: chunked\r\n";
        for (fields, body, limits, status, start) in [
            ("Content-Length: 20\r\n", "a=345678901234567890", &Limits::default(), "200", "[("),
            (
                "Content-Length: 21\r\n",
                "a=3456789012345678901",
                &Limits::default(),
                "413",
                "form: expected at most 20 bytes",
            ),
            (chunked, "14\r\na=345678901234567890\r\n0\r\n\r\n", &Limits::default(), "200", "[("),
            (
                chunked,
                "15\r\na=3456789012345678901\r\n0\r\n\r\n",
                &Limits::default(),
                "413",
                "form: ",
            ),
            ("Content-Length: 11\r\n", "a=345678901", &small, "413", "body-too-large"),
            (chunked, "x", &small, "400", "chunk-size"),
            ("Content-Length: 11\r\n", "a=3", &Limits::default(), "400", "ended-in-body"),
            (
                "Content-Length: 3\r\n",
                "a=%",
                &Limits::default(),
                "400",
                "form field 1 (\"a\"), byte 2",
            ),
        ] {
            let (got, text) = post(&format!("{TYPE}{fields}"), body, limits);
            assert_eq!(got, status, "{fields}{body}: {text}");
            assert!(text.starts_with(start), "{fields}{body}: {text}");
        }
    }

    #[test]
    fn a_declared_length_too_large_is_refused_unread() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\r\n";
        let mut client = Scripted::new().send(head).end();
        serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
            Form::read(request).map(|_| Response::text("read"))
        });
        assert!(client.output_text().starts_with("HTTP/1.1 413 "), "{}", client.output_text());
    }
}
