//! Rules of the start-line, and of how lines end (RFC 9112 sections 2.2 to 4).

rules! {
    TlsHello BAD_REQUEST Syntax Rfc, "RFC 9112 section 3";
        b"\x16\x03\x01\x02\x00\x01" at 0;
        wanted "a method";
        rule "A request begins with a method; 16 hex is how a TLS handshake begins.";
        why "Refused at its first byte, a browser that was sent to https:// knows at once; a server that waited for the end of a line would keep it waiting.";
        help "this port speaks plain HTTP: where https:// was typed, type http://";

    MethodOctet BAD_REQUEST Syntax Rfc, "RFC 9112 section 3.1";
        b"G@T / HTTP/1.1\r\n" at 1;
        wanted "a token character, or one space after the method";
        rule "A method is a token: letters, digits and some punctuation. Nothing stands before it, one space behind it.";
        why "A byte that one server skips and the next one keeps makes two different requests of the same bytes.";
        help "begin with the method itself, as in: GET / HTTP/1.1";
        * found b" \t" help "begin the line with the method (a heredoc may have indented it), and put one space, no tab, behind it." b"  GET / HTTP/1.1\r\n" at 0;
        * found b"\xef" help "save the text without a byte-order mark: EF BB BF came before the method." b"\xef\xbb\xbfGET / HTTP/1.1\r\n" at 0;
        * found b"\"\xe2" help "take the quote away: a straight or a curly one was sent with the text." b"\xe2\x80\x9cGET / HTTP/1.1\r\n" at 0;
        * found b":" help "put the request line first: this looks like a field line." b"Host: x\r\n" at 4;
        * found b"/" help "begin with the method: this looks like a status line, or like a target alone." b"HTTP/1.1 200 OK\r\n" at 4;
        * found b"{}[]<>=,;" help "this looks like a body: put it behind the empty line of a head with its Content-Length." b"{\"a\":1}" at 0;
        * found b"\x04\x05" help "the client takes this server for its SOCKS proxy: change that setting." b"\x05\x01\x00" at 0;
        * found b"\0" help "this looks like the PROXY protocol of a load balancer: switch it off there." b"\r\n\r\n\0\r\nQUIT\n" at 4;

    BlankLines BAD_REQUEST Syntax Choice, "RFC 9112 section 2.2";
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\n" at 4;
        wanted "a method";
        rule "A server skips at least one empty line before a request; longhand skips two, and no more.";
        why "Old clients sent one behind a body. Whoever sends them without end begins no request, and should hold no connection.";
        help "send the request line first.";

    TargetMissing BAD_REQUEST Syntax Rfc, "RFC 9112 section 3";
        b"GET  / HTTP/1.1\r\n" at 4;
        wanted "a request-target";
        rule "A request line is a method, one space, a target, one space and the version.";
        why "A server that skips further spaces and one that does not may see two different targets.";
        help "put one space between the method and the target.";
        * found b"\r" help "write method, target and version on one line, as in: GET / HTTP/1.1" b"hello\r\n" at 5;

    TargetOctet BAD_REQUEST Syntax Rfc, "RFC 9112 section 3.2";
        b"GET /caf\xc3\xa9 HTTP/1.1\r\n" at 8;
        wanted "a character of a URI, or one space after the target";
        rule "A request-target holds no blank, no control, no quote, no < or >, no # and no byte from 80 hex up.";
        why "Proxies, caches and logs read such bytes in different ways: what one guards, another may deliver.";
        help "percent-encode the byte: a quote is %22, an e with an acute accent %C3%A9 (in printf write %%).";
        * found b"#" help "leave the fragment away: what begins with # is for the client alone." b"GET /a#b HTTP/1.1\r\n" at 6;

    TargetTooLong URI_TOO_LONG Limit Limit("target"), "RFC 9110 section 15.5.15";
        b"GET /12345678 HTTP/1.1\r\n" at 12 Under("target", 8);
        wanted "a shorter request-target";
        rule "The request-target is longer than this server takes.";
        why "A server that keeps whatever arrives can be filled by anybody.";
        help "send long data in the body of a POST.";

    VersionMissing BAD_REQUEST Syntax Rfc, "RFC 9112 section 3";
        b"GET /\r\n" at 5;
        wanted "one space and HTTP/1.1";
        rule "A request line ends with the version; without one it would be HTTP/0.9, which is not served.";
        why "An answer of HTTP/0.9 has no status and no length: nobody can tell an error from a page, or whether all of it came.";
        help "end the request line with a space and HTTP/1.1";

    VersionSyntax BAD_REQUEST Syntax Rfc, "RFC 9112 section 2.3";
        b"GET /a b HTTP/1.1\r\n" at 7;
        wanted "HTTP/1.1, in capitals, one digit each side of the dot";
        rule "Behind the target stand one space and the version: HTTP, a slash, a digit, a dot and a digit.";
        why "A server that takes the last word for the version and one that takes the third see two different targets.";
        help "write HTTP/1.1 there; a space inside the target is %20 (in printf %%20).";
        * found b"h" help "write HTTP in capitals: the name is case-sensitive." b"GET / http/1.1\r\n" at 6;
        * found b"/" help "begin with the method: a word stands before it, such as the -e that the echo of some shells prints (printf does not)." b"-e GET / HTTP/1.1\r\n" at 7;
        * found b" " help "put one space before HTTP/1.1; if the target had a %20, printf took it for its own: write %%20" b"GET /a                    b HTTP/1.1\r\n" at 7;
        * found b"\r" help "write the version in full: HTTP/1.1, also where HTTP/2 is meant." b"GET / HTTP/2\r\n" at 12;
        * found b"0123456789" help "write HTTP/1.1; if this line is a load balancer's (PROXY TCP4 ...), switch its PROXY protocol off." b"PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n" at 11;

    VersionUnsupported HTTP_VERSION_NOT_SUPPORTED Meaning Rfc, "RFC 9110 section 15.6.6";
        b"GET / HTTP/3.0\r\n" at 11;
        wanted "HTTP/1.1 or HTTP/1.0";
        rule "This server speaks major version 1.";
        why "Another major version may frame its messages in another way: who guesses does not know where they end.";
        help "write HTTP/1.1";
        * found b"2" help "tell the client to speak HTTP/1.1: HTTP/2 without TLS begins so (PRI * HTTP/2.0; in curl it comes of --http2-prior-knowledge)." b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" at 11;

    StatusDigits BAD_REQUEST Syntax Rfc, "RFC 9112 section 4";
        b"HTTP/1.1 20x OK\r\n" at 11 Response;
        wanted "three digits, the first of them 1 to 5, between two spaces";
        rule "A status code is three digits between two spaces.";
        why "By the first digit alone a client knows what to do with a response.";
        help "put one space on each side of the status code, even where no reason phrase follows.";

    ReasonOctet BAD_REQUEST Syntax Rfc, "RFC 9112 section 4";
        b"HTTP/1.1 200 O\0K\r\n" at 14 Response;
        wanted "visible characters, blanks, or CR LF";
        rule "A reason phrase holds no control.";
        why "It is shown in terminals and logs, where controls do things.";
        help "leave the reason phrase empty: clients go by the code.";

    BareLf BAD_REQUEST Syntax Choice, "RFC 9112 section 2.2";
        b"GET /hi HTTP/1.1\nHost: x\n\n" at 16;
        wanted "CR LF";
        rule "A line ends with CR LF. A server may take a lone LF for it; longhand refuses, because two servers in a row that disagree about line ends can disagree about where a request ends.";
        why "A second request, hidden from a server in front inside what it takes for one line, is not checked by it.";
        help "end lines with CR LF: in printf \\r\\n; with nc its flag for CRLF (-C in OpenBSD's nc and ncat); with a file or a heredoc through sed 's/$/\\r/'";

    BareCr BAD_REQUEST Syntax Choice, "RFC 9112 section 2.2";
        b"GET / HTTP/1.1\rHost: x\r\n" at 15;
        wanted "LF after CR";
        rule "A CR stands before an LF and nowhere else. A server may read a lone one as a space; longhand refuses.";
        why "What is a blank to one server is the end of a line to the next: one field of the first is two of the second.";
        help "end lines with CR LF, and send no CR elsewhere.";
        * found b"\r" help "send one CR before each LF: a text whose lines ended with CR LF was converted once more." b"GET / HTTP/1.1\r\r\n" at 15;

    LineEnd BAD_REQUEST Syntax Rfc, "RFC 9112 section 3";
        b"GET / HTTP/1.1 \r\n" at 14;
        wanted "CR LF";
        rule "Nothing follows the version in a request line.";
        why "A server that takes the last word for the version and one that takes the third see two different requests.";
        help "end the line right behind HTTP/1.1: no blank, no further word.";
        * found b"\\" help "use printf in place of echo: a backslash and an r came where CR was meant." b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\n" at 14;
        * found b"rn" help "put the text in single quotes: the shell took the backslashes of \\r\\n away." b"GET / HTTP/1.1rnHost: xrnrn" at 14;
        * found b"0123456789" help "write HTTP/1.1: one digit each side of the dot." b"GET / HTTP/1.10\r\n" at 14;
        * found b"'\"" help "take the quotes away: they were sent with the text (cmd.exe knows double ones alone)." b"'GET / HTTP/1.1'\r\n" at 15;
}
