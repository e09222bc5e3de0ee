//! The forms: to add a bookmark, to change one, to delete one, to sign in, to import.
//!
//! What was entered and what is wrong with it come in; the form leaves with its fields filled again and
//! what is wrong beside the field that it is about, tied to it for those who do not see it.

use longhand_kit::form::Form;
use longhand_kit::html::Html;

use super::{Reader, address, page};

/// What somebody has entered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entered {
    pub(crate) longuri: String,
    pub(crate) shortname: String,
}

impl Entered {
    /// What a form holds, or the query of a link that fills it in.
    pub(crate) fn of(form: &Form) -> Self {
        let text = |name| value(form, name).unwrap_or_default().to_owned();
        Self { longuri: text("longuri"), shortname: text("shortname") }
    }
}

/// The value of a field. Blanks come along with what is pasted; an empty field counts as none, also
/// before others.
pub(crate) fn value<'f>(form: &'f Form, field: &str) -> Option<&'f str> {
    form.all(field).map(str::trim).find(|value| !value.is_empty())
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    LongUri,
    ShortName,
    Password,
    File,
    /// The form as a whole.
    Form,
}

/// What is wrong, and with what.
pub(crate) type Wrong<'w> = Option<(Field, &'w str)>;

/// The form that saves. Without an action, as the course has it: any address takes it.
pub(crate) fn add(entered: &Entered, wrong: Wrong<'_>) -> Html {
    let mut form = Html::new();
    whole(&mut form, wrong);
    form.raw("<form method=\"POST\" class=\"card add\">\n");
    long_uri(&mut form, &entered.longuri, wrong);
    form.raw("<div>\n<label for=\"shortname\">Short name</label>\n");
    form.raw("<input type=\"text\" id=\"shortname\" name=\"shortname\" required maxlength=\"100\"");
    form.raw(" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"");
    form.attribute("value", &entered.shortname);
    describe(&mut form, "shortname", Field::ShortName, wrong);
    form.raw("<p class=\"hint\" id=\"shortname-hint\">");
    form.raw("A name that is taken will lead to the new URI.</p>\n</div>\n");
    form.raw("<button type=\"submit\">Save it!</button>\n</form>\n");
    form
}

fn long_uri(form: &mut Html, value: &str, wrong: Wrong<'_>) {
    form.raw("<div>\n<label for=\"longuri\">Long URI</label>\n");
    form.raw("<input type=\"text\" id=\"longuri\" name=\"longuri\" required maxlength=\"2048\"");
    form.raw(
        " inputmode=\"url\" autocomplete=\"url\" autocapitalize=\"none\" spellcheck=\"false\"",
    );
    form.raw(" placeholder=\"https://…\"").attribute("value", value);
    describe(form, "longuri", Field::LongUri, wrong);
    form.raw("<p class=\"hint\" id=\"longuri-hint\">");
    form.raw("It is saved if it answers within 5 seconds.</p>\n</div>\n");
}

/// Ends an input's tag, with what describes it; and says what is wrong with it.
fn describe(form: &mut Html, id: &'static str, field: Field, wrong: Wrong<'_>) {
    let Some((_, text)) = wrong.filter(|(about, _)| *about == field) else {
        form.attribute("aria-describedby", format_args!("{id}-hint")).raw(">\n");
        return;
    };
    form.attribute("aria-describedby", format_args!("{id}-wrong {id}-hint"));
    form.raw(" aria-invalid=\"true\" autofocus>\n<p class=\"wrong\"");
    form.attribute("id", format_args!("{id}-wrong"))
        .raw(" role=\"alert\">")
        .text(text)
        .raw("</p>\n");
}

/// What is wrong with no field, above all of them.
fn whole(form: &mut Html, wrong: Wrong<'_>) {
    if let Some((Field::Form, text)) = wrong {
        form.raw("<p class=\"alert\" role=\"alert\">").text(text).raw("</p>\n");
    }
}

/// A page with nothing but the form that saves, for what could not be saved.
pub(crate) fn not_saved(reader: Reader, entered: &Entered, wrong: Wrong<'_>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Not saved</h1>\n").piece(&add(entered, wrong));
    content.raw("<p><a href=\"/\">All bookmarks</a></p>\n");
    page("Not saved – Bookmark Server", reader, &content)
}

/// The page that changes where a name leads. It sends along where it `was` led when the page was made.
pub(crate) fn edit(reader: Reader, name: &str, was: &str, entered: &str, wrong: Wrong<'_>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Edit <bdi>").text(name).raw("</bdi></h1>\n");
    whole(&mut content, wrong);
    content.raw("<p>It leads to <a").attribute("href", was).raw(">").text(was).raw("</a></p>\n");
    content.raw("<form method=\"post\" class=\"card\"");
    content.attribute("action", format_args!("/.edit/{}", address(name))).raw(">\n");
    content.raw("<input type=\"hidden\" name=\"was\"").attribute("value", was).raw(">\n");
    long_uri(&mut content, entered, wrong);
    content.raw("<button type=\"submit\">Replace it</button>\n</form>\n<p class=\"actions\">");
    content.raw("<a").attribute("href", format_args!("/.delete/{}", address(name)));
    content.raw(">Delete…</a> <a").attribute("href", format_args!("/.details/{}", address(name)));
    content.raw(">Details</a> <a href=\"/\">All bookmarks</a></p>\n");
    page(&format!("Edit {name} – Bookmark Server"), reader, &content)
}

/// The page that asks before a bookmark is deleted.
pub(crate) fn delete(reader: Reader, name: &str, was: &str, wrong: Wrong<'_>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Delete <bdi>").text(name).raw("</bdi>?</h1>\n");
    whole(&mut content, wrong);
    content.raw("<form method=\"post\" class=\"card\"");
    content.attribute("action", format_args!("/.delete/{}", address(name))).raw(">\n");
    content.raw("<p>It leads to <a").attribute("href", was).raw(">").text(was).raw("</a>.");
    content.raw(" Its visits are forgotten with it.</p>\n");
    content.raw("<input type=\"hidden\" name=\"was\"").attribute("value", was).raw(">\n");
    content.raw("<p class=\"actions\"><button type=\"submit\" class=\"danger\">Delete it</button>");
    content.raw(" <a").attribute("href", format_args!("/.details/{}", address(name)));
    content.raw(">Keep it</a></p>\n</form>\n");
    page(&format!("Delete {name}? – Bookmark Server"), reader, &content)
}

/// The page to sign in; `next` is where one wanted to go.
pub(crate) fn sign_in(next: &str, wrong: Wrong<'_>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Sign in</h1>\n");
    whole(&mut content, wrong);
    content.raw("<form method=\"post\" action=\"/.login\" class=\"card\">\n");
    content.raw("<input type=\"hidden\" name=\"next\"").attribute("value", next).raw(">\n");
    // Password managers want a user's name beside it, and there is one user.
    content.raw("<input type=\"text\" name=\"username\" value=\"bookmark\"");
    content.raw(" autocomplete=\"username\" hidden>\n<label for=\"password\">Password</label>\n");
    content.raw("<input type=\"password\" id=\"password\" name=\"password\" required");
    content.raw(" autocomplete=\"current-password\"");
    describe(&mut content, "password", Field::Password, wrong);
    content.raw("<p class=\"hint\" id=\"password-hint\">Whoever runs this server knows it.</p>\n");
    content.raw("<button type=\"submit\">Sign in</button>\n</form>\n");
    page("Sign in – Bookmark Server", Reader { locked: true, signed_in: false }, &content)
}

/// The page between signing in and a bookmark.
pub(crate) fn signed_in(next: &str) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Signed in</h1>\n<p class=\"note\">Going on to <a").attribute("href", next);
    content.raw(">").text(next).raw("</a> …</p>\n");
    page("Signed in – Bookmark Server", Reader { locked: true, signed_in: true }, &content)
}

