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

/// Writes `Debug` as the `Display` of the error of a setting: what `main` returns is shown by its
/// `Debug`, and that is read by whoever wrote the setting.
macro_rules! shown_as_text {
    ($error:ty) => {
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use {refusal, shown_as_text};
