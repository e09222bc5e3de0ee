//! What is said where something does not go: one line each, ended by its full stop.

use std::fmt::Display;

use longhand_kit::cross_origin::CrossOrigin;

use crate::store::StoreError;

/// 400: a field of the form is absent or empty.
pub(crate) fn missing(field: &str) -> String {
    format!(
        "The form field `{field}` is missing or empty. Both `longuri` and `shortname` are needed."
    )
}

/// 400: the body is not what a form sends.
pub(crate) fn not_a_form(bad: &impl Display) -> String {
    let bad = bad.to_string();
    format!("Nothing was done: the body is not a form: {}.", bad.trim_end_matches('.'))
}

/// 400: a name that is against the rules.
pub(crate) fn bad_name(refused: &impl Display) -> String {
    format!("Not saved. {refused}.")
}

/// 404: a URI that is against the rules.
pub(crate) fn bad_uri(uri: &str, refused: &impl Display) -> String {
    let start: String = uri.chars().take(2048).collect();
    format!("Not saved: \"{start}\" cannot be fetched. {refused}.")
}

/// 403: the guard's reason.
pub(crate) fn forbidden(reason: &CrossOrigin) -> String {
    let hint = match reason {
        CrossOrigin::OtherHost { .. } => " (behind a proxy, set BASE_URL)",
        _ => "",
    };
    format!("Nothing was done: {reason}{hint}.")
}

/// 404: nothing is saved under this name. It arrives decoded.
pub(crate) fn unknown(name: &str) -> String {
    format!("I don't know the name \"{name}\". Names are case-sensitive; / lists them.")
}

/// 404: the URI gave another answer than 200.
pub(crate) fn other_status(uri: &str, status: u16) -> String {
    format!(
        "Not saved: {uri} answered with the status {status}. Only what answers with 200 is saved."
    )
}

/// 404: the URI led from one to the next.
pub(crate) fn redirects(uri: &str) -> String {
    format!("Not saved: {uri} leads on by more redirects than are followed.")
}

/// 404: the URI did not answer. Why is not said: see `check.rs`.
pub(crate) fn unanswered(uri: &str) -> String {
    format!("Not saved: {uri} did not answer with status 200 within 5 seconds, or is not public.")
}

/// 400: the bookmark would lead to itself.
pub(crate) fn circle(name: &str) -> String {
    format!("Not saved: \"{name}\" would lead back to itself.")
}

/// 409: it was changed since the form was made.
pub(crate) fn changed(name: &str, leads: Option<&str>) -> String {
    match leads {
        Some(uri) => format!("Nothing was changed: \"{name}\" leads to {uri} meanwhile."),
        None => format!("Nothing was changed: \"{name}\" was deleted meanwhile."),
    }
}

/// 405, beside an `Allow` field with the same list.
pub(crate) fn not_allowed(method: &str, allowed: &str) -> String {
    format!("The method {method} is not for this address. Allowed: {allowed}.")
}

/// 400: a query that no link of the list has.
pub(crate) fn bad_query(name: &str, found: &str, wanted: &str) -> String {
    format!("The query `{name}={found}`: wanted {wanted}.")
}

/// 500: the store failed, for a reason that is in the log.
pub(crate) const NOT_STORED: &str =
    "Nothing was changed: writing failed. Whoever runs this server finds why in its log.";

/// 500: the store could not be read, for a reason that is in the log.
pub(crate) const NOT_READ: &str =
    "The bookmarks cannot be read. Whoever runs this server finds why in its log.";

/// 503: the store is not there at the moment.
pub(crate) const AWAY: &str =
    "The bookmarks are out of reach at this moment. Please try again shortly.";

/// 503: the store is not there at the moment, or went away before it had answered to a change.
pub(crate) const AWAY_IN_CHANGE: &str = "The bookmarks are out of reach at this moment, and whether this was \
     still done is not known. Please look, and try again shortly.";

/// Why an import ended before its end.
pub(crate) fn stopped(error: &StoreError) -> &'static str {
    match error {
        StoreError::Away(_) => "The bookmarks are out of reach at this moment.",
        StoreError::Failed(_) => "Writing failed; whoever runs this server finds why in its log.",
    }
}

/// A bookmark of an import that was not looked at.
pub(crate) const NOT_LOOKED_UP: &str = "the bookmarks could not be read at that moment";

/// What a change is told that the store did not take.
pub(crate) fn not_stored(error: &StoreError) -> &'static str {
    match error {
        StoreError::Away(_) => AWAY_IN_CHANGE,
        StoreError::Failed(_) => NOT_STORED,
    }
}

/// 503: no place for a check.
pub(crate) const BUSY: &str =
    "Not saved: too many URIs are being checked at this moment. Please try again shortly.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Name, Uri};
    use longhand_kit::form::Form;

    #[test]
    fn refusals_name_what_they_are_about_and_end_with_a_full_stop() {
        assert!(unknown("käse").contains("\"käse\""));
        assert!(unanswered("http://a/").contains("http://a/"));
        let refused = Uri::parse("ftp://a/").unwrap_err();
        assert_eq!(
            bad_uri("ftp://a/", &refused),
            "Not saved: \"ftp://a/\" cannot be fetched. \
             URI: wanted the scheme http or https, found `ftp`."
        );
        let refused = Name::parse(".a").unwrap_err();
        let others = [
            missing("longuri"),
            forbidden(&CrossOrigin::OtherHost {
                origin: "http://a".parse().unwrap(),
                host: "b".to_owned(),
            }),
            not_allowed("PUT", "GET"),
            bad_name(&refused),
            bad_query("sort", "x", "name, newest or visits"),
            circle("a"),
            changed("a", None),
            changed("a", Some("http://a/")),
            other_status("http://a/", 404),
            redirects("http://a/"),
            not_a_form(&Form::parse("a=%").unwrap_err()),
        ];
        for text in others.iter().map(String::as_str).chain([NOT_STORED, NOT_READ, AWAY, BUSY]) {
            assert!(text.ends_with('.') && !text.contains('\n'), "{text}");
        }
    }
}
