//! The start-lines: request-line and status-line (RFC 9112 sections 3 and 4).
//!
//! A scan at the start of a message enters; the places of its elements come out.

use super::fields::FieldLine;
use super::rules::Kind;
use super::run::{path_run, target_run, token_run, value_run};
use super::scan::{Layout, Scan, Step};
use super::span::{Part, Sink};
use super::violation::Violation;
use crate::limits::Limits;

/// Parses a request head into `lines` and a [`Layout`]; `None` if it is a beginning.
#[inline]
pub(crate) fn request<S: Sink>(
    bytes: &[u8],
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<Layout>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, limits.head, sink);
    let layout = scan.request_line(limits.target)?;
    scan.finish(layout, limits, lines)
}

/// Parses a response head into `lines` and a [`Layout`]; `None` if it is a beginning.
pub(crate) fn response<S: Sink>(
    bytes: &[u8],
    limits: &Limits,
    lines: &mut Vec<FieldLine>,
    sink: &mut S,
) -> Result<Option<Layout>, Violation> {
    lines.clear();
    let mut scan = Scan::new(bytes, limits.head, sink);
    let layout = scan.status_line()?;
    scan.finish(layout, limits, lines)
}

impl<S: Sink> Scan<'_, '_, S> {
    // ABNF: request-line = method SP request-target SP HTTP-version     (RFC 9112 section 3)
    #[inline(always)]
    pub(super) fn request_line(&mut self, target_limit: usize) -> Step<Layout> {
        if self.blank_lines()?.is_none() {
            return Ok(None);
        }
        let Some(method) = self.method()? else { return Ok(None) };
        let Some((target, plain)) = self.target(target_limit)? else { return Ok(None) };
        let Some(version) = self.version()? else { return Ok(None) };
        if self.line_end(Kind::LineEnd, Part::Crlf)?.is_none() {
            return Ok(None);
        }
        check_version(version, target.1 + 1)?;
        Ok(Some(Layout { first: method, second: target, plain, version, names: 0, end: 0 }))
    }

    /// Skips up to two empty lines (RFC 9112 section 2.2).
    #[inline(always)]
    fn blank_lines(&mut self) -> Step<()> {
        let mut skipped = 0;
        while let [b'\r' | b'\n', ..] = self.rest {
            if skipped == 2 {
                return Err(self.refuse(Kind::BlankLines, Part::Blank, 0));
            }
            if self.line_end(Kind::BlankLines, Part::Blank)?.is_none() {
                return Ok(None);
            }
            skipped += 1;
        }
        Ok(Some(()))
    }

    // ABNF: method = token                                              (RFC 9112 section 3.1)
    #[inline(always)]
    fn method(&mut self) -> Step<(usize, usize)> {
        let length = method_run(self.rest);
        let Some(&octet) = self.rest.get(length) else { return Ok(None) };
        let kind = match octet {
            b' ' if length > 0 => {
                let method = self.take(Part::Method, length);
                self.take(Part::Sp, 1);
                return Ok(Some(method));
            }
            b'\n' => Kind::BareLf,
            b'\r' => Kind::TargetMissing,
            0x16 if length == 0 => Kind::TlsHello,
            _ => Kind::MethodOctet,
        };
        Err(self.refuse(kind, Part::Method, length))
    }

    #[inline(always)]
    fn target(&mut self, limit: usize) -> Step<((usize, usize), usize)> {
        // Most targets are a path without escapes: what is seen here need not be looked at again.
        let plain = path_run(self.rest);
        let length = match self.rest.get(plain) {
            Some(b'?' | b'%') => plain + target_run(&self.rest[plain..]),
            _ => plain,
        };
        if length > limit {
            return Err(self.refuse(Kind::TargetTooLong, Part::Target, limit));
        }
        let Some(&octet) = self.rest.get(length) else { return Ok(None) };
        let kind = match octet {
            b' ' if length > 0 => {
                let target = self.take(Part::Target, length);
                self.take(Part::Sp, 1);
                return Ok(Some((target, plain)));
            }
            b'\n' => Kind::BareLf,
            b' ' | b'\r' if length == 0 => Kind::TargetMissing,
            b'\r' => Kind::VersionMissing,
            _ => Kind::TargetOctet,
        };
        Err(self.refuse(kind, Part::Target, length))
    }

