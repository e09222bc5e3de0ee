//! The one table of what a peer can do wrong.
//!
//! Each row is a rule: its name, the status that answers it, how it is decided, whose rule it is,
//! what was wanted, where the rule stands, the rule in our words, and the way out. The refusal that
//! the peer reads, the log line and every explanation are made from these rows and nothing else.

use super::status::Status;

/// How a rule is decided, and so where a violation of it points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// By one byte: all before it is a beginning that could have become a message.
    Syntax,
    /// By what whole elements mean together: points into the element at fault, or at the byte where
    /// it was noticed that something is missing.
    Meaning,
    /// By how much or how long: points at the first byte that is too much.
    Limit,
}

/// Whose rule it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The RFC forbids it.
    Rfc,
    /// The RFC lets a server choose; longhand refuses.
    Choice,
    /// A limit of longhand: the field of [`Limits`](crate::Limits) that moves it.
    Limit(&'static str),
}

/// A row of the table.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) status: Status,
    pub(crate) class: Class,
    pub(crate) whose: Whose,
    pub(crate) expected: &'static str,
    pub(crate) section: &'static str,
    pub(crate) text: &'static str,
    pub(crate) help: &'static str,
}

macro_rules! kinds {
    ($($kind:ident $name:literal $status:ident $class:ident $whose:expr;
        $expected:literal, $section:literal, $text:literal, $help:literal)*) => {
        /// Which rule was broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = $text] $kind,)*
        }

        impl Kind {
            /// Every kind there is, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            pub(crate) const fn rule(self) -> &'static Rule {
                match self {
                    $(Self::$kind => &Rule {
                        name: $name, status: Status::$status, class: Class::$class, whose: $whose,
                        expected: $expected, section: $section, text: $text, help: $help,
                    },)*
                }
            }
        }
    };
}

use Whose::{Choice, Limit, Rfc};

