//! Rules of how a body is delimited (RFC 9112 section 6).

rules! {
    LengthDigits BAD_REQUEST Meaning Rfc, "RFC 9110 section 8.6";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello" at 26;
        wanted "digits alone";
        rule "A Content-Length is one or more digits.";
        why "Number readers that take a sign or skip what follows the digits disagree about where the body ends.";
        help "write the number of bytes of the body, without sign, unit or quotes.";

    LengthTooLarge BAD_REQUEST Meaning Rfc, "RFC 9110 section 8.6";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n" at 26;
        wanted "a number below 2^64";
        rule "A server must not let a large length overflow.";
        why "2^64+5 in 64 bits is 5: a server that lets it wrap around ends the body there, and another does not.";
        help "write the number of bytes of the body.";

    LengthsDiffer BAD_REQUEST Meaning Rfc, "RFC 9112 section 6.3";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" at 45;
        wanted "one length";
        rule "Two different lengths leave open where the body ends.";
        why "Where a server in front goes by one and this one by the other, the rest becomes a request that nobody checked.";
        help "send Content-Length once (most clients write it themselves).";

    LengthAndCoding BAD_REQUEST Meaning Choice, "RFC 9112 section 6.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" at 45;
        wanted "Content-Length or Transfer-Encoding";
        rule "The body is delimited by its length or by its chunks. A server may refuse a request with both; longhand does.";
        why "It is how requests are smuggled: a server in front goes by the one, this one by the other, and the rest is a request that nobody checked.";
        help "leave one of the two away: Content-Length if the body is sent in chunks.";

    CodingVersion BAD_REQUEST Meaning Choice, "RFC 9112 section 6.1";
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" at 26;
        wanted "HTTP/1.1";
        rule "HTTP/1.0 knows no Transfer-Encoding: its framing is taken as faulty.";
        why "A proxy of HTTP/1.0 in between passes the chunks on as data, and sees the body end elsewhere.";
        help "write HTTP/1.1 in the request line, or send a Content-Length.";

    CodingMalformed BAD_REQUEST Meaning Rfc, "RFC 9112 section 6.3";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n" at 26;
        wanted "chunked, once and last";
        rule "Where chunked is not the last coding, the end of a request's body cannot be known.";
        why "Servers that look for the word chunked anywhere, and those that look at the end, find two different ends.";
        help "send Transfer-Encoding: chunked, and nothing else in it.";

    CodingUnknown NOT_IMPLEMENTED Meaning Rfc, "RFC 9112 section 6.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" at 26;
        wanted "chunked";
        rule "A transfer coding that the server does not understand is answered 501.";
        why "To hand on a body that it cannot decode would be to hand on other bytes than were meant.";
        help "send Transfer-Encoding: chunked alone (a compressed body is told by Content-Encoding).";

    Expectation EXPECTATION_FAILED Meaning Choice, "RFC 9110 section 10.1.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nContent-Length: 5\r\n\r\n" at 26;
        wanted "100-continue";
        rule "100-continue is the one expectation there is. A server may refuse any other; longhand does.";
        why "A client that expects something should not be left to believe that it was granted.";
        help "leave the Expect field away.";
}