    // ABNF: HTTP-version = HTTP-name "/" DIGIT "." DIGIT                (RFC 9112 section 2.3)
    /// Gives the two digits.
    #[inline(always)]
    fn version(&mut self) -> Step<[u8; 2]> {
        // Nearly all are this one, which is one comparison.
        if self.rest.first_chunk() == Some(b"HTTP/1.1") {
            self.take(Part::Version, 8);
            return Ok(Some([b'1', b'1']));
        }
        if let Some(
            [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'],
        ) = self.rest.first_chunk::<8>()
        {
            self.take(Part::Version, 8);
            return Ok(Some([*major, *minor]));
        }
        for (i, &octet) in self.rest.iter().take(8).enumerate() {
            let fits =
                if i == 5 || i == 7 { octet.is_ascii_digit() } else { octet == b"HTTP/?.?"[i] };
            if !fits {
                let kind = if octet == b'\n' { Kind::BareLf } else { Kind::VersionSyntax };
                return Err(self.refuse(kind, Part::Version, i));
            }
        }
        Ok(None)
    }

    // ABNF: status-line = HTTP-version SP status-code SP [ reason-phrase ]    (RFC 9112 section 4)
    //       status-code = 3DIGIT
    //       reason-phrase = 1*( HTAB / SP / VCHAR / obs-text )
    pub(super) fn status_line(&mut self) -> Step<Layout> {
        let Some(version) = self.version()? else { return Ok(None) };
        if self.one_space()?.is_none() {
            return Ok(None);
        }
        for i in 0..3 {
            let Some(octet) = self.rest.get(i) else { return Ok(None) };
            if !octet.is_ascii_digit() || (i == 0 && !(b'1'..=b'5').contains(octet)) {
                return Err(self.refuse(Kind::StatusDigits, Part::Status, i));
            }
        }
        let status = self.take(Part::Status, 3);
        if self.one_space()?.is_none() {
            return Ok(None);
        }
        let length = value_run(self.rest);
        match self.rest.get(length) {
            None => return Ok(None),
            Some(b'\r' | b'\n') => {}
            Some(_) => return Err(self.refuse(Kind::ReasonOctet, Part::Reason, length)),
        }
        // The end of the line is looked at before the reason is told, so that every span is whole.
        if self.rest.len() == length + 1 && self.rest[length] == b'\r' {
            return Ok(None);
        }
        let reason = self.take(Part::Reason, length);
        self.line_end(Kind::ReasonOctet, Part::Crlf)?;
        check_version(version, 0)?;
        Ok(Some(Layout { first: status, second: reason, plain: 0, version, names: 0, end: 0 }))
    }

    fn one_space(&mut self) -> Step<()> {
        match self.rest.first() {
            None => Ok(None),
            Some(b' ') => {
                self.take(Part::Sp, 1);
                Ok(Some(()))
            }
            Some(_) => Err(self.refuse(Kind::StatusDigits, Part::Sp, 0)),
        }
    }
}

/// How far the token goes. Nearly all methods are these two, which is one comparison each.
#[inline(always)]
fn method_run(rest: &[u8]) -> usize {
    match rest {
        [b'G', b'E', b'T', b' ', ..] => 3,
        [b'P', b'O', b'S', b'T', b' ', ..] => 4,
        rest => token_run(rest),
    }
}

/// Any digits are the grammar of a version; which of them is served is a matter of meaning, judged at
/// the end of the line. `at` is where the version stands.
fn check_version([major, _]: [u8; 2], at: usize) -> Result<(), Violation> {
    if major == b'1' {
        Ok(())
    } else {
        Err(Violation::new(Kind::VersionUnsupported, at + 5, Some(major)))
    }
}