kinds! {
    // The start-line.
    TlsHello "tls-hello" BAD_REQUEST Syntax Rfc;
        "a method", "RFC 9112 section 3", "A request begins with a method; 16 hex is how a TLS handshake begins.",
        "this port speaks plain HTTP: use http:// where https:// was typed."
    MethodOctet "method-octet" BAD_REQUEST Syntax Rfc;
        "a token character, or one space after the method", "RFC 9112 section 3.1", "A method is a token: letters, digits, and punctuation other than delimiters.",
        "begin with the method itself, without a byte-order mark, a quote, or the `-e` that some shells' echo prints."
    BlankLines "blank-lines" BAD_REQUEST Syntax Choice;
        "a method", "RFC 9112 section 2.2", "At least one empty line before a request is skipped; longhand skips two, and no more.",
        "send the request line first."
    TargetMissing "target-missing" BAD_REQUEST Syntax Rfc;
        "a request-target", "RFC 9112 section 3", "The elements of a request line are parted by one space each.",
        "write METHOD, one space, the target, one space, HTTP/1.1."
    TargetOctet "target-octet" BAD_REQUEST Syntax Rfc;
        "a character of a URI, or one space after the target", "RFC 9112 section 3.2", "A request-target holds no blank, control, fragment, quote or byte from 80 hex up.",
        "percent-encode the byte (a space is %20; in printf, %%20), and leave the fragment away."
    TargetTooLong "target-too-long" URI_TOO_LONG Limit Limit("target");
        "a shorter request-target", "RFC 9110 section 15.5.15", "A request-target is longer than this server takes.",
        "send long data in the body of a POST."
    VersionMissing "version-missing" BAD_REQUEST Syntax Rfc;
        "one space and HTTP/1.1", "RFC 9112 section 3", "A request line ends with the version; HTTP/0.9 is not served.",
        "end the request line with a space and HTTP/1.1."
    VersionSyntax "version-syntax" BAD_REQUEST Syntax Rfc;
        "HTTP/1.1, in capitals, one digit each side of the dot", "RFC 9112 section 2.3", "The version is HTTP, a slash, a digit, a dot and a digit; it is case-sensitive.",
        "write HTTP/1.1; a space inside the target is written %20."
    VersionUnsupported "version-unsupported" HTTP_VERSION_NOT_SUPPORTED Meaning Rfc;
        "HTTP/1.1 or HTTP/1.0", "RFC 9110 section 15.6.6", "This server speaks major version 1.",
        "a client that begins with HTTP/2 must be told to use HTTP/1.1."
    StatusDigits "status-digits" BAD_REQUEST Syntax Rfc;
        "three digits, the first of them 1 to 5", "RFC 9112 section 4", "A status code is three digits.",
        "write the status code after one space, and one space after it."
    ReasonOctet "reason-octet" BAD_REQUEST Syntax Rfc;
        "visible characters, blanks, or CR LF", "RFC 9112 section 4", "A reason phrase holds no control.",
        "leave the reason phrase empty."
    // Lines.
    BareLf "bare-lf" BAD_REQUEST Syntax Choice;
        "CR LF", "RFC 9112 section 2.2", "A recipient may take a lone LF for the end of a line; longhand refuses, because two servers in a row that disagree about line ends can disagree about where a request ends.",
        "end lines with CR LF: in printf \\r\\n; with nc its flag for CRLF (-C in OpenBSD's nc and ncat)."
    BareCr "bare-cr" BAD_REQUEST Syntax Choice;
        "LF after CR", "RFC 9112 section 2.2", "A CR is always followed by LF.",
        "end lines with CR LF, and send no CR elsewhere."
    LineEnd "line-end" BAD_REQUEST Syntax Rfc;
        "CR LF", "RFC 9112 section 3", "Nothing follows the version in a start-line.",
        "remove the blanks behind the version."
    // Fields.
    FieldIndented "field-indented" BAD_REQUEST Syntax Choice;
        "a field name, or CR LF", "RFC 9112 section 2.2", "No blank stands between the start-line and the first field line.",
        "begin each field line with its name: a heredoc may have indented it."
    ObsFold "obs-fold" BAD_REQUEST Syntax Choice;
        "a field name, or CR LF", "RFC 9112 section 5.2", "A line that begins with a blank once continued the value before it; a server may refuse it, and longhand does.",
        "send each field on one line."
    NameEmpty "name-empty" BAD_REQUEST Syntax Rfc;
        "a field name", "RFC 9112 section 5", "A field name has at least one character.",
        "write a name before the colon."
    NameOctet "name-octet" BAD_REQUEST Syntax Rfc;
        "a token character, or a colon after the name", "RFC 9110 section 5.1", "A field name is a token.",
        "use letters, digits and hyphens in field names."
    NameSpace "name-space" BAD_REQUEST Syntax Rfc;
        "a colon right after the field name", "RFC 9112 section 5.1", "No blank stands between a field name and its colon: servers that disagreed about it were attacked.",
        "remove the blank before the colon."
    ColonMissing "colon-missing" BAD_REQUEST Syntax Rfc;
        "a colon after the field name", "RFC 9112 section 5", "A field line is a name, a colon and a value.",
        "add the colon, or end the head with an empty line before the body."
    ValueOctet "value-octet" BAD_REQUEST Syntax Rfc;
        "visible characters, blanks, or CR LF", "RFC 9110 section 5.5", "A field value holds no control other than HTAB.",
        "encode the value."
    HeadTooLarge "head-too-large" REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("head");
        "the end of the head", "RFC 6585 section 5", "The head is larger than this server takes.",
        "send fewer or smaller fields; a browser's cookies for this host may have grown."
    TooManyFields "too-many-fields" REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("fields");
        "the end of the head", "RFC 6585 section 5", "The head has more field lines than this server takes.",
        "send fewer fields."
    EndedInHead "ended-in-head" BAD_REQUEST Meaning Rfc;
        "the rest of the head", "RFC 9112 section 8", "The connection ended inside a head.",
        "end the head with an empty line: CR LF CR LF."
    HeadTime "head-time" REQUEST_TIMEOUT Limit Limit("head_time");
        "the rest of the head", "RFC 9110 section 15.5.9", "The head took longer than this server waits.",
        "send the head at once."
    // The target and the host.
    TargetForm "target-form" BAD_REQUEST Meaning Rfc;
        "/path, http://host/path, or * with OPTIONS", "RFC 9112 section 3.2", "A request-target has one of four forms.",
        "begin the target with a slash."
    TargetEscape "target-escape" BAD_REQUEST Meaning Rfc;
        "two hexadecimal digits after %", "RFC 3986 section 2.1", "In a path, % begins an escape of two hexadecimal digits.",
        "write a percent sign itself as %25."
    SchemeNotServed "scheme-not-served" MISDIRECTED_REQUEST Meaning Rfc;
        "a scheme that this connection serves", "RFC 9110 section 7.4", "The target's scheme is not the connection's: https needs TLS, and other schemes are not HTTP.",
        "ask for the path alone."
    ConnectRefused "connect-refused" NOT_IMPLEMENTED Meaning Choice;
        "another method", "RFC 9110 section 9.3.6", "CONNECT asks for a tunnel; this is no proxy.",
        "the client is set up to use this server as its proxy: change that setting."
    HostMissing "host-missing" BAD_REQUEST Meaning Rfc;
        "a Host field", "RFC 9112 section 3.2", "A request of HTTP/1.1 has a Host field.",
        "add a line such as: Host: localhost"
    HostRepeated "host-repeated" BAD_REQUEST Meaning Rfc;
        "one Host field", "RFC 9112 section 3.2", "A request has no more than one Host field.",
        "send one Host line."
    HostEmpty "host-empty" BAD_REQUEST Meaning Rfc;
        "a host", "RFC 9110 section 4.2.1", "An http or https URI names a host.",
        "write the host after the two slashes."
    HostOctet "host-octet" BAD_REQUEST Meaning Rfc;
        "a name, an IPv4 address or [an IPv6 address], and perhaps :port", "RFC 9110 section 7.2", "A host is a registered name or an address in the grammar of RFC 3986 section 3.2.2.",
        "send the host as it stands in the URI, a name beyond ASCII in its xn-- form."
    HostLiteral "host-literal" BAD_REQUEST Meaning Rfc;
        "an IPv6 address in brackets", "RFC 3986 section 3.2.2", "Brackets hold an IPv6 address, and are closed.",
        "write the address as in [::1]:8000."
    PortDigits "port-digits" BAD_REQUEST Meaning Rfc;
        "a port from 0 to 65535", "RFC 3986 section 3.2.3", "After the host's colon stand digits alone.",
        "write one port in digits; put brackets around an IPv6 address."
    UserInfo "user-info" BAD_REQUEST Meaning Rfc;
        "a host without user and password", "RFC 9110 section 4.2.4", "An http URI in a message has no userinfo: it serves to disguise the host.",
        "send the credentials in an Authorization field."
    // Framing.
    LengthDigits "length-digits" BAD_REQUEST Meaning Rfc;
        "digits alone", "RFC 9110 section 8.6", "A Content-Length is one or more digits.",
        "send the number of bytes of the body, without sign or unit."
    LengthTooLarge "length-too-large" BAD_REQUEST Meaning Rfc;
        "a number below 2^64", "RFC 9110 section 8.6", "A recipient must expect large numbers and not let them overflow.",
        "send the number of bytes of the body."
    LengthsDiffer "lengths-differ" BAD_REQUEST Meaning Rfc;
        "one length", "RFC 9112 section 6.3", "Two different lengths leave the end of the body open; servers that chose one were attacked.",
        "send Content-Length once."
    LengthAndCoding "length-and-coding" BAD_REQUEST Meaning Choice;
        "Content-Length or Transfer-Encoding", "RFC 9112 section 6.1", "Both at once is how requests are smuggled past a server in front; a server may refuse it, and longhand does.",
        "with Transfer-Encoding, send no Content-Length."
    CodingVersion "coding-version" BAD_REQUEST Meaning Choice;
        "HTTP/1.1", "RFC 9112 section 6.1", "HTTP/1.0 knows no Transfer-Encoding: its framing is to be taken as faulty.",
        "send HTTP/1.1 in the request line, or a Content-Length."
    CodingMalformed "coding-malformed" BAD_REQUEST Meaning Rfc;
        "chunked, once and last", "RFC 9112 section 6.3", "Where the last coding is not chunked, the end of a request body cannot be known.",
        "send Transfer-Encoding: chunked."
    CodingUnknown "coding-unknown" NOT_IMPLEMENTED Meaning Rfc;
        "chunked", "RFC 9112 section 6.1", "A coding that the server does not understand is answered 501.",
        "send the body as it is, with Transfer-Encoding: chunked."
    Expectation "expectation" EXPECTATION_FAILED Meaning Choice;
        "100-continue", "RFC 9110 section 10.1.1", "100-continue is the one expectation there is.",
        "leave the Expect field away."
    // Bodies and chunks.
    ChunkSize "chunk-size" BAD_REQUEST Syntax Rfc;
        "a hexadecimal digit", "RFC 9112 section 7.1", "A chunk begins with its size in hexadecimal digits.",
        "write the size without sign or 0x: ten bytes are a."
    ChunkSizeTooLarge "chunk-size-too-large" BAD_REQUEST Syntax Choice;
        "at most 16 digits", "RFC 9112 section 7.1", "A recipient must expect large sizes and not let them overflow.",
        "send smaller chunks."
    ChunkExt "chunk-ext" BAD_REQUEST Syntax Rfc;
        "CR LF, or an extension: ;name=value", "RFC 9112 section 7.1.1", "After a chunk's size stand extensions in their grammar, or the end of the line.",
        "end the size line right after the digits."
    ChunkExtTooLong "chunk-ext-too-long" BAD_REQUEST Limit Limit("body_overhead");
        "the end of the line", "RFC 9112 section 7.1.1", "A server limits what chunk extensions may take altogether.",
        "send no chunk extensions."
    ChunkDataEnd "chunk-data-end" BAD_REQUEST Syntax Rfc;
        "CR LF after the chunk's data", "RFC 9112 section 7.1", "A chunk's data is as long as its size says, and CR LF follows.",
        "count the bytes again, in hexadecimal: 10 means sixteen."
    TrailersTooLarge "trailers-too-large" REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("body_overhead");
        "the end of the trailers", "RFC 6585 section 5", "The trailer section is larger than this server takes.",
        "send fewer trailers."
    BodyTooLarge "body-too-large" CONTENT_TOO_LARGE Limit Limit("body");
        "a smaller body", "RFC 9110 section 15.5.14", "The body is larger than this server takes here.",
        "send less, or in parts."
    BodyTime "body-time" REQUEST_TIMEOUT Limit Limit("body_rate");
        "more of the body", "RFC 9110 section 15.5.9", "The body came slower than this server waits.",
        "was Content-Length larger than what was sent?"
    EndedInBody "ended-in-body" BAD_REQUEST Meaning Rfc;
        "the rest of the body", "RFC 9112 section 8", "The connection ended inside a body.",
        "send as many bytes as Content-Length says; end chunks with a chunk of size 0 and an empty line."
}
