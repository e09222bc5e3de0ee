//! Rules of bodies: chunks, sizes and time (RFC 9112 sections 7.1 and 8).

rules! {
    ChunkSize BAD_REQUEST Syntax Rfc, "RFC 9112 section 7.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n" at 56;
        wanted "a hexadecimal digit";
        rule "A chunk begins with its size, in hexadecimal digits.";
        why "The size is the only thing that says where the chunk ends: one server's guess is another's request.";
        help "send each chunk as: size in hexadecimal, CR LF, so many bytes, CR LF (ten bytes are a; no sign, no 0x).";
        * found b"\r\n" help "remove the empty line: one CR LF ends a chunk's data, and the next size follows." b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n5\r\n" at 56;

    ChunkSizeTooLarge BAD_REQUEST Syntax Choice, "RFC 9112 section 7.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello\r\n" at 72;
        wanted "at most 16 digits";
        rule "A server must not let a large size overflow; longhand takes 16 digits, leading zeros counted.";
        why "A size that wraps around ends the chunk early, and its rest is read as a request.";
        help "write the size without leading zeros, and send smaller chunks.";

    ChunkExt BAD_REQUEST Syntax Rfc, "RFC 9112 section 7.1.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5 bytes\r\n" at 58;
        wanted "CR LF, or an extension: ;name=value";
        rule "Behind a chunk's size stands the end of the line, or extensions in their grammar.";
        why "A server that skips what it does not know here, and one that stops at it, lose each other.";
        help "end the line right behind the hexadecimal digits.";
        * found b"xX" help "write the size without 0x: it is hexadecimal as it stands." b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0xa\r\n" at 57;
        * found b"\\" help "use printf in place of echo: a backslash and an r came where CR was meant." b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\\r\\nhello" at 57;

    ChunkExtTooLong BAD_REQUEST Limit Limit("body_overhead"), "RFC 9112 section 7.1.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n" at 61 Under("body_overhead", 4);
        wanted "the end of the line";
        rule "Chunk extensions take more than this server grants them over one body.";
        why "Hardly anybody sends them, and a body of one-byte chunks with long extensions costs much for nothing.";
        help "send no chunk extensions.";

    ChunkDataEnd BAD_REQUEST Syntax Rfc, "RFC 9112 section 7.1";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n" at 64;
        wanted "CR LF after the chunk's data";
        rule "A chunk's data is as long as its size says, and CR LF follows it.";
        why "Data that does not end where its size says makes the next size a matter of guessing.";
        help "count the bytes of the chunk again, and write the size in hexadecimal: 10 means sixteen.";
        * found b"\n" help "write the size in hexadecimal (10 means sixteen), and put CR LF, which does not count, behind the data." b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n" at 64;

    TrailersTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE Limit Limit("body_overhead"), "RFC 6585 section 5";
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nSum: 12345678\r\n\r\n" at 69 Under("body_overhead", 8);
        wanted "the end of the trailers";
        rule "The trailer section is larger than this server takes.";
        why "Trailers are kept whole like a head: without a limit anybody could fill the memory.";
        help "send fewer or smaller trailers.";

    BodyTooLarge CONTENT_TOO_LARGE Limit Limit("body"), "RFC 9110 section 15.5.14";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" at 51 Under("body", 4);
        wanted "a smaller body";
        rule "The body is larger than this server takes here.";
        why "Bodies fill memory and disks; how much is reasonable, each resource knows best.";
        help "send less, or in parts.";

    BodyTime REQUEST_TIMEOUT Limit Limit("body_rate"), "RFC 9110 section 15.5.9";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nhello world" at 59 Silent;
        wanted "more of the body";
        rule "The body stopped, or came slower than this server waits.";
        why "A peer that drips its body holds a connection for hours, and a thousand of them a server.";
        help "send as many bytes as Content-Length says, or end the chunks with: 0 CR LF CR LF";

    EndedInBody BAD_REQUEST Meaning Rfc, "RFC 9112 section 8";
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\nhello world" at 59 Ended;
        wanted "the rest of the body";
        rule "The connection ended inside a body.";
        why "Half a body may read like a whole one: half an order, half a file.";
        help "send as many bytes as Content-Length says, or end the chunks with: 0 CR LF CR LF";
}
