//! Rules of the request-target and of the host (RFC 9112 section 3.2, RFC 3986 section 3.2).

rules! {
    TargetForm BAD_REQUEST Meaning Rfc, "RFC 9112 section 3.2";
        b"GET index.html HTTP/1.1\r\nHost: x\r\n\r\n" at 4;
        wanted "/path, http://host/path, or * with OPTIONS";
        rule "A request-target has one of four forms; host:port goes with CONNECT.";
        why "A server that mends a target may ask for something else than the server in front let pass.";
        help "begin the target with a slash.";
        * found b"*" help "send * with OPTIONS, about the server as a whole; any other method names a path." b"GET * HTTP/1.1\r\nHost: x\r\n\r\n" at 4;

    TargetEscape BAD_REQUEST Meaning Rfc, "RFC 3986 section 2.1";
        b"GET /100% HTTP/1.1\r\nHost: x\r\n\r\n" at 8;
        wanted "two hexadecimal digits after %";
        rule "In a path, % begins an escape of two hexadecimal digits.";
        why "Servers that read a broken escape in different ways disagree about which path was asked for.";
        help "write a percent sign itself as %25 (in printf %%25).";

    SchemeNotServed MISDIRECTED_REQUEST Meaning Rfc, "RFC 9110 section 7.4";
        b"GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n" at 4;
        wanted "a scheme that this connection serves";
        rule "A target's scheme is its connection's: https needs TLS, and other schemes are not HTTP.";
        why "What was asked for under https and came in the clear may have been read and changed on its way.";
        help "ask for the path alone, as in: GET / HTTP/1.1";

    ConnectRefused NOT_IMPLEMENTED Meaning Choice, "RFC 9110 section 9.3.6";
        b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" at 0;
        wanted "another method";
        rule "CONNECT asks a proxy for a tunnel; this server is no proxy.";
        why "A server that opens tunnels for anybody lends its address to whoever wants to hide.";
        help "take this server out of the client's proxy settings (https_proxy; in curl -x).";

    HostMissing BAD_REQUEST Meaning Rfc, "RFC 9112 section 3.2";
        b"GET / HTTP/1.1\r\n\r\n" at 16;
        wanted "a Host field";
        rule "A request of HTTP/1.1 has a Host field.";
        why "One address serves many sites: Host says which is meant, and servers that guess do not guess the same.";
        help "add a line such as: Host: localhost";

    HostRepeated BAD_REQUEST Meaning Rfc, "RFC 9112 section 3.2";
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" at 25;
        wanted "one Host field";
        rule "A request has no more than one Host field.";
        why "A server in front may check the first of them, and this one serve the second.";
        help "send one Host line (curl replaces its own by -H 'Host: name').";

    HostEmpty BAD_REQUEST Meaning Rfc, "RFC 9110 section 4.2.1";
        b"GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n" at 11;
        wanted "a host";
        rule "An http URI names a host, and so does a Host field with a port.";
        why "Who fills in a missing host decides which site is meant, and each may decide differently.";
        help "write the host, as in http://localhost/";
        * found b":" help "write the host before the colon, and an IPv6 address in brackets: [::1]:8000" b"GET / HTTP/1.1\r\nHost: ::1\r\n\r\n" at 22;

    HostOctet BAD_REQUEST Meaning Rfc, "RFC 9110 section 7.2";
        b"GET / HTTP/1.1\r\nHost: caf\xc3\xa9\r\n\r\n" at 25;
        wanted "a name, an IPv4 address or [an IPv6 address], and perhaps :port";
        rule "A host is a name or an address in the grammar of URIs: ASCII, without blanks, quotes and slashes.";
        why "The host ends up in links, logs and cache keys: a byte that means something there can be an attack.";
        help "write a name beyond ASCII in its xn-- form.";
        * found b"/" help "write host and port alone: no scheme, no slash, no path." b"GET / HTTP/1.1\r\nHost: x/a\r\n\r\n" at 23;
        * found b" \"<" help "write one name alone, without blanks and quotes." b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n" at 23;

    HostLiteral BAD_REQUEST Meaning Rfc, "RFC 3986 section 3.2.2";
        b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n" at 22;
        wanted "an IPv6 address in brackets";
        rule "Brackets hold an IPv6 address, and are closed.";
        why "Without the bracket nobody can tell the address from the port.";
        help "write the address as in [::1]:8000";

    PortDigits BAD_REQUEST Meaning Rfc, "RFC 3986 section 3.2.3";
        b"GET / HTTP/1.1\r\nHost: x:http\r\n\r\n" at 24;
        wanted "a port from 0 to 65535";
        rule "After the host's colon stand digits alone.";
        why "What one server takes for a port, another may take for a part of the name.";
        help "write one port in digits, or no colon.";
        * found b"/" help "write host and port alone: no scheme, no slash, no path." b"GET / HTTP/1.1\r\nHost: http://x\r\n\r\n" at 27;
        * found b":" help "put brackets around an IPv6 address: [fe80::1]:8000" b"GET / HTTP/1.1\r\nHost: fe80::1\r\n\r\n" at 27;

    UserInfo BAD_REQUEST Meaning Rfc, "RFC 9110 section 4.2.4";
        b"GET http://me@x/ HTTP/1.1\r\nHost: x\r\n\r\n" at 13;
        wanted "a host without user and password";
        rule "An http URI in a message has no user or password.";
        why "http://bank.example@evil.example/ looks like the bank, and is not.";
        help "send user and password in an Authorization field (curl does that for -u).";
}
