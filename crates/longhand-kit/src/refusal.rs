//! How an error that a client has caused becomes a response under `?`.
//!
//! A macro, because no `impl<E: IntoResponse> From<E> for Reply` can be: `Reply` is another crate's,
//! and there it would meet std's `From<T> for T`.

/// Writes `From<$error> for Reply<'_>`, of which `Response` is one, from the error's `IntoResponse`: so
/// a handler or a guard that fails with a response may use `?`.
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
