//! The sections of the RFCs that a case is about, with their titles, in the order of the sheet.

/// A section and its title.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("RFC 9112 section 2.1", "Message Format"),
    ("RFC 9112 section 2.2", "Message Parsing"),
    ("RFC 9112 section 2.3", "HTTP Version"),
    ("RFC 9112 section 3", "Request Line"),
    ("RFC 9112 section 3.1", "Method"),
    ("RFC 9112 section 3.2", "Request Target"),
    ("RFC 9112 section 3.2.1", "origin-form"),
    ("RFC 9112 section 3.2.2", "absolute-form"),
    ("RFC 9112 section 3.2.4", "asterisk-form"),
    ("RFC 9112 section 4", "Status Line"),
    ("RFC 9112 section 5", "Field Syntax"),
    ("RFC 9112 section 5.1", "Field Line Parsing"),
    ("RFC 9112 section 5.2", "Obsolete Line Folding"),
    ("RFC 9112 section 6.1", "Transfer-Encoding"),
    ("RFC 9112 section 6.3", "Message Body Length"),
    ("RFC 9112 section 7", "Transfer Codings"),
    ("RFC 9112 section 7.1", "Chunked Transfer Coding"),
    ("RFC 9112 section 7.1.1", "Chunk Extensions"),
    ("RFC 9112 section 7.1.2", "Chunked Trailer Section"),
    ("RFC 9112 section 8", "Handling Incomplete Messages"),
    ("RFC 9112 section 9.3", "Persistence"),
    ("RFC 9112 section 9.3.2", "Pipelining"),
    ("RFC 9112 section 9.5", "Failures and Timeouts"),
    ("RFC 9112 section 9.6", "Tear-down"),
    ("RFC 9110 section 2.5", "Protocol Version"),
    ("RFC 9110 section 4.2.1", "http URI Scheme"),
    ("RFC 9110 section 4.2.3", "http(s) Normalization and Comparison"),
    ("RFC 9110 section 4.2.4", "Deprecation of userinfo in http(s) URIs"),
    ("RFC 9110 section 5.1", "Field Names"),
    ("RFC 9110 section 5.3", "Field Order"),
    ("RFC 9110 section 5.5", "Field Values"),
    ("RFC 9110 section 5.6.1.2", "Recipient Requirements (of lists)"),
    ("RFC 9110 section 5.6.2", "Tokens"),
    ("RFC 9110 section 6.5.1", "Limitations on Use of Trailers"),
    ("RFC 9110 section 6.6.1", "Date"),
    ("RFC 9110 section 7.2", "Host and :authority"),
    ("RFC 9110 section 7.4", "Rejecting Misdirected Requests"),
    ("RFC 9110 section 7.8", "Upgrade"),
    ("RFC 9110 section 8.6", "Content-Length"),
    ("RFC 9110 section 9.1", "Methods: Overview"),
    ("RFC 9110 section 9.3.2", "HEAD"),
    ("RFC 9110 section 9.3.6", "CONNECT"),
    ("RFC 9110 section 10.1.1", "Expect"),
    ("RFC 9110 section 15", "Status Codes"),
    ("RFC 9110 section 15.3.5", "204 No Content"),
    ("RFC 9110 section 15.3.6", "205 Reset Content"),
    ("RFC 9110 section 15.4.5", "304 Not Modified"),
    ("RFC 9110 section 15.5.9", "408 Request Timeout"),
    ("RFC 9110 section 15.5.14", "413 Content Too Large"),
    ("RFC 9110 section 15.5.15", "414 URI Too Long"),
    ("RFC 9110 section 15.6.1", "500 Internal Server Error"),
    ("RFC 9110 section 15.6.6", "505 HTTP Version Not Supported"),
    ("RFC 3986 section 2.1", "Percent-Encoding"),
    ("RFC 3986 section 3.1", "Scheme"),
    ("RFC 3986 section 3.2.2", "Host"),
    ("RFC 3986 section 3.2.3", "Port"),
    ("RFC 3986 section 3.4", "Query"),
    ("RFC 6585 section 5", "431 Request Header Fields Too Large"),
];

/// The first section that a text names: `RFC 9112 section 2.2`, also of several.
pub(crate) fn named_in(text: &str) -> Option<&'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(4).find_map(|words| {
        let [before, rfc, section, number] = words else { return None };
        let is_section = before.ends_with("RFC") && section.starts_with("section");
        let number = number.trim_end_matches(|c: char| !c.is_ascii_digit());
        is_section.then(|| listed(&format!("RFC {rfc} section {number}")))
    })
}

/// The section as it stands in the list.
pub(crate) fn listed(section: &str) -> &'static str {
    let found = SECTIONS.iter().find(|(other, _)| *other == section);
    found.unwrap_or_else(|| panic!("{section} has no title in conformance/sections.rs")).0
}

/// What a golden case is about that names no section and breaks no rule.
pub(crate) fn of_file(file: &str, title: &str) -> &'static str {
    let title = title.to_lowercase();
    listed(match file {
        "blank-lines.md" if title.contains("empty line") || title.starts_with("a cr") => {
            "RFC 9112 section 2.2"
        }
        "blank-lines.md" => "RFC 9112 section 9.3.2",
        "request-line.md" => "RFC 9112 section 3",
        "targets.md" if title.contains("percent") => "RFC 3986 section 2.1",
        "targets.md" if title.contains("absolute-form") => "RFC 9112 section 3.2.2",
        "targets.md" => "RFC 9112 section 3.2.1",
        "host.md" => "RFC 9110 section 7.2",
        "fields.md" => "RFC 9112 section 5",
        "framing.md" => "RFC 9112 section 6.3",
        "chunked.md" if title.contains("extension") => "RFC 9112 section 7.1.1",
        "chunked.md" => "RFC 9112 section 7.1",
        "trailers.md" => "RFC 9112 section 7.1.2",
        "responses.md" => "RFC 9112 section 4",
        "limits.md" if title.contains("target") => "RFC 9110 section 15.5.15",
        "limits.md" if title.contains("extensions") => "RFC 9112 section 7.1.1",
        "limits.md" => "RFC 6585 section 5",
        _ => panic!("tests/golden/{file} has no section in conformance/sections.rs"),
    })
}
