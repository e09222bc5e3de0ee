//! A response, changed on its way: by the handler that made it, or by middleware around that.
//!
//! Each step takes the response and gives it back. What would make two statements of one, such as a
//! second framing, or a status that is none, is refused where it is written.

use std::borrow::Cow;
use std::error::Error;

use crate::response::{CONTENT_TYPE, Reply, final_status};
use crate::value::{FieldValue, check_name};
use crate::wire::Status;

impl Reply<'_> {
    /// The same with another status.
    ///
    /// # Panics
    /// If `status` is an interim one (1xx), or the response is an [`upgrade`](Self::upgrade), which is
    /// a 101 and nothing else.
    #[track_caller]
    pub fn status(mut self, status: Status) -> Self {
        assert!(!self.status.is_interim(), "status {status}: an upgrade is a 101");
        self.status = final_status(status);
        self
    }

    /// The same with this field line, in place of those of the same name.
    ///
    /// # Panics
    /// If the name is no token, or one of Connection, Content-Length, Keep-Alive, Transfer-Encoding
    /// and Upgrade, which are written by the server. In a handler this becomes a 500.
    ///
    /// A literal becomes a value by itself; what is put together is [checked](FieldValue::new):
    ///
    /// ```
    /// use longhand::{FieldValue, Response, Status};
    ///
    /// fn created(name: &str) -> Result<Response, Response> {
    ///     let location = FieldValue::new(format!("/notes/{name}"))?;
    ///     Ok(Response::text("saved\n").status(Status::CREATED).field("Location", location))
    /// }
    /// assert_eq!(created("a").unwrap().field_value("Location").unwrap().as_bytes(), b"/notes/a");
    /// assert!(created("a\r\nSet-Cookie: b=c").is_err());
    /// ```
    #[doc(alias = "header")]
    #[track_caller]
    pub fn field(self, name: impl Into<Cow<'static, str>>, value: impl Into<FieldValue>) -> Self {
        let name = name.into();
        self.without_field(&name).add_field(name, value)
    }

    /// The same with one more field line: for Set-Cookie and others that may stand several times.
    ///
    /// # Panics
    /// As [`field`](Self::field).
    #[track_caller]
    pub fn add_field(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<FieldValue>,
    ) -> Self {
        let name = name.into();
        check_name(&name);
        if self.media_type.is_none() && name.eq_ignore_ascii_case(CONTENT_TYPE) {
            self.media_type = Some(value.into());
        } else {
            self.fields.push((name, value.into()));
        }
        self
    }

    /// The same without the field lines of this name.
    pub fn without_field(mut self, name: &str) -> Self {
        if name.eq_ignore_ascii_case(CONTENT_TYPE) {
            self.media_type = None;
        }
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// The same with the body of another response and its Content-Type: a refusal that was made
    /// elsewhere, in one's own words. Its status, its other fields, the error behind it, and whether
    /// it closes, stay.
    ///
    /// ```
    /// # use longhand::{IntoResponse, Response, Status};
    /// /// What a router answers, as the clients of this program read it.
    /// fn in_json(reply: Response) -> Response {
    ///     match reply.status_code() {
    ///         Status::METHOD_NOT_ALLOWED => reply.with_body_of(Response::json("{\"error\":\"method\"}")),
    ///         _ => reply,
    ///     }
    /// }
    /// let refused = Status::METHOD_NOT_ALLOWED.into_response().field("Allow", "GET, HEAD");
    /// let refused = in_json(refused);
    /// assert_eq!(refused.status_code(), Status::METHOD_NOT_ALLOWED);
    /// assert_eq!(refused.field_value("Allow").unwrap().as_bytes(), b"GET, HEAD");
    /// assert_eq!(refused.body_bytes(), Some(&b"{\"error\":\"method\"}"[..]));
    /// ```
    ///
    /// # Panics
    /// If one of them is an [`upgrade`](Self::upgrade), which has no body.
    #[track_caller]
    pub fn with_body_of(self, other: Self) -> Self {
        let switches = self.status.is_interim() || other.status.is_interim();
        assert!(!switches, "an upgrade has no body, and takes none");
        let mut reply = self.without_field(CONTENT_TYPE);
        (reply.media_type, reply.content) = (other.media_type, other.content);
        reply
    }

    /// The same with the error behind it, which the [observer](crate::Answered::error) is told and
    /// the peer is not.
    pub fn because(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.rare().cause = Some(error.into());
        self
    }

    /// The same, after which the connection is closed.
    pub fn close(mut self) -> Self {
        self.close = true;
        self
    }
}
