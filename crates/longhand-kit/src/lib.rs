//! What web programs put on top of longhand.
