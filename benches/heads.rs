//! Request heads as they arrive: by hand, from browsers, from programs. All are of this file's own
//! making, in the order and with the lengths that such clients send.

/// A head with its name and the number of its field lines.
pub struct Head {
    /// Who sends it.
    pub name: &'static str,
    /// What is sent, to the empty line.
    pub bytes: Vec<u8>,
    /// Field lines in it.
    pub fields: usize,
}

impl Head {
    fn of(name: &'static str, lines: &[&str]) -> Self {
        let bytes = format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes();
        Self { name, bytes, fields: lines.len() - 1 }
    }
}

/// All heads, from the shortest that is legal to one of 64 fields.
#[must_use]
pub fn all() -> Vec<Head> {
    let short = Head::of("short", &["GET / HTTP/1.1", "Host: 127.0.0.1:8000"]);
    vec![
        short,
        curl(),
        crawler(),
        mobile_app(),
        api_client(),
        firefox(),
        chromium(),
        long_token(),
        many_fields(),
    ]
}

fn curl() -> Head {
    let lines = [
        "GET /notes/2026/11/weekly-summary HTTP/1.1",
        "Host: notes.example.org",
        "User-Agent: curl/8.14.1",
        "Accept: */*",
    ];
    Head::of("curl", &lines)
}

fn crawler() -> Head {
    let lines = [
        "GET /articles/how-a-request-is-read?page=3&sort=newest HTTP/1.1",
        "Host: www.example.org",
        "Connection: keep-alive",
        "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.5",
        "Accept-Encoding: gzip, deflate, br",
        "From: crawler(at)search.example.net",
        "User-Agent: Mozilla/5.0 (compatible; ExampleBot/3.2; +https://search.example.net/bot.html)",
        "If-Modified-Since: Sun, 22 Nov 2026 09:14:07 GMT",
    ];
    Head::of("crawler", &lines)
}

fn mobile_app() -> Head {
    let lines = [
        "POST /v3/sync/changes?since=01JD3Z8Q7N5V0M4T2R6K9W1B8C HTTP/1.1",
        "Accept: application/json",
        "X-App-Version: 6.14.2 (61402)",
        "X-Device: Android 16; 1080x2400; 420dpi",
        "X-Install-Id: 5c0a3f5e-7d1b-4b5e-9a53-0d9b8f6f3c11",
        "X-Timezone: Europe/Berlin",
        "Accept-Language: de-DE",
        "Authorization: Bearer 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978",
        "Content-Type: application/json; charset=utf-8",
        "Content-Length: 2381",
        "Host: api.example.com",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
        "User-Agent: okhttp/5.1.0",
    ];
    Head::of("mobile app", &lines)
}

fn api_client() -> Head {
    let lines = [
        "POST /api/notes/2026/11/weekly-summary?draft=1&lang=en HTTP/1.1",
        "Host: notes.example.org",
        "User-Agent: notebook/4.2.0 (linux; x86_64) http-client/2.1 features=sync,offline,attachments",
        "Accept: application/json, text/plain;q=0.9, */*;q=0.1",
        "Accept-Language: en-GB, en;q=0.9, eo;q=0.5",
        "Accept-Encoding: gzip, br",
        "Authorization: Bearer 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "Content-Type: application/json; charset=utf-8",
        "Content-Length: 512",
        "Idempotency-Key: 5c0a3f5e-7d1b-4b5e-9a53-0d9b8f6f3c11",
        "X-Request-Id: 01JD3Z8Q7N5V0M4T2R6K9W1B8C",
        "Traceparent: 00-7e2d4c6a8b0f1e3d5c7b9a0f2e4d6c8b-1a3c5e7092b4d6f8-01",
        "Connection: keep-alive",
    ];
    Head::of("api call", &lines)
}

fn firefox() -> Head {
    let lines = [
        "GET /articles/how-a-request-is-read HTTP/1.1",
        "Host: www.example.org",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language: de,en-US;q=0.7,en;q=0.3",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "DNT: 1",
        "Sec-GPC: 1",
        "Connection: keep-alive",
        "Referer: https://www.example.org/articles/",
        "Cookie: theme=dark; consent=necessary; session=b41d7c90a2f84e6c9d3f5a7e8c1b2d40",
        "Upgrade-Insecure-Requests: 1",
        "Sec-Fetch-Dest: document",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-User: ?1",
        "Priority: u=0, i",
    ];
    Head::of("Firefox", &lines)
}

fn chromium() -> Head {
    let cookie = format!("Cookie: theme=dark; consent=all; session={}", "3b8f1c".repeat(72));
    let lines = [
        "GET /articles/how-a-request-is-read?from=front-page HTTP/1.1",
        "Host: www.example.org",
        "Connection: keep-alive",
        "Cache-Control: max-age=0",
        "sec-ch-ua: \"Chromium\";v=\"142\", \"Google Chrome\";v=\"142\", \"Not_A Brand\";v=\"99\"",
        "sec-ch-ua-mobile: ?0",
        "sec-ch-ua-platform: \"macOS\"",
        "DNT: 1",
        "Upgrade-Insecure-Requests: 1",
        "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
        "Sec-Fetch-Site: none",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-User: ?1",
        "Sec-Fetch-Dest: document",
        "Referer: https://www.example.org/articles/",
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept-Language: en-US,en;q=0.9,de;q=0.8",
        "If-Modified-Since: Sun, 22 Nov 2026 09:14:07 GMT",
        &cookie,
    ];
    Head::of("Chromium", &lines)
}

/// The token is as long as a signed one that names a user, groups and scopes: 1.6 KB.
fn long_token() -> Head {
    let token = format!(
        "Authorization: Bearer eyJ{}.eyJ{}.{}",
        "hbGc".repeat(24),
        "zdWI_".repeat(240),
        "Qk-9".repeat(85)
    );
    let lines = [
        "GET /v2/orders?status=open&limit=50&cursor=eyJpZCI6MTgyMzQ1Nn0 HTTP/1.1",
        "Host: api.example.com",
        "User-Agent: python-requests/2.32.5",
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        "Connection: keep-alive",
        &token,
    ];
    Head::of("long token", &lines)
}

fn many_fields() -> Head {
    let mut lines =
        vec!["GET /inventory HTTP/1.1".to_owned(), "Host: internal.example.org".to_owned()];
    lines.extend((1..64).map(|i| format!("X-Shelf-Label-{i:02}: row {i:02}, place {:04}", i * 37)));
    Head::of("64 fields", &lines.iter().map(String::as_str).collect::<Vec<_>>())
}
