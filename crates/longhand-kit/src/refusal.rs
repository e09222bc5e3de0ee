//! How an error that a client has caused becomes a response under `?`.

/// Writes `From<$error> for Response` from the error's `IntoResponse`, so that a handler or a guard
/// that fails with a response may use `?`.
macro_rules! refusal {
    ($error:ty) => {
        impl From<$error> for longhand::Reply<'_> {
            fn from(error: $error) -> Self {
                longhand::IntoResponse::into_response(error)
            }
        }
    };
}

pub(crate) use refusal;
