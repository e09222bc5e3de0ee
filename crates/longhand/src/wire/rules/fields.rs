//! Rules of field lines, and of the head as a whole (RFC 9112 section 5).

rules! {
    FieldIndented BAD_REQUEST Syntax Choice, "RFC 9112 section 2.2";
        b"GET / HTTP/1.1\r\n Host: x\r\n\r\n" at 16;
        wanted "a field name, or CR LF";
        rule "No blank stands before the first field line. A server may skip such a line; longhand refuses.";
        why "Where one server skips the line and the next reads it, they disagree about the host or the length in it.";
        help "begin each field line with its name: a heredoc may have indented it.";

    ObsFold BAD_REQUEST Syntax Choice, "RFC 9112 section 5.2";
        b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n" at 25;
        wanted "a field name, or CR LF";
        rule "A line that begins with a blank once continued the value before it. A server may refuse it; longhand does.";
        why "Where one server sees a continued value and the next a line of its own, a field can be hidden in it.";
        help "send each field on one line that begins with its name.";

    NameEmpty BAD_REQUEST Syntax Rfc, "RFC 9112 section 5";
        b"GET / HTTP/1.1\r\n: x\r\n\r\n" at 16;
        wanted "a field name";
        rule "A field name has at least one character.";
        why "Servers that made something of a line without a name did not make the same of it.";
        help "write a name before the colon (names such as :path are of HTTP/2).";

    NameOctet BAD_REQUEST Syntax Rfc, "RFC 9110 section 5.1";
        b"GET / HTTP/1.1\r\nHo@st: x\r\n\r\n" at 18;
        wanted "a token character, or a colon after the name";
        rule "A field name is a token: letters, digits and some punctuation.";
        why "A name that one server cuts at such a byte, and the next does not, is two different fields.";
        help "use letters, digits and hyphens in field names.";
        * found b"\"\xe2" help "take the quote away: a straight or a curly one was sent with the text." b"GET / HTTP/1.1\r\n\"Host: x\"\r\n\r\n" at 16;
        * found b"{}[]<>=,;" help "if this is the body, put an empty line before it." b"POST / HTTP/1.1\r\nHost: x\r\n{\"a\":1}" at 26;

    NameSpace BAD_REQUEST Syntax Rfc, "RFC 9112 section 5.1";
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n" at 20;
        wanted "a colon right after the field name";
        rule "No blank stands between a field name and its colon.";
        why "Servers that disagreed about whether it belongs to the name were attacked: one saw a Content-Length, the next did not.";
        help "remove the blank before the colon; before a body or another request, put an empty line.";

    ColonMissing BAD_REQUEST Syntax Rfc, "RFC 9112 section 5";
        b"GET / HTTP/1.1\r\nHost\r\n\r\n" at 20;
        wanted "a colon after the field name";
        rule "A field line is a name, a colon and a value.";
        why "A line that is passed over by one server may be taken for something by the next.";
        help "add the colon; if this is the body, put an empty line before it.";

    ValueOctet BAD_REQUEST Syntax Rfc, "RFC 9110 section 5.5";
        b"GET / HTTP/1.1\r\nHost: x\0\r\n\r\n" at 23;
        wanted "visible characters, blanks, or CR LF";
        rule "A field value holds no control other than HTAB.";
        why "NUL ends a text in some programs and not in others, and controls do things in terminals and logs.";
        help "encode the value, by percent-encoding or base64.";

    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("head"), "RFC 6585 section 5";
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: 0123456789\r\n\r\n" at 40 Under("head", 40);
        wanted "the end of the head";
        rule "The head is larger than this server takes.";
        why "A head is kept whole while it is read: without a limit anybody could fill the memory.";
        help "send fewer or smaller fields; in a browser, delete the cookies of this host.";

    TooManyFields REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("fields"), "RFC 6585 section 5";
        b"GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n" at 25 Under("fields", 1);
        wanted "the end of the head";
        rule "There are more field lines than this server takes.";
        why "Each line costs more to keep than its bytes: many short ones are a way to tire a server.";
        help "send fewer fields.";

    EndedInHead BAD_REQUEST Meaning Rfc, "RFC 9112 section 8";
        b"GET / HTTP/1.1\r\nHost: x\r\n" at 25 Ended;
        wanted "the rest of the head";
        rule "A head ends with an empty line; the connection ended before it.";
        why "What was cut off may have been a field that changes what was asked.";
        help "end the head with an empty line, so that its last bytes are CR LF CR LF.";

    HeadTime REQUEST_TIMEOUT Limit Limit("head_time"), "RFC 9110 section 15.5.9";
        b"GET / HTTP/1.1\r\nHost: x\r\n" at 25 Silent;
        wanted "the rest of the head";
        rule "The head took longer than this server waits, from its first byte to its last.";
        why "A peer that sends one byte a minute would hold a connection for hours, and a thousand of them a server.";
        help "send the head at once, with the empty line that ends it; typed by hand, paste it.";
}
