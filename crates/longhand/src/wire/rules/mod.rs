//! The one table of what a peer can do wrong.
//!
//! Each row is a rule: how it is decided, whose rule it is, where it stands, bytes that break it, what
//! was wanted, the rule in our words, why it matters, and the way out. The refusal that the peer
//! reads, the log line, the error index and every explanation are made from these rows and nothing
//! else. The rows stand by theme in the files below this one.
//!
//! Where one rule is broken in several ways that are told apart by the byte at fault, a row has hints:
//! a mistake gets its own cure, and no more than that.

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

/// Bytes that break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// What is sent.
    pub bytes: &'static [u8],
    /// The place of the violation, counted from the first of these bytes, of a body too.
    pub at: usize,
    /// What there is besides.
    pub scene: Scene,
}

/// What there is to a [`Sample`] besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scene {
    /// Nothing: it is a request.
    Request,
    /// It is a response, to a GET.
    Response,
    /// It is a request, and the sending side of the connection ends behind it.
    Ended,
    /// It is a request, and nothing more comes for as long as the server waits.
    Silent,
    /// It is a request, read where this field of [`Limits`](crate::Limits) is no more than so many.
    Under(&'static str, usize),
}

/// What to do about a rule broken by one of certain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hint {
    /// The bytes at fault that it is for.
    pub found: &'static [u8],
    /// What to do.
    pub help: &'static str,
    /// Bytes that break the rule so.
    pub sample: Sample,
}

/// A row of the table.
pub(crate) struct Rule {
    kind: Kind,
    pub(crate) status: Status,
    pub(crate) class: Class,
    pub(crate) whose: Whose,
    pub(crate) section: &'static str,
    pub(crate) sample: Sample,
    pub(crate) expected: &'static str,
    pub(crate) text: &'static str,
    pub(crate) why: &'static str,
    pub(crate) help: &'static str,
    pub(crate) hints: &'static [Hint],
}

macro_rules! kinds {
    ($($kind:ident $name:literal)*) => {
        /// Which rule was broken. The [error index](super::errors) has each with bytes that break it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = concat!("[`", $name, "`](super::errors#", $name, ")")] $kind,)*
        }

        impl Kind {
            /// Every kind there is, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The rule's stable name: `bare-lf`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            pub(crate) const fn rule(self) -> &'static Rule {
                TABLE[self as usize]
            }
        }
    };
}

kinds! {
    TlsHello "tls-hello" MethodOctet "method-octet" BlankLines "blank-lines"
    TargetMissing "target-missing" TargetOctet "target-octet" TargetTooLong "target-too-long"
    VersionMissing "version-missing" VersionSyntax "version-syntax"
    VersionUnsupported "version-unsupported" StatusDigits "status-digits" ReasonOctet "reason-octet"
    BareLf "bare-lf" BareCr "bare-cr" LineEnd "line-end"

    FieldIndented "field-indented" ObsFold "obs-fold" NameEmpty "name-empty" NameOctet "name-octet"
    NameSpace "name-space" ColonMissing "colon-missing" ValueOctet "value-octet"
    HeadTooLarge "head-too-large" TooManyFields "too-many-fields" EndedInHead "ended-in-head"
    HeadTime "head-time"

    TargetForm "target-form" TargetEscape "target-escape" SchemeNotServed "scheme-not-served"
    ConnectRefused "connect-refused" HostMissing "host-missing" HostRepeated "host-repeated"
    HostEmpty "host-empty" HostOctet "host-octet" HostLiteral "host-literal"
    PortDigits "port-digits" UserInfo "user-info"

    LengthDigits "length-digits" LengthTooLarge "length-too-large" LengthsDiffer "lengths-differ"
    LengthAndCoding "length-and-coding" CodingVersion "coding-version"
    CodingMalformed "coding-malformed" CodingUnknown "coding-unknown" Expectation "expectation"

    ChunkSize "chunk-size" ChunkSizeTooLarge "chunk-size-too-large" ChunkExt "chunk-ext"
    ChunkExtTooLong "chunk-ext-too-long" ChunkDataEnd "chunk-data-end"
    TrailersTooLarge "trailers-too-large" BodyTooLarge "body-too-large" BodyTime "body-time"
    EndedInBody "ended-in-body"
}

/// Reads the rows of a theme: what stands between the columns names them.
macro_rules! rules {
    ($(
        $kind:ident $status:ident $class:ident $whose:ident $(($limit:literal))?, $section:literal;
        $sent:literal at $at:literal $($scene:ident $(($limited:literal, $most:literal))?)?;
        wanted $expected:literal;
        rule $text:literal;
        why $why:literal;
        help $help:literal;
        $(* found $found:literal help $hint:literal $hint_sent:literal at $hint_at:literal;)*
    )*) => {
        pub(super) const RULES: &[super::Rule] = &[$(super::Rule {
            kind: super::Kind::$kind,
            status: super::Status::$status,
            class: super::Class::$class,
            whose: super::Whose::$whose $(($limit))?,
            section: $section,
            sample: super::Sample {
                bytes: $sent,
                at: $at,
                scene: [$(super::Scene::$scene $(($limited, $most))?,)? super::Scene::Request][0],
            },
            expected: $expected,
            text: $text,
            why: $why,
            help: $help,
            hints: &[$(super::Hint {
                found: $found,
                help: $hint,
                sample: super::Sample {
                    bytes: $hint_sent,
                    at: $hint_at,
                    scene: super::Scene::Request,
                },
            },)*],
        },)*];
    };
}

mod start_line;
mod fields;
mod host;
mod framing;
mod body;

/// The rows of all themes, each at the place of its kind: the compiler counts and compares.
static TABLE: [&Rule; Kind::ALL.len()] = {
    let themes = [start_line::RULES, fields::RULES, host::RULES, framing::RULES, body::RULES];
    let mut table = [&start_line::RULES[0]; Kind::ALL.len()];
    let (mut theme, mut row, mut place) = (0, 0, 0);
    while theme < themes.len() {
        if row == themes[theme].len() {
            (theme, row) = (theme + 1, 0);
            continue;
        }
        table[place] = &themes[theme][row];
        assert!(table[place].kind as usize == place, "rows stand in the order of their kinds");
        (row, place) = (row + 1, place + 1);
    }
    assert!(place == table.len(), "every kind has a row");
    table
};
