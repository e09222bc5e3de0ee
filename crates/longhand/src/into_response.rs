//! What a handler may return: everything that stands for a response.

use std::io;

use crate::response::Reply;
use crate::wire::Status;

/// What a handler may return.
pub trait IntoResponse<'s> {
    /// The response it stands for.
    fn into_response(self) -> Reply<'s>;
}

impl<'s, 'a: 's> IntoResponse<'s> for Reply<'a> {
    fn into_response(self) -> Reply<'s> {
        self
    }
}

/// 200 with the text.
impl<'s> IntoResponse<'s> for &'static str {
    fn into_response(self) -> Reply<'s> {
        Reply::text(self)
    }
}

/// 200 with the text.
impl<'s> IntoResponse<'s> for String {
    fn into_response(self) -> Reply<'s> {
        Reply::text(self)
    }
}

/// A response of this status whose body is its name, or none where it cannot have one.
impl<'s> IntoResponse<'s> for Status {
    fn into_response(self) -> Reply<'s> {
        if self.never_has_body() {
            Reply::new(self)
        } else {
            Reply::text(format!("{self}\n")).status(self)
        }
    }
}

/// 500, without a word of what the error says. A failed body is answered by the connection with its
/// own status instead.
impl<'s> IntoResponse<'s> for io::Error {
    fn into_response(self) -> Reply<'s> {
        Status::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<'s, T: IntoResponse<'s>, E: IntoResponse<'s>> IntoResponse<'s> for Result<T, E> {
    fn into_response(self) -> Reply<'s> {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}