/// The page where a form is about a bookmark that was deleted meanwhile. What was entered is not lost.
pub(crate) fn gone(reader: Reader, text: &str, entered: Option<&Entered>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Changed meanwhile</h1>\n");
    whole(&mut content, Some((Field::Form, text)));
    content.raw("<p class=\"actions\">");
    if let Some(Entered { longuri, shortname }) = entered {
        let form = Form::from_iter([("longuri", &**longuri), ("shortname", &**shortname)]);
        content.raw("<a").attribute("href", format!("/?{}", form.encode()));
        content.raw(">Save it anew</a> ");
    }
    content.raw("<a href=\"/\">All bookmarks</a></p>\n");
    page("Changed meanwhile – Bookmark Server", reader, &content)
}

/// The page to import.
pub(crate) fn import(reader: Reader, wrong: Wrong<'_>) -> Html {
    let mut content = Html::new();
    content.raw("<h1>Import</h1>\n");
    whole(&mut content, wrong);
    content.raw("<form method=\"post\" action=\"/.import\" enctype=\"multipart/form-data\"");
    content.raw(" class=\"card\">\n<label for=\"file\">File</label>\n");
    content.raw("<input type=\"file\" id=\"file\" name=\"file\" required");
    content.raw(" accept=\".html,.htm,.jsonl,.ndjson,.json,text/html,application/jsonl\"");
    describe(&mut content, "file", Field::File, wrong);
    content.raw("<p class=\"hint\" id=\"file-hint\">Bookmarks as browsers export them (HTML), or");
    content.raw(" JSON with one bookmark a line. At most 16 MiB.</p>\n");
    content
        .raw("<p class=\"choice\"><input type=\"checkbox\" id=\"check\" name=\"check\" checked>");
    content.raw("<label for=\"check\">Save only what answers within 5 seconds</label></p>\n");
    content.raw("<button type=\"submit\">Import</button>\n</form>\n");
    content.raw("<p>Names that exist stay as they are. The page that follows shows how far it is;");
    content
        .raw(" to close it stops the import, and the same file later goes on with the rest.</p>\n");
    page("Import – Bookmark Server", reader, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_stands_beside_its_field_and_what_was_entered_is_still_there() {
        let entered = Entered { longuri: "http://\"<a".into(), shortname: "n".into() };
        let form = add(&entered, Some((Field::LongUri, "No <answer>."))).into_string();
        assert!(form.contains("value=\"http://&quot;&lt;a\""));
        assert!(
            form.contains("aria-describedby=\"longuri-wrong longuri-hint\" aria-invalid=\"true\"")
        );
        assert!(form.contains("id=\"longuri-wrong\" role=\"alert\">No &lt;answer&gt;.</p>"));
        assert_eq!(form.matches("aria-invalid").count(), 1);
        let form = add(&Entered::default(), Some((Field::Form, "No."))).into_string();
        assert!(form.starts_with("<p class=\"alert\" role=\"alert\">No.</p>"), "{form}");
    }

    #[test]
    fn pages_about_a_bookmark_name_it_as_text_and_lead_to_its_own_addresses() {
        let reader = Reader::default();
        for page in [
            edit(reader, "<b>/é", "http://a/", "http://b/", None),
            delete(reader, "<b>/é", "http://a/", None),
        ] {
            let page = page.into_string();
            assert!(page.contains("<bdi>&lt;b&gt;/é</bdi>") && !page.contains("<b>"), "{page}");
            assert!(page.contains("/%3Cb%3E/%C3%A9\""));
            assert!(page.contains("name=\"was\" value=\"http://a/\""));
        }
    }
}
